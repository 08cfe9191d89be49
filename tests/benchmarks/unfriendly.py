"""Two nights over odd folders and an archive that misbehaves: what is told, what is held, what is free.

The folders are copies of those in ../shared/cases, where they are; the archive is served by this program, one script
after the other. Nothing that must be held may be free: what its table or its statement forbids, what cannot be read,
and what names no picture. Homes are temporary ones.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from db.catalogue import Catalogue
from db.entries.night import ContentScope, EncoderKey, Tone
from flows.archives.web import client
from flows.reports.summary import harvest_lines
from flows.settings import ArchiveSettings, Settings
from tests.benchmarks.figures import Figure, publish
from tests.integration.flows.one_night import night, pass_days
from tests.shared import SHARED
from tests.unfriendly import (
    BUSY,
    STAMP,
    Reply,
    Unfriendly,
    circling,
    drawn,
    endless,
    listed,
    paged,
    record,
    refusing,
    serve_unfriendly,
)

FORBIDDEN = "http://creativecommons.org/licenses/by-nd/4.0/"
HELD = "held"
"""How the names of records begin that must never be free."""
FREE_FOLDERS = ("09", "10", "11", "12", "17")
"""Cases of pictures without a table: the operator's own."""
Script = Callable[[Unfriendly, int], None]
"""Sets a server up for the first night, 0, or the second."""


def passing_faults(site: Unfriendly, number: int) -> None:
    """04: each picture fails once in its own way."""
    sound = drawn(0, "JPEG")
    faults = [Reply(BUSY), Reply(status=404), Reply(sound[: len(sound) // 2]), Reply(b""), Reply(b"busy")]
    if not number:
        site.pictures = {f"/{n}.jpg": [fault, Reply(drawn(n, "JPEG"))] for n, fault in enumerate(faults)}
        site.pictures["/lasting.jpg"] = [Reply(BUSY)]


def first_five(site: Unfriendly, number: int) -> None:
    """05: the first five pictures answer 500 for ever."""
    if not number:
        paths = site.holds(20)
        site.pictures |= {path: [Reply(status=500)] for path in paths[:5]}


def _pages(site: Unfriendly) -> list[list[str]]:
    site.holds(6)
    records = site.all_records()
    return [records[:2], records[2:4], records[4:]]


def repeated_token(site: Unfriendly, number: int) -> None:
    """06: the last page repeats its token."""
    site.records = site.records or endless(_pages(site))


def circle(site: Unfriendly, number: int) -> None:
    """06: tokens lead in a circle."""
    site.records = site.records or circling(_pages(site))


def session_token(site: Unfriendly, number: int) -> None:
    """06: one token for every page."""
    site.records = site.records or paged(_pages(site), token="session")


def no_token(site: Unfriendly, number: int) -> None:
    """06: badResumptionToken always."""
    site.records = site.records or refusing(_pages(site))


def torn(site: Unfriendly, number: int) -> None:
    """07: records with a bad character, a bad reference, a byte of Latin-1."""
    bad = {"\x0b": b"\x0b", "NBSP": b"&nbsp;", "FOO": b"&foo;", "LATIN": b"\xe9"}
    site.holds(2)
    records = [
        *site.all_records(),
        *(record(f"{HELD}-{n}", f"{site.root}/0.png?{n}", title=t) for n, t in enumerate(bad)),
    ]

    def answer(_question: object) -> bytes:
        whole = site.answer(listed(*records))
        for mark, raw in bad.items():
            whole = whole.replace(mark.encode(), raw)
        return whole

    site.records = answer


def shift_jis(site: Unfriendly, number: int) -> None:
    """07: a BOM, a newline, and Shift_JIS."""
    site.declaration, site.encoding = '\n<?xml version="1.0" encoding="Shift_JIS"?>', "cp932"
    site.holds(2)


def clock(site: Unfriendly, number: int) -> None:
    """08: a clock nine hours ahead; on the second night a record is dated back."""
    site.ahead = timedelta(hours=9)
    site.holds(1 + number)
    stamp = (site.now - timedelta(hours=33)).strftime(STAMP)
    records = [record(path.strip("/"), f"{site.root}{path}", stamp=stamp) for path in site.pictures]
    site.records = lambda _: listed(*records[-1:])


def gone(site: Unfriendly, number: int) -> None:
    """08b: deletedRecord is no, and on the second night a record is gone."""
    site.deleted = "no"
    site.holds(4 - number)
    site.pictures.pop("/3.png", None) if number else None


def addresses(site: Unfriendly, number: int) -> None:
    """14: addresses without a suffix, a manifest, two in one element, a GIF, a namespace without its slash."""
    site.pictures = {
        "/image?id=1": [Reply(drawn(1))],
        "/page/1": [Reply(BUSY)],
        "/2.png": [Reply(drawn(2))],
        "/3.png": [Reply(drawn(3))],
        "/4/manifest": [Reply(b'{"@context": "http://iiif.io/api/presentation/2/context.json"}')],
        "/5.gif": [Reply(b"GIF89a" + bytes(40))],
    }
    at = site.root
    records = [
        record("suffix", f"{at}/page/1", f"{at}/image?id=1"),
        record("two", f"{at}/2.png {at}/3.png"),
        record(f"{HELD}-manifest", f"{at}/4/manifest"),
        record(f"{HELD}-gif", f"{at}/5.gif"),
        record(f"{HELD}-none"),
    ]
    slip = (b"http://purl.org/dc/elements/1.1/", b"http://purl.org/dc/elements/1.1")
    site.records = lambda _: site.answer(listed(*records)).replace(*slip)


def granularity(site: Unfriendly, number: int) -> None:
    """15: a granularity with seconds but no Z."""
    site.granularity = "YYYY-MM-DDThh:mm:ss"
    site.holds(2)


SCRIPTS: tuple[Script, ...] = (
    *(passing_faults, first_five, repeated_token, circle, session_token, no_token, torn, shift_jis, clock, gone),
    *(addresses, granularity),
)


@dataclass
class Found:
    """What two nights over one archive came to."""

    name: str
    free: list[str]
    wrongly: list[str]
    held: dict[str, int]


def main() -> None:
    """Two nights over each, and what must be held and is free."""
    logging.disable(logging.WARNING)  # the report says it again
    client.BACKOFF_S = (0.0, 0.0)  # the pauses of a real night take minutes
    with tempfile.TemporaryDirectory() as folder:
        found = [*folders(Path(folder)), *servers(Path(folder))]
    for each in found:
        held = ", ".join(f"{reason}: {count}" for reason, count in each.held.items()) or "nothing"
        say(f"{each.name}: free {', '.join(each.free) or 'nothing'}; held {held}")
    wrongly = [f"{each.name}: {name}" for each in found for name in each.wrongly]
    say(f"Freed that must be held: {', '.join(wrongly) or 'nothing'}.")
    publish(
        "unfriendly",
        [
            Figure("archives", len(found), ""),
            Figure("records free", sum(len(each.free) for each in found), ""),
            Figure("records held back", sum(sum(each.held.values()) for each in found), ""),
            Figure("records freed that must be held", len(wrongly), "", "0", not wrongly),
        ],
    )


def folders(place: Path) -> Iterator[Found]:
    """Over copies of the cases' folders."""
    for case in sorted((SHARED / "cases").glob("[0-9]*")):
        copy = Path(shutil.copytree(case, place / "cases" / case.name))
        for number, folder in enumerate(sorted({path.parent for path in copy.rglob("*") if path.is_file()})):
            settings = settings_of(place / f"home-{case.name}-{number}", str(folder))
            name = folder.relative_to(place / "cases").as_posix()
            yield two_nights(settings, name, lambda _: None, must_hold=not case.name.startswith(FREE_FOLDERS))


def servers(place: Path) -> Iterator[Found]:
    """Over the archive, script by script."""
    for script in SCRIPTS:
        with serve_unfriendly() as site:
            say(f"\n{script.__doc__}")
            home = place / f"home-{script.__name__}"
            settings = settings_of(home, site.base_url)

            def before(number: int, script: Script = script, site: Unfriendly = site) -> None:
                script(site, number)
                forbidden(site)

            yield two_nights(settings, script.__name__, before, must_hold=False)


def forbidden(site: Unfriendly) -> None:
    """Beside the script's own, a record whose statement forbids it, where the script writes no list of its own."""
    if site.records is None:
        site.pictures["/by-nd.png"] = [Reply(drawn(99))]
        honest = site.all_records
        other = record(f"{HELD}-by-nd", f"{site.root}/by-nd.png", rights=FORBIDDEN)
        site.records = lambda _: listed(*(each for each in honest() if "by-nd.png" not in each), other)


def two_nights(settings: Settings, name: str, before: Callable[[int], None], *, must_hold: bool) -> Found:
    """Harvest twice, a day apart, and tell each night's report."""
    for number in (0, 1):
        before(number)
        say(f"Night {number + 1}, {name}")
        for line in harvest_lines([night(settings, "archive")]):
            say(f"  {line}")
        pass_days(settings, 1.01)
    with Catalogue.open(settings) as catalogue:
        held = catalogue.held_back(ContentScope(frozenset({Tone.GRAYSCALE, Tone.TONED}), {"archive": None}))
        images = [each.id for each in catalogue.images_to_embed(EncoderKey("any", "0"), list(Tone))]
        free = sorted(each.identifier for each in catalogue.describe(images).values())
    return Found(name, free, [each for each in free if must_hold or each.startswith(HELD)], held)


def settings_of(home: Path, address: str) -> Settings:
    """Of a home of its own with one archive, which is not tried twice a night."""
    archive = ArchiveSettings(address=address, genres="all")
    return Settings(home=home, archives={"archive": archive}, pace_s=0, archive_retries=0, full_listing_days=1)


def say(line: str) -> None:
    """As it is: brackets are no markup."""
    Console().print(line, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
