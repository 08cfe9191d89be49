"""Nights whose colorizing processes are there in a moment."""

import multiprocessing
import shutil
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.matching.geometry import Features, features
from flows import under_prefect
from flows.settings import Settings
from flows.under_prefect import of_one_command
from tests.forked import forked_workers, new_context
from tests.unfriendly import Unfriendly, serve_unfriendly

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture(scope="session", autouse=True)
def _forked() -> Iterator[None]:
    """Colorizing processes are forked, not spawned: a dispatch of small pictures takes half the time."""
    with forked_workers():
        yield


@pytest.fixture(scope="session", autouse=True)
def _seen_before() -> Iterator[None]:
    """The features of a picture are found once and not in every night, for the sample's prints come again and again."""
    kept: dict[tuple[bytes, Frame | None], Features] = {}

    def remembered(pixels: Pixels, frame: Frame | None = None) -> Features:
        key = (sha256(pixels.tobytes()).digest(), frame)
        if key not in kept:
            kept[key] = features(pixels, frame)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.matching.drawings.features", remembered)
        yield


@pytest.fixture(scope="session", autouse=True)
def _unseen() -> Iterator[None]:
    """Stages called here ask no Prefect server, which takes longer for a flow than its work does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_prefect, "of_one_command", partial(of_one_command, gone=True))
        yield


@pytest.fixture(scope="module")
def seen(prefect_api: str) -> Iterator[str]:
    """In this module they do, as under the command: its API's URL."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(under_prefect, "of_one_command", of_one_command)
        yield prefect_api


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside the tests, for those who kill: a forked process may be done before it is seen."""
    monkeypatch.setattr(multiprocessing, "get_context", new_context)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Unfriendly]:
    """An archive that misbehaves as the test says."""
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", ())  # the pauses of a real night take minutes
    with serve_unfriendly() as unfriendly:
        yield unfriendly


@pytest.fixture
def own_settings(settings_of: "SettingsOf", sqlite_template: Path, tmp_path: Path) -> Settings:
    """Settings of a home with an empty catalogue."""
    (tmp_path / "home").mkdir()
    shutil.copy(sqlite_template, tmp_path / "home" / "catalogue.db")
    return settings_of(tmp_path / "home")
