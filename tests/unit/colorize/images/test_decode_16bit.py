import struct
import tracemalloc
import zlib
from io import BytesIO
from typing import Any, Literal

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.errors import UnreadableImage
from colorize.images.decode import DEEP_COLOUR, decode, header
from colorize.images.icc import gray_profile, srgb_profile
from tests.unit.colorize.images.test_decode import a_picture, stored


def gray16_of(data: bytes) -> np.ndarray:
    gray16 = decode(data).deep
    assert gray16 is not None
    return gray16


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_gray_of_sixteen_bits_is_kept_beside_its_eight(format_: str) -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    decoded = decode(stored(Image.fromarray(every), format_))
    assert decoded.deep is decoded.scan
    assert np.array_equal(gray16_of(stored(Image.fromarray(every), format_)), every)
    assert (decoded.pixels == np.rint(every / 257)[..., None]).all()


def test_no_picture_of_fewer_bits_has_them() -> None:
    for picture in (a_picture(), a_picture().convert("L"), a_picture().convert("I")):
        decoded = decode(stored(picture, "TIFF"))
        assert decoded.deep is None
        assert decoded.scan is decoded.pixels


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_are_read_in_either_byte_order(order: Literal["<", ">"]) -> None:
    ramp = np.arange(0, 65536, 97, dtype=np.uint16)[:512].reshape(16, 32)
    file = BytesIO()
    tifffile.imwrite(file, ramp, photometric="minisblack", byteorder=order)
    assert np.array_equal(gray16_of(file.getvalue()), ramp)


def test_a_negative_of_sixteen_bits_is_shown_as_meant() -> None:
    ramp, file = np.arange(512, dtype=np.uint16).reshape(16, 32) * 128, BytesIO()
    tifffile.imwrite(file, ramp, photometric="miniswhite")
    assert np.array_equal(gray16_of(file.getvalue()), 65535 - ramp)


def test_sixteen_bits_are_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    ramp = np.arange(512, dtype=np.uint16).reshape(16, 32) * 128
    decoded = decode(stored(Image.fromarray(ramp), "PNG", exif=exif))
    assert np.array_equal(decoded.scan, np.rot90(ramp, -1))
    assert decoded.pixels.shape == (32, 16, 3)


def test_a_gray_profile_is_applied_at_sixteen_bits() -> None:
    """A tone curve of gamma 1 (0 entries) in place of sRGB's."""
    curve = b"para" + bytes(4)
    linear = gray_profile().replace(curve + b"\0\3\0\0", curve + b"\0\0\0\0" + struct.pack(">i", 65536))
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    shown = gray16_of(stored(Image.fromarray(every), "PNG", icc_profile=linear))
    light = every / 65535
    expected = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055) * 65535
    assert np.abs(shown - expected)[64:].max() < 32
    own = gray16_of(stored(Image.fromarray(every), "PNG", icc_profile=gray_profile()))
    assert np.abs(own.astype(int) - every).max() <= 1


def test_a_profile_for_other_channels_leaves_sixteen_bits_alone() -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    for profile in (srgb_profile(), b"no profile at all"):
        assert np.array_equal(gray16_of(stored(Image.fromarray(every), "TIFF", icc_profile=profile)), every)


def test_a_header_is_read_without_the_pixels() -> None:
    data = stored(a_picture(), "PNG", icc_profile=srgb_profile())
    assert header(data[: len(data) // 2])["icc_profile"] == srgb_profile()
    with pytest.raises(UnreadableImage):
        header(b"no picture")


def colour16() -> np.ndarray:
    """uint16, (30, 20, 3), all sixteen bits in use."""
    return np.random.default_rng(5).integers(0, 65536, (30, 20, 3), np.uint16)


def tiff_of(pixels: np.ndarray, **options: Any) -> bytes:
    tifffile.imwrite(file := BytesIO(), pixels, photometric="rgb", metadata=None, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"byteorder": ">"},
        {"rowsperstrip": 7},
        {"compression": "deflate", "rowsperstrip": 7},
        {"compression": "deflate", "predictor": True, "byteorder": ">"},
        {"iccprofile": srgb_profile()},
    ],
)
def test_colour_of_sixteen_bits_in_a_tiff_is_kept_beside_its_eight(options: dict[str, Any]) -> None:
    decoded = decode(tiff_of(colour16(), **options))
    assert decoded.deep is not None
    assert (decoded.deep == colour16()).all()
    assert (decoded.pixels == np.rint(colour16() / 257)).all()
    assert decoded.mode == DEEP_COLOUR


def test_deep_colour_is_turned_upright_too() -> None:
    turned = tiff_of(colour16(), extratags=[(274, 3, 1, 6, True)])
    assert (gray16_of(turned) == np.rot90(colour16(), -1)).all()


@pytest.mark.parametrize("options", [{"iccprofile": gray_profile()}, {"tile": (16, 16)}])
def test_deep_colour_that_cannot_be_read_as_it_is_has_eight_bits(options: dict[str, Any]) -> None:
    decoded = decode(tiff_of(colour16(), **options))
    assert decoded.deep is None
    assert np.abs(decoded.pixels.astype(int) - np.rint(colour16() / 257)).max() <= 1


@pytest.mark.parametrize("options", [{}, {"rowsperstrip": 7}, {"compression": "deflate"}])
def test_deep_colour_in_separate_planes_is_read_as_it_is(options: dict[str, Any]) -> None:
    planes = np.ascontiguousarray(colour16().transpose(2, 0, 1))
    assert (gray16_of(tiff_of(planes, planarconfig="separate", **options)) == colour16()).all()


def test_deep_colour_is_unpacked_no_further_than_its_header_promises() -> None:
    sound = tiff_of(np.zeros((30, 20, 3), np.uint16), compression="deflate")
    start, size = (tifffile.TiffFile(BytesIO(sound)).pages.first.tags[tag].value[0] for tag in (273, 279))
    bomb = zlib.compress(bytes(50_000_000), 9)
    strips = bytearray(sound + bomb)
    for place, (old, new) in {273: (start, len(sound)), 279: (size, len(bomb))}.items():
        entry = next(
            at
            for at in range(8, len(sound))
            if strips[at : at + 2] == struct.pack("<H", place) and strips[at + 8 : at + 12] == struct.pack("<I", old)
        )
        strips[entry + 8 : entry + 12] = struct.pack("<I", new)
    tracemalloc.start()
    try:
        decode(bytes(strips))
    except UnreadableImage:
        pass  # what Pillow's own reader says of it
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 10_000_000 + len(bomb)


@pytest.mark.parametrize("left", [0.4, 0.7, 0.95])
def test_deep_colour_that_is_cut_short_is_damaged(left: float) -> None:
    whole = tiff_of(colour16(), rowsperstrip=7)
    with pytest.raises(UnreadableImage):
        decode(whole[: int(len(whole) * left)])
