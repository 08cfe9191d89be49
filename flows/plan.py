"""What the settings choose: the archives, the recipe and the encoder.

Matching and dispatch must work with the same encoder.

Loads no torch unless random-seeded weights have to be made.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from colorize.encoders import weights
from colorize.encoders.weights import OXFORD, RANDOM, SMALL, WeightsFile
from colorize.errors import UnknownEncoder
from colorize.recipes.library import recipe_named, recipes
from colorize.recipes.recipe import Recipe
from db.entries.night import EncoderKey, RecipeEntry
from db.files.home import written_by_nishiki
from flows.archives.record import Access
from flows.archives.web.politeness import Manners
from flows.settings import ArchiveSettings, Settings


def access_to(name: str, archive: ArchiveSettings, settings: Settings) -> Access:
    """What an archive's client is opened with."""
    manners = Manners(
        pace_s=settings.pace_s if archive.pace_s is None else archive.pace_s,
        max_bytes_picture=settings.max_picture_bytes,
        contact=settings.contact,
        allow_private=archive.allow_private,
    )
    foreign = partial(written_by_nishiki, home=settings.home.resolve())
    return Access(name, archive.address, manners, foreign, settings.genres_of(archive) or ())


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
    from colorize.encoders.loading import random_weights  # noqa: PLC0415  (loads torch)

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
