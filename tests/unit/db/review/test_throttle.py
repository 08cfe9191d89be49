"""Guessing passwords becomes slow; the clock is the test's own."""

from dataclasses import dataclass

import pytest

from db.review.access.throttle import (
    FIRST_WAIT_S,
    FORGOTTEN_S,
    FREE_BY_NAME,
    FREE_BY_PLACE,
    FREE_OF_PAUSE,
    LONGEST_PAUSE_S,
    LONGEST_WAIT_S,
    MOST_KEPT,
    Throttle,
)


@dataclass
class Clock:
    """Goes when it is told to."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def throttle(clock: Clock) -> Throttle:
    return Throttle(clock)


def fail(throttle: Throttle, times: int, name: str = "Aoi", address: str = "192.0.2.1") -> None:
    for _ in range(times):
        assert throttle.begin(name, address) == 0


def test_five_wrong_tries_are_free_and_then_waits_double_up_to_a_quarter_of_an_hour(
    throttle: Throttle, clock: Clock
) -> None:
    fail(throttle, FREE_BY_NAME)
    waits = []
    for _ in range(9):
        waits.append(throttle.begin("Aoi", "192.0.2.1"))
        clock.now += waits[-1]
        fail(throttle, 1)
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900, 900]
    assert (waits[0], waits[-1]) == (FIRST_WAIT_S, LONGEST_WAIT_S)


def test_nothing_is_tried_or_counted_during_the_wait(throttle: Throttle, clock: Clock) -> None:
    fail(throttle, FREE_BY_NAME)
    for _ in range(50):
        assert throttle.begin("Aoi", "192.0.2.1") == FIRST_WAIT_S
    clock.now += FIRST_WAIT_S - 0.5
    assert throttle.begin("Aoi", "192.0.2.1") == 1
    clock.now += 0.5
    fail(throttle, 1)


def test_a_name_is_one_however_it_is_spelt(throttle: Throttle) -> None:
    for name in ["が", "か\u3099", " が", "が ", "か\u3099\n"]:
        fail(throttle, 1, name=name)
    assert throttle.begin("が", "192.0.2.1") > 0
    assert throttle.begin("Ren", "192.0.2.1") == 0


def test_a_name_that_is_guessed_at_from_elsewhere_is_slow_and_never_shut(throttle: Throttle, clock: Clock) -> None:
    pauses = []
    for number in range(300):
        pauses.append(throttle.pause_s("Aoi"))
        fail(throttle, 1, address=f"192.0.{number % 250}.1" if number < 250 else f"198.51.{number - 250}.1")
    assert pauses[: FREE_OF_PAUSE + 1] == [0] * (FREE_OF_PAUSE + 1)
    assert pauses[FREE_OF_PAUSE + 1 : FREE_OF_PAUSE + 4] == [0.5, 1, 2]
    assert pauses[-1] == LONGEST_PAUSE_S
    assert throttle.begin("Aoi", "203.0.113.1") == 0
    throttle.succeeded("Aoi", "203.0.113.1")
    assert throttle.begin("Aoi", "203.0.113.1") == 0
    assert throttle.pause_s("Ren") == 0
    clock.now += FORGOTTEN_S + 1
    fail(throttle, 1, address="203.0.113.1")
    assert throttle.pause_s("Aoi") == 0


def test_a_try_that_there_was_no_time_for_is_none(throttle: Throttle) -> None:
    for _ in range(3 * FREE_BY_PLACE):
        fail(throttle, 1)
        throttle.not_looked_at("Aoi", "192.0.2.1")
    fail(throttle, FREE_BY_NAME)
    assert throttle.begin("Aoi", "192.0.2.1") > 0


def test_an_address_is_counted_whatever_names_it_tries(throttle: Throttle) -> None:
    for number in range(FREE_BY_PLACE):
        fail(throttle, 1, name=f"guess {number}")
    assert throttle.begin("Aoi", "192.0.2.1") == FIRST_WAIT_S
    assert throttle.begin("Aoi", "::ffff:192.0.2.1") == FIRST_WAIT_S
    assert throttle.begin("Aoi", "192.0.2.2") == 0
    assert (throttle.wait_s("192.0.2.1"), throttle.wait_s("192.0.2.2")) == (FIRST_WAIT_S, 0)


def test_all_addresses_of_an_ipv6_network_count_as_one(throttle: Throttle) -> None:
    for number in range(FREE_BY_PLACE):
        fail(throttle, 1, name=f"guess {number}", address=f"2001:db8::{number:x}")
    assert throttle.begin("Aoi", "2001:db8::ffff:1") > 0
    assert throttle.begin("Aoi", "2001:db8:0:1::1") == 0


def test_a_right_password_forgives_the_name_and_of_the_address_only_itself(throttle: Throttle) -> None:
    fail(throttle, FREE_BY_NAME - 1)
    throttle.begin("Aoi", "192.0.2.1")
    throttle.succeeded("Aoi", "192.0.2.1")
    fail(throttle, FREE_BY_NAME - 1)
    for number in range(FREE_BY_PLACE - 2 * FREE_BY_NAME + 1):
        fail(throttle, 1, name=f"guess {number}")
        fail(throttle, 1, name="an account of the guesser's own")
        throttle.succeeded("an account of the guesser's own", "192.0.2.1")
    fail(throttle, 1, name="the last guess")
    assert throttle.begin("Ren", "192.0.2.1") > 0


def test_an_hour_without_a_wrong_try_makes_good(throttle: Throttle, clock: Clock) -> None:
    fail(throttle, FREE_BY_NAME - 1)
    clock.now += FORGOTTEN_S + 1
    fail(throttle, FREE_BY_NAME - 1)
    assert throttle.begin("Aoi", "192.0.2.1") == 0


def test_memory_is_bounded_and_a_place_that_is_guessing_is_not_the_one_forgotten(throttle: Throttle) -> None:
    for number in range(MOST_KEPT // 2):
        throttle.begin(f"guess {number}", f"10.{number >> 8 & 255}.{number & 255}.1")
    fail(throttle, FREE_BY_NAME)
    for number in range(MOST_KEPT // 4):
        throttle.begin(f"another guess {number}", f"11.{number >> 8 & 255}.{number & 255}.1")
    assert len(throttle) == MOST_KEPT
    assert throttle.begin("Aoi", "192.0.2.1") > 0


def test_what_is_no_address_is_counted_too(throttle: Throttle) -> None:
    for number in range(FREE_BY_PLACE):
        fail(throttle, 1, name=f"guess {number}", address="")
    assert throttle.begin("Aoi", "") > 0
