"""Nights of several machines that keep their pictures in one object storage and have folders of their own."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from colorize.images.decode import decode
from db.backup import back_up, restore
from db.catalogue import Catalogue
from db.doctor import Damage, Finding, Remedies, examine, mend
from db.entries.night import Outcome
from db.errors import PicturesUnreachable
from db.files.bucket import Bucket
from db.files.checkpoints import Checkpoints
from db.settings import CatalogueSettings
from db.soundness import Tell
from flows.archives.sample.server import serve_sample
from flows.dispatch import dispatch
from flows.harvest import harvest
from flows.match import match
from flows.nightly import nightly
from flows.settings import Settings
from flows.workers.batch_run import BatchRun
from flows.workers.tiles import make_missing


@dataclass(frozen=True)
class Machines:
    """Two machines with one catalogue and one object storage, and one that has everything in its own folder."""

    one: Settings
    other: Settings
    alone: Settings
    storage: Path


@pytest.fixture
def machines(own_settings: Settings, sqlite_template: Path, tmp_path: Path) -> Machines:
    """Nothing was harvested yet."""
    shutil.copy(sqlite_template, tmp_path / "shared.db")
    for home in ("one", "other"):
        (tmp_path / home).mkdir()
    shared = {"database_url": f"sqlite:///{tmp_path}/shared.db", "picture_store": f"file://{tmp_path}/storage"}
    one, other = (
        Settings(**{**own_settings.model_dump(), **shared, "home": tmp_path / name}) for name in ("one", "other")
    )
    return Machines(one, other, own_settings, tmp_path / "storage")


def outputs(settings: Settings) -> dict[str, bytes]:
    """The results' pixels, by their originals; what they say of when they were made differs."""
    with Catalogue.open(settings, create=False) as catalogue:
        attempts = [*catalogue.attempts()]
        assert [attempt.outcome for attempt in attempts] == [Outcome.SUCCEEDED] * 3
        read = ((each.content.identifier, catalogue.pictures.read(str(each.output_sha256))) for each in attempts)
        return {name: decode(data, max_pixels=settings.max_pixels).pixels.tobytes() for name, data in read}


def damage(settings: CatalogueSettings, tell: Tell = lambda _: None) -> list[Finding]:
    """But for working copies: each machine makes those that it needs."""
    found = examine(settings, young_s=0, tell=tell)
    return [each for each in found if each.damage not in (Damage.LOST_COPIES, Damage.OPEN)]


def test_what_one_harvested_another_colours_and_shows_as_one_alone_would(machines: Machines) -> None:
    with serve_sample(designs=4, grays=3) as archive:
        nightly([archive.base_url], machines.alone)
        harvest(machines.one, [archive.base_url])
    match(machines.other)
    dispatch(machines.other)
    assert outputs(machines.one) == outputs(machines.alone)
    assert make_missing(machines.one).problems == []
    assert damage(machines.one) == damage(machines.other) == []


def test_a_picture_that_one_machine_began_another_goes_on_with(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = {"iterations": 150, "recipe": "jadh2016/config1_3_1", "checkpoint_s": 0.02}
    one, other, alone = (each.model_copy(update=slow) for each in (machines.one, machines.other, machines.alone))
    with serve_sample(designs=4, grays=3) as archive:
        nightly([archive.base_url], alone)
        harvest(one, [archive.base_url])
    match(one)
    folder, found, fetched = machines.storage / "checkpoints", list[str](), Checkpoints.fetched

    def lost(run: BatchRun) -> None:
        run._checkpoints.copy([attempt.id for attempt in run._pending.values()])
        if list(folder.glob("*.safetensors")):
            raise OSError("the machine is gone")

    def told(checkpoints: Checkpoints, attempt_id: int) -> Path:
        path = fetched(checkpoints, attempt_id)
        found.extend([path.name] if path.exists() else [])
        return path

    with monkeypatch.context() as patch:
        patch.setattr("flows.dispatch.KEEP_ALIVE_S", 0.02)
        patch.setattr(BatchRun, "keep_alive", lost)
        with pytest.raises(OSError, match="the machine is gone"):
            dispatch(one)
    begun = sorted(path.name for path in folder.iterdir())
    monkeypatch.setattr(Checkpoints, "fetched", told)
    dispatch(other)
    assert sorted(found) == begun != []
    assert outputs(other) == outputs(alone)
    assert list(folder.iterdir()) == []


def test_storage_that_is_away_when_the_night_begins_is_told_before_anything_is_asked(machines: Machines) -> None:
    machines.storage.write_text("no folder")
    with serve_sample(designs=4, grays=3) as archive, pytest.raises(PicturesUnreachable, match="cannot be used"):
        nightly([archive.base_url], machines.one)
    with Catalogue.open(machines.other) as catalogue:
        assert catalogue.status()["records"] == 0


@pytest.mark.parametrize("calls", [3, 13], ids=["in the harvest", "in the dispatch"])
def test_storage_that_goes_away_ends_the_night_and_the_next_one_carries_on(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    left, add = [calls], Bucket.add

    def away(bucket: Bucket, name: str, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise PicturesUnreachable("the picture store cannot be used")
        add(bucket, name, data)

    with serve_sample(designs=4, grays=3) as archive:
        with monkeypatch.context() as patch:
            patch.setattr(Bucket, "add", away)
            with pytest.raises(PicturesUnreachable):
                nightly([archive.base_url], machines.one)
        nightly([archive.base_url], machines.other)
        nightly([archive.base_url], machines.alone)
    assert outputs(machines.one) == outputs(machines.alone)
    assert damage(machines.one) == []


def test_the_doctor_finds_and_mends_what_happened_to_object_storage(machines: Machines) -> None:
    with serve_sample(designs=4, grays=3) as archive:
        nightly([archive.base_url], machines.one)
    kept = sorted(machines.storage.rglob("*.*"))
    kept[0].unlink()
    kept[1].write_bytes(b"altered")
    others = machines.storage / "ab" / "cd" / f"abcd{'0' * 60}.png"
    others.parent.mkdir(parents=True, exist_ok=True)
    others.write_bytes(b"another catalogue's")
    told: list[str] = []
    found = damage(machines.one, told.append)
    damaged = [(Damage.MISSING, kept[0].stem), (Damage.ALTERED, kept[1].stem)]
    assert [(each.damage, each.subject) for each in found] == damaged
    assert [line for line in told if f"such as file://{others}: crashes between" in line]
    nobody = Remedies(remake=lambda *_: None, fetch_again=lambda asked: dict.fromkeys(asked, "no archive was asked"))
    assert mend(machines.one, found, nobody, print) == found
    assert damage(machines.other) == []
    assert others.exists()


def test_a_backup_is_made_out_of_object_storage_and_restored_into_another(machines: Machines, tmp_path: Path) -> None:
    with serve_sample(designs=4, grays=3) as archive:
        nightly([archive.base_url], machines.one)
    shutil.rmtree(machines.one.home / "pictures")
    assert back_up(machines.other, tmp_path / "backup").copied == len(list(machines.storage.rglob("*.*")))
    assert back_up(machines.other, tmp_path / "backup").copied == 0
    assert not (machines.other.home / "pictures").exists()
    changes = {"home": tmp_path / "third", "database_url": None, "picture_store": f"file://{tmp_path}/anew"}
    third = machines.one.model_copy(update=changes)
    restore(third, tmp_path / "backup")
    assert outputs(third) == outputs(machines.one)
    assert damage(third) == []
