"""What a reader chose for herself, kept in her browser: language, light or dark, shortcuts on or off."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from db.review.addresses import local_path
from db.review.words import LANGUAGES, best_language

router = APIRouter()
THEMES: Final = ("auto", "light", "dark")
_YEAR_S = 365 * 86_400


@dataclass(frozen=True)
class Preferences:
    """Of one reader."""

    language: str
    theme: str
    shortcuts: bool
    """Single letters as keys (WCAG 2.1.4 wants them to be switched off at will)."""


def preferences_of(request: Request) -> Preferences:
    """From her cookies; a language she never chose is the one that her browser asks for."""
    language = request.cookies.get("nishiki_language", "")
    if language not in LANGUAGES:
        language = best_language(request.headers.get("accept-language", ""))
    theme = request.cookies.get("nishiki_theme", "auto")
    return Preferences(
        language, theme if theme in THEMES else "auto", request.cookies.get("nishiki_shortcuts") != "off"
    )


@router.post("/preferences")
def choose(
    request: Request,
    name: Annotated[Literal["language", "theme", "shortcuts"], Form()],
    value: Annotated[str, Form(pattern=r"^[a-z]{1,10}$")],
    back: Annotated[str, Form()] = "/",
) -> RedirectResponse:
    """Keep one choice and go back to where she was."""
    answer = RedirectResponse(request.scope.get("root_path", "") + local_path(back), 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(f"nishiki_{name}", value, max_age=_YEAR_S, samesite="lax", httponly=True, secure=secure)
    return answer
