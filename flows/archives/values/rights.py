"""From an archive's words about rights to Rights; called by the archive clients, decides nothing else.

What a licence allows is data here, with the reason beside it. Where an archive says several things,
the strictest holds: nobody can tell which of them means the picture. In doubt a person is asked.
"""

import re
from collections.abc import Iterable

from flows.archives.record import Derivatives, Rights

YES, NO, ASK, UNKNOWN = Derivatives.YES, Derivatives.NO, Derivatives.ASK, Derivatives.UNKNOWN

_NC = "; non-commercial use only"

CREATIVE_COMMONS = {
    "publicdomain/zero": (YES, ""),
    "publicdomain/mark": (YES, ""),
    "licenses/by": (YES, ""),
    "licenses/by-sa": (YES, "; derivatives under the same licence"),
    "licenses/by-nc": (YES, _NC),
    "licenses/by-nc-sa": (YES, f"{_NC}; derivatives under the same licence"),
    "licenses/by-nd": (NO, "; no derivatives"),
    "licenses/by-nc-nd": (NO, "; no derivatives"),
    "licenses/by-nd-nc": (NO, "; no derivatives"),
}

RIGHTS_STATEMENTS = {
    "NoC-NC": (YES, _NC),
    # Says nothing of copyright outside the United States.
    "NoC-US": (ASK, "; free of copyright in the United States only"),
    # Other laws (privacy, cultural heritage) may stand against it.
    "NoC-OKLR": (ASK, "; other laws restrict it"),
    # A contract with the holder, or a donor, restricts it.
    "NoC-CR": (ASK, "; a contract restricts it"),
    # The archive believes there is no copyright, and has not concluded so.
    "NKC": (ASK, "; no copyright known, none ruled out"),
    # In copyright: a derivative needs the owner's leave, which EDU and NC give for some uses.
    "InC": (NO, "; in copyright"),
    "InC-OW-EU": (NO, "; in copyright, an orphan work"),
    "InC-RUU": (NO, "; in copyright, owner not to be found"),
    "InC-EDU": (ASK, "; in copyright, educational use permitted"),
    "InC-NC": (ASK, "; in copyright, non-commercial use permitted"),
    "CNE": (UNKNOWN, "; copyright not evaluated"),
    "UND": (UNKNOWN, "; copyright undetermined"),
}

_URI = re.compile(r"https?://[^\s<>\"'、。）)]+", re.IGNORECASE)
_CC = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/((?:licenses|publicdomain)/[a-z-]+)"
    r"(?:/([0-9.]+))?(?:/(?!deed|legalcode)([a-z]{2,5}))?(?:/|$)",
    re.IGNORECASE,
)
_RS = re.compile(r"https?://(?:www\.)?rightsstatements\.org/(?:vocab|page)/([A-Za-z-]+)", re.IGNORECASE)
_STRICTEST_FIRST = (NO, ASK, UNKNOWN, YES)


def read_rights(statements: Iterable[str], said_in: str) -> Rights:
    """Judges statements, each a licence URI, words, or both.

    Args:
        statements: In the archive's order.
        said_in: Where they stand, for the basis: "dc:rights".
    """
    words = [statement.strip() for statement in statements if statement.strip()]
    text = "\n".join(words)
    uris = [uri.rstrip(".,;") for uri in _URI.findall(text)]
    if uris:
        judged = [_judge(uri, said_in, text) for uri in uris]
        return min(judged, key=lambda rights: _STRICTEST_FIRST.index(rights.derivatives))
    if words:
        return Rights(ASK, f"words without a licence URI in {said_in}", text=text)
    return Rights(UNKNOWN, f"nothing in {said_in}")


def canonical_uri(uri: str) -> str:
    """The form in which a licence URI compares: http, no www, version, trailing slash, no /deed.xx."""
    if (found := _CC.match(uri)) and found[1].lower() in CREATIVE_COMMONS:
        parts = [part for part in found.groups() if part]
        return f"http://creativecommons.org/{'/'.join(parts).lower()}/"
    if (found := _RS.match(uri)) and (code := _rights_statement(found[1])):
        return f"http://rightsstatements.org/vocab/{code}/1.0/"
    return uri


def _judge(uri: str, said_in: str, text: str) -> Rights:
    canonical = canonical_uri(uri)
    derivatives, note = _meaning(canonical)
    return Rights(derivatives, f"{canonical} in {said_in}{note}", canonical, text)


def _meaning(canonical: str) -> tuple[Derivatives, str]:
    if found := _CC.match(canonical):
        return CREATIVE_COMMONS.get(found[1], (ASK, "; a licence that nishiki does not know"))
    if found := _RS.match(canonical):
        return RIGHTS_STATEMENTS.get(found[1], (ASK, "; a statement that nishiki does not know"))
    return ASK, "; not a licence that nishiki knows"


def _rights_statement(code: str) -> str | None:
    return next((known for known in RIGHTS_STATEMENTS if known.lower() == code.lower()), None)
