"""A picture in the middle of its colorization, as a file: written whole or not at all, taken up only where it fits.

Called by `colorize.colorizer`. A safetensors file holds the descent's tensors; its header says what they belong to.
The start's noise comes from the recipe's seed and nothing else is drawn, so there is no other random state to keep.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from colorize.output.whole_file import whole_file

FORMAT = "nishiki checkpoint 1"

State = tuple[dict[str, Tensor], dict[str, Any]]
"""A descent's tensors of one picture, and what it says in words."""


@dataclass(frozen=True)
class Identity:
    """What a checkpoint belongs to; all of it decides the picture that comes out."""

    recipe: str
    """The recipe's digest, which covers seed, size and iterations."""
    weights: str
    """Checksum of the encoder's file."""
    content: str
    style: str
    """SHA-256 of each picture's pixels at working size."""
    precision: str
    device: str
    """`cpu` or `cuda`: another kind rounds otherwise."""
    torch: str


_WORDS = {
    "recipe": "another recipe",
    "weights": "other weights",
    "content": "another content image",
    "style": "another style image",
    "precision": "another precision",
    "device": "another kind of device",
    "torch": "another version of torch",
}


def write_checkpoint(path: Path, identity: Identity, state: State) -> None:
    """Keep the state at `path`; a crash leaves the earlier one, and perhaps a `.tmp` beside it.

    Raises:
        OSError, SafetensorError: it cannot be written.
    """
    tensors, words = {name: each.contiguous() for name, each in state[0].items()}, json.dumps(state[1])
    header = {"format": FORMAT, "identity": json.dumps(asdict(identity)), "words": words}
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        save_file(tensors, temporary, header | {"digest": _digest(tensors, words)})


def read_checkpoint(path: Path, identity: Identity) -> State | str | None:
    """The state kept at `path`; a sentence where what lies there does not fit; None where nothing does."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header: Mapping[str, str] = file.metadata() or {}
            if problem := _misfit(header, identity):
                return f"the checkpoint {path.name} is of {problem}; begun anew"
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            if header["digest"] != _digest(tensors, header["words"]):
                return f"the checkpoint {path.name} is damaged (its digest is another); begun anew"
            return tensors, json.loads(header["words"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        return f"the checkpoint {path.name} is damaged ({error}); begun anew"


def _digest(tensors: Mapping[str, Tensor], words: str) -> str:
    """SHA-256 (hex) of all that is taken up; safetensors itself looks at lengths only."""
    found = hashlib.sha256(words.encode())
    for name in sorted(tensors):
        found.update(name.encode())
        found.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def _misfit(header: Mapping[str, str], identity: Identity) -> str | None:
    if header.get("format") != FORMAT:
        return "another program"
    theirs = json.loads(header["identity"])
    return next((_WORDS[key] for key, value in asdict(identity).items() if theirs.get(key) != value), None)
