"""The store of tiles: whole folders or none, and nothing but tiles can be asked for."""

import errno
import os
from pathlib import Path

import pytest

from db.errors import CatalogueFull, PictureMissing
from db.files.tiles import TileStore

SHA256 = "ab" * 32
TILE = "0,0,512,512/512,512/0/default.jpg"
NAMES = ["info.json", "thumb.jpg", "preview.jpg", TILE, "full/375,500/0/default.jpg", "full/max/0/default.jpg"]


def _fill(folder: Path) -> None:
    for name in [*NAMES, *(f"luma/{name}" for name in NAMES), "notes.txt"]:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


@pytest.fixture
def store(tmp_path: Path) -> TileStore:
    """A store with the tiles of one picture."""
    made = TileStore(tmp_path / "tiles")
    made.add(SHA256, _fill)
    return made


def test_tiles_lie_under_their_pictures_sha256_in_two_levels(store: TileStore) -> None:
    assert store.path(SHA256, TILE) == store.root / "ab" / "ab" / SHA256 / TILE
    assert (store.has(SHA256), store.has("cd" * 32)) == (True, False)
    assert (list(store.folders()), list(store.leftovers())) == ([store.root / "ab" / "ab" / SHA256], [])


@pytest.mark.parametrize("name", [*NAMES, *(f"luma/{name}" for name in NAMES)])
def test_every_file_that_the_page_shows_can_be_asked_for(store: TileStore, name: str) -> None:
    assert store.path(SHA256, name).read_text() == name


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "",
        ".",
        "luma",
        "luma/../info.json",
        "../info.json",
        "../../../../etc/passwd",
        "/etc/passwd",
        "info.json\n",
        "info.json/",
        "INFO.JSON",
        "luma/luma/info.json",
        f"0,0,512,512/../{TILE}",
        "0,0,512,512/512,512/0/default.png",
        "full/512,512/90/default.jpg",
        "٣,0,512,512/512,512/0/default.jpg",
        "9" * 300 + ",0,512,512/512,512/0/default.jpg",
        "1,1,512,512/512,512/0/default.jpg",
    ],
)
def test_whatever_else_is_asked_for_is_missing(store: TileStore, name: str) -> None:
    with pytest.raises(PictureMissing, match="nishiki tiles"):
        store.path(SHA256, name)


@pytest.mark.parametrize("sha256", ["", "..", "ab", SHA256.upper(), f"{SHA256}\n", "../../unfinished", "*" * 64])
def test_what_is_no_sha256_has_no_tiles_and_gets_none(store: TileStore, sha256: str) -> None:
    assert not store.has(sha256)
    with pytest.raises(PictureMissing):
        store.path(sha256, "info.json")
    with pytest.raises(ValueError, match="no sha256"):
        store.add(sha256, _fill)


def test_a_folder_that_is_here_already_stays(store: TileStore) -> None:
    store.add(SHA256, lambda _: pytest.fail("it was filled again"))
    assert store.path(SHA256, TILE).read_text() == TILE


def test_of_two_that_make_the_same_tiles_at_once_one_is_kept(tmp_path: Path) -> None:
    store = TileStore(tmp_path)

    def slow(folder: Path) -> None:
        _fill(folder)
        store.add(SHA256, _fill)
        (folder / "info.json").write_text("the slower one")

    store.add(SHA256, slow)
    assert store.path(SHA256, "info.json").read_text() == "info.json"
    assert list(store.leftovers()) == []


def test_a_failure_while_filling_leaves_nothing(tmp_path: Path) -> None:
    store = TileStore(tmp_path)

    def broken(folder: Path) -> None:
        _fill(folder)
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(OSError, match="Input/output"):
        store.add(SHA256, broken)
    assert (store.has(SHA256), list(store.leftovers())) == (False, [])


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(CatalogueFull, match="free some space"):
        TileStore(tmp_path).add(SHA256, _fill)
    assert not TileStore(tmp_path).has(SHA256)
