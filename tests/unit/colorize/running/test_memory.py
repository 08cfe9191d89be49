"""How much memory a picture is reckoned to take, what fits, and what is said of one that does not."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from colorize.colorizer import Colorizer, Conditions
from colorize.encoders.vgg19 import Encoder
from colorize.errors import OutOfMemory
from colorize.images.resize import working_size
from colorize.jobs import Job
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.methods.neural_style.parameters import NeuralStyle
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from colorize.running import memory
from colorize.running.memory import (
    fits,
    free_bytes,
    in_halves,
    is_out_of_memory,
    long_edge_that_fits,
    picture_bytes,
    together,
)

RECIPE = recipe_named("jadh2016/config1_2_2").changed(iterations=2, long_edge_px=256)
SGD = recipe_named("jadh2016/config1_1_2")
Room = Callable[[int], None]
SIDES = st.integers(2, 60).map(lambda side: side * 16)


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a control group without any limit."""
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    return tmp_path


@pytest.fixture
def room(group: Path) -> Room:
    """Limits the control group to so many free bytes."""

    def limit(free: int) -> None:
        (group / "memory.current").write_text("6000000\n")
        (group / "memory.stat").write_text("anon 3000000\nactive_file 1000000\ninactive_file 2000000\n")
        (group / "memory.max").write_text(f"{3_000_000 + free}\n")  # cached files make way

    return limit


@pytest.fixture(scope="module")
def engine(narrow: Encoder) -> Engine:
    return Engine(RECIPE, Operands(narrow, "float32"))


def test_what_a_picture_takes_grows_with_its_area(engine: Engine) -> None:
    small = picture_bytes(engine, 64, 96)
    assert picture_bytes(engine, 128, 192) == pytest.approx(4 * small, rel=0.01)
    assert picture_bytes(engine, 96, 64) == small
    assert picture_bytes(engine, 64, 192) == pytest.approx(2 * small, rel=0.01)


def test_it_is_at_least_the_kept_layers_and_the_history(engine: Engine, narrow: Encoder) -> None:
    with torch.no_grad():
        layers = sum(each.nbytes for each in engine.forward(torch.zeros(1, 3, 64, 96)).values())
    pictures = 2 * NeuralStyle.of(RECIPE).history * 3 * 64 * 96 * 4
    assert picture_bytes(engine, 64, 96) > layers + pictures
    longer = Engine(RECIPE.changed(history=20), engine.operands)
    assert picture_bytes(longer, 64, 96) - picture_bytes(engine, 64, 96) == pictures
    assert picture_bytes(Engine(SGD, engine.operands), 64, 96) == picture_bytes(engine, 64, 96) - pictures


def test_bfloat16_keeps_its_layers_in_half_the_bytes(engine: Engine, narrow: Encoder) -> None:
    layers = sum(np.prod(shape) for shape in engine.shapes(64, 96).values())
    half = Engine(RECIPE, Operands(narrow, "bfloat16"))
    assert picture_bytes(engine, 64, 96) - picture_bytes(half, 64, 96) == 2 * layers


@given(height=SIDES, width=SIDES, share=st.floats(0.01, 3))
def test_at_the_long_edge_that_fits_a_picture_of_any_shape_does(
    engine: Engine, height: int, width: int, share: float
) -> None:
    free = int(picture_bytes(engine, height, width) * share)
    edge = long_edge_that_fits(engine, height, width, free)
    if edge is None:
        least = working_size(width, height, 32)
        assert max(height, width) < 48 or not fits(engine, least[1], least[0], free)
        return
    assert edge % 16 == 0
    assert 32 <= edge < max(height, width)
    smaller = working_size(width, height, edge)
    assert fits(engine, smaller[1], smaller[0], free), f"{width} × {height} px at {edge} px is {smaller}"


def test_as_many_pictures_go_together_as_find_room_and_one_at_least() -> None:
    assert together(100, 1000) == 9
    assert together(100, 50) == together(0, 0) == 1


def test_a_picture_that_does_not_fit_is_refused_with_the_size_that_would_which_then_does(
    narrow: Encoder, room: Room
) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (300, 200, 3), np.uint8)
    jobs = [Job("large", pixels, pixels), Job("small", pixels[:40, :40], pixels)]
    operands = Operands(narrow, "float32")
    room(picture_bytes(Engine(RECIPE, operands), 256, 176))
    cramped = Colorizer(RECIPE, operands, Conditions(memory_share=0.4))
    refused, fine = cramped.colorize(jobs)
    assert isinstance(refused, OutOfMemory)
    assert refused.transient
    found = re.fullmatch(
        r"cpu has no room for a picture of 176×256 px \(\d+ MB are needed\); --size (\d+) would fit", str(refused)
    )
    assert found is not None, str(refused)
    assert isinstance(fine, Colorization)
    (again,) = replace(cramped, recipe=RECIPE.changed(long_edge_px=int(found[1]))).colorize(jobs[:1])
    assert isinstance(again, Colorization)
    assert max(again.picture.shape) == int(found[1])
    room(10 * picture_bytes(Engine(RECIPE, operands), 256, 176))
    assert isinstance(cramped.colorize(jobs[:1])[0], Colorization), "transient: there may be more room later"


@pytest.mark.parametrize("share", [1e-6, 0.1])
def test_where_no_size_that_a_recipe_allows_would_fit_none_is_named(share: float, narrow: Encoder, room: Room) -> None:
    pixels = np.zeros((64, 64, 3), np.uint8)
    recipe, operands = RECIPE.changed(long_edge_px=64), Operands(narrow, "float32")
    room(int(share * picture_bytes(Engine(recipe, operands), 64, 64) / 0.9))
    (refused,) = Colorizer(recipe, operands).colorize([Job("x", pixels, pixels)])
    assert isinstance(refused, OutOfMemory)
    assert "free some memory" in str(refused)
    assert "--size" not in str(refused)


def test_free_memory_is_what_the_machine_has_within_its_control_group(group: Path, room: Room) -> None:
    machine = free_bytes(torch.device("cpu"))
    assert 0 < machine <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), "no limit where no file says one"
    room(4_000_000)
    assert free_bytes(torch.device("cpu")) == 4_000_000
    (group / "memory.max").write_text("max\n")
    assert free_bytes(torch.device("cpu")) > 10_000_000


@pytest.mark.parametrize(("count", "room_for", "halvings"), [(7, 7, {0}), (7, 3, {2, 1}), (8, 2, {2}), (1, 1, {0})])
def test_a_minibatch_without_room_is_halved_until_it_has_some_and_none_is_lost(
    count: int, room_for: int, halvings: set[int]
) -> None:
    def at_once(part: Sequence[int], halved: int) -> dict[str, int]:
        if len(part) > room_for:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return {str(each): halved for each in part}

    found = in_halves(range(count), at_once, lambda _each, why: pytest.fail(why))
    assert list(found) == [str(each) for each in range(count)]
    assert set(found.values()) == halvings


def test_a_picture_without_room_alone_is_refused_with_the_reason_and_a_fault_of_ours_is_not_taken_for_one() -> None:
    def cramped(part: Sequence[int], _halved: int) -> dict[str, str]:
        if 2 in part:
            raise RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate\nmore of it")
        return {str(each): "fine" for each in part}

    found = in_halves(range(4), cramped, lambda each, why: {str(each): why})
    assert found == {"0": "fine", "1": "fine", "2": "CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate", "3": "fine"}

    def broken(_part: Sequence[int], _halved: int) -> dict[str, str]:
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        in_halves(range(4), broken, lambda each, why: {str(each): why})


def test_a_lack_of_memory_is_known_also_behind_the_capture_that_it_broke_off() -> None:
    broken_off = RuntimeError("CUDA error: operation failed due to a previous error during capture")
    assert not is_out_of_memory(broken_off)
    broken_off.__context__ = torch.OutOfMemoryError("no room")
    assert is_out_of_memory(broken_off)
