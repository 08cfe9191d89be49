"""Claims of a night: how long they keep other writers waiting, and whether any is worked at twice.

`python -m tests.benchmarks.claims [--matches N] [--database sqlite|postgresql]` fills catalogues with so many matches,
all due. On SQLite a night takes them, and the longest transaction of it is told. On both databases eight processes then
work at one batch; again and again one of them stalls for longer than its lease holds, and goes on as if nothing had
been. The same without the lease's number held against the catalogue, the broken twin, shows that the count can fail.
"""

import argparse
import hashlib
import multiprocessing
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, event, func, insert, select, text

from colorize.recipes.library import recipe_named
from db.catalogue import Catalogue
from db.engine import reading, writing
from db.entries.claim import ENCODER, Inputs, MatcherKey, ModelKey, StyleInput, inputs_digest
from db.entries.night import (
    AttemptResult,
    BatchEntry,
    Derivatives,
    ImageFacts,
    MatchOutcome,
    Outcome,
    RecipeEntry,
    Tone,
)
from db.errors import BatchLost, UnknownEntry
from db.queries.night import leases
from db.settings import CatalogueSettings
from db.tables.base import PictureState
from db.tables.night import Archive, Attempt, Image, Match, Record, RecordImage, Rights
from flows.plan import recipe_entry
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.review_catalogue import database_in

MATCHES = 20_000
MOST_S = 0.2
DATABASES = ("sqlite", "postgresql")
RIVALS, MINIBATCH = 8, 10
STALLS, SILENT_S = 0.01, 10.0
"""How often a minibatch is slept over, and for how many seconds a lease holds; a night's holds for two minutes."""
A_LEASE = 1_000
"""Attempts after which a process puts its lease down, and with its next one ends those that are silent."""
TWIN = 100
"""Matches that the broken twin is given."""
_MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
MATCHER = MatcherKey("embedding", "1-c0ffee")
MODELS = (ModelKey(ENCODER, "nishiki-small", "c0ffee"),)


def main() -> None:
    """Publish the figures of one night, then of many processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--matches", type=int, default=MATCHES)
    parser.add_argument("--database", choices=DATABASES, help="on which many processes work; both without it")
    given = parser.parse_args()
    databases = (given.database,) if given.database else DATABASES
    publish("claims", chain(_alone(given.matches), *(_rivals(name, given.matches) for name in databases)))


def _alone(matches: int) -> Iterator[Figure]:
    """Take them all, then take the batch over as after a crash."""
    with tempfile.TemporaryDirectory() as home, Catalogue.open(CatalogueSettings(home=Path(home))) as catalogue:
        filled(catalogue, matches)
        longest = _watched(catalogue)
        began = time.perf_counter()
        batch = _taken(catalogue)
        took_s, most_s = time.perf_counter() - began, max(longest)
        longest.clear()
        catalogue.release_batch(batch)
        catalogue.join(batch.id)
        yield from _figures(batch.taken, took_s, most_s, max(longest))


def _taken(catalogue: Catalogue) -> BatchEntry:
    batch = catalogue.take_batch(_recipe(), MODELS, MATCHER, limit=None)
    assert batch is not None
    return batch


def _recipe() -> RecipeEntry:
    return recipe_entry(recipe_named("nishiki/colour"))


def _figures(taken: int, took_s: float, most_s: float, again_s: float) -> Iterator[Figure]:
    yield Figure("attempts claimed", taken, "")
    yield Figure("to claim them all", took_s, "s")
    yield Figure("the longest transaction of it", most_s, "s", f"≤ {MOST_S:g}", most_s <= MOST_S)
    yield Figure("the longest transaction of taking them over", again_s, "s", f"≤ {MOST_S:g}", again_s <= MOST_S)


@dataclass
class Rival:
    """What one of several processes at a batch has done, as it believes."""

    taken: int = 0
    stalls: int = 0
    refused: int = 0
    """Results that the catalogue did not take, for another process had their attempts by then."""
    closed: list[int] = field(default_factory=list)
    """Attempts whose results it took."""


def _rivals(database: str, matches: int) -> Iterator[Figure]:
    for name, many, broken in (
        (database, matches, False),
        (f"{database}, the broken twin", min(TWIN, matches), True),
    ):
        with tempfile.TemporaryDirectory() as folder, database_in(database, Path(folder)) as url:
            settings = CatalogueSettings(home=Path(folder) / "home", database_url=url)
            with Catalogue.open(settings) as catalogue:
                filled(catalogue, many)
                batch = _taken(catalogue)
                catalogue.release_batch(batch)
                began = time.perf_counter()
                rivals = _worked_at(settings, batch.id, broken=broken)
                took_s = time.perf_counter() - began
                yield from _effects(name, catalogue, batch, rivals, broken=broken)
        yield Figure(f"{name}: seconds", took_s, "s")


def _worked_at(settings: CatalogueSettings, batch_id: int, *, broken: bool) -> list[Rival]:
    with ProcessPoolExecutor(RIVALS, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(partial(_rival, settings, batch_id, broken), range(RIVALS)))


def _rival(settings: CatalogueSettings, batch_id: int, broken: bool, seed: int) -> Rival:
    """Work at the batch until nothing of it is left, coming back as often as the lease was lost."""
    dice, told = random.Random(seed), Rival()
    with _hurried(broken=broken), Catalogue.open(settings) as catalogue:
        while (seen := catalogue.batch(batch_id)).left:
            # before a lease is held, which such a look could outlast here: a night's holds for longer
            free = [each.id for each in catalogue.pending_attempts(seen)]
            dice.shuffle(free)
            while batch := catalogue.join(batch_id):
                some, free = free[:A_LEASE], free[A_LEASE:]
                with suppress(BatchLost):
                    _work(catalogue, batch, some, dice, told)
                    catalogue.release_batch(batch)
                if not free:
                    break
            time.sleep(SILENT_S / 10)
    return told


def _hurried(*, broken: bool) -> ExitStack:
    """Leases that end soon; broken, nobody holds their numbers against the catalogue."""
    stack = ExitStack()
    stack.enter_context(patch.object(leases, "SILENCE_S", SILENT_S))
    if broken:
        stack.enter_context(patch.object(leases, "hold", lambda *_: None))
        stack.enter_context(patch.object(leases, "free", lambda number, *_: Attempt.batch_id == number))
    return stack


def _work(catalogue: Catalogue, batch: BatchEntry, free: Sequence[int], dice: random.Random, told: Rival) -> None:
    """A minibatch after the other, as a night takes them but in any order."""
    for start in range(0, len(free), MINIBATCH):
        taken = catalogue.take_attempts(batch, free[start : start + MINIBATCH])
        told.taken += len(taken)
        if taken and dice.random() < STALLS:
            told.stalls += 1
            time.sleep(2 * SILENT_S)
        for attempt in taken:
            _closed(catalogue, batch, attempt, told)


def _closed(catalogue: Catalogue, batch: BatchEntry, attempt: int, told: Rival) -> None:
    try:
        catalogue.close_attempt(batch, attempt, _result(attempt))
    except (BatchLost, UnknownEntry):
        told.refused += 1
        raise
    told.closed.append(attempt)


def _result(attempt: int) -> AttemptResult:
    sha256 = hashlib.sha256(f"result of {attempt}".encode()).hexdigest()
    output = ImageFacts(sha256, 900, 1300, "RGB", 1, Tone.COLOUR, {})
    return AttemptResult(Outcome.SUCCEEDED, "cpu", {}, output=output)


def _effects(
    name: str, catalogue: Catalogue, batch: BatchEntry, rivals: Sequence[Rival], *, broken: bool
) -> Iterator[Figure]:
    """What the processes believe beside what the catalogue holds."""
    closed = list(chain.from_iterable(each.closed for each in rivals))
    twice, refused = len(closed) - len(set(closed)), sum(each.refused for each in rivals)
    with reading(catalogue.engine).connect() as connection:
        made = select(func.count()).where(Attempt.batch_id == batch.id, Attempt.outcome == Outcome.SUCCEEDED)
        succeeded = connection.execute(made).scalar_one()
    yield Figure(f"{name}: claims of {RIVALS} processes", sum(each.taken for each in rivals), "", f"≥ {batch.taken}")
    yield Figure(f"{name}: stalls longer than a lease", sum(each.stalls for each in rivals), "")
    if broken:
        yield Figure(f"{name}: results taken twice", twice, "", "≥ 1", twice >= 1)
        return
    yield Figure(f"{name}: late results refused", refused, "", "≥ 1", refused >= 1)
    yield Figure(f"{name}: results taken twice", twice, "", "0", twice == 0)
    yield Figure(f"{name}: succeeded of {batch.taken}", succeeded, "", str(batch.taken), succeeded == batch.taken)


def _watched(catalogue: Catalogue) -> list[float]:
    """Seconds of each write transaction from now on."""
    begun, took = [0.0], []

    @event.listens_for(catalogue.engine, "begin")
    def begin(_: Connection) -> None:
        begun[0] = time.perf_counter()

    @event.listens_for(catalogue.engine, "commit")
    def commit(connection: Connection) -> None:
        if connection.get_execution_options().get("nishiki_writes"):
            took.append(time.perf_counter() - begun[0])

    return took


def filled(catalogue: Catalogue, matches: int) -> None:
    """As many gray pictures as colour ones, each with a record that allows it."""
    numbers = range(1, 2 * matches + 1)
    names = {number: hashlib.sha256(str(number).encode()).hexdigest() for number in numbers}
    words = dict.fromkeys(("title", "date_text", "holder", "credit_line"), "a print")
    record = {"archive_id": 1, "datestamp": _MOMENT, "digest": "", "raw": "", **words}
    image = {"width": 900, "height": 1300, "mode": "L", "bytes": 1, "tone_measures": {}, "fetched_at": _MOMENT}
    match: dict[str, Any] = {
        "matcher_name": MATCHER.name,
        "matcher_version": MATCHER.version,
        "outcome": MatchOutcome.MATCHED,
    }
    match |= {"rank": 1, "score": 0.8, "reasons": {"cosine": 0.8}, "made_at": _MOMENT}
    rows: dict[Any, list[dict[str, Any]]] = {
        Archive: [{"id": 1, "name": "a", "kind": "oai-pmh", "address": "https://a.example/oai"}],
        Record: [{"id": number, "identifier": str(number), **record} for number in numbers],
        Rights: [
            {"record_id": number, "derivatives": Derivatives.YES, "basis": "", "text": "", "rules": 0}
            for number in numbers
        ],
        Image: [
            {
                "id": number,
                "record_id": number,
                "sha256": names[number],
                "tone": Tone.GRAYSCALE if number <= matches else Tone.COLOUR,
                **image,
            }
            for number in numbers
        ],
        RecordImage: [
            {"record_id": n, "position": 0, "reference": "", "image_id": n, "state": PictureState.HELD, "tries": 0}
            for n in numbers
        ],
        Match: [
            {
                "id": number,
                "content_id": number,
                "style_id": number + matches,
                "inputs_digest": inputs_digest(Inputs((StyleInput(names[number + matches]),))),
                **match,
            }
            for number in range(1, matches + 1)
        ],
    }
    with writing(catalogue.engine).begin() as connection:
        for table, filling in rows.items():
            connection.execute(insert(table), filling)
        if connection.dialect.name == "postgresql":  # numbers that were given here are not given again
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence('images', 'id'), (SELECT max(id) FROM images))")
            )


if __name__ == "__main__":
    main()
