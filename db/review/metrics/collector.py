"""Metrics of nights and workers, read from the catalogue whenever a monitor asks: nothing is lost between processes.

What is told by recipe is known batch by batch: a closed one is read once, and a large catalogue over several requests;
until all is known these metrics are left out. Labels are bounded: recipes and archives beyond `MOST` are told as one.
"""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from db.catalogue import Catalogue
from db.entries.metrics import BatchMetrics, CatalogueMetrics
from db.entries.nights import NightEntry
from db.pathless import archive_label
from db.review.metrics.gpu import gpu_memory

MOST: Final = 50
"""Recipes, or archives, that have a label of their own."""
OTHER: Final = "other"
AT_ONCE: Final = 20
"""Batches read at once."""
LONGEST_S: Final = 2.0
"""For reading batches in one request."""
_Labels = tuple[str, ...]
_Values = Mapping[Any, float]
"""By labels, a tuple of any length."""


class CatalogueCollector(Collector):
    """Asks the catalogue; one request at a time."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._batches: dict[int, tuple[datetime | None, list[BatchMetrics]]] = {}
        self._lock = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked while this is put into a registry."""
        return []

    def collect(self) -> Iterator[Metric]:
        """What the catalogue is like now."""
        with self._lock:
            told = self._catalogue.metrics()
            by_recipe = self._by_recipe(told)
        yield from _of_catalogue(told)
        yield from _of_nights(told)
        if by_recipe is not None:
            yield from _of_attempts(by_recipe)
        disk = shutil.disk_usage(self._catalogue.pictures.root.parent)
        yield _gauge("disk_free_bytes", "Free bytes of the disk that the home lies on.", {(): disk.free})
        memory = {(gpu, state): number for gpu, state, number in gpu_memory()}
        yield _gauge("gpu_memory_bytes", "Memory of this machine's GPUs.", memory, "gpu", "state")

    def _by_recipe(self, told: CatalogueMetrics) -> list[BatchMetrics] | None:
        """All batches' figures; None where some are not known yet."""
        until = time.monotonic() + LONGEST_S
        closed = self._catalogue.batches_closed_at()
        due = [each for each, moment in closed.items() if moment is None or self._known(each) != moment]
        while due and time.monotonic() < until:
            some, due = due[-AT_ONCE:], due[:-AT_ONCE]
            found = self._catalogue.batch_metrics(some)
            self._batches |= {each: (closed[each], found.get(each, [])) for each in some}
        if due:
            return None
        figures = [each for number in closed for each in self._batches[number][1]]
        if None not in closed.values() and _outcomes(figures) != +Counter({**told.attempts, "pending": 0}):
            self._batches.clear()  # a person put something of a closed batch back; the next request reads all again
        return figures

    def _known(self, batch_id: int) -> datetime | None:
        return self._batches[batch_id][0] if batch_id in self._batches else None


def _outcomes(figures: Iterable[BatchMetrics]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for each in figures:
        counts[each.outcome] += each.attempts
    return counts


def _of_catalogue(told: CatalogueMetrics) -> Iterator[Metric]:
    yield _gauge("attempts_pending", "Attempts that have no outcome yet.", {(): told.attempts.get("pending", 0)})
    yield _gauge("entries_waiting", "Entries that wait for a verdict.", {(): told.entries_waiting})
    yield _gauge("conflicts", "Entries on which curators differ.", {(): told.conflicts})
    yield _gauge("workers", "Processes that hold a batch.", {(): told.workers})
    pictures = {(state,): number for state, number in told.pictures.items()}
    yield _gauge("pictures", "Pictures that records name, by state.", pictures, "state")
    names = [archive_label(each.name) for each in told.archives]
    records = {(name,): each.records for name, each in zip(names, told.archives, strict=True)}
    yield _gauge("records", "Records that are not deleted.", _bounded(records), "archive")
    last = {(name,): _moment(each.last_harvest) for name, each in zip(names[:MOST], told.archives, strict=False)}
    known = {labels: moment for labels, moment in last.items() if moment}
    yield _gauge("harvest_last_timestamp_seconds", "When an archive was last read to its end.", known, "archive")


def _of_nights(told: CatalogueMetrics) -> Iterator[Metric]:
    ends = CounterMetricFamily("nishiki_nights", "Nights that have ended.", labels=["end"])
    for end, number in sorted(told.nights.items()):
        ends.add_metric([end], number)
    yield ends
    success = {(): _moment(told.last_success)}
    yield _gauge("night_last_success_timestamp_seconds", "When a night last ended well; 0: never.", success)
    last = told.last
    yield _gauge("night_running", "Is a night at work?", {(): int(last is not None and last.at_work)})
    yield _gauge(
        "night_last_begin_timestamp_seconds", "When one last began.", {(): _moment(last.began_at if last else None)}
    )
    stages = {(stage,): seconds for stage, seconds in (last.seconds if last else {}).items()}
    yield _gauge("night_stage_seconds", "Seconds that each stage of the last night took.", stages, "stage")
    yield from _of_harvest(last)


def _of_harvest(last: NightEntry | None) -> Iterator[Metric]:
    came = last.counts.get("archives", {}) if last else {}
    pictures = {(archive_label(name),): each["pictures"] for name, each in came.items()}
    yield _gauge("night_pictures", "Pictures that came in the last night.", _bounded(pictures), "archive")
    records = {(archive_label(name),): sum(each["records"].values()) for name, each in came.items()}
    yield _gauge("night_records", "Records read in the last night.", _bounded(records), "archive")


def _of_attempts(figures: Iterable[BatchMetrics]) -> Iterator[Metric]:
    attempts: Counter[_Labels] = Counter()
    seconds: dict[_Labels, float] = {}
    for each in figures:
        labels = (each.recipe, each.outcome)
        attempts[labels] += each.attempts
        seconds[labels] = seconds.get(labels, 0.0) + each.seconds
    yield _gauge("attempts", "Attempts with an outcome.", _bounded(attempts), "recipe", "outcome")
    yield _gauge("attempts_seconds", "Seconds that they took together.", _bounded(seconds), "recipe", "outcome")


def _bounded(values: _Values) -> dict[_Labels, float]:
    """Those of the first labels, and all others together."""
    first = {name: None for name, *_ in sorted(values)}
    kept, bounded = set(list(first)[:MOST]), dict[_Labels, float]()
    for (name, *rest), value in values.items():
        labels = (name if name in kept else OTHER, *rest)
        bounded[labels] = bounded.get(labels, 0) + value
    return bounded


def _gauge(name: str, about: str, values: _Values, *labels: str) -> Metric:
    family = GaugeMetricFamily(f"nishiki_{name}", about, labels=labels)
    for each, value in sorted(values.items()):
        family.add_metric(each, value)
    return family


def _moment(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
