"""How we behave towards a host, and what we know of one: limits, pace, robots.txt, Retry-After.

`http.py` is the only caller; no request is sent from here.
"""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from threading import RLock
from urllib.parse import quote

from protego import Protego
from requests.structures import CaseInsensitiveDict

from flows.archives.errors import ArchiveRefused
from flows.archives.web.day_counts import DayCounts
from flows.archives.web.peer_guard import is_loopback
from flows.archives.web.quiet_hours import QuietHours

PRODUCT = "nishiki"
"""The product token under which robots.txt may address us."""
DEFAULT_PACE_S = 5.0
LONGEST_PAUSE_S = 120.0
"""A host that asks for longer pauses than this wants an agreement, not a client that waits."""


@dataclass(frozen=True)
class DayLimit:
    """Most requests to one host on a day (UTC), robots.txt and repeats among them."""

    most: int
    counts: DayCounts


@dataclass(frozen=True)
class Manners:
    """The limits a client keeps; durations in seconds, sizes in bytes."""

    contact: str
    """A URL or mail address at which the archive reaches the operator; sent with every request when given."""
    pace_s: float | None = None
    """Least pause between two requests to a host; None is 5 s, and none at all on this very machine."""
    timeout_s: float = 30.0
    """Longest silence of a server, from byte to byte."""
    deadline_s: float = 300.0
    """Longest time for one answer with all its tries, waiting for our turn apart."""
    max_bytes_text: int = 32 * 2**20
    max_bytes_picture: int = 256 * 2**20
    allow_private: bool = False
    """Whether the archive's own host name may lead into a private network (an intranet archive)."""
    quiet: QuietHours | None = None
    """When the archive is not asked."""
    downloads: Path | None = None
    """A folder on whose disk large answers lie while they come, nameless; None: the system's for temporary files."""
    day_limit: DayLimit | None = None

    def user_agent(self) -> str:
        """Our honest name; letters that no header can carry are percent-encoded."""
        name = f"{PRODUCT}/{version('nishiki')}"
        return f"{name} (+{quote(self.contact, safe='@:/?&=+~ ,')})" if self.contact else name


@dataclass
class Host:
    """What a client knows of one host (scheme, name and port) during one run."""

    origin: str
    name: str
    turn: RLock = field(default_factory=RLock, repr=False)
    """Held while it is asked: one thread at a time does."""
    rules: Protego = field(default_factory=Protego)
    rules_until: float = -math.inf
    """Clock time until which robots.txt need not be read again."""
    free_at: float = -math.inf
    """Clock time of the end of the last request."""
    refusals: int = 0
    """401 and 403 answers in a row."""
    busy: bool = False
    """The last answer was 429."""
    stopped: bool = False
    """It was busy to the last of our tries, and is left alone for the rest of the run."""

    def pause_s(self, pace_s: float | None) -> float:
        """The pause before the next request: ours or the one robots.txt asks for, whichever is longer.

        Raises:
            ArchiveRefused: robots.txt asks for longer than LONGEST_PAUSE_S.
        """
        if pace_s is None:
            pace_s = 0.0 if is_loopback(self.name) else DEFAULT_PACE_S
        rate = self.rules.request_rate(PRODUCT)
        asked_s = max(self.rules.crawl_delay(PRODUCT) or 0.0, rate.seconds / rate.requests if rate else 0.0)
        if asked_s > LONGEST_PAUSE_S:
            raise ArchiveRefused(
                f"{self.origin}/robots.txt asks for {asked_s:.0f} s between requests, more than the "
                f"{LONGEST_PAUSE_S:.0f} s that a night can wait; agree on a pace with the archive"
            )
        return max(pace_s, asked_s)


def retry_after_s(headers: CaseInsensitiveDict[str]) -> float | None:
    """The wait a server asks for; its own Date is the clock for a Retry-After that names an hour."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = _moment(text)
    except ValueError:
        return None
    return max(0.0, (until - (said_at(headers) or datetime.now(UTC))).total_seconds())


def said_at(headers: CaseInsensitiveDict[str]) -> datetime | None:
    """The host's clock as its answer says, aware; None where it says none."""
    try:
        return _moment(headers.get("Date", ""))
    except ValueError:
        return None


def _moment(text: str) -> datetime:
    moment = parsedate_to_datetime(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
