"""Pages from templates: everything is escaped, every text goes through `db.review.view.translations`.

A template finds: `visitor` (None before signing in), `csrf`, `language`, `theme`, `shortcuts`, `path()` and `static()`
for addresses, `notices`, and what its route hands over.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse

from db.review.access.addresses import address_of
from db.review.access.auth import Visitor, csrf_token, visit_secret
from db.review.access.cookies import VISIT, cookie, keep_cookie
from db.review.access.state import state_of
from db.review.view.environment import environment
from db.review.view.notices import notices_of
from db.review.view.preferences import preferences_of
from db.review.view.static_files import static_version
from db.review.view.translations import LANGUAGES


def render(
    request: Request, template: str, who: Visitor | None, context: Mapping[str, Any], *, status: int = 200
) -> HTMLResponse:
    """A page, or a part of one, in the reader's language."""
    preferred = preferences_of(request)
    root = request.scope.get("root_path", "")
    page = environment(preferred.language).get_template(template)
    common = {
        "visitor": who,
        "csrf": csrf_token(request),
        "language": preferred.language,
        "languages": LANGUAGES,
        "theme": preferred.theme,
        "shortcuts": preferred.shortcuts,
        "path": lambda address: root + address,
        "static": lambda name: f"{root}/static/{static_version()}/{name}",
        "notices": notices_of(request),
        "here": address_of(request),
        "read_only": state_of(request).settings.review_read_only,
        "exporting": state_of(request).exports is not None,
    }
    answer = HTMLResponse(page.render(common | dict(context)), status, {"Cache-Control": "private, no-store"})
    return keep_visit(request, answer)


def keep_visit(request: Request, answer: HTMLResponse) -> HTMLResponse:
    """Let the browser keep the secret that its forms are told by, where it has none yet."""
    if not cookie(request, VISIT):
        keep_cookie(request, answer, VISIT, visit_secret(request))
    return answer
