"""What `nishiki alarm` finds wrong with the nights, by their history alone."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from pydantic import SecretStr

from db.entries.nights import NightEnd, NightEnding, NightEntry
from flows.alarm.findings import channels_of, what_is_wrong
from flows.errors import Misused
from flows.settings import Settings

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
DONE, FAILED, WAITING, KILLED = NightEnding.DONE, NightEnding.FAILED, NightEnding.WAITING, NightEnding.KILLED
NightOf = Callable[..., NightEntry]


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
def night() -> NightOf:
    """Makes a night that began so many hours ago and took one."""
    ids = count()

    def make(hours_ago: float, ending: NightEnding | None = DONE, **listed: int) -> NightEntry:
        began = NOW - timedelta(hours=hours_ago)
        ended = began + timedelta(hours=1)
        end = NightEnd(ending, 0, "an archive was silent\nand another" if ending is FAILED else "") if ending else None
        return NightEntry(next(ids), "host", 7, began, ended, ended if end else None, end, {}, {"listed": listed})

    return make


@pytest.mark.parametrize(
    "nights",
    [
        [(10, DONE)],
        [(10, FAILED), (34, DONE)],
        [(10, WAITING), (34, FAILED), (58, FAILED)],  # a person is needed, and all else was done
        [(10, FAILED), (34, FAILED)],  # none has succeeded yet, and the first is not two days old
        [(40, None)],  # at work since then
        [(-0.5, DONE)],  # the clocks of two machines are never the same
    ],
)
def test_all_is_well(nights: Sequence[tuple[float, NightEnding | None]], night: NightOf, settings: Settings) -> None:
    assert what_is_wrong([night(*each) for each in nights], NOW, settings) == []


def test_a_night_dated_ahead_of_the_clock_hides_nothing(night: NightOf, settings: Settings) -> None:
    ahead = "A night is dated 2026-03-11 12:00 UTC, which has not come yet: set the clock right, of host or of this"
    (told,) = what_is_wrong([night(-24)], NOW, settings)
    assert told.startswith(ahead)
    told, overdue = what_is_wrong([night(-24), night(60)], NOW, settings)
    assert told.startswith(ahead)
    assert overdue.startswith("No night has begun for 60 h")


@pytest.mark.parametrize(
    ("nights", "told"),
    [
        ([(50, DONE)], "No night has begun for 50 h 0 min; the last began 2026-03-08 10:00 UTC, done after 1 h 0 min"),
        ([(60, None)], "No night has begun for 60 h 0 min; the last began 2026-03-08 00:00 UTC and has not ended"),
        ([(2, FAILED), (26, FAILED), (50, DONE)], "No night has succeeded for 49 h 0 min; the last began 2026-03-10"),
        ([(2, KILLED), (26, KILLED), (50, KILLED)], "No night has succeeded for 50 h 0 min; the last began 2026-03-10"),
        ([(20, FAILED), (60, DONE)], "exit code 0: an archive was silent"),
    ],
)
def test_no_night_began_or_none_succeeded_for_two_days(
    nights: Sequence[tuple[float, NightEnding | None]], told: str, night: NightOf, settings: Settings
) -> None:
    (sentence,) = what_is_wrong([night(*each) for each in nights], NOW, settings)
    assert told in sentence
    assert "another" not in sentence
    assert what_is_wrong([night(*each) for each in nights], NOW, Settings(alarm_after_h=72)) == []


def test_a_catalogue_without_a_night_is_told(settings: Settings) -> None:
    assert what_is_wrong([], NOW, settings) == ["No night has begun on this catalogue yet."]


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ([49, 100, 120, 100, 110, 100, 100, 130], True),
        ([0, 100, 120, 100, 110, 100, 100, 130], True),
        ([50, 100, 120, 100, 110, 100, 100, 130], False),
        ([49, 100, 120, 90, 110, 100, 100, 130], False),  # a weekly quiet day
        ([49, 100, 120, 100, 110, 100, 100], False),  # six nights are no week
        ([0, 9, 20, 20, 20, 20, 20, 20], False),  # so few vary
        ([49, 100, 120, 100, 110, 100, 100, 130, 10], True),  # longer ago than a week
        ([100, 49, 120, 100, 110, 100, 100, 130], False),  # the last night alone is judged
    ],
)
def test_a_harvest_that_brought_much_less_than_usual_is_told(
    listed: Sequence[int], told: bool, night: NightOf, settings: Settings
) -> None:
    nights = [night(2 + 24 * at, theatre=each, other=500) for at, each in enumerate(listed)]
    found = what_is_wrong(nights, NOW, settings)
    assert [sentence.partition(" listed ")[0] for sentence in found] == ["theatre"] * told
    assert what_is_wrong(nights, NOW, Settings(alarm_least_harvest=0)) == []


def test_channels_are_those_that_are_set_and_mail_needs_a_server() -> None:
    to, server = ("aoi@museum.example",), SecretStr("smtp+plain://relay.example")
    hook = SecretStr("https://chat.example/hooks/k3y")
    both = Settings(alarm_webhook=hook, alarm_mail_to=to, alarm_mail_server=server)
    assert [channel.name for channel in channels_of(both)] == [
        "webhook at chat.example", "mail to aoi@museum.example through relay.example",
    ]  # fmt: skip
    assert "k3y" not in repr(both) + repr(channels_of(both)) + both.model_dump_json()
    assert channels_of(Settings()) == []
    for half in (Settings(alarm_mail_to=to), Settings(alarm_mail_server=server)):
        with pytest.raises(Misused, match="both alarm_mail_to and alarm_mail_server"):
            channels_of(half)
