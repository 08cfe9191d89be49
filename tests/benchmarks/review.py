"""How long the review page takes with a million records, on SQLite and PostgreSQL: each page alone, and 20 curators.

`python -m tests.benchmarks.review [--records N] [--database sqlite|postgresql]`. The first run fills the catalogues,
which takes some minutes and some gigabytes below build/benchmarks; they are kept for the next one.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import urlencode

from rich.console import Console

from db.catalogue import Catalogue
from db.entries.night import Outcome, Verdict
from db.entries.review import Queue, QueueFilter, Role
from db.queries.review.queue import PageOf
from db.settings import CatalogueSettings
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.review_browser import figures as in_browser
from tests.benchmarks.review_catalogue import kept_catalogue
from tests.benchmarks.review_curators import THINKING_S, Person, Walked, at_once, review_page, signed_in
from tests.benchmarks.review_prints import CURATORS

WARM, REQUESTS, BULKS = 3, 50, 5
PAGE_MS, COLD_S, TOGETHER_MS = 100, 0.5, 150
TOGETHER, WALK_S = 20, 60.0
DATABASES = ("sqlite", "postgresql")
VIEWS: dict[str, dict[str, str]] = {
    "first page": {},
    "all entries": {"queue": "all"},
    "redone": {"queue": "redone"},
    "conflicts": {"queue": "conflicts"},
    "batch": {"batch_id": "5"},
    "archive": {"archive": "theatre"},
    "artist": {"artist": "歌川 豊国"},
    "artist of few": {"artist": "鈴木 梅久"},
    "actor": {"actor": "市川菊郎"},
    "year": {"year_from": "1850", "year_to": "1850"},
    "recipe": {"recipe": "nishiki/chroma"},
    "error high": {"error_from": "1.0"},
    "error range": {"error_from": "0.1", "error_to": "0.3"},
    "rejected": {"outcome": Outcome.REJECTED},
    "verdict": {"queue": "all", "verdict": Verdict.WITHHELD},
    "curator": {"queue": "all", "curator": CURATORS[3]},
    "search 豊国": {"words": "豊国"},
    "search 国": {"words": "国"},
    "search kunisada": {"words": "kunisada"},
    "search an identifier": {"words": "the0000012"},
    "search two words": {"words": "豊国 忠臣蔵"},
    "archive, rejected, year": {"archive": "theatre", "outcome": Outcome.REJECTED, "year_from": "1850"},
    "jump to 1,000": {"position": "1000"},
    "jump to 100,000": {"position": "100000"},
}


def main() -> None:
    """Measures and publishes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--database", choices=DATABASES)
    parser.add_argument("--seconds", type=float, default=WALK_S, help="of 20 curators at work")
    options = parser.parse_args()
    figures: list[Figure] = []
    for database in (options.database,) if options.database else DATABASES:
        with kept_catalogue(options.records, database) as settings:
            figures += _figures(database, settings, options.seconds)
    figures += in_browser()
    publish("review", figures, f"{options.records:,} records")


def _figures(database: str, settings: CatalogueSettings, seconds: float) -> list[Figure]:
    cold = [*_cold(settings)]
    with Catalogue.open(settings) as catalogue, review_page(settings) as address:
        (person,) = signed_in(catalogue, address, [CURATORS[0]])
        alone = _alone(catalogue, person)
        readers = signed_in(catalogue, address, [f"reader-{n}" for n in range(WARM + REQUESTS)], Role.VIEWER)
        alone |= {"facets": _facets(readers, {}), "facets of 豊国": _facets(readers, {"words": "豊国"})}
        people = signed_in(catalogue, address, list(CURATORS[1 : TOGETHER + 1]))
        together, _ = at_once(people, settings.home, seconds, THINKING_S)
        crowd = signed_in(catalogue, address, list(CURATORS[1 : TOGETHER + 1]))
        hurried, took_s = at_once(crowd, settings.home, seconds / 4, 0.0)
    figures = [*cold, *_of_pages(alone), *_of_many(together), *_of_hurried(hurried, took_s)]
    return [Figure(f"{database}: {each.name}", each.value, each.unit, each.target, each.holds) for each in figures]


def _cold(settings: CatalogueSettings) -> list[Figure]:
    """A fresh process; the first request answered pays for what is loaded late."""
    with Catalogue.open(settings) as catalogue:
        before = time.perf_counter()
        with review_page(settings) as address:
            listens = time.perf_counter()
            (person,) = signed_in(catalogue, address, [CURATORS[0]])
            person.get("cold", "/")
            (first_s,) = person.walked.taken["cold"]
    return [
        Figure("process started until it listens", listens - before, "s"),
        Figure("first page, cold", first_s, "s", f"≤ {COLD_S:g}", first_s <= COLD_S),
    ]


def _alone(catalogue: Catalogue, person: Person) -> dict[str, list[float]]:
    """Seconds of each request of one client, by page."""
    for name, view in VIEWS.items():
        _repeat(partial(person.get, name, f"/?{urlencode(view)}"))
    every = QueueFilter(queue=Queue.ALL)
    deep = min(500_000, 5 * catalogue.status()["attempts"]["succeeded"] // 6)
    place = catalogue.queue(every, PageOf(position=deep, limit=1)).entries[0].place
    after = urlencode({"queue": "all", "after": f"{place.precedence!r},{place.attempt_id}"})
    _repeat(lambda: person.get(f"deep page ({deep:,} in)", f"/?{after}"))
    waiting = iter(catalogue.queue(QueueFilter(), PageOf(position=5_000, limit=4 * (WARM + REQUESTS))).entries)
    _repeat(lambda: person.get("entry", f"/entries/{next(waiting).attempt_id}"))
    _repeat(lambda: _verdict_and_undo(person, next(waiting).attempt_id))
    chosen = catalogue.queue(QueueFilter(), PageOf(position=8_000, limit=1000)).entries
    for _ in range(BULKS):
        person.post("bulk of 1,000: the sample", "/bulk", whole_view="true")
        pairs = ",".join(f"{each.attempt_id}:{each.seen or ''}" for each in chosen)
        person.post("bulk of 1,000: given", "/bulk/give", chosen=pairs, verdict="approved")
        person.post("bulk of 1,000: undone", "/undo")
    assert not person.walked.problems, person.walked.problems
    return person.walked.taken


def _verdict_and_undo(person: Person, attempt_id: int) -> None:
    person.post("verdict given", f"/entries/{attempt_id}/verdict", verdict="approved", looked_s="3.5")
    person.post("undo", "/undo")


def _repeat(ask: Callable[[], object]) -> None:
    for _ in range(WARM + REQUESTS):
        ask()


def _facets(readers: Sequence[Person], view: dict[str, str]) -> list[float]:
    """Of a reader each: what one has counted serves them again for some seconds."""
    for reader in readers:
        reader.get("facets", f"/facets?{urlencode(view)}")
    return [reader.walked.taken["facets"].pop() for reader in readers]


def _of_pages(alone: dict[str, list[float]]) -> list[Figure]:
    figures = []
    for name, seconds in alone.items():
        warm = seconds[min(WARM, len(seconds) // 2) :]
        slow = _ms(_p95(warm))
        figures.append(Figure(f"{name}, p50", _ms(statistics.median(warm)), "ms"))
        bulk = name.startswith("bulk")
        figures.append(
            Figure(f"{name}, p95", slow, "ms", "" if bulk else f"≤ {PAGE_MS}", None if bulk else slow <= PAGE_MS)
        )
    return figures


def _of_many(walked: Walked) -> list[Figure]:
    Console().print(*walked.problems[:5], sep="\n", end="\n" if walked.problems else "")
    return [
        Figure(f"{TOGETHER} curators: errors", len(walked.problems), "", "0", not walked.problems),
        *(
            Figure(
                f"{TOGETHER} curators, a look of {THINKING_S:g} s: {kind}, p95",
                _ms(_p95(each)),
                "ms",
                f"≤ {TOGETHER_MS}",
                _ms(_p95(each)) <= TOGETHER_MS,
            )
            for kind, each in walked.taken.items()
        ),
        Figure(f"{TOGETHER} curators: verdicts", len(walked.taken.get("verdict", [])), ""),
    ]


def _of_hurried(walked: Walked, seconds: float) -> list[Figure]:
    requests = sum(len(each) for each in walked.taken.values())
    pages = requests - len(walked.taken.get("thumbnail", []))
    return [
        Figure(f"{TOGETHER} clients without a pause: requests", requests / seconds, "1/s"),
        Figure(f"{TOGETHER} clients without a pause: pages and verdicts", pages / seconds, "1/s"),
        Figure(f"{TOGETHER} clients without a pause: errors", len(walked.problems), ""),
    ]


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[max(0, -(-len(values) * 95 // 100) - 1)]


def _ms(seconds: float) -> float:
    return seconds * 1000


if __name__ == "__main__":
    main()
