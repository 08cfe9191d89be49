"""Captions of the ARC portal, one run-on line each, taken apart; `arc.py` shows them on.

ACCESSION ERA YEAR・MONTH・ARTIST〈GENERATION〉「SERIES」「TITLE」ROLE〈GENERATION〉ACTOR、… without spaces, and every
part may be missing, doubtful or written otherwise. What is not understood stays None beside the raw text: nothing is
guessed. Pure text; asks nobody. docs/captions.md shows some.
"""

import re
import unicodedata
from dataclasses import dataclass
from html import unescape
from typing import Final

from flows.archives.values.dates import NUMERAL, SPANS, Years, folded_eras, number, numbers

_LONGEST: Final = 10_000
"""Characters that are read of a caption."""
_NOISE: Final = r"[\s★☆※*?かカヵ()\[\]〔〕]*"
"""What stands around a part of a date and says that it is not sure."""
_NUMBER: Final = rf"(?:[0-9]{{1,2}}(?![0-9])|{NUMERAL}{{1,4}})"
_ERAS: Final = "|".join(name for name in SPANS if not name.isascii())
_CYCLE: Final = "[甲乙丙丁戊己庚辛壬癸]?[子丑寅卯辰巳午未申酉戌亥]"
_PERIODS: Final = "年間|年代|年中|末年|初年|末期|初期|前期|中期|後期|前半|後半|中頃"
_PART: Final = rf"(?:(?:{_PERIODS}|[年期代間末初頃比ころごろ]|{_CYCLE}){_NOISE})*"
"""What follows an era or a year and leaves it as it is: the whole of the era is meant, or about that year."""
_ENDS: Final = rf"(?=[・.「『]|$|{_NUMBER}月)"
_DATE: Final = re.compile(
    rf"[(\[〔]?\s*(?P<until>~?)(?P<era>{_ERAS}){_NOISE}(?:(?P<year>{_NUMBER}){_NOISE}(?P<decade>年代)?)?{_NOISE}{_PART}"
    rf"(?P<from_month>[・.]{_NOISE}閏?{_NUMBER}月?閏?{_NOISE}(?=[~\-]{_NOISE}(?:{_ERAS})))?"
    rf"(?:(?:(?P<dash>[~\-,、/]|から)|[・.](?={_ERAS})|(?={_ERAS})){_NOISE}"
    rf"(?P<era2>{_ERAS})?{_NOISE}(?P<year2>{_NUMBER})?{_NOISE}{_PART})?{_ENDS}"
)
_ONLY_YEAR: Final = re.compile(
    rf"(?P<until>)(?P<era>{_ERAS})\s*(?P<year>[0-9]{{1,2}})(?![0-9~\-,、/])(?P<dash>)(?P<era2>)(?P<year2>)"
    r"(?P<decade>)(?P<from_month>)"
)
"""A year before what is not understood."""
_MONTHS: Final = {"睦月": 1, "如月": 2, "弥生": 3, "卯月": 4, "皐月": 5, "水無月": 6, "文月": 7, "葉月": 8, "長月": 9,
                  "神無月": 10, "霜月": 11, "師走": 12, "極月": 12}  # fmt: skip
_MONTH: Final = re.compile(
    rf"[・.]?{_NOISE}(?P<before>閏?){_NOISE}(?P<month>{_NUMBER}|正(?=月)|{'|'.join(_MONTHS)}){_NOISE}月?{_NOISE}"
    rf"(?:・(?=閏・))?(?P<after>閏?){_NOISE}月?{_NOISE}(?:[上中下初]旬|頃|吉日)?{_NOISE}(?=[・.「『]|$)"
)
_EMPTY: Final = re.compile(r"[・.](?:[\s★☆※*?~\-,、閏月日春夏秋冬頃()\[\]〔〕]*|閏?[0-9][^・「『]*)(?=・|$)")
"""A field that says nothing, or no month."""
_ACCESSION: Final = re.compile(r"[!-~][ -~]*")
_GENERATION: Final = re.compile(r"[〈《<]([^〈〉《》<>]{0,8})[〉》>]")
_IN_WORDS: Final = re.compile(rf"\(?(?P<n>初|[0-9]{{1,2}}|{NUMERAL}{{1,2}})(?:代目|世|代)\)?")
_NAMES: Final = re.compile(r"[、,/;&]|(?<![ァ-ヴー])・|・(?![ァ-ヴー])")
_ROLES: Final = ("画", "筆", "写", "図", "述", "撰", "編", "作", "校", "彫", "摺", "合筆", "戯画", "補画", "模写")
_DASHES: Final = str.maketrans(dict.fromkeys("〜～−–—―‐‑‒ー－", "~"))


@dataclass(frozen=True)
class Person:
    """An artist or an actor as a caption names them."""

    name: str
    """As written, without its generation."""
    generation: int | None = None
    """None where none is said, or what is said is no number."""
    role: str | None = None
    """What an actor plays, or what an artist did (画)."""


@dataclass(frozen=True)
class Caption:
    """What was understood of a caption; None and () where nothing was."""

    raw: str
    accession: str | None = None
    date_text: str | None = None
    """Era, year and month as written."""
    first_year: int | None = None
    last_year: int | None = None
    """Western years. Of an era without a year, at its beginning, its end or about it, the years of the whole era."""
    month: int | None = None
    """1 to 12, of the old calendar."""
    intercalary: bool = False
    """The month that was put in after the one of that number (閏)."""
    artists: tuple[Person, ...] = ()
    titles: tuple[str, ...] = ()
    """What stands in 「」 and 『』, in order, as written."""
    actors: tuple[Person, ...] = ()


@dataclass(frozen=True)
class _Date:
    text: str | None = None
    first: int | None = None
    last: int | None = None
    month: int | None = None
    intercalary: bool = False


def read_caption(text: str) -> Caption:
    """Take a caption apart; never raises.

    Args:
        text: one caption as it stands on the page; references such as `&#21459;` are resolved.
    """
    whole = unescape(text[:_LONGEST]).replace("\ufeff", "")
    head, titles, tail = _quoted(whole)
    accession, date, artists = _head(head)
    return Caption(
        text,
        accession,
        date.text,
        date.first,
        date.last,
        date.month,
        date.intercalary,
        tuple(_artists(artists)),
        tuple(titles),
        tuple(_actors(tail)),
    )


def _quoted(text: str) -> tuple[str, list[str], str]:
    """What stands before the first title, the titles, and what stands between and after them."""
    titles, outside, depth, begun, first = list[str](), list[str](), 0, 0, len(text)
    for place, letter in enumerate(text):
        if letter in "「『":
            if not depth:
                begun, first = place + 1, min(first, place)
            depth += 1
        elif letter in "」』" and depth:
            depth -= 1
            if not depth:
                titles.append(text[begun:place])
                outside.append("、")
        elif not depth and first < len(text):
            outside.append(letter)
    return text[:first], [title.strip() for title in titles if title.strip()], "".join(outside)


def _head(text: str) -> tuple[str | None, _Date, str]:
    """Accession number, date and artists."""
    plain = _fold(text)
    for pattern in (_DATE, _ONLY_YEAR):
        for found in pattern.finditer(plain):
            if _stands_for_date(plain, found):
                date, end = _date(text, plain, found)
                return text[: found.start()].strip() or None, date, text[end:]
    accession = _ACCESSION.match(plain)
    if not accession or not any(letter.isdigit() for letter in accession[0]):
        return None, _Date(), ""
    return text[: accession.end()].strip(), _Date(), text[_fields_end(plain, accession.end()) :]


def _stands_for_date(plain: str, found: re.Match[str]) -> bool:
    """An era's name in the first field is a date, unless it may be the end of a name that has no number after it."""
    before = plain[: found.start()].rstrip()
    glued = bool(before) and unicodedata.category(before[-1]) == "Lo"
    return "・" not in before and (not glued or bool(found["year"]) or plain.count("・", found.end()) > 1)


def _date(text: str, plain: str, found: re.Match[str]) -> tuple[_Date, int]:
    """The date, and where its fields end."""
    month = _MONTH.match(plain, found.end())
    end = _fields_end(plain, month.end() if month else found.end())
    value = _month(month["month"]) if month else 0
    known = value if 1 <= value <= 12 and not found["from_month"] else None
    intercalary = bool(month and known and (month["before"] or month["after"]))
    first, last = _years(found)
    return _Date(text[found.start() : end].strip(" 　・."), first, last, known, intercalary), end


def _month(text: str) -> int:
    return 1 if text == "正" else _MONTHS.get(text) or number(text)


def _fields_end(plain: str, place: int) -> int:
    """Behind the fields that say nothing more, where artists begin."""
    while found := _EMPTY.match(plain, place):
        place = found.end()
    return place


def _years(found: re.Match[str]) -> Years:
    """First and last year; None where a number is none of its era's, or the end lies before the beginning.

    Of `天保03～` the end is not known, and of `～天保03` the beginning.
    """
    start = _decade(found) if found["decade"] else _span(found["era"], found["year"])
    if found["era2"] or found["year2"]:
        end = _span(found["era2"] or found["era"], found["year2"])
        sound = start and end and start[0] <= end[1] and not found["until"] and (found["era2"] or found["year"])
        return (start[0], end[1]) if start and end and sound else (None, None)
    if start is None:
        return None, None
    return None if found["until"] else start[0], None if _is_open(found) else start[1]


def _decade(found: re.Match[str]) -> tuple[int, int] | None:
    """明治２０年代: its twentieth to twenty-ninth year, as far as the era goes."""
    span = _span(found["era"], found["year"])
    if span is None or number(found["year"]) % 10:
        return None
    return span[0], min(span[0] + 9, SPANS[found["era"]][1])


def _is_open(found: re.Match[str]) -> bool:
    return found["dash"] == "~" and bool(found["year"]) and found[0].rstrip(" )]〕").endswith("~")


def _span(era: str, year: str | None) -> tuple[int, int] | None:
    first, last = SPANS[era]
    if year is None:
        return first, last
    said = [first + each - 1 for each in numbers(year, last - first + 1)]
    return (min(said), max(said)) if first <= min(said) and max(said) <= last else None


def _artists(text: str) -> list[Person]:
    people = []
    for token in _NAMES.split(text.strip(" 　・．.")):
        name, _, did = token.partition("∥")
        found = _in_turn(name)
        if did.strip() and found:
            found[-1] = Person(found[-1].name, found[-1].generation, did.strip())
        people += found
    return [person for person in people if any(letter.isalpha() for letter in person.name)]


def _in_turn(text: str) -> list[Person]:
    """The people of 豊国〈3〉広重, 〈1〉広重 or 三代目豊国: generations stand behind names, or all before them."""
    marks = list(_GENERATION.finditer(text))
    if not marks:
        return [person] if (person := _in_words(text)) else []
    cuts = [0, *(place for mark in marks for place in mark.span()), len(text)]
    parts = [text[start:end].strip() for start, end in zip(cuts[::2], cuts[1::2], strict=True)]
    said = [_generation(mark[1]) for mark in marks]
    if not parts[0]:
        return [Person(name, number) for name, number in zip(parts[1:], said, strict=True) if name]
    people = [Person(name, number) for name, number in zip(parts, said, strict=False) if name]
    if parts[-1] in _ROLES:
        people[-1] = Person(people[-1].name, people[-1].generation, parts[-1])
    elif parts[-1]:
        people.append(Person(parts[-1]))
    return people


def _in_words(text: str) -> Person | None:
    """A name with its generation in words, 何某(三世) or 三代目何某, or with none."""
    text = text.strip()
    found = _IN_WORDS.match(_fold(text)) or _IN_WORDS.search(_fold(text))
    if found and found.end() < len(text) and found.start():
        found = None  # in the midst of a name it may be part of it
    if not found:
        return Person(text) if text else None
    name = (text[: found.start()] + text[found.end() :]).strip()
    return Person(name, 1 if found["n"] == "初" else number(found["n"]) or None) if name else Person(text)


def _actors(text: str) -> list[Person]:
    people = []
    for token in re.split(r"[、,;]|\s{3,}", text.replace("，", "、").replace("；", ";")):
        people += _cast(token.strip().strip("・").strip())
    return people


def _cast(text: str) -> list[Person]:
    """ROLE〈GENERATION〉ACTOR, once or several times; nobody where a name and the next role cannot be told apart."""
    marks = list(_GENERATION.finditer(text))
    if not marks:
        return [Person(text)] if text else []
    behind = None
    if len(marks) > 1 and marks[-1].end() == len(text):  # ROLE〈〉ACTOR〈GENERATION〉
        last = marks.pop()
        text, behind = text[: last.start()], _generation(last[1])
    role, people = text[: marks[0].start()].strip() or None, list[Person]()
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        rest = text[mark.end() : following and following.start()].strip()
        name, next_role = (rest, None) if following is None else _parted(rest)
        if name is None:
            return []
        generation = _generation(mark[1]) or (behind if following is None else None)
        if name or role:
            people.append(Person(name or role or "", generation, role if name else None))
        role = next_role
    return people


def _parted(text: str) -> tuple[str | None, str | None]:
    """Surname and given name, and the next one's role, where spaces part all three."""
    parts = text.split(maxsplit=2)
    if len(parts) < 3:
        return None, None
    return text[: len(text) - len(parts[2])].strip(), parts[2]


def _generation(text: str) -> int | None:
    """A whole number from 1 on; 3b and 0 are none."""
    plain = re.sub(r"代目?|世", "", _fold(text).strip())
    if plain == "初":
        return 1
    if not re.fullmatch(_NUMBER, plain):
        return None
    return number(plain) or None


def _fold(text: str) -> str:
    """The text in plain digits, brackets, dashes and today's characters of eras, letter for letter."""
    letters = (unicodedata.normalize("NFKC", letter) for letter in text.translate(_DASHES))
    plain = "".join(new if len(new) == 1 else old for new, old in zip(letters, text, strict=True))
    return folded_eras(plain).replace("·", "・").replace("•", "・").translate(str.maketrans("［］【】", "[][]"))
