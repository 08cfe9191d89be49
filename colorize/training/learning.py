"""What all that learns step by step has in common: its rate, its chance, and how it is put down and taken up.

A seed and the number of a step decide that step, so that nothing of chance has to be kept: what is put down after a
step and taken up again goes on as if nothing had been.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import cos, pi

import torch
from torch import Tensor, nn

Kept = dict[str, Tensor]


def cosine_rate(highest: float, done: int, steps: int, warm: int) -> float:
    """The learning rate after `done` of `steps`: up over the first `warm`, then down by a cosine to nothing."""
    return highest * min(1.0, (done + 1) / warm) * (1 + cos(pi * done / steps)) / 2


@contextmanager
def chance(seed: int) -> Iterator[None]:
    """Inside it, torch's random numbers on the CPU are this seed's; outside they are as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def kept(word: str, network: nn.Module, optimiser: torch.optim.Optimizer) -> Kept:
    """A network with its optimiser's moments, by name, behind a word."""
    found = {f"{word}:{name}": each.detach() for name, each in network.state_dict().items()}
    for name, each in network.named_parameters():
        moments = optimiser.state.get(each, {})
        found |= {f"{word}:{name}/{moment}": torch.as_tensor(value) for moment, value in moments.items()}
    return found


def take_up(word: str, network: nn.Module, optimiser: torch.optim.Optimizer, state: Mapping[str, Tensor]) -> None:
    """The inverse of `kept`."""
    network.load_state_dict({name: state[f"{word}:{name}"] for name in network.state_dict()})
    for name, each in network.named_parameters():
        begun = f"{word}:{name}/"
        moments = {key.removeprefix(begun): value for key, value in state.items() if key.startswith(begun)}
        if moments:
            optimiser.state[each] = {moment: value.clone() for moment, value in moments.items()}


def behind(word: str, state: Mapping[str, Tensor]) -> Kept:
    """What stands behind a word."""
    begun = f"{word}:"
    return {name.removeprefix(begun): each for name, each in state.items() if name.startswith(begun)}
