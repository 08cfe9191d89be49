"""Nights in which something goes wrong: an archive that goes away, pictures that are gone, processes that die."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from typer.testing import CliRunner

from colorize.errors import SetAside, WorkerDied
from db.catalogue import Catalogue
from db.engine import writing
from db.entries.night import AttemptEntry, Change, EncoderKey, Tone
from flows.archives.sample.server import serve_sample
from flows.archives.web.breaker import LEAST
from flows.cli.app import app
from flows.dispatch import dispatch
from flows.harvest import harvest
from flows.match import match
from flows.plan import plan_night
from flows.settings import Settings
from flows.workers.processes import DeviceProcess
from tests.integration.flows.processes import colorizing_children
from tests.waiting import until

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture(scope="module")
def matched_home(settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with three matches and no attempt."""
    home = tmp_path_factory.mktemp("matched")
    with serve_sample(designs=4, grays=3) as archive:
        harvest(settings_of(home), [archive.base_url])
    assert match(settings_of(home)).matched == 3
    return home


@pytest.fixture
def settings(settings_of: "SettingsOf", matched_home: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    return settings_of(shutil.copytree(matched_home, tmp_path / "home"))


def attempts_in(settings: Settings) -> list[AttemptEntry]:
    with Catalogue.open(settings, create=False) as catalogue:
        assert catalogue.unfinished_batches() == []
        return list(catalogue.attempts())


@contextmanager
def killer(deaths: int) -> Iterator[list[int]]:
    """Kills colorizing processes of ours as soon as they are seen, so many of them; yields their ids."""
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.02) and len(killed) < deaths:
            for pid in colorizing_children():
                if pid not in killed and len(killed) < deaths:
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@pytest.mark.long
def test_an_archive_that_goes_away_leaves_pictures_to_be_fetched_the_next_night(
    settings_of: "SettingsOf", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", (0.05,))  # the pauses of a real night take minutes
    settings = settings_of(tmp_path / "home", pace_s=0.1)
    tallies = []
    with serve_sample(designs=4, grays=20, page=50) as archive:
        port, url = int(archive.root.rpartition(":")[2]), archive.base_url
        night = threading.Thread(target=lambda: tallies.extend(harvest(settings, [url])))
        night.start()
        until(lambda: list((tmp_path / "home" / "pictures").glob("??/??/*")))
    night.join(timeout=60)
    (tally,) = tallies
    assert tally.failure
    assert "Traceback" not in tally.failure
    assert (tally.records[Change.NEW], tally.records[Change.DELETED]) == (29, 1)
    assert tally.pictures >= 1
    with Catalogue.open(settings, create=False) as catalogue:
        pictures = catalogue.status()["pictures"]
    assert pictures["wanted"] >= LEAST
    assert pictures["held"] >= 1
    with serve_sample(designs=4, grays=20, page=50, port=port):
        (after,) = harvest(settings, [url])
    assert after.failure is None
    assert after.pictures == pictures["wanted"] - 1
    assert after.records[Change.NEW] == after.records[Change.CHANGED] == 0
    with Catalogue.open(settings, create=False) as catalogue:
        assert catalogue.status()["pictures"] == {"wanted": 1, "held": 28, "broken": 0}


@pytest.mark.long
def test_an_archive_that_comes_back_in_the_same_night_is_told_once(
    settings_of: "SettingsOf", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", (0.05,))  # as above
    settings = settings_of(tmp_path / "home", pace_s=0.1, archive_retries=1, archive_retry_pause_s=3)
    tallies = []
    with serve_sample(designs=4, grays=20, page=50) as archive:
        port, url = int(archive.root.rpartition(":")[2]), archive.base_url
        night = threading.Thread(target=lambda: tallies.extend(harvest(settings, [url])))
        night.start()
        until(lambda: list((tmp_path / "home" / "pictures").glob("??/??/*")))
    with Catalogue.open(settings, create=False) as catalogue, catalogue.engine.connect() as connection:
        noted = text("SELECT count(*) FROM record_images WHERE problem IS NOT NULL")

        def noted_patiently() -> bool:
            connection.rollback()
            return bool(connection.execute(noted).scalar_one() >= LEAST)

        until(noted_patiently)
    with serve_sample(designs=4, grays=20, page=50, port=port):
        night.join(timeout=60)
    (tally,) = tallies
    assert (tally.failure, tally.pictures) == (None, 28)
    assert {change: count for change, count in tally.records.items() if count} == {Change.NEW: 29, Change.DELETED: 1}
    assert [identifier for identifier, _ in tally.problems] == ["oai:sample.nishiki:0025-g"], "the one that is cut"


def test_what_a_folder_lists_no_more_is_withdrawn_with_what_it_allowed(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    folder = tmp_path / "prints"
    folder.mkdir()
    for shade, name in enumerate("abc"):
        Image.fromarray(np.full((60, 50), 90 + shade, np.uint8)).save(folder / f"{name}.png")
    settings = settings_of(tmp_path / "home")
    harvest(settings, [str(folder)])
    table = "identifier,file,derivatives,url\nX1,a.png,ask,\nc,c.png,yes,nowhere\n"
    (folder / "records.csv").write_text(table)
    (folder / "b.png").rename(tmp_path / "b.png")
    (tally,) = harvest(settings, [str(folder)])
    assert (tally.records[Change.NEW], tally.records[Change.CHANGED], tally.records[Change.DELETED]) == (1, 1, 2)
    assert [name for name, _ in tally.problems] == ["c"]
    with Catalogue.open(settings, create=False) as catalogue:
        assert catalogue.images_to_embed(EncoderKey("any", "0"), list(Tone)) == []
    (tmp_path / "b.png").rename(folder / "b.png")
    (folder / "records.csv").write_text(f"{table}b,b.png,yes,\n")
    (tally,) = harvest(settings, [str(folder)])
    assert (tally.records[Change.CHANGED], tally.records[Change.DELETED], tally.pictures) == (1, 0, 0)
    with Catalogue.open(settings, create=False) as catalogue:
        (usable,) = catalogue.images_to_embed(EncoderKey("any", "0"), list(Tone))
        assert catalogue.describe([usable.id])[usable.id].identifier == "b"


@pytest.mark.parametrize("low", [{"max_pixels": 10_000}, {"max_picture_bytes": 1000}])
def test_a_picture_over_a_limit_is_fetched_as_soon_as_the_limit_is_raised(
    settings_of: "SettingsOf", tmp_path: Path, low: dict[str, int]
) -> None:
    folder = tmp_path / "prints"
    folder.mkdir()
    noise = np.random.default_rng(5).integers(0, 256, (120, 100), np.uint8)
    Image.fromarray(noise).save(folder / "gray.png")
    for _ in range(6):
        (tally,) = harvest(settings_of(tmp_path / "home", **low), [str(folder)])
        assert [name for name, _ in tally.problems] == ["gray"]
        assert tally.failure is None
    (tally,) = harvest(settings_of(tmp_path / "home"), [str(folder)])
    assert (tally.problems, tally.pictures) == ([], 1)


def test_what_is_no_picture_in_a_folder_is_reported_and_the_rest_is_harvested(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    folder = tmp_path / "prints"
    (folder / "second box").mkdir(parents=True)
    Image.fromarray(np.full((60, 50), 90, np.uint8)).save(folder / "gray.png")
    Image.fromarray(np.full((60, 50, 3), (200, 90, 30), np.uint8)).save(folder / "second box" / "colour.png")
    (folder / "notes.txt").write_text("where these came from")
    (folder / "layers.psd").write_bytes(b"8BPS")
    (folder / "broken.png").write_bytes((folder / "gray.png").read_bytes()[:60])
    settings = settings_of(tmp_path / "home")
    (tally,) = harvest(settings, [str(folder)])
    assert (tally.failure, tally.records[Change.NEW], tally.pictures) == (None, 3, 2)
    assert sorted(name for name, _ in tally.problems) == ["broken", "layers.psd"]
    with Catalogue.open(settings, create=False) as catalogue:
        assert catalogue.status()["pictures"] == {"wanted": 1, "held": 2, "broken": 0}


def test_one_archive_that_does_not_answer_does_not_keep_the_others_waiting(
    settings_of: "SettingsOf", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", ())  # the pauses of a real night take minutes
    (tmp_path / "prints").mkdir()
    Image.fromarray(np.full((60, 50), 90, np.uint8)).save(tmp_path / "prints" / "gray.png")
    silent, found = harvest(settings_of(tmp_path / "home"), ["http://127.0.0.1:9/oai", str(tmp_path / "prints")])
    assert silent.failure is not None
    assert (found.failure, found.pictures) == (None, 1)


@pytest.mark.long
def test_a_stored_picture_that_is_gone_fails_its_attempt_alone_and_can_be_tried_again(settings: Settings) -> None:
    with Catalogue.open(settings) as catalogue:
        (content, *_) = sorted(
            (row for row in catalogue.describe(range(1, 20)).values() if row.identifier.endswith("0001-g")),
            key=lambda row: row.image_id,
        )
        file = catalogue.pictures.path(content.sha256)
    put_aside = file.rename(settings.home / file.name)
    (tally,) = dispatch(settings)
    assert tally.outcomes == {"succeeded": 2, "failed": 1}
    (failed,) = [attempt for attempt in attempts_in(settings) if attempt.outcome == "failed"]
    assert failed.content.identifier == content.identifier
    assert failed.result is not None
    assert (failed.result.error_class, failed.result.transient) == ("PictureGone", True)
    assert "nishiki doctor" in (failed.result.error_message or "")
    put_aside.rename(file)
    (again,) = dispatch(settings)
    assert again.outcomes == {"succeeded": 1}
    assert [attempt.number for attempt in attempts_in(settings)] == [1, 1, 1, 2]


@pytest.mark.long
@pytest.mark.usefixtures("spawned")
def test_a_colorizing_process_that_is_killed_is_started_again(settings: Settings) -> None:
    with killer(deaths=1) as killed:
        (tally,) = dispatch(settings)
    assert len(killed) == 1
    assert tally.outcomes == {"succeeded": 3}
    assert {attempt.outcome for attempt in attempts_in(settings)} == {"succeeded"}


@pytest.mark.long
@pytest.mark.usefixtures("spawned")
def test_processes_that_die_fewer_times_than_are_tried_cost_no_picture(settings: Settings) -> None:
    with killer(deaths=2) as killed:
        (tally,) = dispatch(settings)
    assert len(killed) == 2
    assert tally.outcomes == {"succeeded": 3}


@pytest.mark.usefixtures("spawned")
def test_pictures_over_which_processes_keep_dying_are_set_aside_and_named(settings: Settings) -> None:
    with killer(deaths=100) as killed:
        (tally,) = dispatch(settings)
    assert len(killed) == 9, "each of three was tried three times"
    assert tally.outcomes == {"failed": 3}
    for attempt in attempts_in(settings):
        assert attempt.result is not None
        assert (attempt.result.error_class, attempt.result.transient) == (SetAside.__name__, False)
        assert "3 workers died over it, the last: the process on cpu was killed (signal 9)" in (
            attempt.result.error_message or ""
        )
    assert colorizing_children() == []
    with Catalogue.open(settings) as catalogue:
        named = [each["record"] for each in catalogue.status()["set_aside"]]
    assert sorted(named) == sorted(identifier for identifier, _ in tally.problems)
    told = CliRunner().invoke(app, ["status", "--home", str(settings.home)])
    assert told.stdout.count("set aside ") == 3
    assert dispatch(settings) == [], "no night tries them again"


@pytest.mark.usefixtures("spawned")
def test_where_processes_die_before_any_picture_is_done_no_picture_is_to_blame(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.workers.batch_run.HOPELESS", 2)
    with killer(deaths=100), pytest.raises(WorkerDied, match="2 workers died and none has done a picture"):
        dispatch(settings)
    with Catalogue.open(settings) as catalogue:
        (free,) = catalogue.unfinished_batches()
        batch = catalogue.join(free.id)
        assert batch is not None
        assert [attempt.tries for attempt in catalogue.pending_attempts(batch)] == [0, 0, 0]
        catalogue.release_batch(batch)


@pytest.mark.long
@pytest.mark.parametrize(("tries", "outcomes"), [(5, {"succeeded": 3}), (6, {"failed": 1, "succeeded": 2})])
def test_a_picture_with_which_whole_commands_died_is_set_aside_later(
    settings: Settings, tries: int, outcomes: dict[str, int]
) -> None:
    with plan_night(settings) as plan:
        batch = plan.catalogue.take_batch(plan.night.entry, plan.night.models, plan.matcher, limit=None)
        assert batch is not None
        plan.catalogue.release_batch(batch)
        with writing(plan.catalogue.engine).begin() as connection:
            connection.execute(text("UPDATE attempts SET tries = :tries WHERE id = 1"), {"tries": tries})
    (tally,) = dispatch(settings)
    assert tally.outcomes == outcomes


@pytest.mark.long
def test_a_colorizing_process_that_hangs_is_ended_and_its_pictures_are_made_by_another(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped: list[int] = []
    started = DeviceProcess._started

    def stop_the_first(process: DeviceProcess) -> Connection:
        pipe = started(process)
        if not stopped:
            stopped.append(process._process.pid)
            os.kill(stopped[0], signal.SIGSTOP)
        return pipe

    monkeypatch.setattr(DeviceProcess, "_started", stop_the_first)
    (tally,) = dispatch(settings.model_copy(update={"hung_after_s": 15.0}))
    assert tally.outcomes == {"succeeded": 3}
    assert not Path(f"/proc/{stopped[0]}").exists()
