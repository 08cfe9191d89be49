"""The migrations, on both databases: made, checked, taken back, refused when they do not fit."""

import re
import resource
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from threading import Barrier, Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.util import CommandError
from pydantic import SecretStr
from sqlalchemy import Engine, inspect, make_url, text
from sqlalchemy.exc import DatabaseError

from db.catalogue import Catalogue
from db.doctor import Damage, examine
from db.engine import (
    HEAD,
    alembic_config,
    connect,
    known_revisions,
    migrating,
    prepare,
    revision,
    upgrade,
    writing,
)
from db.entries.night import Change, EncoderKey, Tone, Verdict
from db.entries.review import Judgement, Queue, QueueFilter
from db.errors import (
    CatalogueAhead,
    CatalogueBehind,
    CatalogueFull,
    CatalogueMisfit,
    CatalogueReadOnly,
    CatalogueUnreachable,
    NoCatalogue,
)
from db.files.home import IDENTITY
from db.opening import look_at
from db.settings import CatalogueSettings
from db.tables.base import Base

if TYPE_CHECKING:
    from tests.samples import Sample


@pytest.fixture
def engine(settings: CatalogueSettings) -> Iterator[Engine]:
    made = connect(settings.url)
    yield made
    made.dispose()


def _pretend(engine: Engine, revision: str) -> None:
    with writing(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})


def test_head_is_the_newest_migration() -> None:
    assert HEAD in known_revisions()
    assert max(known_revisions()) == HEAD


@pytest.mark.long
def test_models_and_migrations_agree_and_every_step_can_be_taken_back(engine: Engine) -> None:
    with migrating(engine) as connection:
        command.check(alembic_config(connection))
        command.downgrade(alembic_config(connection), "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]
    with migrating(engine) as connection:
        command.upgrade(alembic_config(connection), "head")
        command.check(alembic_config(connection))
    assert revision(engine) == HEAD


def test_what_alembic_prints_goes_where_output_goes_now(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with migrating(engine) as connection:
        alembic_config(connection)  # alembic is imported while another output stands
        monkeypatch.setattr("sys.stdout", StringIO())
        assert alembic_config(connection).stdout is sys.stdout


def test_indexes_of_some_rows_are_of_those_that_the_tables_say(engine: Engine) -> None:
    held = _indexes_of_some_rows(engine)
    said = {index.name: index.info.get("where") for table in Base.metadata.sorted_tables for index in table.indexes}
    assert len(held) > 10
    assert {str(name): _spelt(where) for name, where in said.items() if where} == held


def _indexes_of_some_rows(engine: Engine) -> dict[str, str]:
    """By name, the condition as the database has it, spelt alike."""
    asked = {
        "sqlite": "SELECT name, substr(sql, instr(sql, ' WHERE ') + 7) FROM sqlite_master "
        "WHERE type = 'index' AND sql LIKE '% WHERE %'",
        "postgresql": "SELECT relname, pg_get_expr(indpred, indrelid) FROM pg_index "
        "JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace "
        "WHERE indpred IS NOT NULL AND nspname = current_schema()",
    }
    with engine.connect() as connection:
        return {name: _spelt(where) for name, where in connection.execute(text(asked[engine.dialect.name]))}


def _spelt(condition: str) -> str:
    """Without brackets and types, lists and truth as SQLite has them."""
    words = re.sub(r"::(text|character varying)(\[\])?|[()\[\]\s]|ARRAY", "", condition).lower()
    return words.replace("=any", "in").replace("istrue", "is1").replace("blind=1", "blind")


def test_check_would_see_a_drift(engine: Engine) -> None:
    with migrating(engine) as connection:
        connection.execute(text("ALTER TABLE images ADD COLUMN forgotten INTEGER"))
        with pytest.raises(CommandError, match="forgotten"):
            command.check(alembic_config(connection))


def test_an_older_schema_is_refused_with_the_command_that_helps(
    settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine.HEAD", "9998")  # as a later program would see this catalogue
    with pytest.raises(CatalogueBehind, match="nishiki doctor --upgrade"):
        Catalogue.open(settings)


def test_a_newer_schema_is_refused(engine: Engine, settings: CatalogueSettings) -> None:
    _pretend(engine, "9999")
    with pytest.raises(CatalogueAhead, match="update nishiki"):
        Catalogue.open(settings)
    with pytest.raises(CatalogueAhead, match="update nishiki"):
        upgrade(engine)


def test_a_schema_that_only_calls_itself_the_newest_is_found_by_the_doctor_and_told_apart_from_silence(
    settings: CatalogueSettings, engine: Engine
) -> None:
    assert examine(settings) == []
    with writing(engine).begin() as connection:
        connection.execute(text("ALTER TABLE curators RENAME COLUMN password_hash TO secret"))
        connection.execute(text("DROP TABLE requests"))
    found = examine(settings)
    assert {each.subject for each in found} == {"table requests", "column curators.password_hash"}
    assert {each.damage for each in found} == {Damage.SCHEMA}
    assert not any(each.mendable for each in found)
    with Catalogue.open(settings) as catalogue, pytest.raises(CatalogueMisfit, match="run: nishiki doctor"):
        catalogue.curators()
    with Catalogue.open(settings) as catalogue, pytest.raises(CatalogueMisfit, match="requests"):
        catalogue.requested_recipes()


def _taken_back(settings: CatalogueSettings, engine: Engine, to: str) -> None:
    (settings.home / IDENTITY).unlink(missing_ok=True)  # no home of before says whose it is
    with migrating(engine) as connection:
        command.downgrade(alembic_config(connection), to)


@pytest.mark.long
def test_a_catalogue_of_the_first_schema_is_upgraded_with_all_that_is_in_it(
    settings: CatalogueSettings, engine: Engine, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 1)
        batch = sample.take(catalogue)
        (pending,) = catalogue.pending_attempts(batch)
        catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue))
        catalogue.give_verdict(pending.id, "curator", Judgement(Verdict.APPROVED))
        before = list(catalogue.attempts())
    _taken_back(settings, engine, "0001")
    with pytest.raises(CatalogueBehind, match=f"has schema 0001, this program needs {HEAD}"):
        Catalogue.open(settings)
    upgrade(engine)
    with Catalogue.open(settings) as catalogue:
        assert list(catalogue.attempts()) == before
        assert catalogue.verdicts([pending.id])[pending.id].verdict is Verdict.APPROVED
        assert catalogue.attempts_to_measure(EncoderKey("another", "c0ffee")) == [pending.id]


def test_a_tone_that_was_given_before_corrections_could_be_taken_back_is_the_machines_again(
    settings: CatalogueSettings, engine: Engine, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        image = sample.store(catalogue, sample.record("r1"), Tone.UNSURE)
        other = sample.store(catalogue, sample.record("r2"), Tone.GRAYSCALE)
        for name, tone in (("Aoi", Tone.COLOUR), ("Ben", Tone.TONED)):
            catalogue.give_tone(image, name, tone)
    _taken_back(settings, engine, "0021")
    upgrade(engine)
    with Catalogue.open(settings) as catalogue:
        assert catalogue.put_right([image])[image].machine_tone is Tone.UNSURE
        assert catalogue.put_right([other])[other].machine_tone is None
        assert catalogue.take_tone_back(image, "Chie")
        assert catalogue.toned_picture(image).tone is Tone.UNSURE


@pytest.mark.long
def test_an_upgrade_empties_the_embeddings_made_of_whole_scans(
    settings: CatalogueSettings, engine: Engine, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        image = sample.store(catalogue, sample.record("r1"), Tone.COLOUR)
    _taken_back(settings, engine, "0002")
    with writing(engine).begin() as connection:
        made = {"image": image, "name": sample.encoder.name, "checksum": sample.encoder.checksum, "vector": b"\0" * 8}
        connection.execute(text("INSERT INTO embeddings VALUES (:image, :name, :checksum, 2, :vector)"), made)
    upgrade(engine)
    with Catalogue.open(settings) as catalogue:
        assert [each.id for each in catalogue.images_to_embed(sample.encoder, [Tone.COLOUR])] == [image]


@pytest.mark.long
def test_attempts_and_records_from_before_the_review_enter_its_queue_and_search(
    settings: CatalogueSettings, engine: Engine, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        waiting = sample.entry(catalogue, sample.record("waits", artists=("歌川 豊国",)), 0.5)
        judged = sample.entry(catalogue, sample.record("judged"))
        catalogue.give_verdict(judged, "Aoi", Judgement(Verdict.APPROVED))
        everything = QueueFilter(queue=Queue.ALL)
        before = [catalogue.queue(wanted) for wanted in (QueueFilter(words="豊国"), everything)]
        assert [entry.attempt_id for entry in before[0].entries] == [waiting]
    _taken_back(settings, engine, "0003")
    upgrade(engine)
    with Catalogue.open(settings) as catalogue:
        assert [catalogue.queue(wanted) for wanted in (QueueFilter(words="豊国"), everything)] == before
        catalogue.add_record(sample.archive(catalogue), sample.record("waits", artists=("国貞",)))
        assert catalogue.queue(QueueFilter(words="豊国")).entries == ()


@pytest.mark.long
def test_verdicts_keep_their_triggers_through_an_upgrade_and_back(
    settings: CatalogueSettings, engine: Engine, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        attempt = sample.entry(catalogue, sample.record("r1"))
        catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.APPROVED))
    steps: list[Callable[[], object]] = [lambda: _taken_back(settings, engine, "0003"), lambda: upgrade(engine)]
    for to_another_schema in steps:
        to_another_schema()
        for attack in ("UPDATE verdicts SET verdict = 'withheld'", "DELETE FROM verdicts"):
            with pytest.raises(DatabaseError, match="verdicts are never"), writing(engine).begin() as connection:
                connection.execute(text(attack))


@pytest.mark.long
def test_an_upgrade_copies_a_sqlite_catalogue_first(
    settings: CatalogueSettings, engine: Engine, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 1)
    _taken_back(settings, engine, "0001")
    copy = upgrade(engine)
    if settings.database_url:
        assert copy is None
    else:
        assert copy is not None
        with sqlite3.connect(copy) as kept:
            assert kept.execute("SELECT count(*) FROM records").fetchone() == (2,)
        kept.close()


def test_nothing_is_made_when_a_catalogue_is_only_to_be_read(tmp_path: Path) -> None:
    with pytest.raises(NoCatalogue, match="nishiki harvest"):
        Catalogue.open(CatalogueSettings(home=tmp_path / "none"), create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_catalogue_that_is_looked_at_is_as_it_was_and_one_that_is_missing_may_be_made(
    settings: CatalogueSettings, engine: Engine, tmp_path: Path
) -> None:
    look_at(settings, create=False)
    _pretend(engine, "0024")
    with pytest.raises(CatalogueBehind, match="--upgrade"):
        look_at(settings, create=True)
    assert revision(engine) == "0024"
    missing = CatalogueSettings(home=tmp_path / "none")
    look_at(missing, create=True)
    with pytest.raises(NoCatalogue, match="nishiki harvest"):
        look_at(missing, create=False)
    assert not missing.home.exists()


def test_a_server_that_lets_nobody_write_is_told_by_a_look(postgres_database: str, tmp_path: Path) -> None:
    read_only = f"{postgres_database}&options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(CatalogueReadOnly, match="can only be read here"):
        look_at(CatalogueSettings(home=tmp_path, database_url=SecretStr(read_only)), create=True)


def test_a_full_disk_is_one_sentence_and_undoes_the_write(tmp_path: Path, sample: "Sample") -> None:
    with Catalogue.open(CatalogueSettings(home=tmp_path)) as catalogue:
        archive = sample.archive(catalogue)
        with catalogue.engine.connect() as connection:  # the pool hands the same connection out again
            connection.exec_driver_sql("PRAGMA max_page_count = 60")
        with pytest.raises(CatalogueFull, match="free some"):
            catalogue.add_record(archive, sample.record("r1", raw="x" * 2**20))
        assert catalogue.status()["records"] == 0
        assert catalogue.add_record(archive, sample.record("r1")) == Change.NEW


def test_a_disk_too_full_to_read_a_file_with_a_log_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that may not grow is what the index of the log meets there."""
    settings = CatalogueSettings(home=tmp_path)
    Catalogue.open(settings).close()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        with pytest.raises(CatalogueUnreachable, match="disk I/O error"):
            Catalogue.open(settings)
        monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=4096))
        with pytest.raises(CatalogueFull, match=r"no room left for the catalogue at .*; free some space"):
            Catalogue.open(settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_only_who_reads_maps_the_file_into_memory(tmp_path: Path) -> None:
    """A harvest of 100,000 records held 82 MB of it."""
    with Catalogue.open(CatalogueSettings(home=tmp_path)) as catalogue:
        mapped = []
        for engine in (catalogue.engine, writing(catalogue.engine), catalogue.engine):
            with engine.begin() as connection:
                mapped.append(connection.exec_driver_sql("PRAGMA mmap_size").scalar_one() > 0)
    assert mapped == [True, False, True]


def test_a_database_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "catalogue.db") as other:
        other.execute("CREATE TABLE theirs (id)")
    other.close()
    with pytest.raises(NoCatalogue, match="theirs"):
        Catalogue.open(CatalogueSettings(home=tmp_path))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalogue.db").write_bytes(b"no database, " * 100)
    with pytest.raises(NoCatalogue, match=r"catalogue\.db is not a sound SQLite database"):
        Catalogue.open(CatalogueSettings(home=tmp_path))


def test_a_server_that_does_not_answer_is_one_sentence_without_the_password(tmp_path: Path) -> None:
    url, began = "postgresql://reader:secret@127.0.0.1:1/nishiki", time.monotonic()
    with pytest.raises(CatalogueUnreachable, match="does not answer") as caught:
        Catalogue.open(CatalogueSettings(home=tmp_path, database_url=SecretStr(url), database_wait_s=2))
    assert 2 <= time.monotonic() - began < 10
    assert "secret" not in str(caught.value)


def test_a_server_without_this_database_or_role_says_so_at_once(tmp_path: Path, postgres_database: str) -> None:
    right = make_url(postgres_database)
    for wrong in (right.set(database="nowhere"), right.set(username="nobody"), right.update_query_dict({"odd": "1"})):
        url, began = SecretStr(wrong.render_as_string(hide_password=False)), time.monotonic()
        with pytest.raises(CatalogueUnreachable, match=r"does not let us in \(.*(nowhere|nobody|odd).*\); check"):
            Catalogue.open(CatalogueSettings(home=tmp_path, database_url=url, database_wait_s=600))
        assert time.monotonic() - began < 10


def test_processes_that_find_an_empty_database_at_once_make_one_schema(tmp_path: Path) -> None:
    start = Barrier(4)
    done: list[str | None] = []

    def open_it() -> None:
        engine = connect(f"sqlite:///{tmp_path / 'catalogue.db'}")
        start.wait()
        prepare(engine)
        done.append(revision(engine))
        engine.dispose()

    threads = [Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == [HEAD] * 4
