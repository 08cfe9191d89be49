"""Tones that older rules judged are judged again by the doctor, and a person sets one by a command."""

from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from colorize.images.tone_rules import VERSION
from db.catalogue import Catalogue
from db.entries.night import ImageFacts, PictureSource, Tone
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.cli.app import app
from flows.reports.summary import tone_lines
from flows.settings import Settings
from flows.upkeep.working_copies import keep_working_copy

if TYPE_CHECKING:
    from tests.samples import Sample

DATABASES = ("sqlite",)
"""The queries run on both databases in `tests/integration/db`."""


@pytest.fixture
def pictures(catalogue: Catalogue, sample: "Sample") -> list[int]:
    """Two colour prints that older rules called unsure."""
    made = []
    for seed in (1, 2):
        archive, record = sample.archive(catalogue), sample.record(f"print {seed}")
        catalogue.add_record(archive, record)
        (wanted,) = catalogue.wanted_pictures(archive)
        pixels = draw_print(design(seed), 0).pixels
        sha256 = catalogue.pictures.add(pixels.tobytes(), ".png")
        keep_working_copy(catalogue, sha256, pixels)
        facts = ImageFacts(
            sha256, pixels.shape[1], pixels.shape[0], "RGB", pixels.nbytes, Tone.UNSURE, {"spread": 90.0}
        )
        made.append(catalogue.hold_picture(wanted, facts, PictureSource(wanted.reference)))
    return made


def _nishiki(settings: Settings, *words: Any) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--home", str(settings.home)])


def test_the_doctor_judges_again_what_older_rules_judged_and_leaves_a_persons_word(
    catalogue: Catalogue, settings: Settings, pictures: list[int]
) -> None:
    judged, given = pictures
    catalogue.give_tone(given, "Aoi", Tone.TONED)
    found = _nishiki(settings, "doctor")
    assert found.exit_code == 1
    assert "tones (2): so many pictures' tones were judged by older rules" in found.stdout
    mended = _nishiki(settings, "doctor", "--mend")
    assert "2 tones were judged again; changed: 1 from unsure to colour." in mended.stdout
    assert mended.exit_code == 0
    assert [catalogue.toned_picture(each).tone for each in (judged, given)] == [Tone.COLOUR, Tone.TONED]
    assert _nishiki(settings, "doctor").stdout == "The catalogue and its pictures are sound.\n"


def test_a_picture_that_cannot_be_read_keeps_its_tone_and_is_told(
    catalogue: Catalogue, settings: Settings, pictures: list[int]
) -> None:
    sha256 = catalogue.toned_picture(pictures[0]).sha256
    catalogue.working_copies.add(sha256, b"torn")
    mended = _nishiki(settings, "doctor", "--mend")
    assert mended.exit_code == 1
    assert f"the tone of picture {pictures[0]} stays as it was judged: " in mended.stdout
    assert [each.image_id for each in catalogue.judged_before(VERSION)] == pictures[:1]


def test_a_person_sets_a_tone_by_number_or_identifier(
    catalogue: Catalogue, settings: Settings, pictures: list[int]
) -> None:
    assert "was unsure and is colour" in _nishiki(settings, "tone", "print 1", "colour", "--by", "Aoi").stdout
    assert "was unsure and is grayscale" in _nishiki(settings, "tone", pictures[1], "gray").stdout
    assert "is unsure again, as the program takes it" in _nishiki(settings, "tone", pictures[1], "machine").stdout
    assert "Nothing was changed" in _nishiki(settings, "tone", pictures[1], "machine").stdout
    assert [catalogue.toned_picture(each).tone for each in pictures] == [Tone.COLOUR, Tone.UNSURE]
    assert catalogue.toned_picture(pictures[0]).given[0].curator == "Aoi"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("nowhere", "gray"), 2, "no record 'nowhere' has a picture here"),
        (("999", "gray"), 1, "there is no harvested picture 999"),
        (("print 1", "sepia"), 2, "'sepia'"),
    ],
)
def test_what_cannot_be_set_is_told(
    catalogue: Catalogue, settings: Settings, pictures: list[int], words: tuple[str, ...], code: int, why: str
) -> None:
    refused = _nishiki(settings, "tone", *words)
    assert refused.exit_code == code
    assert why in refused.output
    assert all(catalogue.toned_picture(each).given == () for each in pictures)


def test_the_report_counts_tones_and_says_how_to_decide() -> None:
    tones = {Tone.GRAYSCALE: 3, Tone.TONED: 0, Tone.COLOUR: 12, Tone.UNSURE: 2}
    told = "\n".join(tone_lines(tones))
    assert "Tones of all pictures: 3 grayscale, 12 colour, 2 unsure." in told
    assert "nishiki tone IDENTIFIER gray|toned|colour" in told
    assert len(list(tone_lines({**tones, Tone.UNSURE: 0}))) == 1
