"""How fast, how evenly and how surely a harvest brings records and pictures in, against servers on this machine.

`python -m tests.benchmarks.harvest [--records N]`. Each server runs in a process of its own, with no pace. Rates are
of the catalogue's own rows, not of answers; the same records come over every protocol of the sample archive, once
undisturbed and once with a fifth of the answers failing (500, 503 with Retry-After, reset, cut off, late, a page for
people), and the catalogues are compared. A folder, which no server fails, holds them as a table. Where a harvest ends
early it is begun again, as the next night does.
"""

import argparse
import csv
import io
import logging
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from os import sysconf
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

import numpy as np
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import text

from db.catalogue import Catalogue
from flows.archives.errors import ArchiveError
from flows.archives.record import Archive, Record, Remark, Unreadable, Window
from flows.archives.registry import Protocol
from flows.archives.sample.drawing.collection import CC0, Holding, holdings
from flows.archives.sample.oai import Shelf, answer
from flows.archives.sample.server import APIS
from flows.archives.web import client
from flows.harvest import HarvestTally, harvest_pictures, harvest_window
from flows.plan import plan_catalogue
from flows.settings import Settings
from tests.benchmarks.figures import Figure, Publication
from tests.benchmarks.review_catalogue import database_in
from tests.integration.flows.archives.web_server import FaultPlan, Reply, Site, serve
from tests.integration.flows.museum import envelope

PAGE = 100
"""Records in an answer, as most archives give."""
FEW = 20
"""In one of the sample archive's, so that faults meet many."""
OPTIONS: dict[Protocol, dict[str, object]] = {Protocol.ARC: {"page_size": FEW}}
RATED, EARLY, PICTURES, FAULTY = 3_000, 1_000, 72, 2_000
MOST_NIGHTS = 5
ROWS = """
    SELECT r.title, r.date_text, r.year_from, r.year_to, r.genre, s.derivatives
    FROM records r JOIN rights s ON s.record_id = r.id WHERE r.deleted_at IS NULL
"""
Weigh = Callable[[int], None]


@dataclass(frozen=True)
class Harvested:
    """What a harvest came to."""

    seconds: float
    rows: list[str]
    nights: int
    pictures: int = 0


class Weighed:
    """An archive whose records are counted while they come."""

    def __init__(self, archive: Archive, weigh: Weigh) -> None:
        self._archive, self._weigh = archive, weigh

    def __getattr__(self, name: str) -> object:
        return getattr(self._archive, name)

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Those of the archive."""
        for number, found in enumerate(self._archive.records(window), 1):
            self._weigh(number)
            yield found


def main() -> None:
    """Measure and publish, one subject after the other."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=100_000, help="records of the list that memory is watched over")
    asked = parser.parse_args()
    logging.disable()
    client.BACKOFF_S = (0.0, 0.0)
    published = Publication("harvest")
    with tempfile.TemporaryDirectory(prefix="nishiki-harvest-") as folder:
        for figure in _figures(Path(folder), asked.records):
            published.add(figure)


def _figures(folder: Path, records: int) -> Iterator[Figure]:
    for database in ("sqlite", "postgresql"):
        yield from _rate(folder / database, database)
    yield from _memory(folder / "memory", records)
    yield from _pictures(folder / "pictures")
    yield from _protocols(folder / "protocols")


def _rate(folder: Path, database: str) -> Iterator[Figure]:
    folder.mkdir()
    with database_in(database, folder) as url, served("list", RATED) as root:
        found = harvested(folder / "home", Protocol.OAI_PMH, f"{root}/oai", url)
    rate = len(found.rows) / found.seconds
    yield Figure(
        f"records through OAI-PMH into {database}", rate, "1/s", "≥ 300", rate >= 300 and len(found.rows) == RATED
    )


def _memory(folder: Path, records: int) -> Iterator[Figure]:
    weights: dict[int, float] = {}

    def weigh(number: int) -> None:
        if number in (EARLY, records):
            weights[number] = resident_mb()

    with served("list", records) as root:
        found = harvested(folder, Protocol.OAI_PMH, f"{root}/oai", weigh=weigh)
    more = weights[records] - weights[EARLY]
    yield Figure(f"memory at record {records:,}, more than at {EARLY:,}", more, "MB", "≤ 100", more <= 100)
    yield Figure(f"records of {records:,} that came", len(found.rows), "", f"{records}", len(found.rows) == records)


def _pictures(folder: Path) -> Iterator[Figure]:
    with served("pictures", PICTURES) as root:
        found = harvested(folder, Protocol.OAI_PMH, f"{root}/oai", pictures=True)
    kept = sum(path.stat().st_size for path in (folder / "pictures").rglob("*.jpg"))
    rate = kept / 1e6 / found.seconds
    note = f"{found.pictures} JPEGs of 12 megapixels, {kept / 1e6 / max(1, found.pictures):.1f} MB each, decoded"
    yield Figure("pictures", rate, "MB/s", "≥ 40", rate >= 40 and found.pictures == PICTURES, note)


def _protocols(folder: Path) -> Iterator[Figure]:
    folder.mkdir()
    reference: list[str] = []
    for protocol in (Protocol.OAI_PMH, *(each for each in Protocol if each in APIS)):
        for share in (0.0, 0.2):
            with served(protocol.value, FAULTY, share) as root:
                home = folder / f"{protocol}-{share}"
                found = harvested(home, protocol, f"{root}/{'oai' if protocol is Protocol.OAI_PMH else protocol}")
            reference = reference or found.rows
            yield _same(f"{protocol}, {share:.0%} of the answers failing", found, reference)
    yield _same("folder", harvested(folder / "folder", Protocol.FOLDER, str(_table(folder / "table"))), reference)


def _same(what: str, found: Harvested, reference: list[str]) -> Figure:
    note = f"{found.seconds:.1f} s, {found.nights} harvest{'s' if found.nights > 1 else ''}"
    same = found.rows == reference
    return Figure(f"{what}: records, catalogue as over OAI-PMH", len(found.rows), "", f"{len(reference)}", same, note)


def _table(folder: Path) -> Path:
    """A folder with the same records in a table, and no pictures."""
    folder.mkdir()
    with (folder / "records.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["identifier", "title", "date", "genre", "rights"])
        rows = (
            (each.key, each.title, each.date, each.genre, each.licence) for each in _stock(FAULTY) if not each.deleted
        )
        table.writerows(rows)
    return folder


def harvested(
    home: Path,
    protocol: Protocol,
    address: str,
    url: SecretStr | None = None,
    *,
    weigh: Weigh = lambda _: None,
    pictures: bool = False,
) -> Harvested:
    """Everything of an archive in an empty catalogue; the seconds are those of its records, or of its pictures."""
    polite = {} if protocol is Protocol.FOLDER else {"pace_s": 0}
    table = {"museum": {"protocol": protocol.value, "address": address, **polite, **OPTIONS.get(protocol, {})}}
    settings = Settings.model_validate({"home": home, "archives": table, **({"database_url": url} if url else {})})
    spent, nights, tally = 0.0, 0, HarvestTally("museum")
    while nights < MOST_NIGHTS and (not nights or tally.failure or tally.lasting):
        tally, nights, began = HarvestTally("museum"), nights + 1, time.perf_counter()
        _night(settings, tally, weigh)
        spent += time.perf_counter() - began
    if pictures:
        began = time.perf_counter()
        _night(settings, tally, weigh, pictures=True)
        spent = time.perf_counter() - began
    with Catalogue.open(settings) as catalogue, catalogue.engine.connect() as connection:
        rows = [repr(tuple(row)) for row in connection.execute(text(ROWS))]
    return Harvested(spent, sorted(rows), nights, tally.pictures)


def _night(settings: Settings, tally: HarvestTally, weigh: Weigh, *, pictures: bool = False) -> None:
    with plan_catalogue(settings, ["museum"]) as plan:
        archive = plan.archives[0].open()
        number = plan.catalogue.add_archive("museum", archive.kind, archive.address)
        try:
            if pictures:
                harvest_pictures(plan.catalogue, archive, number, settings, tally)
                return
            for window in archive.windows(None):
                weighed = cast("Archive", Weighed(archive, weigh))
                harvest_window(plan.catalogue, weighed, number, window, settings, tally)
        except ArchiveError as error:
            tally.failure = str(error)
        finally:
            archive.close()


@contextmanager
def served(site: str, count: int, share: float = 0.0) -> Iterator[str]:
    """The address of a server in a process of its own."""
    spawned = get_context("spawn")
    ours, theirs = spawned.Pipe()
    process = spawned.Process(target=_serve, args=(theirs, site, count, share), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("over")
        process.join(10)


def _serve(pipe: Connection, name: str, count: int, share: float) -> None:
    known: dict[str, str] = {}
    if name in APIS or name == Protocol.OAI_PMH:
        site = _sample(count, known)
    else:
        site = _list(count, known) if name == "list" else _list_of_pictures(count, known)
    with serve(site, FaultPlan(share)) as server:
        known["root"] = server.root
        pipe.send(server.root)
        pipe.recv()


def _sample(count: int, known: dict[str, str]) -> Site:
    """The sample archive's answers over every protocol."""
    stock = _stock(count)

    def site(path: str) -> Reply | None:
        parts = urlsplit(path)
        area, _, rest = parts.path.strip("/").partition("/")
        shelf, query = Shelf(stock, known["root"], FEW), parse_qsl(parts.query)
        if area == "oai":
            return Reply(answer(query, shelf), "text/xml")
        found = APIS[area](rest, query, shelf) if area in APIS else None
        return Reply(found) if isinstance(found, bytes) else None

    return site


def _stock(count: int) -> list[Holding]:
    """That many records, and a deleted one; five more are the difficult ones."""
    held = holdings(count // 2, count - count // 2 - 5, 7)
    return sorted(held, key=lambda each: (each.datestamp, each.key))


def _list(count: int, known: dict[str, str], picture: str = "") -> Site:
    """A list over OAI-PMH, whose tokens are the numbers of its records."""

    def site(path: str) -> Reply | None:
        query = dict(parse_qsl(urlsplit(path).query))
        if query.get("verb") == "Identify":
            said = "<granularity>YYYY-MM-DDThh:mm:ssZ</granularity><deletedRecord>no</deletedRecord>"
            return Reply(envelope(f"<Identify>{said}</Identify>"), "text/xml")
        if "verb" not in query:
            return None
        first = int(query.get("resumptionToken", "0"))
        last = min(first + PAGE, count)
        records = "".join(_record(number, picture and known["root"] + picture) for number in range(first, last))
        token = f'<resumptionToken completeListSize="{count}">{last if last < count else ""}</resumptionToken>'
        return Reply(envelope(f"<ListRecords>{records}{token}</ListRecords>"), "text/xml")

    return site


def _record(number: int, picture: str) -> str:
    said = {
        "title": f"役者絵 {number:06} 暫 Shibaraku", "creator": f"絵師 {number % 97}",
        "contributor": "鎌倉権五郎／市川 団十郎",
        "date": "文久３年 (1863)", "type": "役者絵", "publisher": "Museum", "rights": CC0,
        "description": "A sheet of a triptych, with the seal of the censor. " * 4,
        "identifier": f"{picture}/{number}.jpg" if picture else f"http://127.0.0.1:9/{number}",
    }  # fmt: skip
    elements = "".join(f"<dc:{name}>{escape(value)}</dc:{name}>" for name, value in said.items())
    return (
        f"<record><header><identifier>oai:m:{number}</identifier><datestamp>2024-01-01T00:00:00Z</datestamp></header>"
        '<metadata><d:dc xmlns:d="http://www.openarchives.org/OAI/2.0/oai_dc/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/">{elements}</d:dc></metadata></record>'
    )


def _list_of_pictures(count: int, known: dict[str, str]) -> Site:
    """The same, with a picture for each record: one scan, another byte after its end in each."""
    scan, listed = _scan(), _list(count, known, "/scan")

    def site(path: str) -> Reply | None:
        if path.startswith("/scan/"):
            return Reply(scan + path.encode(), "image/jpeg")
        return listed(path)

    return site


def _scan() -> bytes:
    """A JPEG of 12 megapixels with the grain of a scan."""
    random = np.random.default_rng(5)
    smooth = np.linspace(90, 220, 4000)[None, :, None] * np.ones((3000, 1, 3))
    pixels = (smooth + random.normal(0, 12, smooth.shape)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def resident_mb() -> float:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
