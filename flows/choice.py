"""What the settings choose: the recipe and the encoder. Matching and dispatch must work with the same encoder.

Loads no torch unless random-seeded weights have to be made.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from colorize.errors import UnknownEncoder
from colorize.recipe import Recipe, recipe_named, recipes
from colorize.vgg import weights
from colorize.vgg.weights import OXFORD, PREFERENCE, RANDOM, SMALL, WeightsFile
from db.entries import EncoderKey, RecipeEntry
from flows.settings import Settings


def night_recipe(settings: Settings) -> Recipe:
    """The recipe of the settings with their size, and their iterations where it descends.

    Raises:
        UnknownRecipe, BadRecipe.
    """
    recipe = recipe_named(settings.recipe)
    iterations = settings.iterations if recipe.method == "neural_style" else None
    return recipe.changed(long_edge_px=settings.size, iterations=iterations)


def encoder_weights(settings: Settings, recipe: Recipe) -> WeightsFile:
    """The encoder that the settings name, else the one for this recipe of those at hand.

    Raises:
        UnknownEncoder: none has that name.
        WeightsMissing, WeightsCorrupt: the operator's folder holds none, or a file is not what it was.
    """
    if settings.encoder is None:
        return chosen_for(recipe.encoder, weights_at_hand(settings))
    return encoder_named(settings, settings.encoder)


def encoder_named(settings: Settings, name: str) -> WeightsFile:
    """The first file of that name; random-seeded ones are made when they are missing.

    Raises:
        UnknownEncoder: none has that name.
        WeightsMissing, WeightsCorrupt: as `weights_at_hand`.
    """
    at_hand = weights_at_hand(settings)
    for file in at_hand:
        if file.name == name:
            return file
    if name != RANDOM:
        raise _unknown(name, at_hand)
    from colorize.vgg.loading import random_weights  # noqa: PLC0415  (loads torch)

    return random_weights(settings.cache_dir)


def chosen_for(tuned_for: str | None, at_hand: Sequence[WeightsFile]) -> WeightsFile:
    """The encoder that a recipe was tuned for, for the original VGG-19 any other full one, else the small one.

    Random weights are for whoever names them.
    """
    same = [file for file in at_hand if file.name == tuned_for]
    full = [file for file in at_hand if file.full and tuned_for == OXFORD]
    small = [file for file in at_hand if file.name == SMALL]
    return [*same, *full, *small][0]


def users_of(settings: Settings, at_hand: Sequence[WeightsFile]) -> dict[Path, list[str]]:
    """Which recipes would use each file, by the families of their names; every one where the settings name it."""
    if settings.encoder is not None:
        named = [file.path for file in at_hand if file.name == settings.encoder]
        return {path: ["every recipe"] for path in named[:1]}
    users: defaultdict[Path, list[str]] = defaultdict(list)
    for recipe in recipes().values():
        family, slash, _ = recipe.name.partition("/")
        names = users[chosen_for(recipe.encoder, at_hand).path]
        if (name := f"{family}/*" if slash else family) not in names:
            names.append(name)
    return dict(users)


def check_encoder(settings: Settings) -> None:
    """Refuse a mistyped name before anything begins; random weights are not made for it.

    Raises:
        UnknownEncoder: no encoder has that name.
    """
    if settings.encoder in (None, RANDOM):
        return
    at_hand = weights_at_hand(settings)
    if settings.encoder not in {file.name for file in at_hand}:
        raise _unknown(str(settings.encoder), at_hand)


def weights_at_hand(settings: Settings) -> list[WeightsFile]:
    """Every usable file, the operator's own first.

    Raises:
        WeightsMissing, WeightsCorrupt: the operator's folder holds none, or a file is not what it was.
    """
    return weights.weights_at_hand(settings.weights_dir, settings.cache_dir)


def _unknown(name: str, at_hand: Sequence[WeightsFile]) -> UnknownEncoder:
    names = dict.fromkeys([*(file.name for file in at_hand), RANDOM])
    return UnknownEncoder(
        f"there is no encoder {name!r} at hand; there is {', '.join(names)} (nishiki weights download gets "
        "vgg19-torchvision, and NISHIKI_WEIGHTS_DIR names a folder with others)"
    )


def encoder_key(file: WeightsFile) -> EncoderKey:
    """What vectors and figures of these weights are kept under."""
    return EncoderKey(file.name, file.checksum)


def recipe_entry(recipe: Recipe) -> RecipeEntry:
    """What the catalogue keeps of a recipe."""
    return RecipeEntry(recipe.name, recipe.data(), recipe.digest())


def weights_sentence(encoder: EncoderKey, *used_by: RecipeEntry) -> str:
    """What every table and page says of its encoder, and of recipes that were tuned for another."""
    mark = encoder.checksum[:12]
    if encoder.name == RANDOM:
        return (
            f"Encoder: {RANDOM} weights ({mark}): seeded random numbers, nothing learned. Matches "
            f"and colours are a demonstration; name {SMALL}, or run nishiki weights download, for real work."
        )
    if encoder.name != SMALL:
        return f"Encoder: {encoder.name} ({mark}).{_tuned_for_others(encoder, used_by)}"
    return (
        f"Encoder: {SMALL} ({mark}), a small encoder distilled from VGG-19, shipped with nishiki."
        f"{_tuned_for_others(encoder, used_by)}"
    )


def _tuned_for_others(encoder: EncoderKey, used_by: Sequence[RecipeEntry]) -> str:
    """A sentence where the encoder is not the one that the values were tuned for; torchvision's VGG-19 is as good."""
    others = {recipe.name: recipe.data.get("encoder") for recipe in used_by}
    as_good = {encoder.name, *(PREFERENCE if encoder.name in PREFERENCE else ())}
    names = [name for name, tuned_for in others.items() if tuned_for and tuned_for not in as_good]
    if not names:
        return ""
    who = f"Recipe {names[0]} was" if len(names) == 1 else f"{len(names)} recipes were"
    remedy = " (nishiki weights download gets VGG-19)" if encoder.name == SMALL else ""
    tuned_for = ", ".join(dict.fromkeys(str(others[name]) for name in names))
    return f" {who} tuned for {tuned_for}; {encoder.name} was used{remedy}."
