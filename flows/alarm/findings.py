"""What is wrong with the nights, by the catalogue's history alone, and by which ways it is told. Never Prefect.

`nishiki alarm` asks it, from outside all that may have died: a schedule, a server, a night.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from db.entries.nights import NightEnding, NightEntry
from flows.alarm.addresses import MailServer, WebhookAddress
from flows.alarm.channels import Channel, ChannelFailed, Mail, Message, Webhook
from flows.errors import Misused
from flows.reports.nights import span, summary
from flows.settings import Settings

NIGHTS: Final = 200
"""So many are looked at."""
A_WEEK: Final = 7
"""Nights that a harvest is compared with, so that a quiet day of the week is among them."""
LEAST_LISTED: Final = 10
"""Fewer than these vary too much."""
AN_HOUR: Final = timedelta(hours=1)
"""So far apart two machines' clocks may be."""
_SUCCEEDED: Final = (NightEnding.DONE, NightEnding.WAITING)


def what_is_wrong(nights: Sequence[NightEntry], now: datetime, settings: Settings) -> list[str]:
    """In sentences; none: all is well.

    Args:
        nights: the newest first.
    """
    past = [each for each in nights if each.began_at <= now + AN_HOUR]
    overdue = _overdue(past, now, timedelta(hours=settings.alarm_after_h)) if past or not nights else ()
    poor = _poor_harvests(nights, settings.alarm_least_harvest)
    return [*_dated_ahead(nights[: len(nights) - len(past)]), *overdue, *poor]


def channels_of(settings: Settings) -> list[Channel]:
    """Every way that is set.

    Raises:
        Misused: mail is to go to somebody, and nothing is there to take it, or the reverse.
    """
    found: list[Channel] = []
    if settings.alarm_webhook is not None:
        found.append(Webhook(WebhookAddress.read(settings.alarm_webhook.get_secret_value())))
    server, recipients = settings.alarm_mail_server, settings.alarm_mail_to
    if (server is None) != (not recipients):
        raise Misused("mail needs both alarm_mail_to and alarm_mail_server; see .env.example")
    if server is not None:
        sender = settings.alarm_mail_from or recipients[0]
        found.append(Mail(MailServer.read(server.get_secret_value()), sender, recipients))
    return found


def report_channels(settings: Settings) -> list[Channel]:
    """Every way by which a report goes: those of the alarm.

    Raises:
        Misused: none is set, or as `channels_of`.
    """
    channels = channels_of(settings)
    if not channels:
        raise Misused("no way is set to send a report: set alarm_webhook, or alarm_mail_to and alarm_mail_server")
    return channels


def tell(channels: Sequence[Channel], message: Message) -> tuple[list[str], list[str]]:
    """Tell it by every way.

    Returns:
        Names of those by which it went, and what was in the way of the others.
    """
    told, failures = [], []
    for channel in channels:
        try:
            channel.tell(message)
        except ChannelFailed as error:
            failures.append(str(error))
        else:
            told.append(channel.name)
    return told, failures


def _dated_ahead(nights: Sequence[NightEntry]) -> Iterator[str]:
    """What an alarm compares with the clock says nothing where the clock jumped."""
    if nights:
        yield (
            f"A night is dated {nights[0].began_at:%Y-%m-%d %H:%M} UTC, which has not come yet: set the clock right, "
            f"of {nights[0].host} or of this machine."
        )


def _overdue(nights: Sequence[NightEntry], now: datetime, after: timedelta) -> Iterator[str]:
    if not nights:
        yield "No night has begun on this catalogue yet."
        return
    last = nights[0]
    ends = (each.ended_at for each in nights if each.end and each.end.ending in _SUCCEEDED)
    since = next((end for end in ends if end), nights[-1].began_at)
    if now - since <= after:
        return
    why = (last.end.reason.splitlines() or [""])[0] if last.end else ""
    told = f"the last {summary(last)}{': ' if why else ''}{why}"
    if now - last.seen_at > after:
        yield f"No night has begun for {span(now - last.began_at)}; {told}"
    else:
        yield f"No night has succeeded for {span(now - since)}; {told}"


def _poor_harvests(nights: Sequence[NightEntry], share: float) -> Iterator[str]:
    """Of the last night alone: what it brought is what the next ones are compared with."""
    listed = [night.counts.get("listed", {}) for night in nights]
    for archive, count in (listed[0] if listed else {}).items():
        before = [each[archive] for each in listed[1:] if archive in each][:A_WEEK]
        if len(before) == A_WEEK and min(before) >= LEAST_LISTED and count < share * min(before):
            yield (
                f"{archive} listed {count:,} records in the last night, and no fewer than {min(before):,} in each of "
                f"the {A_WEEK} before; see whether it still shows what it did."
            )
