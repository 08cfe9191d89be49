"""A curator's marks: dots and strokes with a colour, from JSON or from a PNG laid over the picture.

The command and the review page hand over the bytes; `rasterised` gives what `finish.spreading` spreads. Bytes are
untrusted: everything wrong with them is named at once, and their size is bounded before they are unpacked.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw
from PIL.PngImagePlugin import PngImageFile
from skimage.color import rgb2lab

from colorize.errors import BadMarks, UnreadableImage
from colorize.images.decode import decode

Rgba = NDArray[np.uint8]

PIGMENTS: Final = {
    "beni": "#d2625c",  # safflower red
    "bengara": "#93452f",  # red iron oxide
    "shio": "#d6a02e",  # gamboge
    "gamboge": "#d6a02e",
    "ai": "#345474",  # indigo
    "sumi": "#262428",  # ink
}
"""Names of the print's own colours, as they look on the paper; all of CSS's names are known besides."""

MOST_BYTES: Final = 8_000_000
"""Of JSON."""
MOST_POINTS: Final = 20_000
_NAMED_FAULTS: Final = 20
_ROUNDING_PX: Final = 8
"""What each side of an overlay may be off by: pictures at working size have multiples of 16."""
_PNG: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Mark:
    """A dot (one point) or a stroke (several)."""

    points: tuple[tuple[float, float], ...]
    """(x, y) in pixels of the content at full size, from its upper left corner."""
    colour: tuple[int, int, int]
    """sRGB; its lightness is not used."""
    width_px: float = 7.0
    """At full size; at working size at least one pixel is left of it."""


@dataclass(frozen=True)
class Strokes:
    """Marks as they were listed; a later one lies over an earlier one."""

    marks: tuple[Mark, ...]
    width: int
    height: int
    """Of the content at full size."""

    def painted(self, shape: tuple[int, int]) -> Rgba:
        """(h, w, 4), alpha 0 or 255."""
        layer = Image.new("RGBA", (shape[1], shape[0]))
        draw = ImageDraw.Draw(layer)
        across, down = shape[1] / self.width, shape[0] / self.height
        for mark in self.marks:
            places = [(int(x * across), int(y * down)) for x, y in mark.points]
            width_px = max(1, round(mark.width_px * (across + down) / 2))
            draw.line(places, mark.colour, width_px)
            for x, y in places:  # round ends and joints, and dots
                draw.circle((x, y), (width_px - 1) / 2, mark.colour)
                draw.point((x, y), mark.colour)
        painted: Rgba = np.array(layer)
        return painted


@dataclass(frozen=True, eq=False)
class Overlay:
    """Marks as a picture of the content's aspect."""

    pixels: Rgba = field(repr=False)
    """(h', w', 4); what is more opaque than not is a mark in its own colour."""

    def painted(self, shape: tuple[int, int]) -> Rgba:
        """(h, w, 4): every marked pixel finds a place, so that a thin stroke does not vanish between samples."""
        sides = [np.arange(long) * short // long for long, short in zip(self.pixels.shape[:2], shape, strict=True)]
        back = [np.arange(short) * long // short for long, short in zip(self.pixels.shape[:2], shape, strict=True)]
        layer: Rgba = self.pixels[back[0]][:, back[1]]
        rows, columns = np.nonzero(_opaque(self.pixels))
        layer[sides[0][rows], sides[1][columns]] = self.pixels[rows, columns]
        return layer


Marks = Strokes | Overlay


def read_marks(data: bytes, width: int, height: int) -> Marks:
    """Marks for a content of this size, from `{"marks": [{"points": [[x, y]], "width": 7, "colour": "beni"}]}` or PNG.

    A colour is #rrggbb, a name of CSS, or a name in `PIGMENTS`; the width may be left out.

    Args:
        data: the whole file; the bytes decide which of the two it is.
        width: of the content at full size.
        height: of the content at full size.

    Raises:
        BadMarks: with every fault, one by one.
    """
    if data.startswith(_PNG):
        return _overlay(data, width, height)
    return _strokes(data, width, height)


def rasterised(marks: Marks, shape: tuple[int, int]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Where the marks lie at working size, bool (h, w), and their a, b, float32 (h, w, 2), 0 elsewhere."""
    layer = marks.painted(shape)
    marked = _opaque(layer)
    colours = np.zeros((*shape, 2), np.float32)
    colours[marked] = rgb2lab(layer[marked][:, :3])[:, 1:]
    return marked, colours


def _opaque(layer: Rgba) -> NDArray[np.bool_]:
    return np.asarray(layer[..., 3] > 127)


def _overlay(data: bytes, width: int, height: int) -> Overlay:
    across, down = struct.unpack(">II", data[16:24].ljust(8, b"\0"))  # PNG's header: sizes before any pixel
    sizes = f"the overlay has {across} × {down} px, the picture {width} × {height}"
    if across > width + _ROUNDING_PX or down > height + _ROUNDING_PX:
        raise _bad([f"{sizes}; an overlay is drawn on the picture or on a smaller version of it"])
    if not down or abs(across * height - down * width) > _ROUNDING_PX * (width + height):
        raise _bad([f"{sizes}, of another aspect; draw on the picture itself"])
    try:
        decode(data)
    except UnreadableImage as error:
        raise _bad([f"the overlay cannot be read: {error}"]) from error
    with PngImageFile(BytesIO(data)) as image:
        layer = np.array(image.convert("RGBA"))
    if not _opaque(layer).any():
        raise _bad(["the overlay has no opaque pixel, so no mark at all"])
    if _opaque(layer).all():
        raise _bad(["the overlay has no transparent pixel, so it marks all and leaves nothing to colour"])
    return Overlay(layer)


def _strokes(data: bytes, width: int, height: int) -> Strokes:
    entries = _entries(data)
    points = sum(len(entry["points"]) for entry in entries if _has_points(entry))
    if max(points, len(entries)) > MOST_POINTS:
        raise _bad([f"there are {points:,} points in {len(entries):,} marks, over the limit of {MOST_POINTS:,}"])
    numbered = enumerate(entries, start=1)
    faults = [f"mark {number} {fault}" for number, entry in numbered for fault in _faults(entry, width, height)]
    if faults:
        raise _bad(faults)
    return Strokes(tuple(_mark(entry) for entry in entries), width, height)


def _entries(data: bytes) -> list[Any]:
    if len(data) > MOST_BYTES:
        raise _bad([f"they are {len(data):,} bytes long, over the limit of {MOST_BYTES:,}"])
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad([f"they are neither JSON ({error}) nor a PNG"]) from error
    entries = found.get("marks") if isinstance(found, dict) else None
    if not isinstance(entries, list):
        raise _bad(['the JSON holds no list of marks; write {"marks": [{"points": [[x, y]], "colour": "#b5402e"}]}'])
    if not entries:
        raise _bad(["there is no mark at all"])
    return entries


def _faults(entry: Any, width: int, height: int) -> Iterator[str]:
    """What is wrong with one mark, each at its first point that shows it."""
    if not isinstance(entry, dict):
        yield f"is {_shown(entry)}, no object with points and a colour"
        return
    yield from _misplaced(entry, width, height)
    widest = max(width, height) / 4
    if not (_is_number(wide := entry.get("width", 1)) and 0 < wide <= widest):
        yield f"has the width {_shown(wide)}; give a number above 0, to {widest:g}"
    if (colour := entry.get("colour")) is None:
        yield "has no colour"
    elif _rgb(colour) is None:
        known = ", ".join(PIGMENTS)
        yield f"has an unknown colour {_shown(colour)}; give #rrggbb, a name of CSS, or one of {known}"


def _misplaced(entry: dict[str, Any], width: int, height: int) -> Iterator[str]:
    if not _has_points(entry):
        yield 'has no points; give "points": [[x, y]]'
        return
    for point in entry["points"]:
        if not (isinstance(point, list) and len(point) == 2 and all(map(_is_number, point))):
            yield f"has a point {_shown(point)}; give [x, y]"
            return
        for axis, place, side in zip("xy", point, (width, height), strict=True):
            if not 0 <= place < side:
                yield f"lies outside the picture ({axis} {_shown(place)} of {side})"
                return


def _mark(entry: dict[str, Any]) -> Mark:
    colour = _rgb(entry["colour"])
    assert colour is not None  # `_faults` asked
    points = tuple((float(x), float(y)) for x, y in entry["points"])
    return Mark(points, colour, float(entry.get("width", Mark.width_px)))


def _has_points(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("points"), list) and bool(entry["points"])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rgb(colour: Any) -> tuple[int, int, int] | None:
    """sRGB, or None for what is no colour's name."""
    if not isinstance(colour, str):
        return None
    try:
        red, green, blue, *_ = ImageColor.getrgb(PIGMENTS.get(colour, colour))
    except ValueError:
        return None
    return red, green, blue


def _shown(value: Any) -> str:
    """What the file says there, cut short: it may say anything, at any length."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"


def _bad(faults: list[str]) -> BadMarks:
    more = f" and {len(faults) - _NAMED_FAULTS} faults more" if len(faults) > _NAMED_FAULTS else ""
    return BadMarks(f"the marks cannot be used: {'; '.join(faults[:_NAMED_FAULTS])}{more}. Correct them and try again.")
