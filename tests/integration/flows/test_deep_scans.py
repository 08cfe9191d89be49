"""Nights over scans of 16 bits: what is kept is as deep as the scan, and the page shows it with 8."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorize.images.decode import DEEP_COLOUR, decode
from db.catalogue import Catalogue
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from flows.nightly import nightly
from tests.provenance import read_provenance

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Gray prints of 16 bits as PNG, as TIFF and as a TIFF in colour, one of 8 bits, and a print in colour."""
    place = tmp_path / "prints"
    place.mkdir()
    random = np.random.default_rng(7)
    colour = Image.fromarray(random.integers(0, 256, (4, 3, 3), np.uint8)).resize((36, 48), Image.Resampling.BICUBIC)
    colour.save(place / "colour.png")
    gray = np.asarray(colour.convert("L"))
    deep = [(gray.astype(np.uint16) * 256 + random.integers(0, 256, gray.shape)).astype(np.uint16) for _ in range(3)]
    Image.fromarray(gray).save(place / "shallow.png")
    Image.fromarray(deep[0]).save(place / "deep.png")
    Image.fromarray(deep[1]).save(place / "tiff.tif")
    tifffile.imwrite(place / "tiff-in-colour.tif", np.repeat(deep[2][..., None], 3, 2), photometric="rgb")
    return place


def test_a_result_is_kept_as_deep_as_its_scan_and_shown_with_eight_bits(
    settings_of: "SettingsOf", folder: Path, tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "home", recipe="classics/reinhard2001", iterations=None)
    nightly([str(folder)], settings)
    with Catalogue.open(settings, create=False) as catalogue:
        found = {}
        for attempt in catalogue.attempts():
            path = catalogue.pictures.path(str(attempt.output_sha256))
            output, content = decode(path.read_bytes()), decode(catalogue.pictures.read(attempt.content.sha256))
            assert output.scan.dtype == content.scan.dtype
            assert output.pixels.shape == content.pixels.shape
            assert read_provenance(path.read_bytes()) is not None
            preview = TileStore(settings.home / HomeFolder.TILES).path(str(attempt.output_sha256), "preview.jpg")
            with Image.open(preview) as shown:
                assert shown.size == (36, 48)
            found[attempt.content.identifier.rsplit("/")[-1]] = (path.suffix, output.mode)
    deep = (".tif", DEEP_COLOUR)
    assert found == {"shallow": (".png", "RGB"), "deep": deep, "tiff": deep, "tiff-in-colour": deep}
