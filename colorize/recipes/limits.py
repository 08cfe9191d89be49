"""Between which figures a picture may pass as a colorization, and in what words it is refused.

Recipes carry limits as data, so nothing heavy is loaded here; `colorize.measures.quality` takes the figures that
`colorize.measures.names` declares.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from colorize.measures.names import MEASURES, RANGES

Limits = Mapping[str, Sequence[float]]
"""Measure → least and most that are allowed, such as {"lightness_ssim": [0.999, 1], "ink_chroma": [0, 5]}."""

GRAY_CHROMA: Final = 1.0
"""Mean C* under which a picture is gray to the eye (about one just noticeable difference)."""
ROUNDING: Final = 1e-5
"""How far sums in float32 may miss a measure's ideal value, an end of its range; a limit there lets it pass."""
NO_LIMITS: Final[Limits] = MappingProxyType({})


def limit_problems(limits: Limits) -> Iterator[str]:
    """What is wrong with a recipe's limits, one sentence each."""
    for name, bounds in limits.items():
        if name not in MEASURES:
            yield f"limits name {name!r}, which nothing measures; give one of {', '.join(MEASURES)}"
        elif len(bounds) != 2 or not bounds[0] <= bounds[1]:
            yield f"limits of {name} are {list(bounds)}; give the least and the most"


def refusal(measures: Mapping[str, float], limits: Limits = NO_LIMITS) -> str | None:
    """Why a result must not be shown as a colorization; None when it may.

    A gray result, and one that is left uncoloured for want of trust, is refused whatever the limits. A measure that is
    not there (ink where nothing is black) refuses nothing.
    """
    if measures["chroma_mean"] < GRAY_CHROMA:
        return f"still gray: mean chroma {measures['chroma_mean']:.2f}, {GRAY_CHROMA:g} is the least"
    if measures.get("uncoloured", 0.0) == 1:
        return "not coloured: no colours are trusted anywhere in the print"
    found = [_outside(name, measures[name], *limits[name]) for name in limits if name in measures]
    return "; ".join(sentence for sentence in found if sentence) or None


def _outside(name: str, value: float, least: float, most: float) -> str | None:
    ends = RANGES[name]
    if least - ROUNDING * (least in ends) <= value <= most + ROUNDING * (most in ends):
        return None
    # As few digits as still lie outside: "0.999, 0.999 is the least" would puzzle.
    shown = next(text for digits in (3, 6, 17) if not least <= float(text := f"{value:.{digits}g}") <= most)
    return f"{MEASURES[name]} {shown}, {f'{most:g} is the most' if value > most else f'{least:g} is the least'}"
