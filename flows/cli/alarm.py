"""`alarm`: tells somebody that nights do not go as they should. Never Prefect; run it by a timer of its own."""

from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.console import Home, fail, look_at_settings, refuse, say
from flows.endings import Ending
from flows.errors import Faults, Misconfigured, Misused

if TYPE_CHECKING:
    from flows.alarm.channels import Channel, Message
    from flows.settings import Settings

alarm_app = typer.Typer()
TEST = "This is a test; it says nothing of the nights."


@alarm_app.command()
def alarm(
    home: Home = None,
    test: Annotated[bool, typer.Option("--test", help="Tell that this is a test, whether all is well or not.")] = False,
    failed: Annotated[str | None, typer.Option(metavar="UNIT", help="Tell that this unit of systemd failed.")] = None,
) -> None:
    """Tell by webhook and mail where no night began or succeeded for long, none can, or a harvest brought much less.

    Exit code 5: something is wrong. With no channel set, that and the output are all.
    """
    from flows.alarm.findings import tell

    settings, faults = _settings(home)
    channels = _channels(settings, faults)
    if test:
        Faults(faults).tell()
    if test and not channels:
        refuse("there is nothing to test: set alarm_webhook, or alarm_mail_to and alarm_mail_server; see .env.example")
    wrong = _failed(failed) if failed is not None else [TEST] if test else _what_is_wrong(settings, faults)
    if not wrong:
        say(["All is well with the nights."])
        return
    say(wrong)
    told, failures = tell(channels, _message(settings.home, wrong, test=test))
    say(f"Told by {name}." for name in told)
    if failures:
        fail("; ".join(failures))
    if not test:
        raise typer.Exit(Ending.ALARM)


def _failed(unit: str) -> list[str]:
    if not unit.strip():  # whatever called this could not say of what
        return ["A unit that was not named failed on this machine; which: systemctl --failed"]
    return [f"{unit} failed on this machine; why: journalctl -u {unit} -n 50"]


def _settings(home: Path | None) -> "tuple[Settings, list[Exception]]":
    """As far as they can be used, for what ends a night must not end the alarm; and what is wrong with them."""
    from flows.settings import without_file

    try:
        return look_at_settings(home=home)
    except (Misused, Misconfigured) as error:
        return without_file(**({} if home is None else {"home": home})), [error]


def _channels(settings: "Settings", faults: list[Exception]) -> "list[Channel]":
    from flows.alarm.findings import channels_of

    try:
        return channels_of(settings)
    except Misused as error:
        faults.append(error)
        return channels_of(settings.model_copy(update={"alarm_mail_to": (), "alarm_mail_server": None}))


def _what_is_wrong(settings: "Settings", faults: list[Exception]) -> list[str]:
    from db.errors import CatalogueError
    from db.overview import Overview
    from flows.alarm.findings import NIGHTS, what_is_wrong

    told = [f"No night can begin with these settings: {fault}" for fault in faults]
    if any("setting database_url" in str(fault) for fault in faults):  # what was meant is not known, and no other is
        return told
    try:
        with Overview.open(settings, create=False) as catalogue:
            nights = catalogue.nights(NIGHTS)
    except CatalogueError as error:
        return [*told, f"The catalogue cannot be read: {error}"]
    except OSError as error:
        return [*told, f"The catalogue cannot be read: {error.filename or settings.home}: {error.strerror or error}"]
    return [*told, *what_is_wrong(nights, datetime.now(UTC), settings)]


def _message(home: Path, wrong: list[str], *, test: bool) -> "Message":
    from flows.alarm.channels import Message

    where = f"Catalogue of {home.resolve()} on {gethostname()}; nishiki nights tells more."
    return Message(f"nishiki: {'test of the alarm' if test else 'the nights need somebody'}", (*wrong, "", where))
