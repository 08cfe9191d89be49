"""`doctor --before-night`: whether the next night can begin, by what a night itself looks at; nothing is changed.

What a night looks for in its plan is looked for here, in the same functions. The catalogue is looked at, where a night
opens it, and the ways by which somebody is told, which a night can do without.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from db.entries.morning import LOW_DISK
from flows.alarm.findings import channels_of, report_channels
from flows.cli.prefect_server import looks_before_night
from flows.errors import Faults
from flows.settings import Settings

if TYPE_CHECKING:
    from flows.plan import PlannedArchive, Tools


def look_before_night(settings: Settings, wrong: Sequence[Exception]) -> Iterator[str]:
    """That the night can begin, and what was looked at.

    Args:
        settings: as far as they are right.
        wrong: what is wrong with them.

    Raises:
        Misconfigured: several things stand in its way; one alone is raised as it is.
    """
    from colorize.encoders.weights import RANDOM
    from flows.plan import look_at_catalogue, look_at_places
    from flows.plan import look_before_night as look_for_plan

    faults = Faults(wrong)
    # Random weights are made by whoever asks for them, so they are never missing.
    asked = settings.model_copy(update={"encoder": None}) if settings.encoder == RANDOM else settings
    tools, archives = look_for_plan(asked, (), faults, looks_before_night())
    look_at_places(settings, faults)
    there = look_at_catalogue(settings, faults)
    faults.of(lambda: report_channels(settings) if settings.report_send else channels_of(settings))
    faults.tell()
    assert tools is not None
    yield _all_right(settings, tools, archives, "catalogue" if there else "the catalogue that the night makes")
    yield from _low_disk(settings)


def _all_right(settings: Settings, tools: "Tools", archives: "Sequence[PlannedArchive]", catalogue: str) -> str:
    from flows.plan import free_room

    ways = ", ".join(channel.name for channel in channels_of(settings)) or "none is set"
    due = settings.schedule.next_after(datetime.now(UTC))
    recipes = ", ".join(dict.fromkeys((settings.recipe, *settings.further_recipes)))
    looked_at = (
        "every setting", f"recipe {recipes}", f"encoder {settings.encoder or tools.weights.name}",
        f"device {', '.join(tools.devices)}", f"executor {settings.executor}",
        f"archives {', '.join(each.name for each in archives)} (none was asked for anything)",
        f"home {settings.home} ({free_room(settings.home)[0] / 1e9:,.1f} GB free) and {catalogue}",
        *([f"pictures in {settings.picture_store}"] if settings.picture_store else []), f"ways of the alarm ({ways})",
    )  # fmt: skip
    return (
        f"The night can begin: looked at were {'; '.join(looked_at)}. "
        f"It is due at {due:%Y-%m-%d %H:%M} {settings.schedule.zone.key}."
    )


def _low_disk(settings: Settings) -> Iterator[str]:
    """As the report on a night judges it."""
    from flows.plan import free_room

    free, total = free_room(settings.home)
    if free < LOW_DISK * total:
        yield f"Only {free / total:.0%} of the home's disk are free; make room for the nights to come."
