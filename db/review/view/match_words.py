"""Why a match was made, in one sentence: from the reasons that the matching keeps (`flows.matching.rule`).

The page and the command call it; it needs the data alone.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from db.review.view.translations import words

_SAME = {
    "series": "same series",
    "play": "same play",
    "role": "same role",
    "actor": "same actor",
    "artist": "same artist",
}


def in_words(reasons: Mapping[str, Any], language: str = "en") -> str:
    """The sentence, in English or Japanese: same actor, same play, 1852 and 1855; composition .83."""
    told = words(language).gettext
    parts = list(_parts(reasons, language))
    figures = [
        told(text) % {"figure": f"{value:.2f}".replace("0.", ".", 1)}
        for text, key in (("composition %(figure)s", "composition"), ("design similarity %(figure)s", "cosine"))
        if isinstance(value := reasons.get(key), int | float)
    ]
    said = told(", ").join(parts) or told("the records share nothing")
    return told("; ").join([said, *figures[:1]])


def _parts(reasons: Mapping[str, Any], language: str) -> Iterator[str]:
    told = words(language).gettext
    if reasons.get("same_design"):
        yield told("same design")
    for kind in ("series", "actor", "play", "role", "artist"):
        if agreement := reasons.get(f"same_{kind}") or bool(reasons.get(f"shared_{kind}s")):  # as version 2 kept it
            unsure = kind == "actor" and agreement < 1
            yield told("%(what)s, generation open") % {"what": told(_SAME[kind])} if unsure else told(_SAME[kind])
    match reasons.get("years"):
        case [one, other] if one == other:
            yield told("both of %(year)s") % {"year": one}
        case [one, other]:
            yield told("%(one)s and %(other)s") % {"one": one, "other": other}
    if reasons.get("other_genre"):
        yield told("of another genre")
