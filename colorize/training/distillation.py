"""A small encoder out of VGG-19: layer by layer by least squares, then as a whole by what the losses look at.

Called by `flows.train`. The student is a VGG-19 in all but its widths, so everything else takes it as it is. What it
has to keep: distances between pictures' Gram matrices, between their content features, and between their embeddings.
1×1 heads map its layers to the teacher's widths while it learns; no loss needs them afterwards, and they are dropped.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from colorize.images import Pixels
from colorize.similarity import GRID
from colorize.similarity import LAYER as EMBEDDING_LAYER
from colorize.training.dataset import to_stack
from colorize.vgg.encoder import CONVOLUTIONS, OXFORD, Encoder
from colorize.vgg.losses import gram_matrix

WIDTHS = (24, 32, 64, 128, 192)
"""Channels of each block; an evaluation takes an eighth of the teacher's time."""
STYLE_LAYERS = ("conv1_1", "pool1", "conv2_1", "pool2", "conv3_1", "pool3", "conv4_1", "pool4", "conv5_1")
CONTENT_LAYERS = ("conv3_2", "conv4_2")
HEAD_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv3_4", "conv4_1", "conv4_2", "conv4_4", "conv5_1", "conv5_4")
_HEADS, EMBEDDING_HEAD = tuple(f"{name}.head" for name in HEAD_LAYERS), "embedding.head"
TAUGHT_LAYERS = tuple(dict.fromkeys((*STYLE_LAYERS, *CONTENT_LAYERS, *HEAD_LAYERS)))
_POSITIONS = 200
"""Positions of a crop that a least-squares fit looks at."""
_HEAD_POSITIONS = 32
_WEIGHTS = {
    "features": 1.0, "gram": 4.0, "worst gram": 2.0, "content": 1.0, "relative": 1.0, "cells": 1.0, "match": 2.0,
}  # fmt: skip
"""Of the parts of the loss; distances weigh more than features, being what the losses look at."""
_RIDGE = 1e-5

Convolutions = dict[str, tuple[Tensor, Tensor]]


@torch.no_grad()
def layer_by_layer(
    teacher: Encoder, pixels: Pixels, on_layer: Callable[[str, float], None], widths: Sequence[int] = WIDTHS
) -> Convolutions:
    """A student whose every layer answers, as well as a linear fit can, like the teacher's most telling channels.

    A layer's channels are chosen one by one, each time the one that explains most of what is left of the activations'
    energy (pivoted Cholesky of their second moments). Their values before the ReLU are then fitted from the student's
    own outputs below, so that errors of earlier layers are made up for.

    Args:
        pixels: uint8 (n, H, W, 3).
        on_layer: told each layer's name and the share of variance that the fit explains.
    """
    generator = torch.Generator().manual_seed(0)
    theirs = teacher.preprocessed(to_stack(pixels))
    ours, found = theirs.clone(), dict[str, tuple[Tensor, Tensor]]()
    for name in CONVOLUTIONS:
        if name.endswith("_1") and name != "conv1_1":
            theirs, ours = functional.max_pool2d(theirs, 2), functional.max_pool2d(ours, 2)
        weight, bias = teacher.convolutions[name]
        wanted = torch.cat([functional.conv2d(part, weight, bias, padding=1) for part in in_parts(theirs)])
        places = _places(wanted.shape[2] * wanted.shape[3], generator)
        values = _sampled(wanted, places).double()
        chosen = _most_telling(functional.relu(values), widths[int(name[4]) - 1])
        patches = torch.cat([_patches(part, places) for part in in_parts(ours)]).double()
        fitted, explained = _fitted(patches, values[:, chosen])
        found[name] = (fitted[:-1].T.reshape(len(chosen), -1, 3, 3).float(), fitted[-1].float())
        theirs = functional.relu_(wanted)
        ours = functional.relu_(
            torch.cat([functional.conv2d(part, *found[name], padding=1) for part in in_parts(ours)])
        )
        on_layer(name, explained)
    return found


def in_parts(stack: Tensor) -> tuple[Tensor, ...]:
    """A stack in portions that memory holds with all their layers."""
    parts: tuple[Tensor, ...] = torch.split(stack, 8)
    return parts


def _places(positions: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(positions, generator=generator)[:_POSITIONS]


def _sampled(features: Tensor, places: Tensor) -> Tensor:
    """(B, N, H, W) → (B · places, N)."""
    return features.flatten(2)[:, :, places].transpose(1, 2).flatten(0, 1)


def _patches(features: Tensor, places: Tensor) -> Tensor:
    """3×3 surroundings of the places, (B · places, 9 N + 1), with a one for the bias."""
    around = functional.unfold(features, 3, padding=1)[:, :, places].transpose(1, 2).flatten(0, 1)
    return functional.pad(around, (0, 1), value=1.0)


def _most_telling(activations: Tensor, count: int) -> list[int]:
    rest = activations.T @ activations
    floor = float(rest.diagonal().max()) * 1e-9
    chosen: list[int] = []
    for _ in range(count):
        explained = rest.square().sum(0) / rest.diagonal().clamp_min(floor)
        explained[chosen] = -1
        best = int(explained.argmax())
        chosen.append(best)
        column = rest[:, best].clone()
        rest = rest - torch.outer(column, column) / column[best].clamp_min(floor)
    return chosen


def _fitted(patches: Tensor, values: Tensor) -> tuple[Tensor, float]:
    """Ridge regression: coefficients (9 N + 1, K), and the share of variance that it explains."""
    moments = patches.T @ patches
    moments.diagonal().add_(_RIDGE * float(moments.diagonal().mean()))
    coefficients = torch.linalg.solve(moments, patches.T @ values)
    left = (patches @ coefficients - values).square().sum()
    return coefficients, 1 - float(left / (values - values.mean(0)).square().sum())


@dataclass(frozen=True)
class Lesson:
    """A batch of crops with all that the teacher says of them, once for the whole training."""

    pixels: Pixels
    distances: Mapping[str, Tensor]
    """By `gram LAYER` and `content LAYER`: one number for each pair of crops."""
    places: Mapping[str, Tensor]
    features: Mapping[str, Tensor]
    """The teacher's outputs at the places of the head layers, (B · places, N), float16, over their mean."""


@torch.no_grad()
def lesson(teacher: Encoder, pixels: Pixels, scales: Mapping[str, float], seed: int) -> Lesson:
    """What the teacher says of a batch; `scales` are the mean activations that features are divided by."""
    generator = torch.Generator().manual_seed(seed)
    found = teacher.features(to_stack(pixels), TAUGHT_LAYERS)
    places = {
        name: torch.randperm(found[name].shape[2] * found[name].shape[3], generator=generator)[:_HEAD_POSITIONS]
        for name in HEAD_LAYERS
    }
    features = {name: (_sampled(found[name], places[name]) / scales[name]).half() for name in HEAD_LAYERS}
    return Lesson(pixels, pair_distances(found), places, features)


@dataclass(frozen=True)
class Look:
    """A batch of gray pictures with the teacher's embeddings of them."""

    pixels: Pixels
    cells: Tensor
    """(B, cells, N), over their standard deviation."""


@torch.no_grad()
def look(teacher: Encoder, pixels: Pixels) -> Look:
    """How the teacher tells gray pictures apart."""
    cells = torch.cat([_cells(teacher, part) for part in in_parts(to_stack(pixels))])
    return Look(pixels, cells / cells.std())


def _cells(encoder: Encoder, pictures: Tensor) -> Tensor:
    """Embeddings, cell by cell: (B, GRID², N)."""
    features = encoder.features(pictures, [EMBEDDING_LAYER])[EMBEDDING_LAYER]
    return functional.adaptive_avg_pool2d(features, GRID).flatten(2).transpose(1, 2)


def cosines(vectors: Tensor) -> Tensor:
    """Of centred vectors (B, d), as matching ranks by: (pairs,)."""
    directions = functional.normalize(vectors - vectors.mean(0), dim=1)
    first, second = torch.triu_indices(len(vectors), len(vectors), 1)
    return (directions[first] * directions[second]).sum(1)


def pair_distances(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """How far the pictures of a stack are apart in what the losses look at; (pairs,) each."""
    grams = {f"gram {name}": functional.pdist(gram_matrix(found[name]).flatten(1)) for name in STYLE_LAYERS}
    return grams | {f"content {name}": functional.pdist(found[name].flatten(1)) for name in CONTENT_LAYERS}


def correlation(a: Tensor, b: Tensor) -> Tensor:
    """Pearson's, of two vectors."""
    return functional.cosine_similarity(a - a.mean(), b - b.mean(), dim=0)


class Student:
    """The small encoder while it learns: weights at unit activations, heads, Adam. All of it can be put down."""

    def __init__(
        self, convolutions: Mapping[str, tuple[Tensor, Tensor]], teacher: Encoder, steps: int, rate: float
    ) -> None:
        self.parameters = {
            f"{name}.{part}": each.clone().requires_grad_()
            for name, pair in convolutions.items()
            for part, each in zip(("weight", "bias"), pair, strict=True)
        }
        for name, layer in {**dict(zip(_HEADS, HEAD_LAYERS, strict=True)), EMBEDDING_HEAD: EMBEDDING_LAYER}.items():
            wide, narrow = len(teacher.convolutions[layer][0]), len(convolutions[layer][0])
            self.parameters[name] = torch.zeros(narrow + 1, wide).requires_grad_()
        self.steps, self.done, self._highest = steps, 0, rate
        self.optimiser = torch.optim.Adam(self.parameters.values(), lr=rate, betas=(0.9, 0.99))

    @property
    def encoder(self) -> Encoder:
        """It as it is now; gradients flow through."""
        pairs = {name: (self.parameters[f"{name}.weight"], self.parameters[f"{name}.bias"]) for name in CONVOLUTIONS}
        return Encoder("student", "", OXFORD, pairs)

    @property
    def rate(self) -> float:
        """The learning rate now: up over the first tenth of the steps, then down by a cosine to nothing."""
        share = self.done / self.steps
        return self._highest * min(1.0, 10 * share + 1 / self.steps) * (1 + cos(pi * share)) / 2

    def learn(self, taught: Lesson | Look) -> dict[str, float]:
        """One step; the parts of the loss."""
        parts = self.loss(taught) if isinstance(taught, Lesson) else self.loss_of_look(taught)
        self.optimiser.zero_grad()
        total: Any = torch.stack([_WEIGHTS[name] * part for name, part in parts.items()]).sum()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.optimiser.step()
        self.done += 1
        return {name: float(part.detach()) for name, part in parts.items()}

    def loss(self, lesson: Lesson) -> dict[str, Tensor]:
        """How far from the teacher's: features through the heads, and distances between pictures."""
        found = self.encoder.features(to_stack(lesson.pixels), TAUGHT_LAYERS)
        features = [self._missed(found[name], lesson, name) for name in HEAD_LAYERS]
        ours = pair_distances(found)
        apart = {name: 1 - correlation(ours[name], wanted) for name, wanted in lesson.distances.items()}
        relative = [
            (ours[name].clamp_min(1e-9) / wanted.clamp_min(1e-9)).log().var()
            for name, wanted in lesson.distances.items()
        ]
        grams = torch.stack([each for name, each in apart.items() if name.startswith("gram")])
        return {
            "features": torch.stack(features).mean(),
            "gram": grams.mean(),
            "worst gram": grams.max(),
            "content": torch.stack([each for name, each in apart.items() if name.startswith("content")]).mean(),
            "relative": torch.stack(relative).mean(),
        }

    def loss_of_look(self, look: Look) -> dict[str, Tensor]:
        """How far from the teacher's: embeddings through their head, and how pictures are told apart."""
        ours = _with_one(_cells(self.encoder, to_stack(look.pixels))) @ self.parameters[EMBEDDING_HEAD]
        return {
            "cells": _share_missed(ours.flatten(0, 1), look.cells.flatten(0, 1)),
            "match": 1 - correlation(cosines(ours.flatten(1)), cosines(look.cells.flatten(1))),
        }

    @property
    def embedding(self) -> Tensor:
        """What makes the cosines of narrow embeddings those of the teacher's, (N, N): the root of the head's metric."""
        head = self.parameters[EMBEDDING_HEAD].detach()[:-1].double()
        values, directions = torch.linalg.eigh(head @ head.T)
        root: Tensor = directions * values.clamp_min(0).sqrt() @ directions.T
        return root.float()

    def state(self) -> dict[str, Tensor]:
        """All that it is, by name; steps done are in it."""
        found: dict[str, Tensor] = {name: each.detach() for name, each in self.parameters.items()}
        for name, each in self.parameters.items():
            for word, moment in self.optimiser.state[each].items():
                found[f"{name}/{word}"] = torch.as_tensor(moment)
        return {**found, "done": torch.tensor(self.done)}

    def take_up(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        for name, each in self.parameters.items():
            each.data.copy_(state[name])
            moments = {key.split("/")[1]: value for key, value in state.items() if key.startswith(f"{name}/")}
            self.optimiser.state[each] = {word: moment.clone() for word, moment in moments.items()}
        self.done = int(state["done"])

    def fit_heads(self, lessons: Sequence[Lesson], looks: Sequence[Look]) -> None:
        """Begin with the heads that least squares give."""
        with torch.no_grad():
            narrow = torch.cat([_cells(self.encoder, to_stack(each.pixels)).flatten(0, 1) for each in looks])
            wanted = torch.cat([each.cells.flatten(0, 1) for each in looks])
            head, _ = _fitted(_with_one(narrow).double(), wanted.double())
            self.parameters[EMBEDDING_HEAD].copy_(head.float())
            found = [self.encoder.features(to_stack(each.pixels), HEAD_LAYERS) for each in lessons]
            for name in HEAD_LAYERS:
                pairs = zip(found, lessons, strict=True)
                ours = torch.cat([_with_one(_sampled(each[name], taught.places[name])) for each, taught in pairs])
                theirs = torch.cat([taught.features[name] for taught in lessons])
                head, _ = _fitted(ours.double(), theirs.double())
                self.parameters[f"{name}.head"].copy_(head.float())

    def _missed(self, features: Tensor, lesson: Lesson, name: str) -> Tensor:
        theirs = lesson.features[name].float()
        ours = _with_one(_sampled(features, lesson.places[name])) @ self.parameters[f"{name}.head"]
        return _share_missed(ours, theirs)


def _share_missed(ours: Tensor, theirs: Tensor) -> Tensor:
    return (ours - theirs).square().sum() / (theirs - theirs.mean(0)).square().sum()


def _with_one(values: Tensor) -> Tensor:
    return functional.pad(values, (0, 1), value=1.0)
