"""The page's cookies, all kept and forgotten one way: for no script, for no other site, behind TLS for TLS alone.

Behind TLS their names begin with `__Host-`: then neither a neighbouring host nor an unencrypted page can plant one.
"""

from typing import Final

from fastapi import Request
from fastapi.responses import Response

SESSION: Final = "nishiki_session"
VISIT: Final = "nishiki_visit"
"""Random, so that forms can be told from forged ones before anybody has signed in."""


def cookie(request: Request, name: str) -> str | None:
    """What the browser brought along."""
    return request.cookies.get(_full_name(request, name))


def keep_cookie(request: Request, answer: Response, name: str, value: str, *, for_s: int | None = None) -> None:
    """Let the browser keep it for so many seconds; None: until it is closed."""
    secure = _over_tls(request)
    full = _full_name(request, name)
    answer.set_cookie(full, value, max_age=for_s, path="/", secure=secure, httponly=True, samesite="lax")


def forget_cookie(request: Request, answer: Response, name: str) -> None:
    """Let the browser forget it; told with the attributes that it was kept with, or it would stay."""
    secure = _over_tls(request)
    answer.delete_cookie(_full_name(request, name), path="/", secure=secure, httponly=True, samesite="lax")


def _full_name(request: Request, name: str) -> str:
    return f"__Host-{name}" if _over_tls(request) else name


def _over_tls(request: Request) -> bool:
    return request.url.scheme == "https"
