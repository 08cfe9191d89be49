"""Stored pictures that were altered or lost: never used, named, and put back or made again by the doctor."""

import os
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import update
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.doctor import Damage, examine
from db.engine import writing
from db.entries.night import AttemptEntry, Verdict
from db.entries.review import Judgement, QueueFilter
from db.files.home import HomeFolder
from db.tables.night import Attempt
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.cli.app import app
from flows.dispatch import dispatch
from flows.harvest import harvest
from flows.match import match
from flows.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture(scope="module")
def matched(settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a gray print and a coloured one, and a home that has matched them."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "prints").mkdir()
    gray, colour = (Image.fromarray(draw_print(design(seed), 0).pixels) for seed in (1, 2))
    gray.convert("L").save(folder / "prints" / "gray.bmp.png")
    colour.save(folder / "prints" / "colour.png")
    settings = settings_of(folder / "home")
    harvest(settings, [str(folder / "prints")])
    assert match(settings).matched == 1
    return folder


@pytest.fixture
def settings(settings_of: "SettingsOf", matched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a copy of that home; the command takes them, too."""
    settings = settings_of(shutil.copytree(matched / "home", tmp_path / "home"))
    for name, value in settings.model_dump(exclude_unset=True).items():
        monkeypatch.setenv(f"NISHIKI_{name.upper()}", str(value))
    return settings


def _attempts(settings: Settings) -> list[AttemptEntry]:
    with Catalogue.open(settings, create=False) as catalogue:
        return list(catalogue.attempts())


def _file(settings: Settings, sha256: str | None) -> Path:
    with Catalogue.open(settings, create=False) as catalogue:
        return catalogue.pictures.path(sha256 or "")


def _harm(path: Path, harm: str, place: int = 0) -> bytes:
    kept = path.read_bytes()
    if harm == "lost":
        path.unlink()
    else:
        data = bytearray(kept)
        data[place or len(data) // 2] ^= 1
        path.write_bytes(data)
    return kept


def _doctor(*words: str) -> tuple[int, str]:
    run = CliRunner().invoke(app, ["doctor", *words])
    return run.exit_code, run.stdout + run.stderr


def _originals(settings: Settings) -> tuple[str, str]:
    """The sha256 of content and style."""
    with Catalogue.open(settings, create=False) as catalogue:
        said = catalogue.describe(range(1, 3)).values()
        gray, colour = sorted(said, key=lambda each: "gray" not in each.identifier)
    return gray.sha256, colour.sha256


@pytest.mark.long
@pytest.mark.parametrize("which", [0, 1])
def test_a_flipped_bit_in_an_original_is_never_coloured_nor_made_final(settings: Settings, which: int) -> None:
    """Whichever bit it is: the place is drawn anew in every run."""
    sha256 = _originals(settings)[which]
    path = _file(settings, sha256)
    kept = _harm(path, "altered", random.randrange(path.stat().st_size))  # no secret
    for number in range(1, 5):
        (tally,) = dispatch(settings)
        assert tally.outcomes == {"failed": 1}
        last = _attempts(settings)[-1]
        assert last.result is not None
        assert (last.number, last.result.error_class, last.result.transient) == (number, "PictureAltered", True)
        assert f"the stored file {sha256} has other bytes than when it was stored" in (last.result.error_message or "")
    path.write_bytes(kept)
    (tally,) = dispatch(settings)
    assert tally.outcomes == {"succeeded": 1}, "tries that failed for a damaged file do not count"
    done = _attempts(settings)[-1]
    assert (done.content.sha256, done.styles[0].sha256) == _originals(settings)


@pytest.mark.long
@pytest.mark.parametrize("harm", ["altered", "lost"])
def test_an_original_comes_back_from_its_archive_while_that_has_it(
    settings: Settings, matched: Path, harm: str
) -> None:
    content, style = _originals(settings)
    kept = {sha256: _harm(_file(settings, sha256), harm) for sha256 in (content, style)}
    damage = {"altered": Damage.ALTERED, "lost": Damage.MISSING}[harm]
    assert sorted((each.damage, each.subject) for each in examine(settings)) == sorted((damage, each) for each in kept)
    moved = (matched / "prints" / "colour.png").rename(matched / "colour.png")
    code, said = _doctor("--mend")
    moved.rename(matched / "prints" / "colour.png")
    assert code == 1
    assert f"{damage} {style} could not be mended: " in said
    left = next(line for line in said.splitlines() if line.startswith(f"{damage} {style}: "))
    assert f" (record colour of {matched / 'prints'})" in left
    assert left.endswith("; to mend it: bring the file back from a copy of the pictures")
    assert "colour.png" in said
    assert [line for line in said.splitlines() if line.startswith(f"{damage} {content}") and line.endswith("; mended")]
    assert _doctor("--mend")[0] == 0
    assert _doctor() == (0, "The catalogue and its pictures are sound.\n")
    assert {sha256: _file(settings, sha256).read_bytes() for sha256 in kept} == kept
    (tally,) = dispatch(settings)
    assert tally.outcomes == {"succeeded": 1}


def test_an_archive_that_has_another_picture_by_now_brings_nothing_back(settings: Settings, matched: Path) -> None:
    content, _ = _originals(settings)
    _file(settings, content).unlink()
    place = matched / "prints" / "gray.bmp.png"
    kept = place.read_bytes()
    place.write_bytes((matched / "prints" / "colour.png").read_bytes())
    try:
        code, said = _doctor("--mend")
    finally:
        place.write_bytes(kept)
    assert (code, "holds another picture at gray.bmp.png by now" in said) == (1, True)
    assert not list((settings.home / HomeFolder.PICTURES).rglob(f"{content}*"))


@pytest.mark.long
@pytest.mark.parametrize("harm", ["altered", "lost"])
def test_a_lost_result_is_made_again_to_the_last_byte_with_its_verdict(settings: Settings, harm: str) -> None:
    dispatch(settings)
    (made,) = _attempts(settings)
    with Catalogue.open(settings, create=False) as catalogue:
        catalogue.give_verdict(made.id, "Aoi", Judgement(Verdict.APPROVED))
        before = len(catalogue.queue(QueueFilter()).entries), catalogue.status()["verdicts"]
    path = _file(settings, made.output_sha256)
    kept = _harm(path, harm)
    code, said = _doctor()
    assert (code, str(made.output_sha256) in said, "the next dispatch makes it again" in said) == (1, True, True)
    code, said = _doctor("--mend")
    assert (code, "in the queue again" in said, "; mended" in said) == (0, True, True)
    code, said = _doctor()
    assert (code, "nishiki resume (makes it again)" in said) == (1, True)
    (tally,) = dispatch(settings)
    assert (tally.outcomes, tally.problems, tally.notes) == ({"succeeded": 1}, [], [])
    assert path.read_bytes() == kept
    (again,) = _attempts(settings)
    assert (again.id, again.number, again.output_sha256) == (made.id, made.number, made.output_sha256)
    with Catalogue.open(settings, create=False) as catalogue:
        assert (len(catalogue.queue(QueueFilter()).entries), catalogue.status()["verdicts"]) == before
        assert catalogue.verdicts([made.id])[made.id].verdict is Verdict.APPROVED
    assert _doctor()[0] == 0


@pytest.mark.long
@pytest.mark.parametrize("judged", [True, False])
def test_a_result_that_comes_out_otherwise_is_not_the_one_that_was_judged(settings: Settings, judged: bool) -> None:
    dispatch(settings)
    (made,) = _attempts(settings)
    if judged:
        with Catalogue.open(settings, create=False) as catalogue:
            catalogue.give_verdict(made.id, "Aoi", Judgement(Verdict.APPROVED))
    _file(settings, made.output_sha256).unlink()
    assert _doctor("--mend")[0] == 0
    with Catalogue.open(settings, create=False) as catalogue:
        with writing(catalogue.engine).begin() as connection:  # its file tells when it was begun
            connection.execute(update(Attempt).values(opened_at=made.closed_at))
        tallies = dispatch(settings)
        outcomes = [tally.outcomes for tally in tallies]
        assert outcomes == ([{"failed": 1}, {"succeeded": 1}] if judged else [{"succeeded": 1}])
        entries = catalogue.queue(QueueFilter()).entries
    attempts = _attempts(settings)
    assert [each.number for each in attempts] == ([1, 2] if judged else [1])
    assert [entry.attempt_id for entry in entries] == [attempts[-1].id], "the new picture waits for a verdict"
    for path in (settings.home / HomeFolder.PICTURES).rglob("*.png"):
        os.utime(path)
    assert _doctor()[0] == 0
