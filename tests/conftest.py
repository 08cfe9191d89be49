"""What all tests share: an environment of their own, weights that make nights short, one Prefect server.

The person's NISHIKI_* and PREFECT_* variables are gone before anything of ours is imported; NISHIKI_TEST_POSTGRES_URL
and NISHIKI_SHARED are spoken to the tests themselves and stay.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

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
        yield


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root folder."""
    return ROOT


@pytest.fixture(scope="session")
def narrow_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a seeded encoder of VGG-19's shape, 4 to 8 channels wide: a night with it takes seconds."""
    from safetensors.torch import save_file  # noqa: PLC0415  # most tests need no torch

    from colorize.encoders.loading import random_encoder  # noqa: PLC0415
    from colorize.encoders.vgg19 import CONVOLUTIONS  # noqa: PLC0415
    from colorize.encoders.weights import KEYS  # noqa: PLC0415

    convolutions = random_encoder(widths=(4, 8, 8, 8, 8)).convolutions
    tensors: dict[str, Tensor] = {}
    for name, key in zip(CONVOLUTIONS, KEYS, strict=True):
        weight, bias = convolutions[name]
        tensors |= {f"{key}.weight": weight.contiguous(), f"{key}.bias": bias.contiguous()}
    folder = tmp_path_factory.mktemp("weights")
    metadata = {"name": "random-seeded", "calibrated": "yes"}
    metadata["input"] = "RGB, range 0..255 float, minus mean [123.68, 116.779, 103.939]"
    save_file(tensors, folder / "narrow.safetensors", metadata)
    return folder


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Prefect server: flows in this process use it by themselves, processes when PREFECT_API_URL says so.

    Starting takes 11 s, once in each worker that needs it.
    """
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415
    from prefect.testing.utilities import prefect_test_harness  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PREFECT_HOME", str(tmp_path_factory.mktemp("prefect")))
        with prefect_test_harness(server_startup_timeout=180):
            yield str(PREFECT_API_URL.value())


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
def matched_home(settings_of: SettingsOf, tmp_path_factory: pytest.TempPathFactory, prefect_api: str) -> Path:
    """A home with two matches and no attempt, to be copied."""
    from flows.archives.sample.server import serve_sample  # noqa: PLC0415  # Prefect, which most tests here need not
    from flows.harvest import harvest  # noqa: PLC0415
    from flows.match import match  # noqa: PLC0415

    home = tmp_path_factory.mktemp("matched")
    with serve_sample(designs=4, grays=2) as archive:
        harvest(settings_of(home), [archive.base_url])
    assert match(settings_of(home)).matched == 2
    return home
