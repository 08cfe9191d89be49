"""Addresses that came from outside and are to be followed: only paths of our own are."""

from urllib.parse import urlsplit


def local_path(address: str) -> str:
    r"""The path and query of an address within the page; the queue for anything else.

    `//host`, `/\\host` and control characters lead browsers elsewhere.
    """
    parts = urlsplit(address)
    strange = any(letter < "!" or letter in "\\\x7f" for letter in address)
    if strange or parts.scheme or parts.netloc or not address.startswith("/") or address.startswith("//"):
        return "/"
    return address[:2000]
