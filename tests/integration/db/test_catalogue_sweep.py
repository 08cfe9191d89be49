"""What a sweep says to the catalogue: every pair once, exactly these pairs taken, nothing of the night's touched."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from db.catalogue import Catalogue
from db.entries.night import AttemptResult, Derivatives, MatchOutcome, Outcome, RecipeEntry, Tone
from db.queries.base import store
from db.tables.night import Match

if TYPE_CHECKING:
    import pytest

    from tests.samples import Sample


def _images(catalogue: Catalogue, sample: "Sample", contents: int = 2, styles: int = 3) -> tuple[list[int], list[int]]:
    grays = [sample.store(catalogue, sample.record(f"gray-{each}"), Tone.GRAYSCALE) for each in range(contents)]
    colours = [sample.store(catalogue, sample.record(f"colour-{each}"), Tone.COLOUR) for each in range(styles)]
    return grays, colours


def _rows(catalogue: Catalogue) -> dict[int, tuple[int, int | None, MatchOutcome, int | None]]:
    """Matches by number: content, style, outcome, rank."""
    with catalogue._reading() as session:
        matches = session.scalars(select(Match).order_by(Match.id))
        return {each.id: (each.content_id, each.style_id, each.outcome, each.rank) for each in matches}


def test_every_content_is_paired_with_every_style_once(catalogue: Catalogue, sample: "Sample") -> None:
    contents, styles = _images(catalogue, sample)
    first = catalogue.pair_up(contents, styles, sample.matcher)
    assert catalogue.pair_up(contents, styles, sample.matcher) == first
    rows = _rows(catalogue)
    assert [rows[each][:2] for each in first] == [(gray, colour) for gray in contents for colour in styles]
    assert {row[2:] for row in rows.values()} == {(MatchOutcome.CANDIDATE, None)}


def test_no_picture_is_paired_with_itself(catalogue: Catalogue, sample: "Sample") -> None:
    (one,), (other,) = _images(catalogue, sample, 1, 1)
    pairs = catalogue.pair_up([one, other], [other], sample.matcher)
    assert [row[:2] for row in _rows(catalogue).values()] == [(one, other)]
    assert len(pairs) == 1
    assert catalogue.pair_up([other], [other], sample.matcher) == []


def test_what_the_night_chose_stays_chosen_and_it_takes_nothing_of_a_sweep(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    (gray,), (chosen, other) = _images(catalogue, sample, 1, 2)
    sample.match(catalogue, gray, chosen)
    catalogue.pair_up([gray], [chosen, other], sample.matcher)
    assert [row[1:] for row in _rows(catalogue).values()] == [
        (chosen, MatchOutcome.MATCHED, 1),
        (other, MatchOutcome.CANDIDATE, None),
    ]
    taken = sample.take(catalogue)
    assert [each.styles[0].id for each in catalogue.pending_attempts(taken)] == [chosen]


def test_exactly_the_pairs_asked_for_are_taken_and_only_once(
    catalogue: Catalogue, sample: "Sample", monkeypatch: "pytest.MonkeyPatch"
) -> None:
    monkeypatch.setattr(store, "CHUNK", 2)
    pairs = catalogue.pair_up(*_images(catalogue, sample), sample.matcher)
    batch = catalogue.take_pairs(sample.recipe, sample.models, pairs[1:])
    assert batch is not None
    assert [each.match_id for each in catalogue.pending_attempts(batch)] == pairs[1:]
    assert catalogue.take_pairs(sample.recipe, sample.models, pairs[1:]) is None
    rest = catalogue.take_pairs(sample.recipe, sample.models, pairs)
    assert rest is not None
    assert [each.match_id for each in catalogue.pending_attempts(rest)] == pairs[:1]
    assert catalogue.take_pairs(sample.recipe, sample.models, []) is None


def test_attempts_are_found_by_pair_recipe_and_encoder_the_last_of_each(catalogue: Catalogue, sample: "Sample") -> None:
    pairs = catalogue.pair_up(*_images(catalogue, sample, 1, 2), sample.matcher)
    other = RecipeEntry("another", {"iterations": 3}, "d1ge58")
    for recipe in (sample.recipe, other):
        batch = catalogue.take_pairs(recipe, sample.models, pairs)
        assert batch is not None
        failed = AttemptResult(Outcome.FAILED, "cpu", {}, error_message="the picture is gone", transient=True)
        for pending in catalogue.pending_attempts(batch):
            result = failed if pending.match_id == pairs[0] else sample.succeeded(catalogue)
            catalogue.close_attempt(batch, pending.id, result)
        catalogue.close_batch(batch)
    again = catalogue.take_pairs(sample.recipe, sample.models, pairs)
    assert again is not None
    found = catalogue.pair_attempts(pairs, [sample.recipe.digest], sample.encoder)
    assert [(each.match_id, each.number, each.outcome) for each in found] == [
        (pairs[1], 1, Outcome.SUCCEEDED),
        (pairs[0], 2, None),
    ]
    assert len(catalogue.pair_attempts(pairs, [sample.recipe.digest, other.digest], sample.encoder)) == 4
    assert catalogue.pair_attempts(pairs, ["none"], sample.encoder) == []


def test_a_folders_images_are_all_tones_but_none_whose_rights_say_no(catalogue: Catalogue, sample: "Sample") -> None:
    contents, styles = _images(catalogue, sample)
    sample.store(catalogue, sample.record("forbidden", derivatives=Derivatives.NO), Tone.COLOUR)
    sample.store(catalogue, sample.record("elsewhere"), Tone.COLOUR, archive="other")
    images, left_out = catalogue.archive_images("sample")
    assert [image.id for image in images] == contents + styles
    assert left_out == 1
    assert catalogue.archive_images("nowhere") == ([], 0)
