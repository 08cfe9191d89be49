"""How a batch is cut into minibatches, by working size, for all devices, every attempt once; what comes first of it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colorize.images.resize import working_size
from colorize.recipes.library import recipe_named
from db.entries.claim import Inputs, StyleInput
from db.entries.night import ImageEntry, PendingAttempt, Tone
from flows.workers.order import Order, minibatches_of
from flows.workers.processes import workplaces

RECIPE = recipe_named("jadh2016/config3_3_4").changed(long_edge_px=96)
SIZES = st.lists(st.tuples(st.integers(20, 900), st.integers(20, 900)), max_size=40)


def attempts(sizes: list[tuple[int, int]]) -> list[PendingAttempt]:
    """Pending attempts with contents of these sizes in pixels."""
    style = ImageEntry(9999, "f" * 64, 60, 80, Tone.COLOUR)
    return [
        PendingAttempt(
            number,
            1,
            number,
            ImageEntry(number, f"{number:064}", *size, Tone.GRAYSCALE),
            (style,),
            f"g{number}",
            ("c",),
            Inputs((StyleInput(style.sha256),)),
            0,
            datetime(2026, 3, 1, tzinfo=UTC),
        )
        for number, size in enumerate(sizes)
    ]


@given(sizes=SIZES, most=st.integers(1, 16), places=st.integers(1, 8))
def test_stacks_hold_every_attempt_once_and_only_equal_working_sizes_together(
    sizes: list[tuple[int, int]], most: int, places: int
) -> None:
    pending = attempts(sizes)
    minibatches = minibatches_of(pending, RECIPE, most=most, places=places)
    assert sorted(attempt.id for minibatch in minibatches for attempt in minibatch) == [
        attempt.id for attempt in pending
    ]
    for minibatch in minibatches:
        assert len({working_size(a.content.width, a.content.height, RECIPE.long_edge_px) for a in minibatch}) == 1


@given(sizes=SIZES, most=st.integers(1, 16), places=st.integers(1, 8))
def test_no_stack_is_larger_than_allowed_or_than_a_devices_fair_share(
    sizes: list[tuple[int, int]], most: int, places: int
) -> None:
    minibatches = minibatches_of(attempts(sizes), RECIPE, most=most, places=places)
    fair = -(-len(sizes) // places)
    assert all(1 <= len(minibatch) <= min(most, fair) for minibatch in minibatches)


@pytest.mark.parametrize(("count", "places"), [(2, 2), (7, 7), (8, 4), (3, 8), (40, 2)])
def test_as_many_stacks_as_there_are_devices_or_attempts(count: int, places: int) -> None:
    minibatches = minibatches_of(attempts([(300, 400)] * count), RECIPE, most=256, places=places)
    assert len(minibatches) == min(count, places)


def test_equal_sizes_fill_stacks_up_to_the_limit() -> None:
    minibatches = minibatches_of(attempts([(300, 400)] * 7 + [(400, 300)] * 2), RECIPE, most=3, places=1)
    assert sorted(len(minibatch) for minibatch in minibatches) == [1, 2, 3, 3]


def test_a_gpu_is_one_workplace_and_the_cpu_as_many_as_are_asked_for() -> None:
    assert workplaces(["cuda:0", "cuda:1"], 5) == ["cuda:0", "cuda:1"]
    assert workplaces(["cpu"], 3) == ["cpu"] * 3
    assert set(workplaces(["cpu"], None)) == {"cpu"}


def test_what_a_worker_died_over_comes_last_and_one_by_one() -> None:
    fresh, suspects = attempts([(300, 400)] * 3), [replace(each, tries=1) for each in attempts([(300, 400)] * 2)]
    order = Order(RECIPE, most=16, places=1, max_tries=4)
    order.add([*suspects, *fresh])
    assert [order.next() for _ in range(4)] == [fresh, suspects[:1], suspects[1:], []]
    assert not order


def test_whatever_has_its_last_try_is_alone_in_work() -> None:
    last, other = (replace(each, tries=tries) for each, tries in zip(attempts([(300, 400)] * 2), (2, 1), strict=True))
    order = Order(RECIPE, most=16, places=2, max_tries=3)
    order.add([last, other])
    assert order.next() == [other]
    order.in_work = 1
    assert order.next() == [], "another is in work"
    order.in_work = 0
    assert order.next() == [last]
    order.in_work, fresh = 1, attempts([(300, 400)] * 4)
    order.add(fresh)
    assert order.next() == []
    order.in_work = 0
    first = order.next()
    order.in_work = 1
    assert [*first, *order.next()] == fresh, "and then several are again"
