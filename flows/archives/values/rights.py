"""From all that an archive says about rights to one decision; called by the archive clients, decides nothing else.

Addresses are judged by the lists below, words by `rights_words.py`. Of several statements the strictest holds: nobody
can tell which of them means the picture. What is not understood is never taken for leave: a person is asked.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from flows.archives.record import Derivatives, Rights
from flows.archives.values.rights_words import ADDRESS, ALLOWS, Meaning, Phrase, plain_text, read_clauses

RULES_VERSION = 1
"""Of the rules here and in `rights_words.py`: what an earlier version decided is judged again."""

YES, NO, ASK, UNKNOWN, BOTH = (
    Derivatives.YES,
    Derivatives.NO,
    Derivatives.ASK,
    Derivatives.UNKNOWN,
    Derivatives.CONTRADICTORY,
)
STRICTEST_FIRST = (NO, BOTH, ASK, UNKNOWN, YES)
_NC = "; non-commercial use only"

PUBLIC_DOMAIN = ("publicdomain/zero", "publicdomain/mark")
RIGHTS_STATEMENTS = {
    "NoC-NC": (Meaning.FREE, _NC),
    # Says nothing of copyright outside the United States.
    "NoC-US": (Meaning.ASKS, "; free of copyright in the United States only"),
    # Other laws (privacy, cultural heritage) may stand against it.
    "NoC-OKLR": (Meaning.ASKS, "; other laws restrict it"),
    # A contract with the holder, or a donor, restricts it.
    "NoC-CR": (Meaning.ASKS, "; a contract restricts it"),
    # The archive believes there is no copyright, and has not concluded so.
    "NKC": (Meaning.ASKS, "; no copyright known, none ruled out"),
    # In copyright: a derivative needs the owner's leave, which EDU and NC give for some uses.
    "InC": (Meaning.FORBIDS, "; in copyright"),
    "InC-OW-EU": (Meaning.FORBIDS, "; in copyright, an orphan work"),
    "InC-RUU": (Meaning.FORBIDS, "; in copyright, owner not to be found"),
    "InC-EDU": (Meaning.ASKS, "; in copyright, educational use permitted"),
    "InC-NC": (Meaning.ASKS, "; in copyright, non-commercial use permitted"),
    "CNE": (Meaning.UNSETTLED, "; copyright not evaluated"),
    "UND": (Meaning.UNSETTLED, "; copyright undetermined"),
}
LONGEST_STATEMENT = 5_000
"""Characters; a longer one is a contract, which a person reads."""
_OWN_ANSWERS = {
    **dict.fromkeys(("yes", "y", "true", "1", "allowed", "可", "はい", "可能", "○", "◯"), Meaning.GRANTS),
    **dict.fromkeys(("no", "n", "false", "0", "forbidden", "不可", "いいえ", "禁止", "×", "x"), Meaning.FORBIDS),
    **dict.fromkeys(("ask", "要確認", "要許可", "要申請"), Meaning.ASKS),
    **dict.fromkeys(("unknown", "不明"), Meaning.UNSETTLED),
}
"""What an operator's own column for derivatives may say."""

_URI = re.compile(
    r"(?:https?:/+[^\s<>\"'、。()「」『』【】,;|]+"
    r"|(?<![\w.@-])(?:www\.|(?:creativecommons|rightsstatements)\.org/)[^\s<>\"'、。()「」『』【】,;|]+)",
    re.IGNORECASE,
)
_HOST = r"(?:https?:/+)?(?:www\.)?"
_NON_COMMERCIAL = re.compile(r"\bnc\b|non-?commercial|非営利", re.IGNORECASE)
_PAGE = r"(?:/(?:deed|legalcode)(?:\.[a-z]{2,3}(?:[_-][a-z]{2,4})?)?)?/?(?:[?#].*)?$"
_CC = re.compile(
    _HOST + r"creativecommons\.org(?::443)?/+((?:licenses|publicdomain)/[a-z-]+)"
    r"(?:/([0-9.]+))?(?:/(?!deed|legalcode)([a-z]{2,5}))?" + _PAGE,
    re.IGNORECASE,
)
_RS = re.compile(
    _HOST + r"rightsstatements\.org(?::443)?/+(?:vocab|page|data)/([A-Za-z-]+)(?:/[0-9.]+)?(?:\.[a-z]+)?/?(?:[?#].*)?$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Statement:
    """What was said in one place: "dc:rights", "column rights of records.csv"."""

    text: str
    said_in: str
    is_answer: bool = False
    """It answers whether derivatives may be made, as an operator's own column does: yes, no, ask, unknown."""


@dataclass(frozen=True)
class _Said:
    """One thing that a statement says, with the words or the address that say it."""

    meaning: Meaning
    words: str
    said_in: str
    uri: str | None = None
    note: str = ""
    of_data: bool = False

    @property
    def derivatives(self) -> Derivatives:
        match self.meaning:
            case Meaning.FORBIDS:
                return NO
            case Meaning.SPLIT:
                return BOTH
            case Meaning.UNSETTLED:
                return UNKNOWN
            case Meaning.FREE | Meaning.GRANTS:
                return YES
        return ASK

    def __str__(self) -> str:
        if self.uri:
            return f"{self.uri} in {self.said_in}{self.note}"
        if self.meaning is Meaning.STRANGE:
            return f"words that nishiki does not understand in {self.said_in}: “{_short(self.words)}”"
        return f"“{_short(self.words)}” in {self.said_in}{self.note}"


def read_rights(texts: Iterable[str], said_in: str) -> Rights:
    """Judges statements that stand in one place, each an address, words, or both.

    Args:
        texts: In the archive's order.
        said_in: Where they stand, for the basis: "dc:rights".
    """
    return decide([Statement(text, said_in) for text in texts], said_in)


def decide(statements: Iterable[Statement], places: str = "") -> Rights:
    """What all statements of a record come to: the strictest holds, and `basis` names it and what it overrules.

    Args:
        statements: In the order in which they were said; a line break ends one.
        places: Where they would stand, for the basis where there is none.
    """
    given = [
        Statement(line.strip(), s.said_in, s.is_answer)
        for s in statements
        for line in s.text.splitlines()
        if line.strip()
    ]
    if not given:
        return Rights(UNKNOWN, f"nothing in {places}" if places else "nothing is said")
    text = "\n".join(each.text for each in given if not each.is_answer)
    said = [one for statement in given for one in _read(statement)]
    pictures = _of_pictures(said)
    if not pictures:
        why = "nothing is said of the pictures" if said else "no words that allow or forbid anything"
        return Rights(UNKNOWN if said else ASK, f"{why} in {given[0].said_in}", text=text)
    first = min(pictures, key=lambda one: (STRICTEST_FIRST.index(one.derivatives), not one.uri))
    return Rights(first.derivatives, _basis(first, pictures, said), first.uri, text)


def canonical_uri(uri: str) -> str:
    """The form in which a licence URI compares: http, no www, version, trailing slash, no /deed.xx."""
    if (found := _CC.match(uri)) and _creative_commons(found[1].lower()):
        parts = [part for part in found.groups() if part]
        return f"http://creativecommons.org/{'/'.join(parts).lower()}/"
    if (found := _RS.match(uri)) and (code := _rights_statement(found[1])):
        return f"http://rightsstatements.org/vocab/{code}/1.0/"
    return uri


@lru_cache(4096)
def _read(statement: Statement) -> tuple[_Said, ...]:
    """All that one statement says; where its words say both it is split, and nothing else of it counts."""
    text, said_in = plain_text(statement.text), statement.said_in
    if statement.is_answer and (answer := _OWN_ANSWERS.get(text.strip().casefold())):
        return (_Said(answer, text.strip(), said_in),)
    if len(text) > LONGEST_STATEMENT:
        return (_Said(Meaning.STRANGE, f"{text[:60]}… ({len(text):,} characters)", said_in),)
    uris = [uri.rstrip(".,;:") for uri in _URI.findall(text)]
    said = []
    for clause in read_clauses(_URI.sub(f" {ADDRESS} ", text)):
        said += [_one(phrase, uris, said_in, of_data=clause.of_data) for phrase in clause.phrases]
    forbids, allows = _in_words(said, Meaning.FORBIDS), _in_words(said, *ALLOWS)
    if not forbids and (free := _in_words(said, Meaning.FREE)):
        forbids, allows = _in_words(said, Meaning.NOTICE), free
    if forbids and allows:
        words = f"{_short(forbids.words)}” and “{_short(allows.words)}"
        return (_Said(Meaning.SPLIT, words, said_in, note="; one statement says both"),)
    return tuple(said)


def _in_words(said: Iterable[_Said], *meanings: Meaning) -> _Said | None:
    """The first of these that is said in words, of the pictures: an address beside words is another's statement."""
    return next((one for one in said if one.meaning in meanings and not (one.of_data or one.uri)), None)


def _one(phrase: Phrase, uris: list[str], said_in: str, *, of_data: bool) -> _Said:
    if not phrase.place:
        note = _NC if phrase.meaning in ALLOWS and _NON_COMMERCIAL.search(phrase.words) else ""
        return _Said(phrase.meaning, phrase.words, said_in, note=note, of_data=of_data)
    canonical = canonical_uri(uris[phrase.place - 1])
    meaning, note = _meaning(canonical)
    return _Said(meaning, canonical, said_in, canonical, note, of_data)


def _of_pictures(said: list[_Said]) -> list[_Said]:
    """What counts: leave given for the description alone does not, nor does, beside leave, what only explains it."""
    for_data = {_licence(one) for one in said if one.of_data and one.meaning in ALLOWS}
    explains = {Meaning.USE, Meaning.NON_COMMERCIAL}
    counted = [
        replace(one, meaning=Meaning.ASKS, note="; the same is said of the description")
        if _licence(one) in for_data
        else one
        for one in said
        if not (one.of_data and one.meaning in {*ALLOWS, *explains})
    ]
    allowed = {one.meaning for one in counted if one.meaning in ALLOWS}
    if allowed == {Meaning.GRANTS}:
        explains.add(Meaning.NOTICE)  # whoever gives a licence has the copyright
    return [one for one in counted if one.meaning not in explains] if allowed else counted


def _basis(first: _Said, pictures: list[_Said], said: list[_Said]) -> str:
    """What decided, what else is as strict, and what it prevails over."""
    alike = list(dict.fromkeys(str(one) for one in (first, *pictures) if one.derivatives is first.derivatives))
    basis = "; ".join(alike[:3])
    if first.derivatives is YES:
        noted = _NC in basis or all(one.meaning is not Meaning.NON_COMMERCIAL for one in said)
        return basis if noted else f"{basis}{_NC}"
    allowing = next((one for one in pictures if one.meaning in ALLOWS), None)
    return f"{basis}; it prevails over {allowing}" if allowing else basis


def _licence(one: _Said) -> str:
    """By which two ways to write a licence compare."""
    words = (one.uri or one.words).casefold()
    if re.search(r"zero|cc ?-?0|ゼロ", words):
        return "zero"
    found = re.search(r"by(?:[ _-](?:nc|nd|sa))*", words)
    return found[0].replace(" ", "-").replace("_", "-") if found else words


def _meaning(canonical: str) -> tuple[Meaning, str]:
    if found := _CC.match(canonical):
        return _creative_commons(found[1].lower()) or (Meaning.ASKS, "; a licence that nishiki does not know")
    if found := _RS.match(canonical):
        return RIGHTS_STATEMENTS.get(found[1], (Meaning.ASKS, "; a statement that nishiki does not know"))
    return Meaning.ASKS, "; not a licence that nishiki knows"


def _creative_commons(path: str) -> tuple[Meaning, str] | None:
    """Of a licence's path, as "licenses/by-nc"; None where there is no such licence."""
    if path in PUBLIC_DOMAIN:
        return Meaning.FREE, ""
    kind, _, letters = path.partition("/")
    parts = set(letters.split("-"))
    if kind != "licenses" or not parts <= {"by", "nc", "nd", "sa"}:
        return None
    if "nd" in parts:
        return Meaning.FORBIDS, "; no derivatives"
    same = "; derivatives under the same licence" if "sa" in parts else ""
    return Meaning.GRANTS, f"{_NC if 'nc' in parts else ''}{same}"


def _rights_statement(code: str) -> str | None:
    return next((known for known in RIGHTS_STATEMENTS if known.lower() == code.lower()), None)


def _short(words: str) -> str:
    return words if len(words) <= 80 else f"{words[:79]}…"
