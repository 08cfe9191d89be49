"""Teaches the prior: views of colour prints, crops of them in pairs, one step after the other, and how good it became.

Called by `flows.training.prior`, which gathers prints and keeps views. The prior is taught to foretell a cell's class
of chroma, and its keys to find in another print the cells that have it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from PIL import Image
from scipy.sparse.csgraph import connected_components
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor
from torch.nn import functional

from colorize.encoders.vgg19 import Encoder
from colorize.finish.cielab import coded, luminance
from colorize.images.decode import Pixels
from colorize.images.resize import resized
from colorize.methods.exemplar.prior import (
    CELL_PX,
    LAYERS,
    LONG_EDGE_PX,
    Floats,
    Network,
    in_cells,
    soft_classes,
    view,
    vote,
    whole,
)
from colorize.training.learning import chance, cosine_rate

VARIANTS: Final = 5
"""Views of each print: as it is, mirrored, and parts of it in other tones."""
CROP: Final = 32
"""Cells of a crop's side; a multiple of 4, the coarsest layer's."""
PAIRS: Final = 4
"""Of crops in a step: each learns its own colours and finds them in its mate."""
_MATES: Final = 8
_NOISE, _DROPOUT, _WHOLE_DROPOUT = 0.3, 0.3, 0.3
_DECAY: Final = 1e-2
_WARM: Final = 50
_CLASS: Final = 6.0
"""Distance of classes in a and in b."""
_RARE: Final = 2e-4
"""A class is of at least this share of all cells."""
_LEAST_VOTE: Final = 2e-3
_VOTERS: Final = 0.5
"""Share of a crop's cells that are voted on, and of its mate's that vote: enough to learn keys by."""
_BIN: Final = 5.0
"""Lightness that one colour of the table is the mean of."""
_ALIKE: Final = 0.8
"""Correlation of the lightness of two whole prints from which on they are taken for one design."""


@dataclass(frozen=True)
class Example:
    """A print as it is learned from."""

    features: tuple[Tensor, ...]
    planes: Tensor
    """Both as in `View`."""
    ab: Tensor
    """(2, rows, columns), mean a and b of each cell."""

    @property
    def colours(self) -> Tensor:
        """(n, 2)."""
        return self.ab.flatten(1).T

    @property
    def lightness(self) -> Tensor:
        """(n,), L in [0, 100]."""
        return (25 * self.planes[0] + 55).flatten()


def views(encoder: Encoder, pixels: Pixels, seed: int) -> dict[str, Tensor]:
    """VARIANTS examples of a colour print, uint8 (h, w, 3), as named tensors in half precision; see `example`."""
    rng = np.random.default_rng(seed)
    found: dict[str, Tensor] = {}
    for number in range(VARIANTS):
        part = resized(pixels if not number else _part(pixels, number, rng), LONG_EDGE_PX)
        gray = _gray(part) if number < 2 else _toned(_gray(part), rng)
        seen = view(encoder, gray)
        lab = torch.from_numpy(rgb2lab(part).astype(np.float32)).permute(2, 0, 1)
        ab = in_cells(lab[1:], part.shape[0] // CELL_PX)
        tensors = {**dict(zip(LAYERS, seen.features, strict=True)), "planes": seen.planes, "ab": ab}
        found |= {f"{number}.{name}": each.half().contiguous() for name, each in tensors.items()}
    return found


def example(tensors: Mapping[str, Tensor], number: int = 0) -> Example:
    """One of the examples that `views` made; float32."""
    features = tuple(tensors[f"{number}.{name}"].float() for name in LAYERS)
    return Example(features, tensors[f"{number}.planes"].float(), tensors[f"{number}.ab"].float())


def _part(pixels: Pixels, number: int, rng: np.random.Generator) -> Pixels:
    """Mirrored by turns, from the third on cropped and of another aspect; of a square nobody knows the aspect."""
    pixels = pixels[:, ::-1] if number % 2 else pixels
    if number < 2:
        return pixels
    height, width = pixels.shape[:2]
    rows, columns = (max(1, int(side * rng.uniform(0.6, 1))) for side in (height, width))
    top, left = rng.integers(height - rows + 1), rng.integers(width - columns + 1)
    aspect = np.exp(rng.uniform(-0.4, 0.4) if height == width else rng.normal(0, 0.1))
    part = Image.fromarray(pixels[top : top + rows, left : left + columns])
    return np.array(part.resize((max(1, round(columns * aspect)), rows), Image.Resampling.LANCZOS))


def _gray(pixels: Pixels) -> Pixels:
    """A print without its colours at the same L."""
    gray = coded(np.ascontiguousarray(luminance(pixels)), 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def _toned(gray: Pixels, rng: np.random.Generator) -> Pixels:
    """As another photographer might have exposed it."""
    gamma, black, white = np.exp(rng.normal(0, 0.25)), rng.uniform(0, 12), rng.uniform(235, 255)
    toned: Pixels = np.rint(black + (white - black) * (gray / 255) ** gamma).astype(np.uint8)
    return toned


def designs(names: Sequence[str], lights: Sequence[Tensor], groups: Sequence[frozenset[str]]) -> list[str]:
    """The design of each print, by the first of its names: of one design are those that share a group, or a drawing.

    Args:
        names: of the prints, each once.
        lights: (32, 32) each, L of the whole print, from `thumbnail`.
        groups: what each is said to belong to.
    """
    drawings = torch.stack([(each - each.mean()).flatten() for each in lights])
    drawings = functional.normalize(drawings, dim=1)
    alike = (drawings @ drawings.T > _ALIKE).numpy()
    alike |= np.array([[bool(one & other) for other in groups] for one in groups])
    _, place = connected_components(alike, directed=False)
    return [min(name for name, there in zip(names, place, strict=True) if there == each) for each in place]


def thumbnail(one: Example) -> Tensor:
    """L of a whole print, (32, 32)."""
    return functional.adaptive_avg_pool2d(one.planes[:1], 32)[0]


@dataclass(frozen=True)
class Course:
    """What is fixed before the first step: learned from the prints alone, no gradient needed."""

    classes: Tensor
    """(K, 2), a and b."""
    mean: Tensor
    deviation: Tensor
    """(N,), of the features' channels."""
    table: Tensor
    """(21, 2), mean a and b of each 5 L: what a prior has to beat."""
    mates: tuple[tuple[int, ...], ...]
    """Of each print those most like it among the others."""


def course(examples: Sequence[Example], design_of: Sequence[str]) -> Course:
    """What the prints to learn from decide."""
    features = [torch.cat([one.features[layer].flatten(1)[:, ::7] for one in examples], 1) for layer in range(4)]
    mean, deviation = (torch.cat([getattr(each, what)(1) for each in features]) for what in ("mean", "std"))
    colours, light = (torch.cat([getattr(one, what) for one in examples]) for what in ("colours", "lightness"))
    centres, counts = torch.unique((colours / _CLASS).round(), dim=0, return_counts=True)
    binned = functional.one_hot(_bins(light), int(100 / _BIN) + 1).float()
    table = binned.T @ colours / binned.sum(0).clamp_min(1)[:, None]
    classes = centres[counts >= _RARE * len(colours)] * _CLASS
    return Course(classes, mean, deviation + 0.05, table, _mates(examples, design_of))


def _bins(light: Tensor) -> Tensor:
    return (light / _BIN).long().clamp(0, int(100 / _BIN))


def _mates(examples: Sequence[Example], design_of: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """By the cosine of what the network is told of the whole prints, less their mean; none of the same design."""
    wholes = torch.stack([whole(one.features) for one in examples])
    wholes = functional.normalize(wholes - wholes.mean(0), dim=1)
    alike = wholes @ wholes.T
    same = np.equal.outer(np.array(design_of), np.array(design_of))
    alike[torch.from_numpy(same)] = -2
    order = alike.argsort(dim=1, descending=True)[:, :_MATES].tolist()
    return tuple(tuple(other for other in row if not same[one, other]) or (one,) for one, row in enumerate(order))


@dataclass(frozen=True)
class Batch:
    """Crops; the second half are the mates of the first."""

    features: tuple[Tensor, ...]
    """Normalised, (B, N, h, w) each."""
    planes: Tensor
    whole: Tensor
    ab: Tensor
    """(B, 2, CROP, CROP)."""
    inside: Tensor
    """(B, CROP²), bool: cells of the print, not padding."""


class Learner:
    """The network while it learns; a seed and the number of a step decide that step. All of it can be put down."""

    def __init__(self, plan: Course, channels: Sequence[int], steps: int, rate: float, seed: int) -> None:
        with chance(seed):
            self.network = Network(channels, len(plan.classes), dropout=_DROPOUT)
        self.network.mean.copy_(plan.mean)
        self.network.deviation.copy_(plan.deviation)
        self.plan, self.steps, self.done, self._highest, self._seed = plan, steps, 0, rate, seed
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=rate, weight_decay=_DECAY)

    @property
    def rate(self) -> float:
        """The learning rate now: up over the first steps, then down by a cosine to nothing."""
        return cosine_rate(self._highest, self.done, self.steps, _WARM)

    def chosen(self) -> list[tuple[int, int]]:
        """Which prints the next step learns from, and which of their variants: PAIRS, then the mate of each."""
        rng = self._rng(0)
        first = rng.integers(len(self.plan.mates), size=PAIRS)
        mates = [rng.choice(self.plan.mates[each]) for each in first]
        return [(int(each), int(rng.integers(VARIANTS))) for each in (*first, *mates)]

    def learn(self, examples: Sequence[Example]) -> dict[str, float]:
        """One step with the examples chosen; the parts of the loss, in nats a cell."""
        self.network.train()
        with chance(int(self._rng(2).integers(1 << 31))):
            parts = self._loss(self._batch(examples))
        self.optimiser.zero_grad()
        total: Any = sum(parts.values())
        total.backward()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate
        self.optimiser.step()
        self.done += 1
        return {name: float(part.detach()) for name, part in parts.items()}

    def state(self) -> dict[str, Tensor]:
        """All that it is, by name; steps done are in it."""
        found = {name: each.detach() for name, each in self.network.state_dict().items()}
        for name, each in self.network.named_parameters():
            found |= {f"{name}/{word}": torch.as_tensor(value) for word, value in self.optimiser.state[each].items()}
        return {**found, "done": torch.tensor(self.done)}

    def take_up(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        self.network.load_state_dict({name: state[name] for name in self.network.state_dict()})
        for name, each in self.network.named_parameters():
            moments = {key.split("/")[1]: value for key, value in state.items() if key.startswith(f"{name}/")}
            self.optimiser.state[each] = {word: moment.clone() for word, moment in moments.items()}
        self.done = int(state["done"])

    def _loss(self, batch: Batch) -> dict[str, Tensor]:
        logits, keys = self.network(batch.features, batch.planes, batch.whole)
        logits, keys, ab = (each.flatten(2) for each in (logits, keys, batch.ab))
        sharpness = self.network.sharpness.exp()
        wanted = [soft_classes(ab[one].T, self.plan.classes) for one in range(len(ab))]
        own, voted = [], []
        for one, inside in enumerate(batch.inside):
            mate = (one + PAIRS) % len(ab)
            there = batch.inside[mate]
            own.append(_missed(wanted[one][inside], logits[one][:, inside].T.log_softmax(1)))
            some, voters = (cells & torch.rand(cells.shape).lt(_VOTERS) for cells in (inside, there))
            votes = vote(keys[one][:, some], keys[mate][:, voters], wanted[mate][voters], sharpness)
            voted.append(_missed(wanted[one][some], (votes + _LEAST_VOTE).log()))
        return {"prior": torch.stack(own).mean(), "vote": torch.stack(voted).mean()}

    def _batch(self, examples: Sequence[Example]) -> Batch:
        rng = self._rng(1)
        crops = [self._crop(one, rng) for one in examples]
        features, planes, wholes, ab, inside = zip(*crops, strict=True)
        stacked = [torch.stack(each) for each in zip(*features, strict=True)]
        noisy = tuple(each + _NOISE * torch.randn_like(each) for each in stacked)
        kept = torch.rand(len(crops), 1) >= _WHOLE_DROPOUT
        stacks = (torch.stack(each) for each in (planes, ab, inside))
        cropped, colours, cells = stacks
        return Batch(noisy, cropped, torch.stack(wholes) * kept, colours, cells)

    def _crop(self, one: Example, rng: np.random.Generator) -> tuple[list[Tensor], Tensor, Tensor, Tensor, Tensor]:
        features = self.network.normalised(one.features)
        rows, columns = one.planes.shape[1:]
        top, left = (4 * int(rng.integers(max(0, side - CROP) // 4 + 1)) for side in (rows, columns))

        def cut(planes: Tensor) -> Tensor:
            times = rows // planes.shape[1]
            side = CROP // times
            part = planes[:, top // times :, left // times :][:, :side, :side]
            return functional.pad(part, (0, side - part.shape[2], 0, side - part.shape[1]))

        inside = cut(torch.ones(1, rows, columns))[0].flatten() > 0
        return [cut(each) for each in features], cut(one.planes), whole(features), cut(one.ab), inside

    def _rng(self, purpose: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, self.done, purpose))


def _missed(wanted: Tensor, log_shares: Tensor) -> Tensor:
    """Cross-entropy of soft classes (n, K), in nats."""
    return -(wanted * log_shares).sum(1).mean()


@dataclass(frozen=True)
class Judged:
    """How well one print is foretold."""

    cross_entropy: float
    """Nats a cell."""
    prior: float
    table: float
    """ΔE00 of the mean colour over gray's: by the prior, and by the mean a, b per 5 L."""


@torch.no_grad()
def judged(network: Network, plan: Course, one: Example) -> Judged:
    """A print that was held out against what it is foretold to be."""
    network.eval()
    features = network.normalised(one.features)
    logits, _ = network([each[None] for each in features], one.planes[None], whole(features)[None])
    log_shares = logits[0].flatten(1).T.log_softmax(1)
    light, truth = one.lightness.numpy(), one.colours.numpy()
    guesses = (log_shares.exp() @ plan.classes, plan.table[_bins(one.lightness)], torch.zeros_like(one.colours))
    prior, table, gray = (_apart(light, truth, each.numpy()) for each in guesses)
    missed = float(_missed(soft_classes(one.colours, plan.classes), log_shares))
    return Judged(missed, prior / gray, table / gray)


def _apart(light: Floats, truth: Floats, guess: Floats) -> float:
    difference: Any = deltaE_ciede2000
    pair = (np.column_stack((light, each)) for each in (truth, guess))
    return max(float(difference(*pair).mean()), 1e-6)
