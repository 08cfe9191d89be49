"""Krippendorff's alpha against figures that he published."""

import pytest

from db.queries.review.agreement import nominal_alpha

PUBLISHED = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
"""Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", C: four observers, twelve units; 0.743."""


def _units(observers: list[str]) -> list[list[str]]:
    return [[word for word in unit if word != "."] for unit in zip(*observers, strict=True)]


def test_the_published_example_comes_out_as_published() -> None:
    assert nominal_alpha(_units(PUBLISHED)) == pytest.approx(0.743, abs=5e-4)


def test_full_agreement_is_one_and_chance_is_about_zero() -> None:
    assert nominal_alpha([["a", "a"], ["b", "b"]]) == 1
    alpha = nominal_alpha([["a", "a"], ["a", "b"], ["b", "a"], ["b", "b"]] * 100)
    assert alpha == pytest.approx(0, abs=0.01)


def test_without_anything_to_compare_there_is_no_alpha() -> None:
    assert nominal_alpha([]) is None
    assert nominal_alpha([["a"], ["b"]]) is None
    assert nominal_alpha([["a", "a"], ["a", "a"]]) is None
