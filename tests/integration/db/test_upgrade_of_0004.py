"""A catalogue that the program of schema 0004 filled, upgraded: the same attempts, verdicts, exports.

`schema_0004/` holds what that program wrote: every table's rows, both exports, and what it would have told and taken.
Run as a script, this shows the comparison: python -m tests.integration.db.test_upgrade_of_0004
"""

import base64
import csv
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, MetaData, inspect, select, text
from sqlalchemy.exc import DatabaseError

from db.catalogue import Catalogue
from db.engine import alembic_config, connect, migrating, upgrade, writing
from db.entries.claim import ENCODER, MatcherKey, ModelKey, inputs_digest, models_digest
from db.entries.night import BatchEntry, EncoderKey, RecipeEntry
from db.entries.review import Queue, QueueFilter
from db.exports.attempts import write_csv, write_json
from db.migrations.versions.v0011_leases import HELD_BY
from db.settings import CatalogueSettings

pytestmark = pytest.mark.long

FILLED = Path(__file__).parent / "schema_0004"
SEEDED, SMALL = EncoderKey("vgg19 random-seeded", "c0ffee"), EncoderKey("nishiki-small", "f00d")
RENAMED = {"luma": "lightness", "luma_ssim": "lightness_ssim", "luma_difference_mean": "lightness_difference_mean"}
NEW = (
    "styles",
    "marks_sha256",
    "mask_sha256",
    "models",
    "content_notes",
    "style_notes",
    "withheld",
    "trust_sha256",
    "faults",
    "content_archive_words",
    "style_archive_words",
)
"""Columns that the export has got."""
ROWS: dict[str, list[dict[str, Any]]] = json.loads((FILLED / "rows.json").read_text())
TOLD: dict[str, Any] = json.loads((FILLED / "told.json").read_text())


def fill(engine: Engine) -> None:
    """Put the rows into a catalogue of schema 0004."""
    with migrating(engine) as connection:
        command.downgrade(alembic_config(connection), "0004")
    tables = MetaData()
    tables.reflect(engine)
    with writing(engine).begin() as connection:
        for name, rows in ROWS.items():
            if rows:
                connection.execute(tables.tables[name].insert(), [_stored(row) for row in rows])
            _number_on(connection, name)


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    """Bytes and times as they were before they became JSON."""
    return {key: _value(value) for key, value in row.items()}


def _value(value: Any) -> Any:
    match value:
        case {"bytes": data}:
            return base64.b64decode(data)
        case {"time": moment}:
            return datetime.fromisoformat(moment)
    return value


def _number_on(connection: Connection, table: str) -> None:
    """PostgreSQL counts rows of its own only."""
    if connection.dialect.name == "postgresql" and any("id" in row for row in ROWS[table]):
        connection.execute(
            text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")
        )


def renamed(value: Any, *, sort: bool) -> Any:
    """With today's names of measures; `sort`: keys as PostgreSQL's JSONB keeps them, by length and then by letter."""
    if isinstance(value, dict):
        items: list[tuple[str, Any]] = [
            (str(RENAMED.get(key, key)), renamed(item, sort=sort)) for key, item in value.items()
        ]
        return dict(sorted(items, key=lambda item: (len(item[0].encode()), item[0])) if sort else items)
    return [renamed(item, sort=sort) for item in value] if isinstance(value, list) else value


def exports(catalogue: Catalogue) -> tuple[str, str]:
    """Today's exports as JSON and CSV, without the columns that are new."""
    as_json, as_csv, cut = io.StringIO(), io.StringIO(newline=""), io.StringIO(newline="")
    write_json(catalogue, as_json)
    write_csv(catalogue, as_csv)
    lines = [
        json.dumps({key: value for key, value in row.items() if key not in NEW}, ensure_ascii=False)
        for row in json.loads(as_json.getvalue())
    ]
    as_csv.seek(0)
    kept = csv.DictReader(as_csv)
    names = [name for name in kept.fieldnames or () if name not in NEW]
    writer = csv.DictWriter(cut, names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(kept)
    return "[\n" + ",\n".join(lines) + "\n]\n", cut.getvalue()


def old_exports(*, jsonb: bool) -> tuple[str, str]:
    """Yesterday's, with today's names of measures."""

    def words(row: dict[str, Any]) -> dict[str, Any]:
        return {key: renamed(value, sort=jsonb and key in _JSON) for key, value in row.items()}

    lines = [json.dumps(words(row), ensure_ascii=False) for row in json.loads((FILLED / "export.json").read_text())]
    with (FILLED / "export.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        for name in _JSON & row.keys():
            if row[name]:
                row[name] = json.dumps(renamed(json.loads(row[name]), sort=jsonb), ensure_ascii=False)
    cut = io.StringIO(newline="")
    writer = csv.DictWriter(cut, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return "[\n" + ",\n".join(lines) + "\n]\n", cut.getvalue()


_JSON = {"recipe_data", "reasons", "versions", "measures", "trace"}


def due(catalogue: Catalogue, batch: BatchEntry | None) -> list[list[Any]]:
    """What a batch holds, as 0004 would have told it."""
    return [
        [each.content.sha256, each.styles[0].sha256, each.inputs.marks_sha256, each.number]
        for each in (catalogue.pending_attempts(batch) if batch else ())
    ]


def recipe(name: str) -> RecipeEntry:
    """A recipe that made attempts."""
    row = next(row for row in ROWS["batches"] if row["recipe_name"] == name)
    return RecipeEntry(name, renamed(row["recipe_data"], sort=False), row["recipe_digest"])


def models(encoder: EncoderKey) -> tuple[ModelKey, ...]:
    """What attempts of an encoder are made with."""
    return (ModelKey(ENCODER, encoder.name, encoder.checksum),)


def matcher(encoder: EncoderKey) -> MatcherKey:
    """What its matches belong to since."""
    return MatcherKey("embedding", f"1-{encoder.checksum}")


@pytest.fixture
def filled(settings: CatalogueSettings) -> Iterator[Engine]:
    """A catalogue of 0004, on either database."""
    engine = connect(settings.url)
    fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def upgraded(settings: CatalogueSettings, filled: Engine) -> Iterator[Catalogue]:
    """The same, upgraded."""
    upgrade(filled)
    with Catalogue.open(settings) as catalogue:
        yield catalogue


def test_exports_of_an_upgraded_catalogue_are_the_same_to_the_byte(upgraded: Catalogue) -> None:
    jsonb = upgraded.engine.dialect.name == "postgresql"
    assert exports(upgraded) == old_exports(jsonb=jsonb)


def test_an_upgraded_catalogue_tells_the_same_of_queue_and_requests(upgraded: Catalogue) -> None:
    entries = upgraded.queue(QueueFilter(queue=Queue.ALL)).entries
    assert TOLD["queue"] == [
        [each.attempt_id, each.place.precedence, each.outcome, each.verdict and each.verdict.verdict,
         each.returned_by, each.conflict] for each in entries
    ]  # fmt: skip
    for attempt, told in TOLD["requests"].items():
        assert [[each.id, each.made, each.state] for each in upgraded.requests(int(attempt))] == told


def test_nothing_is_due_again_and_what_was_due_still_is(upgraded: Catalogue) -> None:
    wanted = TOLD["due"]
    ((number, taken, left),) = TOLD["unfinished"]
    (unfinished,) = upgraded.unfinished_batches()
    assert (unfinished.id, unfinished.taken, unfinished.left) == (number, taken, left)
    assert due(upgraded, upgraded.join(number)) == wanted["over"]
    night = upgraded.take_batch(recipe("nishiki/colour"), models(SEEDED), matcher(SEEDED), limit=None)
    assert sorted(due(upgraded, night)) == sorted(wanted["night"])
    # by another encoder, whose matcher has not looked yet, only what has a verdict, by the match that it has
    other = upgraded.take_batch(recipe("nishiki/colour"), models(SMALL), matcher(SMALL), limit=None)
    entries = upgraded.queue(QueueFilter(queue=Queue.ALL)).entries
    judged = {upgraded.attempt(each.attempt_id).content.sha256 for each in entries if each.verdict}
    assert {content for content, *_ in due(upgraded, other)} <= judged
    marks = upgraded.take_requests(recipe("nishiki/marks"), models(SEEDED), matcher(SEEDED), limit=None)
    assert due(upgraded, marks) == wanted["marks"]
    pairs = upgraded.pair_up([1, 2], [9, 10], matcher(SEEDED))
    assert pairs == wanted["pairs"]
    assert (
        due(upgraded, upgraded.take_pairs(recipe("jadh2016/config1"), models(SEEDED), pairs)) == wanted["swept"] == []
    )


def test_the_migrations_digests_are_those_of_the_catalogue(upgraded: Catalogue) -> None:
    attempts = list(upgraded.attempts())
    assert {attempt.inputs.marks_sha256 for attempt in attempts} > {None}
    with upgraded.engine.connect() as connection:
        rows = connection.execute(text("SELECT id, models_digest, inputs_digest FROM attempts ORDER BY id")).all()
        matched = connection.execute(text("SELECT count(*) FROM matches WHERE inputs_digest IS NULL")).scalar()
    assert [tuple(row) for row in rows] == [
        (attempt.id, models_digest(attempt.models), inputs_digest(attempt.inputs)) for attempt in attempts
    ]
    assert matched == sum(row["style_id"] is None for row in ROWS["matches"])


def test_verdicts_keep_their_triggers_and_tables_their_checks(upgraded: Catalogue) -> None:
    for attack in (
        "UPDATE verdicts SET verdict = 'withheld'",
        "DELETE FROM verdicts",
        "UPDATE attempts SET outcome = 'perhaps'",
        "UPDATE attempts SET closed_at = NULL",
        "UPDATE matches SET outcome = 'no match'",
    ):
        with pytest.raises(DatabaseError), writing(upgraded.engine).begin() as connection:
            connection.execute(text(attack))


def test_an_upgrade_taken_back_leaves_what_was_there(filled: Engine) -> None:
    upgrade(filled)
    with migrating(filled) as connection:
        command.downgrade(alembic_config(connection), "0004")
    tables = MetaData()
    tables.reflect(filled)
    with filled.connect() as connection:
        for name, rows in ROWS.items():
            table = tables.tables[name]
            found = connection.execute(select(table).order_by(*table.primary_key)).mappings().all()
            assert [_comparable(row) for row in found] == [_comparable(_stored(row)) for row in rows], name


def _comparable(row: Any) -> dict[str, Any]:
    """Flags as SQLite reflects them, times without their zone, and not who was at a batch, which is no longer true."""
    return {
        key: value.replace(tzinfo=None) if isinstance(value, datetime) else int(value) if value is True else value
        for key, value in row.items()
        if key not in HELD_BY
    }


def test_matches_of_one_encoder_under_two_names_become_those_of_one_matcher(
    settings: CatalogueSettings, filled: Engine
) -> None:
    """The later name's choice stays, and no attempt loses its match."""
    with writing(filled).begin() as connection:
        connection.execute(text("UPDATE matches SET encoder_checksum = 'c0ffee' WHERE encoder_checksum = 'f00d'"))
        before = connection.execute(text("SELECT id, match_id FROM attempts ORDER BY id")).all()
        chosen = text("SELECT style_id FROM matches WHERE content_id = 1 AND outcome = 'matched'")
        first, later = connection.scalars(chosen).all()
    upgrade(filled)
    with filled.connect() as connection:
        assert connection.scalars(chosen).all() == [later]
        assert first in connection.scalars(text("SELECT style_id FROM matches WHERE content_id = 1")).all()
        after = connection.execute(text("SELECT id, match_id FROM attempts ORDER BY id")).all()
    assert [row.id for row in after] == [row.id for row in before]
    with Catalogue.open(settings) as catalogue:
        assert len(list(catalogue.attempts())) == len(before)


def test_what_the_old_schema_cannot_hold_is_not_taken_back(upgraded: Catalogue) -> None:
    scope_free = RecipeEntry("no style", {}, "d0", styles=0)
    assert upgraded.take_batch(scope_free, models(SEEDED), matcher(SEEDED), limit=None) is None
    with writing(upgraded.engine).begin() as connection:
        connection.execute(text("UPDATE attempts SET match_id = NULL WHERE id = 1"))
    with pytest.raises(ValueError, match="1 attempts or requests need this schema"), migrating(upgraded.engine) as held:
        command.downgrade(alembic_config(held), "0004")
    assert "requests" in inspect(upgraded.engine).get_table_names()


def _show() -> None:
    """What is compared, in numbers, on a SQLite catalogue in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = CatalogueSettings(home=Path(folder))
        Catalogue.open(settings).close()
        engine = connect(settings.url)
        fill(engine)
        upgrade(engine)
        with Catalogue.open(settings) as catalogue:
            counts = ", ".join(f"{len(rows)} {name}" for name, rows in ROWS.items() if rows)
            sys.stdout.write(f"schema 0004, as its own program filled it: {counts}\n")
            pairs = zip(("JSON", "CSV"), exports(catalogue), old_exports(jsonb=False), strict=True)
            for name, found, wanted in pairs:
                same = "the same" if found == wanted else "OTHER"
                sys.stdout.write(f"export as {name}: {same}, {len(wanted.encode()):,} bytes\n")
            names = ", ".join(f"{old} → {new}" for old, new in RENAMED.items())
            sys.stdout.write(f"apart from: columns {', '.join(NEW)}, which are new; renamed: {names}\n")
            batch = catalogue.take_batch(recipe("nishiki/colour"), models(SEEDED), matcher(SEEDED), limit=None)
            sys.stdout.write(f"due: {len(due(catalogue, batch))}, in 0004: {len(TOLD['due']['night'])}\n")
            (unfinished,) = catalogue.unfinished_batches()
            over, left = due(catalogue, catalogue.join(unfinished.id)), len(TOLD["due"]["over"])
            sys.stdout.write(f"taken over: batch {unfinished.id} with {len(over)} pending, in 0004: {left}\n")
        engine.dispose()


if __name__ == "__main__":
    _show()
