"""Nights with encoders by name: one for matching and dispatch, and batches go on with the one they were begun with."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from db.catalogue import Catalogue
from db.entries.night import AttemptEntry
from flows.dispatch import dispatch
from flows.harvest import harvest
from flows.match import match
from flows.nightly import nightly
from flows.plan import encoder_key, encoder_weights, matcher_key, models_of, night_recipe, recipe_entry
from flows.settings import Settings

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One gray print and one in colour."""
    place = tmp_path / "prints"
    place.mkdir()
    patches = np.random.default_rng(7).integers(0, 256, (2, 4, 3, 3), np.uint8)
    patches[0, ..., 1:] = patches[0, ..., :1]
    for name, pixels in zip(("gray", "colour"), patches, strict=True):
        Image.fromarray(pixels).resize((36, 48), Image.Resampling.BICUBIC).save(place / f"{name}.png")
    return place


@pytest.fixture
def seeded(settings_of: "SettingsOf", narrow_weights: Path, tmp_path: Path) -> Settings:
    """A night by random-seeded weights that lie in the cache, where nothing is configured."""
    (tmp_path / "cache").mkdir()
    shutil.copy(narrow_weights / "narrow.safetensors", tmp_path / "cache" / "random-seeded-0.safetensors")
    return settings_of(tmp_path / "home", weights_dir=None, cache_dir=tmp_path / "cache", size=32)


def unnamed(settings: Settings) -> Settings:
    return settings.model_copy(update={"encoder": None})


def attempts(settings: Settings) -> list[AttemptEntry]:
    with Catalogue.open(settings, create=False) as catalogue:
        return list(catalogue.attempts())


def put_down(settings: Settings, folder: Path) -> int:
    """A batch that was taken and never begun; its number."""
    harvest(settings, [str(folder)])
    assert match(settings).matched == 1
    recipe = night_recipe(settings)
    with Catalogue.open(settings) as catalogue:
        weights = encoder_weights(settings, recipe)
        matcher = matcher_key(encoder_key(weights), settings.match_weights)
        batch = catalogue.take_batch(recipe_entry(recipe), models_of(weights), matcher, limit=None)
        assert batch is not None
        catalogue.release_batch(batch)
        return batch.id


def test_a_night_without_any_weights_matches_and_colorizes_by_the_shipped_encoder_and_says_so(
    seeded: Settings, folder: Path
) -> None:
    night = nightly([str(folder)], unnamed(seeded))
    (attempt,) = attempts(seeded)
    assert night.matching.encoder == attempt.encoder
    assert attempt.encoder.name == "nishiki-small"
    (sheet,) = night.sheets
    assert "jadh2016/config1_1_1 was tuned for vgg19-oxford; nishiki-small was used (nishiki weights" in sheet.encoder
    assert "nishiki-small was used" in sheet.html.read_text(encoding="utf-8")


def test_a_night_describes_only_pictures_that_no_night_has_described(
    seeded: Settings, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "flows.match")
    described = []
    for new in ("", "more", ""):
        if new:
            pixels = np.random.default_rng(8).integers(0, 256, (48, 36, 3), np.uint8)
            Image.fromarray(pixels).save(folder / f"{new}.png")
        harvest(seeded, [str(folder)])
        caplog.clear()
        match(seeded)
        counted = (re.match(r"(\d+) pictures (embedded|described)", line) for line in caplog.messages)
        described += [sum(int(found[1]) for found in counted if found)]
    assert described == [2, 1, 0]


def test_a_batch_goes_on_with_the_encoder_it_was_begun_with_whatever_is_chosen_now(
    seeded: Settings, folder: Path
) -> None:
    begun = put_down(seeded, folder)
    (tally,) = dispatch(unnamed(seeded))
    assert (tally.batch_id, tally.outcomes.total()) == (begun, 1)
    assert [attempt.encoder.name for attempt in attempts(seeded)] == ["random-seeded"]
    assert match(unnamed(seeded)).encoder.name == "nishiki-small"
    dispatch(unnamed(seeded))
    assert [attempt.encoder.name for attempt in attempts(seeded)] == ["random-seeded", "nishiki-small"]


def test_a_batch_whose_encoder_is_gone_waits_and_others_are_begun(seeded: Settings, folder: Path) -> None:
    begun = put_down(seeded, folder)
    shutil.rmtree(seeded.cache_dir)
    match(unnamed(seeded))
    waiting, new = dispatch(unnamed(seeded))
    ((what, why),) = waiting.problems
    assert (waiting.batch_id, what) == (begun, f"batch {begun}")
    assert "waits for the weights it was begun with, random-seeded" in why
    assert new.outcomes.total() == 1
    assert [attempt.outcome is None for attempt in attempts(seeded)] == [True, False]
