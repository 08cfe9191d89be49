"""When nights are due: a cron expression in a time zone. Settings read them, `nishiki serve` keeps them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

LATEST: Final = timedelta(hours=12)
"""A night that could not begin at its time, for the machine was off or the one before at work, still begins so late."""


@dataclass(frozen=True)
class Schedule:
    """Moments at which a night is to begin."""

    cron: str
    zone: ZoneInfo

    @classmethod
    def read(cls, cron: str, zone: str) -> Self:
        """From `0 1 * * *` and `Asia/Tokyo`.

        Raises:
            ValueError: it is no cron expression, or there is no such zone.
        """
        try:
            found = cls(cron, ZoneInfo(zone))
        except (ValueError, ZoneInfoNotFoundError, OSError):
            raise ValueError(f"{zone!r} is no time zone; write it as Asia/Tokyo") from None
        try:
            found.next_after(datetime.now(found.zone))
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"{cron!r} names no time ({error}); 0 1 * * * is every night at one") from None
        return found

    def next_after(self, moment: datetime) -> datetime:
        """When the next night begins, in the schedule's zone; `moment` is aware."""
        return next(CronSim(self.cron, moment.astimezone(self.zone)))

    def last_before(self, now: datetime) -> datetime:
        """When a night was last to begin, `now` included; in the schedule's zone."""
        return next(CronSim(self.cron, now.astimezone(self.zone) + timedelta(microseconds=1), reverse=True))

    def is_due(self, now: datetime, last_began: datetime) -> bool:
        """Has no night begun since the last moment of the schedule, and is that no longer ago than LATEST?"""
        last = self.last_before(now)
        return last > last_began and now - last <= LATEST
