"""Whose a home and a backup are: no catalogue works on the files of another, nor takes the place of its backup."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from db.backup import back_up, read_manifest
from db.catalogue import Catalogue
from db.doctor import Remedies, examine, mend
from db.errors import BackupUnusable, NoCatalogue
from db.files.home import IDENTITY, HomeFolder
from db.opening import identity, look_at
from db.settings import CatalogueSettings
from tests.samples import Sample

DATABASES = ("sqlite",)


def elsewhere(settings: CatalogueSettings, file: Path) -> CatalogueSettings:
    """The same home with another database, as after a slip of the pen."""
    return settings.model_copy(update={"database_url": SecretStr(f"sqlite:///{file}")})


def files(home: Path) -> list[Path]:
    return sorted(path for path in (home / HomeFolder.PICTURES).rglob("*") if path.is_file())


def test_no_new_catalogue_is_made_over_the_pictures_of_one(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, tmp_path: Path
) -> None:
    catalogue.pictures.add(b"a picture", ".png")
    slip = elsewhere(settings, tmp_path / "typo" / "catalogue.db")
    said = "there is no catalogue at .*typo/catalogue.db, and .*home holds the pictures of one; name its database_url"
    for ask in (lambda: look_at(slip, create=True), lambda: Catalogue.open(slip)):
        for _ in ("by what was written", "by the pictures alone, as in a home of before"):
            with pytest.raises(NoCatalogue, match=said):
                ask()
            (settings.home / IDENTITY).unlink(missing_ok=True)
    assert not (tmp_path / "typo").exists()
    catalogue.close()
    (settings.home / "catalogue.db").write_bytes(b"")  # lost, as a full disk leaves it
    with pytest.raises(NoCatalogue, match="bring it back from a backup"):
        Catalogue.open(settings)


def test_another_catalogue_lets_a_home_alone_and_its_doctor_deletes_nothing(
    settings: CatalogueSettings, catalogue: Catalogue, tmp_path: Path
) -> None:
    catalogue.pictures.add(b"a picture", ".png")
    before = files(settings.home)
    other = CatalogueSettings(home=tmp_path / "other")
    Catalogue.open(other).close()
    slip = elsewhere(settings, other.home / "catalogue.db")
    asks: list[Callable[[], object]] = [
        lambda: Catalogue.open(slip), lambda: look_at(slip, create=True), lambda: examine(slip),
        lambda: mend(slip, [], Remedies(lambda *_: None, lambda _: {}), lambda _: None),
    ]  # fmt: skip
    for ask in asks:
        with pytest.raises(NoCatalogue, match=r"home belong to another catalogue than the one at .*other"):
            ask()
    assert files(settings.home) == before


def test_a_home_of_before_becomes_its_catalogues_with_the_first_command(
    settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    mark = settings.home / IDENTITY
    assert mark.read_text() == identity(catalogue.engine) != ""
    mark.unlink()
    look_at(settings, create=True)
    assert not mark.exists(), "who only looks makes nothing"
    Catalogue.open(settings, create=False).close()
    assert mark.read_text() == identity(catalogue.engine)


def test_a_backup_never_gives_way_to_that_of_another_catalogue(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, tmp_path: Path
) -> None:
    sample.pairs(catalogue, 1)
    back_up(settings, tmp_path / "backup")
    held = read_manifest(tmp_path / "backup")
    other = CatalogueSettings(home=tmp_path / "other")
    Catalogue.open(other).close()
    with pytest.raises(BackupUnusable, match=r"holds the backup of another catalogue \(2 records, made "):
        back_up(other, tmp_path / "backup")
    assert read_manifest(tmp_path / "backup") == held
    assert (tmp_path / "backup" / "databases" / held.database).is_file()
    back_up(settings, tmp_path / "backup")
