"""When tiles are made: by the dispatch, by the next one after a crash, and by `nishiki tiles`."""

import io
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pyvips
from PIL import Image
from typer.testing import CliRunner

from colorize.errors import UnreadableImage
from db.catalogue import Catalogue
from db.doctor import Damage, examine
from db.entries.night import Outcome, Tone
from db.entries.review import ShownPictures
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.settings import CatalogueSettings
from flows.cli.app import app
from flows.dispatch import dispatch
from flows.settings import Settings
from flows.workers.tiles import Tiling, make_missing

if TYPE_CHECKING:
    from tests.conftest import SettingsOf
    from tests.samples import Sample


def _png(shade: int) -> bytes:
    Image.fromarray(np.full((40, 30, 3), shade, np.uint8)).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def _attempt(catalogue: Catalogue, sample: "Sample", number: int) -> int:
    """An attempt whose three pictures can be decoded."""
    content, style, output = (_png(10 * number + each) for each in range(3))
    content_id = sample.store(catalogue, sample.record(f"gray-{number}"), Tone.GRAYSCALE, data=content)
    style_id = sample.store(catalogue, sample.record(f"colour-{number}"), Tone.COLOUR, data=style)
    sample.match(catalogue, content_id, style_id)
    catalogue.pictures.add(output, ".png")
    return sample.night(catalogue, output=sample.facts(output, Tone.COLOUR))[0]


def _night_settings(settings: CatalogueSettings) -> Settings:
    return Settings(home=settings.home, database_url=settings.database_url)


def test_the_catalogue_says_which_pictures_are_shown_page_by_page(
    catalogue: Catalogue, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.night.attempts.CHUNK", 2)
    made = sample.entries(catalogue, 4)
    failed = sample.entry(catalogue, sample.record("failed"), outcome=Outcome.FAILED, output=None)
    last = sample.entry(catalogue, sample.record("last"))
    shown = list(catalogue.pictures_shown())
    assert [each.attempt_id for each in shown] == [*made, last]
    attempt = catalogue.attempt(last)
    pictures = (attempt.content.sha256, (attempt.styles[0].sha256,), str(attempt.output_sha256))
    assert list(catalogue.pictures_shown(attempt.batch_id)) == [ShownPictures(last, *pictures)]
    assert list(catalogue.pictures_shown(catalogue.attempt(failed).batch_id)) == []


@pytest.mark.long
def test_missing_tiles_are_made_once_and_one_bad_picture_stops_nothing(
    catalogue: Catalogue, sample: "Sample", settings: CatalogueSettings
) -> None:
    bad, *good = [_attempt(catalogue, sample, number) for number in (1, 2, 3)]
    lost = catalogue.pictures.path(catalogue.attempt(bad).styles[0].sha256)
    lost.rename(settings.home / lost.name)
    tally = make_missing(_night_settings(settings))
    assert (tally.made, [what for what, _ in tally.problems]) == (2, [f"attempt {bad}"])
    tiling = Tiling.of(catalogue, _night_settings(settings))
    assert [shown.attempt_id for shown in catalogue.pictures_shown() if tiling.is_whole(shown)] == good
    (settings.home / lost.name).rename(lost)
    assert make_missing(_night_settings(settings)).made == 1
    assert make_missing(_night_settings(settings)).made == 0
    shutil.rmtree(settings.home / HomeFolder.TILES)
    assert make_missing(_night_settings(settings)).made == 3
    assert list((settings.home / HomeFolder.TILES).rglob("*.xml")) == [], "libvips leaves one beside"


@pytest.fixture
def night(settings_of: "SettingsOf", matched_home: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    return settings_of(shutil.copytree(matched_home, tmp_path / "home"))


def _whole(night: Settings) -> list[bool]:
    with Catalogue.open(night, create=False) as catalogue:
        tiling = Tiling.of(catalogue, night)
        return [tiling.is_whole(shown) for shown in catalogue.pictures_shown()]


def _breaks(error: Exception) -> Any:
    def dzsave(*_: object, **__: object) -> None:
        raise error

    return dzsave


@pytest.mark.long
def test_a_dispatch_leaves_tiles_of_content_style_output_lightness_and_trust(night: Settings) -> None:
    (tally,) = dispatch(night.model_copy(update={"recipe": "nishiki/colour"}))
    assert (tally.outcomes, tally.notes) == ({"succeeded": 2}, [])
    assert _whole(night) == [True, True]
    with Catalogue.open(night, create=False) as catalogue:
        for shown in catalogue.pictures_shown():
            store = TileStore(night.home / HomeFolder.TILES)
            for name in ("thumb.jpg", "preview.jpg", "info.json", "luma/thumb.jpg", "luma/info.json"):
                assert store.path(shown.output, name).stat().st_size > 0
            assert shown.trust is not None
            assert store.path(shown.trust, "thumb.jpg").stat().st_size > 0
            assert 0 < (catalogue.queue_entry(shown.attempt_id).trust or 0) < 1
    assert make_missing(night).made == 0


@pytest.mark.long
def test_tiles_that_cannot_be_made_are_a_note_and_fail_no_attempt(
    night: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pyvips.Image, "dzsave", _breaks(pyvips.Error("an odd picture")), raising=False)
        (tally,) = dispatch(night)
    assert (tally.outcomes, tally.problems) == ({"succeeded": 2}, [])
    assert sorted(what for what, _ in tally.notes) == ["attempt 1", "attempt 2"]
    assert "an odd picture" in tally.notes[0][1]
    assert dispatch(night) == []
    assert (_whole(night), make_missing(night).made, _whole(night)) == ([False] * 2, 2, [True] * 2)


@pytest.mark.long
def test_a_dispatch_that_ends_before_its_tiles_is_carried_on_and_makes_them_alone(
    night: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pyvips.Image, "dzsave", _breaks(RuntimeError("the power is cut")), raising=False)
        with pytest.raises(RuntimeError, match="the power is cut"):
            dispatch(night)
    with Catalogue.open(night, create=False) as catalogue:
        assert [batch.left for batch in catalogue.unfinished_batches()] == [0]
    assert _whole(night) == [False, False]
    (tally,) = dispatch(night)
    assert tally.outcomes == {}
    assert _whole(night) == [True, True]
    with Catalogue.open(night, create=False) as catalogue:
        assert catalogue.unfinished_batches() == []
        assert len(list(catalogue.attempts())) == 2


@pytest.mark.long
def test_the_doctor_tells_lost_tiles_makes_them_and_is_silent_of_those_that_cannot_be_made(
    night: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatch(night)
    shutil.rmtree(night.home / HomeFolder.TILES)
    doctor = ["doctor", "--home", str(night.home)]
    sound = "The catalogue and its pictures are sound.\n"
    with Catalogue.open(night, create=False) as catalogue:
        output = next(catalogue.pictures_shown()).output
        place = catalogue.pictures.path(output)
        place.rename(night.home / place.name)
        said = CliRunner().invoke(app, doctor).stdout
        assert f"missing picture {output}: " in said
        assert "lost tiles (1): " in said, "those of a missing picture cannot be made and are told with it"
        (night.home / place.name).rename(place)
    seen = CliRunner().invoke(app, doctor)
    assert (seen.exit_code, "lost tiles (2): " in seen.stdout) == (1, True)
    assert "; to mend it: nishiki tiles\n" in seen.stdout
    with monkeypatch.context() as patch:
        patch.setattr("flows.workers.tiles.decode", _breaks(UnreadableImage("an odd picture")))
        assert [len(make_missing(night).problems), CliRunner().invoke(app, doctor).stdout] == [2, sound]
    shutil.rmtree(night.home / HomeFolder.TILES)
    mended = CliRunner().invoke(app, [*doctor, "--mend"])
    assert (mended.exit_code, "; mended" in mended.stdout, _whole(night)) == (0, True, [True, True])
    assert CliRunner().invoke(app, doctor).stdout == sound


def test_tiles_of_a_batch_at_work_are_on_their_way(
    catalogue: Catalogue, sample: "Sample", settings: CatalogueSettings
) -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    (pending,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue))
    assert examine(settings) == []
    catalogue.close_batch(batch)
    assert [each.damage for each in examine(settings)] == [Damage.LOST_TILES]
