"""A night tells how it went in a row of its own, whatever ends it."""

from pathlib import Path
from typing import Any

import pytest

from db.catalogue import Catalogue
from db.entries.nights import NightEnd, NightEnding, NightEntry
from db.errors import CatalogueFull
from flows import nightly as flow
from flows.nightly import nightly
from flows.settings import Settings
from flows.stopping import Stopped

DATABASES = ("sqlite",)
pytestmark = pytest.mark.usefixtures("prefect_api")


def last_night(settings: Settings) -> NightEntry:
    with Catalogue.open(settings, create=False) as catalogue:
        return catalogue.nights(1)[0]


def test_a_night_over_an_archive_that_is_silent_has_failed_and_says_so(own_settings: Settings) -> None:
    night = nightly(["http://127.0.0.1:9/oai"], own_settings.model_copy(update={"pace_s": 0}))
    told = last_night(own_settings)
    assert told.end == NightEnd(NightEnding.FAILED, 1, "\n".join(night.told()))
    assert told.end.reason.startswith("Harvest of http://127.0.0.1:9/oai ended early: ")
    assert list(told.seconds) == ["harvest", "match", "dispatch", "report"]
    assert (told.counts["listed"], told.counts["pictures"], told.counts["attempts"]) == ({}, 0, {})


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (CatalogueFull("no room left"), NightEnd(NightEnding.FAILED, 1, "no room left")),
        (ZeroDivisionError(), NightEnd(NightEnding.FAILED, 1, "ZeroDivisionError")),
        (Stopped(), NightEnd(NightEnding.STOPPED, 130, "stopped by Ctrl-C (SIGINT)")),
    ],
)
def test_an_error_in_the_middle_ends_the_night_and_its_row(
    own_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, end: NightEnd
) -> None:
    def failing(*_: Any) -> None:
        raise error

    (tmp_path / "prints").mkdir()
    monkeypatch.setattr(flow, "match", failing)
    with pytest.raises(type(error)):
        nightly([str(tmp_path / "prints")], own_settings)
    told = last_night(own_settings)
    assert (told.end, list(told.seconds), told.counts["pictures"]) == (end, ["harvest", "match"], 0)
