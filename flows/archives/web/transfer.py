"""One answer's way over the wire: what is asked with it, how much of it is read, what a failure is called.

Called by `http.py`.
"""

from collections.abc import Callable
from urllib.parse import urljoin

import requests

from flows.addresses import shown
from flows.archives.errors import BadRecord, TooLarge
from flows.archives.record import Validators

ROBOTS_BYTES = 512 * 1024
CHUNK_BYTES = 64 * 1024
START_BYTES = 4096
"""Enough to tell what a body is."""


def conditions(known: Validators) -> dict[str, str]:
    """The headers that ask for a picture only if it is not the version we hold."""
    asked = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in asked.items() if value}


def joined(url: str, target: str) -> str:
    """Where a redirect leads.

    Raises:
        BadRecord: nowhere.
    """
    try:
        return urljoin(url, target)
    except ValueError:
        raise BadRecord(f"{shown(url)} redirects to what is no address; tell the archive") from None


def read_whole(response: requests.Response, limit: int, wanted: Callable[[bytes], bool] | None = None) -> bytes:
    """The body, given up as soon as it passes the limit, whatever its Content-Length says.

    Args:
        response: not read yet.
        limit: most bytes.
        wanted: looks at the first bytes; of what is not wanted only these are read.
    """
    parts, size = list[bytes](), 0
    for part in response.iter_content(CHUNK_BYTES):
        size += len(part)
        if size > limit:
            raise TooLarge(f"{shown(response.url)} is larger than {limit:,} bytes; raise the limit if it should be")
        parts.append(part)
        if wanted and size >= START_BYTES:
            if not wanted(b"".join(parts)):
                break
            wanted = None
    return b"".join(parts)


def read_start(response: requests.Response) -> bytes:
    """As much of robots.txt as RFC 9309 asks for."""
    start = b""
    for part in response.iter_content(CHUNK_BYTES):
        start += part
        if len(start) >= ROBOTS_BYTES:
            break
    return start[:ROBOTS_BYTES]


def reason(error: Exception) -> str:
    """What happened, in words that quote nothing."""
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection; check its certificate, or try again later"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time; try again later"
    if "NameResolutionError" in repr(error):
        return "the host's name cannot be resolved; check the address and the network"
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "the connection failed or broke off; try again later"
    return f"the answer cannot be read ({type(error).__name__}); try again later"
