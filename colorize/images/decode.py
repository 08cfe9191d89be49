"""Pictures from untrusted bytes, and pictures made smaller or gray.

Harvest decodes with it, similarity and the colorizers resize with it. It knows no file, no network and no
tensor: bytes or arrays come in, `uint8` arrays of shape (H, W, 3) in sRGB go out, and beside them the same in 16 bits
where a scan is gray, or a TIFF in sRGB, and has them. PNG in colour is read with 8.
"""

import re
import struct
import warnings
import zlib
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageFile, TiffImagePlugin
from PIL.AvifImagePlugin import AvifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from colorize.errors import OversizedImage, UnreadableImage
from colorize.images.icc import gray_profile, srgb_profile

Pixels = NDArray[np.uint8]
"""uint8, (H, W, 3), sRGB in [0, 255]."""
Deep = NDArray[np.uint16]
"""uint16 in [0, 65535]: (H, W), gray by sRGB's curve, or (H, W, 3), sRGB."""

PAPER_WHITE: Final = (255, 255, 255)
"""What shines through transparent pixels. Pure white, since any tint would be read as the print's own."""

# Pillow remarks on odd metadata ("tag 296 had too many entries") that many scanners write. A filter added
# once is safe between threads, where `warnings.catch_warnings` around each picture would not be.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


@dataclass(frozen=True, eq=False)
class Decoded:
    """A picture as displayed: upright, in sRGB, on paper white."""

    pixels: Pixels
    mode: str
    """Pillow's name of the pixels as stored: `L`, `I;16`, `RGB`, `CMYK`, `P` ...; ours of deep colour: `RGB;16`."""
    format: str
    """What the bytes are, whatever the file was called: `JPEG`, `PNG`, `TIFF`, `WEBP`, `AVIF`, `JPEG2000`."""
    deep: Deep | None = None
    """The same picture at its own depth, where it has 16 bits a channel."""

    @property
    def scan(self) -> Pixels | Deep:
        """The picture at the depth that it is stored in."""
        return self.pixels if self.deep is None else self.deep

    @property
    def width(self) -> int:
        """Columns as displayed."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows as displayed."""
        return int(self.pixels.shape[0])


class _TiffReader(TiffImagePlugin.TiffImageFile):
    """Pillow's reader without its guard `MAX_IMAGE_PIXELS`, which refuses legal scans of 190 megapixels.

    The guard is one number for the whole process; `decode` asks its own limit instead, picture by picture.
    """

    def load_prepare(self) -> None:
        if self._im is None:
            self.im = Image.new(self.mode, self._tile_size).im
        ImageFile.ImageFile.load_prepare(self)


# `Image.open` applies the same guard, so the readers are called by their own names, found by signature.
_READERS: Final[dict[bytes, type[ImageFile.ImageFile]]] = {
    rb"\xff\xd8\xff": JpegImageFile,
    rb"\x89PNG\r\n\x1a\n": PngImageFile,
    rb"II[*+]\0|MM\0[*+]": _TiffReader,
    rb"(?s)RIFF.{4}WEBP": WebPImageFile,
    rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n": Jpeg2KImageFile,
    rb"(?s).{4}ftyp(avif|avis|mif1)": AvifImageFile,
}

_DAMAGE: Final = (
    OSError,  # truncated data, a decoder's error code, UnidentifiedImageError
    SyntaxError,  # Pillow's word for a malformed header or chunk
    ValueError,  # impossible sizes, text chunks past Pillow's limits, modes that nobody converts
    EOFError,  # a frame or tag that is not there
    LookupError,  # tables and tags that point outside the data
    TypeError,  # a TIFF tag of the wrong type, used as a number
    AttributeError,  # a reader whose header left a field unset
    ArithmeticError,  # sizes past a C integer, rationals over zero
    struct.error,  # fields cut short
    zlib.error,  # compressed metadata that does not unpack
    RuntimeError,  # the AVIF and WebP decoders; NotImplementedError is one
    Image.DecompressionBombError,  # Pillow's guard inside WebP, above 179 megapixels
    Warning,  # when the process turns warnings into errors
)
"""What Pillow was seen, or is written, to raise on bytes that cannot be read as a picture."""

_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation → what makes the picture upright."""

DEEP_COLOUR: Final = "RGB;16"
_HORIZONTAL: Final = 2
_WIDTH, _LENGTH = TiffImagePlugin.IMAGEWIDTH, TiffImagePlugin.IMAGELENGTH
_DEEP: Final[Mapping[int, Container[Any]]] = {
    TiffImagePlugin.BITSPERSAMPLE: [(16, 16, 16)],
    TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: [2],  # RGB
    TiffImagePlugin.PLANAR_CONFIGURATION: [1],  # pixel by pixel
    TiffImagePlugin.COMPRESSION: [1, 8, 32946],  # none, Deflate by either of its numbers
    TiffImagePlugin.SAMPLEFORMAT: [1, (1, 1, 1)],  # whole numbers
    TiffImagePlugin.PREDICTOR: [1, _HORIZONTAL],
}
"""What a TIFF's tags must say for its colour to be read with 16 bits."""
_PHOTOMETRIC, _WHITE_IS_ZERO = TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0
_BASE_MODES: Final = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK", "LAB": "LAB"}
"""Stored mode → the mode that an ICC profile speaks of; all others are RGB."""


def decode(data: bytes, *, max_pixels: int = 200_000_000) -> Decoded:
    """The first frame of a picture file; the bytes decide what it is, never a name.

    An embedded ICC profile is applied (perceptual intent), a broken one ignored. Safe to call from threads.

    Args:
        data: the whole file.
        max_pixels: width × height allowed, compared with the header before any pixel is decoded.

    Raises:
        UnreadableImage: not a picture, not a format that is read, or damaged.
        OversizedImage: over the limit, or more than memory holds.
    """
    with _opened(data) as image:
        _check_size(image, max_pixels)
        stored_turn = _UPRIGHT.get(_tiff_orientation(image))
        image.load()  # which turns a TIFF itself
        turn = _UPRIGHT.get(_orientation(image) or 1)
        deep = _gray16(image, turn) if image.mode.startswith("I;16") else _colour16(image, data, stored_turn)
        pixels = np.array(_srgb(image, turn)) if deep is None else _eight_bits_of(deep)
        mode = image.mode if deep is None or deep.ndim == 2 else DEEP_COLOUR
        return Decoded(pixels, mode, str(image.format), deep)


def header(data: bytes) -> Mapping[str, Any]:
    """What a picture file says besides its pixels, by Pillow's names (`xmp`, `icc_profile`, PNG's text fields).

    Raises:
        UnreadableImage: as for `decode`; damage behind the header is not seen.
    """
    with _opened(data) as image:
        return {str(name): value for name, value in image.info.items()}


@contextmanager
def _opened(data: bytes) -> Iterator[ImageFile.ImageFile]:
    """The picture, not decoded yet; what goes wrong while it is open is told in our words."""
    reader = _reader(data)
    try:
        with reader(BytesIO(data)) as image:
            yield image
    except MemoryError as error:
        raise OversizedImage(
            f"the picture ({reader.format} of {len(data):,} bytes) needs more memory than there is. "
            "Free some, or store a smaller scan."
        ) from error
    except _DAMAGE as error:
        what = f"{reader.format} of {len(data):,} bytes"
        raise UnreadableImage(
            f"the picture ({what}) is damaged: {str(error) or type(error).__name__}. "
            "Fetch it again; if it stays so, ask the archive for a sound copy."
        ) from error


def _reader(data: bytes) -> type[ImageFile.ImageFile]:
    for signature, reader in _READERS.items():
        if re.match(signature, data):
            return reader
    known = ", ".join(str(reader.format) for reader in _READERS.values())
    raise UnreadableImage(
        f"the data ({len(data):,} bytes, beginning {data[:12]!r}) is not a picture of a format that is read here. "
        f"Save it as one of {known}."
    )


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise OversizedImage(
            f"the picture has {image.width:,} × {image.height:,} pixels, over the limit of {max_pixels:,}. "
            "Raise the limit, or store a smaller scan."
        )


def _gray16(image: Image.Image, turn: Image.Transpose | None) -> Deep:
    """Upright, by sRGB's curve."""
    stored = np.asarray(image, dtype=np.uint16)
    if isinstance(image, _TiffReader) and image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        stored = 65535 - stored  # Pillow does so up to 8 bits only
    gray = Image.fromarray(stored)
    if profile := image.info.get("icc_profile"):
        gray = _transformed(gray, profile, ImageCms.ImageCmsProfile(BytesIO(gray_profile())), gray.mode)
    return np.array(gray if turn is None else gray.transpose(turn))


def _colour16(image: Image.Image, data: bytes, turn: Image.Transpose | None) -> Deep | None:
    """A TIFF's sRGB in 16 bits, upright, which Pillow reads with 8; None for any other picture.

    Strips are unpacked to the size that the header promises and no further: tifffile would follow any bomb.
    """
    if not isinstance(image, _TiffReader) or any(image.tag_v2.get(tag, 1) not in known for tag, known in _DEEP.items()):
        return None
    if TiffImagePlugin.TILEWIDTH in image.tag_v2 or image.info.get("icc_profile") not in (None, srgb_profile()):
        return None
    strips = [_strip(image, data, number) for number in range(-(-_side(image, _LENGTH) // _rows(image)))]
    deep = np.concatenate(strips)
    if turn is None:
        return deep
    return np.stack([np.array(Image.fromarray(deep[..., channel]).transpose(turn)) for channel in range(3)], axis=2)


def _strip(image: _TiffReader, data: bytes, number: int) -> Deep:
    """(rows, W, 3); LookupError or ValueError where the file holds less."""
    tags, top = image.tag_v2, number * _rows(image)
    shape = (min(_rows(image), _side(image, _LENGTH) - top), _side(image, _WIDTH), 3)
    start, size = tags[TiffImagePlugin.STRIPOFFSETS][number], tags[TiffImagePlugin.STRIPBYTECOUNTS][number]
    stored = data[start : start + size]
    if tags.get(TiffImagePlugin.COMPRESSION, 1) != 1:
        stored = zlib.decompressobj().decompress(stored, 6 * shape[0] * shape[1])
    order = ">u2" if data.startswith(b"MM") else "<u2"
    values = np.frombuffer(stored, order, shape[0] * shape[1] * 3).reshape(shape)
    differences = tags.get(TiffImagePlugin.PREDICTOR, 1) == _HORIZONTAL
    return np.asarray(values.cumsum(1, np.uint16) if differences else values, np.uint16)


def _rows(image: _TiffReader) -> int:
    height = _side(image, _LENGTH)
    return max(1, min(int(image.tag_v2.get(TiffImagePlugin.ROWSPERSTRIP, height)), height))


def _side(image: _TiffReader, tag: int) -> int:
    """As stored, not as turned."""
    return int(image.tag_v2[tag])


def _eight_bits_of(deep: Deep) -> Pixels:
    """In 8 bits, gray thrice: a 257th, rounded, without leaving 16 bits."""
    narrow = (deep // 257 + (deep % 257 > 128)).astype(np.uint8)
    return narrow if narrow.ndim == 3 else np.repeat(narrow[..., None], 3, 2)


def _srgb(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    """Upright, on paper white."""
    profile = image.info.get("icc_profile")
    narrow = _eight_bits(image)
    base = _BASE_MODES.get(narrow.mode, "RGB")
    if narrow.has_transparency_data:
        layered = narrow.convert("RGBA")
        colours = _in_srgb(layered.convert(base), profile)
        paper = Image.new("RGB", layered.size, PAPER_WHITE)
        flat = Image.composite(colours, paper, layered.getchannel("A"))
    else:
        flat = _in_srgb(narrow.convert(base), profile)
    return flat if turn is None else flat.transpose(turn)


def _tiff_orientation(image: Image.Image) -> int:
    """By its tag alone: asking a PNG for its orientation would load it, and damage would be taken for that of EXIF."""
    found = image.tag_v2.get(ExifTags.Base.Orientation) if isinstance(image, _TiffReader) else None
    return found if isinstance(found, int) else 1


def _orientation(image: Image.Image) -> int | None:
    try:
        orientation: int | None = image.getexif().get(ExifTags.Base.Orientation)
    except (MemoryError, *_DAMAGE):  # a broken EXIF block costs the orientation, not the picture
        return None
    return orientation


def _eight_bits(image: Image.Image) -> Image.Image:
    """Wider gray (32 bits, floats) to `L`; anything else as it is.

    Such numbers do not say what white is: the least of 1, 255, 65535, 2³¹−1 that the brightest pixel does not
    pass is taken for it.

    Raises:
        UnreadableImage: a pixel is no finite number.
    """
    if image.mode not in {"I", "F"}:
        return image
    values = np.asarray(image, dtype=np.float32)
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise UnreadableImage(
            f"the pixel at column {column}, row {row} is no finite number ({values[row, column]}). "
            "Save the picture anew."
        )
    brightest = float(values.max())
    white = next((white for white in (1.0, 255.0, 65535.0) if brightest <= white), 2.0**31 - 1)
    return Image.fromarray(np.rint(values.clip(0, white) * (255 / white)).astype(np.uint8))


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    if image.mode == "LAB":  # the numbers are the colours; whatever profile is there says no more
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    shown = _transformed(image, profile, srgb, "RGB") if profile else image
    return shown.convert("RGB")


def _transformed(image: Image.Image, profile: bytes, target: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    """By perceptual intent; the picture itself where the profile is none, or one for other channels than these."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        intent = ImageCms.Intent.PERCEPTUAL
        shown = ImageCms.profileToProfile(image, source, target, renderingIntent=intent, outputMode=mode)
    except (ImageCms.PyCMSError, OSError):
        return image
    assert shown is not None  # None is for inPlace=True only
    return shown
