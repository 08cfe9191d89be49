"""`nishiki doctor --before-night`: each fault alone, all of them in one message, and nothing changed."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings
from typer.testing import CliRunner, Result

from db import engine
from db.catalogue import Catalogue
from db.settings import CatalogueSettings
from flows.alarm.findings import channels_of
from flows.cli.app import app
from flows.endings import Ending
from flows.plan import plan_night
from flows.settings import Settings
from flows.under_prefect import NotAnswered
from flows.workers.executor import look_for_executor
from flows.workers.work_pool import PrefectServer

TOML = '[archives.scans]\naddress = "prints"\n'
Prepare = Callable[[Path], object]
Files = dict[str, tuple[float, bytes]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a night could begin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setitem(sys.modules, "ray", ModuleType("ray"))  # a part of its own, which only has to be there
    monkeypatch.setenv("NISHIKI_DATABASE_WAIT_S", "2")
    monkeypatch.setenv("NISHIKI_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "prints").mkdir()
    (tmp_path / "nishiki.toml").write_text(TOML)
    return tmp_path


def told(**environment: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--before-night"], env=environment)


def files() -> Files:
    """Whatever lies here; a folder's own time also changes where SQLite is read, whose log comes and goes."""
    found = sorted(Path().rglob("*"))
    return {str(path): (0, b"") if path.is_dir() else (path.stat().st_mtime, path.read_bytes()) for path in found}


def catalogue(revision: str = engine.HEAD) -> None:
    """In the home that the settings name where they name none, with a schema of this number."""
    Catalogue.open(CatalogueSettings()).close()
    with closing(sqlite3.connect("nishiki-data/catalogue.db")) as file, file:
        file.execute("UPDATE alembic_version SET version_num = ?", (revision,))


def another_database(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "other.db")) as file:
        file.execute("CREATE TABLE other (id)")


def text(name: str, what: str = "") -> Prepare:
    return lambda folder: (folder / name).write_text(what)


NOTHING = text("nothing")
FAULTS: list[tuple[Mapping[str, str], Prepare, str, Ending]] = [
    ({"NISHIKI_RECIPPE": "x"}, NOTHING, "NISHIKI_RECIPPE in the environment is no setting", Ending.USAGE),
    ({"NISHIKI_NIGHT_CRON": "at one"}, NOTHING, "the setting night_cron cannot be used", Ending.USAGE),
    ({"NISHIKI_NIGHT_ZONE": "Kyoto"}, NOTHING, "'Kyoto' is no time zone", Ending.USAGE),
    ({"NISHIKI_ALARM_WEBHOOK": "chat"}, NOTHING, "the setting alarm_webhook cannot be used", Ending.USAGE),
    ({"NISHIKI_ALARM_MAIL_TO": '["a@b.example"]'}, NOTHING, "mail needs both alarm_mail_to and", Ending.USAGE),
    ({"NISHIKI_REPORT_SEND": "true"}, NOTHING, "no way is set to send a report", Ending.USAGE),
    ({"NISHIKI_SHARDS": "{"}, NOTHING, "the setting shards cannot be read as JSON", Ending.USAGE),
    ({"NISHIKI_RECIPE": "nonsense"}, NOTHING, "no recipe is named 'nonsense'", Ending.USAGE),
    ({"NISHIKI_FURTHER_RECIPES": '["other"]'}, NOTHING, "no recipe is named 'other'", Ending.USAGE),
    ({"NISHIKI_ENCODER": "misspelt"}, NOTHING, "there is no encoder 'misspelt'", Ending.USAGE),
    ({"NISHIKI_WEIGHTS_DIR": "prints"}, NOTHING, "prints holds no VGG-19 weights", Ending.FAILED),
    ({"NISHIKI_DEVICE": "cuda:77"}, NOTHING, "there is no device 'cuda:77'", Ending.USAGE),
    ({}, text("nishiki.toml"), "or write one into nishiki.toml", Ending.USAGE),
    ({}, text("nishiki.toml", TOML.replace("prints", "gone")), "archive scans: ", Ending.FAILED),
    ({}, text("nishiki.toml", TOML.replace("prints", "ftp://a.example")), "is spoken by no protocol", Ending.FAILED),
    ({}, text("nishiki.toml", TOML.replace("prints", "http://[a/oai")), "names no host that can be", Ending.FAILED),
    ({}, text("nishiki.toml", TOML + 'protocol = "z39.50"\n'), "archives.scans.protocol cannot be used", Ending.USAGE),
    ({"NISHIKI_HOME": "file/home"}, text("file"), "file: is a file, and the catalogue's home", Ending.FAILED),
    ({"NISHIKI_DATABASE_URL": "postgresql://me@127.0.0.1:1/x"}, NOTHING, "x does not answer", Ending.FAILED),
    ({"NISHIKI_DATABASE_URL": "sqlite:///nishiki.toml"}, NOTHING, "is not a sound SQLite database", Ending.FAILED),
    ({"NISHIKI_DATABASE_URL": "sqlite:///prints"}, NOTHING, "prints is a folder, and the", Ending.FAILED),
    ({"NISHIKI_DATABASE_URL": "sqlite:///other.db"}, another_database, "is not nishiki's", Ending.FAILED),
    ({}, lambda _: catalogue("9999"), "newer than this program's", Ending.FAILED),
    ({}, lambda _: catalogue("0024"), "run `nishiki doctor --upgrade`", Ending.FAILED),
    ({"NISHIKI_EXECUTOR": "ray", "RAY_ADDRESS": "127.0.0.1:1"}, NOTHING, "no Ray cluster answers at", Ending.USAGE),
    ({"NISHIKI_EXECUTOR": "ray", "RAY_ADDRESS": "here"}, NOTHING, "RAY_ADDRESS is 'here'", Ending.USAGE),
    ({"NISHIKI_PICTURE_STORE": "file:///dev/null"}, NOTHING, "object storage file:///dev/null", Ending.FAILED),
]  # fmt: skip


@pytest.mark.parametrize(("environment", "prepare", "words", "ending"), FAULTS, ids=[each[2] for each in FAULTS])
def test_each_fault_alone_is_one_sentence_and_nothing_is_changed(
    environment: Mapping[str, str], prepare: Prepare, words: str, ending: Ending, here: Path
) -> None:
    prepare(here)
    before = files()
    run = told(**environment)
    assert (run.exit_code, run.stdout) == (ending, "")
    assert words in run.stderr
    assert run.stderr.count("\n") == 1
    assert files() == before


def test_all_of_them_are_in_one_message(here: Path) -> None:
    (here / "nishiki.toml").write_text(
        f'{TOML}[archives.lost]\naddress = "gone"\n[archives.none]\nprotocol = "oai-pmh"\n[archives.web]\naddress = "http:///oai"\n'
    )
    before = files()
    run = told(
        NISHIKI_RECIPPE="x", NISHIKI_RECIPE="nonsense", NISHIKI_ENCODER="misspelt", NISHIKI_DEVICE="cuda:77",
        NISHIKI_SHARDS="{", NISHIKI_NIGHT_CRON="at one", NISHIKI_EXECUTOR="ray", RAY_ADDRESS="127.0.0.1:1",
        NISHIKI_HOME="nishiki.toml", NISHIKI_DATABASE_URL="postgresql://me@127.0.0.1:1/x",
        NISHIKI_ALARM_MAIL_TO='["a@b.example"]', NISHIKI_PICTURE_STORE="file:///dev/null",
    )  # fmt: skip
    assert (run.exit_code, run.stdout) == (Ending.USAGE, "")
    first, *others = run.stderr.splitlines()
    assert first == "nishiki: 14 things have to be set right first"
    said = (
        "- NISHIKI_RECIPPE in", "- the setting shards cannot be read", "- the setting archives.none.address",
        "- the setting night_cron", "- no recipe is named 'nonsense'", "- there is no encoder 'misspelt'",
        "- there is no device 'cuda:77'", "- archive lost: ", "- archive web: its address names no host",
        "- no Ray cluster answers at 127.0.0.1:1", "nishiki.toml: is a file, and", "- object storage file:///dev/null",
        "/x does not answer", "- mail needs both",
    )  # fmt: skip
    assert [words for words, line in zip(said, others, strict=True) if words not in line] == []
    assert files() == before


@pytest.mark.parametrize("prepare", [NOTHING, lambda _: catalogue()], ids=["no catalogue yet", "a catalogue"])
def test_where_all_is_right_one_sentence_says_so_and_what_was_looked_at(prepare: Prepare, here: Path) -> None:
    prepare(here)
    before = files()
    run = told(NISHIKI_DEVICE="cpu", NISHIKI_ENCODER="random-seeded", NISHIKI_ALARM_WEBHOOK="https://chat.example/k3y")
    assert (run.exit_code, run.stderr) == (Ending.DONE, "")
    assert run.stdout.startswith(
        "The night can begin: looked at were every setting; recipe nishiki/colour; encoder random-seeded; device cpu; "
        "executor processes; archives scans (none was asked for anything); home nishiki-data ("
    )
    assert ("and the catalogue that the night makes" in run.stdout) == (prepare is NOTHING)
    assert "ways of the alarm (webhook at chat.example). It is due at " in run.stdout
    assert files() == before


def test_a_catalogue_that_can_only_be_read_keeps_the_night_away(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue()
    monkeypatch.setattr("db.engine.os.access", lambda path, way: way == os.R_OK or Path(path).is_dir())
    assert "can only be read here (attempt to write a readonly database)" in told().stderr


@pytest.mark.parametrize(
    ("free", "ending", "words"),
    [
        (299_000_000, Ending.FAILED, "299 MB are free on the disk of the home nishiki-data, less than one picture"),
        (5_000_000_000, Ending.DONE, "Only 5% of the home's disk are free; make room for the nights to come."),
    ],
)  # fmt: skip
def test_the_room_on_the_disk_is_judged_as_a_night_judges_it(
    monkeypatch: pytest.MonkeyPatch, free: int, ending: Ending, words: str
) -> None:
    usage = type(shutil.disk_usage("/"))(100_000_000_000, 100_000_000_000 - free, free)
    monkeypatch.setattr("flows.plan.shutil.disk_usage", lambda _: usage)
    run = told()
    assert run.exit_code == ending
    assert words in run.stdout + run.stderr
    if ending is Ending.FAILED:
        night = CliRunner().invoke(app, ["nightly"])
        assert (night.exit_code, night.stderr) == (ending, run.stderr)


@pytest.mark.parametrize(
    ("server", "words"), [("http://127.0.0.1:9/api", "no batch can be sent (Prefect's"), ("", "no server of P")]
)
def test_work_pools_need_a_server_that_answers(server: str, words: str) -> None:
    before = files()
    with temporary_settings({PREFECT_API_URL: server or None}):
        run = told(NISHIKI_EXECUTOR="work-pool", NISHIKI_PREFECT_WAIT_S="0", PREFECT_API_URL=server)
    assert run.exit_code == Ending.USAGE
    assert words in run.stderr
    assert files() == before


def test_a_night_begins_while_prefects_server_is_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(executor="work-pool", prefect_wait_s=0)
    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        plan_night(settings, looks=[look_for_executor]),
    ):
        assert "no batch can be sent (Prefect's server" in capsys.readouterr().err


def test_work_pools_need_each_deployment_and_the_night_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def has(_: PrefectServer, deployment: str) -> bool:
        answers.append(deployment)
        if len(answers) == 1:
            raise NotAnswered("it begins to run")
        return deployment == "shard/cpu"

    answers: list[str] = []
    monkeypatch.setattr(PrefectServer, "has", has)
    wants = {"NISHIKI_EXECUTOR": "work-pool", "NISHIKI_SHARDS": '{"shard/cpu": 1, "shard/gpu": 2, "shard/x": 1}'}
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        run = told(**wants, PREFECT_API_URL="http://127.0.0.1:9/api")
        night = CliRunner().invoke(app, ["nightly"], env={**wants, "PREFECT_API_URL": "http://127.0.0.1:9/api"})
    assert run.exit_code == Ending.USAGE
    first, *missing = run.stderr.splitlines()
    assert first == "nishiki: 2 things have to be set right first"
    for name, line in zip(("gpu", "x"), missing, strict=True):
        assert line.startswith(
            f"- the deployment shard/{name} cannot be run (there is none of that name); run: prefect"
        )
    assert night.stderr == run.stderr
    assert not Path("nishiki-data").exists()


def test_a_night_is_refused_in_the_same_words_but_for_ways_of_telling_which_it_can_do_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = {"NISHIKI_RECIPPE": "x", "NISHIKI_RECIPE": "nonsense", "NISHIKI_DATABASE_URL": "sqlite:///nishiki.toml"}
    night = CliRunner().invoke(app, ["nightly"], env=wrong)
    assert (night.exit_code, night.stderr) == (Ending.USAGE, told(**wrong).stderr)
    assert night.stderr.startswith("nishiki: 3 things")
    monkeypatch.setenv("NISHIKI_REPORT_SEND", "true")
    assert channels_of(Settings()) == []
    assert "no way is set to send a report" in told().stderr


def test_it_stands_alone() -> None:
    run = CliRunner().invoke(app, ["doctor", "--before-night", "--mend"])
    assert run.exit_code == Ending.USAGE
    assert "give it alone" in run.stderr
