"""Web addresses fit to be shown: without a user, a password or a key.

Archives, settings and the command use it, before anything is printed or kept; it knows none of them.
"""

import re
from urllib.parse import urlsplit, urlunsplit

_OPEN_FIELDS = {"verb", "metadataPrefix", "from", "until", "set", "identifier"}
"""Query fields of OAI-PMH, of which none is a key; values of all others are masked."""


def shown(url: str) -> str:
    """A URL fit for messages and the catalogue: no user, no password, no query value that may be a key."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is not a URL"
    return urlunsplit(parts._replace(netloc=_host(parts.netloc), query=_masked(parts.query), fragment=""))


def carries_secret(word: str) -> bool:
    """Whether a web address holds a user, a password or a query field that may be a key."""
    try:
        parts = urlsplit(word)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and ("@" in parts.netloc or _masked(parts.query) != parts.query)


def without_user(url: str) -> str:
    """A URL without the user and password that it may carry."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=_host(parts.netloc)))


def _host(netloc: str) -> str:
    return netloc.rpartition("@")[2]


def _masked(query: str) -> str:
    """A query whose fields keep their names; a field without a value may be a key itself."""
    return "".join(map(_masked_field, re.split("([&;])", query)))


def _masked_field(field: str) -> str:
    name, equals, _ = field.partition("=")
    if field in ("", "&", ";") or (equals and name in _OPEN_FIELDS):
        return field
    return f"{name}=***" if equals else "***"
