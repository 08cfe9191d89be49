"""Addresses of a webhook and of a mail server: settings read them, `flows.alarm.channels` uses them.

They hold a key or a password, so errors quote nothing of them.
"""

import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

MAIL_ADDRESS: Final = re.compile(r"[^\s@<>,;\"()]+@[A-Za-z0-9.-]+", re.ASCII)
_PORTS: Final = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
_MAIL_FORM: Final = "give smtps://USER:PASSWORD@HOST, smtp:// for STARTTLS, or smtp+plain://HOST without a password"
_WEB_FORM: Final = "give a web address as the chat program shows it, https://HOST/..., without a user"


@dataclass(frozen=True)
class WebhookAddress:
    """Where a chat program takes what is to be told; its path is a key."""

    url: str = field(repr=False)
    host: str

    @classmethod
    def read(cls, url: str) -> Self:
        """From the text of it.

        Raises:
            ValueError: it is none.
        """
        parts = _split(url, _WEB_FORM)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError(_WEB_FORM)
        return cls(url.strip(), parts.hostname)


@dataclass(frozen=True)
class MailServer:
    """What takes mail from us: encrypted from the beginning, by STARTTLS or not at all."""

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def read(cls, address: str) -> Self:
        """From the text of it; user and password may be percent-encoded.

        Raises:
            ValueError: it is none, or would send a password in clear.
        """
        parts = _split(address, _MAIL_FORM)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if parts.scheme not in _PORTS or not parts.hostname or bool(user) != bool(password):
            raise ValueError(_MAIL_FORM)
        if parts.scheme == "smtp+plain" and user:
            raise ValueError("a password goes over an encrypted connection alone: give smtps:// or smtp://")
        if not (user + password).isascii():
            raise ValueError("user and password of a mail server must be in ASCII")
        return cls(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], user, password)


def _split(address: str, form: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        parts.port  # noqa: B018  # a wrong one is found where it is asked for
    except ValueError:  # whose words may quote a password
        raise ValueError(form) from None
    return parts
