"""What results and verdicts come to by subject, and recipes on the same contents: the same on both databases."""

from dataclasses import replace
from typing import Any

import pytest

from db.catalogue import Catalogue
from db.entries.night import Derivatives, EncoderKey, RecipeEntry, Verdict
from db.entries.nights import NightEnd, NightEnding
from db.entries.review import Judgement, Reason
from db.entries.statistics import Group, Subject
from db.errors import UnknownEntry
from db.queries.review.intervals import mean_of, share_of
from tests.samples import ENCODER, Sample

APPROVED, RETURNED = Judgement(Verdict.APPROVED), Judgement(Verdict.RETURNED, Reason.OTHER)
OTHER = RecipeEntry("nishiki/colour", {"iterations": 0}, "c0105")


def figured(content: float, style: float, trust: float | None = None) -> dict[str, Any]:
    """What an attempt came to."""
    errors = {"content_error_mean": content, "style_error_mean": style, "total_error_mean": content + style}
    return {**errors, "measures": {} if trust is None else {"trust": trust}}


def by_name(catalogue: Catalogue, subject: Subject, encoder: EncoderKey | None = None) -> dict[str, Group]:
    return {each.name: each for each in catalogue.statistics(subject, encoder).groups}


@pytest.fixture
def told(catalogue: Catalogue, sample: Sample) -> list[int]:
    """Three results of one night, two approved, and one by hand, of another archive and artist, returned."""
    night = catalogue.begin_night()
    made = [sample.entry(catalogue, sample.record(f"r{n}"), **figured(0.2, 0.1 * n, 0.5 + n / 10)) for n in range(3)]
    catalogue.end_night(night, NightEnd(NightEnding.DONE, 0), {}, {})
    other = sample.record("elsewhere", artists=("Third artist",))
    made.append(sample.entry(catalogue, other, archive="theatre", **figured(0.4, 0.4)))
    for number, word in zip(made, (APPROVED, APPROVED, RETURNED, RETURNED), strict=True):
        catalogue.give_verdict(number, "aya", word)
    return made


def test_results_are_counted_by_night_recipe_archive_and_artist(catalogue: Catalogue, told: list[int]) -> None:
    by_night = by_name(catalogue, Subject.NIGHT)
    assert list(by_night) == ["1", ""]
    night = by_night["1"]
    assert (night.results, night.succeeded, night.approved, night.returned, night.withheld) == (3, 3, 2, 1, 0)
    assert night.approval == share_of(2, 3)
    assert night.trust.value == pytest.approx(0.6)
    assert night.trust.of == 3
    assert night.errors["total"].value == pytest.approx(0.3)
    assert night.errors["total"].low == pytest.approx(0.3 - 4.302653 * 0.1 / 3**0.5, abs=1e-6)
    assert by_night[""].trust.value is None
    (recipe,) = by_name(catalogue, Subject.RECIPE).values()
    assert (recipe.name, recipe.results) == ("jadh2016/config3_3_4", 4)
    assert recipe.errors["content"].value == pytest.approx(0.25)
    archives = {name: each.results for name, each in by_name(catalogue, Subject.ARCHIVE).items()}
    assert archives == {"sample": 3, "theatre": 1}
    artists = {name: each.results for name, each in by_name(catalogue, Subject.ARTIST).items()}
    assert artists == {"Another": 3, "Sample artist": 3, "Third artist": 1}


def test_a_new_verdict_is_counted_at_once_and_what_is_withheld_is_not(
    catalogue: Catalogue, sample: Sample, told: list[int]
) -> None:
    assert by_name(catalogue, Subject.ARCHIVE)["theatre"].approved == 0
    catalogue.give_verdict(told[3], "aya", APPROVED, seen=4)
    assert by_name(catalogue, Subject.ARCHIVE)["theatre"].approved == 1
    catalogue.add_record(sample.archive(catalogue, "theatre"), sample.record("elsewhere", derivatives=Derivatives.NO))
    assert "theatre" not in by_name(catalogue, Subject.ARCHIVE)


def test_blind_pairs_tell_how_far_curators_agree_and_a_first_word_is_not_counted(
    catalogue: Catalogue, sample: Sample
) -> None:
    made = sample.entries(catalogue, 3)
    for number, second in zip(made, (APPROVED, RETURNED, None), strict=True):
        catalogue.give_verdict(number, "aya", APPROVED, blind_share=1)
        if second:
            catalogue.give_verdict(number, "bun", second, blind_share=1)
    for subject in Subject:
        group = catalogue.statistics(subject).groups[0]
        assert (group.agreed.share.number, group.agreed.share.of) == (1, 2)
        assert group.approved + group.returned == 2


def test_errors_of_two_encoders_are_never_put_together(catalogue: Catalogue, sample: Sample) -> None:
    for n in range(2):
        sample.entry(catalogue, sample.record(f"r{n}"), **figured(0.2, 0.1))
    other = replace(sample, encoder=EncoderKey("vgg19", "feed"), recipe=OTHER)
    other.entry(catalogue, sample.record("by another"), **figured(0.9, 0.9))
    told = catalogue.statistics(Subject.ARCHIVE)
    assert (told.encoder, told.encoders[0]) == (ENCODER, ENCODER)
    assert (told.groups[0].results, told.groups[0].errors["total"].of) == (3, 2)
    assert by_name(catalogue, Subject.ARCHIVE, other.encoder)["sample"].errors["total"].value == pytest.approx(1.8)
    with pytest.raises(UnknownEntry):
        catalogue.statistics(Subject.ARCHIVE, EncoderKey("vgg19", "none"))


def test_recipes_are_compared_on_the_contents_that_both_made(catalogue: Catalogue, sample: Sample) -> None:
    other = replace(sample, recipe=OTHER)
    for n, (ours, theirs) in enumerate([(0.3, 0.5), (0.2, 0.5), (0.4, 0.5)]):
        sample.matched(catalogue, sample.record(f"r{n}"), 0.9)
        (one,) = sample.night(catalogue, **figured(0.1, ours))
        (two,) = other.night(catalogue, **figured(0.1, theirs))
        catalogue.give_verdict(one, "aya", APPROVED)
        catalogue.give_verdict(two, "aya", APPROVED if n else RETURNED)
    sample.entry(catalogue, sample.record("alone"), **figured(9, 9))
    (pair,) = catalogue.paired(ENCODER)
    assert (pair.recipes, pair.contents) == (("jadh2016/config3_3_4", "nishiki/colour"), 3)
    assert pair.differences["style"].value == pytest.approx(-0.2)
    assert pair.differences["style"].high == pytest.approx(-0.2 + 4.302653 * 0.1 / 3**0.5, abs=1e-6)
    assert (pair.differences["trust"].of, pair.judged, pair.only) == (0, 3, (1, 0))


def test_two_recipes_of_one_name_are_told_apart_by_their_digest(catalogue: Catalogue, sample: Sample) -> None:
    sample.entry(catalogue, sample.record("one"))
    replace(sample, recipe=replace(sample.recipe, digest="0c0de")).entry(catalogue, sample.record("two"))
    names = set(by_name(catalogue, Subject.RECIPE))
    assert names == {"jadh2016/config3_3_4 (d1ge57)", "jadh2016/config3_3_4 (0c0de)"}


def test_an_empty_catalogue_has_nothing_to_tell(catalogue: Catalogue) -> None:
    told = catalogue.statistics(Subject.RECIPE)
    assert (told.groups, told.encoder, told.encoders) == ([], None, [])
    assert catalogue.held_out() == []


@pytest.mark.parametrize(
    ("number", "of", "low", "high"), [(0, 10, 0, 0.2172), (5, 10, 0.2235, 0.7765), (10, 10, 0.7828, 1)]
)
def test_shares_have_the_interval_of_jeffreys(number: int, of: int, low: float, high: float) -> None:
    """Quantiles of Beta(number + 1/2, of - number + 1/2), but for the ends."""
    found = share_of(number, of)
    assert found.low == pytest.approx(low, abs=1e-3)
    assert found.high == pytest.approx(high, abs=1e-3)


def test_without_figures_there_is_no_mean_and_of_one_no_interval() -> None:
    assert mean_of(0, 0, 0).value is None
    assert (mean_of(1, 0.5, 0.25).value, mean_of(1, 0.5, 0.25).low) == (0.5, None)
    assert mean_of(2, 1.0, 0.5).low == 0.5
    assert (mean_of(2, 1.0, 0.82, 0.0, 1.0).low, mean_of(2, 1.0, 0.82, 0.0, 1.0).high) == (0.0, 1.0)
