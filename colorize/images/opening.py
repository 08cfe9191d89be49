"""A picture file, opened and not decoded: by which reader, at which of its pages, without what is too large beside it.

`colorize.images.decode` decodes what comes out. What goes wrong while a picture is open is told in our words here.
"""

import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from colorize.errors import OversizedImage, UnreadableImage
from colorize.images import png, tiff
from colorize.images.pages import jpeg_parts, the_picture, told

# Pillow remarks on odd metadata ("tag 296 had too many entries") that many scanners write. A filter added
# once is safe between threads, where `warnings.catch_warnings` around each picture would not be.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

# `Image.open` applies the same guard, so the readers are called by their own names, found by signature.
_READERS: Final[dict[bytes, type[ImageFile.ImageFile]]] = {
    rb"\xff\xd8\xff": JpegImageFile,
    rb"\x89PNG\r\n\x1a\n": PngImageFile,
    rb"II[*+]\0|MM\0[*+]": tiff.TiffReader,
    rb"(?s)RIFF.{4}WEBP": WebPImageFile,
    rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  \r\n\x87\n": Jpeg2KImageFile,
    rb"(?s).{4}ftyp(avif|avis|mif1)": AvifImageFile,
}

DAMAGE: Final = (
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
_ANIMATED: Final = (PngImageFile, WebPImageFile, AvifImageFile)
_UNKNOWN_WAYS: Final = ("unknown pixel mode", "unknown data organization", "unknown image mode")


@dataclass(frozen=True, eq=False)
class Opened:
    """A picture that is not decoded yet."""

    image: ImageFile.ImageFile
    data: bytes
    """The file as it was opened: its page first, without what is too large beside it."""
    notes: list[str]
    significant_bits: int | None = None

    @property
    def format(self) -> str:
        """What the bytes are."""
        return str(self.image.format)

    @property
    def tags(self) -> Any:
        """A TIFF's tags; none of other formats."""
        return self.image.tag_v2 if isinstance(self.image, tiff.TiffReader) else {}

    @property
    def bits(self) -> int:
        """Of a deep picture's samples, as its container says."""
        return tiff.bits_of(self.tags) if self.tags else 16

    @property
    def is_negative(self) -> bool:
        """Of more than 8 bits, which Pillow leaves as they are: is white zero?"""
        return isinstance(self.image, tiff.TiffReader) and self.image.negative


@contextmanager
def opened_file(data: bytes) -> Iterator[Opened]:
    """The picture, not decoded yet; what goes wrong while it is open is told in our words."""
    reader = _reader(data)
    try:
        data, notes = _page(data, reader)
        lean = png.lean(data) if reader is PngImageFile else png.LeanPng(data)
        with reader(BytesIO(lean.data)) as image:
            if lean.profile is not None:
                image.info["icc_profile"] = lean.profile
            frames = getattr(image, "n_frames", 1) if reader in _ANIMATED else 1
            if frames > 1:
                notes.append(f"The file holds {frames} frames; the first is taken.")
            yield Opened(image, lean.data, [*notes, *lean.notes], lean.significant_bits)
    except MemoryError as error:
        raise OversizedImage(
            f"the picture ({reader.format} of {len(data):,} bytes) needs more memory than there is. "
            "Free some, or store a smaller scan."
        ) from error
    except DAMAGE as error:
        what = f"{reader.format} of {len(data):,} bytes"
        if str(error) in _UNKNOWN_WAYS:
            raise UnreadableImage(
                f"the picture ({what}) stores its pixels in a way that is not read here. Save it anew, as an ordinary "
                "TIFF or PNG of 8 or 16 bits."
            ) from error
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


def _page(data: bytes, reader: type[ImageFile.ImageFile]) -> tuple[bytes, list[str]]:
    """The file with its largest page first, and what is said of the others."""
    multiple = reader in (tiff.TiffReader, JpegImageFile)
    found = (tiff.pages(data) if reader is tiff.TiffReader else jpeg_parts(data)) if multiple else []
    taken = the_picture(found)
    if taken is None or len(found) == 1:
        return data, []
    if taken is not found[0]:
        data = tiff.opened_at(data, taken) if reader is tiff.TiffReader else data[taken.at :]
    return data, [told(found, taken)]
