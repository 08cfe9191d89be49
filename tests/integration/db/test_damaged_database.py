"""A database that was damaged is told as such by the doctor, whichever of its pages it was."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.doctor import Damage, Finding, Remedies, examine, mend
from db.errors import CatalogueFull
from db.settings import CatalogueSettings
from flows.cli.app import app

if TYPE_CHECKING:
    from tests.samples import Sample

DATABASES = ("sqlite",)


@pytest.fixture
def kept(settings: CatalogueSettings, sample: "Sample") -> Path:
    """The file of a catalogue with something in every kind of page."""
    with Catalogue.open(settings) as catalogue:
        for number in range(8):
            long = sample.record(f"r{number}", raw="<record>" + "x" * 9000 + "</record>")
            sample.entry(catalogue, long)
        sample.tile(catalogue)
        catalogue.add_embeddings(sample.encoder, {1: np.linspace(1, 2, 1536, dtype=np.float32)})
    file = settings.home / "catalogue.db"
    with closing(sqlite3.connect(file)) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return file


def _doctor(home: Path, *words: str) -> tuple[int, str]:
    run = CliRunner().invoke(app, ["doctor", "--home", str(home), *words])
    return run.exit_code, run.stdout + run.stderr


@pytest.mark.long
def test_every_single_page_that_is_emptied_is_found(kept: Path, settings: CatalogueSettings) -> None:
    sound = kept.read_bytes()
    size = int.from_bytes(sound[16:18], "big")
    pages, missed = len(sound) // size, []
    for page in range(0, pages, 3):
        kept.write_bytes(sound[: page * size] + bytes(size) + sound[(page + 1) * size :])
        code, said = _doctor(kept.parent, "--mend")
        if code != 1 or "catalogue.db" not in said:
            missed.append((page + 1, said))
    assert pages > 60
    assert missed == []
    kept.write_bytes(sound)
    assert examine(settings) == []
    assert "24 of 24 pictures (0.0 GB) were not read" in _doctor(kept.parent, "--quick")[1]


def test_rows_that_name_lost_ones_are_found(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 1)
    with closing(sqlite3.connect(settings.home / "catalogue.db", isolation_level=None)) as raw:
        raw.execute("DELETE FROM rights")
        raw.execute("DELETE FROM records WHERE id = 1")
    (first, *_) = found = examine(settings)
    assert {each.damage for each in found} == {Damage.DATABASE}
    assert first.problem.endswith("name rows of records that are not there")
    assert not first.mendable


def test_what_cannot_be_mended_is_named_and_the_others_are_mended(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 1)
    unfinished = settings.home / "tiles" / "unfinished"
    unfinished.mkdir(parents=True)
    left = [unfinished / name for name in ("a.file", "vips-properties.xml")]
    for path in left:
        path.write_text("left")
        os.utime(path, (0, 0))
    hindrance = settings.home / "pictures" / "unfinished"
    held = hindrance / "held"
    held.mkdir()
    (held / "by a mount").touch()
    os.utime(held, (0, 0))
    found = examine(settings)
    assert [each.damage for each in found] == [Damage.LEFTOVER, Damage.TILES, Damage.TILES]
    said: list[str] = []

    def full(*_: object) -> None:
        raise CatalogueFull("no room left")

    lost = Finding(Damage.LOST_COPIES, "(1)", "lost", "nishiki doctor --mend")
    assert mend(settings, [lost, *found], Remedies(full, dict.fromkeys), said.append) == found
    assert said == ["lost working copies (1) could not be mended: no room left"]
    assert not any(path.exists() for path in (*left, held))
