"""A recipe with a least trust colours what is trusted, and leaves the rest in the tone of the paper."""

from dataclasses import replace

import numpy as np
import pytest

from colorize.colorizer import Colorizer
from colorize.encoders.vgg19 import Encoder
from colorize.images.resize import resized, to_gray
from colorize.jobs import Job
from colorize.methods.exemplar.trusted import only_trusted, trusted_areas
from colorize.methods.neural_style.engine import Operands
from colorize.output.provenance import uncoloured_words
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from tests.unit.colorize.output.test_provenance import MADE

RECIPE = recipe_named("nishiki/likeness").changed(long_edge_px=96)


def test_what_is_not_kept_takes_the_tone_of_the_papers_and_ink_stays_ink() -> None:
    lightness = np.full((40, 40), 60, np.float32)
    lightness[:10], lightness[:, 38:] = 95, 5
    chroma = np.full((40, 40, 2), 30, np.float32)
    chroma[:10] = 0, 12
    kept = np.zeros((10, 10), bool)
    kept[:, :5] = True
    found = only_trusted(chroma, lightness, kept)
    assert found[20, 5].tolist() == [30, 30]
    assert found[20, 30].tolist() == pytest.approx([0, 12])
    assert found[20, 39].tolist() == pytest.approx([0, 1.8])
    assert np.abs(np.diff(found[20, :38, 0])).max() < 15


def test_areas_are_trusted_and_no_specks() -> None:
    trust = np.zeros((40, 60), np.float32)
    trust[:, 30:] = 0.6
    trust[20, 10] = trust[5, 5:8] = 1
    assert trusted_areas(trust, 0.5).sum(0).tolist() == [0] * 30 + [40] * 30


def test_a_recipes_least_trust_is_measured_and_told_and_a_print_without_any_is_refused(narrow: Encoder) -> None:
    prints = [resized(draw_print(design(number), 0).pixels, 128) for number in (1, 2)]
    job = Job("x", to_gray(prints[0]), prints[1])

    def made(least: float) -> Colorization:
        (found,) = Colorizer(RECIPE.changed(least_trust=least), Operands(narrow, "float32")).colorize([job])
        assert isinstance(found, Colorization)
        return found

    free = made(0.0)
    assert free.trust is not None
    assert "uncoloured" not in free.measures
    middle = float(np.median(free.trust)) / 255
    half, none = made(middle), made(1.0)
    assert half.measures["uncoloured"] == pytest.approx(0.5, abs=0.1)
    assert half.measures["trust"] == free.measures["trust"]
    assert none.refusal == "not coloured: no colours are trusted anywhere in the print"
    said = replace(MADE, uncoloured=half.measures["uncoloured"]).description
    assert uncoloured_words(half.measures["uncoloured"]) in said
    assert "% of the print is left in the paper's tone" in said
