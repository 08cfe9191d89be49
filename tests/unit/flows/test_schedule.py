"""When a night is due: by a cron expression in a zone, once, and late where the machine was off."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from flows.schedule import Schedule

TOKYO = ZoneInfo("Asia/Tokyo")
AT_ONE = Schedule("0 1 * * *", TOKYO)
ONE = datetime(2026, 3, 2, 1, 0, tzinfo=TOKYO)
EVENING = ONE - timedelta(hours=5)


def test_the_next_night_begins_at_the_hour_of_its_zone_whatever_the_clock_that_is_asked() -> None:
    assert AT_ONE.next_after(EVENING.astimezone(ZoneInfo("UTC"))) == ONE
    assert AT_ONE.next_after(ONE) == ONE + timedelta(days=1)


@pytest.mark.parametrize(
    ("now", "last_began", "due"),
    [
        (ONE - timedelta(seconds=1), EVENING - timedelta(days=1), False),
        (ONE, EVENING, True),
        (ONE + timedelta(seconds=2), ONE + timedelta(seconds=1), False),
        (ONE + timedelta(hours=12), EVENING, True),
        (ONE + timedelta(hours=12, seconds=1), EVENING, False),
        (ONE + timedelta(days=1), ONE, True),
    ],
)
def test_a_night_is_due_once_and_no_more_than_twelve_hours_late(now: datetime, last_began: datetime, due: bool) -> None:
    assert AT_ONE.is_due(now, last_began) is due


def test_where_clocks_are_put_forward_the_night_still_begins() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    half_past_two = Schedule("30 2 * * *", berlin)  # an hour that there is not on that day
    moment = half_past_two.next_after(datetime(2026, 3, 29, 0, 0, tzinfo=berlin))
    assert (moment.date().isoformat(), moment.hour) == ("2026-03-29", 3)


@pytest.mark.parametrize(
    ("cron", "zone", "said"),
    [("0 1 * *", "UTC", "names no time"), ("0 1 30 2 *", "UTC", "names no time"), ("0 1 * * *", "Tokio", "time zone")],
)
def test_what_is_no_schedule_is_refused_in_a_sentence(cron: str, zone: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Schedule.read(cron, zone)
