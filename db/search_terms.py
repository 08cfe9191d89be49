"""Words made comparable for the search, the trigrams they consist of, and names in both scripts.

The harvest's and the review's queries call it, and migration 0004. Trigrams rather than words: Japanese has no blanks
between words. Names of two letters (豊国) or one are found by the trigrams that begin with them; pairs would be too
common to find a number by. What is shown is never this: names stand as the archive wrote them. Knows no database.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

VERSION = 1
"""Of the normalisation; a record's search text of an earlier one is written again."""
END = "\0"
"""What follows a word's last letter, so that each letter begins a trigram."""
_SHIFT = 21
_VOICED = {"\u3099", "\u309a"}
"""Marks that make another letter of a kana; all other marks are macrons and accents."""
_KANA = "\u3041-\u3096\u30a1-\u30fa\u30fc"
_CJK = "\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"
_BETWEEN = re.compile(rf"(?<=[{_CJK}])\s+(?=[{_CJK}])")
_DOUBT = re.compile(r"[()\[\]{}<>〔〕〈〉《》「」『』【】\"?,;]")
"""Brackets and marks that say how sure the archive is of a name, or only part words."""
_UNHEARD = str.maketrans(dict.fromkeys("'’‘ʼʻ`´"))
"""Kan'ya and Kanya are one name."""
_REPEATED = re.compile(r"(.)([々〻ゝヽゞヾ])")
_LONG = re.compile("ou|oo|uu")
_NOT_LISTED = ("吉𠮷",)
"""Old and new characters that the library does not know for the same."""
_NAMES = Path(__file__).with_name("search_names.csv")


def normalised(text: str) -> str:
    """One spelling for 'Gorō', 'GORO', 'ごろう' and 'ｇｏｒｏ', for 歌川 豊国, 歌川豐國 and 歌川豊国.

    Kana become Roman letters and long vowels short; characters of one meaning become one of them, whichever. Words are
    parted by one blank.
    """
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(each for each in apart if each in _VOICED or unicodedata.category(each) != "Mn")
    plain = _DOUBT.sub(" ", unicodedata.normalize("NFC", bare)).translate(_UNHEARD)
    whole = _BETWEEN.sub("", " ".join(_REPEATED.sub(_twice, plain).translate(_same_character()).split()))
    return _LONG.sub(lambda found: found[0][0], _roman(whole))


def _twice(found: re.Match[str]) -> str:
    letter, mark = found.groups()
    again = unicodedata.normalize("NFC", letter + "\u3099") if mark in "ゞヾ" else letter
    return letter + again


@cache
def _same_character() -> dict[int, str]:
    """Each character that has others of its meaning → the one that stands for them all."""
    from ja_itaiji import Itaiji  # noqa: PLC0415  (reads its table, which few commands need)

    stands: dict[str, str] = {}

    def first(letter: str) -> str:
        while (next_one := stands.get(letter, letter)) != letter:
            letter = next_one
        return letter

    for family in (*Itaiji.dictionary.values(), *_NOT_LISTED):
        for letter in family:
            one, other = sorted((first(family[0]), first(letter)))
            stands[other] = one
    return {ord(letter): first(letter) for letter in stands if first(letter) != letter}


def _roman(text: str) -> str:
    """Kana in Hepburn's letters, all else as it is."""
    if not re.search(f"[{_KANA}]", text):
        return text
    import jaconv  # noqa: PLC0415  (as above)

    return re.sub(f"[{_KANA}]+", lambda kana: jaconv.kana2alphabet(jaconv.kata2hira(kana[0].replace("ー", ""))), text)


def wanted_words(words: str) -> list[str]:
    """What a person looks for: a blank parts words of any script, and each must be found."""
    return [part for word in words.split() for part in normalised(word).split()]


def search_text(fields: Iterable[str]) -> str:
    """What a record is found by: its fields normalised, a line for each, then its names in the other script."""
    return in_both_scripts([line for line in map(normalised, fields) if line])


def in_both_scripts(lines: Sequence[str]) -> str:
    """The normalised lines, and behind them their names in the other script."""
    found = {other: None for line in lines for other in _otherwise(line)}
    return "\n".join([*lines, *found])


@lru_cache(4096)  # the same artists and actors come again and again
def _otherwise(line: str) -> tuple[str, ...]:
    """The names in a line as the other script writes them; a name's parts count alone, too."""
    words = frozenset(line.split())
    found = []
    for written, roman, parts in _names():
        if written in line:
            found.append(roman)
        elif parts <= words:
            found.append(written)
    return tuple(found)


@cache
def _names() -> tuple[tuple[str, str, frozenset[str]], ...]:
    """The commonest artists and actors, whole and by parts: as written, in Roman letters, and these word by word.

    Both are normalised.
    """
    rows = [(written, roman) for written, roman, _ in known_names()]
    parts = [part for written, roman in rows for part in zip(written.split(), roman.split(), strict=True)]
    names = {(normalised(written), normalised(roman)): None for written, roman in (*rows, *parts)}
    return tuple((written, roman, frozenset(roman.split())) for written, roman in names)


@cache
def known_names() -> tuple[tuple[str, str, str], ...]:
    """The commonest artists and actors: family and own name as written, in Roman letters, and `artist` or `actor`."""
    with _NAMES.open(encoding="utf-8", newline="") as file:
        return tuple((row["written"], row["roman"], row["kind"]) for row in csv.DictReader(file))


def trigrams(text: str) -> set[int]:
    """Numbers of all trigrams of neighbouring letters in normalised text; none spans two words."""
    return {number for word in text.split() for number in _trigrams(word + END + END)}


def trigrams_within(word: str) -> set[int]:
    """Numbers of the trigrams that hold a part of a word to be found, which may go on behind it."""
    return set(_trigrams(word))


def trigrams_beginning(letters: str) -> tuple[int, int]:
    """The numbers of all trigrams that begin with one or two letters: from the first, below the second."""
    beginning = 0
    for letter in letters:
        beginning = beginning << _SHIFT | ord(letter)
    open_bits = _SHIFT * (3 - len(letters))
    return beginning << open_bits, (beginning + 1) << open_bits


def _trigrams(letters: str) -> Iterator[int]:
    """A trigram as a number: no collation, equal on both databases, and trigrams that begin alike lie together."""
    for first, second, third in zip(letters, letters[1:], letters[2:], strict=False):
        yield ord(first) << 2 * _SHIFT | ord(second) << _SHIFT | ord(third)
