"""Pictures from untrusted bytes, and pictures made smaller or gray.

Harvest decodes with it, similarity and the colorizers resize with it. It knows no file, no network and no
tensor: bytes or arrays come in, `uint8` arrays of shape (H, W, 3) in sRGB go out, and beside them the same in 16 bits
where a scan is gray, or a TIFF in sRGB, and has them. PNG in colour is read with 8. Brightness, alpha and page go by
what the picture is, where its container says something else; every such correction is a note.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from colorize.errors import OversizedImage, UnreadableImage
from colorize.images import alpha, brightness, tiff
from colorize.images.icc import gray_profile, srgb_profile
from colorize.images.opening import DAMAGE, Opened, opened_file

Pixels = NDArray[np.uint8]
"""uint8, (H, W, 3), sRGB in [0, 255]."""
Deep = NDArray[np.uint16]
"""uint16 in [0, 65535]: (H, W), gray by sRGB's curve, or (H, W, 3), sRGB."""

PAPER_WHITE: Final = (255, 255, 255)
"""What shines through transparent pixels. Pure white, since any tint would be read as the print's own."""


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
    notes: tuple[str, ...] = ()
    """What was corrected, and what of the file was left aside: a sentence each."""
    full_size: tuple[int, int] | None = None
    """(width, height) as displayed, where fewer pixels were decoded than the file has."""

    @property
    def scan(self) -> Pixels | Deep:
        """The picture at the depth that it is stored in."""
        return self.pixels if self.deep is None else self.deep

    @property
    def width(self) -> int:
        """Columns of the file as displayed."""
        return self.full_size[0] if self.full_size else int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Rows of the file as displayed."""
        return self.full_size[1] if self.full_size else int(self.pixels.shape[0])


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
_ON_ITS_SIDE: Final = {_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)}

DEEP_COLOUR: Final = "RGB;16"
_DARK_BYTE: Final = 64
"""Upper byte that a picture of 14 bits in 16 does not reach."""
_EXTRA_SAMPLES, _SAMPLE_FORMAT, _ICC = 338, 339, 34675
_SIGNED: Final = 2
_WHITES: Final = {"WhiteLevel": 50717, "SMaxSampleValue": 341, "MaxSampleValue": 281}
"""Tags of TIFF that say what white is, certain ones first."""
_BASE_MODES: Final = {"1": "L", "L": "L", "LA": "L", "CMYK": "CMYK", "LAB": "LAB"}
"""Stored mode → the mode that an ICC profile speaks of; all others are RGB."""


def decode(data: bytes, *, max_pixels: int = 200_000_000, least_px: int | None = None) -> Decoded:
    """The picture of a file, the largest of several pages; the bytes decide what it is, never a name.

    An embedded ICC profile is applied (perceptual intent), a broken one ignored. Safe to call from threads.

    Args:
        data: the whole file.
        max_pixels: width × height allowed, compared with the header before any pixel is decoded.
        least_px: a JPEG may come at a half, a quarter or an eighth of its size, as long as its long edge keeps so many
            pixels; it is read to its end all the same.

    Raises:
        UnreadableImage: not a picture, not a format that is read, or damaged.
        OversizedImage: over the limit, or more than memory holds.
    """
    with opened_file(data) as opened:
        _check_size(opened.image, max_pixels)
        full_size = _reduced(opened.image, least_px) if least_px else None
        samples, turn = _samples(opened)
        if samples is not None:
            return _of_more_bits(opened, samples, turn)
        if full_size and turn in _ON_ITS_SIDE:
            full_size = full_size[::-1]
        return replace(_of_eight_bits(opened, turn), full_size=full_size)


def header(data: bytes) -> Mapping[str, Any]:
    """What a picture file says besides its pixels, by Pillow's names (`xmp`, `icc_profile`, PNG's text fields).

    Raises:
        UnreadableImage: as for `decode`; damage behind the header is not seen.
    """
    with opened_file(data) as opened:
        return {str(name): value for name, value in opened.image.info.items()}


def _check_size(image: Image.Image, max_pixels: int) -> None:
    if image.width * image.height > max_pixels:
        raise OversizedImage(
            f"the picture has {image.width:,} × {image.height:,} pixels, over the limit of {max_pixels:,}. "
            "Raise the limit, or store a smaller scan."
        )


def _reduced(image: Image.Image, least_px: int) -> tuple[int, int] | None:
    """Let a JPEG be decoded at part of its size; (width, height) of the whole, where it will be."""
    full = image.size
    share = least_px / max(full)
    image.draft(None, (max(1, int(full[0] * share)), max(1, int(full[1] * share))))
    return full if image.size != full else None


def _samples(opened: Opened) -> tuple[tiff.Samples | None, Image.Transpose | None]:
    """Those of a picture with more than 8 bits, and how it is still to be turned; None: it is loaded, and has 8."""
    image = opened.image
    if opened.tags and tiff.readable(opened.tags):  # Pillow reads these with 8 bits, wrongly, or not at all
        return tiff.samples(opened.tags, opened.data), _UPRIGHT.get(_tiff_orientation(image))
    upper_bytes = tiff.has_lower_bytes(image)
    both = tiff.gray_with_alpha(image)
    image.load()  # which turns a TIFF itself
    turn = _UPRIGHT.get(_orientation(image) or 1)
    if both is not None:
        return both, turn
    if image.mode.startswith("I;16"):
        return np.asarray(image, np.uint16)[..., None], turn
    return (_both_bytes(opened) if upper_bytes and _is_dark(image) else None), turn


def _of_eight_bits(opened: Opened, turn: Image.Transpose | None) -> Decoded:
    pixels = np.array(_turned(_on_paper(_eight_bits(opened), opened), turn))
    return Decoded(pixels, opened.image.mode, opened.format, None, tuple(opened.notes))


def _of_more_bits(opened: Opened, samples: tiff.Samples, turn: Image.Transpose | None) -> Decoded:
    """With its depth, but for colours of other profiles than sRGB: these are brought to it in 8 bits."""
    deep = _deep(samples, opened)
    if deep.ndim == 3 and _profile(opened) not in (None, srgb_profile()):
        pixels = np.array(_turned(_in_srgb(Image.fromarray(_narrow(deep)), _profile(opened)), turn))
        return Decoded(pixels, "RGB", opened.format, None, tuple(opened.notes))
    deep = _turned_deep(deep, turn)
    mode = "I;16" if deep.ndim == 2 else DEEP_COLOUR
    return Decoded(_eight_bits_of(deep), mode, opened.format, deep, tuple(opened.notes))


def _is_dark(image: Image.Image) -> bool:
    return bool(np.asarray(image)[..., :3].max(initial=0) < _DARK_BYTE)


def _both_bytes(opened: Opened) -> tiff.Samples:
    """All bits of a picture that is loaded by its upper bytes."""
    with type(opened.image)(BytesIO(opened.data)) as again:
        tiff.read_lower_bytes(again)
        again.load()
        return np.asarray(opened.image, np.uint16) * 256 + np.asarray(again, np.uint16)


def _deep(samples: tiff.Samples, opened: Opened) -> Deep:
    """Gray by sRGB's curve, (H, W), or colours, (H, W, 3): by their own white, on white paper."""
    channels = 1 if samples.shape[2] < 3 else 3
    colours = samples[..., :channels]
    white, note = brightness.white_of(colours, _said(opened, colours))
    opened.notes.extend([note] if note and opened.bits == 16 else [])
    plain = white == brightness.FULL and not opened.is_negative
    shown = colours if plain else _spread(white, inverted=opened.is_negative)[colours]
    if channels == 1:
        shown = _gray(shown[..., 0], _profile(opened))[..., None]
    if samples.shape[2] > channels and _has_alpha(opened):
        most = 2**opened.bits - 1 if samples[..., channels].max(initial=0) < 2**opened.bits else brightness.FULL
        shown = _deep_on_paper(shown, _spread(most)[samples[..., channels]], opened)
    return shown[..., 0] if channels == 1 else shown


def _said(opened: Opened, colours: tiff.Samples) -> dict[str, int]:
    """What the file says is its white."""
    said = {"BitsPerSample": 2**opened.bits - 1} if 0 < opened.bits < 16 else {}
    for name, tag in _WHITES.items():
        value = opened.tags.get(tag)
        numbers = value if isinstance(value, tuple) else (value,)
        if value is not None and all(isinstance(number, int) for number in numbers):
            said[name] = max(numbers)
    if opened.tags.get(_SAMPLE_FORMAT) == (_SIGNED,) and opened.bits == 16:
        said["SampleFormat"] = 2**15 - 1
    if (depth := opened.significant_bits) and depth < 16 and np.any(colours & (2 ** (16 - depth) - 1)):
        said["sBIT"] = 2**depth - 1  # as PNG wants them, values fill all 16 bits, and the lowest are empty
    return said


def _spread(white: int, *, inverted: bool = False) -> Deep:
    """Stored value → brightness in 16 bits."""
    steps = np.minimum((np.arange(2**16) * brightness.FULL + white // 2) // white, brightness.FULL).astype(np.uint16)
    return brightness.FULL - steps if inverted else steps


def _gray(shown: Deep, profile: bytes | None) -> Deep:
    if not profile:
        return shown
    target = ImageCms.ImageCmsProfile(BytesIO(gray_profile()))
    return np.asarray(_transformed(Image.fromarray(shown), profile, target, "I;16"), np.uint16)


def _has_alpha(opened: Opened) -> bool:
    """Extra samples that are named nothing are no alpha; without the tag, the one beside RGB is."""
    extra = opened.tags.get(_EXTRA_SAMPLES, 2)
    return extra not in (0, ()) and not (isinstance(extra, tuple) and extra[0] == 0)


def _deep_on_paper(shown: Deep, opacity: Deep, opened: Opened) -> Deep:
    """Colours, (H, W, C), laid on white where their opacity, (H, W), is to be believed."""
    wide, part = shown.astype(np.uint32), opacity[..., None].astype(np.uint32)
    full = np.uint32(brightness.FULL)
    if _is_multiplied(opened, shown, opacity):
        wide = np.minimum(wide * full // np.maximum(part, 1), full)
    why = alpha.disbelief(_luma((wide // 257).astype(np.uint8)), (opacity // 257).astype(np.uint8))
    if why:
        opened.notes.append(why)
        return wide.astype(np.uint16)
    return ((wide * part + full * (full - part)) // full).astype(np.uint16)


def _is_multiplied(opened: Opened, colours: Any, opacity: Any) -> bool:
    said = isinstance(opened.image, tiff.TiffReader) and opened.image.associated
    return said and alpha.is_multiplied(colours, opacity)


def _luma(colours: Pixels) -> Any:
    """(H, W), as Pillow has it."""
    return colours[..., 0] if colours.shape[2] == 1 else np.asarray(Image.fromarray(colours).convert("L"))


def _turned(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return image if turn is None else image.transpose(turn)


def _turned_deep(deep: Deep, turn: Image.Transpose | None) -> Deep:
    if turn is None or deep.ndim == 2:
        return np.array(_turned(Image.fromarray(deep), turn)) if turn is not None else deep
    return np.stack([_turned_deep(deep[..., channel], turn) for channel in range(3)], axis=2)


def _profile(opened: Opened) -> bytes | None:
    found: bytes | None = opened.image.info.get("icc_profile") or opened.tags.get(_ICC)
    return found


def _eight_bits_of(deep: Deep) -> Pixels:
    """In 8 bits, gray thrice."""
    narrow = _narrow(deep)
    return narrow if narrow.ndim == 3 else np.repeat(narrow[..., None], 3, 2)


def _narrow(deep: Deep) -> NDArray[np.uint8]:
    """A 257th, rounded, without leaving 16 bits."""
    return (deep // 257 + (deep % 257 > 128)).astype(np.uint8)


def _on_paper(image: Image.Image, opened: Opened) -> Image.Image:
    """In sRGB, on paper white where its transparency is to be believed."""
    profile = _profile(opened)
    base = _BASE_MODES.get(image.mode, "RGB")
    if not image.has_transparency_data:
        return _in_srgb(_in_mode(image, base), profile)
    layered = image.convert("RGBA")
    opacity = layered.getchannel("A")
    if opacity.getextrema() == (255, 255):
        return _in_srgb(layered.convert(base), profile)
    if _is_multiplied(opened, np.asarray(layered)[..., :3], np.asarray(opacity)):
        layered = Image.merge("RGBa", layered.split()).convert("RGBA")
    why = alpha.disbelief(np.asarray(layered.convert("RGB").convert("L")), np.asarray(opacity))
    colours = _in_srgb(layered.convert(base), profile)
    if why:
        opened.notes.append(why)
        return colours
    return Image.composite(colours, Image.new("RGB", layered.size, PAPER_WHITE), opacity)


def _tiff_orientation(image: Image.Image) -> int:
    """By its tag alone: asking a PNG for its orientation would load it, and damage would be taken for that of EXIF."""
    found = image.tag_v2.get(ExifTags.Base.Orientation) if isinstance(image, tiff.TiffReader) else None
    return found if isinstance(found, int) else 1


def _orientation(image: Image.Image) -> int | None:
    try:
        orientation: int | None = image.getexif().get(ExifTags.Base.Orientation)
    except (MemoryError, *DAMAGE):  # a broken EXIF block costs the orientation, not the picture
        return None
    return orientation


def _eight_bits(opened: Opened) -> Image.Image:
    """Wider gray (32 bits, floats) to `L`; anything else as it is.

    Raises:
        UnreadableImage: a pixel is no finite number.
    """
    image, tags = opened.image, opened.tags
    if image.mode not in {"I", "F"}:
        return image
    stored = np.asarray(image)
    if image.mode == "I" and tags and tags.get(_SAMPLE_FORMAT, (1,))[0] == 1 and opened.bits == 32:
        stored = stored.view(np.uint32)  # Pillow knows signed ones only
    if not np.isfinite(stored).all():
        row, column = np.argwhere(~np.isfinite(stored))[0]
        raise UnreadableImage(
            f"the pixel at column {column}, row {row} is no finite number ({stored[row, column]}). "
            "Save the picture anew."
        )
    shown, note = brightness.eight_bits(stored, _said(opened, stored) if stored.dtype.kind != "f" else {})
    opened.notes.extend([note] if note else [])
    return Image.fromarray(255 - shown if opened.is_negative else shown)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    if image.mode == "LAB":  # the numbers are the colours; whatever profile is there says no more
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    shown = _transformed(image, profile, srgb, "RGB") if profile else image
    return _in_mode(shown, "RGB")


def _in_mode(image: Image.Image, mode: str) -> Image.Image:
    """Converted where need be: Pillow copies a picture that is in this mode already."""
    return image if image.mode == mode else image.convert(mode)


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
