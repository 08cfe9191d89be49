"""Sheets to look at of prints that the shipped learned colorizers were never shown: `learned_sheet`.

One has each print in gray, by both networks, plain and by areas, and in its own colours; the other the mask-conditioned
one asked by masks of five kinds. Writes build/benchmarks/learned_prints.png and learned_masks.png.
"""

import csv
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
from PIL import Image
from skimage.color import rgb2lab

from colorize.colorizer import colorizer_for
from colorize.images.decode import Pixels
from colorize.jobs import Job
from colorize.methods.trained import SHIPPED, models_in
from colorize.recipes.recipe import Recipe
from colorize.recipes.trained import recipes_of
from colorize.results import Colorization
from colorize.training.masks import Mask, mask_of
from tests.benchmarks.colour_measures import gray_of
from tests.benchmarks.colour_pairs import encoder, picture
from tests.benchmarks.figures import FOLDER
from tests.shared import SHARED

PRINTS, ACTORS = 8, 5
CELL_PX: Final = 300
MASKS: Final = ("left half", "coarse grid", "ellipse", "random", "segmentation")
_INK: Final = (226, 92, 0)


def main() -> None:
    """Make both."""
    chosen = list(_chosen())
    recipes = [recipe for file in models_in(SHIPPED) for recipe in recipes_of(file)]
    rows = []
    for name in chosen:
        truth = picture(name)
        gray = gray_of(truth)
        rows.append([gray, *(_made(recipe, gray) for recipe in recipes), truth])
    _write("learned_prints", rows)
    gan = next(each for each in recipes if each.name == "mask_gan/prints")
    _write("learned_masks", [list(_masked(gan, gray_of(picture(name)))) for name in chosen[:3]])


def _chosen() -> Iterator[str]:
    """Prints held out of both trainings, evenly taken, first of actors."""
    unseen = sorted(set.intersection(*(set(each.card["held_out"]) for each in models_in(SHIPPED))))
    with (SHARED / "ukiyoe" / "prints.csv").open(encoding="utf-8") as stream:
        kinds = {f"ukiyoe/{row['file']}": row["kind"] for row in csv.DictReader(stream)}
    actors = [name for name in unseen if kinds.get(name) == "actor"]
    others = [name for name in unseen if name not in actors]
    for names, number in ((actors, ACTORS), (others, PRINTS - ACTORS)):
        yield from (names[place * len(names) // number] for place in range(number))


def _masked(recipe: Recipe, gray: Pixels) -> Iterator[Pixels]:
    """Asked by each of the masks, whose outlines are drawn into the result."""
    rng, light = np.random.default_rng(1), rgb2lab(gray)[..., 0].astype(np.float32)
    square = cv2.resize(light, (256, 256))
    for name in MASKS:
        drawn = mask_of(name, np.asarray(square, np.float32), rng).astype(np.uint8)
        mask = cv2.resize(drawn, gray.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
        made = _made(recipe, gray, mask).copy()
        edge = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        made[edge] = _INK
        yield made


def _made(recipe: Recipe, gray: Pixels, mask: Mask | None = None) -> Pixels:
    (found,) = colorizer_for(recipe, encoder(), "cpu").colorize([Job("print", gray, gray, mask=mask)])
    assert isinstance(found, Colorization), found
    return found.picture


def _write(name: str, rows: list[list[Pixels]]) -> None:
    page = Image.new("RGB", (max(map(len, rows)) * CELL_PX, len(rows) * CELL_PX), "white")
    for down, row in enumerate(rows):
        for across, pixels in enumerate(row):
            cell = Image.fromarray(pixels)
            cell.thumbnail((CELL_PX - 6, CELL_PX - 6))
            page.paste(cell, (across * CELL_PX, down * CELL_PX))
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.save(FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
