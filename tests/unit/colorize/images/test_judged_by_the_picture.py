"""Brightness, alpha, page and what stands beside a picture go by what it is, not by what its container says.

Every file here is made by program; `print8` is the picture that each must come out as.
"""

import struct
import tracemalloc
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from colorize.errors import UnreadableImage
from colorize.images.decode import decode
from colorize.images.icc import srgb_profile

HEIGHT, WIDTH = 64, 48
ROUNDED: Final = 1.5
"""Steps of 255 that a picture may be off."""


def print8() -> np.ndarray:
    """uint8, (H, W): a drawing on light paper, ink at 6, paper at 226."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    paper = 226 - (rows // 8) * 4
    return np.asarray(np.where((rows + columns) % 9 < 2, 6 + columns, paper), np.uint8)


def with_white() -> np.ndarray:
    """The print with a white pixel."""
    made = print8()
    made[20, 31] = 255
    return made


def bits(depth: int, *, brightest: float = 1.0) -> np.ndarray:
    """The print counted in so many bits, its paper at that share of its own brightness."""
    return np.asarray(np.rint(print8() / 255 * brightest * (2**depth - 1)), np.uint16)


def tiff(pixels: np.ndarray, *, tags: dict[int, Any] | None = None, **options: Any) -> bytes:
    """As tifffile writes it; `tags` are added, as numbers of 16 bits."""
    extra = [(tag, "I" if tag > 50000 else "H", 1, value, True) for tag, value in (tags or {}).items()]
    options = {"photometric": "minisblack", "metadata": None, "extratags": extra, **options}
    tifffile.imwrite(file := BytesIO(), pixels, **options)
    return file.getvalue()


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """The same TIFF, a number of its first directory changed in place."""
    order = "<" if data.startswith(b"II") else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, at)
    changed = bytearray(data)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        found, kind = struct.unpack_from(f"{order}HH", data, entry)
        if found == tag:
            struct.pack_into(f"{order}{'H' if kind == 3 else 'I'}", changed, entry + 8, value)
            return bytes(changed)
    raise LookupError(tag)


def packed(values: np.ndarray, depth: int, order: str, photometric: int = 1) -> bytes:
    """A TIFF whose samples lie side by side without gaps; each row begins at a byte."""
    rows = values.reshape(values.shape[0], -1)
    ones = (rows[..., None] >> np.arange(depth)[::-1] & 1).astype(np.uint8).reshape(len(rows), -1)
    body = np.packbits(ones, axis=1).tobytes()
    channels = 1 if values.ndim == 2 else values.shape[2]
    entries = [
        *((256, values.shape[1]), (257, values.shape[0]), (258, depth), (259, 1), (262, photometric)),
        *((273, 8 + 2 + 12 * 10 + 4), (277, channels), (278, values.shape[0]), (279, len(body)), (284, 1)),
    ]
    directory = struct.pack(f"{order}H", len(entries))
    for tag, value in entries:
        directory += struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    return head + directory + bytes(4) + body


def png16(values: np.ndarray, *, sbit: int | None = None) -> bytes:
    info = PngInfo()
    if sbit:
        info.add(b"sBIT", bytes([sbit]))
    Image.fromarray(values).save(file := BytesIO(), "PNG", pnginfo=info)
    return file.getvalue()


def vips16(values: np.ndarray, **options: Any) -> bytes:
    """A TIFF of 16 bits as libvips writes it: LZW, tiles."""
    height, width = values.shape[:2]
    channels, kind = (3, "rgb16") if values.ndim == 3 else (1, "grey16")
    made = pyvips.Image.new_from_memory(np.ascontiguousarray(values).tobytes(), width, height, channels, "ushort")
    return bytes(made.copy(interpretation=kind).tiffsave_buffer(**options))


def vips_png(values: np.ndarray, kind: str) -> bytes:
    """A PNG of 16 bits a channel, which Pillow does not write in colour."""
    height, width, channels = values.shape
    made = pyvips.Image.new_from_memory(np.ascontiguousarray(values).tobytes(), width, height, channels, "ushort")
    return bytes(made.copy(interpretation=kind).pngsave_buffer(bitdepth=16))


def opaque(values: np.ndarray) -> np.ndarray:
    return np.dstack([values, np.full_like(values, 65535)])


def in_colour(values: np.ndarray) -> np.ndarray:
    return np.repeat(values[..., None], 3, 2)


def off(data: bytes, expected: np.ndarray) -> float:
    """How far the decoded picture is from the expected one, (H, W), in steps of 255."""
    return float(np.abs(decode(data).pixels.astype(int) - expected[..., None]).max())


BRIGHT: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "12 in 16": (
        lambda: tiff(bits(12)),
        "Taken for 12 bits in 16: its brightest value is 3,629; 4,095 is shown white.",
    ),
    "12 in 16, big-endian": (lambda: tiff(bits(12), byteorder=">"), "12 bits"),
    "10 in 16": (lambda: tiff(bits(10)), "10 bits in 16"),
    "8 in 16": (lambda: tiff(print8().astype(np.uint16)), "8 bits in 16"),
    "14 in 16 that reach white": (lambda: tiff(np.rint(with_white() / 255 * 16383).astype(np.uint16)), "14 bits"),
    "14 in 16, MaxSampleValue": (lambda: tiff(bits(14), tags={281: 16383}), "16,383 of 65,535 here, as the file's Max"),
    "14 in 16, SMaxSampleValue": (lambda: tiff(bits(14), tags={341: 16383}), "as the file's SMaxSampleValue says"),
    "WhiteLevel of no whole bits": (
        lambda: tiff(np.rint(print8() / 255 * 15000).astype(np.uint16), tags={50717: 15000}),
        "15,000 of 65,535 here, as the file's WhiteLevel says",
    ),
    "MaxSampleValue that pixels exceed": (lambda: tiff(bits(12), tags={281: 1023}), "12 bits"),
    "MaxSampleValue that repeats the brightest": (lambda: tiff(bits(12), tags={281: int(bits(12).max())}), "12 bits"),
    "16 in 16": (lambda: tiff(bits(16)), ""),
    "12 packed, little-endian": (lambda: packed(bits(12), 12, "<"), ""),
    "12 packed, big-endian": (lambda: packed(bits(12), 12, ">"), ""),
    "10 packed": (lambda: packed(bits(10), 10, "<"), ""),
    "14 packed": (lambda: packed(bits(14), 14, ">"), ""),
    "12 packed, white is zero": (lambda: packed(4095 - bits(12), 12, "<", photometric=0), ""),
    "12 packed, in colour": (lambda: packed(in_colour(bits(12)), 12, "<", photometric=2), ""),
    "BitsPerSample 12 over words of 16": (lambda: with_tag(tiff(bits(12)), 258, 12), ""),
    "12 in 16, white is zero": (lambda: tiff(4095 - bits(12), photometric="miniswhite"), "12 bits"),
    "12 in 16, LZW and tiles": (
        lambda: vips16(bits(12), compression="lzw", tile=True, tile_width=32, tile_height=32),
        "12",
    ),
    "12 in 16, in colour": (lambda: tiff(in_colour(bits(12)), photometric="rgb"), "12 bits"),
    "12 in 16, in colour, LZW": (lambda: vips16(in_colour(bits(12)), compression="lzw"), "12 bits"),
    "12 in 16, in colour, a profile": (
        lambda: tiff(in_colour(bits(12)), photometric="rgb", iccprofile=other_srgb()),
        "12 bits",
    ),
    "PNG, 12 in 16": (lambda: png16(bits(12)), "12 bits"),
    "PNG, 12 in 16 with sBIT": (lambda: png16(bits(12), sbit=12), "as the file's sBIT says"),
    "PNG, 14 in 16 with sBIT": (lambda: png16(bits(14), sbit=14), "as the file's sBIT says"),
    "PNG, 12 bits spread over 16, sBIT": (lambda: png16(bits(12) << 4, sbit=12), ""),
    "PNG, 12 in 16, in colour": (lambda: vips_png(in_colour(bits(12)), "rgb16"), "12 bits in 16"),
    "PNG, 12 in 16, gray with alpha": (lambda: vips_png(opaque(bits(12)), "grey16"), "12 bits in 16"),
    "PNG, gray with alpha": (lambda: vips_png(opaque(bits(16)), "grey16"), ""),
    "JPEG 2000, 12 in 16": (lambda: saved(bits(12), "JPEG2000"), "12 bits in 16"),
    "signed integers of 16": (lambda: tiff(bits(15).astype(np.int16)), "32,767 is shown white"),
    "32-bit integers of 12": (lambda: tiff(bits(12).astype(np.uint32)), "4,095 is shown white"),
    "32-bit integers of 20": (lambda: tiff(with_white().astype(np.uint32) * 4112), "1.04856e+06 is shown white"),
    "32-bit integers, all of them": (lambda: tiff(print8().astype(np.uint32) * 16843009), ""),
    "32-bit integers, white is zero": (lambda: tiff(65535 - bits(16).astype("u4"), photometric="miniswhite"), ""),
    "16 big-endian tiles, white is zero": (
        lambda: tiff(65535 - bits(16), photometric="miniswhite", byteorder=">", tile=(16, 16)),
        "",
    ),
    "fractions": (lambda: tiff((print8() / 255).astype(np.float32)), ""),
    "fractions, a few over one": (lambda: tiff(np.where(with_white() == 255, 1.1, print8() / 255).astype("f4")), ""),
    "fractions up to 4095": (lambda: tiff(bits(12).astype(np.float32)), "4,095 is shown white"),
}


def other_srgb() -> bytes:
    """sRGB in other words than ours."""
    return srgb_profile()[:24] + struct.pack(">6H", 1999, 1, 1, 0, 0, 0) + srgb_profile()[36:]


@pytest.mark.parametrize("kind", BRIGHT)
def test_a_picture_has_its_own_brightness_whatever_its_container_holds(kind: str) -> None:
    make, note = BRIGHT[kind]
    data = make()
    expected = print8()
    if kind in ("14 in 16 that reach white", "fractions, a few over one", "32-bit integers of 20"):
        expected = with_white()
    assert off(data, expected) <= ROUNDED
    notes = decode(data).notes
    assert (len(notes) == 1 and note in notes[0]) if note else notes == ()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (bits(16, brightest=0.3), ()),
        (bits(16, brightest=0.2), ("Dark, and left so: its bright",)),
        (bits(14, brightest=0.5), ("Dark, and left so: its bright",)),
        ((print8() // 20).astype(np.uint16) * 257, ()),
        (np.zeros((HEIGHT, WIDTH), np.uint16), ()),
    ],
)
def test_a_dark_picture_is_not_made_bright_where_nothing_is_certain(values: np.ndarray, told: tuple[str, ...]) -> None:
    for data in (tiff(values), png16(values)):
        decoded = decode(data)
        assert np.array_equal(decoded.scan, values)
        assert [note[:29] for note in decoded.notes] == list(told)


def cut_out() -> np.ndarray:
    """Alpha of a print that was cut out of its scan: a quarter around it is clear."""
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[8:-8, 6:-6] = 255
    return alpha


def with_alpha(alpha: np.ndarray | int, *, margin: int | None = None) -> np.ndarray:
    """The print in RGB with that alpha; what a cut-out hides is of one tone."""
    gray = print8()
    if margin is not None:
        gray = np.where(cut_out() == 0, margin, gray).astype(np.uint8)
    opacity = np.broadcast_to(np.asarray(alpha, np.uint8), gray.shape)
    return np.dstack([in_colour(gray), opacity])


def saved(pixels: np.ndarray, format_: str, **options: Any) -> bytes:
    Image.fromarray(pixels).save(file := BytesIO(), format_, **options)
    return file.getvalue()


def rgba_tiff(pixels: np.ndarray, extra: Any = "unassalpha", **options: Any) -> bytes:
    return tiff(pixels, photometric="rgb", extrasamples=[extra], **options)


def gray_alpha(alpha: np.ndarray | int) -> np.ndarray:
    return with_alpha(alpha)[..., [0, 3]]


def palette_png() -> bytes:
    picture = Image.fromarray(print8()).convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    picture.save(file := BytesIO(), "PNG", transparency=bytes(256))
    return file.getvalue()


def nearly_zero() -> np.ndarray:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:3, :3] = 255
    return alpha


HIDDEN: Final[dict[str, Callable[[], bytes]]] = {
    "TIFF, zero": lambda: rgba_tiff(with_alpha(0)),
    "TIFF, zero, LZW": lambda: saved(with_alpha(0), "TIFF", compression="tiff_lzw"),
    "TIFF, zero, said to be multiplied in": lambda: rgba_tiff(with_alpha(0), "assocalpha"),
    "TIFF, zero, multiplied in, deflated": lambda: rgba_tiff(with_alpha(0), "assocalpha", compression="deflate"),
    "TIFF, one value, multiplied in": lambda: rgba_tiff(
        np.dstack(
            [in_colour(np.rint(print8() * (200 / 255)).astype(np.uint8)), np.full((HEIGHT, WIDTH), 200, np.uint8)]
        ),
        "assocalpha",
    ),
    "TIFF, unspecified": lambda: rgba_tiff(with_alpha(0), "unspecified"),
    "TIFF, nearly zero": lambda: rgba_tiff(with_alpha(nearly_zero())),
    "TIFF, nearly clear all over": lambda: rgba_tiff(with_alpha(3)),
    "TIFF, half clear all over": lambda: rgba_tiff(with_alpha(180)),
    "TIFF, upside down": lambda: rgba_tiff(with_alpha(255 - cut_out(), margin=226)),
    "TIFF, 16 bits, zero": lambda: rgba_tiff(with_alpha(0).astype(np.uint16) * 257),
    "TIFF, gray, zero": lambda: tiff(gray_alpha(0), planarconfig="contig", extrasamples=["unassalpha"]),
    "TIFF, gray of 16 bits, zero": lambda: tiff(
        gray_alpha(0).astype(np.uint16) * 257, planarconfig="contig", extrasamples=["unassalpha"]
    ),
    "TIFF, gray, zero, multiplied in": lambda: tiff(gray_alpha(0), planarconfig="contig", extrasamples=["assocalpha"]),
    "PNG, zero": lambda: saved(with_alpha(0), "PNG"),
    "PNG, gray, zero": lambda: saved(gray_alpha(0), "PNG"),
    "PNG, gray of 16 bits, zero": lambda: vips_png(gray_alpha(0).astype(np.uint16) * 257, "grey16"),
    "JPEG 2000, zero": lambda: saved(with_alpha(0), "JPEG2000"),
    "WebP, zero": lambda: saved(with_alpha(0), "WEBP", lossless=True, exact=True),
    "PNG, palette, zero": palette_png,
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_alpha_that_would_hide_the_picture_is_left_out(kind: str) -> None:
    data, expected = HIDDEN[kind](), print8()
    if kind == "TIFF, upside down":
        expected = with_alpha(0, margin=226)[..., 0]
    assert off(data, expected) <= 2
    notes = decode(data).notes
    if kind == "TIFF, unspecified":
        assert notes == ()
    else:
        assert len(notes) == 1
        assert "would hide the picture" in notes[0]
        assert notes[0].endswith("it was left out.")


CLEAR: Final[dict[str, Callable[[], bytes]]] = {
    "TIFF": lambda: rgba_tiff(with_alpha(cut_out())),
    "TIFF, hidden black": lambda: rgba_tiff(with_alpha(cut_out(), margin=0)),
    "TIFF, multiplied in": lambda: rgba_tiff(with_alpha(cut_out(), margin=0), "assocalpha"),
    "TIFF, 16 bits": lambda: rgba_tiff(with_alpha(cut_out()).astype(np.uint16) * 257),
    "TIFF, 16 bits, multiplied in": lambda: rgba_tiff(
        with_alpha(cut_out(), margin=0).astype(np.uint16) * 257, "assocalpha"
    ),
    "TIFF, gray": lambda: tiff(gray_alpha(cut_out()), planarconfig="contig", extrasamples=["unassalpha"]),
    "TIFF, gray of 16 bits": lambda: tiff(
        gray_alpha(cut_out()).astype(np.uint16) * 257, planarconfig="contig", extrasamples=["unassalpha"]
    ),
    "PNG": lambda: saved(with_alpha(cut_out()), "PNG"),
    "PNG, gray": lambda: saved(gray_alpha(cut_out()), "PNG"),
    "PNG, gray of 16 bits": lambda: vips_png(gray_alpha(cut_out()).astype(np.uint16) * 257, "grey16"),
    "WebP": lambda: saved(with_alpha(cut_out()), "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", CLEAR)
def test_what_was_cut_away_around_a_print_stays_margin(kind: str) -> None:
    decoded = decode(CLEAR[kind]())
    expected = np.where(cut_out() == 0, 255, print8())
    assert np.abs(decoded.pixels.astype(int) - expected[..., None]).max() <= 1
    assert decoded.notes == ()


def sheets(*pages: tuple[int, int, dict[str, Any]], subs: int = 0, bigtiff: bool = False, order: str = "<") -> bytes:
    """A TIFF of pages (height, width, options), each the print at its size; `subs` of them lie within the first."""
    with tifffile.TiffWriter(file := BytesIO(), bigtiff=bigtiff, byteorder=order) as writer:  # type: ignore[arg-type]
        for place, (height, width, options) in enumerate(pages):
            picture = np.asarray(Image.fromarray(print8()).resize((width, height), Image.Resampling.BILINEAR))
            inside: dict[str, Any] = {"subifds": subs} if place == 0 and subs else {}
            writer.write(picture, photometric="minisblack", metadata=None, **options, **inside)
    return file.getvalue()


FULL, SMALL, MIDDLE = (HEIGHT, WIDTH), (HEIGHT // 4, WIDTH // 4), (HEIGHT // 2, WIDTH // 2)
PAGES: Final[dict[str, tuple[bytes, str]]] = {
    "thumbnail first": (
        sheets((*SMALL, {"subfiletype": 1}), (*FULL, {})),
        "page 2, the largest (48 × 64 px), is taken",
    ),
    "thumbnail first, both said to be reduced": (
        sheets((*SMALL, {"subfiletype": 1}), (*FULL, {"subfiletype": 1})),
        "Left aside: 1 (12 × 16 px).",
    ),
    "thumbnail first, nothing said": (sheets((*SMALL, {}), (*FULL, {})), "page 2"),
    "thumbnail first, big-endian": (sheets((*SMALL, {}), (*FULL, {}), order=">"), "page 2"),
    "thumbnail first, BigTIFF": (sheets((*SMALL, {}), (*FULL, {}), bigtiff=True), "page 2"),
    "thumbnail first, deflated": (sheets((*SMALL, {}), (*FULL, {"compression": "deflate"})), "page 2"),
    "thumbnail last": (sheets((*FULL, {}), (*SMALL, {"subfiletype": 1})), "page 1, the largest"),
    "the full page within the thumbnail": (sheets((*SMALL, {}), (*FULL, {}), subs=1), "page 1.1, the largest"),
    "smaller copies within the full page": (
        sheets((*FULL, {}), (*MIDDLE, {"subfiletype": 1}), (*SMALL, {"subfiletype": 1}), subs=2),
        "Left aside: 1.1 (24 × 32 px), 1.2 (12 × 16 px).",
    ),
    "a pyramid from its top": (sheets((*SMALL, {}), (*MIDDLE, {}), (*FULL, {})), "page 3, the largest"),
    "pages of one size": (sheets((*FULL, {}), (*FULL, {}), (*FULL, {})), "page 1, the largest"),
    "nine pages": (sheets(*([(*SMALL, {})] * 8), (*FULL, {})), "and 3 more."),
    "a larger mask first": (
        with_tag(sheets((HEIGHT * 2, WIDTH * 2, {"subfiletype": 1}), (*FULL, {})), 254, 4),
        "page 2, the largest",
    ),
}


@pytest.mark.parametrize("kind", PAGES)
def test_the_largest_page_is_the_picture_and_the_others_are_named(kind: str) -> None:
    data, note = PAGES[kind]
    assert off(data, print8()) == 0
    (told,) = decode(data).notes
    assert note in told


def test_a_tile_pyramid_is_its_largest_level() -> None:
    gray = pyvips.Image.new_from_memory(print8().tobytes(), WIDTH, HEIGHT, 1, "uchar")
    for options in ({}, {"subifd": True}):
        made = gray.tiffsave_buffer(
            pyramid=True, tile=True, tile_width=16, tile_height=16, compression="lzw", **options
        )
        assert off(bytes(made), print8()) == 0
        assert "is taken" in decode(bytes(made)).notes[0]


def test_directories_that_lead_round_in_circles_or_nowhere_cost_nothing() -> None:
    data = sheets((*FULL, {}), (*FULL, {}))
    (first,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, first)
    link = first + 2 + 12 * count
    for goes_to in (first, 2**31, 7, len(data) - 1):
        looped = data[:link] + struct.pack("<I", goes_to) + data[link + 4 :]
        assert off(looped, print8()) == 0


def jpeg(*sizes: tuple[int, int]) -> bytes:
    """A JPEG that lists several pictures, each the print at a size."""
    first, *others = (Image.fromarray(print8()).resize(size[::-1]).convert("RGB") for size in sizes)
    first.save(file := BytesIO(), "MPO", save_all=True, append_images=others, quality=95)
    return file.getvalue()


@pytest.mark.parametrize("sizes", [(SMALL, FULL), (FULL, SMALL)])
def test_of_a_jpeg_with_parts_the_largest_is_taken(sizes: tuple[tuple[int, int], ...]) -> None:
    decoded = decode(jpeg(*sizes))
    assert decoded.pixels.shape == (HEIGHT, WIDTH, 3)
    assert f"page {sizes.index(FULL) + 1}, the largest" in decoded.notes[0]


def test_what_hangs_behind_a_sound_jpeg_may_be_damaged() -> None:
    assert decode(jpeg(FULL, SMALL)[:-40]).pixels.shape == (HEIGHT, WIDTH, 3)


def frames(format_: str) -> bytes:
    first = Image.fromarray(in_colour(print8()))
    first.save(file := BytesIO(), format_, save_all=True, append_images=[first.rotate(180)])
    return file.getvalue()


@pytest.mark.parametrize("format_", ["WEBP", "PNG", "AVIF"])
def test_frames_are_counted_and_the_first_is_taken(format_: str) -> None:
    assert decode(frames(format_)).notes == ("The file holds 2 frames; the first is taken.",)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunks(*chunks: bytes, behind: bool = False) -> bytes:
    png = saved(print8(), "PNG")
    at = len(png) - 12 if behind else 33
    return png[:at] + b"".join(chunks) + png[at:]


def large_profile(size: int, *, gamma_of: bytes = b"") -> bytes:
    """sRGB with a table of so many bytes behind it that nobody reads."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    padded = profile + np.random.default_rng(1).integers(0, 256, 2**16, np.uint8).tobytes() * (size // 2**16)
    return struct.pack(">I", len(padded)) + padded[4:]


MB: Final = 2**20
BESIDE: Final[dict[str, tuple[Callable[[], bytes], str]]] = {
    "a profile of 1.5 MB": (lambda: with_chunks(iccp(large_profile(3 * MB // 2))), ""),
    "a profile of 6 MB": (lambda: with_chunks(iccp(large_profile(6 * MB))), ""),
    "a profile of 18 MB": (lambda: with_chunks(iccp(large_profile(18 * MB))), "has more than 16 MB"),
    "XMP of 1.5 MB": (lambda: with_chunks(itxt(b"XML:com.adobe.xmp", b"a" * (3 * MB // 2))), "text"),
    "XMP of 1.5 MB, compressed": (
        lambda: with_chunks(itxt(b"XML:com.adobe.xmp", b"a" * (2 * MB), packed=True)),
        "text",
    ),
    "a compressed text of 70 MB": (lambda: with_chunks(ztxt(b"a" * 70_000_000)), "1 text(s) of more than 1 MB"),
    "a text of 3 MB": (lambda: with_chunks(chunk(b"tEXt", b"Comment\0" + b"b" * (3 * MB))), "text"),
    "a text of 3 MB behind the pixels": (lambda: with_chunks(ztxt(b"a" * (3 * MB)), behind=True), "text"),
    "two hundred texts of half a megabyte": (lambda: with_chunks(*[ztxt(b"a" * (MB // 2))] * 200), "text"),
    "a small text": (lambda: with_chunks(ztxt(b"a small one")), ""),
}


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"scanner\0\0" + zlib.compress(profile, 1))


def ztxt(text: bytes) -> bytes:
    return chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text, 9))


def itxt(keyword: bytes, text: bytes, *, packed: bool = False) -> bytes:
    flag, body = (b"\1", zlib.compress(text)) if packed else (b"\0", text)
    return chunk(b"iTXt", keyword + b"\0" + flag + b"\0\0\0" + body)


@pytest.mark.parametrize("kind", BESIDE)
def test_what_stands_beside_a_sound_png_costs_neither_the_picture_nor_the_memory(kind: str) -> None:
    make, note = BESIDE[kind]
    data = make()
    tracemalloc.start()
    decoded = decode(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.abs(decoded.pixels.astype(int) - print8()[..., None]).max() <= 1
    assert peak < 2 * len(data) + 60 * MB
    assert (len(decoded.notes) == 1 and note in decoded.notes[0]) if note else decoded.notes == ()


def test_a_large_profile_is_applied() -> None:
    swapped = large_profile(2 * MB).replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")
    red = saved(np.full((8, 8, 3), (255, 0, 0), np.uint8), "PNG")
    shown = decode(red[:33] + iccp(swapped) + red[33:]).pixels[0, 0].astype(int)
    assert np.abs(shown - (0, 255, 0)).max() <= 2


@pytest.mark.parametrize("format_", ["JPEG", "TIFF", "WEBP"])
def test_other_formats_carry_large_profiles_too(format_: str) -> None:
    known: dict[str, dict[str, Any]] = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}
    options = known.get(format_, {})
    data = saved(in_colour(print8()), format_, icc_profile=large_profile(3 * MB // 2), **options)
    assert np.abs(decode(data).pixels.astype(int) - print8()[..., None]).mean() < 2


def test_a_broken_large_profile_costs_nothing_but_itself() -> None:
    assert off(with_chunks(iccp(np.random.default_rng(2).bytes(2 * MB))), print8()) == 0
    assert off(with_chunks(chunk(b"iCCP", b"no zero byte and no zlib")), print8()) == 0


def test_pixels_stored_in_a_way_that_is_not_read_are_not_called_damaged() -> None:
    for data in (
        tiff(print8().astype(np.float64) / 255),
        tiff(in_colour(print8().astype(np.float32)), photometric="rgb"),
    ):
        with pytest.raises(UnreadableImage, match="stores its pixels in a way that is not read here"):
            decode(data)
