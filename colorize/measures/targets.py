"""The targets of prepared pictures, and the relative errors that saved pictures come to against them.

`colorize.colorizer` measures what it made, `nishiki measure` what lies in the catalogue: by one and the same path.
"""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorize.encoders.vgg19 import Encoder, known_layers
from colorize.errors import OutOfMemory, UnreadableImage
from colorize.images.decode import Pixels
from colorize.jobs import Job
from colorize.measures import relative_errors as measure
from colorize.methods.neural_style.losses import Evaluator, Layers, ReferenceEvaluator, TargetCache, Targets
from colorize.recipes.recipe import Recipe
from colorize.results import RelativeErrors
from colorize.running.memory import is_out_of_memory
from colorize.running.prepare import Prepared, at_working_size, prepare, to_tensor


def minibatch_targets(
    evaluator: Evaluator, encoder: Encoder, cache: TargetCache, minibatch: Sequence[Prepared], dtype: torch.dtype
) -> Targets:
    """Each picture's targets, computed once for as many jobs as use them."""
    recipe, who = evaluator.recipe, type(evaluator).__name__

    def once(pixels: Pixels, *key: Hashable, compute: Callable[[Tensor], Layers]) -> Layers:
        picture = to_tensor(pixels, encoder).to(dtype)
        return cache.get((who, dtype, recipe.pooling, *key), lambda: compute(picture))

    contents = [
        once(each.content, recipe.content_layers, each.content_sha256, compute=evaluator.content_features)
        for each in minibatch
    ]
    styles = [
        once(each.style, recipe.style_layers, each.style_sha256, compute=evaluator.style_grams) for each in minibatch
    ]
    return Targets.of(contents, styles)


def saved_errors(
    recipe: Recipe, encoder: Encoder, cache: TargetCache, minibatch: Sequence[Prepared], pictures: NDArray[np.uint8]
) -> list[RelativeErrors]:
    """What each picture of a minibatch, uint8 (B, H, W, 3) as it is saved, comes to by the encoder."""
    saved = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(encoder.device, encoder.dtype)
    targets = minibatch_targets(ReferenceEvaluator(recipe, encoder), encoder, cache, minibatch, encoder.dtype)
    return measure.relative_errors(recipe, encoder, targets, saved)


def measure_saved(recipe: Recipe, encoder: Encoder, cache: TargetCache, job: Job, saved: Pixels) -> RelativeErrors:
    """The relative errors of a saved picture, on its recipe's layers, by an encoder that need not have made it.

    Raises:
        ColorizeError: the recipe or a picture does not fit, or the device has no room.
    """
    known_layers({*recipe.content_layers, *recipe.style_layers})
    prepared = prepare(recipe, job)
    whole = prepared.content if recipe.lightness == "free" else job.content
    if whole.shape != saved.shape:
        found, expected = ("×".join(map(str, each.shape[1::-1])) for each in (saved, whole))
        raise UnreadableImage(
            f"the saved picture has {found} px, its recipe makes {expected}; run: nishiki doctor --deep"
        )
    try:
        seen = saved if recipe.lightness == "free" else at_working_size(recipe, prepared.frame, saved)
        return saved_errors(recipe, encoder, cache, [prepared], seen[None])[0]
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemory(
            f"{encoder.device} has no room to measure {job.key}; free some memory and try again"
        ) from error
