"""A whole sweep over two folders: every pair by every configuration once, told in a report, carried on when killed."""

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from db.catalogue import Catalogue
from db.entries.night import AttemptEntry, MatchOutcome
from db.errors import CatalogueError
from db.settings import CatalogueSettings
from flows.archives.errors import NotAnArchive
from flows.match import match
from flows.sweep.flow import Sweep, sweep
from flows.sweep.plan import SweepPlan, pattern_plan
from tests.e2e.conftest import Here, Nishiki, in_folder

if TYPE_CHECKING:
    from flows.settings import Settings
    from tests.conftest import SettingsOf

CONFIGS = "jadh2016/config1_1_[12]"
PATIENCE_S = 240.0


def draw(path: Path, seed: int, *, colour: bool = True) -> None:
    """A small picture of coarse patches, so that no two are alike."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), np.uint8)
    if not colour:
        patches[..., 1:] = patches[..., :1]
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(patches).resize((36, 48), Image.Resampling.BICUBIC).save(path)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """One gray content and two colour styles."""
    contents, styles = tmp_path / "contents", tmp_path / "styles"
    draw(contents / "gray.png", 1, colour=False)
    draw(styles / "red.png", 2)
    draw(styles / "blue.png", 3)
    return contents, styles


@dataclass(frozen=True)
class Bench:
    """What a sweep needs in a test."""

    settings: "Settings"
    plan: SweepPlan

    def attempts(self) -> list[AttemptEntry]:
        with Catalogue.open(self.settings, create=False) as catalogue:
            return list(catalogue.attempts())


@pytest.fixture
def bench(tmp_path: Path, settings_of: "SettingsOf") -> Bench:
    settings = settings_of(tmp_path / "home", size=32)
    return Bench(settings, pattern_plan(settings, [CONFIGS]))


def keys(attempts: list[AttemptEntry]) -> set[tuple[str, str, str]]:
    return {(each.content.identifier, each.styles[0].identifier, each.recipe.name) for each in attempts}


def outcomes(swept: Sweep) -> Counter[str]:
    return sum((tally.outcomes for tally in swept.batches), Counter())


EVERY = {("gray", style, f"jadh2016/config1_1_{z}") for style in ("red", "blue") for z in (1, 2)}


@pytest.mark.long
def test_every_pair_is_tried_by_every_configuration_once_and_never_again(
    bench: Bench, folders: tuple[Path, Path]
) -> None:
    first = sweep(bench.settings, bench.plan, *folders)
    attempts = bench.attempts()
    assert keys(attempts) == EVERY
    assert outcomes(first).total() == len(attempts) == 4
    assert {(each.recipe.data["iterations"], each.recipe.data["long_edge_px"]) for each in attempts} == {(3, 32)}
    assert [row.attempts for row in first.report.rows] == [2, 2]
    assert [row.counts["missing"] for row in first.report.rows] == [0, 0]
    page = first.report.page.read_text(encoding="utf-8")

    again = sweep(bench.settings, bench.plan, *folders)
    assert (again.batches, bench.attempts()) == ([], attempts)
    assert again.report.page.read_text(encoding="utf-8") == page
    assert len(list(first.report.page.parent.parent.iterdir())) == 1


@pytest.mark.long
def test_a_night_in_the_same_catalogue_keeps_its_own_choice(bench: Bench, folders: tuple[Path, Path]) -> None:
    swept = sweep(bench.settings, bench.plan, *folders)
    with Catalogue.open(bench.settings) as catalogue:
        numbers = catalogue.status()["matches"]
        assert (numbers["candidate"], numbers["matched"]) == (2, 0)
    assert match(bench.settings).matched == 1
    again = sweep(bench.settings, bench.plan, *folders)
    with Catalogue.open(bench.settings) as catalogue:
        assert catalogue.status()["matches"]["matched"] == 1
    assert again.batches == []
    assert [row.figures for row in again.report.rows] == [row.figures for row in swept.report.rows]


@pytest.mark.long
def test_one_more_style_costs_only_its_own_attempts_and_a_report_of_its_own(
    bench: Bench, folders: tuple[Path, Path]
) -> None:
    first = sweep(bench.settings, bench.plan, *folders)
    draw(folders[1] / "green.png", 4)
    more = sweep(bench.settings, bench.plan, *folders)
    assert outcomes(more).total() == 2
    assert [row.attempts for row in more.report.rows] == [3, 3]
    assert first.report.page != more.report.page


@pytest.mark.long
def test_rights_are_kept_colour_may_be_content_and_no_picture_is_paired_with_itself(
    bench: Bench, folders: tuple[Path, Path]
) -> None:
    contents, styles = folders
    (styles / "records.csv").write_text("identifier,file,derivatives\nblue,blue.png,no\n", encoding="utf-8")
    draw(contents / "also_red.png", 2)
    draw(contents / "yellow.png", 7)
    swept = sweep(bench.settings, bench.plan, contents, styles)
    pairs = {(each.content.sha256, each.styles[0].sha256) for each in bench.attempts()}
    assert len(pairs) == 2
    assert all(content != style for content, style in pairs)
    assert swept.left_out == 1
    assert {each.content.identifier for each in bench.attempts()} == {"gray", "yellow"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        ({}, "holds no picture to work with; put some into it"),
        ({"gray.png": 5}, "holds no colour picture, and styles give the colours"),
    ],
)
def test_style_folders_without_colours_are_refused(
    bench: Bench, folders: tuple[Path, Path], pictures: dict[str, int], said: str
) -> None:
    poor = folders[0].with_name("poor")
    poor.mkdir()
    for name, seed in pictures.items():
        draw(poor / name, seed, colour=False)
    with pytest.raises(NotAnArchive, match=said):
        sweep(bench.settings, bench.plan, folders[0], poor)


def test_two_folders_of_one_picture_are_refused(bench: Bench, folders: tuple[Path, Path]) -> None:
    for name in ("one", "other"):
        draw(folders[0].with_name(name) / "picture.png", 6)
    with pytest.raises(NotAnArchive, match="hold the same picture and no other"):
        sweep(bench.settings, bench.plan, folders[0].with_name("one"), folders[0].with_name("other"))


def wait_for(reached: Callable[[dict[str, int]], bool], home: Path, process: "subprocess.Popen[str]") -> None:
    """Until the sweep's attempts have come so far; it must still run then."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        try:
            with Catalogue.open(CatalogueSettings(home=home), create=False) as catalogue:
                if reached(catalogue.status()["attempts"]):
                    return
        except CatalogueError:  # there is none yet
            pass
        time.sleep(0.1)
    pytest.fail("the sweep did not come so far")


@pytest.fixture
def slow(tmp_path: Path, narrow_weights: Path, prefect_api: str) -> Nishiki:
    """The command with attempts of about half a second, in a folder where a sweep makes its own home."""
    nishiki = in_folder(tmp_path, narrow_weights, prefect_api)
    return replace(nishiki, environment={**nishiki.environment, "NISHIKI_ITERATIONS": "150"})


@pytest.mark.long
def test_a_killed_sweep_is_carried_on_without_a_duplicate_or_a_hole(
    slow: Nishiki, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("sweep", "--content", str(folders[0]), "--style", str(folders[1]), "--configs", CONFIGS)
    home = slow.home.with_name("sweep-data")
    process = slow.start(*words)
    wait_for(lambda numbers: 1 <= numbers["succeeded"] + numbers["rejected"] < 4, home, process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    here = Here(slow.home, slow.environment)
    monkeypatch.chdir(slow.home.parent)
    said = here.good(*words)
    settings = CatalogueSettings(home=home)
    with Catalogue.open(settings, create=False) as catalogue:
        attempts = list(catalogue.attempts())
        assert catalogue.unfinished_batches() == []
        assert catalogue.status()["matches"][MatchOutcome.CANDIDATE] == 2
    assert keys(attempts) == EVERY
    assert len(attempts) == 4
    assert all(each.outcome is not None for each in attempts)
    assert "Report: sweep-data/sweeps/" in said
    assert "nothing was left to do" in here.good(*words)
    assert not slow.home.exists()


def test_a_slip_on_the_command_line_is_one_sentence(slow: Nishiki, folders: tuple[Path, Path]) -> None:
    contents, styles = map(str, folders)
    here = Here(slow.home, slow.environment)
    assert here.bad(2, "sweep", "--content", contents, "--style", styles, "--configs", "jadh2017/*") == (
        "nishiki: no recipe fits 'jadh2017/*'; there is asiagraph2016, asiagraph2016/*, cieluv_net/*, "
        "classics/*, jadh2016/*, locked/*, mask_gan/*, nishiki/* (all: nishiki recipes)"
    )
    assert "put the style prints into a folder of their own" in here.bad(
        2, "sweep", "--content", contents, "--style", contents
    )
    assert here.bad(2, "sweep", "--content", contents, "--style", styles, "--preset", "x", "--configs", "y") == (
        "nishiki: give --configs or --preset, not both"
    )
