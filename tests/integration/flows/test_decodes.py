"""One picture's way through a night, counted: how often an original is decoded in full, in whatever process."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from flows.archives.sample.server import serve_sample
from flows.settings import Settings

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

NIGHT = """\
import sys
from flows.settings import Settings
if __name__ == "__main__":
    from flows.nightly import nightly
    from flows.under_prefect import of_one_command
    with of_one_command(gone=True):
        nightly([sys.argv[1]], Settings.model_validate_json(sys.argv[2]))
"""
COUNTING = """\
import hashlib, os, sys
from PIL import ImageFile

def counted(image):
    if image.tile and hasattr(image.fp, "getvalue"):  # not decoded yet, and from bytes, as every original is
        frame = sys._getframe(1)
        while not frame.f_globals["__name__"].startswith(("flows.", "colorize.jobs")):
            frame = frame.f_back
        with open(os.environ["COUNTED"], "a") as file:
            file.write(hashlib.sha256(image.fp.getvalue()).hexdigest() + " " + frame.f_globals["__name__"] + "\\n")
    return plain(image)

plain, ImageFile.ImageFile.load = ImageFile.ImageFile.load, counted
"""
"""Run by Python at the start of every process, of those that colorize too."""

Night = Callable[[], Counter[tuple[str, str]]]


@pytest.fixture(scope="module")
def night(
    settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory, project: Path
) -> Iterator[tuple[Settings, Night]]:
    """A night as a program of its own; how often each file (sha256) was decoded, and by which module."""
    folder = tmp_path_factory.mktemp("counted")
    (folder / "sitecustomize.py").write_text(COUNTING)
    (folder / "night.py").write_text(NIGHT)
    settings, log = settings_of(folder / "home"), folder / "decodes.txt"
    paths = os.pathsep.join([str(folder), str(project)])
    environment = {**os.environ, "PYTHONPATH": paths, "COUNTED": str(log)}

    def run(url: str) -> Counter[tuple[str, str]]:
        log.write_text("")
        given = settings.model_dump_json(exclude_defaults=True)
        subprocess.run([sys.executable, folder / "night.py", url, given], env=environment, check=True, timeout=300)
        return Counter((sha256, module) for sha256, module in map(str.split, log.read_text().splitlines()))

    with serve_sample(designs=4, grays=2) as archive:
        yield settings, lambda: run(archive.base_url)


def test_an_original_is_decoded_once_to_be_harvested_once_to_be_coloured_and_once_for_its_tiles(
    night: tuple[Settings, Night],
) -> None:
    settings, run = night
    counts = run()
    with Catalogue.open(settings) as catalogue:
        attempts = list(catalogue.attempts())
        harvested = catalogue.harvested_names()
    contents = {attempt.content.sha256 for attempt in attempts}
    assert len(contents) == 2
    for sha256 in contents:
        decodes = {module: count for (file, module), count in counts.items() if file == sha256}
        assert decodes == {"flows.upkeep.working_copies": 1, "colorize.jobs": 1, "flows.workers.tiles": 1}
    for sha256 in harvested:
        assert counts[sha256, "flows.upkeep.working_copies"] == 1
        assert counts[sha256, "flows.reports.contact_sheet"] == 0
    again = run()
    assert not {sha256 for sha256, _ in again} & harvested, "a night without news decodes no original"
