"""What a night came to, beside those before it, and what needs a person."""

from dataclasses import replace
from typing import Any

import pytest

from db.catalogue import Catalogue
from db.entries.night import Outcome, Tone
from db.entries.nights import NightEnd, NightEnding
from db.errors import UnknownEntry
from tests.samples import Sample

DONE = NightEnd(NightEnding.DONE, 0)


def night(catalogue: Catalogue, sample: Sample, *names: str, **result: Any) -> int:
    """A night in which these prints were coloured."""
    number = catalogue.begin_night()
    for name in names:
        sample.matched(catalogue, sample.record(name), 0.9)
    if names:
        sample.night(catalogue, **result)
    catalogue.end_night(number, DONE, {}, {})
    return number


def trusted(trust: float, **further: Any) -> dict[str, Any]:
    return {"measures": {"trust": trust}, **further}


def test_a_night_tells_what_it_made_beside_the_nights_before(catalogue: Catalogue, sample: Sample) -> None:
    for place, trust in enumerate((0.5, 0.7, 0.9)):
        night(catalogue, sample, f"earlier {place}", **trusted(trust, total_error_mean=0.4))
    other = replace(sample, recipe=replace(sample.recipe, name="nishiki/other", digest="other"))
    night(catalogue, other, "by another recipe", **trusted(0.1))
    sample.matched(catalogue, sample.record("between nights"), 0.9)
    sample.night(catalogue, **trusted(0.2))
    tonight = night(catalogue, sample, "one", "two", **trusted(0.8, total_error_mean=0.3, seconds=2.0))
    told = catalogue.morning(tonight)
    (made,) = told.made
    assert (told.nights_before, made.outcomes, made.seconds) == (4, {"succeeded": 2}, 2.0)
    figures = {each.name: (each.tonight, each.before, each.usual, each.below) for each in made.figures}
    assert figures["trust"] == (0.8, (0.9, 0.7, 0.5), 0.7, 2)
    assert figures["total error"][:1] == (0.3,)
    assert [each.content.identifier for each in told.shown] == ["one", "two"]


def test_the_first_night_is_held_against_none_and_one_of_nothing_made_nothing(
    catalogue: Catalogue, sample: Sample
) -> None:
    first = night(catalogue, sample, "one", **trusted(0.8))
    (made,) = catalogue.morning(first).made
    assert {(each.before, each.usual, each.below) for each in made.figures} == {((), None, 0)}
    empty = catalogue.morning(night(catalogue, sample))
    assert (empty.made, empty.shown, empty.failures, empty.waiting) == ((), (), (), {"to judge": 1})
    with pytest.raises(UnknownEntry):
        catalogue.morning(99)


@pytest.mark.long
def test_best_and_worst_are_by_trust_and_show_nothing_that_is_withheld(catalogue: Catalogue, sample: Sample) -> None:
    number = catalogue.begin_night()
    for place in range(8):
        sample.matched(catalogue, sample.record(f"r{place}"), 0.9)
        outcome = Outcome.REJECTED if place == 7 else Outcome.SUCCEEDED
        sample.night(catalogue, **trusted(place / 10, outcome=outcome))
    catalogue.end_night(number, DONE, {}, {})
    held = sample.record("r6", derivatives="no")
    catalogue.add_record(sample.archive(catalogue), held)
    told = catalogue.morning(number)
    assert [each.content.identifier for each in told.best] == ["r5", "r4", "r3"]
    assert [each.content.identifier for each in told.worst] == ["r0", "r1", "r2"]


def test_what_failed_and_what_needs_a_person_is_counted(catalogue: Catalogue, sample: Sample) -> None:
    killed = catalogue.begin_night()
    failed = {"outcome": Outcome.FAILED, "output": None, "error_class": "SetAside", "error_message": "its worker died"}
    tonight = night(catalogue, sample, "a", "b", **failed)
    sample.store(catalogue, sample.record("unsure"), Tone.UNSURE)
    sample.store(catalogue, sample.record("not ours", derivatives="no"), Tone.GRAYSCALE)
    told = catalogue.morning(tonight)
    assert told.unended is not None
    assert told.unended.id == killed
    (failure,) = told.failures
    assert (failure.error, failure.attempts, failure.identifier) == ("its worker died", 2, "a")
    assert told.waiting == {"set aside": 2, "unsure": 1}
    assert sorted(told.set_aside) == ["a", "b"]
    assert told.held_back["rights: no"] == 1
    assert 0 < told.free_share <= 1
