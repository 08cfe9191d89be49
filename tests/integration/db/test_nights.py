"""The history of nights: a row for each, closed however it ended."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.nights import NightEnd, NightEnding
from db.queries.night import nights
from db.queries.night.batch_owner import this_process
from db.tables.night import Night
from tests.samples import Sample
from tests.waiting import until


def test_a_night_is_a_row_from_its_beginning_to_its_end(catalogue: Catalogue) -> None:
    assert catalogue.nights() == []
    night = catalogue.begin_night()
    catalogue.note_night(night, {"harvest": 1.5}, {"pictures": 3})
    (open_one,) = catalogue.nights()
    assert (open_one.id, open_one.end, open_one.ended_at) == (night, None, None)
    assert open_one.seen_at > open_one.began_at
    end = NightEnd(NightEnding.FAILED, 1, "Harvest of theatre ended early: no answer")
    assert catalogue.end_night(night, end, {"harvest": 1.5, "match": 0.5}, {"pictures": 3, "matches": 2})
    (closed,) = catalogue.nights()
    assert (closed.end, closed.seconds) == (end, {"harvest": 1.5, "match": 0.5})
    assert closed.counts == {"pictures": 3, "matches": 2}
    assert closed.ended_at is not None


def test_a_night_that_was_left_open_is_closed_by_the_next_as_killed_at_its_last_sign_of_life(
    catalogue: Catalogue,
) -> None:
    first = catalogue.begin_night()
    catalogue.note_night(first, {"harvest": 1.5}, {"pictures": 3})
    (seen,) = catalogue.nights()
    second = catalogue.begin_night()
    newest, killed = catalogue.nights()
    assert (newest.id, newest.end) == (second, None)
    assert killed.end is not None
    assert (killed.end.ending, killed.end.exit_code) == (NightEnding.KILLED, None)
    assert (killed.ended_at, killed.counts) == (seen.seen_at, {"pictures": 3})
    assert not catalogue.end_night(first, NightEnd(NightEnding.DONE, 0), {}, {}), "it was taken for dead"
    assert [night.id for night in catalogue.nights(1)] == [second]


def test_a_night_without_a_sign_of_life_is_not_called_at_work(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.begin_night()
    assert [(night.at_work, night.silent) for night in catalogue.nights()] == [(True, False)]
    monkeypatch.setattr(nights, "QUIET", timedelta(0))
    (silent,) = catalogue.nights()
    assert (silent.at_work, silent.silent) == (False, True)
    catalogue.end_night(silent.id, NightEnd(NightEnding.DONE, 0), {}, {})
    assert [(night.at_work, night.silent) for night in catalogue.nights()] == [(False, False)]


def test_a_night_whose_process_is_gone_is_not_called_at_work(catalogue: Catalogue) -> None:
    catalogue.begin_night()
    _became(catalogue, process_start="another boot:1")
    assert [(night.at_work, night.silent) for night in catalogue.nights()] == [(False, True)]


def test_of_a_night_elsewhere_a_servers_lock_tells_whether_it_is_at_work(catalogue: Catalogue, tmp_path: Path) -> None:
    on_server = catalogue.engine.dialect.name == "postgresql"
    with catalogue.night_alone(tmp_path, print):
        catalogue.begin_night()
        _became(catalogue, host="elsewhere.example", pid=1)
        assert catalogue.nights()[0].at_work
        _became(catalogue, host=this_process().host, process_start="another boot:1")
        assert catalogue.nights()[0].at_work is on_server, "two machines may bear one name"
        _became(catalogue, host="elsewhere.example")
    until(lambda: catalogue.nights()[0].silent is on_server, 10)  # a server frees it as its backend ends


def test_a_night_that_did_not_count_its_attempts_has_them_counted_as_it_ends(
    catalogue: Catalogue, sample: Sample
) -> None:
    stopped = catalogue.begin_night()
    sample.pairs(catalogue, 2)
    batch = sample.take(catalogue)
    first, second = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, first.id, sample.succeeded(catalogue))
    assert catalogue.end_night(stopped, NightEnd(NightEnding.STOPPED, 130), {}, {"pictures": 3})
    catalogue.begin_night()
    catalogue.close_attempt(batch, second.id, sample.succeeded(catalogue))
    catalogue.begin_night()
    _, killed, told = catalogue.nights()
    assert told.counts == {"pictures": 3, "attempts": {"succeeded": 1}}
    assert killed.counts == {"attempts": {"succeeded": 1}}


def _became(catalogue: Catalogue, **values: str | int) -> None:
    with writing(catalogue.engine).begin() as connection:
        connection.execute(update(Night).values(values))
