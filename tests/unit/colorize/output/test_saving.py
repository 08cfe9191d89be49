from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from colorize.errors import ColorizeError
from colorize.images.decode import Pixels, decode
from colorize.images.icc import srgb_profile
from colorize.output.provenance import DIGITAL_SOURCE_TYPE, Source
from colorize.output.saving import SUFFIXES, check_suffix, encode, kept
from colorize.results import Colorization, RelativeErrors
from tests.provenance import read_provenance
from tests.unit.colorize.output.test_provenance import MADE


def as_file(pixels: np.ndarray, suffix: str) -> bytes:
    return encode(pixels, MADE, Path(f"result{suffix}"))


@pytest.fixture(scope="module")
def deep() -> np.ndarray:
    """uint16, (40, 56, 3), every channel a ramp of its own with all sixteen bits in use."""
    rows, columns = np.mgrid[:40, :56]
    return np.stack([rows * 1638 + 7, columns * 1170 + 3, (rows + columns) * 680 + 1], 2).astype(np.uint16)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_tells_its_provenance(photographs: dict[str, Pixels], suffix: str) -> None:
    data = as_file(photographs["coffee"], suffix)
    assert read_provenance(data) == MADE
    assert read_provenance(as_file(photographs["coffee"], suffix.upper())) == MADE


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_format_says_to_any_reader_that_a_machine_coloured_it(
    photographs: dict[str, Pixels], suffix: str
) -> None:
    with Image.open(BytesIO(as_file(photographs["coffee"], suffix))) as image:
        said = image.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert said["DigitalSourceType"] == DIGITAL_SOURCE_TYPE
    assert said["description"]["Alt"]["li"]["text"] == MADE.description


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_equal_input_gives_equal_bytes_in_every_format(photographs: dict[str, Pixels], suffix: str) -> None:
    assert as_file(photographs["chelsea"], suffix) == as_file(photographs["chelsea"].copy(), suffix)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_odd_names_do_not_spoil_a_file(photographs: dict[str, Pixels], suffix: str) -> None:
    odd = replace(MADE, content=Source("役者絵 a\x00b\x07\ud800 <&>", "0" * 64))
    assert read_provenance(encode(photographs["coffee"], odd, Path(f"役者{suffix}"))) == odd


def test_tiff_keeps_sixteen_bits_without_loss(deep: np.ndarray) -> None:
    data = as_file(deep, ".tif")
    assert (tifffile.imread(BytesIO(data)) == deep).all()
    with tifffile.TiffFile(BytesIO(data)) as file:
        tags = file.pages.first.tags
    assert tags["BitsPerSample"].value == (16, 16, 16)
    assert tags["InterColorProfile"].value == srgb_profile()
    assert tags["Software"].value == MADE.software
    assert tags["ImageDescription"].value == MADE.description


def test_eight_bits_in_a_tiff_decode_to_themselves(photographs: dict[str, Pixels]) -> None:
    assert (decode(as_file(photographs["chelsea"], ".tiff")).pixels == photographs["chelsea"]).all()


def test_sixteen_bits_become_eight_with_their_lightness_kept(deep: np.ndarray) -> None:
    shown = decode(as_file(deep, ".png")).pixels
    assert np.abs(shown - deep / 257).max() <= 2
    lightness = np.abs(rgb2lab(shown)[..., 0] - rgb2lab(deep / 65535)[..., 0])
    assert (lightness.mean() <= 0.05, np.quantile(lightness, 0.99) <= 0.2) == (True, True)


def test_a_jpeg_for_the_web_keeps_its_colours_at_every_pixel() -> None:
    stripes: Pixels = np.full((32, 32, 3), (200, 60, 40), np.uint8)
    stripes[:, ::2] = (40, 90, 200)
    data = as_file(stripes, ".jpg")
    assert np.abs(decode(data).pixels.astype(int) - stripes).mean() < 12  # 4:2:0 would make both the same
    with Image.open(BytesIO(data)) as image:
        assert image.info["icc_profile"] == srgb_profile()
        assert image.info["comment"].decode() == MADE.description


def test_the_embedded_profile_is_srgb(photographs: dict[str, Pixels]) -> None:
    pixels = Image.fromarray(photographs["coffee"])
    own = ImageCms.ImageCmsProfile(BytesIO(srgb_profile()))
    shown = ImageCms.profileToProfile(pixels, own, ImageCms.createProfile("sRGB"))
    assert shown is not None
    assert np.abs(np.asarray(shown).astype(int) - photographs["coffee"]).max() <= 1


@pytest.mark.parametrize("name", ["result.webp", "result", "result.png.gz", ".png"])
def test_a_name_of_no_format_that_is_written_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(ColorizeError, match=r"\.png, \.tif, \.tiff, \.jpg, \.jpeg") as caught:
        check_suffix(Path("somewhere") / name)
    assert name in str(caught.value)
    assert "somewhere" not in str(caught.value)


def test_a_scroll_too_long_for_jpeg_is_refused_with_what_holds_it() -> None:
    with pytest.raises(ColorizeError, match=r"2 × 65,600 pixels.*PNG or TIFF"):
        as_file(np.zeros((65_600, 2, 3), np.uint8), ".jpg")


def test_files_cut_short_have_no_provenance(photographs: dict[str, Pixels]) -> None:
    for suffix in SUFFIXES:
        data = as_file(photographs["coffee"], suffix)
        for length in (4, 12, 200):
            assert read_provenance(data[:length]) is None


def result(picture: Pixels, deep: np.ndarray | None) -> Colorization:
    none = RelativeErrors(0, 0, 0, 0)
    return Colorization("x", picture, none, {}, (), 0, 0.0, 0, "cpu", "float32", deep)


def test_what_is_kept_has_the_depth_of_its_scan(deep: np.ndarray) -> None:
    shallow = np.rint(deep / 257).astype(np.uint8)
    for wide, suffix, bits in ((deep, ".tif", np.uint16), (None, ".png", np.uint8)):
        made = kept(result(shallow, wide), MADE)
        read = decode(made.data)
        assert (made.suffix, made.mode, read.scan.dtype) == (suffix, read.mode, np.dtype(bits))
        assert (read.scan == (shallow if wide is None else wide)).all()
        assert (read.pixels == shallow).all()
        assert read_provenance(made.data) == MADE
