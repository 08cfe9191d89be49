"""What stands behind an entry, on both databases: reasons, figures among their like, rights, provenance, candidates."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi import FastAPI

from colorize.encoders.weights import RANDOM, SMALL
from colorize.measures.names import MEASURES as MEASURED
from db.catalogue import Catalogue
from db.entries.claim import ModelKey
from db.entries.measured import ErrorFigures
from db.entries.night import ContentScope, Derivatives, EncoderKey, MatchEntry, MatchOutcome, RecipeEntry, Tone, Verdict
from db.entries.review import AttemptRequest, Judgement
from db.errors import UnknownEntry
from db.queries.review import distribution
from db.review.view.insight import DISTILLED, MEASURES, SEEDED, web_address
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, opened
from tests.samples import Sample


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    with opened(settings) as made:
        yield made


def _entries(catalogue: Catalogue, sample: Sample, errors: list[float]) -> list[int]:
    """Attempts of one recipe and encoder with these total errors."""
    return [
        sample.entry(
            catalogue, sample.record(f"r{n}-{error}"), total_error_mean=error, measures={"lightness_ssim": 1 - error}
        )
        for n, error in enumerate(errors)
    ]


def test_figures_are_those_of_the_same_recipe_and_encoder_in_order(catalogue: Catalogue, sample: Sample) -> None:
    _entries(catalogue, sample, [0.3, 0.1, 0.2])
    recipe, encoder = sample.recipe, sample.encoder
    sample.recipe = RecipeEntry("another", {}, "a1b2")
    _entries(catalogue, sample, [0.9])
    sample.recipe, sample.encoder = recipe, EncoderKey(encoder.name, "f00d")
    _entries(catalogue, sample, [0.8])
    found = catalogue.distribution(recipe.digest, encoder)
    assert found.figures["total_error_mean"] == (0.1, 0.2, 0.3)
    assert found.figures["lightness_ssim"] == pytest.approx((0.7, 0.8, 0.9))
    assert found.attempts == 3


def test_only_the_latest_are_compared_with(
    catalogue: Catalogue, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    _entries(catalogue, sample, [0.1, 0.2, 0.3, 0.4])
    monkeypatch.setattr(distribution, "LATEST", 2)
    assert catalogue.distribution(sample.recipe.digest, sample.encoder).figures["total_error_mean"] == (0.3, 0.4)


def test_an_attempt_without_figures_has_none_to_compare(catalogue: Catalogue, sample: Sample) -> None:
    sample.entry(catalogue, sample.record("r"), total_error_mean=None, measures={})
    assert "total_error_mean" not in catalogue.distribution(sample.recipe.digest, sample.encoder).figures


def test_attempts_of_the_same_content_stand_together(catalogue: Catalogue, sample: Sample) -> None:
    (first,) = _entries(catalogue, sample, [0.1])
    style = sample.store(catalogue, sample.record("chosen"), Tone.COLOUR)
    catalogue.add_request(first, "Aoi", AttemptRequest(style_id=style))
    (second,) = sample.night(catalogue)
    _entries(catalogue, sample, [0.2])
    found = catalogue.attempts_of_content(first)
    assert [each.attempt_id for each in found] == [second, first]
    assert [each.style and each.style.image_id for each in found[:1]] == [style]
    assert found == catalogue.attempts_of_content(second)


def test_an_image_that_is_not_there_is_told(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownEntry, match="no image 999"):
        catalogue.image(999)


@pytest.mark.long
def test_the_page_tells_a_figures_place(catalogue: Catalogue, sample: Sample, app: FastAPI) -> None:
    attempts = _entries(catalogue, sample, [n / 10 for n in range(1, 11)])
    page = Browser(app).get(f"/entries/{attempts[2]}").text
    assert "Total error 0.3: Rank 3 of 10, the lowest first." in page
    assert "Line fidelity (lightness SSIM) 0.7: Rank 8 of 10, the lowest first." in page
    assert 'role="img"' in page


def test_the_page_says_why_the_prints_were_matched(catalogue: Catalogue, sample: Sample, app: FastAPI) -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(2)]
    shared = {"cosine": 0.93, "same_artist": 0.75, "same_actor": 1.0, "years": ["<b>", 1855], "same_design": True}
    entries = [
        MatchEntry(MatchOutcome.CANDIDATE if n else MatchOutcome.MATCHED, style, n + 1, 0.93 - n / 10, shared)
        for n, style in enumerate(styles)
    ]
    catalogue.add_matches(content, sample.matcher, entries)
    (attempt,) = sample.night(catalogue)
    page = Browser(app).get(f"/entries/{attempt}").text
    for sentence in (
        "The best of 2 candidates",
        "Same design, same actor, same artist, &lt;b&gt; and 1855; design similarity .93.",
    ):
        assert sentence in page
    catalogue.add_request(
        attempt, "Aoi", AttemptRequest(style_id=sample.store(catalogue, sample.record("requested"), Tone.COLOUR))
    )
    (requested,) = sample.night(catalogue)
    assert "A curator asked for it." in Browser(app).get(f"/entries/{requested}").text


@pytest.mark.parametrize(
    ("address", "followed"),
    [
        ("https://archive.example/1", "https://archive.example/1"),
        (" http://archive.example/1 ", "http://archive.example/1"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("//archive.example/1", None),
        ("http://", None),
        ("http://[", None),
        (None, None),
    ],
)
def test_only_addresses_of_the_web_are_followed(address: str | None, followed: str | None) -> None:
    assert web_address(address) == followed


def test_a_records_address_is_a_link_elsewhere_only_where_it_is_one(
    catalogue: Catalogue, sample: Sample, app: FastAPI
) -> None:
    good = sample.entry(catalogue, sample.record("good", landing_url="https://archive.example/good"))
    bad = sample.entry(catalogue, sample.record("bad", landing_url="javascript:alert(1)"))
    page = Browser(app).get(f"/entries/{good}").text
    assert '<a href="https://archive.example/good" rel="noreferrer noopener external" target="_blank">' in page
    page = Browser(app).get(f"/entries/{bad}").text
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        (Derivatives.NO, "No derivative may be made."),
        (Derivatives.ASK, "Ask the holder before"),
        (Derivatives.UNKNOWN, "The record does not say"),
    ],
)
def test_rights_are_told_in_plain_words(
    catalogue: Catalogue, sample: Sample, app: FastAPI, word: Derivatives, sentence: str
) -> None:
    attempt = sample.entry(catalogue, sample.record("gray"))
    assert "Derivatives such as this may be made." in Browser(app).get(f"/entries/{attempt}").text
    catalogue.add_record(sample.archive(catalogue), sample.record("gray", derivatives=word))
    assert sentence in Browser(app).get(f"/entries/{attempt}").text


def test_provenance_names_recipe_encoder_checksums_and_other_measurements(
    catalogue: Catalogue, sample: Sample, app: FastAPI
) -> None:
    sample.encoder = EncoderKey(SEEDED, "c0ffee")
    sample.recipe = RecipeEntry("mine", {"provenance": "reconstructed", "reason": "Because."}, "d1ge57ed")
    attempt = sample.entry(catalogue, sample.record("gray"))
    figures = ErrorFigures(1.0, 0.11, 1.0, 0.22, 2.0, 0.33)
    catalogue.add_measurement(attempt, EncoderKey("vgg19-oxford", "0af0"), figures)
    page, kept = Browser(app).get(f"/entries/{attempt}").text, catalogue.attempt(attempt)
    told = [
        "what it leaves open was reconstructed",
        "Because.",
        "d1ge57ed",
        "c0ffee",
        "nothing was learned",
        "torch 2.13.0",
    ]
    told += ["60 iterations", "1.5 seconds", "seed 1099511627776", "vgg19-oxford", "0.33"]
    for word in [*told, kept.content.sha256, kept.styles[0].sha256, str(kept.output_sha256)]:
        assert word in page


def test_a_result_without_a_style_print_gives_no_reasons_for_one(
    catalogue: Catalogue, sample: Sample, app: FastAPI
) -> None:
    sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    learned = RecipeEntry("learned", {}, "1ea2ed", styles=0)
    scope = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": None})
    models = (*sample.models, ModelKey("colorizer", "learned/prints", "f00dfeed"))
    batch = catalogue.take_batch(learned, models, sample.matcher, scope, limit=None)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue))
    page = Browser(app).get(f"/entries/{pending.id}").text
    assert "Errors and measures" in page
    assert "Why this style print" not in page
    assert "learned/prints <code>f00dfeed</code>" in page
    matched = sample.entry(catalogue, sample.record("other"))
    assert "Why this style print" in Browser(app).get(f"/entries/{matched}").text


def test_candidates_stand_side_by_side_with_their_verdicts(catalogue: Catalogue, sample: Sample, app: FastAPI) -> None:
    (first,) = _entries(catalogue, sample, [0.111])
    style = sample.store(catalogue, sample.record("chosen", title="Chosen print"), Tone.COLOUR)
    catalogue.add_request(first, "Aoi", AttemptRequest(style_id=style))
    (second,) = sample.night(catalogue, total_error_mean=0.222)
    catalogue.give_verdict(first, "Aoi", Judgement(Verdict.WITHHELD))
    page = Browser(app).get(f"/entries/{second}/candidates?artist=Another").text
    for word in (
        f'href="/entries/{first}?artist=Another"',
        "Likely the same design",
        "Chosen print",
        "withheld",
        "machine-colorized",
    ):
        assert word in page
    assert "their figures do not compare" not in page
    assert Browser(app).get("/entries/999/candidates").status_code == 404


def test_results_of_other_recipes_stand_beside_those_of_the_entry(
    catalogue: Catalogue, sample: Sample, app: FastAPI
) -> None:
    (first,) = _entries(catalogue, sample, [0.111])
    assert "This original by each recipe" not in Browser(app).get(f"/entries/{first}").text
    own, sample.recipe = sample.recipe, replace(sample.recipe, name="cieluv_net/prints", digest="d2")
    (second,) = sample.night(catalogue, measures={"trust": 0.42})
    page = Browser(app).get(f"/entries/{first}?artist=Another").text
    row = page.partition("This original by each recipe")[2].partition("</section>")[0]
    assert row.index(own.name) < row.index("cieluv_net/prints")
    assert f'href="/entries/{second}?artist=Another"' in row
    assert "trust 0.42" in row
    assert row.count("machine-colorized") == 2


def test_errors_of_two_encoders_are_not_set_side_by_side_without_a_word(
    catalogue: Catalogue, sample: Sample, app: FastAPI
) -> None:
    (first,) = _entries(catalogue, sample, [0.1])
    style = catalogue.attempt(first).styles[0].image_id
    sample.encoder = replace(sample.encoder, checksum="f00d")
    sample.match(catalogue, catalogue.attempt(first).content.image_id, style)
    sample.night(catalogue)
    assert "their figures do not compare" in Browser(app).get(f"/entries/{first}/candidates").text


def test_the_page_knows_the_encoders_and_measures_of_the_colorizer() -> None:
    assert (SEEDED, DISTILLED) == (RANDOM, SMALL)
    assert set(MEASURES) <= set(MEASURED)
