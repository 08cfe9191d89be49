"""A night that had nothing to colour says why, and what to do: an operator's first hour."""

from collections.abc import Mapping

import pytest

from db.entries.night import Prospects, Tone
from flows.reports.nothing_due import nothing_due_lines


@pytest.mark.parametrize(
    ("found", "tones", "held", "words"),
    [
        (Prospects(0, 0, 0, 0), (0, 0, 0, 0), {}, ["No picture has come in yet"]),
        (
            Prospects(0, 1, 0, 0), (0, 1, 1, 1), {"tone: unsure": 1, "tone: toned": 1},
            ["No picture is a gray print", "1 picture: ink on toned paper", "NISHIKI_COLORIZE_TONED=true"],
        ),
        (
            Prospects(0, 0, 0, 0), (3, 0, 0, 0), {"rights: ask": 2, "no genre": 1, "tone: unsure": 4},
            ["Every gray print is held back (rights: ask: 2, no genre: 1).", "nishiki records --held-back"],
        ),
        (
            Prospects(2, 0, 0, 0), (2, 0, 0, 1), {},
            ["2 pictures could be coloured", "no colour print that may lend its colours.", "Add colour prints"],
        ),
        (Prospects(2, 0, 0, 0), (2, 0, 3, 0), {}, ["the rights of the 3 that there are do not allow it"]),
        (Prospects(2, 3, 2, 0), (2, 0, 3, 0), {}, ["All 2 that can be coloured have a result"]),
        (
            Prospects(2, 3, 1, 1), (2, 0, 3, 0), {},
            ["1 picture could be coloured and had no result, 1 of them because every try failed"],
        ),
    ],
)  # fmt: skip
def test_a_night_with_nothing_to_do_says_why_and_what_is_next(
    found: Prospects, tones: tuple[int, ...], held: Mapping[str, int], words: list[str]
) -> None:
    told = "\n".join(nothing_due_lines(found, dict(zip(Tone, tones, strict=True)), held))
    for each in words:
        assert each in told
