"""Which weights there are: safetensors files of VGG-19's convolutions or VGG-16's, found by folder and checksummed.

Loads no torch, so `nishiki weights list` answers at once; `colorize.encoders.loading` makes an encoder of a file.
A file's metadata names its preprocessing in one grammar (key `input`), for instance
"RGB, range 0..255 float, minus mean [123.68, 116.779, 103.939]; no division by std".
A checksum that stands beside a file (`NAME.sha256`, as sha256sum writes it) is held against it at every look.
"""

import hashlib
import json
import re
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from safetensors import SafetensorError, safe_open

from colorize.errors import WeightsCorrupt, WeightsMissing

SMALL = "nishiki-small"
RANDOM = "random-seeded"
OXFORD = "vgg19-oxford"
TORCHVISION = "vgg19-torchvision"
VGG16_OXFORD = "vgg16-oxford"
VGG16_TORCHVISION = "vgg16-torchvision"
PREFERENCE = (OXFORD, TORCHVISION)
"""Where several lie in one folder, the first of these is taken: recipes are tuned for the original."""
SHIPPED = Path(str(files("colorize.encoders").joinpath(f"{SMALL}.safetensors")))
"""The encoder that comes with nishiki."""
_PACKAGE = Path(str(files("colorize")))
FULL_WIDTHS = (64, 128, 256, 512, 512)
"""Channels of VGG-19's blocks; a distilled encoder has fewer."""

KEYS = tuple(f"features.{index}" for index in (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34))
"""Torchvision's names of the convolutions conv1_1 to conv5_4, in their order."""
VGG16_KEYS = tuple(
    None if index is None else f"features.{index}"
    for index in (0, 2, 5, 7, 10, 12, 14, None, 17, 19, 21, None, 24, 26, 28, None)
)
"""The same of VGG-16, whose last three blocks have no fourth convolution."""
BLOCK_STARTS = (0, 2, 4, 8, 12)
"""Where among them each block's first stands."""


@dataclass(frozen=True)
class WeightsFile:
    """A file that an encoder can be made of."""

    name: str
    path: Path
    checksum: str
    """SHA-256 (hex) of the file."""
    size_bytes: int
    widths: tuple[int, ...]
    """Channels of the five blocks."""
    metadata: Mapping[str, str]
    vgg16: bool = False

    @property
    def calibrated(self) -> bool:
        """Are its layers on the scale that β/α is stated for? The original weights are that scale."""
        return self.name == OXFORD or self.metadata.get("calibrated") == "yes"

    @property
    def full(self) -> bool:
        """Is it a trained VGG-19 of the original's size, whoever trained it?"""
        return self.name != RANDOM and self.widths == FULL_WIDTHS and not self.vgg16

    @property
    def quality(self) -> Mapping[str, float]:
        """How well it stands for VGG-19, as measured when it was made; empty where nothing is said."""
        try:
            said = json.loads(self.metadata.get("quality", "{}"))
        except ValueError:
            return {}
        figures = said.items() if isinstance(said, dict) else ()
        return {name: float(value) for name, value in figures if isinstance(value, int | float)}


def weights_in(folder: Path) -> Iterator[WeightsFile]:
    """The usable files of a folder, preferred ones first, random ones last; other safetensors files are passed over.

    Raises:
        WeightsCorrupt: a file cannot be read at all, or is not the one whose checksum stands beside it.
    """
    found = [file for path in sorted(folder.glob("*.safetensors")) if (file := _read(path)) is not None]
    order = {name: position for position, name in enumerate((*PREFERENCE, "", RANDOM))}
    yield from sorted(found, key=lambda file: order.get(file.name, order[""]))


def available_weights(weights_dir: Path | None, cache_dir: Path) -> list[WeightsFile]:
    """Every usable file: the operator's own folder, then the shipped one, then what was downloaded or made.

    Raises:
        WeightsMissing: the operator's folder holds none; others would not be what was asked for.
        WeightsCorrupt: a file cannot be read, or is not the one that was kept.
    """
    own = [] if weights_dir is None else list(weights_in(weights_dir))
    if weights_dir is not None and not own:
        raise WeightsMissing(
            f"{weights_dir} holds no VGG-19 weights as safetensors; put a file there, or unset NISHIKI_WEIGHTS_DIR "
            "and run: nishiki weights download"
        )
    return [*own, shipped_weights(), *weights_in(cache_dir)]


def shipped_weights() -> WeightsFile:
    """The small encoder that comes with nishiki.

    Raises:
        WeightsCorrupt: it is not there, or not the one that was shipped.
    """
    if not SHIPPED.exists() or recorded_checksum(SHIPPED) is None:
        raise WeightsCorrupt(f"{SHIPPED} or its checksum is gone; {_remedy(SHIPPED)}")
    return weights_file(SHIPPED)


def weights_file(path: Path) -> WeightsFile:
    """The weights in this file.

    Raises:
        WeightsCorrupt: they cannot be read, or are not those whose checksum stands beside them.
    """
    if (found := _read(path)) is None:
        raise WeightsCorrupt(f"{path} holds no VGG-19; {_remedy(path)}")
    return found


def checksum_line(path: Path, checksum: str) -> str:
    """What stands in the file beside the weights; `sha256sum --check` reads it too."""
    return f"{checksum}  {path.name}\n"


def checksum_path(path: Path) -> Path:
    """Where the checksum of a weights file is recorded."""
    return path.with_suffix(".sha256")


def recorded_checksum(path: Path) -> str | None:
    """The checksum (hex) that was recorded for the file; None for a file that was put there by hand."""
    beside = checksum_path(path)
    return beside.read_text(encoding="ascii", errors="replace").partition(" ")[0].strip() if beside.exists() else None


_HASHED: dict[tuple[Path, int, int, int], str] = {}
_TICK_S = 0.05
"""A file that was written so shortly before may be written again without another time of change."""


def checksum_of(path: Path) -> str:
    """SHA-256 (hex) of a file, read once in a process while its size and time of change stay the same."""
    seen = path.stat()
    key = (path, seen.st_ino, seen.st_size, seen.st_mtime_ns)
    if (known := _HASHED.get(key)) is not None:
        return known
    settled = time.time() - seen.st_mtime > _TICK_S
    with path.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    if settled:
        _HASHED[key] = checksum
    return checksum


def check_unchanged(path: Path, found: str, expected: str | None) -> None:
    """Hold a file's checksum against the one that it should have.

    Raises:
        WeightsCorrupt: it is another.
    """
    if expected not in (None, found):
        raise WeightsCorrupt(
            f"{path} is damaged or was replaced: its SHA-256 begins with {found[:12]}, "
            f"{str(expected)[:12] or 'none'} was recorded; {_remedy(path)}"
        )


def _remedy(path: Path) -> str:
    """The command that brings the file back."""
    if path == SHIPPED or path.is_relative_to(_PACKAGE):
        names = f"{path.name} {checksum_path(path).name}"
        return f"bring it back: git -C {path.parent} checkout -- {names} (or install nishiki again)"
    if path.stem in (TORCHVISION, VGG16_TORCHVISION):
        return f"get it again: nishiki weights download{' vgg16' * (path.stem == VGG16_TORCHVISION)}"
    if path.stem.startswith(RANDOM):
        return f"remove it, and it is made again when it is named: rm {path}"
    return "get it again from where it came, or remove it"


def _read(path: Path) -> WeightsFile | None:
    checksum = checksum_of(path)
    check_unchanged(path, checksum, recorded_checksum(path))
    try:
        with safe_open(path, framework="np") as file:
            metadata = dict(file.metadata() or {})
            if (layout := layout_of(file.keys())) is None:
                return None
            widths = tuple(file.get_slice(f"{layout[first]}.weight").get_shape()[0] for first in BLOCK_STARTS)
    except (SafetensorError, OSError) as error:
        raise WeightsCorrupt(f"{path} is no readable safetensors file ({error}); {_remedy(path)}") from error
    vgg16 = layout == VGG16_KEYS
    name = _name(path, metadata, VGG16_OXFORD if vgg16 else OXFORD)
    return WeightsFile(name, path, checksum, path.stat().st_size, widths, metadata, vgg16)


def layout_of(keys: Collection[str]) -> tuple[str | None, ...] | None:
    """KEYS or VGG16_KEYS, whichever a file with tensors of these names has; None: it is neither."""
    for layout in (KEYS, VGG16_KEYS):
        if {f"{key}.weight" for key in layout if key} <= set(keys):
            return layout
    return None


def _name(path: Path, metadata: Mapping[str, str], oxford: str) -> str:
    if "name" in metadata:
        return metadata["name"]
    return oxford if "Oxford" in metadata.get("arch", "") else path.stem


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
