"""What curators put right in records and tones, on both databases: both words kept, and the next night goes by it."""

from typing import Any

import pytest

from db.catalogue import Catalogue
from db.entries.corrections import Correctable, Correction
from db.entries.night import Change, ContentScope, MatchOutcome, Tone, Verdict
from db.entries.review import Judgement, Queue, QueueFilter, Reason
from db.errors import UnknownEntry
from tests.samples import Sample

GENRE, ARTISTS, CAST, YEARS = Correctable.GENRE, Correctable.ARTISTS, Correctable.CAST, Correctable.YEARS
ACTORS = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": ("役者絵",)})
SAID: dict[Correctable, list[Any]] = {
    GENRE: ["美人画"],
    ARTISTS: ["Kunisada", "Kuniyoshi"],
    CAST: [["Yuranosuke", "Danjūrō VII"], ["", "Kikugorō"]],
    YEARS: [1835, None],
}
OWN: dict[Correctable, list[Any]] = {
    GENRE: ["役者絵"],
    ARTISTS: ["Sample artist", "Another"],
    CAST: [["Gorō", "Sample actor"], ["", "Second actor"]],
    YEARS: [1850, 1852],
}


def _history(catalogue: Catalogue, image: int) -> list[Correction]:
    return list(catalogue.put_right([image])[image].history)


def _due(catalogue: Catalogue, sample: Sample) -> list[int]:
    return catalogue.contents_to_match(sample.encoder, sample.matcher, ACTORS)


def _described(catalogue: Catalogue, sample: Sample, *images: int) -> None:
    catalogue.add_embeddings(sample.encoder, {each: sample.vector(each) for each in images})


@pytest.fixture
def pair(catalogue: Catalogue, sample: Sample) -> tuple[int, int]:
    """A content and its style, described, and matched."""
    ((content, style),) = sample.pairs(catalogue, 1)
    _described(catalogue, sample, content, style)
    return content, style


def test_every_field_says_what_the_curator_said_and_the_archives_words_stand_beside_it(
    catalogue: Catalogue, sample: Sample
) -> None:
    image = sample.store(catalogue, sample.record("r1"), Tone.GRAYSCALE)
    assert all(catalogue.correct(image, "Aoi", field, value) for field, value in SAID.items())
    said = catalogue.describe([image])[image]
    assert (said.genre, said.artists, said.year_from, said.year_to) == ("美人画", ("Kunisada", "Kuniyoshi"), 1835, None)
    assert said.cast == (("Yuranosuke", "Danjūrō VII"), ("", "Kikugorō"))
    assert said.archive_words == OWN
    assert [(each.field, each.before, each.after) for each in _history(catalogue, image)] == [
        (field, OWN[field], SAID[field]) for field in SAID
    ]


def test_what_is_taken_back_or_said_as_the_archive_says_it_is_the_archives_again(
    catalogue: Catalogue, sample: Sample
) -> None:
    image = sample.store(catalogue, sample.record("r1"), Tone.GRAYSCALE)
    assert not catalogue.correct(image, "Aoi", ARTISTS, OWN[ARTISTS])
    assert not catalogue.take_correction_back(image, "Aoi", ARTISTS)
    catalogue.correct(image, "Aoi", ARTISTS, ["Kunisada"])
    catalogue.correct(image, "Ben", ARTISTS, [])
    catalogue.correct(image, "Aoi", GENRE, [])
    assert catalogue.take_correction_back(image, "Chie", ARTISTS)
    assert catalogue.correct(image, "Chie", GENRE, OWN[GENRE])
    said = catalogue.describe([image])[image]
    assert (said.artists, said.genre, said.archive_words) == (("Sample artist", "Another"), "役者絵", {})
    assert [(each.curator, each.before, each.after, each.taken_back) for each in _history(catalogue, image)] == [
        ("Aoi", OWN[ARTISTS], ["Kunisada"], False),
        ("Ben", ["Kunisada"], [], False),
        ("Aoi", OWN[GENRE], [], False),
        ("Chie", [], OWN[ARTISTS], True),
        ("Chie", [], OWN[GENRE], True),
    ]


def test_a_later_harvest_leaves_a_correction_and_keeps_the_archives_newest_word(
    catalogue: Catalogue, sample: Sample
) -> None:
    image = sample.store(catalogue, sample.record("r1"), Tone.GRAYSCALE)
    for field, value in SAID.items():
        catalogue.correct(image, "Aoi", field, value)
    archive = sample.archive(catalogue)
    assert catalogue.add_record(archive, sample.record("r1")) is Change.UNCHANGED
    newer = sample.record("r1", artists=("Toyokuni",), year_to=1860, genre=None, title="Another title")
    assert catalogue.add_record(archive, newer) is Change.CHANGED
    assert catalogue.add_record(archive, newer) is Change.UNCHANGED
    said = catalogue.describe([image])[image]
    assert (said.title, said.artists, said.genre, said.year_from) == (
        "Another title", ("Kunisada", "Kuniyoshi"), "美人画", 1835,
    )  # fmt: skip
    assert said.archive_words == OWN | {ARTISTS: ["Toyokuni"], YEARS: [1850, 1860], GENRE: []}
    catalogue.take_correction_back(image, "Aoi", ARTISTS)
    assert catalogue.describe([image])[image].artists == ("Toyokuni",)
    catalogue.add_record(archive, sample.record("r1", genre="美人画"))
    assert catalogue.take_correction_back(image, "Aoi", GENRE)
    assert catalogue.describe([image])[image].archive_words.keys() == {YEARS, CAST}


def test_the_queue_is_found_by_what_was_put_right(catalogue: Catalogue, sample: Sample) -> None:
    entry, other = sample.entries(catalogue, 2)
    image = catalogue.attempt(entry).content.image_id
    for field, value in SAID.items():
        catalogue.correct(image, "Aoi", field, value)

    def found(**wanted: Any) -> list[int]:
        return catalogue.queue_numbers(QueueFilter(queue=Queue.ALL, **wanted), 9)

    for wanted in ({"artist": "Kunisada"}, {"actor": "Kikugorō"}, {"words": "danjuro"}, {"year_to": 1840}):
        assert found(**wanted) == [entry], wanted
    for wanted in ({"artist": "Another"}, {"actor": "Sample actor"}, {"words": "sample actor"}):
        assert found(**wanted) == [other], wanted


@pytest.mark.long
def test_the_next_night_matches_anew_what_was_put_right(
    catalogue: Catalogue, sample: Sample, pair: tuple[int, int]
) -> None:
    content, style = pair
    assert _due(catalogue, sample) == []
    catalogue.correct(content, "Aoi", CAST, SAID[CAST])
    assert _due(catalogue, sample) == [content]
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    sample.match(catalogue, content, style)
    assert _due(catalogue, sample) == []
    catalogue.correct(style, "Aoi", YEARS, [1800, 1801])
    assert _due(catalogue, sample) == [content]
    sample.match(catalogue, content, style)
    assert len(sample.night(catalogue)) == 1


def test_a_genre_decides_whether_a_record_is_taken(catalogue: Catalogue, sample: Sample, pair: tuple[int, int]) -> None:
    content, _ = pair
    catalogue.correct(content, "Aoi", GENRE, ["美人画"])
    assert _due(catalogue, sample) == []
    assert catalogue.held_back(ACTORS) == {"other genre": 1}
    assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=None) is None
    catalogue.take_correction_back(content, "Aoi", GENRE)
    assert _due(catalogue, sample) == [content]


@pytest.mark.long
def test_what_was_approved_or_pinned_keeps_its_match(catalogue: Catalogue, sample: Sample) -> None:
    pairs = sample.pairs(catalogue, 3)
    _described(catalogue, sample, *(each for pair in pairs for each in pair))
    made = {catalogue.attempt(each).content.image_id: each for each in sample.night(catalogue)}
    (approved, _), (pinned, style), (returned, _) = pairs
    catalogue.give_verdict(made[approved], "Aoi", Judgement(Verdict.APPROVED))
    catalogue.give_verdict(made[returned], "Aoi", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    catalogue.pin(pinned, [catalogue.matches_of(pinned, sample.matcher)[0]])
    for content, _ in pairs:
        catalogue.correct(content, "Aoi", ARTISTS, ["Kunisada"])
    assert _due(catalogue, sample) == [returned]
    assert [each.style_id for each in catalogue.matches_of(pinned, sample.matcher)] == [style]
    assert catalogue.matches_of(approved, sample.matcher)[0].outcome is MatchOutcome.MATCHED


def test_only_harvested_pictures_and_fields_of_records_are_put_right(catalogue: Catalogue, sample: Sample) -> None:
    (entry, *_) = sample.entries(catalogue, 1)
    output = max(catalogue.describe(range(1, 99))) + 1
    for number in (999, output):
        with pytest.raises(UnknownEntry, match="no harvested picture"):
            catalogue.correct(number, "Aoi", GENRE, ["美人画"])
    with pytest.raises(ValueError, match="no tone"):
        catalogue.correct(catalogue.attempt(entry).content.image_id, "Aoi", Correctable.TONE, ["colour"])
    assert catalogue.put_right([999, output]) == {}


def test_a_tone_that_is_taken_back_is_the_machines_newest(catalogue: Catalogue, sample: Sample) -> None:
    image = sample.store(catalogue, sample.record("r1"), Tone.UNSURE)
    assert not catalogue.take_tone_back(image, "Aoi")
    catalogue.give_tone(image, "Aoi", Tone.COLOUR)
    catalogue.give_tone(image, "Ben", Tone.TONED)
    right = catalogue.put_right([image])[image]
    assert (right.tone, right.machine_tone) == (Tone.TONED, Tone.UNSURE)
    catalogue.judge_tone_again(image, Tone.GRAYSCALE, {"rules": 1001.0})
    assert catalogue.toned_picture(image).tone is Tone.TONED
    assert catalogue.take_tone_back(image, "Chie")
    right = catalogue.put_right([image])[image]
    assert (right.tone, right.machine_tone) == (Tone.GRAYSCALE, None)
    assert [(each.curator, each.after, each.taken_back) for each in right.history] == [
        ("Aoi", ["colour"], False), ("Ben", ["toned"], False), ("Chie", ["grayscale"], True),
    ]  # fmt: skip
    catalogue.correct(image, "Aoi", GENRE, ["美人画"])
    catalogue.give_tone(image, "Aoi", Tone.TONED)
    newest = [each.field for each in _history(catalogue, image)][-2:]
    assert newest == [GENRE, Correctable.TONE]
    catalogue.take_tone_back(image, "Aoi")
    catalogue.judge_tone_again(image, Tone.COLOUR, {"rules": 1002.0})
    assert catalogue.toned_picture(image).tone is Tone.COLOUR


def test_a_picture_that_is_read_otherwise_leaves_a_curators_tone(catalogue: Catalogue, sample: Sample) -> None:
    image = sample.store(catalogue, sample.record("r1"), Tone.GRAYSCALE)
    catalogue.give_tone(image, "Aoi", Tone.TONED)
    facts = sample.facts(b"r1", Tone.COLOUR)
    catalogue.correct_image(type(facts)(**{**vars(facts), "notes": ("transparency was laid on white",)}))
    right = catalogue.put_right([image])[image]
    assert (right.tone, right.machine_tone) == (Tone.TONED, Tone.COLOUR)
