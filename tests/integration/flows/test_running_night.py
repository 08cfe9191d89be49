"""A night tells how it went in a row of its own, whatever ends it."""

from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from db.entries.nights import NightEnd, NightEnding, NightEntry
from db.errors import CatalogueFull
from db.queries.night import night_lock
from flows import nightly as flow
from flows import running_night, stopping
from flows.endings import Ending
from flows.morning import report_file
from flows.nightly import nightly
from flows.plan import plan_night
from flows.settings import Settings
from flows.stopping import Stopped
from tests.integration.cut_off import cut_off
from tests.waiting import until

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


def last_night(settings: Settings) -> NightEntry:
    with Catalogue.open(settings, create=False) as catalogue:
        return catalogue.nights(1)[0]


@pytest.mark.long
def test_a_night_over_an_archive_that_is_silent_has_failed_and_says_so(own_settings: Settings) -> None:
    night = nightly(["http://127.0.0.1:9/oai"], own_settings.model_copy(update={"pace_s": 0}))
    told = last_night(own_settings)
    assert told.end == NightEnd(NightEnding.FAILED, 1, "\n".join(night.told()))
    assert told.end.reason.startswith("Harvest of http://127.0.0.1:9/oai ended early: ")
    assert list(told.seconds) == ["harvest", "match", "dispatch", "report"]
    assert "failed" in report_file(own_settings, told.id).read_text(encoding="utf-8")
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
    assert report_file(own_settings, told.id).exists()


def test_an_end_without_order_is_written_as_what_it_is(own_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    end = NightEnd(NightEnding.STOPPED, 130, "stopped by Ctrl-C (SIGINT)")
    monkeypatch.setattr("os._exit", ended.append)
    monkeypatch.setattr(stopping._stop, "ending", Ending.INTERRUPTED)
    with plan_night(own_settings, alone=True):
        stopping.end_at_once()
        assert (last_night(own_settings).end, ended) == (end, [130])
    assert last_night(own_settings).end == end, "the first word stands"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Nights look after their lock all the time; whether one has ended itself."""
    asked: list[bool] = []
    monkeypatch.setattr(running_night, "BEAT_S", 0.01)
    monkeypatch.setattr(stopping, "ask", lambda: asked.append(True))
    return asked


@pytest.fixture
def server_settings(settings_of: "SettingsOf", tmp_path: Path, postgres_database: str) -> Settings:
    """Settings of an empty catalogue on PostgreSQL."""
    (tmp_path / "home").mkdir()
    return settings_of(tmp_path / "home", database_url=postgres_database)


def test_a_night_whose_lock_is_lost_takes_it_again_says_so_and_goes_on(
    server_settings: Settings, asked: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    with plan_night(server_settings, alone=True) as plan:
        cut_off(plan.catalogue)
        until(lambda: "no other night began" in capsys.readouterr().err)
    assert asked == []
    end = last_night(server_settings).end
    assert end == NightEnd(NightEnding.DONE, 0)


def test_a_night_whose_lock_another_one_has_taken_ends_itself_and_says_why(
    server_settings: Settings, asked: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    with plan_night(server_settings, alone=True) as plan, plan.catalogue.engine.connect() as other:
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        taking = Thread(target=lambda: other.execute(text(f"SELECT pg_advisory_lock({night_lock.NIGHT})")))
        taking.start()
        with plan.catalogue.engine.connect() as looking:
            until(lambda: looking.execute(text(waits)).scalar_one())
        cut_off(plan.catalogue)
        until(lambda: asked)
        taking.join()
    assert "another night may have begun: this one ends" in capsys.readouterr().err
    end = last_night(server_settings).end
    assert end is not None
    assert end.ending is NightEnding.FAILED
    assert end.reason.startswith("the connection that held the night alone was lost")
