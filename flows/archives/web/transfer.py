"""One answer's way over the wire: what is asked with it, how much of it is read, what a failure is called.

Called by `client.py`.
"""

import errno
import hashlib
from collections.abc import Callable
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import NamedTuple
from urllib.parse import urljoin

import requests

from flows.addresses import shown
from flows.archives.errors import BadRecord, TooLarge
from flows.archives.record import Validators

ROBOTS_BYTES = 512 * 1024
CHUNK_BYTES = 64 * 1024
IN_MEMORY_BYTES = 1024 * 1024
"""An answer larger than this goes to disk while it comes."""
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


class Body(NamedTuple):
    """What an answer brought, and the sha256 of it as it came."""

    data: bytes
    sha256: str


def read_whole(
    response: requests.Response,
    limit: int,
    wanted: Callable[[bytes], bool] | None = None,
    downloads: Path | None = None,
) -> Body:
    """The body, given up as soon as it passes the limit, or is going to by its Content-Length.

    A large one lies on disk while it comes, so that many slow ones at once take no memory; hashed on the way.

    Args:
        response: not read yet.
        limit: most bytes.
        wanted: looks at the first bytes; of what is not wanted only these are read.
        downloads: a folder on whose disk it lies; None, or not there yet: the system's for temporary files.
    """
    too_large = TooLarge(f"{shown(response.url)} is larger than {limit:,} bytes; raise the limit if it should be")
    if _announced(response) > limit:
        raise too_large
    folder = str(downloads) if downloads and downloads.is_dir() else None
    size, start, digest = 0, b"", hashlib.sha256()
    with SpooledTemporaryFile(IN_MEMORY_BYTES, dir=folder) as file:
        for part in response.iter_content(CHUNK_BYTES):
            size += len(part)
            if size > limit:
                raise too_large
            file.write(part)
            digest.update(part)
            if wanted:
                start += part
                if size >= START_BYTES:
                    if not wanted(start):
                        break
                    wanted = None
        file.seek(0)
        return Body(file.read(), digest.hexdigest())


def _announced(response: requests.Response) -> int:
    """Bytes that are going to come, as far as it says; packed ones may become more."""
    said = response.headers.get("Content-Length", "")
    return int(said[:20]) if said.isascii() and said.isdigit() else 0


def read_start(response: requests.Response) -> Body:
    """As much of robots.txt as RFC 9309 asks for."""
    start = b""
    for part in response.iter_content(CHUNK_BYTES):
        start += part
        if len(start) >= ROBOTS_BYTES:
            break
    start = start[:ROBOTS_BYTES]
    return Body(start, hashlib.sha256(start).hexdigest())


def reason(error: Exception) -> str:
    """What happened, in words that quote nothing."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "no room left on this machine's disk for the answer; free some space"
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection; check its certificate, or try again later"
    if isinstance(error, requests.exceptions.Timeout):
        return "no answer in time; try again later"
    if "NameResolutionError" in repr(error):
        return "the host's name cannot be resolved; check the address and the network"
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return "the connection failed or broke off; try again later"
    return f"the answer cannot be read ({type(error).__name__}); try again later"
