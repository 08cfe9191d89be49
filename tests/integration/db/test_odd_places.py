"""A home or a database in an odd place: it works there, or the sentence says what is the matter."""

import ctypes
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import make_url, update
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.doctor import Damage, Remedies, examine, mend
from db.engine import HEAD, writing
from db.entries.nights import NightEnd, NightEnding
from db.files.home import own_database
from db.settings import CatalogueSettings
from db.tables.night import Rights
from flows.cli.app import app
from flows.cli.prefect_server import database_in
from flows.upkeep.rejudging import RULES

if TYPE_CHECKING:
    from tests.samples import Sample

DATABASES = ("sqlite",)
ODD = (
    "a?b",
    "a#b",
    "100%",
    "%41",
    "two words",
    "錦絵の家",
    ":memory:",
    "file:x?mode=memory",
    "file:",
    "a&b=c;d",
    "$HOME",
    "[x]",
)


def _nishiki(home: Path, *words: str) -> tuple[int, str]:
    run = CliRunner().invoke(app, [*words, "--home", str(home)])
    return run.exit_code, run.stdout + run.stderr


@pytest.mark.long
@pytest.mark.parametrize("name", ODD)
def test_a_home_of_any_name_holds_its_own_catalogue_and_nothing_lies_beside_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: "Sample"
) -> None:
    monkeypatch.chdir(tmp_path)
    home = Path(name)
    with Catalogue.open(CatalogueSettings(home=home)) as catalogue:
        sample.pairs(catalogue, 1)
    with Catalogue.open(CatalogueSettings(home=tmp_path / name), create=False) as catalogue:
        assert catalogue.status()["records"] == 2
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert "catalogue.db" in [path.name for path in home.iterdir()]
    assert examine(CatalogueSettings(home=home)) == []
    assert make_url(database_in(tmp_path / name)).database == str(tmp_path / name / "prefect.db")


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in ODD if not name.startswith((":memory:", "file:"))])
def test_a_database_of_any_name_is_the_file_that_was_named(name: str, tmp_path: Path) -> None:
    url = SecretStr(f"sqlite:///{tmp_path / name}")
    with Catalogue.open(CatalogueSettings(home=tmp_path / "home", database_url=url)) as catalogue:
        assert catalogue.status()["records"] == 0
    assert (tmp_path / name).read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("path", [":memory:", "file:x", "file:/srv/x?mode=memory", "/srv/a\nb"])
def test_a_database_that_is_no_path_is_a_usage_error_with_the_reason(
    path: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NISHIKI_DATABASE_URL", f"sqlite:///{path}")
    code, said = _nishiki(tmp_path, "status")
    assert (code, "the setting database_url cannot be used" in said) == (2, True)


def _a_file(home: Path) -> None:
    home.write_text("prints")


def _in_a_file(home: Path) -> None:
    home.parent.rmdir()
    home.parent.write_text("prints")


def _a_folder_for_a_file(home: Path) -> None:
    (home / "catalogue.db").mkdir(parents=True)


def _foreign(home: Path, revision: str = "5ca1ab1e", tables: str = "orders customers images") -> None:
    home.mkdir()
    with closing(sqlite3.connect(home / "catalogue.db")) as raw:
        for table in tables.split():
            raw.execute(f"CREATE TABLE {table} (id INTEGER)")
        raw.execute("CREATE TABLE alembic_version (version_num TEXT)")
        raw.execute("INSERT INTO alembic_version VALUES (?)", [revision])
        raw.commit()


def _newer(home: Path, revision: str = "9999") -> None:
    Catalogue.open(CatalogueSettings(home=home)).close()
    with closing(sqlite3.connect(home / "catalogue.db")) as raw:
        raw.execute("UPDATE alembic_version SET version_num = ?", [revision])
        raw.commit()


def _numbered(home: Path, numbers: tuple[str, ...]) -> None:
    _newer(home, HEAD)
    with closing(sqlite3.connect(home / "catalogue.db")) as raw:
        raw.execute("DELETE FROM alembic_version")
        raw.executemany("INSERT INTO alembic_version VALUES (?)", [(each,) for each in numbers])
        raw.commit()


WORDS: list[tuple[Callable[[Path], object], tuple[str, ...]]] = [
    (_a_file, ("is a file, and",)),
    (_in_a_file, ("is a file, and",)),
    (_a_folder_for_a_file, ("is a folder, and the catalogue",)),
    (_foreign, ("is not nishiki's", "orders")),
    (lambda home: _foreign(home, HEAD), ("is not nishiki's",)),
    (lambda home: _foreign(home, "0001"), ("is not nishiki's",)),
    (_newer, ("9999", "update nishiki")),
    (lambda home: _numbered(home, ()), ("has no schema numbers", "bring it back from a copy: nishiki restore")),
    (lambda home: _numbered(home, (HEAD, "0001")), ("has several schema numbers", "nishiki restore")),
]


@pytest.mark.parametrize(("make", "words"), WORDS)
def test_each_wrong_place_has_words_of_its_own(
    make: Callable[[Path], object], words: tuple[str, ...], tmp_path: Path
) -> None:
    home = tmp_path / "folder" / "home"
    home.parent.mkdir()
    make(home)
    before = sorted(tmp_path.rglob("*"))
    for command in (["status"], ["export"], ["show", "1"], ["doctor"], ["doctor", "--upgrade"], ["harvest", "nowhere"]):
        code, said = _nishiki(home, *command)
        assert code in (1, 2), command
        if command != ["harvest", "nowhere"]:
            assert all(word in said for word in words), (command, said)
        assert "--upgrade" not in said, command
        assert "Traceback" not in said
    assert [path for path in sorted(tmp_path.rglob("*")) if path.suffix not in {".db-wal", ".db-shm"}] == before


@pytest.fixture
def shown(sample: "Sample", tmp_path: Path) -> Iterator[Path]:
    """A home with an attempt in it, which can be removed again whatever became of it."""
    home = tmp_path / "home"
    with Catalogue.open(CatalogueSettings(home=home)) as catalogue:
        sample.entries(catalogue, 1)
        sample.tile(catalogue)
        with writing(catalogue.engine).begin() as connection:
            connection.execute(update(Rights).values(rules=RULES.version))
    yield home
    for path in (home, *home.rglob("*")):
        path.chmod(0o700)


def _readable(home: Path) -> None:
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


LOOKS_ONCE = """
import sys
from typer.testing import CliRunner
from flows.cli.app import app
run = CliRunner().invoke(app, ["status", "--home", sys.argv[1]])
print(run.exit_code, run.stderr.strip())
"""
LOOKS = """
import sys
from typer.testing import CliRunner
from flows.cli.app import app
for line in ("status", "export", "show 1", "doctor", "doctor --mend", "curator add Aoi --password-stdin"):
    words = line.split()
    run = CliRunner().invoke(app, [*words, "--home", sys.argv[1]], input="a long password\\na long password\\n")
    print(words[0], run.exit_code, " ".join((run.stdout + run.stderr).split())[-300:])
from db.review.app import create_app
from flows.settings import Settings
app = create_app(Settings(home=sys.argv[1], review_read_only=True))
app.state.review.catalogue.close()
print("review 0")
"""


def _bound_by_permissions(code: str, home: Path) -> list[str]:
    """What a process says that has no right beyond those written at files, even where the tests run as root."""
    libc = ctypes.CDLL(None)

    def drop() -> None:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP, in force from the exec on

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    run = subprocess.run(
        [sys.executable, "-c", code, str(home)], preexec_fn=drop, cwd="/",
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


@pytest.mark.long
def test_a_home_that_can_only_be_read_is_looked_at_and_what_would_write_says_why_not(shown: Path) -> None:
    _readable(shown)
    status, export, show, doctor, mended, curator, review = _bound_by_permissions(LOOKS, shown)
    assert [line.split()[:2] for line in (status, export, show, review)] == [
        [name, "0"] for name in ("status", "export", "show", "review")
    ]
    assert doctor.startswith("doctor 1 ")
    assert "everybody on this machine may look into it; to mend it" in doctor
    assert mended.startswith("doctor 0 "), "who owns it may close it, and needs write nothing for that"
    assert "can only be read here" in curator


WORKS = """
import sys
from pathlib import Path
from typer.testing import CliRunner
from flows.cli.app import app
home = Path(sys.argv[1])
for line in (f"backup {home.parent}/copy", "redo batch 1", "report", "nightly", "alarm"):
    words = line.split()
    run = CliRunner().invoke(app, [*words, "--home", str(home)])
    print(words[0], run.exit_code, " ".join((run.stdout + run.stderr).split())[-300:])
"""


@pytest.mark.long
def test_what_works_in_a_home_that_can_only_be_read_says_in_a_sentence_why_it_cannot(shown: Path) -> None:
    _readable(shown)
    backup, redo, report, nightly, alarm = _bound_by_permissions(WORKS, shown)
    assert backup.startswith("backup 0 "), backup
    with closing(sqlite3.connect(next((shown.parent / "copy" / "databases").glob("*.db")))) as raw:
        assert raw.execute("SELECT count(*) FROM attempts").fetchone() == (1,)
    assert redo.startswith("redo 1 ")
    assert "cannot be written to, and the catalogue's home lies there; run this where, or as one who, may" in redo
    assert report.removeprefix("report") == redo.removeprefix("redo")
    assert nightly.startswith("nightly 2 "), "no archive is named either"
    assert "run this where, or as one who, may write there" in nightly
    assert alarm == "alarm 5 No night has begun on this catalogue yet."


@pytest.mark.long
def test_newest_changes_that_cannot_be_read_are_told_in_words(shown: Path) -> None:
    with Catalogue.open(CatalogueSettings(home=shown)) as catalogue:
        catalogue.add_archive("another", "oai-pmh", "https://another.example/oai")
        log = (shown / "catalogue.db-wal").read_bytes()
    (shown / "catalogue.db-wal").write_bytes(log)
    _readable(shown)
    (said,) = _bound_by_permissions(LOOKS_ONCE, shown)
    assert said.startswith("1 ")
    assert "the newest changes of the catalogue lie in catalogue.db-wal" in said


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.long
def test_what_is_made_is_closed_to_others_and_what_is_open_is_found_and_mended(
    tmp_path: Path, sample: "Sample"
) -> None:
    settings = CatalogueSettings(home=tmp_path / "home")
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 1)
        modes = {path.name: _mode(path) for path in settings.home.glob("catalogue.db*")}
        assert modes == {"catalogue.db": 0o600, "catalogue.db-wal": 0o600, "catalogue.db-shm": 0o600}
    assert _mode(settings.home) == 0o700
    for loose, group, mended in ((0o755, 0o644, 0o700), (0o775, 0o664, 0o770)):
        settings.home.chmod(loose)
        (settings.home / "catalogue.db").chmod(group)
        found = examine(settings)
        assert {each.damage for each in found} == {Damage.OPEN}
        assert {str(settings.home), str(settings.home / "catalogue.db")} <= {each.subject for each in found}
        assert mend(settings, found, Remedies(lambda *_: None, dict.fromkeys), print) == found
        assert (_mode(settings.home), _mode(settings.home / "catalogue.db")) == (mended, mended & 0o660)
    said: list[str] = []
    assert examine(settings, tell=said.append) == [], "a group that was let in on purpose is no damage"
    assert [line for line in said if "is open to its group" in line] == said != []


def test_a_folder_with_other_things_in_it_is_nobody_elses_to_close(tmp_path: Path) -> None:
    home = tmp_path / "prints"
    home.mkdir(0o755)
    (home / "print.png").write_bytes(b"a print")
    settings = CatalogueSettings(home=home)
    Catalogue.open(settings).close()
    assert examine(settings) == []
    assert (_mode(home), _mode(home / "catalogue.db")) == (0o755, 0o600)


@pytest.mark.long
def test_the_urls_of_a_home_and_of_a_database_agree(tmp_path: Path) -> None:
    home = tmp_path / "a?b"
    url = SecretStr(own_database(home))
    Catalogue.open(CatalogueSettings(home=home)).close()
    with Catalogue.open(CatalogueSettings(home=home, database_url=url), create=False) as catalogue:
        assert catalogue.status()["records"] == 0


def test_on_another_machine_the_database_of_a_server_is_read_without_a_home(
    postgres_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalogue.open(CatalogueSettings(home=tmp_path / "home", database_url=SecretStr(postgres_database))) as made:
        made.end_night(made.begin_night(), NightEnd(NightEnding.DONE, 0), {}, {})
    monkeypatch.setenv("NISHIKI_DATABASE_URL", postgres_database)
    away = tmp_path / "away"
    assert _nishiki(away, "alarm") == (0, "All is well with the nights.\n")
    for command in (
        ["status"],
        ["nights"],
        ["query"],
        ["history", "x1"],
        ["records", "--held-back"],
        ["curator", "list"],
    ):
        assert _nishiki(away, *command)[0] == 0, command
    for command in (["export"], ["doctor"], ["report"]):
        code, said = _nishiki(away, *command)
        assert (code, f"the home {away} is not there" in said) == (1, True), said
    assert not away.exists()


def test_where_a_database_is_named_that_is_not_there_its_path_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NISHIKI_DATABASE_URL", f"sqlite:///{tmp_path}/shared.db")
    for command in ("status", "match"):
        assert f"there is no catalogue at {tmp_path}/shared.db yet" in _nishiki(tmp_path / "home", command)[1]
    assert list(tmp_path.iterdir()) == []
