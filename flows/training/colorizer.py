"""Training of the learned colorizers, from folders of colour prints or from the catalogue's own.

`nishiki train cieluv-net` and `mask-gan` call it. Whole designs are held out and measured by; what was best on them is
kept, as a file in the home's folder `models` and then as a row of the register. What is durable when: the networks with
their optimisers every SAVE_EVERY steps, under HOME/training. Killed and begun again with the same options, a training
goes on from there, and comes to the same weights.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from math import ceil, isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save
from skimage.color import rgb2lab
from torch import Tensor
from torch.nn import functional

from colorize.encoders.loading import load_encoder, write_tensors
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import WeightsFile
from colorize.errors import TrainingStopped, UnreadableImage
from colorize.images.decode import Pixels, decode
from colorize.images.frame import find_frame
from colorize.images.resize import resized
from colorize.images.tone import Tone, judge_tone
from colorize.methods import cieluv_net, mask_gan
from colorize.methods.learned_areas import by_areas
from colorize.methods.trained import model_file
from colorize.recipes.trained import AREAS
from colorize.training.cieluv import CieluvLearner, CieluvSettings, palette
from colorize.training.colour_crops import ahead, gray_codes
from colorize.training.judging import Judged, judged, mean_of, medians
from colorize.training.mask_gan import GanLearner, GanSettings
from colorize.training.prior import designs
from colorize.training.trusting import fitted_trust
from db.catalogue import Catalogue
from db.entries.models import ModelEntry
from db.errors import NoCatalogue, PictureMissing
from db.files.atomic import write_whole
from db.files.home import HomeFolder
from flows.errors import Misused
from flows.progress import track
from flows.settings import Settings
from flows.training.curves import losses_plot
from flows.training.prior import LICENCE, gather, held_out
from flows.training.sheet import Row, sheet
from flows.under_prefect import stage

Floats = NDArray[np.float32]

SAVE_EVERY: Final = 25
LOOKED_AT: Final = 24
"""Prints held out that are looked at after each epoch; at the end all are."""
LEAST_PRINTS: Final = 4
SHEET: Final = 6
"""Prints on a sample sheet."""
HELD_OUT: Final = "held out"


@dataclass(frozen=True)
class Order:
    """What is to be trained."""

    name: str
    """The model's, by which its recipes are called."""
    settings: CieluvSettings | GanSettings
    folders: tuple[Path, ...] = ()
    """Of colour prints; none: the catalogue's own."""
    fold: tuple[int, int] = (1, 5)
    """The designs that are held out: (1, 5) is the first of five parts."""
    patience: int = 8
    """Epochs without a better one, after which the training ends early."""

    @property
    def method(self) -> str:
        """The method of its recipes."""
        return "cieluv_net" if isinstance(self.settings, CieluvSettings) else "mask_gan"

    @property
    def words(self) -> str:
        """For the card and the plot."""
        seen = ", ".join(f"{name} {value}" for name, value in asdict(self.settings).items())
        return f"{self.method}/{self.name}: {seen}; part {self.fold[0]} of {self.fold[1]} held out"


@dataclass(frozen=True)
class Learned:
    """A print that may be learned from."""

    name: str
    sha256: str
    rights: str
    groups: frozenset[str]
    pixels: Pixels

    @property
    def entry(self) -> dict[str, str]:
        """For the card."""
        return {"name": self.name, "sha256": self.sha256, "rights": self.rights}


Learner = CieluvLearner | GanLearner
Model = cieluv_net.Model | mask_gan.Model


def train_colorizer(settings: Settings, encoder_file: WeightsFile, order: Order) -> Iterator[str]:
    """Teach a colorizer and keep it; yields what a person should know.

    Raises:
        TrainingStopped: there is too little to learn from, or it came to nothing.
        ColorizeError: the encoder cannot be used.
        CatalogueError: there is no catalogue, and no folder was given.
        OSError: a file cannot be read or written.
    """
    encoder = load_encoder(encoder_file).to("cuda" if torch.cuda.is_available() else "cpu")
    prints, told = _prints(settings, order)
    yield from told
    taught, held = _split(prints, order)
    yield f"{len(taught)} prints to learn from, {len(held)} held out."
    learner = _learner(order, encoder, [each.pixels for each in taught])
    folder = settings.home / HomeFolder.TRAINING / _folder(order, encoder, taught)
    folder.mkdir(parents=True, exist_ok=True)
    course = Course(order, learner, folder, taught, held)
    yield from course.run()
    model, card = course.finished(encoder)
    path = settings.home / HomeFolder.MODELS / f"{order.method}-{order.name}-{_stamp(card)}.safetensors"
    write_tensors(path, model, card)
    with Catalogue.open(settings) as catalogue:
        file = model_file(path)
        catalogue.add_model(ModelEntry.from_card(file.checksum, file.card))
    yield from _figures(card)
    yield f"Model: {path}; its recipes: {order.method}/{order.name} and {order.method}/{order.name}{AREAS}"
    yield f"Losses and sample sheets: {folder}"


@stage("train")
def training(settings: Settings, encoder_file: WeightsFile, order: Order, tell: Callable[[str], None]) -> None:
    """The same as a flow, which Prefect shows; `tell` is given what a person should know as soon as it is known."""
    for line in train_colorizer(settings, encoder_file, order):
        tell(line)


def _prints(settings: Settings, order: Order) -> tuple[list[Learned], list[str]]:
    """The colour prints that may be learned from, as large as crops need them, and why others are left out."""
    cutting, found = order.settings.cutting, list[Learned]()
    told: list[str] = []
    sources = list(_sources(settings, order, told))
    with track("read prints", len(sources), "prints") as advance:
        for name, data, rights, groups in sources:
            try:
                content = data() if callable(data) else data
                scan = decode(content, max_pixels=settings.max_pixels).pixels
                framed = find_frame(scan).crop(scan)
                if judge_tone(framed).tone in (Tone.GRAYSCALE, Tone.TONED):
                    told.append(f"{name} is left out: it has no colours.")
                else:
                    found.append(Learned(name, sha256(content).hexdigest(), rights, groups, cutting.stored(framed)))
            except (UnreadableImage, OSError, PictureMissing) as error:
                told.append(f"{name} is left out: {error}")
            advance(1)
    return found, told


def _sources(settings: Settings, order: Order, told: list[str]) -> Iterator[tuple[str, Any, str, frozenset[str]]]:
    """Name, what reads the bytes, rights and groups of each print."""
    if order.folders:
        prints, left = gather(order.folders)
        told += left
        yield from ((each.name, each.path.read_bytes, each.licence, each.groups) for each in prints)
        return
    try:
        with Catalogue.open(settings, create=False) as catalogue:
            pictures = catalogue.pictures
            for each in catalogue.colour_prints():
                yield each.identifier, lambda name=each.sha256: pictures.read(name), each.rights, each.designs
    except NoCatalogue as error:
        raise Misused(f"name a FOLDER of colour prints, or harvest some: {error}") from error


def _split(prints: Sequence[Learned], order: Order) -> tuple[list[Learned], list[Learned]]:
    """Whole designs to learn from, and whole designs held out.

    Raises:
        TrainingStopped: there are too few prints or designs.
    """
    if len(prints) < LEAST_PRINTS:
        raise TrainingStopped(f"there are {len(prints)} colour prints to learn from; give {LEAST_PRINTS} at least")
    lights = [_thumbnail(each.pixels) for each in prints]
    names = designs([each.name for each in prints], lights, [each.groups for each in prints])
    if len(set(names)) == 1:
        raise TrainingStopped(
            f"all {len(prints)} prints are of one design, so none can be held out; give other designs"
        )
    held = [held_out(name, order.fold) for name in names]
    if all(held) or not any(held):
        side = "held out" if all(held) else "learned from"
        raise TrainingStopped(f"all {len(set(names))} designs would be {side}; give more, or another --hold-out")
    return tuple([each for each, out in zip(prints, held, strict=True) if out is side] for side in (False, True))  # type: ignore[return-value]


def _thumbnail(pixels: Pixels) -> Tensor:
    """L of a whole print, (32, 32)."""
    light = torch.from_numpy(rgb2lab(pixels)[..., 0].astype(np.float32))[None]
    return functional.adaptive_avg_pool2d(light, 32)[0]


def _learner(order: Order, encoder: Encoder, prints: Sequence[Pixels]) -> Learner:
    found = palette(prints)
    if isinstance(order.settings, CieluvSettings):
        return CieluvLearner(order.settings, encoder, found)
    return GanLearner(order.settings, encoder.device, found)


class Course:
    """A training on its way: its learner, what it learns from, and what was best so far."""

    def __init__(
        self, order: Order, learner: Learner, folder: Path, taught: Sequence[Learned], held: Sequence[Learned]
    ) -> None:
        self.order, self.learner, self.folder, self.taught, self.held = order, learner, folder, taught, held
        self.steps = order.settings.steps
        self.epoch = max(SAVE_EVERY, ceil(len(taught) / order.settings.batch / SAVE_EVERY) * SAVE_EVERY)
        self._state, self._best, self._log = (
            folder / name for name in ("state.safetensors", "best.safetensors", "losses.jsonl")
        )
        self.losses: list[dict[str, float]] = []

    def run(self) -> Iterator[str]:
        """Learn to the last step, or until nothing gets better; what was best is in `best.safetensors`."""
        if self._state.exists():
            self.learner.take_up(load_file(self._state))
            self.losses = [json.loads(line) for line in self._log.read_text().splitlines()][: self.learner.done]
        begun, cutting = self.learner.done, self.order.settings.cutting
        crops = ahead(cutting, [each.pixels for each in self.taught], range(begun, self.steps))
        with track(self.order.method, self.steps, "steps") as advance:
            advance(begun)
            for each in () if self._enough() else crops:
                losses = self.learner.learn(each)
                if not all(map(isfinite, losses.values())):
                    yield self._no_numbers()
                    break
                self.losses.append(losses)
                if self.learner.done % self.epoch == 0 or self.learner.done == self.steps:
                    self._look()
                if self.learner.done % SAVE_EVERY == 0 or self.learner.done == self.steps:
                    self._save()
                advance(1)
                if self._enough():
                    yield f"It ends after {self.learner.done} of {self.steps} steps: nothing got better any more."
                    break
        write_whole(self.folder / "losses.png", losses_plot(self.losses, self.order.words))

    def _no_numbers(self) -> str:
        """The losses are no numbers any more: what was best is kept.

        Raises:
            TrainingStopped: nothing was.
        """
        what = f"the losses are no numbers after step {self.learner.done}"
        if not self._best.exists():
            raise TrainingStopped(f"{what}, before anything was learned; give a lower --rate")
        return f"{what[0].upper()}{what[1:]}; the training stops, and what was best until then is kept."

    def _save(self) -> None:
        write_whole(self._log, "".join(json.dumps(each) + "\n" for each in self.losses).encode())
        write_whole(self._state, save(self.learner.state()))

    def _looks(self) -> list[float]:
        return [each[HELD_OUT] for each in self.losses if HELD_OUT in each]

    def _enough(self) -> bool:
        looks = self._looks()
        return len(looks) > self.order.patience and min(looks) < min(looks[-self.order.patience :])

    def _look(self) -> None:
        """Measure on some prints that are held out, and keep the network where it is the best so far."""
        step, model = max(1, len(self.held) // LOOKED_AT), self.learner.model()
        found = [judged(*_plain(model, each)) for each in self.held[::step]]
        value = mean_of(found).ratio
        if not self._looks() or value < min(self._looks()):
            write_whole(self._best, save(self.learner.state()))
        self.losses[-1] = {**self.losses[-1], HELD_OUT: value}
        rows = [_row(model, each) for each in self.held[:: max(1, len(self.held) // SHEET)][:SHEET]]
        write_whole(self.folder / f"sheet-{self.learner.done:06}.png", sheet(rows))

    def finished(self, encoder: Encoder) -> tuple[dict[str, Tensor], dict[str, str]]:
        """The tensors of the best network's file, and its card."""
        self.learner.best(load_file(self._best))
        model = self.learner.model()
        views = [_view(model, each) for each in self.held]
        trust = fitted_trust((truth, model.said(gray, light)) for truth, gray, light in views)
        plain = {each.name: judged(*_plain(model, each)) for each in self.held}
        areas = {
            each.name: judged(truth, by_areas(model.said(gray, light), light, trust).chroma)
            for each, (truth, gray, light) in zip(self.held, views, strict=True)
        }
        facts: dict[str, Any] = {
            "name": self.order.name, "method": self.order.method, "settings": _settings(self.order, encoder),
            "learned_from": [each.entry for each in self.taught], "snapshot": snapshot(self.taught),
            "held_out": {name: {"plain": one.data(), "areas": areas[name].data()} for name, one in plain.items()},
            "measures": {
                "plain": mean_of(plain.values()).data(), "areas": mean_of(areas.values()).data(),
                "median plain": medians(plain).data(), "median areas": medians(areas).data(),
            },
            "code": version("nishiki"), "made": datetime.now(UTC).isoformat(), "licence": LICENCE,
            "training": f"{self.order.words}; {self.learner.done} steps",
        }  # fmt: skip
        card = {
            name: each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)
            for name, each in facts.items()
        }
        return {**self.learner.tensors(), "trust": torch.from_numpy(trust)}, card


def _settings(order: Order, encoder: Encoder) -> dict[str, Any]:
    scale = encoder.preprocessing
    own = {"encoder": encoder.checksum, "preprocessing": [scale.scale, scale.mean, scale.deviation]}
    return {**asdict(order.settings), **(own if isinstance(order.settings, CieluvSettings) else {})}


def _view(model: Model, each: Learned) -> tuple[Pixels, Pixels, Floats]:
    """A print as it is looked at: its own colours, its gray version of the same L, and that L."""
    truth = resized(each.pixels, model.view_px)
    light = np.asarray(rgb2lab(truth)[..., 0], np.float32)
    return truth, np.repeat(gray_codes(light)[..., None], 3, axis=2), light


def _plain(model: Model, each: Learned) -> tuple[Pixels, Floats]:
    """A print's own colours, and the a, b that the network gives its gray version."""
    truth, gray, light = _view(model, each)
    return truth, model.chroma(gray, light)


def _row(model: Model, each: Learned) -> Row:
    truth, gray, light = _view(model, each)
    return Row(each.name, gray, light, model.chroma(gray, light), truth)


def snapshot(taught: Sequence[Learned]) -> str:
    """SHA-256 (hex) over those of the prints, in order."""
    return sha256("\n".join(sorted(each.sha256 for each in taught)).encode()).hexdigest()


def _folder(order: Order, encoder: Encoder, taught: Sequence[Learned]) -> str:
    facts = [repr(order.settings), repr(order.fold), encoder.checksum, snapshot(taught)]
    return f"{order.method}-{order.name}-{sha256(' '.join(facts).encode()).hexdigest()[:8]}"


def _stamp(card: Mapping[str, str]) -> str:
    return sha256(f"{card['snapshot']} {card['settings']} {card['training']}".encode()).hexdigest()[:8]


def _figures(card: Mapping[str, str]) -> Iterator[str]:
    """How well prints that were held out are foretold, plain and by areas."""
    measures = json.loads(card["measures"])
    for word, said in (("as its source has it", "plain"), ("with our finish", "areas")):
        found = Judged(**measures[said])
        yield (
            f"Held out, {word}: ΔE00 over gray's {found.ratio:.3f} (median {measures[f'median {said}']['ratio']:.3f}), "
            f"right bins of U {found.acc_u:.1%}, of V {found.acc_v:.1%}, saturation off by {found.saturation:.1%}, "
            f"patchiness {found.patchiness:.2f}, distance of colours {found.distribution:.2f}"
        )
