"""What all tests share: an environment of their own, weights that make nights short, one Prefect server.

The person's NISHIKI_* and PREFECT_* variables are gone before anything of ours is imported; NISHIKI_TEST_POSTGRES_URL
and NISHIKI_SHARED are spoken to the tests themselves and stay.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.once import made_once
from tests.prefect_server import ended, served

if TYPE_CHECKING:
    from torch import Tensor

    from flows.settings import Settings

SettingsOf = Callable[..., "Settings"]

for _name in list(os.environ):
    if _name.startswith(("NISHIKI_", "PREFECT_")) and _name not in ("NISHIKI_TEST_POSTGRES_URL", "NISHIKI_SHARED"):
        del os.environ[_name]
_IDLE = ("SCHEDULER", "LATE_RUNS", "FOREMAN", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP", "TRIGGERS", "REPOSSESSOR")
"""What of a Prefect server serves deployments and automations; for nothing it takes a twentieth of a core."""
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    **{f"PREFECT_SERVER_SERVICES_{name}_ENABLED": "false" for name in _IDLE},
}
"""Prefect reads these when it is imported, as it is with the first test module that names a flow."""
os.environ.update(QUIET)

ROOT = Path(__file__).parents[1]
SLOW_FIRST = ("e2e", "browser", "integration", "unit")


COMMON = pytest.StashKey[Path]()


def pytest_configure(config: pytest.Config) -> None:
    """One folder for what all workers share."""
    given = getattr(config, "workerinput", {}).get("common")
    config.stash[COMMON] = Path(given or tempfile.mkdtemp(prefix="nishiki-"))  # short: sockets lie there


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of it."""
    node.workerinput["common"] = str(node.config.stash[COMMON])


def pytest_unconfigure(config: pytest.Config) -> None:
    """What served all ends with the run, not with the worker that began it."""
    if not hasattr(config, "workerinput"):
        ended(config.stash[COMMON])
        shutil.rmtree(config.stash[COMMON], ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Rooms of long tests first, each in its random order, so that no worker waits at the end for another's."""
    items.sort(key=lambda item: SLOW_FIRST.index(item.path.relative_to(ROOT / "tests").parts[0]))


@pytest.fixture(scope="session", autouse=True)
def _own_place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No `.env`, `nishiki.toml` or cached weights of the person who runs the tests are in reach."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.chdir(tmp_path_factory.mktemp("elsewhere"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_power_failure() -> Iterator[None]:
    """Files of tests need not outlast the machine: no worker waits for its disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(os, "sync", lambda: None)
        yield


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def common(pytestconfig: pytest.Config) -> Path:
    """A folder that all workers of this run share; it goes with the run."""
    return pytestconfig.stash[COMMON]


@pytest.fixture(scope="session")
def narrow_weights(common: Path) -> Path:
    """A folder with a seeded encoder of VGG-19's shape, 4 to 8 channels wide: a night with it takes seconds."""
    return made_once(common / "weights", _narrow_weights)


def _narrow_weights(folder: Path) -> None:
    from safetensors.torch import save_file  # noqa: PLC0415  # most tests need no torch

    from colorize.encoders.loading import random_encoder  # noqa: PLC0415
    from colorize.encoders.vgg19 import CONVOLUTIONS  # noqa: PLC0415
    from colorize.encoders.weights import KEYS  # noqa: PLC0415

    convolutions = random_encoder(widths=(4, 8, 8, 8, 8)).convolutions
    tensors: dict[str, Tensor] = {}
    for name, key in zip(CONVOLUTIONS, KEYS, strict=True):
        weight, bias = convolutions[name]
        tensors |= {f"{key}.weight": weight.contiguous(), f"{key}.bias": bias.contiguous()}
    folder.mkdir()
    metadata = {"name": "random-seeded", "calibrated": "yes"}
    metadata["input"] = "RGB, range 0..255 float, minus mean [123.68, 116.779, 103.939]"
    save_file(tensors, folder / "narrow.safetensors", metadata)


@pytest.fixture(scope="session")
def prefect_api(common: Path) -> Iterator[str]:
    """URL of the run's Prefect server: flows here use it by themselves, processes when PREFECT_API_URL says so."""
    with served(common) as url:
        yield url


@pytest.fixture(scope="session")
def settings_of(narrow_weights: Path) -> SettingsOf:
    """Settings of a short night with its home in the folder given; anything can be set otherwise.

    config1_1_1 (SGD) brings colour in with three iterations.
    """
    from flows.settings import Settings  # noqa: PLC0415  # most tests need none

    def make(home: Path, **changes: Any) -> Settings:
        short = {"size": 48, "iterations": 3, "recipe": "jadh2016/config1_1_1", "cpu_processes": 1}
        narrow = {"weights_dir": narrow_weights, "encoder": "random-seeded"}
        machine = {**narrow, "archive_retries": 0, "device": "cpu"}
        return Settings.model_validate({"home": home, **short, **machine, **changes})

    return make


@pytest.fixture(scope="session")
def matched_home(common: Path, settings_of: SettingsOf) -> Path:
    """A home with two matches and no attempt, to be copied."""
    from flows.archives.sample.server import serve_sample  # noqa: PLC0415  # Prefect, which most tests here need not
    from flows.harvest import harvest  # noqa: PLC0415
    from flows.match import match  # noqa: PLC0415
    from flows.under_prefect import of_one_command  # noqa: PLC0415

    def make(home: Path) -> None:
        with of_one_command(gone=True), serve_sample(designs=4, grays=2) as archive:
            harvest(settings_of(home), [archive.base_url])
            assert match(settings_of(home)).matched == 2

    return made_once(common / "matched", make)
