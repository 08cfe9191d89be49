"""One night at a time on a catalogue, from whichever home and machine; and what a lost lock leads to."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.nights import NightEnd, NightEnding
from db.errors import NightRunning
from db.queries.night import nights
from db.settings import CatalogueSettings
from db.tables.night import Night
from tests.integration.cut_off import cut_off
from tests.waiting import until


def silent(line: str) -> None:
    raise AssertionError(line)


@pytest.fixture
def on_server(postgres_database: str, tmp_path: Path) -> Iterator[Catalogue]:
    """A catalogue on PostgreSQL."""
    settings = CatalogueSettings(home=tmp_path / "home", database_url=SecretStr(postgres_database))
    with Catalogue.open(settings) as opened:
        yield opened


def elsewhere(settings: CatalogueSettings, tmp_path: Path) -> CatalogueSettings:
    """The same catalogue with another home, as another machine has it."""
    (tmp_path / "other").mkdir()
    return settings.model_copy(update={"home": tmp_path / "other", "database_url": SecretStr(settings.url)})


def as_of_another_host(catalogue: Catalogue) -> None:
    with writing(catalogue.engine).begin() as connection:
        connection.execute(update(Night).values(host="elsewhere.example"))


def test_a_second_night_is_told_who_is_at_it_from_another_home_too(
    catalogue: Catalogue, settings: CatalogueSettings, tmp_path: Path
) -> None:
    with Catalogue.open(elsewhere(settings, tmp_path)) as other:
        with catalogue.night_alone(settings.home, silent):
            catalogue.begin_night()
            with pytest.raises(NightRunning, match=r"\(process \d+ on \S+, since .* UTC\); nothing was done"):
                other.night_alone(tmp_path / "other", silent).__enter__()
            with pytest.raises(NightRunning, match="process"):
                catalogue.night_alone(settings.home, silent).__enter__()
        (night,) = catalogue.nights()
        catalogue.end_night(night.id, NightEnd(NightEnding.DONE, 0), {}, {})
        with other.night_alone(tmp_path / "other", silent):
            pass


def test_a_lost_connection_gives_the_lock_free_and_is_noticed(on_server: Catalogue, tmp_path: Path) -> None:
    with on_server.night_alone(tmp_path, silent) as lock:
        assert lock is not None
        assert lock.is_held()
        cut_off(on_server)
        assert not lock.is_held()
        assert lock.take()
        assert lock.is_held()
        (tmp_path / "other").mkdir()
        with pytest.raises(NightRunning):
            on_server.night_alone(tmp_path / "other", silent).__enter__()
        cut_off(on_server)
        with on_server.night_alone(tmp_path / "other", silent):
            assert not lock.take()


def test_a_night_waits_for_one_that_may_still_live_elsewhere_until_that_has_ended_or_was_silent_long_enough(
    on_server: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(nights, "LOOK_S", 0.01)
    first = on_server.begin_night()
    with on_server.night_alone(tmp_path, silent):  # a row of this process is no other night's
        pass
    as_of_another_host(on_server)
    waiting = Thread(target=lambda: on_server.night_alone(tmp_path, said.append).__enter__(), daemon=True)
    waiting.start()
    until(lambda: said)
    on_server.keep_night_alive(first)
    assert waiting.is_alive()
    on_server.end_night(first, NightEnd(NightEnding.DONE, 0), {}, {})
    waiting.join(30)
    assert not waiting.is_alive()
    assert "on elsewhere.example, since" in said[0]


def test_a_night_that_was_silent_long_enough_is_waited_for_no_longer(
    on_server: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights, "LOOK_S", 0.01)
    monkeypatch.setattr(nights, "SILENT_S", 0.2)
    on_server.begin_night()
    as_of_another_host(on_server)
    began, said = time.monotonic(), list[str]()
    with on_server.night_alone(tmp_path, said.append):
        assert time.monotonic() - began >= 0.2
