"""TIFF where Pillow stops: which page of a file is the picture, and samples of 9 to 16 bits as they are stored.

`colorize.images.decode` calls it. Everything is found by the header's own tags; no more is unpacked than they promise.
"""

import struct
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin

from colorize.images.pages import Page

Samples = NDArray[np.uint16]
"""uint16, (H, W, channels), as stored."""

WHITE_IS_ZERO: Final = 0
_BLACK_IS_ZERO, _RGB, _MASK = 1, 2, 4
_SUBFILE, _SUB_PAGES = 254, 330
_WIDTH, _LENGTH = TiffImagePlugin.IMAGEWIDTH, TiffImagePlugin.IMAGELENGTH
_BITS, _FORMAT = TiffImagePlugin.BITSPERSAMPLE, TiffImagePlugin.SAMPLEFORMAT
_PHOTOMETRIC, _EXTRA = TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, TiffImagePlugin.EXTRASAMPLES
_CHANNELS: Final = {WHITE_IS_ZERO: 1, _BLACK_IS_ZERO: 1, _RGB: 3}
_PLAIN: Final[Mapping[int, tuple[int, ...]]] = {
    TiffImagePlugin.COMPRESSION: (1, 8, 32946),  # none, Deflate by either of its numbers
    TiffImagePlugin.PLANAR_CONFIGURATION: (1, 2),
    TiffImagePlugin.FILLORDER: (1,),
}
"""What a TIFF's tags must say for its samples to be read here."""
_HORIZONTAL: Final = 2
_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""Types of whole numbers in a directory, as `struct` calls them."""
_MOST_PAGES, _MOST_ENTRIES, _MOST_NUMBERS = 1000, 1000, 256
_LEAST_BITS, _MOST_EXTRA = 9, 3


class TiffReader(TiffImagePlugin.TiffImageFile):
    """Pillow's reader without its guard `MAX_IMAGE_PIXELS`, which refuses legal scans of 190 megapixels.

    The guard is one number for the whole process; `decode` asks its own limit instead, picture by picture. What Pillow
    has no mode for is opened too, if `samples` reads it; alpha that is multiplied into the colours is left so.
    """

    associated = False
    """Are the colours said to be multiplied with their alpha?"""
    negative = False
    """Is white zero?"""

    def _setup(self) -> None:
        tags = self.tag_v2
        self.negative = tags.get(_PHOTOMETRIC) == WHITE_IS_ZERO
        self.associated = 1 in _several(tags.get(_EXTRA, ()))
        try:
            super()._setup()
        except SyntaxError:
            if readable(tags):
                self._mode, self.tile = "RGB", []
                return
            if not self.negative:
                raise
            tags[_PHOTOMETRIC] = _BLACK_IS_ZERO  # Pillow has few modes for the others, and the samples are the same
            super()._setup()
        if self.associated:
            self._mode = self._mode.replace("a", "A")
            self.tile = [_in_mode(tile, _mode(tile).replace("a", "A")) for tile in self.tile]

    def load_prepare(self) -> None:
        """As Pillow does it, but for the guard."""
        if self._im is None:
            self.im = Image.new(self.mode, self._tile_size).im
        ImageFile.ImageFile.load_prepare(self)


def pages(data: bytes) -> list[Page]:
    """Every picture of a file, those within others too, in the file's order; as far as its directories can be read."""
    found: list[Page] = []
    with suppress(struct.error, LookupError, OverflowError):  # what is wrong with the page taken, its reader tells
        found.extend(_pages(data))
    return found


def opened_at(data: bytes, page: Page) -> bytes:
    """The same file, its header pointing at that page first."""
    order, big = _header(data)
    where = struct.pack(f"{order}{'Q' if big else 'I'}", page.at)
    start = 8 if big else 4
    return b"".join((data[:start], where, memoryview(data)[start + len(where) :]))


def _pages(data: bytes) -> Iterator[Page]:
    order, big = _header(data)
    (first,) = struct.unpack_from(f"{order}Q" if big else f"{order}I", data, 8 if big else 4)
    waiting, seen, count = [("", first)], {0}, 0
    while waiting and len(seen) <= _MOST_PAGES:
        parent, at = waiting.pop(0)
        if at in seen:
            continue
        seen.add(at)
        tags, following = _directory(data, at, order, big=big)
        if not parent:
            count += 1
            waiting.append(("", following))
        name = parent or str(count)
        inside = [(f"{name}.{place}", sub) for place, sub in enumerate(tags.get(_SUB_PAGES, ()), start=1)]
        waiting[:0] = inside
        if tags.get(_WIDTH) and tags.get(_LENGTH):
            yield Page(name, at, tags[_WIDTH][0], tags[_LENGTH][0], _is_mask(tags))


def _is_mask(tags: Mapping[int, tuple[int, ...]]) -> bool:
    return bool(tags.get(_SUBFILE, (0,))[0] & _MASK) or tags.get(_PHOTOMETRIC) == (_MASK,)


def _header(data: bytes) -> tuple[str, bool]:
    """`struct`'s byte order, and whether offsets have 64 bits."""
    return "<" if data.startswith(b"II") else ">", 43 in data[2:4]


def _directory(data: bytes, at: int, order: str, *, big: bool) -> tuple[dict[int, tuple[int, ...]], int]:
    """Tag → its whole numbers, and where the next directory begins."""
    counts, entry, offset = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    (count,) = struct.unpack_from(order + counts, data, at)
    at += struct.calcsize(order + counts)
    size, tags = struct.calcsize(order + entry), {}
    for place in range(min(count, _MOST_ENTRIES)):
        tag, kind, many, value = struct.unpack_from(order + entry, data, at + place * size)
        letter = _NUMBERS.get(kind)
        if letter is None or not 0 < many <= _MOST_NUMBERS:
            continue
        form = f"{order}{many}{letter}"
        if struct.calcsize(form) > len(value):
            (start,) = struct.unpack(order + offset, value)
            tags[tag] = struct.unpack_from(form, data, start)
        else:
            tags[tag] = struct.unpack_from(form, value)
    (following,) = struct.unpack_from(order + offset, data, at + count * size)
    return tags, following


def readable(tags: Any) -> bool:
    """Are these samples that `samples` reads: gray or RGB of 9 to 16 bits, in strips, plain or deflated?"""
    bits, channels = bits_of(tags), _CHANNELS.get(tags.get(_PHOTOMETRIC, -1))
    if channels is None or not _LEAST_BITS <= bits <= 16 or not channels <= _count(tags) <= channels + _MOST_EXTRA:
        return False
    if TiffImagePlugin.TILEWIDTH in tags or any(tags.get(tag, 1) not in known for tag, known in _PLAIN.items()):
        return False
    predictors = (1, _HORIZONTAL) if bits == 16 else (1,)
    return tags.get(TiffImagePlugin.PREDICTOR, 1) in predictors and {*_several(tags.get(_FORMAT, 1))} == {1}


def bits_of(tags: Any) -> int:
    """Of every sample; 0 where they differ."""
    found = {*_several(tags.get(_BITS, 1))}
    return int(found.pop()) if len(found) == 1 else 0


def channels_of(tags: Any) -> int:
    """Of the picture itself, without alpha and other extra samples."""
    return _CHANNELS[tags[_PHOTOMETRIC]]


def samples(tags: Any, data: bytes) -> Samples:
    """All samples of a page, (H, W, channels): colours first, then what stands beside them.

    Raises:
        LookupError, ValueError: the file holds less than its tags say.
    """
    height, width, channels = _side(tags, _LENGTH), _side(tags, _WIDTH), _count(tags)
    rows = max(1, min(int(tags.get(TiffImagePlugin.ROWSPERSTRIP, height)), height))
    each, separate = -(-height // rows), tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2 and channels > 1
    planes, within = (channels, 1) if separate else (1, channels)
    made = np.empty((height, width, channels), np.uint16)
    for number in range(each * planes):
        plane, top = number // each, number % each * rows
        strip = _strip(tags, data, number, (min(rows, height - top), width, within))
        made[top : top + rows, :, plane : plane + within] = strip
    return made


def _strip(tags: Any, data: bytes, number: int, shape: tuple[int, int, int]) -> Samples:
    start, size = tags[TiffImagePlugin.STRIPOFFSETS][number], tags[TiffImagePlugin.STRIPBYTECOUNTS][number]
    stored, most = data[start : start + size], 2 * shape[0] * shape[1] * shape[2]
    if tags.get(TiffImagePlugin.COMPRESSION, 1) != 1:
        stored = zlib.decompressobj().decompress(stored, most)
    if len(stored) < most and bits_of(tags) < 16:
        return _unpacked(stored, bits_of(tags), shape)
    order = ">u2" if data.startswith(b"MM") else "<u2"
    values = np.frombuffer(stored, order, most // 2).reshape(shape)
    differences = tags.get(TiffImagePlugin.PREDICTOR, 1) == _HORIZONTAL
    return np.asarray(values.cumsum(1, np.uint16) if differences else values, np.uint16)


def _unpacked(stored: bytes, bits: int, shape: tuple[int, int, int]) -> Samples:
    """Samples without gaps between them, the highest bit first; each row begins at a byte."""
    rows, row_bits = shape[0], shape[1] * shape[2] * bits
    packed = np.frombuffer(stored, np.uint8, rows * -(-row_bits // 8)).reshape(rows, -1)
    found = np.empty((rows, shape[1] * shape[2]), np.uint16)
    weights = (1 << np.arange(bits)[::-1]).astype(np.uint16)
    for row in range(rows):  # row by row: single bits take eight times the room
        found[row] = np.unpackbits(packed[row], count=row_bits).reshape(-1, bits) @ weights
    return found.reshape(shape)


def has_lower_bytes(image: ImageFile.ImageFile) -> bool:
    """Is this a picture, opened and not loaded, whose colours Pillow takes from the upper of two bytes?"""
    return bool(image.tile) and all(_mode(tile)[:-1] in ("RGB;16", "RGBA;16", "RGBX;16") for tile in image.tile)


def read_lower_bytes(image: ImageFile.ImageFile) -> None:
    """Set such a picture to be read by its lower bytes."""
    ends = {"L": "B", "B": "L", "N": "B" if sys.byteorder == "little" else "L"}
    image.tile = [_in_mode(tile, _mode(tile)[:-1] + ends[_mode(tile)[-1]]) for tile in image.tile]


def gray_with_alpha(image: ImageFile.ImageFile) -> Samples | None:
    """Both channels of a PNG of 16 bits that is not loaded, of which Pillow reads the upper bytes; None: another."""
    if [_mode(tile) for tile in image.tile] != ["LA;16B"]:
        return None
    image.tile = [_in_mode(tile, "RGBA") for tile in image.tile]  # four bytes as they stand
    image.load()
    stored = np.asarray(image, np.uint16)
    return stored[..., ::2] * 256 + stored[..., 1::2]


def _mode(tile: Any) -> str:
    """How its bytes are to be read, by Pillow's name."""
    return str(tile.args if isinstance(tile.args, str) else tile.args[0])


def _in_mode(tile: Any, mode: str) -> Any:
    return tile._replace(args=mode if isinstance(tile.args, str) else (mode, *tile.args[1:]))


def _count(tags: Any) -> int:
    return int(tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1))


def _side(tags: Any, tag: int) -> int:
    """As stored, not as turned."""
    return int(tags[tag])


def _several(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
