"""The two ICC profiles that pictures are brought to and saved with: sRGB, and gray by sRGB's curve.

`colorize.images.decode` decodes by them, `colorize.output.saving` embeds the first. Equal bytes on every day.
"""

import struct
from functools import cache
from typing import Final

from PIL import ImageCms

_DATE: Final = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
_SRGB_CURVE: Final = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
"""IEC 61966-2-1 as ICC's parametric curve of type 3."""
_D50: Final = (0.9642, 1.0, 0.8249)


@cache
def srgb_profile() -> bytes:
    """LittleCMS's sRGB; its header would otherwise hold the time of day."""
    made = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return made[:24] + _DATE + made[36:]


@cache
def gray_profile() -> bytes:
    """A monochrome display profile (ICC.1:2010) whose gray is that of R = G = B in sRGB."""
    name = "nishiki gray".encode("utf-16-be")
    text = b"mluc" + struct.pack(">3I2s2s2I", 0, 1, 12, b"en", b"US", len(name), 28) + name
    curve = b"para" + struct.pack(">I2H5i", 0, 3, 0, *map(_fixed, _SRGB_CURVE))
    white = b"XYZ " + struct.pack(">I3i", 0, *map(_fixed, _D50))
    bodies = {b"desc": text, b"cprt": text, b"wtpt": white, b"kTRC": curve}
    at = 128 + 4 + 12 * len(bodies)
    table, data = struct.pack(">I", len(bodies)), b""
    for tag, body in bodies.items():
        table += tag + struct.pack(">2I", at + len(data), len(body))
        data += body
    kinds = struct.pack(">4sI4s4s4s", b"", 0x04300000, b"mntr", b"GRAY", b"XYZ ")
    header = struct.pack(">I", at + len(data)) + kinds + _DATE + b"acsp".ljust(32, b"\0")
    return (header + struct.pack(">3i", *map(_fixed, _D50))).ljust(128, b"\0") + table + data


def _fixed(value: float) -> int:
    """As s15Fixed16."""
    return round(value * 65536)
