"""A night that learns from what curators said: it refits once, and matches anew only what has no verdict."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.match import RefitWord
from db.entries.night import ContentScope, MatchEntry, MatchOutcome, Tone, Verdict
from db.entries.review import Judgement, Reason
from flows.match import learn
from flows.matching.weights import MatchWeights
from flows.plan import plan_night
from tests.samples import Sample

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

ALL = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})
ACTOR, SERIES = {"actor": 1.0}, {"series": 1.0}
GOOD, WRONG = Judgement(Verdict.APPROVED), Judgement(Verdict.RETURNED, Reason.WRONG_MATCH)


def coloured(catalogue: Catalogue, sample: Sample, count: int) -> list[int]:
    """So many prints coloured by turns from the same actor and from the same series; their attempts."""
    style = sample.store(catalogue, sample.record("colour"), Tone.COLOUR)
    for number in range(count):
        content = sample.store(catalogue, sample.record(f"gray {number}"), Tone.GRAYSCALE)
        values = (ACTOR, SERIES)[number % 2]
        found = MatchEntry(MatchOutcome.MATCHED, style, 1, 0.4, {"values": values})
        catalogue.add_matches(content, sample.matcher, [found])
    return sorted(sample.night(catalogue))


def test_verdicts_are_learned_from_once_and_what_has_one_keeps_its_match(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    base = MatchWeights(actor=0.1, series=0.2)
    settings = settings_of(tmp_path / "home", genres=(), match_weights=base)
    with plan_night(settings) as plan:
        catalogue = plan.catalogue
        sample = Sample(encoder=plan.night.encoder)
        attempts = coloured(catalogue, sample, 62)
        for number, attempt in enumerate(attempts[:49]):
            catalogue.give_verdict(attempt, "Aoi", WRONG if number % 2 else GOOD)
        before = plan.matcher
        assert learn(plan) is None
        assert catalogue.refits() == []
        for number, attempt in enumerate(attempts[49:60], 49):
            catalogue.give_verdict(attempt, "Aoi", WRONG if number % 2 else GOOD)
        refit = learn(plan)
        assert refit is not None
        assert (refit.verdicts, refit.approved, refit.why) == (60, 30, RefitWord.BETTER)
        assert plan.match_weights.actor > base.actor
        assert plan.match_weights.series < base.series
        assert plan.matcher != before
        assert learn(plan) is None
        contents = catalogue.images_to_embed(plan.night.encoder, [Tone.GRAYSCALE])
        catalogue.add_embeddings(plan.night.encoder, {each.id: sample.vector(each.id) for each in contents})
        due = catalogue.contents_to_match(plan.night.encoder, plan.matcher, ALL)
        assert len(contents) == 62
        assert len(due) == 2
