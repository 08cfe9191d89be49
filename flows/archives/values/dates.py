"""Reads years out of a date as an archive wrote it; called by the archive clients, knows no archive.

Western years win over Japanese eras where both stand ("文久3年 (1863)"). An era year is taken as the
western year in which most of it lies; months, 初, 末, 頃 and 閏 are passed over, never an error.
"""

import re
import unicodedata

Years = tuple[int | None, int | None]

# First western year and names; an era ends in the year in which the next begins.
ERAS = (
    (1596, "慶長", "keicho"),
    (1615, "元和", "genna"),
    (1624, "寛永", "kanei"),
    (1644, "正保", "shoho"),
    (1648, "慶安", "keian"),
    (1652, "承応", "joo"),
    (1655, "明暦", "meireki"),
    (1658, "万治", "manji"),
    (1661, "寛文", "kanbun|kambun"),
    (1673, "延宝", "enpo|empo"),
    (1681, "天和", "tenna|tenwa"),
    (1684, "貞享", "jokyo"),
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
SPANS = {
    name: (start, end)
    for (start, kanji, romaji), end in zip(ERAS, _ENDS, strict=True)
    for name in (kanji, *romaji.split("|"))
}
"""Era → its first western year and the one in which it ends."""

_DIGITS = {
    "元": 1, "〇": 0, "零": 0, "○": 0, "一": 1, "壱": 1, "壹": 1, "二": 2, "弐": 2, "貳": 2, "三": 3, "参": 3, "參": 3,
    "四": 4, "五": 5, "伍": 5, "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
_UNITS = {"十": 10, "拾": 10, "廿": 20, "卄": 20, "卅": 30, "丗": 30, "卌": 40, "百": 100, "千": 1000}
NUMERAL = f"[{''.join([*_DIGITS, *_UNITS])}]"
"""A letter of a number in kanji."""
_NUMBER = rf"[0-9]{{1,2}}|{NUMERAL}{{1,4}}"
_DOUBT = r"[\s()\[\]〔〕［］<>〈〉《》「」?]*"
"""Brackets and marks around what the archive is not sure of: 安政〔2〕年, 安政(二?)年."""
_ERA = re.compile(
    rf"(?<![a-z])({'|'.join(SPANS)})(?![a-z]){_DOUBT}(?:({_NUMBER})(?![0-9]))?{_DOUBT}年?"
    rf"(?:\s*[-~]\s*({_NUMBER})(?![0-9]))?"
)
_OLD = str.maketrans("應萬寶寳寬曆暦厯祿德泰", "応万宝宝寛暦暦暦禄徳泰")
"""Characters of eras' names as they were written before 1946."""
_WRITTEN_OUT = re.compile(
    rf"(?<!{NUMERAL})((?:一[五六七八九]|二[〇零○])[{''.join(_DIGITS)}]{{2}}|千[五六七八九]百{NUMERAL}{{0,4}})(?!{NUMERAL})"
)
"""A western year in kanji, by places or by hundreds."""
_WESTERN = re.compile(r"(?<![0-9])(1[5-9][0-9]{2}|20[0-9]{2})(s?)(?![0-9])(?:\s*[-~]\s*([0-9]{2})(?![0-9]))?")
_CENTURY = re.compile(r"(?<![0-9])([0-9]{1,2})(?:世紀|(?:st|[nr]d|th)[ -]cent)")
_DASHES = str.maketrans({"〜": "~", "–": "-", "—": "-", "−": "-", "‐": "-", "‑": "-", "'": None, "’": None})


def years(text: str) -> Years:
    """The first and the last year that the text allows; (None, None) where it names none."""
    folded = _fold(text)
    for read in (_western, _eras, _centuries):
        if found := read(folded):
            return min(found), max(found)
    return None, None


def _fold(text: str) -> str:
    """Full-width forms to plain ones, one sort of dash, macrons and apostrophes off, lower case."""
    plain = folded_eras(unicodedata.normalize("NFKC", text).translate(_DASHES))
    letters = unicodedata.normalize("NFD", plain)
    return "".join(letter for letter in letters if not unicodedata.combining(letter)).lower()


def folded_eras(text: str) -> str:
    """Characters of eras' names as they are written today, letter for letter."""
    return text.translate(_OLD)


def _western(text: str) -> list[int]:
    found = [number(year) for year in _WRITTEN_OUT.findall(text)]
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
        start, end = SPANS[name]
        if not first:
            found += [start, end]
            continue
        longest = end - start + 1
        said = [n for each in (first, last) if each for n in numbers(each, longest)]
        found += [start + n - 1 for n in said if 1 <= n <= longest]
    return found


def _centuries(text: str) -> list[int]:
    return [year for n in _CENTURY.findall(text) for year in (100 * int(n) - 99, 100 * int(n))]


def numbers(text: str, most: int) -> list[int]:
    """A number, or two where one would be too large: 安政二三年 is its second or third year."""
    whole = number(text)
    several = whole > most and len(text) == 2 and all(each in _DIGITS for each in text)
    return [_DIGITS[each] for each in text] if several else [whole]


def number(text: str) -> int:
    """A number in Western digits, or in kanji by places (一二, 二〇), by tens (十二, 廿三) or hundreds (千八百)."""
    if text.isdecimal() and text.isascii():
        return int(text)
    whole = places = 0
    for each in text:
        if each in _DIGITS:
            places = 10 * places + _DIGITS[each]
        else:
            whole, places = whole + (places or 1) * _UNITS[each], 0
    return whole + places
