"""The whole process group killed in the middle of pictures: what is resumed ends in the same pixels, bit for bit."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from safetensors import SafetensorError, safe_open
from skimage import data

from colorize.images.decode import decode
from db.catalogue import Catalogue
from db.settings import CatalogueSettings
from tests.e2e.conftest import Here, Nishiki

pytestmark = pytest.mark.long

KILLS = 2
PATIENCE_S = 240.0
ITERATIONS = 400
"""At some 4 ms each: two pictures outlast all kills."""


def lengthened(nishiki: Nishiki, iterations: int) -> Nishiki:
    """Pictures long enough to be killed in, on one thread each: two would wait for each other on a busy core."""
    long = {"NISHIKI_ITERATIONS": str(iterations), "NISHIKI_RECIPE": "jadh2016/config1_3_1"}
    own = {**long, "NISHIKI_CHECKPOINT_S": "0.1", "OMP_NUM_THREADS": "1"}
    return replace(nishiki, environment={**nishiki.environment, **own})


@pytest.fixture
def matched(nishiki: Nishiki, matched_home: Path) -> Nishiki:
    """A home with two matches."""
    shutil.copytree(matched_home, nishiki.home)
    return lengthened(nishiki, ITERATIONS)


def copied(nishiki: Nishiki, name: str) -> Nishiki:
    """The same command with a copy of its home."""
    home = nishiki.home.parent / name
    shutil.copytree(nishiki.home, home)
    return replace(nishiki, home=home, environment={**nishiki.environment, "NISHIKI_HOME": str(home)})


def here(nishiki: Nishiki) -> Here:
    """The same command for what is not killed: in this process, which has loaded all that it needs."""
    return Here(nishiki.home, nishiki.environment)


def results(nishiki: Nishiki) -> dict[str, str]:
    """SHA-256 of each result's pixels by what was colorized; nothing twice and nothing missing."""
    with Catalogue.open(CatalogueSettings(home=nishiki.home), create=False) as catalogue:
        attempts = list(catalogue.attempts())
        assert catalogue.unfinished_batches() == []
        assert [each.number for each in attempts] == [1, 1]
        pictures = [decode(catalogue.pictures.read(each.output_sha256 or "")).pixels for each in attempts]
    digests = [hashlib.sha256(pixels.tobytes()).hexdigest() for pixels in pictures]
    return dict(zip([each.content.identifier for each in attempts], digests, strict=True))


def checkpoints(nishiki: Nishiki) -> dict[Path, int]:
    """When each was written."""
    return {path: path.stat().st_mtime_ns for path in (nishiki.home / "checkpoints").glob("*.safetensors")}


def iterations(nishiki: Nishiki) -> dict[str, int]:
    """How far each picture in work is, by its checkpoint; every file that lies there must be whole."""
    found = {}
    for path in checkpoints(nishiki):
        try:
            with safe_open(path, framework="pt") as file:
                (found[path.name],) = json.loads(file.metadata()["words"])["iterations"]
        except SafetensorError as error:
            pytest.fail(f"{path.name} is torn: {error}")
    return found


def kill_in_the_middle(nishiki: Nishiki, process: "subprocess.Popen[str]", after_s: float) -> None:
    """Kill the group so long after it was first seen to keep a checkpoint."""
    before, end = checkpoints(nishiki), time.monotonic() + PATIENCE_S
    while checkpoints(nishiki).items() <= before.items():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "no checkpoint was kept"
        time.sleep(0.005)
    time.sleep(after_s)
    assert process.poll() is None, "the batch was over before it could be killed"
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_pictures_killed_at_two_random_moments_and_resumed_are_those_of_an_undisturbed_run(matched: Nishiki) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"random moments of seed {seed}")  # noqa: T201  # whoever sees it fail can have the same again
    moments, undisturbed = random.Random(seed), copied(matched, "undisturbed")
    here(undisturbed).good("dispatch")
    wanted = results(undisturbed)
    assert len(set(wanted.values())) == 2
    assert list((undisturbed.home / "checkpoints").iterdir()) == []

    far: list[dict[str, int]] = []
    for number in range(KILLS):
        kill_in_the_middle(matched, matched.start("resume" if number else "dispatch"), moments.uniform(0, 0.3))
        far.append(iterations(matched))
        assert len(far[-1]) >= 1, "a picture was in work"
    for earlier, later in pairwise(far):
        assert all(later.get(name, ITERATIONS) >= done for name, done in earlier.items()), "no picture is begun anew"
        assert sum(later.values()) > sum(earlier.get(name, 0) for name in later), "each run went on from there"
    print(f"killed at iterations {[list(each.values()) for each in far]} of {ITERATIONS}")  # noqa: T201  # as above
    assert "2 succeeded" in here(matched).good("resume")
    assert results(matched) == wanted
    assert checkpoints(matched) == {}


def test_one_pair_killed_and_begun_again_is_that_of_an_undisturbed_command(nishiki: Nishiki, tmp_path: Path) -> None:
    pictures: Any = data
    for name in ("chelsea", "astronaut"):
        Image.fromarray(getattr(pictures, name)()[::6, ::6]).save(tmp_path / f"{name}.png")
    pair = ("colorize", "chelsea.png", "astronaut.png", "-o")
    long = lengthened(nishiki, iterations=300)
    kill_in_the_middle(long, long.start(*pair, "killed.png"), 0.1)
    assert not (tmp_path / "killed.png").exists()
    assert len(checkpoints(long)) == 1
    assert "begun anew" not in long.good(*pair, "killed.png")
    assert checkpoints(long) == {}
    long.good(*pair, "undisturbed.png")
    killed, undisturbed = (decode((tmp_path / f"{name}.png").read_bytes()) for name in ("killed", "undisturbed"))
    assert (killed.pixels == undisturbed.pixels).all()
