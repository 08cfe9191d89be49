"""A colorized picture as a file of the format that its name asks for, with its provenance inside.

Whoever writes a file that a person named calls `encode`, whoever keeps a result in the catalogue `kept`. Equal input
gives equal bytes. Nothing is written here.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from colorize.errors import UnwritableFormat
from colorize.finish.fullsize import narrowed
from colorize.images.decode import DEEP_COLOUR, Pixels
from colorize.images.icc import srgb_profile
from colorize.output.provenance import Provenance, encode_png, texts, xmp
from colorize.output.trust_map import trust_map
from colorize.results import Colorization

JPEG_QUALITY: Final = 92
_JPEG_SIDE_PX: Final = 65_500
"""libjpeg's own limit."""
_XMP_TAG, _BYTE = 700, 1


def encode(pixels: NDArray[Any], provenance: Provenance, path: Path) -> bytes:
    """The file's bytes, in the format of the path's suffix: `SUFFIXES`.

    TIFF has 16 bits a channel and is lossless, PNG has 8 and is lossless, JPEG is for the web. Fewer bits than the
    pixels have are rounded so that L is kept.

    Args:
        pixels: uint8 or uint16, (H, W, 3), sRGB.
        provenance: what is written into the file.
        path: only its name is looked at.

    Raises:
        UnwritableFormat: the suffix, or a picture too large for the format.
    """
    check_suffix(path)
    return _ENCODERS[path.suffix.lower()](pixels, provenance)


@dataclass(frozen=True)
class Kept:
    """A result as the catalogue keeps it."""

    data: bytes
    suffix: str
    mode: str
    """Of its pixels, by the name that decoding gives them."""


def kept(result: Colorization, provenance: Provenance) -> Kept:
    """A result at the depth of its scan: TIFF with 16 bits a channel where the scan has them, else PNG."""
    if result.deep is None:
        return Kept(encode_png(result.picture, provenance), ".png", "RGB")
    return Kept(_tiff(result.deep, provenance), ".tif", DEEP_COLOUR)


def kept_trust(result: Colorization, provenance: Provenance) -> bytes | None:
    """The map of trust as PNG, which says that it is one; None where the method tells no trust."""
    drawn = trust_map(result)
    return None if drawn is None else encode_png(drawn, replace(provenance, map_of_trust=True))


def check_suffix(path: Path) -> None:
    """Before the work, not after it: can `encode` write a file of that name?

    Raises:
        UnwritableFormat: no.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UnwritableFormat(
            f"{path.name}: {path.suffix or 'no suffix'} names no format that is written. "
            f"End the name in one of {', '.join(SUFFIXES)}."
        )


def _png(pixels: NDArray[Any], provenance: Provenance) -> bytes:
    return encode_png(_eight_bits(pixels), provenance)


def _tiff(pixels: NDArray[Any], provenance: Provenance) -> bytes:
    wide = pixels if pixels.dtype == np.uint16 else pixels.astype(np.uint16) * np.uint16(257)
    packet = xmp(provenance).encode()
    file = BytesIO()
    tifffile.imwrite(
        file, wide, photometric="rgb", compression="deflate", predictor=True, compressionargs={"level": 1},
        iccprofile=srgb_profile(), description=texts(provenance)["description"].encode(), software=provenance.software,
        metadata=None, extratags=[(_XMP_TAG, _BYTE, len(packet), packet, True)],
    )  # fmt: skip
    return file.getvalue()


def _jpeg(pixels: NDArray[Any], provenance: Provenance) -> bytes:
    height, width = pixels.shape[:2]
    if max(height, width) > _JPEG_SIDE_PX:
        raise UnwritableFormat(
            f"the picture has {width:,} × {height:,} pixels, and JPEG holds {_JPEG_SIDE_PX:,} a side. "
            "Write PNG or TIFF."
        )
    file = BytesIO()
    Image.fromarray(_eight_bits(pixels)).save(
        file, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4", icc_profile=srgb_profile(),
        xmp=xmp(provenance).encode(), comment=texts(provenance)["description"].encode(),
    )  # fmt: skip
    return file.getvalue()


def _eight_bits(pixels: NDArray[Any]) -> Pixels:
    return narrowed(pixels) if pixels.dtype == np.uint16 else pixels


_ENCODERS: Final[dict[str, Callable[[NDArray[Any], Provenance], bytes]]] = {
    ".png": _png, ".tif": _tiff, ".tiff": _tiff, ".jpg": _jpeg, ".jpeg": _jpeg,
}  # fmt: skip
SUFFIXES: Final = tuple(_ENCODERS)
"""What `encode` writes, in lower case."""
