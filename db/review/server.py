"""How the page is served: uvicorn, whose connections may neither dawdle nor crowd out others.

uvicorn itself waits without end for a request that never comes, and counts connections for all together: whoever holds
as many as there may be shuts the page to everybody. Here each step of a connection has its time; each address has so
many connections and no more; and where there is no room, the one that has kept the page waiting longest makes it.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import h11
from starlette.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from db.review.access.addresses import is_among, network
from db.review.settings import ReviewSettings

MOST_CONNECTIONS: Final = 500
MOST_LEFT_BYTES: Final = 10_000_000
"""Of a form that was answered before it had come whole: read and thrown away, for browsers listen only then."""
BETWEEN_LEFT_S: Final = 0.02
"""Seconds between two looks at it."""
MOST_CHUNKS: Final = 2000
"""Of one form: each costs more than it carries where it is of a few bytes."""


@dataclass(frozen=True)
class Patience:
    """Seconds that a connection may take."""

    header_s: float = 10.0
    """From its opening, or the first byte of a further request, to the end of the header."""
    idle_s: int = 5
    """Between two requests."""
    leaving_s: float = 30.0
    """For a browser to take an answer, or its next 48 KiB; and for what is left of a form that was answered."""


class Room:
    """Who is connected, and who of them keeps the page waiting; used on the event loop alone."""

    def __init__(self, most: int, most_each: int, proxies: Sequence[str]) -> None:
        self._most = most
        self._most_each = most_each
        self._proxies = proxies
        self._inside: dict[PatientProtocol, str] = {}
        self._of: Counter[str] = Counter()
        self._waiting: dict[PatientProtocol, None] = {}
        """Longest first."""

    def enter(self, guest: "PatientProtocol", address: str) -> bool:
        """Take them in, instead of another where it is full; False: all that could go are being answered."""
        place = "" if is_among(address, self._proxies) else network(address)
        crowded = bool(place) and self._of[place] >= self._most_each
        if crowded and not self._send_away([each for each in self._waiting if self._inside[each] == place]):
            return False
        if len(self._inside) >= self._most and not self._send_away(list(self._waiting)):
            return False
        self._inside[guest] = place
        if place:
            self._of[place] += 1
        self._waiting[guest] = None
        return True

    def leave(self, guest: "PatientProtocol") -> None:
        """They are gone; harmless when they were not here."""
        self._waiting.pop(guest, None)
        place = self._inside.pop(guest, "")
        if place:
            self._of[place] -= 1
            if not self._of[place]:
                del self._of[place]

    def waits_for(self, guest: "PatientProtocol") -> None:
        """The next word is theirs."""
        if guest in self._inside and guest not in self._waiting:
            self._waiting[guest] = None

    def works_for(self, guest: "PatientProtocol") -> None:
        """The next word is ours."""
        self._waiting.pop(guest, None)

    def _send_away(self, some: Sequence["PatientProtocol"]) -> bool:
        """The longest waiting of the address that has the most."""
        if not some:
            return False
        guest = max(some, key=lambda each: self._of[self._inside[each]])
        self.leave(guest)
        guest.transport.abort()
        return True


class _Review(Config):
    """uvicorn's configuration with what our protocol asks for."""

    def __init__(self, app: ASGIApp, room: Room, patience: Patience) -> None:
        self.room = room
        self.patience = patience
        super().__init__(
            app,
            http=PatientProtocol,
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the app does, for the proxies of its settings and no others
            timeout_keep_alive=patience.idle_s,
            timeout_graceful_shutdown=3,
        )


class _Frugal(h11.Connection):
    """Takes no form in crumbs."""

    _chunks = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._chunks = 0
        elif isinstance(event, h11.Data) and event.chunk_start:
            self._chunks += 1
            if self._chunks > MOST_CHUNKS:
                raise h11.RemoteProtocolError("too many chunks", error_status_hint=413)
        return event


class PatientProtocol(H11Protocol):
    """One connection."""

    def __init__(self, config: Config, *given: Any, **named: Any) -> None:
        super().__init__(config, *given, **named)
        assert isinstance(config, _Review)
        self._room, self._patience = config.room, config.patience
        self.conn = _Frugal(h11.SERVER)
        self._deadline: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._left_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody comes."""
        super().connection_made(transport)
        if self._room.enter(self, self.client[0] if self.client else ""):
            self._within(self._patience.header_s, self._never_asked)
        else:
            self._refuse(503, "There are too many connections from your address. Close some and try again.")
        with suppress(OSError):  # it is gone already
            # asyncio does so for its own listeners only: a body would wait until the browser acknowledges its header
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        """They are gone."""
        super().connection_lost(exc)
        self._room.leave(self)
        for timer in (self._deadline, self._taking):
            if timer:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """They said something."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.transport.is_closing():
            self._within(self._patience.leaving_s, self.transport.abort)
        elif self._is_being_answered():
            self._begin()
        elif self.conn.their_state is h11.SEND_BODY:
            self._leave_unread(len(data))
        elif self._deadline is None:
            self._within(self._patience.header_s, self._never_asked)

    def on_response_complete(self) -> None:
        """They have our answer, or are being sent it."""
        self._forget_deadline()
        self._left_bytes = 0
        super().on_response_complete()
        if self._is_being_answered():  # by a request that had come before its turn
            self._begin()
            return
        self._room.waits_for(self)
        if self.transport.is_closing() or self.conn.their_state is h11.SEND_BODY:
            self._within(self._patience.leaving_s, self.transport.abort)

    def timeout_keep_alive_handler(self) -> None:
        """They asked nothing further."""
        super().timeout_keep_alive_handler()
        self._within(self._patience.leaving_s, self.transport.abort)

    def pause_writing(self) -> None:
        """They do not take what they asked for."""
        super().pause_writing()
        self._room.waits_for(self)
        self._taking = self.loop.call_later(self._patience.leaving_s, self.transport.abort)

    def resume_writing(self) -> None:
        """They do again."""
        super().resume_writing()
        if self._is_being_answered():
            self._room.works_for(self)
        if self._taking:
            self._taking.cancel()

    def _is_being_answered(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None before the first request, whatever uvicorn declares
        return cycle is not None and not cycle.response_complete

    def _begin(self) -> None:
        """The header is there; what of the form is not, the route waits for."""
        self._forget_deadline()
        if self.cycle.more_body:
            self._room.waits_for(self)
        else:
            self._room.works_for(self)

    def _leave_unread(self, size: int) -> None:
        self._left_bytes += size
        if self._left_bytes > MOST_LEFT_BYTES:
            self.transport.abort()
        else:  # some hundred kilobytes at a time, so that a flood of it costs no more than a trickle
            self.flow.pause_reading()
            self.loop.call_later(BETWEEN_LEFT_S, self.flow.resume_reading)

    def _never_asked(self) -> None:
        begun, _ = self.conn.trailing_data
        if begun:
            self._refuse(408, "Your request did not arrive in time. Try again.")
        else:
            self.transport.abort()

    def _refuse(self, status: int, words: str) -> None:
        head = f"HTTP/1.1 {status} \r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
        self.transport.write(f"{head}Content-Length: {len(words) + 1}\r\n\r\n{words}\n".encode())
        self.transport.close()
        self._within(self._patience.leaving_s, self.transport.abort)

    def _within(self, seconds: float, otherwise: Callable[[], None]) -> None:
        self._forget_deadline()
        self._deadline = self.loop.call_later(seconds, otherwise)

    def _forget_deadline(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


def server(
    app: ASGIApp, settings: ReviewSettings, *, most: int = MOST_CONNECTIONS, patience: Patience | None = None
) -> Server:
    """What serves the app; `run(sockets=[...])` does until Ctrl-C."""
    room = Room(most, settings.review_connections_each, settings.review_proxies)
    return Server(_Review(app, room, patience or Patience()))


def serve(app: ASGIApp, settings: ReviewSettings, listener: socket.socket) -> None:
    """Serve until Ctrl-C."""
    server(app, settings).run(sockets=[listener])
