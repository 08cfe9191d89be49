"""`nishiki redo` as an operator uses it: told what is put back, refused while a night is at work."""

import os
from pathlib import Path

import pytest

from db.catalogue import Catalogue
from db.entries.night import WindowState
from db.files.home import NIGHT_LOCK
from db.files.lock import held_alone
from db.settings import CatalogueSettings
from flows.endings import Ending
from tests.e2e.conftest import Here
from tests.samples import Sample

pytestmark = pytest.mark.long


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """The command with a catalogue of two results, of one night."""
    home, sample = tmp_path / "home", Sample()
    with Catalogue.open(CatalogueSettings(home=home)) as catalogue:
        sample.pairs(catalogue, 2)
        sample.night(catalogue)
        window = catalogue.open_window(sample.archive(catalogue), None, sample.moment)
        catalogue.close_window(window, WindowState.DONE, records=4, problems=0)
    return Here(home, {"PATH": os.environ["PATH"], "NISHIKI_HOME": str(home)})


def test_each_thing_is_put_back_and_told(here: Here) -> None:
    assert here.good("redo", "batch", "1") == "0 failed attempts count no longer; the next night tries again.\n"
    said = here.good("redo", "record", "gray-0", "--results").splitlines()
    assert said == [
        "1 picture is fetched again by the next harvest.",
        "0 failed attempts count no longer; the next night tries again.",
        "1 result is made again by the next night.",
    ]
    assert "1 result is made again" in here.good("redo", "batch", "1", "--results")
    assert here.good("redo", "window", "sample", "2026-03-02").startswith("0 windows of sample reach beyond 2026-03-02")
    assert "sample is listed from its beginning by the next harvest." in here.good("redo", "archive", "sample")
    assert here.status()["archives"][0]["last_harvest"] is None
    assert "records, to be listed from its beginning" in here.good("status")


def test_what_there_is_not_is_told_and_nothing_is_put_back_while_a_night_is_at_work(here: Here) -> None:
    assert "there is no batch 9" in here.bad(Ending.FAILED, "redo", "batch", "9")
    assert "there is no record gray-9" in here.bad(Ending.FAILED, "redo", "record", "gray-9")
    assert "there is no archive 'other'" in here.bad(Ending.FAILED, "redo", "archive", "other")
    with held_alone(here.home / NIGHT_LOCK):
        assert "another night is at work" in here.bad(Ending.BUSY, "redo", "archive", "sample")
    assert here.status()["archives"][0]["last_harvest"] is not None
