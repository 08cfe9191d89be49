"""Saved pictures measured again by another encoder: all of them once, whatever one of them has."""

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from colorize.encoders.weights import WeightsFile, shipped_weights
from colorize.recipes.library import recipe_named
from db.catalogue import Catalogue
from db.entries.night import EncoderKey, RecipeEntry, Tone
from db.settings import CatalogueSettings
from flows.cli.app import app
from flows.evaluation.remeasure import MeasureTally, measure
from flows.plan import encoder_key, recipe_entry
from flows.settings import Settings

if TYPE_CHECKING:
    from tests.samples import Sample

DATABASES = ("sqlite",)
"""Measuring is the subject; its queries run on both databases in `tests/integration/db/test_catalogue_measure.py`."""

RECIPE = recipe_named("jadh2016/config1_1_1").changed(long_edge_px=32, iterations=3)
SIZE = (32, 32)


def picture(seed: int, size: tuple[int, int] = SIZE) -> bytes:
    """A small PNG of coarse patches."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    data = BytesIO()
    Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC).save(data, "PNG")
    return data.getvalue()


@dataclass
class Made:
    """A catalogue of attempts whose pictures lie in the store."""

    settings: Settings
    weights: WeightsFile
    attempts: list[int]
    sample: "Sample"

    def measured(self) -> dict[int, float]:
        with Catalogue.open(self.settings) as catalogue:
            found = catalogue.measurements(self.attempts)
        assert all(len(entries) == 1 for entries in found.values())
        return {attempt: entries[0].errors.total_error_mean or 0 for attempt, entries in found.items()}

    def measure(self, batch_id: int | None = None) -> MeasureTally:
        return measure(self.settings, self.weights, batch_id)

    def output(self, attempt: int) -> Path:
        with Catalogue.open(self.settings) as catalogue:
            return catalogue.pictures.path(catalogue.attempt(attempt).output_sha256 or "")

    def add(self, seed: int, data: bytes | None = None) -> int:
        """One more attempt, in a batch of its own; its number."""
        sample = self.sample
        with Catalogue.open(self.settings) as catalogue:
            gray = sample.store(catalogue, sample.record(f"gray-{seed}"), Tone.GRAYSCALE, data=picture(seed))
            colour = sample.store(catalogue, sample.record(f"colour-{seed}"), Tone.COLOUR, data=picture(seed + 50))
            sample.match(catalogue, gray, colour)
            batch = sample.take(catalogue)
            (pending,) = catalogue.pending_attempts(batch)
            output = data or picture(seed + 100)
            catalogue.pictures.add(output, ".png")
            result = replace(sample.succeeded(catalogue), output=sample.facts(output, Tone.COLOUR))
            catalogue.close_attempt(batch, pending.id, result)
            catalogue.close_batch(batch)
        self.attempts.append(pending.id)
        return pending.id


@pytest.fixture
def made(settings: CatalogueSettings, sample: "Sample", narrow_weights: Path, tmp_path: Path) -> Made:
    """Three attempts, and the shipped encoder to measure them by."""
    sample.recipe = recipe_entry(RECIPE)
    whole = Settings(
        home=settings.home, database_url=settings.database_url, weights_dir=narrow_weights,
        cache_dir=tmp_path / "cache", device="cpu",
    )  # fmt: skip
    catalogue = Made(whole, shipped_weights(), [], sample)
    for seed in (1, 2, 3):
        catalogue.add(seed)
    return catalogue


def test_every_picture_is_measured_once_and_later_only_what_came_since(made: Made) -> None:
    tally = made.measure()
    assert (tally.measured, tally.problems) == (3, [])
    found = made.measured()
    assert list(found) == made.attempts
    assert all(0 < total < 4 for total in found.values())
    assert len(set(found.values())) == 3
    assert made.measure().measured == 0
    new = made.add(4)
    again = made.measure()
    assert again.measured == 1
    assert made.measured() == {**found, new: made.measured()[new]}


def test_figures_of_two_encoders_come_in_tables_of_their_own(made: Made) -> None:
    key = encoder_key(made.weights)
    tally = made.measure()
    assert [encoder for encoder, _ in tally.means] == [key, made.sample.encoder]
    ((measured,), (own,)) = (rows for _, rows in tally.means)
    assert (measured.attempts, own.attempts) == (3, 3)
    assert measured.made_by == own.made_by == made.sample.encoder
    assert own.errors.total_error_mean == pytest.approx(0.3)
    assert measured.errors.total_error_mean == pytest.approx(sum(made.measured().values()) / 3)


def test_one_batch_is_measured_where_one_is_asked_for(made: Made) -> None:
    assert made.measure(batch_id=2).measured == 1
    assert list(made.measured()) == [made.attempts[1]]


def test_a_picture_measures_the_same_in_whatever_company(made: Made) -> None:
    made.measure(batch_id=3)
    alone = made.measured()[made.attempts[2]]
    made.measure()
    with Catalogue.open(made.settings) as catalogue:
        assert alone == made.measured()[made.attempts[2]]
        assert catalogue.attempts_to_measure(encoder_key(made.weights)) == []


@pytest.mark.parametrize("harm", ["gone", "damaged", "another size"])
def test_one_bad_picture_is_told_and_the_rest_is_measured_and_it_too_once_it_is_back(made: Made, harm: str) -> None:
    bad = made.add(4, data=picture(9, (48, 32)) if harm == "another size" else None)
    file = made.output(bad)
    kept = file.read_bytes()
    if harm == "gone":
        file.unlink()
    elif harm == "damaged":
        file.write_bytes(kept[:60])
    made.add(5)
    tally = made.measure()
    assert tally.measured == 4
    ((what, why),) = tally.problems
    assert what == f"attempt {bad}"
    assert {"gone": "nishiki doctor", "damaged": "other bytes", "another size": "48×32 px"}[harm] in why
    assert bad not in made.measured()
    if harm != "another size":
        file.write_bytes(kept)
        assert (made.measure().measured, bad in made.measured()) == (1, True)


def test_a_recipe_that_this_program_cannot_read_is_one_bad_attempt(made: Made) -> None:
    made.sample.encoder = EncoderKey("another", "f00d")  # whose matches are no others
    made.sample.recipe = RecipeEntry("later", {**RECIPE.data(), "of_tomorrow": 1}, "1a7e5")
    odd = made.add(6)
    tally = made.measure()
    assert tally.measured == 3
    assert [what for what, _ in tally.problems] == [f"attempt {odd}"]
    assert "of_tomorrow" in tally.problems[0][1]


def test_a_recipe_kept_before_recipes_named_an_encoder_is_measured(made: Made) -> None:
    data = {key: value for key, value in RECIPE.data().items() if key != "encoder"}
    made.sample.encoder = EncoderKey("another", "f00d")
    made.sample.recipe = RecipeEntry("earlier", data, "0ld")
    old = made.add(7)
    assert made.measure().problems == []
    assert old in made.measured()


def test_the_command_measures_tells_tables_and_shows_the_figures_beside_the_attempts_own(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (("HOME", made.settings.home), ("DATABASE_URL", made.settings.url)):
        monkeypatch.setenv(f"NISHIKI_{name}", str(value))
    words = ["measure", "--encoder", "nishiki-small", "--device", "cpu"]
    run = CliRunner().invoke(app, words)
    assert (run.exit_code, run.stderr) == (0, "")
    assert "Measure: 3 pictures measured." in run.stdout
    tables = [line for line in run.stdout.splitlines() if line.startswith("Measured by ")]
    assert [line.split()[2] for line in tables] == ["nishiki-small", "vgg19"]
    assert run.stdout.splitlines()[-1].startswith("Encoder: nishiki-small")
    assert "nothing was left to measure" in CliRunner().invoke(app, [*words, "all"]).stdout
    shown = CliRunner().invoke(app, ["show", str(made.attempts[0])]).stdout
    assert "measured by   nishiki-small" in shown
    assert "errors        content 0.1; style 0.2; total 0.3" in shown
    made.output(made.add(8)).unlink()
    run = CliRunner().invoke(app, words)
    assert (run.exit_code, "0 pictures measured" in run.stdout, "nishiki doctor" in run.stdout) == (1, True, True)


def test_an_attempt_of_another_file_under_the_same_name_is_another_encoders(made: Made) -> None:
    """A later nishiki-small has another checksum: what the earlier one made is to be measured by it."""
    made.sample.encoder = EncoderKey("nishiki-small", "an earlier one")
    earlier = made.add(9)
    made.measure()
    assert earlier in made.measured()
