import random
import struct
import subprocess
import sys
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from colorize.errors import ColorizeError, OversizedImage, UnreadableImage
from colorize.images.decode import Pixels, decode
from colorize.images.resize import resized, to_gray

FORMATS = ["JPEG", "PNG", "TIFF", "WEBP", "JPEG2000", "AVIF"]


def a_picture(height: int = 24, width: int = 40) -> Image.Image:
    """Smooth, so that lossy formats keep it closely, with four unlike corners."""
    corners = np.array([[[220, 60, 40], [40, 90, 200]], [[240, 220, 150], [30, 30, 30]]], dtype=np.uint8)
    return Image.fromarray(corners).resize((width, height), Image.Resampling.BILINEAR)


def stored(image: Image.Image, format_: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def samples() -> list[bytes]:
    picture, exif = a_picture(), Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return [
        *(stored(picture, name) for name in FORMATS),
        *(stored(picture, name, exif=exif, icc_profile=profile) for name in ("JPEG", "PNG", "TIFF", "WEBP")),
        stored(picture.convert("CMYK"), "JPEG"),
        stored(picture.convert("P"), "PNG", transparency=3),
        stored(picture, "TIFF", compression="tiff_lzw"),
        stored(picture, "TIFF", compression="jpeg"),
        stored(picture.convert("RGBA"), "WEBP", save_all=True, append_images=[picture.rotate(180)]),
    ]


def one_colour(data: bytes) -> tuple[int, ...]:
    pixels = decode(data).pixels
    assert np.ptp(pixels.reshape(-1, 3), axis=0).max() == 0
    return tuple(int(value) for value in pixels[0, 0])


def with_size(png: bytes, width: int, height: int) -> bytes:
    """The same PNG whose header claims another size, its checksum made right."""
    header = b"IHDR" + struct.pack(">II", width, height) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize("format_", FORMATS)
def test_every_allowed_format_comes_out_as_it_went_in(format_: str) -> None:
    decoded = decode(stored(a_picture(), format_))
    assert (decoded.format, decoded.mode, decoded.width, decoded.height) == (format_, "RGB", 40, 24)
    assert decoded.pixels.dtype == np.uint8
    assert np.abs(decoded.pixels.astype(int) - np.asarray(a_picture())).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_is_turned_upright_by_its_exif_orientation(orientation: int, format_: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = {1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 1, 7: 1, 8: 1}[orientation]
    decoded = decode(stored(a_picture(), format_, exif=exif))
    assert (decoded.width, decoded.height) == ((40, 24), (24, 40))[lying]
    red_corner = {
        1: (0, 0),
        2: (0, -1),
        3: (-1, -1),
        4: (-1, 0),
        5: (0, 0),
        6: (0, -1),
        7: (-1, -1),
        8: (-1, 0),
    }
    assert np.abs(decoded.pixels[red_corner[orientation]].astype(int) - [220, 60, 40]).max() < 30


@pytest.mark.parametrize(("least_px", "longest"), [(900, 1601), (500, 801), (400, 401), (200, 201), (1, 201)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_comes_smaller_where_less_is_needed(least_px: int, longest: int, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = stored(a_picture(601, 1601), "JPEG", exif=exif)
    decoded, whole = decode(data, least_px=least_px), decode(data)
    assert (
        (decoded.width, decoded.height) == (whole.width, whole.height) == ((1601, 601), (601, 1601))[orientation == 6]
    )
    assert max(decoded.pixels.shape) == longest
    height, width = decoded.pixels.shape[:2]
    small = np.asarray(Image.fromarray(whole.pixels).resize((width, height), Image.Resampling.BOX))
    assert np.abs(decoded.pixels.astype(int) - small).mean() < 3


def test_what_is_read_smaller_is_read_to_its_end() -> None:
    grain = np.random.default_rng(1).integers(0, 255, (600, 1600, 3)).astype(np.uint8)
    data = stored(Image.fromarray(grain), "JPEG")
    assert decode(data, least_px=100).pixels.shape == (75, 200, 3)
    with pytest.raises(UnreadableImage):
        decode(data[:-2000], least_px=100)


def test_an_embedded_profile_is_applied() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    assert np.abs(np.subtract(one_colour(stored(red, "PNG", icc_profile=swapped)), (0, 255, 0))).max() <= 2
    assert np.abs(np.subtract(one_colour(stored(red, "PNG", icc_profile=profile)), (255, 0, 0))).max() <= 2


@pytest.mark.parametrize("profile", [b"no profile at all", b"\0" * 128, b"x"])
def test_a_broken_profile_costs_nothing_but_itself(profile: bytes) -> None:
    assert one_colour(stored(Image.new("RGB", (8, 8), (9, 80, 7)), "PNG", icc_profile=profile)) == (9, 80, 7)


def test_a_profile_for_other_channels_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert one_colour(stored(Image.new("RGB", (8, 8), (9, 80, 7)), "PNG", icc_profile=lab)) == (9, 80, 7)


def test_what_is_transparent_shows_white_paper() -> None:
    clear = Image.new("RGBA", (8, 8), (10, 20, 30, 0))
    half = Image.new("LA", (8, 8), (55, 128))
    indexed = Image.new("P", (8, 8), 3)
    indexed.putpalette([5] * 768)
    assert one_colour(stored(clear, "PNG")) == (255, 255, 255)
    assert one_colour(stored(half, "PNG")) == (155, 155, 155)
    assert one_colour(stored(indexed, "PNG", transparency=3)) == (255, 255, 255)
    assert one_colour(stored(Image.new("L", (8, 8), 7), "PNG", transparency=7)) == (255, 255, 255)


@pytest.mark.parametrize("format_", ["PNG", "TIFF"])
@pytest.mark.parametrize(("value", "gray"), [(0, 0), (257, 1), (32896, 128), (65535, 255)])
def test_sixteen_bits_of_gray_become_eight(format_: str, value: int, gray: int) -> None:
    wide = Image.fromarray(np.full((8, 8), value, dtype=np.uint16))
    assert one_colour(stored(wide, format_)) == (gray,) * 3
    assert decode(stored(wide, format_)).mode.startswith("I;16")


def test_floats_and_wide_integers_are_scaled_by_the_white_that_fits() -> None:
    def brightest(values: np.ndarray) -> int:
        return int(decode(stored(Image.fromarray(values), "TIFF")).pixels.max())

    ramp = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
    assert brightest(ramp) == brightest(ramp * 255) == brightest(ramp * 65535) == 255
    assert brightest((ramp * 65535).astype(np.int32)) == 255


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_float_that_is_no_finite_number_is_refused_with_its_place(value: float) -> None:
    ramp = np.linspace(0, 1, 128, dtype=np.float32).reshape(8, 16)
    ramp[5, 11] = ramp[6, 2] = value
    with pytest.raises(UnreadableImage, match=rf"the pixel at column 11, row 5 is no finite number \({value}\)"):
        decode(stored(Image.fromarray(ramp), "TIFF"))


def test_cmyk_of_adobe_is_not_inverted() -> None:
    cyan = stored(Image.new("CMYK", (16, 16), (255, 0, 0, 0)), "JPEG", quality=95)
    assert b"Adobe" in cyan
    red, green, blue = one_colour(cyan)
    assert red < 20
    assert min(green, blue) > 235
    assert decode(cyan).mode == "CMYK"


def test_bilevel_palette_and_lab_pictures_are_read() -> None:
    lab = Image.merge("LAB", [Image.new("L", (8, 8), value) for value in (255, 128, 128)])
    palette = Image.new("RGB", (8, 8), (200, 30, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    assert one_colour(stored(Image.new("1", (8, 8), 1), "TIFF", compression="group4")) == (255, 255, 255)
    assert min(one_colour(stored(lab, "TIFF"))) >= 254
    assert one_colour(stored(palette, "PNG")) == (200, 30, 30)


@pytest.mark.parametrize("format_", ["TIFF", "WEBP", "PNG"])
def test_of_several_frames_the_first_is_taken(format_: str) -> None:
    first, second = Image.new("RGB", (16, 16), (0, 0, 0)), Image.new("RGB", (16, 16), (255, 255, 255))
    assert one_colour(stored(first, format_, save_all=True, append_images=[second])) == (0, 0, 0)


def test_the_pixel_limit_is_asked_before_decoding() -> None:
    png = stored(a_picture(), "PNG")
    assert decode(png, max_pixels=960).width == 40
    with pytest.raises(OversizedImage, match=r"40 × 24 pixels, over the limit of 959\..*Raise the limit"):
        decode(png, max_pixels=959)
    with pytest.raises(OversizedImage, match="100,000 × 100,000"):
        decode(with_size(png, 100_000, 100_000))


def test_a_picture_that_no_memory_holds_is_oversized_and_not_damaged() -> None:
    png = with_size(stored(a_picture(), "PNG"), 2**30, 2**30)
    with pytest.raises(OversizedImage, match="more memory than there is"):
        decode(png, max_pixels=2**60)


@pytest.mark.parametrize("data", [data for data in samples() if data[8:12] != b"WEBP"])
def test_pillows_own_limit_does_not_stand_before_ours(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert decode(data).pixels.size == 40 * 24 * 3


def test_a_png_with_a_bit_changed_is_damaged_and_not_taken_for_one_without_orientation() -> None:
    changed = bytearray(stored(a_picture(), "PNG"))
    changed[len(changed) // 2] ^= 1
    with pytest.raises(UnreadableImage, match="damaged"):
        decode(bytes(changed))


@pytest.mark.parametrize("data", [b"", b"\0", b"<!DOCTYPE html><html></html>", b"GIF89a" + bytes(40), b"%PDF-1.7"])
def test_what_is_no_picture_is_named_with_its_first_bytes(data: bytes) -> None:
    with pytest.raises(UnreadableImage, match=r"not a picture of a format that is read here.*Save it as one of JPEG"):
        decode(data)


@pytest.mark.parametrize("data", samples())
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_unreadable(data: bytes, kept: float) -> None:
    with pytest.raises(UnreadableImage):
        decode(data[: int(len(data) * kept)])


def test_damaged_bytes_give_a_picture_or_unreadable_image_and_nothing_else(
    capfd: pytest.CaptureFixture[str],
) -> None:
    chance, whole, refused = random.Random(16), samples(), 0
    for _ in range(900):
        data = bytearray(chance.choice(whole))
        reach = len(data) if chance.random() < 0.4 else 200
        for _ in range(chance.choice([1, 2, 4, 16])):
            data[chance.randrange(min(reach, len(data)))] = chance.choice([0, 127, 255, chance.randrange(256)])
        try:
            assert decode(bytes(data), max_pixels=1_000_000).pixels.shape[2] == 3
        except UnreadableImage:
            refused += 1
    capfd.readouterr()  # libtiff's own remarks on stderr
    assert 200 < refused < 900


def test_odd_metadata_is_no_reason_to_print() -> None:
    tiff = stored(a_picture(), "TIFF", dpi=(300, 300))
    unit = b"\x28\x01\x03\x00"
    assert tiff.count(unit + b"\x01") == 1
    odd = tiff.replace(unit + b"\x01", unit + b"\x02")
    script = "import sys; from colorize.images.decode import decode; print(decode(sys.stdin.buffer.read()).width)"
    done = subprocess.run([sys.executable, "-c", script], input=odd, capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"40\n", b"")


@pytest.mark.parametrize(
    ("size", "long_edge_px", "expected"),
    [
        ((1000, 500), 256, (256, 128)),
        ((500, 1000), 250, (128, 256)),
        ((100, 100), 512, (96, 96)),
        ((78, 77), 192, (80, 80)),
        ((2000, 20), 512, (512, 32)),
        ((3, 5), 512, (32, 32)),
    ],
)
def test_sides_become_multiples_of_sixteen(size: tuple[int, int], long_edge_px: int, expected: tuple[int, int]) -> None:
    height, width, _ = resized(np.zeros((size[1], size[0], 3), dtype=np.uint8), long_edge_px).shape
    assert (width, height) == expected


def test_a_thumbnail_keeps_its_aspect() -> None:
    assert resized(np.zeros((900, 600, 3), dtype=np.uint8), 100, multiple=1).shape == (100, 67, 3)


def test_shrinking_does_not_alias() -> None:
    stripes: Pixels = np.zeros((512, 512, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    assert np.abs(resized(stripes, 128)[8:-8, 8:-8].astype(int) - 127).max() <= 2


def test_gray_is_rec_601_luma_in_three_equal_channels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    gray = to_gray(pixels)
    assert (gray == gray[..., :1]).all()
    assert np.abs(gray[..., 0] - pixels @ np.array([0.299, 0.587, 0.114])).max() <= 0.51
    assert (to_gray(gray) == gray).all()


def test_only_what_may_pass_by_itself_is_transient() -> None:
    kinds = (*ColorizeError.__subclasses__(), *UnreadableImage.__subclasses__())
    transient = {kind.__name__ for kind in kinds if kind.transient}
    assert transient == {"OutOfMemory", "OversizedImage", "PictureGone", "WorkerDied"}
