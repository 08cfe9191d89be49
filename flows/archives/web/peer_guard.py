"""Whom we talk to: every new connection's peer address is checked, and every request has an end.

`http.py` mounts the adapter. An archive's answer may name any URL; without this check a record could
make us read a neighbour in the institution's own network. The connected socket is asked, not the
resolver: a second look-up may answer differently.
"""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from flows.archives.errors import ArchiveRefused

# `ipaddress` calls these global although each may carry a private IPv4 address inside.
_CARRIERS = tuple(
    ipaddress.ip_network(network)
    for network in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")
)
_PORTS = {"http": 80, "https": 443}

Admit = Callable[[socket.socket, str, int], socket.socket]
HostPort = tuple[str, int]


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet, and to nothing that wraps another address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    wrapped = any(ip in network for network in _CARRIERS if network.version == ip.version)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or wrapped)


def is_loopback(host: str) -> bool:
    """Whether a URL's host is this very machine, by its literal address or as `localhost`."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def home_of(base_url: str, *, allow_private: bool) -> HostPort | None:
    """The one host and port that may lie in a private network: the archive's own, if the operator said so.

    A literal address (or `localhost`) in the base URL says so; a name does only with `allow_private`,
    since whoever owns the name decides where it leads.
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    if not (allow_private or host == "localhost" or _is_address(host)):
        return None
    return host, parts.port or _PORTS.get(parts.scheme, 0)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class PeerGuard(HTTPAdapter):
    """A transport that refuses private peers before a byte is sent, and can cut a request short."""

    def __init__(self, home: HostPort | None) -> None:
        self._home = home
        self._open: list[socket.socket] = []
        self.expired = False
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        """Makes the pools out of connections that ask `_admit`."""
        super().init_poolmanager(connections, maxsize, block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._admit)

    @contextlib.contextmanager
    def time_limit(self, seconds: float) -> Iterator[None]:
        """Shuts every connection made inside the block after so many seconds, and sets `expired`.

        A socket's time-out counts from byte to byte, headers included: a server that drips one byte a
        second never meets it.
        """
        self.expired = False
        timer = threading.Timer(max(seconds, 0.0), self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            for handle in self._open:
                handle.close()
            self._open.clear()

    def _cut(self) -> None:
        self.expired = True
        for handle in tuple(self._open):
            with contextlib.suppress(OSError):  # already closed by the other side
                handle.shutdown(socket.SHUT_RDWR)

    def _admit(self, sock: socket.socket, host: str, port: int) -> socket.socket:
        address = sock.getpeername()[0]
        if not is_public(address) and (host.strip("[]").lower(), port) != self._home:
            sock.close()
            raise ArchiveRefused(
                f"{host}:{port} leads to {address}, outside the open internet; only the archive's own "
                "base URL may lead there, if you give it by number or set allow_private for it in nishiki.toml"
            )
        # A duplicate of the handle stays good when TLS wraps, and so detaches, the socket itself.
        self._open.append(sock.dup())
        if self.expired:
            sock.close()
            raise TimeoutError
        return sock


def _pools(admit: Admit) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return admit(super()._new_conn(), self.host, self.port)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return admit(super()._new_conn(), self.host, self.port)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
