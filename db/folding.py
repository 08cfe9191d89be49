"""Words made comparable for the search: width, case and macrons folded, and the pairs of letters they consist of.

The harvest's and the review's sentences call it, and migration 0004. Pairs rather than words: Japanese has no blanks
between words, and names of two letters (豊国) or one must be found. Knows no database.
"""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

END = "\0"
"""What follows a word's last letter, so that each letter begins a pair."""
_SHIFT = 21
_VOICED = {"\u3099", "\u309a"}
"""Marks that make another letter of a kana; all other marks are macrons and accents."""
_CJK = "\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"
_BETWEEN = re.compile(rf"(?<=[{_CJK}])\s+(?=[{_CJK}])")


def folded(text: str) -> str:
    """One spelling for 'Gorō', 'GORO' and 'ｇｏｒｏ', for 歌川 豊国 and 歌川豊国; words are parted by one blank."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(each for each in apart if each in _VOICED or unicodedata.category(each) != "Mn")
    return _BETWEEN.sub("", " ".join(unicodedata.normalize("NFC", bare).split()))


def wanted_words(words: str) -> list[str]:
    """What a person looks for: a blank parts words of any script, and each must be found."""
    return [part for word in words.split() for part in folded(word).split()]


def search_text(fields: Iterable[str]) -> str:
    """What a record is found by: its fields folded, a line for each."""
    return "\n".join(filter(None, map(folded, fields)))


def pairs(text: str) -> set[int]:
    """Numbers of all pairs of neighbouring letters in folded text; none spans two words."""
    return {
        pair_number(first, second) for word in text.split() for first, second in zip(word, word[1:] + END, strict=True)
    }


def pairs_within(word: str) -> set[int]:
    """Numbers of the pairs that hold a part of a word to be found, which may go on behind it."""
    return {pair_number(first, second) for first, second in pairwise(word)}


def pair_number(first: str, second: str) -> int:
    """A pair as a number: no collation, equal on both databases."""
    return ord(first) << _SHIFT | ord(second)


def pairs_of_letter(letter: str) -> tuple[int, int]:
    """The numbers of all pairs that begin with a letter: from the first, below the second."""
    return ord(letter) << _SHIFT, (ord(letter) + 1) << _SHIFT
