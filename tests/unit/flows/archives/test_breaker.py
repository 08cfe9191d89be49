"""A host is asked on while it delivers, wherever in the list its failures lie."""

from collections import deque

import pytest

from flows.archives.web.breaker import LEAST, PROBES, Breaker


def asked(count: int, bad: set[int]) -> tuple[list[int], Breaker[int]]:
    """Which of so many things are asked for, where some fail."""
    breaker, order = Breaker(deque(range(count))), []
    for each in breaker.turns():
        order.append(each)
        breaker.told(failed=each in bad)
    return order, breaker


@pytest.mark.parametrize(
    "bad",
    [set(), set(range(5)), set(range(30)), set(range(70, 100)), set(range(0, 100, 2)), set(range(100)) - {55, 88}],
    ids=["none", "the first five", "the first thirty", "the last thirty", "every second", "all but two"],
)
def test_what_is_asked_first_does_not_decide(bad: set[int]) -> None:
    order, breaker = asked(100, bad)
    good = set(range(100)) - bad
    assert len(order) == len(set(order))
    assert good <= set(order) or (len(good) == 2 and breaker.gave_up)


def test_a_host_that_delivers_nothing_is_given_up_after_a_few_from_all_over_the_list() -> None:
    order, breaker = asked(1000, set(range(1000)))
    assert breaker.gave_up
    assert order[:LEAST] == list(range(LEAST))
    assert len(order) == LEAST + PROBES
    assert max(order) > 800
    assert len(breaker.waiting) == 1000 - len(order)


def test_a_list_that_ends_gives_up_nothing() -> None:
    assert not asked(LEAST + 1, set(range(LEAST + 1)))[1].gave_up
    assert not asked(0, set())[1].gave_up
