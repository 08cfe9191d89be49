"""The picture store: whole files or none."""

import errno
import hashlib
import os
from functools import partial
from pathlib import Path

import pytest

from db.errors import CatalogueFull, PictureAltered, PictureMissing
from db.files.atomic import fsync_folder, write_whole
from db.files.pictures import PictureStore

DATA = b"a picture"
SHA256 = hashlib.sha256(DATA).hexdigest()


def test_a_picture_lies_under_its_sha256_in_two_levels(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures")
    assert store.add(DATA, ".PNG") == SHA256
    assert store.path(SHA256) == tmp_path / "pictures" / SHA256[:2] / SHA256[2:4] / f"{SHA256}.png"
    assert store.read(SHA256) == DATA
    assert (list(store.files()), list(store.leftovers())) == ([store.path(SHA256)], [])


def test_adding_it_again_is_harmless_whatever_the_suffix(tmp_path: Path) -> None:
    store = PictureStore(tmp_path)
    store.add(DATA, ".png")
    path = store.path(SHA256)
    os.utime(path, (0, 0))
    assert store.add(DATA, "jpg") == SHA256
    assert list(store.files()) == [path]
    assert path.stat().st_mtime > 0  # young again, so that no doctor takes it for forgotten


@pytest.mark.parametrize("altered", [b"damaged", b"b picture", b""])
def test_altered_bytes_are_never_read_as_the_picture_and_its_own_make_them_good(tmp_path: Path, altered: bytes) -> None:
    store = PictureStore(tmp_path)
    store.add(DATA, ".png")
    assert store.verify(SHA256)
    store.path(SHA256).write_bytes(altered)
    assert not store.verify(SHA256)
    with pytest.raises(PictureAltered, match="other bytes than when it was stored; `nishiki doctor --mend`"):
        store.read(SHA256)
    store.add(DATA, ".jpg")
    assert (store.read(SHA256), len(list(store.files()))) == (DATA, 1)


@pytest.mark.parametrize("name", [SHA256, "../../etc/passwd", "", "*" * 64, SHA256.upper()])
def test_what_is_not_here_is_missing_and_no_name_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    with pytest.raises(PictureMissing, match="is not among"):
        PictureStore(tmp_path).path(name)


@pytest.mark.parametrize("suffix", ["", ".", "/../x", ".tar.gz", ".*"])
def test_a_suffix_that_is_none_is_refused(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(ValueError, match="suffix"):
        PictureStore(tmp_path).add(DATA, suffix)


def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PictureStore(tmp_path)

    def no_room(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_room)
        with pytest.raises(CatalogueFull, match="free some space"):
            store.add(DATA, ".png")
    assert (list(store.files()), list(store.leftovers())) == ([], [])
    assert store.add(DATA, ".png") == SHA256


def test_a_crash_while_writing_leaves_no_picture_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = PictureStore(tmp_path)

    def power_cut(_self: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", power_cut)
        patch.setattr(Path, "unlink", lambda *_, **__: None)  # nothing runs after it, no clearing up either
        with pytest.raises(KeyboardInterrupt):
            store.add(DATA, ".png")
    assert list(store.files()) == []
    assert len(list(store.leftovers())) == 1
    with pytest.raises(PictureMissing):
        store.read(SHA256)


def test_a_disk_that_fails_is_told_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failing)
    for write, path in ((partial(write_whole, data=b"a picture"), tmp_path / "file"), (fsync_folder, tmp_path)):
        with pytest.raises(OSError, match="Input/output error") as told:
            write(path)
        assert told.value.filename == str(path)
