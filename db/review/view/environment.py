"""Templates and what they may say: everything is escaped, every text goes through `db.review.view.translations`.

`db.review.view.rendering` makes pages of them, `db.review.view.morning` the report that is read without the page. Knows
no web framework.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from db.entries.corrections import Correctable, value_of
from db.entries.night import Description
from db.pathless import archive_label, without_paths
from db.record_words import in_line, written
from db.review.view.machine_words import told
from db.review.view.match_words import in_words
from db.review.view.translations import words

_JAPANESE = re.compile("[\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@cache
def environment(language: str) -> Environment:
    """The templates in one language."""
    made = Environment(
        loader=PackageLoader("db.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(words(language), newstyle=True)  # type: ignore[attr-defined]
    made.globals["_"] = translator(language)
    made.filters |= {"figure": figure, "moment": moment, "clock": clock, "years": years}
    made.filters |= {"quoted": lambda text: quote(str(text), safe=""), "spoken": spoken}
    told_by = words(language).gettext
    made.filters["in_field"] = lambda value, field: in_line(value, Correctable(field), told_by)
    made.filters["to_correct"] = lambda said, field: written(value_of(said, Correctable(field)), Correctable(field))
    made.filters["shared"] = lambda kept: in_words(kept, language)
    # for words that come out of the catalogue: unlike _(), which trusts its text, what it returns is escaped
    made.filters["word"] = lambda text: words(language).gettext(str(text))
    made.filters["machine"] = lambda text: told(without_paths(str(text)), words(language).gettext)
    made.filters |= {"without_paths": without_paths, "archive_label": archive_label}
    made.filters["authority_file"] = authority_file
    made.globals["authored"] = people_in_authority_files
    made.tests["japanese"] = is_japanese
    made.globals["tile"] = tile_address
    return made


def translator(language: str) -> Callable[..., Markup]:
    """The templates' `_()`: a text of theirs in this language, with values for its names, which are escaped.

    As the extension's own does, which asks three times as long for it: a page says some hundred texts, most without a
    name in them, and these are made once.
    """
    told = words(language).gettext

    @lru_cache(4096)
    def whole(text: str) -> Markup:
        return Markup(told(text)) % {}  # noqa: S704  # the templates' own words

    def translated(text: str, **values: object) -> Markup:
        return Markup(told(text)) % values if values else whole(text)  # noqa: S704

    return translated


def tile_address(sha256: str, name: str) -> str:
    """Where a picture's thumbnail, preview or tiles are, behind the app's root."""
    return f"/pictures/{sha256}/{name}"


def is_japanese(text: str) -> bool:
    """Is some of it in Japanese letters, so that it is read and set as Japanese?"""
    return _JAPANESE.search(text) is not None


def spoken(text: str) -> Markup:
    """Words of a record or a person, marked where they are Japanese, so that they are read aloud as such."""
    said = escape(text)
    return Markup('<span lang="ja">') + said + Markup("</span>") if is_japanese(text) else said


def years(said: Description) -> str:
    """A print's years as the archive gave them; empty for none."""
    known = {year for year in (said.year_from, said.year_to) if year is not None}
    return "–".join(str(year) for year in sorted(known))


def people_in_authority_files(said: Description) -> list[str]:
    """Artists and actors of a print whom an authority file knows, in the record's order."""
    people = dict.fromkeys([*said.artists, *(actor for _, actor in said.cast)])
    return [name for name in people if said.addresses(name)]


def authority_file(address: str) -> str:
    """`ULAN 500123456`, of the address of a person's entry."""
    parts = urlsplit(address)
    files = {"vocab.getty.edu": "ULAN", "viaf.org": "VIAF", "www.wikidata.org": "Wikidata"}
    return f"{files.get(parts.hostname or '', parts.hostname)} {parts.path.rpartition('/')[2]}"


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
