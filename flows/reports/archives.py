"""What a person reads of the archives: where each lies, how it is asked, what came of it, what the next harvest asks.

Looks at settings and catalogue alone; no archive is asked.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.table import Table
from rich.text import Text

from db.catalogue import Catalogue
from db.entries.night import HeldFilter
from db.errors import NoCatalogue
from flows.archives.registry import Protocol
from flows.plan import CataloguePlan, PlannedArchive, plan_catalogue
from flows.reports.summary import FROM_BEGINNING
from flows.settings import ArchiveSettings, Settings


def archives_told(settings: Settings) -> list[dict[str, Any]]:
    """Every archive of nishiki.toml, and those that are in the catalogue alone, by name; ready for JSON.

    Keys: name, protocol, address, pace_s (None: left to the host), permission (its reference), in_settings, records,
    last_harvest (ISO 8601), last_window (its state), wanted_pictures, held_back (reason → number).
    """
    try:
        with plan_catalogue(settings, None, create=False) as plan:
            known = {each["name"]: each for each in plan.catalogue.status()["archives"]}
            held = {name: plan.catalogue.held_counts(plan.scope(), HeldFilter(archive=name)) for name in known}
    except NoCatalogue:
        known, held = {}, {}
    names = sorted({*settings.archives, *known})
    return [_told(name, settings, known.get(name, {}), held.get(name, {})) for name in names]


def _told(name: str, settings: Settings, known: Mapping[str, Any], held: Mapping[str, int]) -> dict[str, Any]:
    own = settings.archives.get(name)
    stated = own.protocol if own and own.protocol is not Protocol.AUTO else None
    return {
        "name": name,
        "protocol": str(stated or known.get("kind") or Protocol.AUTO),
        "address": own.model_dump(mode="json")["address"] if own else known["address"],
        "pace_s": pace_of(settings, own),
        "permission": own.permission.reference if own and own.permission else None,
        "in_settings": own is not None,
        **{key: known.get(key, 0) for key in ("records", "wanted_pictures")},
        **{key: known.get(key) for key in ("last_harvest", "last_window")},
        "held_back": dict(held),
    }


def pace_of(settings: Settings, archive: ArchiveSettings | None) -> float | None:
    """Least seconds between two requests, as told; None: 5, and 0 on this machine."""
    return settings.pace_s if archive is None or archive.pace_s is None else archive.pace_s


def archives_table(told: list[dict[str, Any]]) -> Table:
    """The same for a person."""
    table = Table("archive", "read as", "pace", "last harvest", "records", "held back", "pictures wanted")
    for each in told:
        held = ", ".join(f"{count} {reason}" for reason, count in each["held_back"].items()) or "nothing"
        last = (each["last_harvest"] or "")[:16].replace("T", " ") or FROM_BEGINNING
        unfinished = "" if each["last_window"] in (None, "done") else f" (then {each['last_window']})"
        pace = "" if each["protocol"] == Protocol.FOLDER else _pace_words(each["pace_s"])
        gone = "" if each["in_settings"] else " (in the catalogue alone)"
        place = f"{each['name']}{gone}\n{each['address']}"
        numbers = (str(each["records"]), held, str(each["wanted_pictures"]))
        table.add_row(*map(Text, (place, each["protocol"], pace, f"{last}{unfinished}", *numbers)))
    return table


def _pace_words(pace_s: float | None) -> str:
    return "5 s" if pace_s is None else f"{pace_s:g} s"


def next_harvest_lines(settings: Settings, planned: PlannedArchive) -> Iterator[str]:
    """What a harvest would ask an archive on the web for, without asking it."""
    try:
        with plan_catalogue(settings, None, create=False) as plan:
            wanted, what = _next(plan, planned.name)
            kinds = {each["name"]: each["kind"] for each in plan.catalogue.status()["archives"]}
    except NoCatalogue:
        wanted, what, kinds = 0, "everything, for it was never harvested", {}
    asked = planned.access
    yield f"{planned.name}: {planned.settings.model_dump(mode='json')['address']} would be asked for {what}."
    protocol = planned.settings.protocol
    last = f"; the last time it was {kinds[planned.name]}" if planned.name in kinds else ""
    yield f"  protocol: {f'found out by asking{last}' if protocol is Protocol.AUTO else protocol}"
    options = planned.settings.options.model_dump(exclude={"protocol"}, exclude_defaults=True)
    if options:
        yield f"  options: {', '.join(f'{name} {value}' for name, value in options.items())}"
    pace = _pace_words(pace_of(settings, planned.settings))
    yield f"  pace: {pace} between two requests to one host, longer where its robots.txt asks for that"
    yield from _limits(planned.settings)
    reach = "" if settings.contact else "; the setting `contact` tells an archive where it can reach you"
    yield f"  as: {asked.manners.user_agent()}{reach}"
    yield f"  pictures wanted so far: {wanted}"


def _limits(archive: ArchiveSettings) -> Iterator[str]:
    """What the operator agreed on with it."""
    if archive.quiet_hours:
        yield f"  not asked: {archive.quiet_hours}"
    if archive.most_requests:
        yield f"  requests: {archive.most_requests:,} to one host on one day at most"
    if letter := archive.permission:
        until = f" until {letter.until}" if letter.until else ""
        yield f"  written permission: {letter.reference} of {letter.given}{until} ({letter.document}): {letter.scope}"


def _next(plan: CataloguePlan, name: str) -> tuple[int, str]:
    catalogue: Catalogue = plan.catalogue
    known = {each["name"]: each for each in catalogue.status()["archives"]}
    if name not in known:
        return 0, "everything, for it was never harvested"
    number, wanted = known[name]["id"], known[name]["wanted_pictures"]
    end, full = catalogue.last_window_end(number), catalogue.last_full_listing(number)
    if end is None:
        return wanted, "everything, for no harvest of it was finished"
    since = f"{end - timedelta(hours=plan.settings.overlap_hours):%Y-%m-%d %H:%M} UTC"
    changed = f"what changed since {since}"
    days = plan.settings.full_listing_days
    if days == 0:
        return wanted, "everything, as `full_listing_days` is 0"
    if full is None or datetime.now(UTC) - full >= timedelta(days=days):
        return wanted, f"{changed}, or for everything if it does not tell what it deleted"
    return wanted, f"{changed}, if it can be asked so"
