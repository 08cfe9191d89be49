"""Pages from templates: everything is escaped, every text goes through `db.review.view.translations`.

A template finds: `visitor` (None before signing in), `csrf`, `language`, `theme`, `shortcuts`, `path()` and `static()`
for addresses, `notices`, and what its route hands over.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from db.entries.night import Description
from db.pathless import archive_label, without_paths
from db.review.access.addresses import address_of
from db.review.access.auth import Visitor, csrf_token, visit_secret
from db.review.access.cookies import VISIT, cookie, keep_cookie
from db.review.access.state import state_of
from db.review.view.machine_words import told
from db.review.view.match_words import in_words
from db.review.view.notices import notices_of
from db.review.view.preferences import preferences_of
from db.review.view.static_files import static_version
from db.review.view.translations import LANGUAGES, words

_JAPANESE = re.compile("[\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def render(
    request: Request, template: str, who: Visitor | None, context: Mapping[str, Any], *, status: int = 200
) -> HTMLResponse:
    """A page, or a part of one, in the reader's language."""
    preferred = preferences_of(request)
    root = request.scope.get("root_path", "")
    page = _environment(preferred.language).get_template(template)
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
    }
    answer = HTMLResponse(page.render(common | dict(context)), status, {"Cache-Control": "private, no-store"})
    return keep_visit(request, answer)


def keep_visit(request: Request, answer: HTMLResponse) -> HTMLResponse:
    """Let the browser keep the secret that its forms are told by, where it has none yet."""
    if not cookie(request, VISIT):
        keep_cookie(request, answer, VISIT, visit_secret(request))
    return answer


@cache
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=PackageLoader("db.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(words(language), newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= {"figure": figure, "moment": moment, "clock": clock, "years": years}
    environment.filters |= {"quoted": lambda text: quote(str(text), safe=""), "spoken": spoken}
    environment.filters["shared"] = lambda kept: in_words(kept, language)
    # for words that come out of the catalogue: unlike _(), which trusts its text, what it returns is escaped
    environment.filters["word"] = lambda text: words(language).gettext(str(text))
    environment.filters["machine"] = lambda text: told(without_paths(str(text)), words(language).gettext)
    environment.filters |= {"without_paths": without_paths, "archive_label": archive_label}
    environment.tests["japanese"] = is_japanese
    environment.globals["tile"] = tile_address
    return environment


def tile_address(sha256: str, name: str) -> str:
    """Where a picture's thumbnail, preview or tiles are, behind the app's root."""
    return f"/pictures/{sha256}/{name}"


def is_japanese(text: str) -> bool:
    """Is some of it in Japanese letters, so that it is read and set as Japanese?"""
    return _JAPANESE.search(text) is not None


def spoken(text: str) -> Markup:
    """Words of a record or a person, marked where they are Japanese, so that they are read aloud as such."""
    return Markup('<span lang="ja">{}</span>').format(text) if is_japanese(text) else Markup("{}").format(text)


def years(said: Description) -> str:
    """A print's years as the archive gave them; empty for none."""
    known = {year for year in (said.year_from, said.year_to) if year is not None}
    return "–".join(str(year) for year in sorted(known))


def figure(value: float | None, digits: int = 3) -> str:
    """A number to be read in a table; a dash for none."""
    return "–" if value is None else f"{value:.{digits}f}"


def moment(time: datetime | None) -> Markup:
    """A time for people and machines, UTC."""
    if time is None:
        return Markup("–")
    told = time.astimezone(UTC)
    return Markup('<time datetime="{}">{} UTC</time>').format(told.isoformat(), told.strftime("%Y-%m-%d %H:%M"))


def clock(time: datetime) -> Markup:
    """As `moment`, without the day: for what is soon."""
    told = time.astimezone(UTC)
    return Markup('<time class="clock" datetime="{}">{} UTC</time>').format(told.isoformat(), told.strftime("%H:%M"))
