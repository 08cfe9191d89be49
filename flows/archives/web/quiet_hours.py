"""Hours of the day in which an archive wants to be left alone; settings read them, the polite client keeps them."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True)
class QuietHours:
    """Hours of a day in which an archive is not asked, by its own clock; they may pass midnight."""

    begin: time
    end: time
    zone: ZoneInfo

    @classmethod
    def read(cls, text: str) -> Self:
        """From `09:00-18:00 Asia/Tokyo`.

        Raises:
            ValueError: it is written otherwise, or there is no such zone.
        """
        hours, _, zone = text.strip().partition(" ")
        begin, _, end = hours.partition("-")
        try:
            found = cls(time.fromisoformat(begin), time.fromisoformat(end), ZoneInfo(zone.strip()))
        except (ValueError, ZoneInfoNotFoundError, OSError):
            raise ValueError(f"{text!r} are no hours; write them as 09:00-18:00 Asia/Tokyo") from None
        if found.begin == found.end:
            raise ValueError(f"{text!r} begin when they end; write them as 09:00-18:00 Asia/Tokyo")
        return found

    def hold(self, moment: datetime) -> bool:
        """Does a moment, aware, lie within them?"""
        now = moment.astimezone(self.zone).time()
        if self.begin < self.end:
            return self.begin <= now < self.end
        return now >= self.begin or now < self.end
