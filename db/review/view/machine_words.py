"""Sentences of the machine, kept in English, in the reader's language: notes on files, and why it rejected a result.

The catalogue knows nothing of `colorize`, so they are known here by their form; any other sentence stays as it is kept.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final

NOTES: Final = (
    "White is %(white)s of 65,535 here, as the file's %(tag)s says.",
    "Taken for %(bits)s bits in 16: its brightest value is %(brightest)s; %(white)s is shown white.",
    "Dark, and left so: its brightest value is %(brightest)s of 65,535, and nothing says that white is less.",
    "Its numbers do not say what white is: %(white)s is shown white; the brightest is %(brightest)s.",
    "Its transparency is the same everywhere (%(alpha)s of 255) and would hide the picture: it was left out.",
    "Its transparency would hide the picture and leave %(share)s of it: it was left out.",
    "The file holds %(frames)s frames; the first is taken.",
    "The file holds %(pages)s pages; page %(page)s, the largest (%(size)s), is taken. Left aside: %(others)s.",
    "Its colour profile cannot be used or has more than %(size)s MB: it was left out.",
    "Beside the picture, %(count)s text(s) of more than 1 MB were not read.",
)
REFUSALS: Final = (
    "nothing to colour: the content is blank",
    "not coloured: no colours are trusted anywhere in the print",
    "still gray: mean chroma %(value)s, %(limit)s is the least",
    "%(measure)s %(value)s, %(limit)s is the least",
    "%(measure)s %(value)s, %(limit)s is the most",
)
MEASURES: Final = (
    "lightness SSIM",
    "mean lightness difference",
    "lightness difference of the 99th percentile",
    "mean chroma",
    "chroma texture",
    "colourfulness",
    "colourfulness ratio",
    "colour distance to the style",
    "ink chroma",
    "trust in the colours",
    "share left in the paper's tone",
    "share that the mask asks for",
)
_FILLED: Final = {"measure": "|".join(map(re.escape, MEASURES)), "value": r"\S+", "limit": r"\S+"}
_GAP: Final = re.compile(r"%\\\((\w+)\\\)s")


def told(text: str, gettext: Callable[[str], str]) -> str:
    """A sentence, or refusals with `; ` between them, as far as their forms are known."""
    if (note := _in_words(text, NOTES, gettext)) is not None:
        return note
    parts = [_in_words(part, REFUSALS, gettext) or part for part in text.split("; ")]
    return gettext("; ").join(parts)


def _in_words(text: str, forms: tuple[str, ...], gettext: Callable[[str], str]) -> str | None:
    for form in forms:
        if found := _pattern(form).fullmatch(text):
            return gettext(form) % {name: gettext(value) for name, value in found.groupdict().items()}
    return None


@cache
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(_GAP.sub(lambda gap: f"(?P<{gap[1]}>{_FILLED.get(gap[1], '.+?')})", re.escape(form)), re.DOTALL)
