"""Reads years out of a date as an archive wrote it; called by the archive clients, knows no archive.

Western years win over Japanese eras where both stand ("文久3年 (1863)"). An era year is taken as the
western year in which most of it lies; months, 初, 末, 頃 and 閏 are passed over, never an error.
"""

import re
import unicodedata

Years = tuple[int | None, int | None]

# First western year and names; an era ends in the year in which the next begins.
ERAS = (
    (1688, "元禄", "genroku"),
    (1704, "宝永", "hoei"),
    (1711, "正徳", "shotoku"),
    (1716, "享保", "kyoho"),
    (1736, "元文", "genbun|gembun"),
    (1741, "寛保", "kanpo|kampo"),
    (1744, "延享", "enkyo"),
    (1748, "寛延", "kanen"),
    (1751, "宝暦", "horeki"),
    (1764, "明和", "meiwa"),
    (1772, "安永", "anei"),
    (1781, "天明", "tenmei|temmei"),
    (1789, "寛政", "kansei"),
    (1801, "享和", "kyowa"),
    (1804, "文化", "bunka"),
    (1818, "文政", "bunsei"),
    (1830, "天保", "tenpo|tempo"),
    (1844, "弘化", "koka"),
    (1848, "嘉永", "kaei"),
    (1854, "安政", "ansei"),
    (1860, "万延", "manen"),
    (1861, "文久", "bunkyu"),
    (1864, "元治", "genji"),
    (1865, "慶応", "keio"),
    (1868, "明治", "meiji"),
    (1912, "大正", "taisho"),
    (1926, "昭和", "showa"),
    (1989, "平成", "heisei"),
)
_ENDS = [start for start, _, _ in ERAS[1:]] + [2019]
_SPANS = {
    name: (start, end)
    for (start, kanji, romaji), end in zip(ERAS, _ENDS, strict=True)
    for name in (kanji, *romaji.split("|"))
}

_KANJI = "[一二三四五六七八九]"
_NUMBER = rf"[0-9]{{1,2}}|元|{_KANJI}?十{_KANJI}?|{_KANJI}"
_ERA = re.compile(
    rf"(?<![a-z])({'|'.join(_SPANS)})(?![a-z])\s*(?:({_NUMBER})(?![0-9]))?\s*年?"
    rf"(?:\s*[-~]\s*({_NUMBER})(?![0-9]))?"
)
_WESTERN = re.compile(r"(?<![0-9])(1[5-9][0-9]{2}|20[0-9]{2})(s?)(?![0-9])(?:\s*[-~]\s*([0-9]{2})(?![0-9]))?")
_CENTURY = re.compile(r"(?<![0-9])([0-9]{1,2})(?:世紀|(?:st|[nr]d|th)[ -]cent)")
_DASHES = str.maketrans({"〜": "~", "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "'": None, "’": None})
_DIGITS = str.maketrans("元一二三四五六七八九", "1123456789")


def years(text: str) -> Years:
    """The first and the last year that the text allows; (None, None) where it names none."""
    folded = _fold(text)
    for read in (_western, _eras, _centuries):
        if found := read(folded):
            return min(found), max(found)
    return None, None


def _fold(text: str) -> str:
    """Full-width forms to plain ones, one sort of dash, macrons and apostrophes off, lower case."""
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES)
    letters = unicodedata.normalize("NFD", plain)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).lower()


def _western(text: str) -> list[int]:
    found = []
    for year, decade, last in _WESTERN.findall(text):
        start = int(year)
        found.append(start)
        if decade:
            found.append(start + 9)
        # "1794-05" is a month, "1847-52" a span: no month is above 12.
        if last and int(last) > max(12, start % 100):
            found.append(start - start % 100 + int(last))
    return found


def _eras(text: str) -> list[int]:
    found: list[int] = []
    for name, first, last in _ERA.findall(text):
        start, end = _SPANS[name]
        if not first:
            found += [start, end]
            continue
        numbers = [_number(number) for number in (first, last) if number]
        found += [start + n - 1 for n in numbers if 1 <= n <= end - start + 1]
    return found


def _centuries(text: str) -> list[int]:
    return [year for n in _CENTURY.findall(text) for year in (100 * int(n) - 99, 100 * int(n))]


def _number(text: str) -> int:
    tens, ten, ones = text.translate(_DIGITS).partition("十")
    return 10 * int(tens or 1) + int(ones or 0) if ten else int(tens)
