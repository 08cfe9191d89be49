"""How often programs may ask: a minute's share at once, then one by one."""

from db.review.access import rates
from db.review.access.rates import Rates


class Clock:
    moment = 1000.0

    def __call__(self) -> float:
        return self.moment


def test_a_share_may_be_taken_at_once_and_comes_back_little_by_little() -> None:
    clock = Clock()
    some = Rates(6, clock)
    assert [some.take("a") for _ in range(7)] == [0] * 6 + [10]
    assert some.take("b") == 0
    clock.moment += 4
    assert some.take("a") == 6
    clock.moment += 6
    assert [some.take("a"), some.take("a")] == [0, 10]
    clock.moment += 3600
    assert [some.take("a") for _ in range(7)] == [0] * 6 + [10]


def test_waiting_in_vain_lengthens_no_wait_and_memory_is_bounded() -> None:
    clock = Clock()
    some = Rates(1, clock)
    assert [some.take("a") for _ in range(20)] == [0] + [60] * 19
    for number in range(rates.MOST_KEPT + 5):
        some.take(str(number))
    assert len(some._free_at) == rates.MOST_KEPT
