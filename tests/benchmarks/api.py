"""How long the page's API and its OAI-PMH provider take with a large catalogue, on SQLite and PostgreSQL, one asker.

`python -m tests.benchmarks.api [--records N] [--database sqlite|postgresql]`. The catalogues are those of the benchmark
`review`, filled by whichever runs first.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from urllib.parse import urlencode

import requests

from db.catalogue import Catalogue
from db.entries.review import Queue, QueueFilter, Role
from db.queries.review.queue import PageOf
from db.review.view.filter_form import place_text
from db.settings import CatalogueSettings
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.review import DATABASES, PAGE_MS, REQUESTS, VIEWS, WARM
from tests.benchmarks.review_catalogue import kept_catalogue
from tests.benchmarks.review_curators import review_page

ALONE = ("first page", "all entries", "artist", "artist of few", "year", "curator", "search 豊国", "search two words")
"""Views of the queue that stand for the others."""
SETTINGS = {
    "NISHIKI_API_PER_MINUTE": "100000",
    "NISHIKI_OAI_ADDRESS": "https://prints.example/",
    "NISHIKI_OAI_EMAIL": "keeper@archive.example",
    "NISHIKI_LOG_LEVEL": "ERROR",  # no picture of the shelf is there, and each is told
}
LIST = "/oai?verb=ListRecords&metadataPrefix=oai_dc"


def main() -> None:
    """Measures and publishes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--database", choices=DATABASES)
    options = parser.parse_args()
    publish("api", _figures(options.records, options.database), f"{options.records:,} records")


def _figures(records: int, database: str | None) -> Iterator[Figure]:
    for each in (database,) if database else DATABASES:
        with kept_catalogue(records, each) as settings:
            for name, seconds in _asked(settings).items():
                slow = _ms(sorted(seconds)[max(0, -(-len(seconds) * 95 // 100) - 1)])
                untold = len(seconds) == 1 or name.startswith("/oai")
                yield Figure(f"{each}: {name}, p50", _ms(statistics.median(seconds)), "ms")
                target = "" if untold else f"≤ {PAGE_MS}"
                yield Figure(f"{each}: {name}, p95", slow, "ms", target, None if untold else slow <= PAGE_MS)


def _asked(settings: CatalogueSettings) -> dict[str, list[float]]:
    """Seconds of each request, by what it asks."""
    taken: dict[str, list[float]] = {}
    with Catalogue.open(settings) as catalogue, review_page(settings, **SETTINGS) as address:
        http = requests.Session()
        http.trust_env = False
        http.headers["Authorization"] = f"Bearer {_token(catalogue)}"

        def ask(name: str, path: str, sent: object = None) -> requests.Response:
            began = time.perf_counter()
            answer = http.request("GET" if sent is None else "POST", address + path, json=sent, timeout=600)
            taken.setdefault(name, []).append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.text[:500]
            return answer

        for name in ALONE:
            _repeat(partial(ask, f"entries, {name}", f"/api/v1/entries?{urlencode(VIEWS[name])}"))
        place = catalogue.queue(QueueFilter(Queue.ALL), PageOf(position=_deep(catalogue), limit=1)).entries[0].place
        after = urlencode({"queue": "all", "after": place_text(place)})
        _repeat(lambda: ask("entries, a deep part", f"/api/v1/entries?{after}"))
        waiting = iter(catalogue.queue(QueueFilter(), PageOf(position=2_000, limit=4 * (WARM + REQUESTS))).entries)
        _repeat(lambda: ask("an entry", f"/api/v1/entries/{next(waiting).attempt_id}"))
        _repeat(lambda: ask("a verdict", f"/api/v1/entries/{next(waiting).attempt_id}/verdict", _WORD))
        ask("statistics of recipes, the first time", "/api/v1/statistics/recipe")
        _repeat(lambda: ask("statistics of recipes", "/api/v1/statistics/recipe"))
        _repeat(lambda: ask("statistics", "/api/v1/statistics"))
        ask("/oai, the first time", LIST)
        _repeat(lambda: ask("/oai, 100 records", LIST))
    return {name: seconds[WARM if len(seconds) > WARM else 0 :] for name, seconds in taken.items()}


_WORD = {"verdict": "approved", "seen": None}


def _deep(catalogue: Catalogue) -> int:
    return int(catalogue.status()["attempts"]["succeeded"]) * 5 // 6


def _token(catalogue: Catalogue) -> str:
    name = "a program"
    if name not in {each.name for each in catalogue.curators()}:
        catalogue.add_curator(name, Role.CURATOR, "no password opens this")
    return catalogue.add_token(name, Role.CURATOR)[1]


def _repeat(ask: Callable[[], object]) -> None:
    for _ in range(WARM + REQUESTS):
        ask()


def _ms(seconds: float) -> float:
    return seconds * 1000


if __name__ == "__main__":
    main()
