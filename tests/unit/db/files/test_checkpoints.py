"""Half-done pictures in object storage: what one machine came to another has, and nothing depends on it."""

import os
from pathlib import Path

import pytest

from db.errors import PicturesUnreachable
from db.files.bucket import Bucket
from db.files.checkpoints import Checkpoints


def machine(tmp_path: Path, name: str) -> Checkpoints:
    """Those of one machine, with what all share."""
    return Checkpoints(tmp_path / name, Bucket(f"file://{tmp_path / 'storage'}", wait_s=2))


def written(checkpoints: Checkpoints, attempt: int, data: bytes, at: float) -> Path:
    """As a worker keeps it, at this time."""
    path = checkpoints.path(attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at, at))
    return path


def test_another_machine_has_what_one_had_come_to(tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    written(one, 7, b"half", at=1_000)
    one.copy([7, 8])
    one.close()
    assert other.fetched(7).read_bytes() == b"half"
    assert not other.fetched(8).exists()


def test_a_newer_one_stays_and_an_older_one_gives_way(tmp_path: Path) -> None:
    one, other = machine(tmp_path, "one"), machine(tmp_path, "other")
    written(one, 7, b"one's", at=1_000)
    one.copy([7])
    one.close()
    copied_at = (tmp_path / "storage/checkpoints/attempt-7.safetensors").stat().st_mtime
    written(other, 7, b"further", at=copied_at + 60)
    assert other.fetched(7).read_bytes() == b"further"
    written(other, 7, b"long ago", at=copied_at - 60)
    assert other.fetched(7).read_bytes() == b"one's"


def test_only_what_was_written_since_is_copied_again(tmp_path: Path) -> None:
    one, there = machine(tmp_path, "one"), tmp_path / "storage/checkpoints/attempt-7.safetensors"
    for at, data, kept in ((1_000, b"first", b"first"), (1_000, b"not written since", b"first"), (2_000, b"2", b"2")):
        written(one, 7, data, at)
        one.copy([7])
        one._line.submit(lambda: None).result()  # behind the copying
        assert there.read_bytes() == kept


def test_the_copy_goes_with_its_attempt(tmp_path: Path) -> None:
    one = machine(tmp_path, "one")
    written(one, 7, b"half", at=1_000)
    one.copy([7])
    one.forget(7)
    one.close()
    assert list((tmp_path / "storage/checkpoints").iterdir()) == []


def test_storage_that_is_away_costs_no_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*_: object) -> None:
        raise PicturesUnreachable("object storage cannot be used")

    for name in ("replace", "listed", "remove"):
        monkeypatch.setattr(Bucket, name, away)
    one = machine(tmp_path, "one")
    written(one, 7, b"half", at=1_000)
    one.copy([7])
    one.forget(7)
    one.close()
    assert one.fetched(7).read_bytes() == b"half"
    assert len(caplog.messages) == 3


def test_without_object_storage_nothing_is_copied(tmp_path: Path) -> None:
    alone = Checkpoints(tmp_path, None)
    written(alone, 7, b"half", at=1_000)
    alone.copy([7])
    alone.forget(7)
    alone.close()
    assert alone.fetched(7).read_bytes() == b"half"
