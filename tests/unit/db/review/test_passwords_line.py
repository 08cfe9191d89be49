"""Who waits for a password to be verified, and for how long."""

import asyncio

import pytest

from db.review.access import passwords
from db.review.access.passwords import Line, TooBusy, hashed
from tests.waiting import run_alone

PASSWORD = "a long password of a curator"


async def _in_turn(line: Line, kept: str, failures: list[int]) -> list[int]:
    """Those who come one after the other, by their failures, in the order in which they are answered."""
    answered: list[int] = []

    async def come(failed: int) -> None:
        assert await line.matches(PASSWORD, kept, failed)
        answered.append(failed)

    await asyncio.gather(*(come(failed) for failed in failures))
    return answered


@pytest.mark.long
def test_who_failed_least_goes_before_those_who_guess() -> None:
    assert run_alone(_in_turn(Line(), hashed(PASSWORD), [9, 7, 8, 1, 7, 2])) == [9, 1, 2, 7, 7, 8]


def test_in_a_full_line_who_failed_most_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_MOST_WAITING", 2)

    async def full() -> list[object]:
        line, kept = Line(), hashed(PASSWORD)
        return await asyncio.gather(
            *(line.matches(PASSWORD, kept, failed) for failed in (5, 4, 3, 1)), return_exceptions=True
        )

    first, most, *others = run_alone(full())
    assert first is True
    assert isinstance(most, TooBusy)
    assert others == [True, True]


def test_who_goes_away_while_waiting_keeps_nobodys_turn() -> None:
    async def gone() -> bool:
        line, kept = Line(), hashed(PASSWORD)
        first, second, third = (asyncio.create_task(line.matches(PASSWORD, kept, 1)) for _ in range(3))
        await asyncio.sleep(0)
        second.cancel()
        return await first and await third and await line.matches(PASSWORD, kept, 1)

    assert run_alone(gone())


def test_a_name_without_an_account_is_never_right() -> None:
    assert not run_alone(Line().matches(PASSWORD, None, 0))
