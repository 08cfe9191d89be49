"""What a record of each API says of rights, by tables of codes; a code that is not in its table never gives leave.

Called by the clients, and by `flows.upkeep.rejudging` with what was kept of a record.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from flows.archives.record import Derivatives, Rights
from flows.archives.values.rights import STRICTEST_FIRST, Statement, decide
from flows.archives.web.json_answers import Json, text_at, truth_at

_CC, _RS = "http://creativecommons.org", "http://rightsstatements.org/vocab"
JAPAN_SEARCH = {
    "pdm": f"{_CC}/publicdomain/mark/1.0/",
    "cc0": f"{_CC}/publicdomain/zero/1.0/",
    "ccby": f"{_CC}/licenses/by/",
    "ccbysa": f"{_CC}/licenses/by-sa/",
    "ccbynd": f"{_CC}/licenses/by-nd/",
    "ccbync": f"{_CC}/licenses/by-nc/",
    "ccbyncsa": f"{_CC}/licenses/by-nc-sa/",
    "ccbyncnd": f"{_CC}/licenses/by-nc-nd/",
    "incr": f"{_RS}/InC/1.0/",
    "incr_edu": f"{_RS}/InC-EDU/1.0/",
    "nocr_cont": f"{_RS}/NoC-CR/1.0/",
    "nocr_other": f"{_RS}/NoC-OKLR/1.0/",
    "uneval": f"{_RS}/CNE/1.0/",
    "undet": f"{_RS}/UND/1.0/",
    "others": "other conditions, which the archive's own page says",
    "edu": "a group of conditions: some educational use",
    "noncom": "a group of conditions: some non-commercial use",
    "com": "a group of conditions: some commercial use",
}
"""contentsRightsType (guide, 3.2.2.1) → licence or statement, or why a person is asked."""
FREE_OR_NOT = {"true": f"{_CC}/publicdomain/zero/1.0/", "false": "not in the public domain, as the museum says"}
"""isPublicDomain of the Met (https://www.metmuseum.org/policies/open-access), is_public_domain of Chicago
(https://www.artic.edu/image-licensing) → licence, or why a person is asked."""
CLEVELAND = {"CC0": f"{_CC}/publicdomain/zero/1.0/", "Copyrighted": f"{_RS}/InC/1.0/"}
"""share_license_status → licence or statement (https://www.clevelandart.org/open-access)."""


def japan_search_rights(item: Json) -> Rights:
    """By the code of its digital content, where its description is public at all."""
    access = text_at(item, "common", "access")
    if access not in ("", "PUBLIC"):
        return Rights(Derivatives.ASK, f"its access is {access}, not PUBLIC", text=access)
    return coded_rights(text_at(item, "common", "contentsRightsType"), JAPAN_SEARCH, "contentsRightsType")


def met_rights(item: Json) -> Rights:
    """By the flag, and the words beside it."""
    return coded_rights(_flag(item, "isPublicDomain"), FREE_OR_NOT, "isPublicDomain", "rightsAndReproduction", item)


def aic_rights(item: Json) -> Rights:
    """By the flag, and the words beside it."""
    return coded_rights(_flag(item, "is_public_domain"), FREE_OR_NOT, "is_public_domain", "copyright_notice", item)


def cleveland_rights(item: Json) -> Rights:
    """By the licence, and the words beside it."""
    status = "share_license_status"
    return coded_rights(text_at(item, status), CLEVELAND, status, "copyright", item)


RIGHTS_OF: Final[Mapping[str, Callable[[Json], Rights]]] = {
    "japan-search": japan_search_rights,
    "met": met_rights,
    "aic": aic_rights,
    "cleveland": cleveland_rights,
}
"""Protocol → its reader."""


def _flag(item: Json, name: str) -> str:
    said = truth_at(item, name)
    return "" if said is None else str(said).lower()


def coded_rights(code: str, codes: Mapping[str, str], said_in: str, beside: str = "", item: Json = None) -> Rights:
    """What an API's code for rights, and the words in the field beside it, come to: the strictest holds.

    Args:
        code: as the API writes it; empty where it says nothing.
        codes: each code with the address of the licence or statement that it stands for, or why a person is asked.
        said_in: the field, for the basis.
        beside: the field with words.
        item: the record.
    """
    meant = codes.get(code)
    words = text_at(item, beside) if beside else ""
    said = [Statement(words, beside)] if words else []
    if meant and meant.startswith("http"):
        return decide([Statement(meant, f"{said_in} {code}"), *said])
    if not code:
        coded = Rights(Derivatives.UNKNOWN, f"nothing in {said_in}")
    else:
        coded = Rights(Derivatives.ASK, f"{said_in} {code}: {meant or 'a code that nishiki does not know'}", text=code)
    if not said:
        return coded
    strictest = min((coded, decide(said)), key=lambda one: STRICTEST_FIRST.index(one.derivatives))
    return replace(strictest, text=words)
