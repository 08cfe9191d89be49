"""What the settings choose: the recipe and the encoder. Matching and dispatch must work with the same encoder.

Loads no torch unless random-seeded weights have to be made.
"""

from colorize.recipe import Recipe, recipe_named
from colorize.vgg.weights import RANDOM, WeightsFile, find_weights, weights_in
from db.entries import EncoderKey
from flows.settings import Settings


def night_recipe(settings: Settings) -> Recipe:
    """The recipe of the settings with their size and iterations.

    Raises:
        UnknownRecipe, BadRecipe.
    """
    return recipe_named(settings.recipe).changed(long_edge_px=settings.size, iterations=settings.iterations)


def encoder_weights(settings: Settings) -> WeightsFile:
    """The operator's weights, else downloaded ones, else random-seeded ones (made when they are missing).

    Raises:
        ColorizeError: the operator's folder holds none, or a corrupt file.
    """
    found = find_weights(settings.weights_dir, settings.cache_dir)
    if found is not None:
        return found
    from colorize.vgg.loading import random_weights  # noqa: PLC0415  (loads torch)

    return random_weights(settings.cache_dir)


def weights_at_hand(settings: Settings) -> list[WeightsFile]:
    """Every usable file, in the order in which they would be chosen.

    Raises:
        ColorizeError: the operator's folder holds none, or a corrupt file.
    """
    find_weights(settings.weights_dir, settings.cache_dir)
    own = [] if settings.weights_dir is None else list(weights_in(settings.weights_dir))
    cached = list(weights_in(settings.cache_dir))
    return own + sorted(cached, key=lambda file: file.name == RANDOM)


def encoder_key(weights: WeightsFile) -> EncoderKey:
    """What vectors and figures of these weights are kept under."""
    return EncoderKey(weights.name, weights.checksum)


def weights_sentence(encoder: EncoderKey) -> str:
    """What every table and page says of its encoder."""
    if encoder.name == RANDOM:
        return (
            f"Encoder: {RANDOM} weights ({encoder.checksum[:12]}): seeded random numbers, nothing learned. Matches "
            "and colours are a demonstration; run nishiki weights download for real work."
        )
    return f"Encoder: {encoder.name} ({encoder.checksum[:12]})."
