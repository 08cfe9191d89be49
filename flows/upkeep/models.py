"""The trained colorizers of a home: named, registered where a crash left a file without its row, and retired."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from colorize.encoders.weights import checksum_path
from colorize.errors import UnknownRecipe
from colorize.methods.trained import RETIRED, SHIPPED, ModelFile, models_in
from colorize.recipes.trained import AREAS
from db.catalogue import Catalogue
from db.entries.models import ModelEntry
from db.errors import NoCatalogue
from db.files.home import HomeFolder
from flows.errors import Misused
from flows.settings import Settings


@dataclass(frozen=True)
class KnownModel:
    """A model, and what became of it."""

    entry: ModelEntry
    place: str
    """`nishiki`, `home` or `retired`."""


def known_models(settings: Settings) -> list[KnownModel]:
    """Those that come with nishiki and those of the home, the newest first; a file without a row gets one.

    Raises:
        WeightsCorrupt: a file is not the one that was kept.
    """
    found = [KnownModel(ModelEntry.from_card(file.checksum, file.card), place) for file, place in _files(settings)]
    own = [each.entry for each in found if each.place != "nishiki"]
    try:
        with Catalogue.open(settings, create=False) as catalogue:
            known = {each.checksum for each in catalogue.models()}
            for entry in own:
                if entry.checksum not in known:
                    catalogue.add_model(entry)
    except NoCatalogue:
        pass  # files speak for themselves
    return sorted(found, key=lambda each: each.entry.made_at, reverse=True)


def named_model(settings: Settings, word: str) -> ModelFile:
    """The newest model by a recipe's name or the beginning of a checksum.

    Raises:
        UnknownRecipe: there is none.
    """
    files = [file for file, _ in _files(settings)]
    name = word.removesuffix(AREAS)
    fitting = [file for file in files if name == f"{file.method}/{file.name}"]
    fitting += [file for file in files if len(word) >= 8 and file.checksum.startswith(word)]
    if not fitting:
        names = dict.fromkeys(f"{file.method}/{file.name}" for file in files)
        raise UnknownRecipe(f"no model is named {word!r}; there is {', '.join(names) or 'none'} (nishiki models list)")
    return fitting[0]


def retire(settings: Settings, word: str) -> ModelFile:
    """Move a model where no recipe finds it, then say so in the register; done again, it does no harm.

    Raises:
        UnknownRecipe: there is none by that name.
        Misused: it comes with nishiki.
    """
    file = named_model(settings, word)
    if file.path.parent == SHIPPED:
        raise Misused(f"{word} comes with nishiki and cannot be retired; name another --recipe")
    known_models(settings)
    folder = settings.home / HomeFolder.MODELS / RETIRED
    if file.path.parent != folder:
        folder.mkdir(exist_ok=True)
        for path in (checksum_path(file.path), file.path):
            path.rename(folder / path.name)
    with Catalogue.open(settings) as catalogue:
        catalogue.add_model(ModelEntry.from_card(file.checksum, file.card))
        catalogue.retire_model(file.checksum)
    return file


def _files(settings: Settings) -> Iterator[tuple[ModelFile, str]]:
    folder = settings.home / HomeFolder.MODELS
    places = {"home": folder, "nishiki": SHIPPED, "retired": folder / RETIRED}
    return chain.from_iterable(((file, word) for file in models_in(place)) for word, place in places.items())
