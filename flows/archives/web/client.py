"""The polite client: identity, pace, robots.txt, Retry-After, conditional GET, limits of size and time.

Every request to an archive goes through here. One client serves one archive; several threads may share it, and one
host is asked by one of them at a time, at its pace. It uses no proxy and reads no environment or .netrc: behind a
proxy the peer check would see only the proxy.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import Random
from urllib.parse import urlsplit

import requests
from protego import Protego
from urllib3.exceptions import HTTPError, LocationValueError

from flows.addresses import shown, without_user
from flows.archives.errors import ArchiveRefused, ArchiveUnavailable, BadRecord, Gone
from flows.archives.record import Validators
from flows.archives.web.peer_guard import PeerGuard, home_of
from flows.archives.web.politeness import PRODUCT, Host, Manners, retry_after_s, said_at
from flows.archives.web.transfer import Body, conditions, joined, read_start, read_whole, reason

MAX_REDIRECTS = 5
BACKOFF_S = (2.0, 8.0)
"""Waits between the tries of one request; Retry-After lengthens them."""
JITTER = 0.5
"""Part of such a wait that it is lengthened by at random, so that clients that failed together do not come back so."""
REFUSALS_IN_A_ROW = 10
"""One 403 may mean one picture, and several those of one shelf; after so many it is the host that wants us gone."""
LEFT_ALONE_S = 3600.0
ROBOTS_FRESH_S = 24 * 3600.0
_NOTHING = Validators()

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """A whole answer, and what it said of its version."""

    data: bytes = field(repr=False)
    sha256: str
    """Of the data as it came."""
    url: str
    """After redirects."""
    content_type: str
    validators: Validators
    date: datetime | None = None
    """The host's own clock, where it says."""


Reader = Callable[[requests.Response], Body]
Step = Answer | str | None
"""What one request leads to: an answer, the next URL, or "unchanged"."""


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        """None, always: requests would read a redirect's body whole, whatever its size."""
        return None


class _Line(threading.local):
    """What one thread asks with."""

    def __init__(self, manners: Manners, home: str) -> None:
        self.ends = math.inf
        """Clock time at which the answer that is waited for is given up."""
        self.guard = PeerGuard(home_of(home, allow_private=manners.allow_private))
        self.session = _Session()
        self.session.trust_env = False
        # A kept connection would seldom outlive the pause, and every new one has its peer checked.
        self.session.headers.update({"User-Agent": manners.user_agent(), "Connection": "close"})
        self.session.mount("http://", self.guard)
        self.session.mount("https://", self.guard)

    def close(self) -> None:
        """Those of other threads end with them: no connection is kept."""
        self.session.close()


class PoliteClient:
    """Asks an archive's hosts as slowly, as openly and as seldom as they want to be asked.

    Args:
        manners: The limits kept.
        home: The archive's base URL as the operator gave it.
        clock: Seconds, never going back.
        now: The time of day, aware.
        sleep: Waits that many seconds.
    """

    def __init__(
        self,
        manners: Manners,
        home: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.manners = manners
        self._clock = clock
        self._now = now
        self._sleep = sleep
        self._random = Random()  # noqa: S311 - no secret
        self._hosts: dict[str, Host] = {}
        self._line = _Line(manners, home)

    def close(self) -> None:
        """Releases connections."""
        self._line.close()

    def get(
        self,
        url: str,
        *,
        limit: int,
        known: Validators = _NOTHING,
        wanted: Callable[[bytes], bool] | None = None,
        needed: bool = True,
    ) -> Answer | None:
        """Fetches one URL, with a few tries of its own.

        Args:
            url: http or https.
            limit: Most bytes, after decompression.
            known: Validators of what we hold; sent along.
            wanted: Looks at the first bytes; of what is not wanted no more is read.
            needed: A host that is too busy for it is left alone for the rest of the run.

        Returns:
            The answer, or None where it has not changed since `known`.

        Raises:
            ArchiveUnavailable: no proper answer after all tries, or not within the deadline.
            ArchiveRefused: robots.txt, 401, 403, or an address in a private network.
            BadRecord: nothing lies there. TooLarge: more than `limit`.
        """
        self._line.ends = self._clock() + self.manners.deadline_s
        pauses = iter(BACKOFF_S)
        read: Reader = partial(read_whole, limit=limit, wanted=wanted, downloads=self.manners.downloads)
        while True:
            try:
                return self._follow(url, lambda hop: self._visit(hop, known, read))
            except ArchiveUnavailable as error:
                pause_s = next(pauses, math.inf) * (1 + JITTER * self._random.random())
                pause_s = max(pause_s, error.retry_after_s or 0.0)
                if self._clock() + pause_s > self._line.ends:
                    if needed:
                        self._leave_busy_hosts_alone()
                    raise
                log.info("%s; it is asked again in %.0f s", error, pause_s)
            self._sleep(pause_s)

    def _follow(self, url: str, step: Callable[[str], Step]) -> Answer | None:
        start = url
        for _ in range(MAX_REDIRECTS + 1):
            reached = step(url)
            if not isinstance(reached, str):
                return reached
            url = reached
        raise BadRecord(f"{shown(start)} leads through more than {MAX_REDIRECTS} redirects; check the address")

    def _visit(self, url: str, known: Validators, read: Reader) -> Step:
        """One request, if the host lets us."""
        host = self._host(url)
        self._check_stopped(host)
        if host.rules_until < self._clock():
            host.rules = self._read_rules(host)
            host.rules_until = self._clock() + ROBOTS_FRESH_S
        if not host.rules.can_fetch(url, PRODUCT):
            raise ArchiveRefused(
                f"{host.origin}/robots.txt forbids us {shown(url)}; a person should look, and ask the archive"
            )
        return self._ask(url, known, read)

    def _read_rules(self, host: Host) -> Protego:
        """RFC 9309: no robots.txt (any 4xx) means no restriction, an unreachable one forbids everything."""
        url = f"{host.origin}/robots.txt"
        # Yesterday's rules must not stand in the way of today's.
        host.rules = Protego()
        try:
            answer = self._follow(url, lambda hop: self._ask(hop, _NOTHING, read_start))
        except (BadRecord, ArchiveRefused):
            # A private address refuses the request itself just as well.
            host.refusals = 0
            return Protego.parse("")
        except ArchiveUnavailable as error:
            blocked = f"{error} (without robots.txt a host must not be asked)"
            raise ArchiveUnavailable(blocked, error.retry_after_s) from None
        return Protego.parse(answer.data.decode("utf-8-sig", "replace") if answer else "")

    def _ask(self, url: str, known: Validators, read: Reader) -> Step:
        """One request without a look at robots.txt."""
        host = self._host(url)
        with host.turn:
            self._wait_turn(host)
            self._check_day(host)
            try:
                step = self._answer(url, host, known, read)
            except (requests.exceptions.InvalidURL, LocationValueError):
                raise BadRecord(f"{shown(url)} is no address that can be asked; check the record") from None
            except (OSError, HTTPError) as error:
                # Not chained: these exceptions quote the URL with whatever secret it carries.
                raise self._too_late(url) or ArchiveUnavailable(f"{shown(url)}: {reason(error)}") from None
            finally:
                host.free_at = self._clock()
        if late := self._too_late(url):
            raise late
        return step

    def _answer(self, url: str, host: Host, known: Validators, read: Reader) -> Step:
        line = self._line
        request = line.session.prepare_request(requests.Request("GET", url, conditions(known)))
        with (
            line.guard.time_limit(line.ends - self._clock()),
            line.session.send(request, stream=True, timeout=self.manners.timeout_s) as response,
        ):
            return self._judge(response, host, known, read)

    def _judge(self, response: requests.Response, host: Host, known: Validators, read: Reader) -> Step:
        status = response.status_code
        what = f"{shown(response.url)} answered HTTP {status}"
        if status in (401, 403, 451):
            host.refusals += 1
            raise ArchiveRefused(f"{what}; a person should look, and ask the archive")
        if status in (408, 425, 429) or status >= 500:
            host.busy = status == 429
            raise ArchiveUnavailable(f"{what}; try again later", retry_after_s(response.headers))
        host.refusals, host.busy = 0, False
        if target := requests.Session.get_redirect_target(self._line.session, response):
            return joined(response.url, target)
        if status == 304 and known != _NOTHING:
            return None
        if status != 200:
            raise (Gone if status in (404, 410) else BadRecord)(f"{what}; nothing to read there")
        said = response.headers
        validators = Validators(said.get("ETag"), said.get("Last-Modified"))
        media_type = said.get("Content-Type", "")
        return Answer(*read(response), without_user(response.url), media_type, validators, said_at(said))

    def _host(self, url: str) -> Host:
        try:
            parts = urlsplit(url)
            name, port = parts.hostname, parts.port
        except ValueError:
            parts, name, port = urlsplit(""), None, None
        if parts.scheme not in ("http", "https") or not name:
            raise BadRecord(f"{shown(url)} is no http or https address; check the record")
        origin = f"{parts.scheme}://{f'[{name}]' if ':' in name else name}{f':{port}' if port else ''}"
        return self._hosts.setdefault(origin, Host(origin, name))

    def _wait_turn(self, host: Host) -> None:
        wait_s = host.free_at + host.pause_s(self.manners.pace_s) - self._clock()
        if wait_s > 0:
            self._sleep(wait_s)
            self._line.ends += wait_s

    def _check_day(self, host: Host) -> None:
        """May it be asked now, and once more? Then that is counted."""
        quiet, limit = self.manners.quiet, self.manners.day_limit
        if quiet and quiet.hold(self._now()):
            raise ArchiveUnavailable(
                f"{host.origin} is not asked between {quiet.begin:%H:%M} and {quiet.end:%H:%M} {quiet.zone}; "
                "the next harvest outside these hours goes on",
                LEFT_ALONE_S,
            )
        if limit and not limit.counts.allows(host.origin, self._now().astimezone(UTC).date(), limit.most):
            raise ArchiveUnavailable(
                f"{host.origin} was asked {limit.most:,} times today, as often as `most_requests` allows; the next "
                "harvest after midnight UTC goes on",
                LEFT_ALONE_S,
            )

    def _check_stopped(self, host: Host) -> None:
        left_alone = f"{host.origin} is left alone for the rest of this run"
        if host.refusals >= REFUSALS_IN_A_ROW:
            raise ArchiveRefused(f"{left_alone}: it refused us {host.refusals} times in a row; a person should look")
        if host.stopped:
            raise ArchiveUnavailable(f"{left_alone}: it answered HTTP 429, too many requests", LEFT_ALONE_S)

    def _leave_busy_hosts_alone(self) -> None:
        for host in self._hosts.values():
            host.stopped |= host.busy

    def _too_late(self, url: str) -> ArchiveUnavailable | None:
        if not self._line.guard.expired:
            return None
        return ArchiveUnavailable(f"{shown(url)} took longer than {self.manners.deadline_s:g} s; try again later")
