"""What the machine keeps in English is told in Japanese: notes on files, and why a result was rejected."""

import pytest

from colorize.images.decode import decode
from colorize.measures.names import MEASURES
from colorize.recipes.limits import refusal
from db.review.view import machine_words
from db.review.view.machine_words import told
from db.review.view.translations import words
from tests.unit.colorize.images import test_judged_by_the_picture as files

JAPANESE, ENGLISH = words("ja").gettext, words("en").gettext


def notes() -> set[str]:
    """Every note that decoding the small files of another test gives."""
    made = [make() for make, _ in [*files.BRIGHT.values(), *files.BESIDE.values()]]
    made += [make() for make in files.HIDDEN.values()]
    made += [data for data, _ in files.PAGES.values()]
    made += [files.tiff(files.bits(16, brightest=0.2)), files.frames("WEBP"), files.jpeg(files.FULL, files.SMALL)]
    return {note for data in made for note in decode(data).notes}


@pytest.mark.long
def test_every_note_of_decoding_has_its_japanese_and_keeps_its_numbers() -> None:
    found = notes()
    used = set()
    for note in found:
        assert told(note, ENGLISH) == note
        assert told(note, JAPANESE) != note
        used |= {form for form in machine_words.NOTES if machine_words._pattern(form).fullmatch(note)}
    assert used == set(machine_words.NOTES)
    assert told("The file holds 2 frames; the first is taken.", JAPANESE) == (
        "ファイルには 2 コマあり、最初のものを用いています。"
    )


@pytest.mark.parametrize("name", MEASURES)
def test_every_limit_that_was_broken_is_told_in_japanese(name: str) -> None:
    figures = {"chroma_mean": 9.0, name: 9.0}
    for limits in ({name: (0.0, 1.0)}, {name: (20.0, 30.0)}):
        why = refusal(figures, limits)
        assert why is not None
        assert told(why, ENGLISH) == why
        assert not set("abcdefghijklmnopqrstuvwxyz") & set(told(why, JAPANESE)), told(why, JAPANESE)


def test_several_reasons_are_told_one_after_the_other_and_others_as_they_are() -> None:
    assert told("ink chroma 7.3, 5 is the most; lightness SSIM 0.4, 0.999 is the least", JAPANESE) == (
        "墨線の彩度 7.3（上限 5）、明度 SSIM 0.4（下限 0.999）"
    )
    assert told("still gray: mean chroma 0.02, 1 is the least", JAPANESE).startswith("彩色後も無彩色")
    assert told("out of luck; really", ENGLISH) == "out of luck; really"
    assert told("<b>100 %</b> %(x)s", JAPANESE) == "<b>100 %</b> %(x)s"
