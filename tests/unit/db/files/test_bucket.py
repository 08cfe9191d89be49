"""Pictures in object storage: there once for all machines, whatever becomes of the copies in their folders."""

import hashlib
import os
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from db.errors import PictureAltered, PictureMissing, PicturesUnreachable
from db.files.bucket import Bucket
from db.files.pictures import PictureStore
from db.settings import CatalogueSettings

DATA = b"a picture"
SHA256 = hashlib.sha256(DATA).hexdigest()
NAME = f"{SHA256[:2]}/{SHA256[2:4]}/{SHA256}.png"


@pytest.fixture
def storage(tmp_path: Path) -> Path:
    """What is kept for all, as a folder stands for it."""
    return tmp_path / "storage"


def machine(tmp_path: Path, name: str) -> PictureStore:
    """The store of one machine."""
    return PictureStore(tmp_path / name, Bucket(f"file://{tmp_path / 'storage'}", wait_s=2))


def test_what_one_machine_adds_another_has(tmp_path: Path, storage: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    assert one.add(DATA, ".png") == SHA256
    assert (storage / NAME).read_bytes() == DATA
    assert (other.read(SHA256), list(other.files())) == (DATA, [])
    assert other.path(SHA256) == tmp_path / "other" / NAME
    assert other.path(SHA256).read_bytes() == DATA
    assert [(each.name, each.sha256, each.size) for each in other.kept()] == [(NAME, SHA256, len(DATA))]


def test_a_copy_may_be_lost_or_altered_and_is_fetched_again(tmp_path: Path) -> None:
    store = machine(tmp_path, "one")
    store.add(DATA, ".png")
    store.path(SHA256).write_bytes(b"b picture")
    assert store.read(SHA256) == DATA
    assert store.path(SHA256).read_bytes() == DATA
    store.path(SHA256).unlink()
    assert store.path(SHA256).read_bytes() == DATA


def test_what_a_machine_that_died_left_in_its_folder_alone_is_kept_by_the_next_that_adds_it(tmp_path: Path) -> None:
    PictureStore(tmp_path / "one").add(DATA, ".png")
    store = machine(tmp_path, "one")
    assert list(store.kept()) == []
    store.add(DATA, ".jpg")
    assert [each.name for each in store.kept()] == [NAME]


def test_the_same_bytes_lie_there_once_and_are_young_again(tmp_path: Path, storage: Path) -> None:
    machine(tmp_path, "one").add(DATA, ".png")
    os.utime(storage / NAME, (0, 0))
    machine(tmp_path, "other").add(DATA, ".jpg")
    assert [path.name for path in storage.rglob("*.*")] == [f"{SHA256}.png"]
    assert (storage / NAME).stat().st_mtime > 0


@pytest.mark.parametrize("altered", [b"b picture", b"", b"a picture and more"])
def test_altered_bytes_are_no_picture_for_anybody_until_a_good_copy_comes_back(
    tmp_path: Path, storage: Path, altered: bytes
) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    one.add(DATA, ".png")
    (storage / NAME).write_bytes(altered)
    assert not one.verify(SHA256)
    for ask in (other.read, other.path):
        with pytest.raises(PictureAltered, match=f"storage/{NAME} has other bytes than when it was stored"):
            ask(SHA256)
    assert not other.bring_back(SHA256)
    assert one.bring_back(SHA256)
    assert (one.verify(SHA256), other.read(SHA256)) == (True, DATA)


def test_a_copy_comes_back_in_the_place_of_what_was_altered_whatever_it_is_called_here(
    tmp_path: Path, storage: Path
) -> None:
    PictureStore(tmp_path / "one").add(DATA, ".jpg")
    machine(tmp_path, "other").add(DATA, ".png")
    (storage / NAME).write_bytes(b"altered")
    assert machine(tmp_path, "one").bring_back(SHA256)
    assert machine(tmp_path, "third").read(SHA256) == DATA


def test_what_is_nowhere_is_missing(tmp_path: Path) -> None:
    store = machine(tmp_path, "one")
    for name in (SHA256, "../../etc/passwd", ""):
        for ask in (store.path, store.read, store.verify):
            with pytest.raises(PictureMissing, match="is not among"):
                ask(name)


def test_a_copy_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    store = machine(tmp_path, "one")
    store.add(DATA, ".png")
    path = store.path(SHA256)
    path.unlink()
    path.mkdir()  # opening it fails, as a bad sector does
    assert store.read(SHA256) == DATA
    assert not store.bring_back(SHA256)


def test_the_bytes_themselves_make_good_what_was_altered_however_young(tmp_path: Path, storage: Path) -> None:
    store = machine(tmp_path, "one")
    store.add(DATA, ".png")
    (storage / NAME).write_bytes(b"b picture")
    store.add(DATA, ".png")
    assert store.verify(SHA256)


def test_a_suffix_is_told_without_a_copy(tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    one.add(DATA, ".png")
    assert (one.suffix(SHA256), other.suffix(SHA256), list(other.files())) == (".png", ".png", [])
    with pytest.raises(PictureMissing):
        other.suffix("0" * 64)


@pytest.mark.parametrize("endpoint", ["minio:9000", "minio", "https://", "http://key:secret@minio:9000"])
def test_an_endpoint_that_is_none_or_holds_a_password_is_named_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(PicturesUnreachable, match=r"^AWS_ENDPOINT_URL is to be http://HOST") as told:
        PictureStore(tmp_path, Bucket("s3://prints", wait_s=2)).look()
    assert "secret" not in str(told.value)


def test_an_answer_that_does_not_come_is_waited_for_as_long_as_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ACCESS_KEY_ID", "key"), ("SECRET_ACCESS_KEY", "very secret"), ("REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(PicturesUnreachable, match="object storage s3://prints/x cannot be used") as told:
        PictureStore(tmp_path, Bucket("s3://prints/x", wait_s=6)).look()
    assert 5 < time.monotonic() - began < 20
    assert "secret" not in str(told.value)


def test_files_of_others_in_the_bucket_are_not_ours(tmp_path: Path, storage: Path) -> None:
    store = machine(tmp_path, "one")
    store.add(DATA, ".png")
    (storage / "ab" / "cd").mkdir(parents=True)
    for name in ("index.html", "ab/cd/notes.txt", f"{SHA256}.png"):
        (storage / name).write_bytes(b"theirs")
    assert [each.name for each in store.kept()] == [NAME]


def test_storage_that_cannot_be_reached_is_one_sentence_and_no_missing_picture(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = PictureStore(tmp_path / "one", Bucket(f"file://{tmp_path}/file/storage", wait_s=2))
    for ask in (lambda: store.add(DATA, ".png"), lambda: store.read("0" * 64), lambda: list(store.kept())):
        with pytest.raises(PicturesUnreachable, match=r"^object storage file://\S+ cannot be used \([^\n]+\)"):
            ask()


@pytest.mark.parametrize(
    "url", ["s3://prints", "s3://prints/of/actors", "gs://prints/x", "az://prints", "file:///srv/x"]
)
def test_a_place_is_taken_as_it_is_named(url: str) -> None:
    assert CatalogueSettings(picture_store=f"{url}/").picture_store == url


@pytest.mark.parametrize(
    "url", ["", "prints", "s3://", "s3://key:secret@prints", "s3://a//b", "https://prints", "file://x", "s3://a?b"]
)
def test_what_is_no_place_or_holds_a_password_is_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="give s3://BUCKET/PREFIX"):
        CatalogueSettings(picture_store=url)


def test_where_the_package_for_it_is_not_installed_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore.exceptions", None)
    with pytest.raises(PicturesUnreachable, match=r"is not installed; pip install '\.\[objects\]'"):
        machine(tmp_path, "one").look()
