import struct
from io import BytesIO
from typing import Literal

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.errors import UnreadableImage
from colorize.images.decode import decode, header
from colorize.images.icc import gray_profile, srgb_profile
from tests.unit.colorize.images.test_decode import a_picture, stored


def gray16_of(data: bytes) -> np.ndarray:
    gray16 = decode(data).gray16
    assert gray16 is not None
    return gray16


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
def test_gray_of_sixteen_bits_is_kept_beside_its_eight(format_: str) -> None:
    every = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    decoded = decode(stored(Image.fromarray(every), format_))
    assert decoded.gray16 is decoded.scan
    assert np.array_equal(gray16_of(stored(Image.fromarray(every), format_)), every)
    assert (decoded.pixels == np.rint(every / 257)[..., None]).all()


def test_only_gray_of_sixteen_bits_has_them() -> None:
    for picture in (a_picture(), a_picture().convert("L"), a_picture().convert("I")):
        decoded = decode(stored(picture, "TIFF"))
        assert decoded.gray16 is None
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
