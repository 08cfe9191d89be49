"""One frozen plan of a night, made at the entry: archives, recipes, weights, devices, the open catalogue.

Whatever is wrong with what the settings ask for is found here, all of it at once, before an archive is asked for
anything. Stages take the plan and decide nothing of it again. Prefect keeps a flow's parameters, so flows take the
settings: inside a plan's `with`, the same settings lead to the same plan.

Importing it loads neither torch nor the database, for commands that only look choose encoders by it too.
"""

import errno
import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from colorize.encoders import weights
from colorize.encoders.weights import OXFORD, RANDOM, SMALL, WeightsFile, checksum_of
from colorize.errors import UnknownEncoder
from colorize.methods.exemplar.parameters import ByStyles
from colorize.methods.trained import COLORIZER, RETIRED, SHIPPED, Trained
from colorize.recipes.library import recipe_named, recipes, recipes_in
from colorize.recipes.recipe import Recipe
from db.entries.claim import ENCODER, MatcherKey, ModelKey
from db.entries.night import ContentScope, EncoderKey, RecipeEntry, Tone
from db.errors import CatalogueFull
from db.files.home import HomeFolder, written_by_nishiki
from flows.archives.errors import NotAnArchive
from flows.archives.record import Access, Archive
from flows.archives.registry import check_address, open_archive
from flows.archives.web.quiet_hours import QuietHours
from flows.errors import Away, Faults
from flows.logs import tell_person
from flows.matching.weights import MatchWeights
from flows.running_night import RunningNight, running_night
from flows.settings import ArchiveSettings, Settings

if TYPE_CHECKING:  # loaded where a catalogue is opened
    from db.catalogue import Catalogue

PlanKind = TypeVar("PlanKind", bound="CataloguePlan")
Look = Callable[[Settings], object]
"""Looks for one thing that may be wrong, and raises it as it is."""


@dataclass(frozen=True)
class PlannedArchive:
    """An archive that the night reads."""

    word: str
    """As a person gave it."""
    access: Access
    settings: ArchiveSettings

    @property
    def name(self) -> str:
        """Its name in the catalogue."""
        return self.access.name

    def open(self) -> Archive:
        """Its client.

        Raises:
            ArchiveError: it is none, or cannot be asked what it speaks.
        """
        return open_archive(self.settings.protocol, self.access)


@dataclass(frozen=True)
class PlannedRecipe:
    """A recipe as it is carried out, and the encoder that it is carried out with."""

    recipe: Recipe
    weights: WeightsFile

    @property
    def entry(self) -> RecipeEntry:
        """What the catalogue keeps of it."""
        return recipe_entry(self.recipe)

    @property
    def encoder(self) -> EncoderKey:
        """What its vectors and figures are kept under."""
        return encoder_key(self.weights)

    @property
    def models(self) -> tuple[ModelKey, ...]:
        """What its attempts are made with."""
        return models_of(self.weights, self.recipe)


@dataclass(frozen=True)
class CataloguePlan:
    """What harvest and report need: the open catalogue, and the archives."""

    settings: Settings
    catalogue: "Catalogue"
    archives: tuple[PlannedArchive, ...]

    def scope(self) -> ContentScope:
        """Which images are content: tones, and genres by archive (those of the command line too)."""
        tones = {Tone.GRAYSCALE, Tone.TONED} if self.settings.colorize_toned else {Tone.GRAYSCALE}
        genres = {
            name: self.settings.genres_of(self.settings.archives.get(name, ArchiveSettings(address=address)))
            for name, address in self.catalogue.archive_addresses().items()
        }
        return ContentScope(frozenset(tones), genres)


@dataclass(frozen=True)
class Plan(CataloguePlan):
    """What a whole night needs."""

    night: PlannedRecipe
    """The settings' own recipe."""
    weights: tuple[WeightsFile, ...]
    """Every encoder that there is, its checksum held against the recorded one."""
    devices: tuple[str, ...]
    running: RunningNight | None = None
    """The night that is at work alone; None for a stage that runs by itself."""

    @property
    def matcher(self) -> MatcherKey:
        """What the night's matches belong to."""
        return matcher_key(self.night.encoder, self.match_weights)

    @property
    def match_weights(self) -> MatchWeights:
        """The rule's weights in force: those that verdicts led to from the settings' own, else these."""
        base = self.settings.match_weights
        learned = self.catalogue.refits(base.model_dump()) if self.settings.learn_from_verdicts else []
        return next((MatchWeights(**each.weights) for each in learned if each.accepted), base)

    def recipe(self, name: str) -> PlannedRecipe:
        """Another recipe by name, at the settings' size.

        Raises:
            UnknownRecipe, BadRecipe: there is none, or none at this size.
        """
        recipe = sized_recipe(name, self.settings)
        return PlannedRecipe(recipe, encoder_among(self.settings, recipe.encoder, self.weights))

    def weights_of(self, encoder: EncoderKey) -> WeightsFile | None:
        """The file of an encoder that earlier work was begun with; None where it is gone."""
        return weights_among(self.weights, encoder)


_OPEN: ContextVar[CataloguePlan | None] = ContextVar("plan", default=None)
"""The plan whose `with` we are in."""


@contextmanager
def plan_catalogue(
    settings: Settings, archives: Sequence[str] | None = None, *, create: bool = True, wrong: Sequence[Exception] = ()
) -> Iterator[CataloguePlan]:
    """The plan of a harvest or a report; the catalogue is closed at its end.

    Args:
        archives: as a person names them; none: all of nishiki.toml. None: no archive is needed.
        create: make a catalogue where there is none.
        wrong: what is known to be wrong already; it is told with the rest.

    Raises:
        Misconfigured: several things are wrong; one alone is raised as it is (ArchiveError, CatalogueError, OSError).
    """
    if (plan := _OPEN.get()) and _serves(plan, settings, archives):
        yield plan
        return
    faults = Faults(wrong)
    planned = _planned_archives(settings, archives, faults)
    with _opened(settings, faults, create) as catalogue, _open(CataloguePlan(settings, catalogue, planned)) as plan:
        yield plan


@contextmanager
def plan_night(
    settings: Settings, archives: Sequence[str] | None = None, *, create: bool = True, alone: bool = False,
    wrong: Sequence[Exception] = (), looks: Sequence[Look] = (),
) -> Iterator[Plan]:  # fmt: skip
    """The plan of a night or of one of its stages; the catalogue is closed at its end.

    Args:
        archives, create, wrong: as for `plan_catalogue`.
        alone: while it is open, no other night begins.
        looks: for what else may be wrong; it is told with the rest.

    Raises:
        NightRunning: another one is at work.
        Misconfigured: several things are wrong; one alone is raised as it is (ColorizeError besides the others).
    """
    if isinstance(plan := _OPEN.get(), Plan) and _serves(plan, settings, archives) and (plan.running or not alone):
        yield plan
        return
    faults = Faults(wrong)
    tools, planned = look_before_night(settings, archives, faults, [partial(_unless_away, look) for look in looks])
    with (
        _opened(settings, faults, create) as catalogue,
        running_night(catalogue, settings) if alone else nullcontext() as running,
    ):
        assert tools is not None
        files = tuple({file.path: file for file in (*tools.files, tools.weights)}.values())
        night = PlannedRecipe(tools.recipe, tools.weights)
        with _open(Plan(settings, catalogue, planned, night, files, tools.devices, running)) as plan:
            yield plan


def look_before_night(
    settings: Settings, archives: Sequence[str] | None, faults: Faults, looks: Sequence[Look]
) -> "tuple[Tools | None, tuple[PlannedArchive, ...]]":
    """What a night works with, its places apart; all that is wrong is in `faults`, and nothing is asked or written."""
    tools = look_for_tools(settings, faults)
    planned = _planned_archives(settings, archives, faults)
    for look in looks:
        faults.of(partial(look, settings))
    return tools, planned


def _unless_away(look: Look, settings: Settings) -> None:
    """What is away is told; the night harvests and matches meanwhile."""
    try:
        look(settings)
    except Away as error:
        tell_person(str(error))


def look_at_places(settings: Settings, faults: Faults) -> None:
    """Can home and picture store be used? Nothing is made in them."""
    from db.opening import pictures_of  # noqa: PLC0415  (loads the database)

    faults.of(partial(check_home, settings.home))
    faults.of(pictures_of(settings).look)


def look_at_catalogue(settings: Settings, faults: Faults, *, create: bool = True) -> bool | None:
    """Is there a catalogue? None where it is no good: of another version, another home's, or not to be written.

    Args:
        settings: where it lies.
        faults: hears why it is no good; that there is none is one only where none may be made.
        create: may one be made?
    """
    from db.opening import look_at  # noqa: PLC0415  (loads the database)

    return faults.of(partial(look_at, settings, create=create))


def check_home(home: Path) -> None:
    """Can the home be written, or made?

    Raises:
        OSError: it cannot.
    """
    there = _there(home)
    if not there.is_dir():
        raise OSError(errno.ENOTDIR, "is a file, and the catalogue's home is a folder", str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        said = (
            "cannot be written to, and the catalogue's home lies there; run this where, or as one who, may write there"
        )
        raise OSError(errno.EACCES, said, str(there))


def check_room(settings: Settings) -> None:
    """Is there room on the home's disk for one picture as large as may be?

    Raises:
        CatalogueFull: there is not.
    """
    free, _ = free_room(settings.home)
    if free < settings.max_picture_bytes:
        raise CatalogueFull(
            f"{free / 1e6:,.0f} MB are free on the disk of the home {settings.home}, less than one picture may have "
            f"(max_picture_bytes, {settings.max_picture_bytes / 1e6:,.0f} MB); free some space"
        )


def free_room(home: Path) -> tuple[int, int]:
    """Bytes that are free on the home's disk, and all of its."""
    disk = shutil.disk_usage(_there(home))
    return disk.free, disk.total


@dataclass(frozen=True)
class Tools:
    """What pictures are colorized with, catalogue or not."""

    recipe: Recipe
    weights: WeightsFile
    files: tuple[WeightsFile, ...]
    """Every encoder that there is."""
    devices: tuple[str, ...]


def look_for_tools(settings: Settings, faults: Faults) -> Tools | None:
    """The settings' recipe, encoder and devices; None where one is wrong, which `faults` tells with the rest."""
    from colorize.device import device_names  # noqa: PLC0415  (loads torch)

    recipe = faults.of(partial(night_recipe, settings))
    for name in settings.further_recipes:
        faults.of(partial(sized_recipe, name, settings))
    files = faults.of(partial(available_weights, settings))
    tuned_for = recipe.encoder if recipe else None
    weights = faults.of(partial(encoder_among, settings, tuned_for, files)) if files else None
    devices = faults.of(partial(device_names, settings.device))
    if recipe is None or files is None or weights is None or devices is None:
        return None
    return Tools(recipe, weights, tuple(files), tuple(devices))


@contextmanager
def _opened(settings: Settings, faults: Faults, create: bool) -> Iterator["Catalogue"]:
    """The catalogue, made only where nothing was wrong."""
    from db.catalogue import Catalogue  # noqa: PLC0415  (loads the database)

    look_at_places(settings, faults)
    if faults:
        look_at_catalogue(settings, faults, create=create)
    faults.tell()
    with Catalogue.open(settings, create=create) as catalogue:
        yield catalogue


@contextmanager
def _open(plan: "PlanKind") -> Iterator["PlanKind"]:
    """Inside it, the same settings lead to this plan."""
    token = _OPEN.set(plan)
    try:
        yield plan
    finally:
        _OPEN.reset(token)


def _serves(plan: CataloguePlan, settings: Settings, archives: Sequence[str] | None) -> bool:
    named = None if archives is None else list(archives or settings.archives)
    return plan.settings == settings and named in (None, [archive.word for archive in plan.archives])


def _there(home: Path) -> Path:
    """The home, or the folder in which it will be made."""
    return next(place for place in (home, *home.absolute().parents) if place.exists())


def _planned_archives(settings: Settings, archives: Sequence[str] | None, faults: Faults) -> tuple[PlannedArchive, ...]:
    words = () if archives is None else archives or tuple(settings.archives)
    planned = (faults.of(partial(planned_archive, settings, word)) for word in words)
    return tuple(archive for archive in planned if archive)


def planned_archive(settings: Settings, word: str) -> PlannedArchive:
    """An archive that may be asked; its folder was looked at, its host was not.

    Raises:
        NotAnArchive: its address is of no protocol, or there is no such folder.
    """
    name, archive = settings.archive_of(word)
    planned = PlannedArchive(word, access_to(name, archive, settings), archive)
    try:
        check_address(archive.protocol, archive.address)
        if archive.is_folder:
            planned.open().close()
    except NotAnArchive as error:
        names = ", ".join(settings.archives)
        known = f"; nishiki.toml names {names}" if names and word not in settings.archives else ""
        raise NotAnArchive(f"archive {name}: {error}{known}") from None
    return planned


def access_to(name: str, archive: ArchiveSettings, settings: Settings) -> Access:
    """What an archive's client is opened with."""
    from flows.archives.web.day_counts import DayCounts  # noqa: PLC0415
    from flows.archives.web.politeness import DayLimit, Manners  # noqa: PLC0415  (loads what speaks HTTP)

    counts = DayCounts(settings.home / HomeFolder.HOSTS)

    manners = Manners(
        pace_s=settings.pace_s if archive.pace_s is None else archive.pace_s,
        max_bytes_picture=settings.max_picture_bytes,
        contact=settings.contact,
        allow_private=archive.allow_private,
        quiet=QuietHours.read(archive.quiet_hours) if archive.quiet_hours else None,
        day_limit=DayLimit(archive.most_requests, counts) if archive.most_requests else None,
        downloads=settings.home,
    )
    foreign = partial(written_by_nishiki, home=settings.home.resolve())
    free = archive.undescribed_pictures == "free"
    return Access(name, archive.address, manners, foreign, settings.genres_of(archive) or (), free, archive.options)


def night_recipe(settings: Settings) -> Recipe:
    """The recipe of the settings, as `sized_recipe`."""
    return sized_recipe(settings.recipe, settings)


def sized_recipe(name: str, settings: Settings) -> Recipe:
    """A recipe with the settings' size, and their iterations, styles and least trust where its method takes any.

    Raises:
        UnknownRecipe, BadRecipe.
    """
    recipe = recipe_named(name, own_recipes(settings))
    iterations = settings.iterations if recipe.parameters.iterations else None
    own = _by_styles(recipe, settings) if isinstance(recipe.parameters, ByStyles) else {}
    return recipe.changed(long_edge_px=settings.size, iterations=iterations, **own)


def own_recipes(settings: Settings) -> dict[str, Recipe]:
    """The recipes of the models that were trained in this home.

    Raises:
        WeightsCorrupt: a file is not the one that was kept.
    """
    return recipes_in(settings.home / HomeFolder.MODELS)


def all_recipes(settings: Settings) -> dict[str, Recipe]:
    """Every recipe there is, the home's own last."""
    return {**recipes(), **own_recipes(settings)}


def _by_styles(recipe: Recipe, settings: Settings) -> dict[str, Any]:
    least = settings.least_trust
    limits = None if least is None else {**recipe.limits, "trust": [least, 1.0]}
    return {"styles": settings.styles, "least_trust": settings.least_trust_area, "limits": limits}


def encoder_weights(settings: Settings, recipe: Recipe) -> WeightsFile:
    """The encoder that the settings name, else the one for this recipe of those that there are.

    Raises:
        UnknownEncoder, WeightsMissing, WeightsCorrupt: as `encoder_among` and `available_weights`.
    """
    return encoder_among(settings, recipe.encoder, available_weights(settings))


def encoder_among(settings: Settings, tuned_for: str | None, files: Sequence[WeightsFile]) -> WeightsFile:
    """The same among files that were found already; `tuned_for` is the recipe's own encoder.

    Raises:
        UnknownEncoder: none has the name that the settings give.
    """
    if settings.encoder is None:
        return chosen_for(tuned_for, files)
    return _named(settings, settings.encoder, files)


def encoder_named(settings: Settings, name: str) -> WeightsFile:
    """The first file of that name; random-seeded ones are made when they are missing.

    Raises:
        UnknownEncoder: none has that name.
        WeightsMissing, WeightsCorrupt: as `available_weights`.
    """
    return _named(settings, name, available_weights(settings))


def _named(settings: Settings, name: str, files: Sequence[WeightsFile]) -> WeightsFile:
    for file in files:
        if file.name == name:
            return file
    if name != RANDOM:
        raise _unknown(name, files)
    from colorize.encoders.loading import random_weights  # noqa: PLC0415  (loads torch)

    return random_weights(settings.cache_dir)


def chosen_for(tuned_for: str | None, available: Sequence[WeightsFile]) -> WeightsFile:
    """The encoder that a recipe was tuned for, for the original VGG-19 any other full one, else the small one.

    Random weights are for whoever names them.
    """
    same = [file for file in available if file.name == tuned_for]
    full = [file for file in available if file.full and tuned_for == OXFORD]
    small = [file for file in available if file.name == SMALL]
    return [*same, *full, *small][0]


def users_of(settings: Settings, available: Sequence[WeightsFile]) -> dict[Path, list[str]]:
    """Which recipes would use each file, by the families of their names; every one where the settings name it."""
    if settings.encoder is not None:
        named = [file.path for file in available if file.name == settings.encoder]
        return {path: ["every recipe"] for path in named[:1]}
    users: defaultdict[Path, list[str]] = defaultdict(list)
    for recipe in recipes().values():
        family, slash, _ = recipe.name.partition("/")
        names = users[chosen_for(recipe.encoder, available).path]
        if (name := f"{family}/*" if slash else family) not in names:
            names.append(name)
    return dict(users)


def available_weights(settings: Settings) -> list[WeightsFile]:
    """Every usable file, the operator's own first.

    Raises:
        WeightsMissing, WeightsCorrupt: the operator's folder holds none, or a file is not what it was.
    """
    return weights.available_weights(settings.weights_dir, settings.cache_dir)


def _unknown(name: str, available: Sequence[WeightsFile]) -> UnknownEncoder:
    names = dict.fromkeys([*(file.name for file in available), RANDOM])
    return UnknownEncoder(
        f"there is no encoder {name!r}; there is {', '.join(names)} (nishiki weights download gets "
        "vgg19-torchvision, and NISHIKI_WEIGHTS_DIR names a folder with others)"
    )


def encoder_key(file: WeightsFile) -> EncoderKey:
    """What vectors and figures of these weights are kept under."""
    return EncoderKey(file.name, file.checksum)


def weights_among(files: Iterable[WeightsFile], encoder: EncoderKey) -> WeightsFile | None:
    """The file of this encoder; None where it is gone."""
    return next((file for file in files if encoder_key(file) == encoder), None)


def models_of(file: WeightsFile, recipe: Recipe | None = None) -> tuple[ModelKey, ...]:
    """What decides an attempt's result besides recipe and inputs; every method's figures are the encoder's."""
    encoder = ModelKey(ENCODER, file.name, file.checksum)
    if recipe is None or not isinstance(recipe.parameters, Trained):
        return (encoder,)
    return encoder, ModelKey(COLORIZER, recipe.name, recipe.parameters.network)


def model_path(settings: Settings, key: ModelKey) -> Path:
    """Where a trained model's file lies: in the home, retired or not, or with nishiki itself."""
    folder = settings.home / HomeFolder.MODELS
    places = (folder, folder / RETIRED, SHIPPED)
    files = (path for place in places for path in sorted(place.glob("*.safetensors")))
    return next((path for path in files if checksum_of(path) == key.checksum), folder / f"{key.checksum}.safetensors")


def matcher_key(encoder: EncoderKey, weights: MatchWeights) -> MatcherKey:
    """The matching by these vectors and weights; its version grows with the rule, and with every other of them."""
    digest = hashlib.sha256(weights.model_dump_json().encode()).hexdigest()
    return MatcherKey("rule", f"3-{encoder.checksum}-{digest[:12]}")


def recipe_entry(recipe: Recipe) -> RecipeEntry:
    """What the catalogue keeps of a recipe; where the finish takes a style's paper tone, it needs that style."""
    papers = int(recipe.lightness == "content" and recipe.paper == "style")
    return RecipeEntry(recipe.name, recipe.data(), recipe.digest(), max(recipe.needs.styles, papers))
