"""Where the catalogue lies, what it keeps of odd values, and what importing it costs."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import make_url

from db.queries.night.batch_owner import BatchOwner, is_gone, this_process
from db.settings import CatalogueSettings
from db.tables.columns import UtcTime, clean, to_json


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("NISHIKI_")]:
        monkeypatch.delenv(name)


def test_without_any_word_the_catalogue_lies_in_nishiki_data() -> None:
    settings = CatalogueSettings()
    assert settings.home == Path("nishiki-data")
    assert settings.url == "sqlite:///nishiki-data/catalogue.db"


def test_argument_environment_dotenv_and_toml_weigh_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nishiki.toml").write_text('home = "toml"\n[archives.sample]\nkind = "folder"\n')
    assert CatalogueSettings().home == Path("toml")
    (tmp_path / ".env").write_text("NISHIKI_HOME=dotenv\nNISHIKI_PACE=3\n")
    assert CatalogueSettings().home == Path("dotenv")
    monkeypatch.setenv("NISHIKI_HOME", "environment")
    assert CatalogueSettings().home == Path("environment")
    assert CatalogueSettings(home=Path("argument")).home == Path("argument")


def test_files_with_a_byte_order_mark_are_read_as_those_without(tmp_path: Path) -> None:
    (tmp_path / "nishiki.toml").write_text('home = "錦"\r\n', encoding="utf-8-sig")
    assert CatalogueSettings().home == Path("錦")
    (tmp_path / ".env").write_text("NISHIKI_HOME=dotenv\r\n", encoding="utf-8-sig")
    assert CatalogueSettings().home == Path("dotenv")


def test_a_nishiki_toml_that_is_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "nishiki.toml").mkdir()
    with pytest.raises(IsADirectoryError, match="is a folder, and has to be a file"):
        CatalogueSettings()


@pytest.mark.parametrize("port", ["abc", "54x32", "0", "65536", "-1", "5432:1", "５４３２"])
def test_a_port_that_is_none_is_refused_without_a_word_of_the_password(port: str) -> None:
    with pytest.raises(ValidationError, match="the port is no number from 1 to 65535") as told:
        CatalogueSettings(database_url=SecretStr(f"postgresql://me:hunter2@db.example:{port}/prints"))
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("postgresql://db/prints", "postgresql://db/prints?connect_timeout=10"),
        (
            "postgresql://me:p%2Fw%3A1@[::1]:5433/x?host=/run/pg",
            "postgresql://me:p%2Fw%3A1@[::1]:5433/x?host=/run/pg&connect_timeout=10",
        ),
        ("postgresql:///x?host=@socket&connect_timeout=3", "postgresql:///x?host=@socket&connect_timeout=3"),
        ("sqlite:///a?b#c:d", "sqlite:///a?b#c:d"),
    ],
)
def test_a_server_that_does_not_answer_is_waited_for_as_long_as_the_settings_say(url: str, opened: str) -> None:
    assert CatalogueSettings(database_url=SecretStr(url)).url == opened


@pytest.mark.parametrize(
    "rest",
    [
        "me:hun@ter/2@127.0.0.1:1/n", "me:hun@ter@127.0.0.1:1/n", "me:hun#ter?2@127.0.0.1/n", "me:hun?ter@h/n",
        "me:hun:ter@h/n", "me:hun/ter@h/n", "me:hun@ter?2@h/n", "me:hun@ter#2@h", "me@museum:hunter@h/n",
        "h:5432/hunter?host=@socket", "me@?host=@hunter",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg", "postgres"])
def test_a_password_that_is_not_percent_encoded_is_refused_without_a_letter_of_it(scheme: str, rest: str) -> None:
    with pytest.raises(ValidationError, match="database_url") as told:
        CatalogueSettings(database_url=SecretStr(f"{scheme}://{rest}"))
    said = str(told.value)
    assert "@ : / # ? % in it are written %40 %3A %2F %23 %3F %25" in said
    assert not any(part in said for part in ("hun", "ter", "127.0"))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user@/db?host=/run/postgresql", "postgresql+psycopg://u:p%40x@h:5432/db?sslmode=require",
        "postgresql://[::1]/db", "postgresql://u:p@[::1]:5432/db?options=-c%20x:y", "postgresql://u:p@h1,h2/db",
        "postgresql://user@/db?host=@socket:1", "postgres://u:100%@h", "postgresql://u:p w@h/n", "postgresql://",
        "postgresql:///db", "sqlite:///a@b:c/d#e?f@g", "sqlite:////srv/u:p@x/y@z.db",
    ],
)  # fmt: skip
def test_what_a_database_can_mean_is_taken_as_it_was_meant(url: str) -> None:
    opened = make_url(CatalogueSettings(database_url=SecretStr(url)).url)
    meant = make_url(url)
    assert opened.difference_update_query(["connect_timeout"]) == meant
    assert (meant.password or "") in ("", "p", "p@x", "100%", "p w")


@pytest.mark.parametrize("url", ["mysql://root@localhost/x", "sqlite://", "catalogue.db"])
def test_a_database_that_is_neither_of_the_two_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="database_url"):
        CatalogueSettings(database_url=SecretStr(url))


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        CatalogueSettings().home = Path("other")


def test_every_setting_is_described() -> None:
    assert all(field.description for field in CatalogueSettings.model_fields.values())


def test_text_from_anywhere_is_made_storable() -> None:
    assert clean("役者絵") == "役者絵"
    assert clean("a\0b\udce9c") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"loss": float("nan"), "steps": (1, float("inf"))}, {"loss": None, "steps": [1, None]}),
        ({"text": "nul \0", "none": None, "yes": True}, {"text": "nul \ufffd", "none": None, "yes": True}),
    ],
)
def test_json_holds_nothing_that_a_database_refuses(value: Any, kept: Any) -> None:
    assert json.loads(to_json(value)) == kept


def test_this_process_runs_and_one_that_ended_does_not() -> None:
    us = this_process()
    assert not is_gone(us)
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            "from db.queries.night.batch_owner import this_process as t; h = t(); print(h.pid, h.started)",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    pid, started = child.stdout.strip().split(" ", 1)
    assert is_gone(BatchOwner(us.host, int(pid), started))
    assert is_gone(BatchOwner(us.host, us.pid, started))
    assert not is_gone(BatchOwner("another host", int(pid), started))


@pytest.mark.long
def test_opening_the_catalogue_loads_neither_alembic_nor_a_foreign_house() -> None:
    code = (
        "import sys, db.catalogue as c; from db.settings import CatalogueSettings as S; from pathlib import Path\n"
        "with c.Catalogue.open(S(home=Path('home'))): pass\n"
        "for name in [n for n in sys.modules if n.startswith('alembic')]: del sys.modules[name]\n"
        "with c.Catalogue.open(S(home=Path('home'))) as catalogue: catalogue.status()\n"
        "unwanted = {'alembic', 'numpy', 'torch', 'prefect', 'requests', 'fastapi', 'psycopg', 'colorize', 'flows'}\n"
        "print(sorted(unwanted & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_times_are_kept_to_the_microsecond_and_in_utc() -> None:
    tokyo = datetime.fromisoformat("2026-03-02T08:00:00.123456+09:00")
    kept = UtcTime().process_bind_param(tokyo, None)  # type: ignore[arg-type]
    assert kept == tokyo
    assert kept is not None
    assert kept.tzinfo is UTC
