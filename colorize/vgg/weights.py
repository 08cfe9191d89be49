"""Which weights there are: safetensors files of VGG-19's convolutions, found by folder, named and checksummed.

Loads no torch, so `nishiki weights list` answers at once; `colorize.vgg.loading` makes an encoder of a file.
A file's metadata names its preprocessing in one grammar (key `input`), for instance
"RGB, range 0..255 float, minus mean [123.68, 116.779, 103.939]; no division by std".
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from colorize.errors import WeightsCorrupt, WeightsMissing

RANDOM = "random-seeded"
OXFORD = "vgg19-oxford"
TORCHVISION = "vgg19-torchvision"
PREFERENCE = (OXFORD, TORCHVISION)
"""Where several lie in one folder, the first of these is taken: recipes are tuned for the original."""

KEYS = tuple(f"features.{index}" for index in (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34))
"""Torchvision's names of the convolutions conv1_1 to conv5_4, in their order."""


@dataclass(frozen=True)
class WeightsFile:
    """A file that an encoder can be made of."""

    name: str
    path: Path
    checksum: str
    """SHA-256 (hex) of the file."""
    size_bytes: int
    metadata: Mapping[str, str]

    @property
    def calibrated(self) -> bool:
        """Are its layers on the scale that β/α is stated for? The original weights are that scale."""
        return self.name == OXFORD or self.metadata.get("calibrated") == "yes"


def weights_in(folder: Path) -> Iterator[WeightsFile]:
    """The usable files of a folder, preferred ones first; other safetensors files are passed over.

    Raises:
        WeightsCorrupt: a file cannot be read at all.
    """
    found = [file for path in sorted(folder.glob("*.safetensors")) if (file := _read(path)) is not None]
    order = {name: position for position, name in enumerate(PREFERENCE)}
    yield from sorted(found, key=lambda file: order.get(file.name, len(order)))


def find_weights(weights_dir: Path | None, cache_dir: Path) -> WeightsFile | None:
    """The weights to use: the operator's own folder, else what was downloaded, else None (`random-seeded`).

    Raises:
        WeightsMissing: the operator's folder holds none; random ones would not be what was asked for.
        WeightsCorrupt: a file cannot be read.
    """
    if weights_dir is None:
        return next((file for file in weights_in(cache_dir) if file.name != RANDOM), None)
    for file in weights_in(weights_dir):
        return file
    raise WeightsMissing(
        f"{weights_dir} holds no VGG-19 weights as safetensors; put a file there, or unset NISHIKI_WEIGHTS_DIR "
        "and run: nishiki weights download"
    )


def _read(path: Path) -> WeightsFile | None:
    try:
        with safe_open(path, framework="np") as file:
            metadata = dict(file.metadata() or {})
            keys = set(file.keys())
    except (SafetensorError, OSError) as error:
        raise WeightsCorrupt(f"{path} is no readable safetensors file ({error}); remove it or get it again") from error
    if not {f"{key}.weight" for key in KEYS} <= keys:
        return None
    with path.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    return WeightsFile(_name(path, metadata), path, checksum, path.stat().st_size, metadata)


def _name(path: Path, metadata: Mapping[str, str]) -> str:
    if "name" in metadata:
        return metadata["name"]
    return OXFORD if "Oxford" in metadata.get("arch", "") else path.stem


@dataclass(frozen=True)
class InputScale:
    """A file's `input` metadata as numbers: RGB in [0, top], minus mean, over deviation."""

    top: float
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


def input_scale(file: WeightsFile) -> InputScale:
    """What the metadata says of the input.

    Raises:
        WeightsCorrupt: it says nothing that can be read; guessing would give wrong figures.
    """
    text = file.metadata.get("input", "")
    top = re.search(r"range 0\.\.(1|255)\b", text)
    mean = _triple(r"mean", text)
    if not text.startswith("RGB") or top is None or mean is None:
        raise WeightsCorrupt(
            f"{file.path}: the metadata must name the preprocessing, as in "
            f'input = "RGB, range 0..255 float, minus mean [123.68, 116.779, 103.939]"; it says {text!r}'
        )
    return InputScale(float(top[1]), mean, _triple(r"std", text) or (1.0, 1.0, 1.0))


def _triple(word: str, text: str) -> tuple[float, float, float] | None:
    number = r"\s*(\d+(?:\.\d+)?)\s*"
    found = re.search(rf"{word} \[{number},{number},{number}\]", text)
    return (float(found[1]), float(found[2]), float(found[3])) if found else None
