"""Words made comparable for the search: width, case and macrons normalised, and the trigrams they consist of.

The harvest's and the review's queries call it, and migration 0004. Trigrams rather than words: Japanese has no blanks
between words. Names of two letters (豊国) or one are found by the trigrams that begin with them; pairs would be too
common to find a number by. Knows no database.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

END = "\0"
"""What follows a word's last letter, so that each letter begins a trigram."""
_SHIFT = 21
_VOICED = {"\u3099", "\u309a"}
"""Marks that make another letter of a kana; all other marks are macrons and accents."""
_CJK = "\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff"
_BETWEEN = re.compile(rf"(?<=[{_CJK}])\s+(?=[{_CJK}])")


def normalised(text: str) -> str:
    """One spelling for 'Gorō', 'GORO' and 'ｇｏｒｏ', for 歌川 豊国 and 歌川豊国; words are parted by one blank."""
    apart = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    bare = "".join(each for each in apart if each in _VOICED or unicodedata.category(each) != "Mn")
    return _BETWEEN.sub("", " ".join(unicodedata.normalize("NFC", bare).split()))


def wanted_words(words: str) -> list[str]:
    """What a person looks for: a blank parts words of any script, and each must be found."""
    return [part for word in words.split() for part in normalised(word).split()]


def search_text(fields: Iterable[str]) -> str:
    """What a record is found by: its fields normalised, a line for each."""
    return "\n".join(filter(None, map(normalised, fields)))


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
