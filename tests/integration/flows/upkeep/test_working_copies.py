"""Working copies from harvest to matching: made once, read afterwards, made again where one is lost."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from typer.testing import CliRunner

from colorize.images.decode import decode
from colorize.images.working_copy import DECODED_PX, LONG_EDGE_PX, from_png, to_png, working_copy
from db.catalogue import Catalogue
from db.doctor import Damage, examine
from db.entries.night import EncoderKey, Tone
from db.files.home import HomeFolder
from db.files.working_copies import VERSION
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.cli.app import app
from flows.harvest import harvest
from flows.match import match
from flows.settings import Settings
from tests.unit.colorize.images import test_judged_by_the_picture as files

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture(scope="module")
def harvested(settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A gray print of 1,500 px and a small one in colour."""
    folder = tmp_path_factory.mktemp("harvested")
    (folder / "prints").mkdir()
    gray, colour = (Image.fromarray(draw_print(design(seed), 0).pixels) for seed in (1, 2))
    gray.convert("L").resize((1000, 1500)).save(folder / "prints" / "gray.png")
    colour.save(folder / "prints" / "colour.png")
    settings = settings_of(folder / "home")
    harvest(settings, [str(folder / "prints")])
    return settings


@pytest.fixture
def settings(settings_of: "SettingsOf", harvested: Settings, tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    return settings_of(shutil.copytree(harvested.home, tmp_path / "home"))


@pytest.mark.long
def test_harvest_makes_a_copy_of_every_picture_from_what_it_decoded(settings: Settings) -> None:
    with Catalogue.open(settings) as catalogue:
        names = catalogue.harvested_names()
        assert len(names) == 2
        for sha256 in names:
            copy = from_png(catalogue.working_copies.read(sha256))
            expected = working_copy(decode(catalogue.pictures.read(sha256), least_px=DECODED_PX).pixels)
            assert (copy.pixels == expected.pixels).all()
            assert copy.frame == expected.frame
            assert max(copy.pixels.shape) in {LONG_EDGE_PX, 480}
    assert examine(settings, young_s=-1) == []


def test_matching_reads_the_copies_and_no_original(settings: Settings) -> None:
    shutil.rmtree(settings.home / HomeFolder.PICTURES)
    tally = match(settings)
    assert (tally.matched, tally.problems) == (1, [])


@pytest.mark.parametrize("harm", ["lost", "damaged", "of an earlier version"])
def test_a_copy_that_cannot_be_read_is_made_again_by_matching(
    settings: Settings, harvested: Settings, harm: str
) -> None:
    root = settings.home / HomeFolder.WORKING_COPIES
    for path in root.glob("*/??/??/*"):
        path.write_bytes(b"\x89PNG\r\n\x1a\n torn") if harm == "damaged" else path.unlink()
    if harm == "of an earlier version":
        (root / VERSION).rename(root / "0")
    assert match(settings).problems == []
    assert [each.damage for each in examine(settings, young_s=-1)] == []
    sound = [path.read_bytes() for path in sorted((harvested.home / HomeFolder.WORKING_COPIES).glob("1/??/??/*"))]
    assert [path.read_bytes() for path in sorted(root.glob("1/??/??/*"))] == sound


def test_the_doctor_makes_the_copies_of_a_catalogue_that_is_older_than_they_are(settings: Settings) -> None:
    shutil.rmtree(settings.home / HomeFolder.WORKING_COPIES)
    home = ["--home", str(settings.home)]
    seen = CliRunner().invoke(app, ["doctor", *home])
    assert (seen.exit_code, "lost working copies (2): " in seen.stdout) == (1, True)
    mended = CliRunner().invoke(app, ["doctor", "--mend", *home])
    assert (mended.exit_code, "; mended" in mended.stdout) == (0, True)
    assert CliRunner().invoke(app, ["doctor", *home]).stdout == "The catalogue and its pictures are sound.\n"


def test_a_copy_whose_original_cannot_be_read_is_told_and_stays_lost(settings: Settings) -> None:
    shutil.rmtree(settings.home / HomeFolder.WORKING_COPIES)
    with Catalogue.open(settings) as catalogue:
        names = sorted(catalogue.harvested_names())
        catalogue.pictures.path(names[0]).write_bytes(b"\x89PNG\r\n\x1a\n torn")
        with catalogue.engine.begin() as connection:
            connection.execute(text("UPDATE archives SET address = '/nowhere'"))
    mended = CliRunner().invoke(app, ["doctor", "--mend", "--home", str(settings.home)])
    assert (mended.exit_code, f"{names[0][:12]}: " in mended.stdout) == (1, True)
    left = [(each.damage, each.subject) for each in examine(settings)]
    assert left == [(Damage.ALTERED, names[0]), (Damage.LOST_COPIES, "(1)")]


def test_pictures_of_a_time_before_are_read_again_and_what_is_known_of_them_follows(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    (tmp_path / "prints").mkdir()
    (tmp_path / "prints" / "thumbnail.tif").write_bytes(files.PAGES["thumbnail first"][0])
    settings = settings_of(tmp_path / "home")
    harvest(settings, [str(tmp_path / "prints")])
    with Catalogue.open(settings) as catalogue, catalogue.engine.begin() as connection:
        (sha256,) = catalogue.harvested_names()
        small = working_copy(np.full((16, 12, 3), 90, np.uint8))
        catalogue.working_copies.add(sha256, to_png(small))
        connection.execute(text("UPDATE images SET width = 12, height = 16, notes = NULL, tone = 'unsure'"))
        connection.execute(text("INSERT INTO embeddings VALUES (1, 'an encoder', 'abc', 1, 'abcd')"))
    home = ["--home", str(settings.home)]
    assert "pictures read long ago (1): " in CliRunner().invoke(app, ["doctor", *home]).stdout
    assert CliRunner().invoke(app, ["doctor", "--mend", *home]).exit_code == 0
    assert CliRunner().invoke(app, ["doctor", *home]).stdout.endswith("The catalogue and its pictures are sound.\n")
    with Catalogue.open(settings) as catalogue:
        assert catalogue.images_to_embed(EncoderKey("an encoder", "abc"), list(Tone)) == [catalogue.image(1)]
        assert (catalogue.image(1).width, catalogue.image(1).tone) == (48, Tone.GRAYSCALE)
        assert "page 2, the largest" in catalogue.describe([1])[1].notes[0]
        assert from_png(catalogue.working_copies.read(sha256)).pixels.shape == (64, 48, 3)
