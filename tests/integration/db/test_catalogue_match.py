"""What may be matched, what is held back and why, and the matches themselves."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from db.entries.claim import ENCODER, MatcherKey, ModelKey
from db.entries.night import (
    ContentScope,
    Derivatives,
    EncoderKey,
    MatchEntry,
    MatchOutcome,
    Patience,
    RecordEntry,
    Tone,
    Verdict,
)
from db.entries.review import Judgement, Reason
from db.errors import UnknownEntry

if TYPE_CHECKING:
    from tests.samples import Sample

GRAY_ACTORS = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": ("役者絵", "Yakusha-E")})
ALL = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})


def seen(catalogue: Catalogue, sample: "Sample", record: RecordEntry, tone: Tone, **options: Any) -> int:
    """Harvest a record with its picture, and embed it; the image's number."""
    image = sample.store(catalogue, record, tone, **options)
    catalogue.add_embeddings(sample.encoder, {image: sample.vector(image)})
    return image


def chosen(catalogue: Catalogue) -> list[tuple[int, int | None, str, int | None]]:
    """All that the catalogue holds of matches: (content, style, outcome, rank)."""
    with catalogue.engine.connect() as connection:
        rows = connection.execute(text("SELECT content_id, style_id, outcome, rank FROM matches ORDER BY style_id"))
        return [(row.content_id, row.style_id, row.outcome, row.rank) for row in rows]


def test_vectors_come_back_in_the_order_asked_for_and_as_they_were(catalogue: Catalogue, sample: "Sample") -> None:
    images = [sample.store(catalogue, sample.record(f"r{n}"), Tone.COLOUR) for n in range(3)]
    vectors = {image: sample.vector(image) for image in images}
    assert [each.id for each in catalogue.images_to_embed(sample.encoder, [Tone.COLOUR])] == images
    catalogue.add_embeddings(sample.encoder, vectors)
    catalogue.add_embeddings(sample.encoder, {images[0]: sample.vector(99)})  # a second time changes nothing
    assert catalogue.images_to_embed(sample.encoder, [Tone.COLOUR]) == []
    asked = [images[2], images[0]]
    found = catalogue.vectors(sample.encoder, asked)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.stack([vectors[image] for image in asked]))
    assert len(catalogue.images_to_embed(EncoderKey("other", "0"), [Tone.COLOUR])) == 3
    with pytest.raises(UnknownEntry, match="run: nishiki match"):
        catalogue.vectors(EncoderKey("other", "0"), images)


def test_styles_are_only_usable_colour_images_and_vectors_come_in_blocks(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    colours = [sample.store(catalogue, sample.record(f"r{n}"), Tone.COLOUR) for n in range(5)]
    gray = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    catalogue.add_embeddings(sample.encoder, {image: sample.vector(image) for image in (*colours, gray)})
    forbidden = sample.record("r4", derivatives=Derivatives.NO)
    catalogue.add_record(sample.archive(catalogue), forbidden)
    assert catalogue.style_ids(sample.encoder) == colours[:4]
    blocks = list(catalogue.vectors_in_blocks(sample.encoder, [*colours[:4], 999], block=3))
    assert [ids.tolist() for ids, _ in blocks] == [colours[:3], colours[3:4]]
    np.testing.assert_array_equal(blocks[1][1][0], sample.vector(colours[3]))


def test_the_same_genre_in_another_case_is_content(catalogue: Catalogue, sample: "Sample") -> None:
    image = seen(catalogue, sample, sample.record("r1", genre="YAKUSHA-E "), Tone.GRAYSCALE)
    other = seen(catalogue, sample, sample.record("r2", genre="風景画"), Tone.GRAYSCALE)
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, GRAY_ACTORS) == [image]
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [image, other]
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ContentScope(ALL.tones, {})) == []


def test_held_back_records_are_counted_by_what_stands_in_the_way(catalogue: Catalogue, sample: "Sample") -> None:
    kept = seen(catalogue, sample, sample.record("taken"), Tone.GRAYSCALE)
    for word in (Derivatives.NO, Derivatives.ASK, Derivatives.UNKNOWN):
        sample.store(catalogue, sample.record(f"rights {word}", derivatives=word), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("no genre", genre=None), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("blank genre", genre=" "), Tone.UNSURE)
    sample.store(catalogue, sample.record("landscape", genre="風景画"), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("toned"), Tone.TONED)
    sample.store(catalogue, sample.record("unsure"), Tone.UNSURE)
    sample.store(catalogue, sample.record("style", derivatives=Derivatives.NO), Tone.COLOUR)
    sample.store(catalogue, sample.record("far", genre=None), Tone.TONED, archive="elsewhere")
    archive = sample.archive(catalogue)
    catalogue.add_record(archive, sample.record("broken"))
    (wanted,) = catalogue.wanted_pictures(archive)
    catalogue.picture_failed(wanted, "a page, no picture", Patience(lasting=1))
    assert catalogue.held_back(GRAY_ACTORS) == {
        "no genre": 2,
        "other genre": 1,
        "picture: broken": 1,
        "rights: ask": 1,
        "rights: no": 2,
        "rights: unknown": 1,
        "tone: toned": 1,
        "tone: unsure": 1,
    }
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, GRAY_ACTORS) == [kept]
    with_toned = replace(GRAY_ACTORS, tones=frozenset({Tone.GRAYSCALE, Tone.TONED}))
    assert "tone: toned" not in catalogue.held_back(with_toned)


def test_one_record_that_says_no_withholds_the_picture_that_another_allows(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    image = seen(catalogue, sample, sample.record("yes"), Tone.GRAYSCALE, data=b"same")
    sample.store(catalogue, sample.record("who knows", derivatives=Derivatives.ASK), Tone.GRAYSCALE, data=b"same")
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [image]
    assert catalogue.held_back(ALL) == {}
    no = sample.record("no", derivatives=Derivatives.NO)
    sample.store(catalogue, no, Tone.GRAYSCALE, data=b"same")
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == []
    assert catalogue.images_to_embed(EncoderKey("other", "0"), list(Tone)) == []
    assert catalogue.held_back(ALL) == {"rights: no": 3}
    catalogue.add_record(sample.archive(catalogue), replace(no, deleted=True))
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [image]


def test_a_deleted_record_gives_neither_content_nor_style(catalogue: Catalogue, sample: "Sample") -> None:
    record = sample.record("r1")
    image = seen(catalogue, sample, record, Tone.GRAYSCALE)
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [image]
    catalogue.add_record(sample.archive(catalogue), replace(record, deleted=True))
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == []
    assert catalogue.held_back(ALL) == {}


def test_no_match_is_asked_again_and_gives_way_to_a_match(catalogue: Catalogue, sample: "Sample") -> None:
    content = seen(catalogue, sample, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour-{n}"), Tone.COLOUR) for n in range(2)]
    none = [MatchEntry(MatchOutcome.NO_MATCH, reasons={"best": 0.1})]
    for _ in range(2):
        catalogue.add_matches(content, sample.matcher, none)
        assert catalogue.status()["matches"] == {"matched": 0, "candidate": 0, "no match": 1}
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [content]
    outcomes = (MatchOutcome.MATCHED, MatchOutcome.CANDIDATE)
    found = [MatchEntry(outcome, style, 1, 0.8) for outcome, style in zip(outcomes, styles, strict=True)]
    for _ in range(2):
        catalogue.add_matches(content, sample.matcher, found)
        assert catalogue.status()["matches"] == {"matched": 1, "candidate": 1, "no match": 0}
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == []
    other = EncoderKey("other", "0")
    catalogue.add_embeddings(other, {content: sample.vector(1)})
    assert catalogue.contents_to_match(other, MatcherKey("other", "1"), ALL) == [content]


def test_a_picture_that_the_encoder_could_not_see_is_not_matched(catalogue: Catalogue, sample: "Sample") -> None:
    sample.store(catalogue, sample.record("damaged"), Tone.GRAYSCALE)
    image = seen(catalogue, sample, sample.record("sound"), Tone.GRAYSCALE)
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [image]


@pytest.mark.long
def test_a_match_whose_style_is_withdrawn_gives_way_and_its_attempts_stay(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    content = seen(catalogue, sample, sample.record("gray"), Tone.GRAYSCALE)
    first, second, third = (sample.store(catalogue, sample.record(f"c{n}"), Tone.COLOUR) for n in range(3))
    outcomes = (MatchOutcome.MATCHED, MatchOutcome.CANDIDATE, MatchOutcome.CANDIDATE)
    styles = ((first, second, third), (second, third))
    found = [
        [MatchEntry(outcome, style, n, 0.8) for n, (outcome, style) in enumerate(zip(outcomes, ids, strict=False), 1)]
        for ids in styles
    ]
    catalogue.add_matches(content, sample.matcher, found[0])
    batch = sample.take(catalogue)
    (attempt,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, attempt.id, sample.succeeded(catalogue))
    catalogue.close_batch(batch)
    archive = sample.archive(catalogue)
    catalogue.add_record(archive, sample.record("c0", derivatives=Derivatives.NO))
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [content]
    catalogue.add_matches(content, sample.matcher, found[1])
    assert chosen(catalogue) == [
        (content, first, "candidate", None), (content, second, "matched", 1), (content, third, "candidate", 2),
    ]  # fmt: skip
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == []
    assert [each.styles[0].image_id for each in catalogue.batch_attempts(batch.id)] == [first]
    (due,) = catalogue.pending_attempts(sample.take(catalogue))
    assert (due.content.id, due.styles[0].id) == (content, second)


def test_a_style_that_may_be_used_again_is_chosen_again(catalogue: Catalogue, sample: "Sample") -> None:
    ((content, style),) = sample.pairs(catalogue, 1)
    catalogue.add_embeddings(sample.encoder, {content: sample.vector(1)})
    sample.take(catalogue)
    archive = sample.archive(catalogue)
    catalogue.add_record(archive, sample.record("colour-0", deleted=True))
    catalogue.add_matches(content, sample.matcher, [MatchEntry(MatchOutcome.NO_MATCH)])
    catalogue.add_record(archive, sample.record("colour-0"))
    assert catalogue.contents_to_match(sample.encoder, sample.matcher, ALL) == [content]
    sample.match(catalogue, content, style)
    assert chosen(catalogue) == [(content, style, "matched", 1)]


def test_a_match_that_stands_is_not_replaced(catalogue: Catalogue, sample: "Sample") -> None:
    ((content, style),) = sample.pairs(catalogue, 1)
    other = sample.store(catalogue, sample.record("other"), Tone.COLOUR)
    sample.match(catalogue, content, other)
    assert chosen(catalogue) == [(content, style, "matched", 1)]


@pytest.mark.long
def test_what_has_a_verdict_keeps_its_match_when_the_matcher_changes(catalogue: Catalogue, sample: "Sample") -> None:
    judged, fresh = (seen(catalogue, sample, sample.record(f"gray {n}"), Tone.GRAYSCALE) for n in range(2))
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(2)]
    outcomes = (MatchOutcome.MATCHED, MatchOutcome.CANDIDATE)
    found = [
        MatchEntry(outcome, style, n, 0.5) for n, (outcome, style) in enumerate(zip(outcomes, styles, strict=True), 1)
    ]
    for content in (judged, fresh):
        catalogue.add_matches(content, sample.matcher, found)
    attempts = {catalogue.attempt(each).content.image_id: each for each in sample.night(catalogue)}
    newer = MatcherKey("newer", "1")
    assert catalogue.contents_to_match(sample.encoder, newer, ALL) == [judged, fresh]
    catalogue.give_verdict(attempts[judged], "Aoi", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    assert catalogue.contents_to_match(sample.encoder, newer, ALL) == [fresh]
    another = seen(catalogue, sample, sample.record("gray 2"), Tone.GRAYSCALE)
    catalogue.add_matches(another, MatcherKey("between", "1"), found)  # the newest of all, but not of this content
    assert [each.style_id for each in catalogue.matches_of(judged, newer)] == styles
    assert catalogue.matches_of(fresh, newer) == []
    # and what was returned as a wrong match has its next candidate, found by whom it may
    models = [ModelKey(ENCODER, sample.encoder.name, sample.encoder.checksum)]
    batch = catalogue.take_batch(sample.recipe, models, newer, limit=None)
    assert batch is not None
    (due,) = catalogue.pending_attempts(batch)
    assert (due.content.id, due.styles[0].id) == (judged, styles[1])


@pytest.mark.long
def test_a_pin_is_overridden_by_no_matcher_and_gives_way_only_while_its_style_may_not_be_used(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    content = seen(catalogue, sample, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(3)]
    sample.match(catalogue, content, styles[0])
    pinned = [MatchEntry(MatchOutcome.MATCHED, styles[1], 1, 0.2), MatchEntry(MatchOutcome.CANDIDATE, styles[2], 2)]
    catalogue.pin(content, pinned)
    newer = MatcherKey("newer", "1")

    def in_force(matcher: MatcherKey = sample.matcher) -> list[int | None]:
        return [each.style_id for each in catalogue.matches_of(content, matcher)]

    assert in_force() == in_force(newer) == styles[1:]
    assert catalogue.contents_to_match(sample.encoder, newer, ALL) == []
    (attempt,) = sample.night(catalogue)
    assert [each.image_id for each in catalogue.attempt(attempt).styles] == [styles[1]]
    # what a curator returned as a wrong match stays what they pinned, until they pin another
    catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    assert in_force() == styles[1:]
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 1", derivatives=Derivatives.NO))
    assert in_force() == styles[:1]
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 1"))
    assert in_force() == styles[1:]
    catalogue.pin(content, [])
    assert in_force() == styles[:1]
    with pytest.raises(UnknownEntry, match="takes colours"):
        catalogue.pin(styles[0], pinned)


def test_what_there_is_to_work_on_is_counted(catalogue: Catalogue, sample: "Sample") -> None:
    sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("asked", derivatives=Derivatives.ASK), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("unsure"), Tone.UNSURE)
    sample.store(catalogue, sample.record("colour"), Tone.COLOUR)
    sample.store(catalogue, sample.record("no", derivatives=Derivatives.NO), Tone.COLOUR)
    found = catalogue.prospects(ALL)
    assert (found.contents, found.styles, found.done, found.failed) == (1, 1, 0, 0)
