"""Trained colorizers in the catalogue: what one may learn from, and the register."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.models import ModelEntry
from db.entries.night import Derivatives, MatchEntry, MatchOutcome, Tone
from db.errors import UnknownEntry

if TYPE_CHECKING:
    from tests.samples import Sample

MODEL = ModelEntry(
    "a" * 64, "prints", "cieluv_net", {"steps": 3}, "b" * 64, 300, 90, {"plain": {"ratio": 0.8}}, "1.0",
    datetime(2026, 11, 27, tzinfo=UTC),
)  # fmt: skip


def test_only_colour_prints_whose_rights_allow_it_are_learned_from(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    laid = [sample.store(catalogue, sample.record(f"colour {number}"), Tone.COLOUR) for number in range(2)]
    sample.store(catalogue, sample.record("alone"), Tone.COLOUR)
    sample.store(catalogue, sample.record("forbidden", derivatives=Derivatives.NO), Tone.COLOUR)
    registration = {"homography": [], "inliers": 20, "cells": 5, "correlation": 0.5}
    matches = [
        MatchEntry(outcome, style, rank, 0.4, {}, registration)
        for rank, (style, outcome) in enumerate(zip(laid, (MatchOutcome.MATCHED, MatchOutcome.CANDIDATE), strict=True))
    ]
    catalogue.add_matches(content, sample.matcher, matches)
    found = catalogue.colour_prints()
    assert [each.identifier for each in found] == ["colour 0", "colour 1", "alone"]
    assert found[0].designs == found[1].designs
    assert found[0].designs
    assert not found[2].designs


def test_a_model_is_registered_once_and_retired(catalogue: Catalogue) -> None:
    for _ in range(2):
        catalogue.add_model(MODEL)
    assert catalogue.models() == [MODEL]
    catalogue.retire_model(MODEL.checksum)
    (retired,) = catalogue.models()
    assert retired.retired_at is not None
    with pytest.raises(UnknownEntry, match="nishiki models list"):
        catalogue.retire_model("c" * 64)
