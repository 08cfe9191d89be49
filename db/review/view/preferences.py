"""What readers chose for themselves, kept in their browser: language, light or dark, shortcuts on or off."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from db.review.access.addresses import local_path
from db.review.access.bodies import BoundedRoute
from db.review.access.cookies import cookie, keep_cookie
from db.review.view.translations import LANGUAGES, best_language

router = APIRouter(route_class=BoundedRoute)
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
    """From their cookies; a language never chosen is the one that their browser asks for."""
    language = cookie(request, "nishiki_language") or ""
    if language not in LANGUAGES:
        language = best_language(request.headers.get("accept-language", ""))
    theme = cookie(request, "nishiki_theme")
    shortcuts = cookie(request, "nishiki_shortcuts") != "off"
    return Preferences(language, theme if theme in THEMES else "auto", shortcuts)


@router.post("/preferences")
def choose(
    request: Request,
    name: Annotated[Literal["language", "theme", "shortcuts"], Form()],
    value: Annotated[str, Form(pattern=r"^[a-z]{1,10}$")],
    back: Annotated[str, Form()] = "/",
) -> RedirectResponse:
    """Keep one choice and go back to where they were."""
    answer = RedirectResponse(request.scope.get("root_path", "") + local_path(back), 303)
    keep_cookie(request, answer, f"nishiki_{name}", value, for_s=_YEAR_S)
    return answer
