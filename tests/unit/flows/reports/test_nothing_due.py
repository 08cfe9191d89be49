"""A night that had nothing to colour says why, and what to do: an operator's first hour."""

from collections.abc import Iterable, Mapping

import pytest

from db.entries.night import Prospects, Tone
from flows.reports.nothing_due import nothing_due_lines


def prospects(
    tones: Iterable[int] = (0, 0, 0, 0), contents: int = 0, styles: int = 0, done: int = 0, failed: int = 0
) -> Prospects:
    return Prospects(dict(zip(Tone, tones, strict=True)), contents, styles, done, failed)


@pytest.mark.parametrize(
    ("found", "held", "words"),
    [
        (prospects(), {}, ["No picture has come in yet"]),
        (
            prospects((0, 1, 1, 1), styles=1),
            {"tone: unsure": 1, "tone: toned": 1},
            ["3 pictures in the catalogue: 0 grayscale, 1 toned, 1 colour, 1 unsure.", "None of them is a gray print",
             "1 picture: nishiki is not sure", "nishiki review", "NISHIKI_COLORIZE_TONED=true"],
        ),
        (
            prospects((3, 0, 0, 0)),
            {"rights: ask": 2, "no genre": 1, "tone: unsure": 4},
            ["Every gray print is held back (rights: ask: 2, no genre: 1).", "nishiki records --held-back names them"],
        ),
        (
            prospects((2, 0, 0, 1), contents=2),
            {},
            ["2 pictures could be coloured, and there is no colour print", "Add colour prints", "nishiki is not sure"],
        ),
        (prospects((2, 0, 3, 0), contents=2), {}, ["no colour print that may lend its colours; the rights of the 3"]),
        (prospects((2, 0, 3, 0), contents=2, styles=3, done=2), {}, ["All 2 that can be coloured have a result"]),
        (
            prospects((2, 0, 3, 0), contents=2, styles=3, done=1, failed=1),
            {},
            ["1 picture could be coloured and had no result, 1 of them because every try failed"],
        ),
    ],
)  # fmt: skip
def test_a_night_with_nothing_to_do_says_why_and_what_is_next(
    found: Prospects, held: Mapping[str, int], words: list[str]
) -> None:
    told = "\n".join(nothing_due_lines(found, held))
    for each in words:
        assert each in told
