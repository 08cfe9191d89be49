"""`nishiki alarm` as a timer runs it: all is well, something is wrong, nobody can be told."""

import errno
import json
import os
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.nights import NightEnd, NightEnding
from db.settings import CatalogueSettings
from db.tables.night import Night
from flows.cli.app import app
from flows.endings import Ending
from tests.chat import listening
from tests.e2e.conftest import Here

pytestmark = pytest.mark.long

NOBODY = {"NISHIKI_ALARM_WEBHOOK": "http://127.0.0.1:9/k3y"}


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """The command with a catalogue that has seen one night."""
    home = tmp_path / "home"
    with Catalogue.open(CatalogueSettings(home=home)) as catalogue:
        catalogue.end_night(catalogue.begin_night(), NightEnd(NightEnding.DONE, 0), {}, {})
    return Here(home, {"PATH": os.environ["PATH"], "NISHIKI_HOME": str(home)})


def test_the_code_says_whether_all_is_well(here: Here) -> None:
    assert here.good("alarm") == "All is well with the nights.\n"
    with Catalogue.open(CatalogueSettings(home=here.home)) as catalogue:
        (night,) = catalogue.nights()
        long_ago = night.began_at - timedelta(hours=60)
        with writing(catalogue.engine).begin() as connection:
            connection.execute(update(Night).values(began_at=long_ago, ended_at=long_ago, seen_at=long_ago))
    run = here("alarm")
    assert (run.returncode, run.stderr) == (Ending.ALARM, "")
    assert run.stdout.startswith("No night has begun for 60 h 0 min; the last began ")
    run = here("alarm", **NOBODY)
    assert run.returncode == Ending.FAILED
    assert run.stdout.startswith("No night has begun for 60 h")
    assert run.stderr == "nishiki: the webhook at 127.0.0.1 cannot be reached: Connection refused\n"


def test_a_catalogue_that_is_gone_is_alarming(here: Here, tmp_path: Path) -> None:
    run = here("alarm", "--home", str(tmp_path / "gone"))
    assert run.returncode == Ending.ALARM
    assert run.stdout.startswith("The catalogue cannot be read: ")


def test_a_test_needs_a_channel_and_says_what_is_wrong_with_it(here: Here) -> None:
    assert "nothing to test: set alarm_webhook" in here.bad(2, "alarm", "--test")
    assert "cannot be reached" in here.bad(1, "alarm", "--test", **NOBODY)
    assert "k3y" not in here("alarm", "--test", NISHIKI_LOG_LEVEL="DEBUG", **NOBODY).stderr
    wrong = here.bad(2, "alarm", "--test", NISHIKI_ALARM_WEBHOOK="k3y")
    assert "alarm_webhook cannot be used: give a web address" in wrong
    assert "k3y" not in wrong


def test_a_unit_that_failed_is_told_whatever_the_nights_do(here: Here) -> None:
    with listening() as chat:
        run = here("alarm", "--failed", "nishiki-backup.service", NISHIKI_ALARM_WEBHOOK=chat.address)
    assert run.returncode == Ending.ALARM
    (letter,) = chat.told
    assert "nishiki-backup.service failed on this machine" in json.loads(letter)["text"]


def test_a_failure_of_a_unit_without_a_name_is_told_all_the_same(here: Here) -> None:
    with listening() as chat:
        run = here("alarm", "--failed", "", NISHIKI_ALARM_WEBHOOK=chat.address)
    assert (run.returncode, len(chat.told)) == (Ending.ALARM, 1)
    assert run.stdout.startswith("A unit that was not named failed on this machine; which: systemctl --failed\n")


@pytest.mark.parametrize(
    ("file", "place", "told"),
    [
        (
            "",
            {"NISHIKI_RECIPEE": "x"},
            "NISHIKI_RECIPEE in the environment is no setting; the nearest is NISHIKI_RECIPE",
        ),
        ("recipe = ", {}, "nishiki.toml cannot be read: "),
        ('size = "large"', {}, "the setting size cannot be used: "),
        ('oai_address = "https://prints.example/oai"', {}, "the settings cannot be used: "),
        ("recipe = '\udce9'", {}, "nishiki.toml or .env is not written in UTF-8: "),
        ("", {"NISHIKI_ALARM_MAIL_TO": '["aoi@museum.example"]'}, "mail needs both alarm_mail_to and"),
    ],
)
def test_what_keeps_nights_from_beginning_is_told_too(
    here: Here, file: str, place: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here.home.parent)
    (here.home.parent / "nishiki.toml").write_text(file, encoding="utf-8", errors="surrogateescape")
    with listening() as chat:
        run = here("alarm", NISHIKI_ALARM_WEBHOOK=chat.address, **place)
    assert (run.returncode, run.stderr) == (Ending.ALARM, "")
    assert f"No night can begin with these settings: {told}" in run.stdout
    (letter,) = chat.told
    assert told in json.loads(letter)["text"]


def test_no_letter_of_a_password_that_is_not_percent_encoded_is_told_and_no_other_catalogue_looked_at(
    here: Here,
) -> None:
    with listening() as chat:
        wrong = {"NISHIKI_DATABASE_URL": "postgresql://u:Geh@im/s@127.0.0.1:1/n", "NISHIKI_ALARM_WEBHOOK": chat.address}
        run = here("alarm", "--home", "elsewhere", **wrong)
    (letter,) = chat.told
    assert run.returncode == Ending.ALARM
    assert "the setting database_url cannot be used" in json.loads(letter)["text"]
    for told in (run.stdout, run.stderr, letter.decode()):
        assert not any(word in told for word in ("Geh", "im/s", "127.0.0.1:1", "elsewhere yet"))


def test_a_nishiki_toml_that_is_a_folder_is_told_like_one_that_cannot_be_read(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here.home.parent)
    (here.home.parent / "nishiki.toml").mkdir()
    with listening() as chat:
        run = here("alarm", NISHIKI_ALARM_WEBHOOK=chat.address)
    assert (run.returncode, len(chat.told)) == (Ending.ALARM, 1)
    assert (
        "No night can begin with these settings: nishiki.toml cannot be read: it is a folder, and has to be a file"
        in run.stdout
    )
    assert "nishiki.toml cannot be read: it is a folder" in here.bad(2, "status")


def test_a_catalogue_that_may_not_be_read_is_alarming(here: Here) -> None:
    refused = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "catalogue.db")
    with patch("db.overview.Overview.open", side_effect=refused):
        run = CliRunner().invoke(app, ["alarm", "--home", str(here.home)])
    assert run.exit_code == Ending.ALARM
    assert run.stdout == "The catalogue cannot be read: catalogue.db: Permission denied\n"
