"""The student as a whole: it learns what the losses and the matching look at, from what the teacher said.

Called by `flows.training.encoder`. The student is a VGG-19 in all but its widths, so everything else takes it as it is.
What it has to keep: distances between pictures' Gram matrices, between their content features, and between their
embeddings. 1×1 heads map its layers to the teacher's widths while it learns; no loss needs them afterwards, and they
are dropped.
"""

from collections.abc import Mapping, Sequence
from math import cos, pi
from typing import Any

import torch
from torch import Tensor

from colorize.encoders.vgg19 import CONVOLUTIONS, OXFORD, Encoder
from colorize.matching.embedding import LAYER as EMBEDDING_LAYER
from colorize.training.dataset import to_batch
from colorize.training.fitting import fitted, sampled, with_one
from colorize.training.teacher import (
    HEAD_LAYERS,
    TAUGHT_LAYERS,
    Look,
    TeacherBatch,
    cells_of,
    correlation,
    cosines,
    pair_distances,
)

_HEADS, EMBEDDING_HEAD = tuple(f"{name}.head" for name in HEAD_LAYERS), "embedding.head"
_WEIGHTS = {
    "features": 1.0, "gram": 4.0, "worst gram": 2.0, "content": 1.0, "relative": 1.0, "cells": 1.0, "match": 2.0,
}  # fmt: skip
"""Of the parts of the loss; distances weigh more than features, being what the losses look at."""


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

    def learn(self, taught: TeacherBatch | Look) -> dict[str, float]:
        """One step; the parts of the loss."""
        parts = self.loss(taught) if isinstance(taught, TeacherBatch) else self.loss_of_look(taught)
        self.optimiser.zero_grad()
        total: Any = torch.stack([_WEIGHTS[name] * part for name, part in parts.items()]).sum()
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.optimiser.step()
        self.done += 1
        return {name: float(part.detach()) for name, part in parts.items()}

    def loss(self, batch: TeacherBatch) -> dict[str, Tensor]:
        """How far from the teacher's: features through the heads, and distances between pictures."""
        found = self.encoder.features(to_batch(batch.pixels), TAUGHT_LAYERS)
        features = [self._missed(found[name], batch, name) for name in HEAD_LAYERS]
        ours = pair_distances(found)
        apart = {name: 1 - correlation(ours[name], wanted) for name, wanted in batch.distances.items()}
        relative = [
            (ours[name].clamp_min(1e-9) / wanted.clamp_min(1e-9)).log().var()
            for name, wanted in batch.distances.items()
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
        ours = with_one(self._cells(look)) @ self.parameters[EMBEDDING_HEAD]
        return {
            "cells": _share_missed(ours.flatten(0, 1), look.cells.flatten(0, 1)),
            "match": 1 - correlation(cosines(ours.flatten(1)), cosines(look.cells.flatten(1))),
        }

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

    def fit_heads(self, batches: Sequence[TeacherBatch], looks: Sequence[Look]) -> None:
        """Begin with the heads that least squares give."""
        with torch.no_grad():
            narrow = torch.cat([self._cells(each).flatten(0, 1) for each in looks])
            wanted = torch.cat([each.cells.flatten(0, 1) for each in looks])
            head, _ = fitted(with_one(narrow).double(), wanted.double())
            self.parameters[EMBEDDING_HEAD].copy_(head.float())
            found = [self.encoder.features(to_batch(each.pixels), HEAD_LAYERS) for each in batches]
            for name in HEAD_LAYERS:
                pairs = zip(found, batches, strict=True)
                ours = torch.cat([with_one(sampled(each[name], taught.places[name])) for each, taught in pairs])
                theirs = torch.cat([taught.features[name] for taught in batches])
                head, _ = fitted(ours.double(), theirs.double())
                self.parameters[f"{name}.head"].copy_(head.float())

    def _cells(self, look: Look) -> Tensor:
        return cells_of(self.encoder.features(to_batch(look.pixels), [EMBEDDING_LAYER])[EMBEDDING_LAYER])

    def _missed(self, features: Tensor, batch: TeacherBatch, name: str) -> Tensor:
        theirs = batch.features[name].float()
        ours = with_one(sampled(features, batch.places[name])) @ self.parameters[f"{name}.head"]
        return _share_missed(ours, theirs)


def _share_missed(ours: Tensor, theirs: Tensor) -> Tensor:
    return (ours - theirs).square().sum() / (theirs - theirs.mean(0)).square().sum()
