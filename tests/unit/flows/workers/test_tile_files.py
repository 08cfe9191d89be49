"""Tiles as files: what a viewer asks for is there, shows the picture, and says nothing besides."""

import io
import json
from itertools import product
from math import ceil, log2
from pathlib import Path

import numpy as np
import pytest
import pyvips
from numpy.typing import NDArray
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from colorize.measures.lightness import lightness
from db.entries.review import ShownPictures
from db.errors import CatalogueFull
from db.files.pictures import PictureStore
from db.files.tiles import TileStore
from flows.workers.tiles import Tiling, write_tiles

Picture = NDArray[np.uint8]
NAME = "ab" * 32


def _picture(seed: int, height: int, width: int) -> Picture:
    """Broad soft colours, which JPEG keeps."""
    spots = np.random.default_rng(seed).integers(30, 226, (4, 4, 3), np.uint8)
    return np.array(Image.fromarray(spots).resize((width, height), Image.Resampling.BICUBIC))


def _opened(path: Path) -> Picture:
    with Image.open(path) as image:
        return np.array(image)


def _asked_for(width: int, height: int) -> set[str]:
    """Every tile that OpenSeadragon 6 asks a level-0 service of this size for, as its `getTileUrl` writes it."""
    asked = set()
    for level in range(max(0, ceil(log2(max(width, height) / 512))) + 1):
        scale = 2**level
        across, down = ceil(width / scale), ceil(height / scale)
        for x, y in product(range(ceil(across / 512)), range(ceil(down / 512))):
            left, top = x * 512 * scale, y * 512 * scale
            region = (left, top, min(512 * scale, width - left), min(512 * scale, height - top))
            size = (min(512, across - x * 512), min(512, down - y * 512))
            where = "full" if region == (0, 0, width, height) else ",".join(map(str, region))
            wide = "max" if size == (width, height) else ",".join(map(str, size))
            asked.add(f"{where}/{wide}/0/default.jpg")
    return asked


@pytest.mark.parametrize(("width", "height"), [(80, 100), (512, 512), (513, 512), (1025, 700), (1999, 3001)])
def test_every_tile_that_a_viewer_asks_for_is_there_and_no_other(tmp_path: Path, width: int, height: int) -> None:
    store = TileStore(tmp_path)
    store.add(NAME, lambda folder: write_tiles(_picture(1, height, width), folder, NAME))
    (folder,) = store.folders()
    made = {str(path.relative_to(folder)) for path in folder.rglob("default.jpg")}
    assert made == _asked_for(width, height)
    assert {store.path(NAME, name) for name in made} == set(folder.rglob("default.jpg"))
    info = json.loads(store.path(NAME, "info.json").read_text())
    assert (info["id"], info["type"], info["profile"]) == (NAME, "ImageService3", "level0")
    assert (info["width"], info["height"], info["tiles"][0]["width"]) == (width, height, 512)


def test_tiles_laid_side_by_side_are_the_picture_in_its_colours(tmp_path: Path) -> None:
    picture = _picture(2, 700, 1100)
    write_tiles(picture, tmp_path, NAME)
    for left, top in product((0, 512, 1024), (0, 512)):
        part = picture[top : top + 512, left : left + 512]
        height, width = part.shape[:2]
        tile = _opened(tmp_path / f"{left},{top},{width},{height}" / f"{width},{height}" / "0" / "default.jpg")
        assert np.abs(tile.astype(int) - part).mean() < 1


def test_smaller_versions_have_their_long_edge_and_never_grow(tmp_path: Path) -> None:
    write_tiles(_picture(2, 900, 2560), tmp_path / "large", NAME)
    write_tiles(_picture(2, 200, 100), tmp_path / "small", NAME)
    sizes = [
        _opened(tmp_path / f"{size}/{name}.jpg").shape[:2]
        for size in ("large", "small")
        for name in ("thumb", "preview")
    ]
    assert sizes == [(113, 320), (450, 1280), (200, 100), (200, 100)]


def test_no_chroma_is_lost_and_nothing_is_said_besides_the_pixels(tmp_path: Path) -> None:
    write_tiles(_picture(3, 300, 400), tmp_path, NAME)
    for name in ("thumb.jpg", "preview.jpg", "full/max/0/default.jpg"):
        with JpegImageFile(tmp_path / name) as image:
            assert {layer[1:3] for layer in image.layer} == {(1, 1)}
            assert not {"exif", "icc_profile", "xmp", "comment"} & set(image.info)


@pytest.fixture
def tiling(tmp_path: Path) -> Tiling:
    """Empty stores."""
    return Tiling(PictureStore(tmp_path / "pictures"), TileStore(tmp_path / "tiles"), 10_000_000)


def _shown(tiling: Tiling, content: Picture, output: Picture) -> ShownPictures:
    def stored(picture: Picture) -> str:
        Image.fromarray(picture).save(file := io.BytesIO(), "PNG")
        return tiling.pictures.add(file.getvalue(), ".png")

    return ShownPictures(1, stored(content), (stored(_picture(9, 50, 60)),), stored(output))


def test_an_unchanged_lightness_is_shown_as_a_neutral_gray_and_a_lighter_one_eight_times_as_light(
    tiling: Tiling,
) -> None:
    content = _picture(4, 200, 304)
    lighter = content.copy()
    lighter[:, 152:] = content[:, 152:] + 3
    shown = _shown(tiling, content, lighter)
    assert tiling.make(shown) is None
    view = _opened(tiling.tiles.path(shown.output, "luma/full/max/0/default.jpg"))
    assert view.shape == (200, 304), "a gray picture"
    assert set(np.unique(view[:, :152])) == {128}
    lifted = (lightness(lighter) - lightness(content))[:, 152:].mean()
    assert lifted > 0.9
    assert view[:, 152:].mean() == pytest.approx(128 + 8 * lifted, abs=0.5)
    assert tiling.is_whole(shown)


def test_a_content_of_another_size_is_compared_at_the_size_of_the_output(tiling: Tiling) -> None:
    content = _picture(6, 400, 600)
    small = np.array(Image.fromarray(content).resize((144, 96), Image.Resampling.LANCZOS))
    shown = _shown(tiling, content, small)
    assert tiling.make(shown) is None
    view = _opened(tiling.tiles.path(shown.output, "luma/full/max/0/default.jpg"))
    assert view.shape == (96, 144)
    assert set(np.unique(view)) == {128}


def test_bytes_that_are_no_picture_and_pictures_that_are_gone_are_told_and_leave_nothing(tiling: Tiling) -> None:
    shown = _shown(tiling, _picture(4, 40, 30), _picture(5, 40, 30))
    tiling.pictures.path(shown.content).write_bytes(b"<svg onload='alert(1)'/>")
    assert "its tiles could not be made (" in (tiling.make(shown) or "")
    tiling.pictures.path(shown.content).unlink()
    assert "is not among" in (tiling.make(shown) or "")
    assert (list(tiling.tiles.folders()), list(tiling.tiles.leftovers())) == ([], [])


def test_a_disk_that_is_full_is_told_as_such_in_libvips_words_too(
    tiling: Tiling, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise pyvips.Error("unable to call dzsave", "system error: No space left on device")

    monkeypatch.setattr(pyvips.Image, "dzsave", full, raising=False)
    with pytest.raises(CatalogueFull, match="free some space"):
        tiling.make(_shown(tiling, _picture(4, 40, 30), _picture(5, 40, 30)))


@pytest.mark.parametrize("name", ["info.json", "full/30,40/0/default.jpg", "thumb.jpg"])
def test_what_libvips_could_not_write_and_did_not_tell_is_told(
    tiling: Tiling, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """As seen where the system refuses the last part of a file."""
    shown = _shown(tiling, _picture(4, 40, 30), _picture(5, 40, 30))
    operation, written = ("jpegsave", "") if name == "thumb.jpg" else ("dzsave", name)

    def silent(image: pyvips.Image, place: str, **options: object) -> None:
        pyvips.Operation.call(operation, image, place, **options)
        path = Path(place) / written
        path.write_bytes(path.read_bytes()[:-20])

    with monkeypatch.context() as patch:
        patch.setattr(pyvips.Image, operation, silent, raising=False)
        told = tiling.make(shown) or ""
    assert "libvips could not write all of it" in told
    assert (list(tiling.tiles.folders()), list(tiling.tiles.leftovers())) == ([], [])
    assert tiling.make(shown) is None
    assert tiling.is_whole(shown)
