"""Addresses that came from outside: which may be followed, and which are believed."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from fastapi import Request


def local_path(address: str) -> str:
    r"""The path and query of an address within the page; the queue for anything else.

    `//host`, `/\\host` and control characters lead browsers elsewhere.
    """
    strange = any(letter < "!" or letter in "\\\x7f" for letter in address)
    if strange or not address.startswith("/") or address.startswith("//"):
        return "/"
    return address[:2000]


def is_loopback(host: str) -> bool:
    """Does only this machine reach an address?"""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_among(host: str | None, networks: Iterable[str]) -> bool:
    """Is the address one of these, or in one of these networks? What is no address never is."""
    try:
        found = ipaddress.ip_address(host or "")
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in ipaddress.ip_network(each) for each in networks)


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """What one machine may have of addresses: an IPv4 one, or the 64 bits that every IPv6 network has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or ipaddress.ip_network((int(found) >> 64 << 64, 64)).network_address
    return str(found)


def address_of(request: Request) -> str:
    """Path and query behind the app's root; of a form that was sent, those of the page that it stood on."""
    root = request.scope.get("root_path", "")
    if request.method == "GET":
        asked = request.url
        return asked.path.removeprefix(root) + (f"?{asked.query}" if asked.query else "")
    return page_before(request)


def page_before(request: Request) -> str:
    """Path and query, behind the app's root, of the page of ours that led here; the queue's where none did."""
    root = request.scope.get("root_path", "")
    page = urlsplit(request.headers.get("referer", ""))
    if page.netloc != request.url.netloc:
        return "/"
    return local_path(page.path.removeprefix(root) + (f"?{page.query}" if page.query else ""))
