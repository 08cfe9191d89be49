"""Pictures put down in the middle by whoever owns them: taken up where they stood, and their checkpoints removed."""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from colorize.images.decode import decode
from colorize.recipes.recipe import Precision
from db.catalogue import Catalogue
from db.entries.night import AttemptEntry
from flows.dispatch import dispatch
from flows.settings import Settings
from flows.single import Files, colorize_files
from tests.integration.flows.processes import colorizing_children

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

LONG: dict[str, Any] = {"iterations": 150, "recipe": "jadh2016/config1_3_1", "checkpoint_s": 0.02}


@pytest.fixture
def settings(settings_of: "SettingsOf", matched_home: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of that home, with pictures of about half a second."""
    return settings_of(shutil.copytree(matched_home, tmp_path / "home"), **LONG)


@pytest.fixture(scope="module")
def undisturbed(settings_of: "SettingsOf", matched_home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    settings = settings_of(shutil.copytree(matched_home, tmp_path_factory.mktemp("undisturbed") / "home"), **LONG)
    dispatch(settings)
    return pixels_in(settings)


def attempts_in(settings: Settings) -> list[AttemptEntry]:
    with Catalogue.open(settings, create=False) as catalogue:
        assert catalogue.unfinished_batches() == []
        return list(catalogue.attempts())


def pixels_in(settings: Settings) -> list[bytes]:
    """The pixels of every result, in the order of their attempts."""
    attempts = attempts_in(settings)
    with Catalogue.open(settings, create=False) as catalogue:
        return [decode(catalogue.pictures.read(each.output_sha256 or "")).pixels.tobytes() for each in attempts]


def checkpoints(settings: Settings) -> list[str]:
    return sorted(path.name for path in (settings.home / "checkpoints").iterdir())


@contextmanager
def killer_of_whoever_keeps(folder: Path) -> Iterator[list[int]]:
    """Kills the colorizing process once it has kept a checkpoint; yields its id."""
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005) and not killed:
            if list(folder.glob("*.safetensors")) and (alive := colorizing_children()):
                os.kill(alive[0], signal.SIGKILL)
                killed.append(alive[0])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


@pytest.mark.usefixtures("spawned")
def test_a_batch_resumes_the_picture_over_which_its_process_was_killed(
    settings: Settings, undisturbed: list[bytes]
) -> None:
    with killer_of_whoever_keeps(settings.home / "checkpoints") as killed:
        (tally,) = dispatch(settings)
    assert len(killed) == 1
    assert sum(tally.outcomes.values()) == 2
    assert "failed" not in tally.outcomes
    assert pixels_in(settings) == undisturbed
    assert {each.result.versions["precision"] for each in attempts_in(settings) if each.result} <= set(
        get_args(Precision)
    )
    assert checkpoints(settings) == []


def test_a_damaged_checkpoint_is_told_and_none_is_left_to_resume_of_a_picture_or_a_failure(
    settings: Settings, undisturbed: list[bytes]
) -> None:
    (settings.home / "checkpoints").mkdir()
    for number in (1, 2):
        (settings.home / "checkpoints" / f"attempt-{number}.safetensors").write_bytes(b"torn")
    with Catalogue.open(settings) as catalogue:
        grays = [each for each in catalogue.describe(range(1, 20)).values() if each.identifier.endswith("0002-g")]
        away = catalogue.pictures.path(grays[0].sha256)
    away.rename(settings.home / away.name)
    (settings.home / "checkpoints" / "attempt-1.tmp").write_bytes(b"half written by a process that was killed")
    (tally,) = dispatch(settings.model_copy(update={"checkpoint_s": 3600.0}))
    resumed, failed = attempts_in(settings)
    assert (resumed.id, failed.id, tally.outcomes["failed"]) == (1, 2, 1)
    assert failed.content.identifier == grays[0].identifier
    said = [sentence for name, sentence in tally.notes if name == resumed.content.identifier]
    assert "the checkpoint attempt-1.safetensors is damaged" in said[0]
    with Catalogue.open(settings) as catalogue:
        made = decode(catalogue.pictures.read(resumed.output_sha256 or "")).pixels.tobytes()
    assert made == undisturbed[0]
    assert checkpoints(settings) == []


def written(folder: Path, name: str, pixels: NDArray[np.uint8]) -> Path:
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def test_one_pair_resumes_from_what_an_earlier_command_kept_or_says_that_it_cannot(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    found: Any = data
    content = written(tmp_path, "content.png", found.chelsea()[::8, ::8])
    style = written(tmp_path, "style.png", found.astronaut()[::8, ::8])
    settings = settings_of(tmp_path / "home", **LONG)
    folder, seen, over = settings.home / "checkpoints", set[str](), threading.Event()

    def look() -> None:
        while not over.wait(0.002):
            seen.update(path.name for path in folder.glob("*.safetensors"))

    thread = threading.Thread(target=look)
    thread.start()
    said = list(colorize_files(settings, Files(content, (style,), None, tmp_path / "one.png")))
    over.set()
    thread.join()
    (name,) = seen
    assert checkpoints(settings) == []
    assert "checkpoint" not in said[0]

    (folder / name).write_bytes(b"torn")
    said = list(colorize_files(settings, Files(content, (style,), None, tmp_path / "two.png")))
    assert f"the checkpoint {name} is damaged" in said[0]
    assert said[0].endswith("begun anew")
    assert checkpoints(settings) == []
    one, two = (decode((tmp_path / each).read_bytes()).pixels for each in ("one.png", "two.png"))
    assert (one == two).all()
