"""The recipes of a trained colorizer: as its source has it, and with our finish beside.

A model is a recipe by its name, `cieluv_net/NAME` and `cieluv_net/NAME-areas`. Whoever trains anew gets another digest
with the checksum, and so another claim.
"""

from collections.abc import Mapping
from typing import Any, Final

from colorize.methods.trained import ModelFile
from colorize.recipes.recipe import Recipe

AREAS: Final = "-areas"
"""How the name of the recipe with our finish ends."""
_SHARED: Final[Mapping[str, Any]] = {
    "lightness": "content", "paper": "own",
    "content_layers": ["conv4_2"], "style_layers": ["conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1"],
}  # fmt: skip
_SOURCES: Final = {
    "cieluv_net": "Hwang and Zhou: classes of U and V in CIELUV; departures in colorize/methods/cieluv_net.py.",
    "mask_gan": "IMPA 2018: a GAN that colours where a mask asks for it; departures in colorize/methods/mask_gan.py.",
}
_FINISH: Final = "One block, one colour: areas of the drawing choose, as for nishiki/colour, and trust in them is told."
_FINISHED: Final[Mapping[str, Mapping[str, Any]]] = {
    "cieluv_net": {"unbinning": "annealed mean", "finish": "areas"},
    "mask_gan": {"finish": "areas"},
}
_LIMITS: Final = {
    "lightness_ssim": [0.999, 1.0], "lightness_difference_mean": [0.0, 0.1], "lightness_difference_p99": [0.0, 0.5],
    "ink_chroma": [0.0, 25.0],
}  # fmt: skip


def recipes_of(file: ModelFile) -> tuple[Recipe, Recipe]:
    """A model's recipes, the plain one first.

    Raises:
        BadRecipe: the file is of no method that is here.
    """
    name, learned = f"{file.method}/{file.name}", _learned(file)
    shared = {**_SHARED, "method": file.method, "network": file.checksum}
    plain = {"name": name, "provenance": "reconstructed", "reason": f"{_SOURCES.get(file.method, '')} {learned}"}
    made = {"name": name + AREAS, "provenance": "nishiki", "reason": f"{_FINISH} {learned}", "limits": _LIMITS}
    return (
        Recipe.from_data({**shared, **plain, "guide_radius_px": 0}),
        Recipe.from_data({**shared, **made, "guide_radius_px": 3, **_FINISHED.get(file.method, {})}),
    )


def _learned(file: ModelFile) -> str:
    learned, held = (len(file.card.get(word, ())) for word in ("learned_from", "held_out"))
    return f"Learned from {learned} prints, {held} held out; model {file.checksum[:12]}."
