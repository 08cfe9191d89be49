"""How long a night's claim keeps other writers waiting: the longest transaction while a batch is taken, on SQLite.

`python -m tests.benchmarks.claims [MATCHES]` fills a catalogue with so many matches, all due, and takes them.
"""

import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, insert, text

from colorize.recipes.library import recipe_named
from db.catalogue import Catalogue
from db.engine import writing
from db.entries.claim import ENCODER, Inputs, MatcherKey, ModelKey, StyleInput, inputs_digest
from db.entries.night import Derivatives, MatchOutcome, Tone
from db.settings import CatalogueSettings
from db.tables.base import PictureState
from db.tables.night import Archive, Image, Match, Record, RecordImage, Rights
from flows.plan import recipe_entry
from tests.benchmarks.figures import Figure, publish

MATCHES = 12_000
MOST_S = 0.2
_MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
MATCHER = MatcherKey("embedding", "1-c0ffee")
MODELS = (ModelKey(ENCODER, "nishiki-small", "c0ffee"),)


def main(matches: int = MATCHES) -> None:
    """Take them all, then take the batch over as after a crash."""
    recipe = recipe_entry(recipe_named("nishiki/colour"))
    with tempfile.TemporaryDirectory() as home, Catalogue.open(CatalogueSettings(home=Path(home))) as catalogue:
        filled(catalogue, matches)
        longest = _watched(catalogue)
        began = time.perf_counter()
        batch = catalogue.take_batch(recipe, MODELS, MATCHER, limit=None)
        took_s, most_s = time.perf_counter() - began, max(longest)
        assert batch is not None
        longest.clear()
        catalogue.release_batch(batch)
        catalogue.join(batch.id)
        publish("claims", _figures(batch.taken, took_s, most_s, max(longest)))


def _figures(taken: int, took_s: float, most_s: float, again_s: float) -> Iterator[Figure]:
    yield Figure("attempts claimed", taken, "")
    yield Figure("to claim them all", took_s, "s")
    yield Figure("the longest transaction of it", most_s, "s", f"≤ {MOST_S:g}", most_s <= MOST_S)
    yield Figure("the longest transaction of taking them over", again_s, "s", f"≤ {MOST_S:g}", again_s <= MOST_S)


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
    main(*map(int, sys.argv[1:]))
