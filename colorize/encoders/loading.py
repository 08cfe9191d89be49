"""Makes an encoder of a weights file, and makes the files that nishiki can make itself.

Every encoder is brought to one scale (calibrated), because β/α depends on it: activations times s change a style
loss by s⁴ and a content loss by s². Convolutions are positively homogeneous through ReLU, so each layer's factor
is absorbed by its weights.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from torch import Tensor
from torch.nn import functional

from colorize.encoders import torchvision_door as vision
from colorize.encoders.vgg19 import CONVOLUTIONS, OXFORD, TORCHVISION, Encoder, Preprocessing
from colorize.encoders.weights import (
    KEYS,
    RANDOM,
    VGG16_TORCHVISION,
    WeightsFile,
    check_unchanged,
    checksum_line,
    checksum_of,
    checksum_path,
    input_scale,
    layout_of,
    weights_file,
)
from colorize.encoders.weights import TORCHVISION as TORCHVISION_NAME
from colorize.errors import WeightsCorrupt
from colorize.images.resize import resized
from colorize.output.whole_file import whole_file

MEAN_ACTIVATIONS = (
    *(26.0, 127.0, 181.0, 170.0, 186.0, 232.0, 476.0, 760.0, 674.0, 436.0, 243.0, 62.0, 53.0),
    *(31.0, 13.0, 1.6),
)
"""Mean outputs of the original weights on ordinary pictures, conv1_1 to conv5_4; no loss goes past conv5_1."""

RANDOM_SEED = 0
INPUT_OXFORD = "RGB, range 0..255 float, minus mean [123.68, 116.779, 103.939]"
_INPUT_TORCHVISION = "RGB, range 0..1 float, minus mean [0.485, 0.456, 0.406], divided by std [0.229, 0.224, 0.225]"

_EMBEDDING = "embedding."

Convolutions = Mapping[str, tuple[Tensor, Tensor]]


def load_encoder(file: WeightsFile) -> Encoder:
    """The encoder of a file, float32 on the CPU, calibrated.

    Raises:
        WeightsCorrupt: the file changed since it was found; tensors are missing, misshapen or not finite, or the
            preprocessing is not named.
    """
    scale = input_scale(file)
    preprocessing = Preprocessing(scale.top / 255, scale.mean, scale.deviation)
    check_unchanged(file.path, checksum_of(file.path), file.checksum)
    state = load(file.path.read_bytes())
    convolutions = _convolutions(file.path, state)
    _checked(file.path, convolutions)
    embedding = _embedding(file.path, state, convolutions)
    encoder = Encoder(file.name, file.checksum, preprocessing, convolutions, embedding)
    return encoder if file.calibrated else calibrated(encoder)


def _convolutions(source: Path | str, state: Mapping[str, Tensor]) -> Convolutions:
    """A state by the names of torchvision's VGG-19 or VGG-16, by layer names and in float32.

    A convolution that VGG-16 lacks is one that passes on what it is given, so that all else knows VGG-19 alone.
    """
    layout = layout_of(state) or KEYS
    if missing := sorted({f"{key}.{part}" for key in layout if key for part in ("weight", "bias")} - set(state)):
        raise WeightsCorrupt(f"{source} is no VGG-19: it lacks {missing[0]} ({len(missing)} missing); get it again")
    found: dict[str, tuple[Tensor, Tensor]] = {}
    for name, key in zip(CONVOLUTIONS, layout, strict=True):
        if key is None:
            found[name] = _passing_on(*[*found.values()][-1])
        else:
            found[name] = state[f"{key}.weight"].float(), state[f"{key}.bias"].float()
    return found


def _passing_on(_: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The convolution that changes nothing in the output of the one with this bias."""
    weight = bias.new_zeros(len(bias), len(bias), 3, 3)
    weight[:, :, 1, 1] = torch.eye(len(bias))
    return weight, torch.zeros_like(bias)


def _embedding(path: Path, state: Mapping[str, Tensor], convolutions: Convolutions) -> Mapping[str, Tensor] | None:
    found = {key.removeprefix(_EMBEDDING): each.float() for key, each in state.items() if key.startswith(_EMBEDDING)}
    for name, matrix in found.items():
        channels = len(convolutions[name][1]) if name in convolutions else None
        if matrix.ndim != 2 or len(matrix) != channels or not matrix.isfinite().all():
            raise WeightsCorrupt(f"{path}: {_EMBEDDING}{name} does not fit its layer; make or get the file again")
    return found or None


def _checked(path: Path, convolutions: Convolutions) -> None:
    channels = 3
    for name, (weight, bias) in convolutions.items():
        if weight.shape[1:] != (channels, 3, 3) or bias.shape != weight.shape[:1] or not len(bias):
            shapes = f"{tuple(weight.shape)} and {tuple(bias.shape)}"
            raise WeightsCorrupt(
                f"{path}: {name} has shapes {shapes} after {channels} channels; make or get the file again"
            )
        if not (weight.isfinite().all() and bias.isfinite().all()):
            raise WeightsCorrupt(f"{path}: {name} holds numbers that are not finite; get the file again")
        channels = weight.shape[0]


def ordinary_pictures() -> Tensor:
    """Two photographs that come with scikit-image, float32, (2, 3, 224, 224), sRGB in [0, 255].

    On them the original weights' mean activations lie nearest to MEAN_ACTIVATIONS.
    """
    from skimage import data  # noqa: PLC0415  (weights that are calibrated already need no photographs)

    photographs: Any = data
    squares = [resized(picture[:400, -400:], 224) for picture in (photographs.astronaut(), photographs.coffee())]
    return torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float()


@torch.no_grad()
def calibrated(encoder: Encoder, means: Sequence[float] = MEAN_ACTIVATIONS, pictures: Tensor | None = None) -> Encoder:
    """The encoder with each layer rescaled to these mean activations on pictures, the ordinary ones when None.

    Raises:
        WeightsCorrupt: a layer answers with nothing but zeros, so that no factor can rescale it.
    """
    pictures = ordinary_pictures() if pictures is None else pictures
    activation = encoder.preprocessed(pictures.to(encoder.device, encoder.dtype))
    rescaled: dict[str, tuple[Tensor, Tensor]] = {}
    factor = 1.0
    for name, target in zip(CONVOLUTIONS, means, strict=True):
        weight, bias = encoder.convolutions[name]
        if name.endswith("_1") and name != "conv1_1":
            activation = functional.max_pool2d(activation, 2)
        # The layer below was multiplied by `factor` already, the bias has to follow it.
        output = functional.relu(functional.conv2d(activation, weight, bias * factor, padding=1))
        mean = float(output.mean())
        if not mean > 0:
            raise WeightsCorrupt(f"the weights {encoder.name} are dead: {name} gives only zeros; get them again")
        scale = target / mean
        rescaled[name] = (weight * scale, bias * factor * scale)
        activation, factor = output * scale, factor * scale
    return replace(encoder, convolutions=rescaled)


def random_encoder(
    seed: int = RANDOM_SEED, widths: tuple[int, ...] | None = None, pictures: Tensor | None = None
) -> Encoder:
    """An encoder with orthogonal random weights and no biases, calibrated; its checksum is empty.

    Random networks do transfer style (Ustyuzhaninov et al. 2016, He et al. 2016), without a notion of things.

    Args:
        widths: channels per block; VGG-19's when None, smaller ones for tests.
        pictures: what it is calibrated on; the ordinary ones when None.
    """
    generator = torch.Generator().manual_seed(seed)
    convolutions, channels = {}, 3
    for name in CONVOLUTIONS:
        width = (widths or (64, 128, 256, 512, 512))[int(name[4]) - 1]
        weight = torch.empty(width, channels, 3, 3)
        torch.nn.init.orthogonal_(weight, generator=generator)
        convolutions[name] = (weight, torch.zeros(width))
        channels = width
    return calibrated(Encoder(RANDOM, "", OXFORD, convolutions), pictures=pictures)


def random_weights(cache_dir: Path) -> WeightsFile:
    """The `random-seeded` file, made on first use.

    It is kept as a file because the last bits of a factorisation depend on the machine, while a checksum that
    stands beside figures must not.
    """
    name = f"{RANDOM}-{RANDOM_SEED}"
    path = cache_dir / f"{name}.safetensors"
    if not path.exists():
        metadata = {"name": RANDOM, "input": INPUT_OXFORD, "calibrated": "yes", "seed": str(RANDOM_SEED)}
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # with more, the last bits differ from one making to the next
        write_weights(path, random_encoder().convolutions, metadata)
        torch.set_num_threads(threads)
    return weights_file(path)


def download_weights(cache_dir: Path, url: str | None = None, *, vgg16: bool = False) -> WeightsFile:
    """Torchvision's VGG-19 or VGG-16, verified, calibrated and kept as safetensors without its classifier.

    Raises:
        WeightsCorrupt: the download failed or its checksum differs.
    """
    cache_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
        try:
            state = vision.vgg_state(Path(folder), url, vgg16=vgg16)
        except (RuntimeError, OSError) as error:
            again = f"try again: nishiki weights download{' vgg16' * vgg16}"
            raise WeightsCorrupt(f"VGG-{16 if vgg16 else 19} was not downloaded: {error}; {again}") from error
    name = VGG16_TORCHVISION if vgg16 else TORCHVISION_NAME
    encoder = calibrated(Encoder(name, "", TORCHVISION, _convolutions("what was downloaded", state)))
    path = cache_dir / f"{name}.safetensors"
    source = f"torchvision VGG{16 if vgg16 else 19}_Weights.IMAGENET1K_V1"
    metadata = {"name": name, "input": _INPUT_TORCHVISION, "source": source, "licence": "BSD-3-Clause (torchvision)"}
    if vgg16:  # the scale of a convolution that it lacks has no place in its file; it is found again when it is loaded
        write_tensors(path, {key: each for key, each in state.items() if key.startswith("features.")}, metadata)
    else:
        write_weights(path, encoder.convolutions, metadata | {"calibrated": "yes"})
    return weights_file(path)


def write_weights(
    path: Path, convolutions: Convolutions, metadata: dict[str, str], embedding: Mapping[str, Tensor] | None = None
) -> None:
    """Write an encoder's weights file and its checksum beside it."""
    tensors = {_EMBEDDING + name: each.contiguous() for name, each in (embedding or {}).items()}
    for name, key in zip(CONVOLUTIONS, KEYS, strict=True):
        weight, bias = convolutions[name]
        tensors |= {f"{key}.weight": weight.contiguous(), f"{key}.bias": bias.contiguous()}
    write_tensors(path, tensors, metadata)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a weights file and, before it, its checksum beside it, so that it is never there without one.

    Whole or not at all: processes may make the same file at once, and each reads a whole one.
    """
    data = _in_order(save(dict(tensors), metadata))
    path.parent.mkdir(parents=True, exist_ok=True)
    line = checksum_line(path, hashlib.sha256(data).hexdigest()).encode()
    for place, content in ((checksum_path(path), line), (path, data)):
        with whole_file(place) as temporary:
            temporary.write_bytes(content)


def _in_order(data: bytes) -> bytes:
    """A safetensors file with its header's keys sorted: the library's order is another each time, the checksum too."""
    length = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    return data[:8] + header.ljust(length) + data[8 + length :]
