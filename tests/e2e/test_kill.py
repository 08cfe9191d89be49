"""The night killed at any moment, and stopped by hand: the next one ends it, with nothing twice and nothing missing."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from db.catalogue import Catalogue
from db.entries.nights import NightEnding
from db.errors import CatalogueError
from db.settings import CatalogueSettings
from flows.archives.sample.server import SampleArchive, serve_sample
from flows.endings import Ending
from tests.e2e.conftest import Here, Nishiki, in_folder
from tests.prefect_server import used_before

pytestmark = pytest.mark.long

GRAYS = 4
PATIENCE_S = 240.0


@pytest.fixture
def slow(nishiki: Nishiki) -> Nishiki:
    """Attempts of about half a second, pictures of a tenth, and a mark on every process that belongs to us."""
    return slowed(nishiki)


@pytest.fixture
def slow_alone(tmp_path: Path, narrow_weights: Path, prefect_api: str, common: Path) -> Nishiki:
    """The same with a Prefect server of its own, as in a terminal on a later night."""
    nishiki = slowed(in_folder(tmp_path, narrow_weights, None), iterations=400)
    used_before(nishiki.home, common)
    return nishiki


def slowed(nishiki: Nishiki, iterations: int = 150) -> Nishiki:
    marked = {"NISHIKI_ITERATIONS": str(iterations), "NISHIKI_PACE_S": "0.1", "NISHIKI_TEST_MARK": uuid4().hex}
    return replace(nishiki, environment={**nishiki.environment, **marked})


@pytest.fixture
def archive() -> Iterator[SampleArchive]:
    with serve_sample(designs=4, grays=GRAYS) as server:
        yield server


@pytest.fixture
def small_archive() -> Iterator[SampleArchive]:
    """For nights of long pictures: two are left when the first is done."""
    with serve_sample(designs=4, grays=3) as server:
        yield server


def status(nishiki: Nishiki) -> dict[str, Any] | None:
    """The catalogue in numbers, without a process for it; None before there is one."""
    try:
        with Catalogue.open(CatalogueSettings(home=nishiki.home), create=False) as catalogue:
            return catalogue.status()
    except CatalogueError:
        return None


def wait_for(reached: Callable[[dict[str, Any]], bool], nishiki: Nishiki, process: "subprocess.Popen[str]") -> None:
    """Until the catalogue has come so far; the process must still run then."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        numbers = status(nishiki)
        if numbers is not None and reached(numbers):
            assert process.poll() is None, "the night was over before it could be killed"
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"the night did not come so far: {process.communicate()}")


def marked(nishiki: Nishiki) -> list[int]:
    """Processes alive that carry our mark."""
    mark = f"NISHIKI_TEST_MARK={nishiki.environment['NISHIKI_TEST_MARK']}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (entry / "environ").read_bytes() and " Z " not in (entry / "stat").read_text():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def left_alone_after(seconds: float, nishiki: Nishiki) -> list[int]:
    """Our processes that still live after so long."""
    end = time.monotonic() + seconds
    while (alive := marked(nishiki)) and time.monotonic() < end:
        time.sleep(0.1)
    return alive


def closed(numbers: dict[str, Any]) -> int:
    return sum(numbers["attempts"][outcome] for outcome in ("succeeded", "rejected", "failed"))


def came_further(before: int, numbers: dict[str, Any]) -> bool:
    return closed(numbers) > before


KILLS = 2


def test_a_night_killed_again_and_again_ends_with_each_match_colorized_once(
    slow: Nishiki, archive: SampleArchive
) -> None:
    for _ in range(KILLS):
        numbers = status(slow)
        before = closed(numbers) if numbers else 0  # a kill may leave two where one was waited for
        process = slow.start("nightly", archive.base_url)
        wait_for(partial(came_further, before), slow, process)
        assert len(marked(slow)) >= 1
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert left_alone_after(30, slow) == []
    numbers = status(slow)
    assert numbers is not None
    assert numbers["attempts"]["pending"] > 0
    here = Here(slow.home, slow.environment)
    here.good("nightly", archive.base_url)

    with Catalogue.open(CatalogueSettings(home=slow.home), create=False) as catalogue:
        attempts = list(catalogue.attempts())
        assert catalogue.unfinished_batches() == []
        numbers = catalogue.status()
        nights = [night.end and night.end.ending for night in catalogue.nights()]
    assert nights == [NightEnding.DONE, *[NightEnding.KILLED] * KILLS]
    assert numbers["attempts"] == {"pending": 0, "succeeded": GRAYS, "rejected": 0, "failed": 0}
    assert numbers["matches"]["matched"] == GRAYS
    assert numbers["pictures"] == {"wanted": 1, "held": numbers["records"] - 1, "broken": 0}
    keys = Counter((a.content.sha256, a.styles[0].sha256, a.recipe.digest, a.encoder.checksum) for a in attempts)
    assert set(keys.values()) == {1}
    assert len({attempt.match_id for attempt in attempts}) == GRAYS
    for file in (slow.home / "pictures").rglob("*"):  # the doctor leaves young files to whoever writes them
        os.utime(file, (0, 0))
    said = here("doctor", "--deep").stdout.splitlines()
    assert [line for line in said if not line.startswith(("unreferenced file", "leftover file", "The catalogue"))] == []


def test_ctrl_c_is_answered_with_one_sentence_and_resume_ends_the_batch(
    slow_alone: Nishiki, small_archive: SampleArchive, prefect_api: str
) -> None:
    process = slow_alone.start("nightly", small_archive.base_url)
    wait_for(lambda numbers: closed(numbers) >= 1, slow_alone, process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the command hears it
    _, said = process.communicate(timeout=60)
    assert process.returncode == Ending.INTERRUPTED, said
    assert said.splitlines()[-1] == (
        "nishiki: stopped; what was finished is kept, and the next run carries on (or: nishiki resume)"
    )
    assert "Traceback" not in said
    assert left_alone_after(30, slow_alone) == []
    numbers = status(slow_alone)
    assert numbers is not None
    assert numbers["batch"]["left"] > 0
    (night,) = json.loads(Here(slow_alone.home, slow_alone.environment).good("nights", "--json"))
    assert (night["ending"], night["exit_code"], night["reason"]) == ("stopped", 130, "stopped by Ctrl-C (SIGINT)")
    later = Here(slow_alone.home, {**slow_alone.environment, "PREFECT_API_URL": prefect_api})
    assert f"{numbers['batch']['left']} succeeded" in later.good("resume")
    assert later.status()["attempts"] == {"pending": 0, "succeeded": 3, "rejected": 0, "failed": 0}


def test_a_killed_command_takes_its_own_prefect_server_with_it(slow_alone: Nishiki, archive: SampleArchive) -> None:
    process = slow_alone.start("harvest", archive.base_url)
    wait_for(lambda numbers: numbers["pictures"]["held"] >= 1, slow_alone, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert left_alone_after(30, slow_alone) == []
