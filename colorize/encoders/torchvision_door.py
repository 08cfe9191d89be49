"""The only door to torchvision.

The published torchvision wheel belongs to the CUDA build of torch; beside a CPU-only torch its import stops at
"operator torchvision::nms does not exist". Only the schema of two operators is missing that nishiki never calls,
so they are declared and the import is tried again. `torchvision.io` and `ops.nms` stay unusable: decode with Pillow.
"""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import torch
from torch import Tensor

_MISSING = "operator torchvision::nms does not exist"
_declared: list[object] = []
"""Kept alive: a library's declarations end with it."""


@cache
def models() -> ModuleType:
    """`torchvision.models`, whatever build of torch lies beside it."""
    try:
        import torchvision.models as found  # noqa: PLC0415
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _declare_operators()
        import torchvision.models as found  # noqa: PLC0415
    return cast("ModuleType", found)


def _declare_operators() -> None:
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    _declared.append(library)


def vgg_state(folder: Path, url: str | None = None, *, vgg16: bool = False) -> Mapping[str, Tensor]:
    """Torchvision's VGG-19 or VGG-16, downloaded into `folder` with a progress bar and verified by its SHA-256.

    Args:
        folder: an empty one, since a file that lies there already would not be verified.
        url: another place of the file; its name must carry the start of its SHA-256 in the same way.

    Returns:
        `features.N.weight`, `features.N.bias` and the classifier's, float32.

    Raises:
        RuntimeError: the checksum differs.
        OSError: the download failed.
    """
    source = url or (models().VGG16_Weights if vgg16 else models().VGG19_Weights).IMAGENET1K_V1.url
    state: dict[str, Tensor] = torch.hub.load_state_dict_from_url(
        source, model_dir=str(folder), progress=True, check_hash=True, map_location="cpu", weights_only=True
    )
    return state
