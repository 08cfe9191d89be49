"""Tones of pictures: counted, listed, given by curators, judged again by newer rules."""

from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.night import BatchEntry, ContentScope, Tone
from db.errors import UnknownEntry

if TYPE_CHECKING:
    from tests.samples import Sample

GRAY = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})


def _due(catalogue: Catalogue, sample: "Sample") -> BatchEntry | None:
    return catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)


def test_pictures_of_live_records_are_counted_and_listed_by_tone(catalogue: Catalogue, sample: "Sample") -> None:
    unsure = [sample.store(catalogue, sample.record(f"u{n}"), Tone.UNSURE) for n in range(3)]
    sample.store(catalogue, sample.record("gone"), Tone.UNSURE)
    catalogue.add_record(sample.archive(catalogue), sample.record("gone", deleted=True))
    sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    assert catalogue.tones() == {Tone.GRAYSCALE: 1, Tone.TONED: 0, Tone.COLOUR: 0, Tone.UNSURE: 3}
    listed = catalogue.toned_pictures(Tone.UNSURE, limit=2)
    assert [each.image_id for each in listed] == unsure[:2]
    assert listed[0].said.identifier == "u0"
    assert [each.image_id for each in catalogue.toned_pictures(Tone.UNSURE, after=unsure[1], limit=2)] == unsure[2:]
    assert catalogue.pictures_of("u1") == [unsure[1]]
    assert catalogue.pictures_of("gone") == catalogue.pictures_of("nowhere") == []


def test_a_given_tone_counts_from_then_on_and_every_word_is_kept(catalogue: Catalogue, sample: "Sample") -> None:
    image = sample.store(catalogue, sample.record("u"), Tone.UNSURE)
    assert catalogue.give_tone(image, "Aoi", Tone.COLOUR) is Tone.UNSURE
    assert catalogue.give_tone(image, "Ben", Tone.TONED) is Tone.COLOUR
    kept = catalogue.toned_picture(image)
    assert kept.tone is Tone.TONED
    assert [(each.curator, each.tone, each.before) for each in kept.given] == [
        ("Aoi", Tone.COLOUR, Tone.UNSURE),
        ("Ben", Tone.TONED, Tone.COLOUR),
    ]


def test_only_harvested_pictures_are_given_a_tone(catalogue: Catalogue, sample: "Sample") -> None:
    sample.pairs(catalogue, 1)
    attempt = catalogue.attempt(sample.night(catalogue)[0])
    assert attempt.output_sha256 is not None
    for number in (999, max(catalogue.describe(range(1, 99))) + 1):
        with pytest.raises(UnknownEntry, match="no harvested picture"):
            catalogue.give_tone(number, "Aoi", Tone.COLOUR)


def test_newer_rules_judge_again_and_a_persons_word_holds(catalogue: Catalogue, sample: "Sample") -> None:
    judged, given = (sample.store(catalogue, sample.record(each), Tone.UNSURE) for each in ("judged", "given"))
    catalogue.give_tone(given, "Aoi", Tone.GRAYSCALE)
    assert catalogue.judged_before(1000) == []
    assert [each.image_id for each in catalogue.judged_before(1001)] == [judged, given]
    measures = {"rules": 1001.0, "spread": 40.0}
    assert catalogue.judge_tone_again(judged, Tone.COLOUR, measures) == (Tone.UNSURE, Tone.COLOUR)
    assert catalogue.judge_tone_again(given, Tone.COLOUR, measures) == (Tone.GRAYSCALE, Tone.GRAYSCALE)
    assert catalogue.judged_before(1001) == []
    assert len(catalogue.judged_before(1002)) == 2


def test_the_next_night_goes_by_the_tone_that_was_given(catalogue: Catalogue, sample: "Sample") -> None:
    (content, style), (other, second) = sample.pairs(catalogue, 2)
    catalogue.give_tone(other, "Aoi", Tone.COLOUR)
    catalogue.give_tone(second, "Aoi", Tone.TONED)
    (made,) = sample.night(catalogue)
    assert catalogue.attempt(made).content.image_id == content
    assert catalogue.attempt(made).styles[0].image_id == style


def test_a_style_that_is_no_colour_print_any_more_lends_nothing_and_its_content_is_matched_anew(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    ((content, style),) = sample.pairs(catalogue, 1)
    better = sample.store(catalogue, sample.record("better"), Tone.COLOUR)
    catalogue.add_embeddings(sample.encoder, {each: sample.vector(each) for each in (content, style, better)})
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, GRAY) == []
    catalogue.give_tone(style, "Aoi", Tone.TONED)
    assert _due(catalogue, sample) is None
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, GRAY) == [content]
    sample.match(catalogue, content, better)
    assert catalogue.attempt(sample.night(catalogue)[0]).styles[0].image_id == better


def test_what_was_made_stays_when_the_tone_of_its_original_changes(catalogue: Catalogue, sample: "Sample") -> None:
    ((content, _),) = sample.pairs(catalogue, 1)
    (made,) = sample.night(catalogue)
    catalogue.give_tone(content, "Aoi", Tone.COLOUR)
    assert catalogue.attempt(made).output_sha256 is not None
    assert [each.attempt_id for each in catalogue.queue_entries([made])] == [made]
    assert _due(catalogue, sample) is None
