"""The page's words in its languages: English in the templates, others in `words/<language>/*.toml`.

A test holds every file to the templates: each English text has its translation, and none stands for nothing.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from typing import Final

LANGUAGES: Final = {"en": "English", "ja": "日本語"}
"""Each by its own name."""


class Words(NullTranslations):
    """Looks texts up by their English; what has no translation stays English."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.language = language
        self._known = translations(language)

    def gettext(self, message: str) -> str:
        """The text in this language."""
        return self._known.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The text for a number; Japanese has one form for all, filed under the plural."""
        return self.gettext(msgid1 if n == 1 and self.language == "en" else msgid2)


@cache
def words(language: str) -> Words:
    """The words of a language of `LANGUAGES`."""
    return Words(language)


@cache
def translations(language: str) -> Mapping[str, str]:
    """English text → text, of all files of a language; none for English itself."""
    folder = files("db.review").joinpath("translations", language)
    found: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name) if folder.is_dir() else ():
        found |= tomllib.loads(file.read_text(encoding="utf-8"))
    return found


def best_language(accepted: str) -> str:
    """Of an Accept-Language header, the language that the reader likes best and that there is."""
    ranked = []
    for place, part in enumerate(accepted.replace(" ", "").split(",")[:20]):
        tag, _, weight = part.partition(";q=")
        language, liking = tag.partition("-")[0].lower(), _number(weight)
        if language in LANGUAGES and liking > 0:
            ranked.append((-liking, place, language))
    return min(ranked)[2] if ranked else "en"


def _number(weight: str) -> float:
    try:
        return float(weight or 1)
    except ValueError:
        return 0.0
