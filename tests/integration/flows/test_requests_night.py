"""Curators' requests and returns, through whole dispatches: another style, marks, the next candidate."""

import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from colorize.images.decode import decode
from db.catalogue import Catalogue
from db.entries.night import AttemptEntry, RecipeEntry, Tone, Verdict
from db.entries.review import AttemptRequest, Judgement, Reason
from flows.archives.sample.server import serve_sample
from flows.dispatch import dispatch
from flows.harvest import harvest
from flows.match import match
from flows.plan import encoder_key, encoder_weights, matcher_key, models_of, night_recipe, recipe_entry
from flows.reports.summary import dispatch_lines
from flows.settings import Settings
from tests.provenance import read_provenance

if TYPE_CHECKING:
    from tests.conftest import SettingsOf
    from tests.samples import Sample

MARKS = "nishiki/marks"
LEVIN = RecipeEntry("levin2004", {}, "1e71n")


@pytest.fixture(scope="module")
def tried_home(settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one content, its ranked candidates, and the night's attempt at the first of them."""
    home = tmp_path_factory.mktemp("tried")
    with serve_sample(designs=4, grays=1) as archive:
        harvest(settings_of(home), [archive.base_url])
    assert match(settings_of(home)).matched == 1
    (tally,) = dispatch(settings_of(home))
    assert tally.outcomes == {"succeeded": 1}
    return home


@pytest.fixture
def night(settings_of: "SettingsOf", tried_home: Path, tmp_path: Path) -> Settings:
    """Settings of a copy of that home."""
    return settings_of(shutil.copytree(tried_home, tmp_path / "home"))


def _attempts(night: Settings) -> list[AttemptEntry]:
    with Catalogue.open(night, create=False) as catalogue:
        assert catalogue.unfinished_batches() == []
        return list(catalogue.attempts())


def _marks(catalogue: Catalogue, attempt: AttemptEntry) -> str:
    """A broad green stroke through the middle of the content, stored as the page stores it."""
    content = decode(catalogue.pictures.read(attempt.content.sha256))
    middle = content.height // 2
    points = [[x, middle] for x in range(content.width // 4, 3 * content.width // 4, 5)]
    mark = {"points": points, "width": content.width // 10, "colour": "#2f8f3a"}
    return catalogue.pictures.add(json.dumps({"marks": [mark]}).encode(), ".json")


def _is_green_where_marked(catalogue: Catalogue, sha256: str) -> bool:
    result = decode(catalogue.pictures.read(sha256)).pixels
    height, width = result.shape[:2]
    a, b = np.median(rgb2lab(result[height // 2, 3 * width // 8 : 5 * width // 8])[:, 1:], axis=0)
    return bool(a < -10 and b > 5)


@pytest.mark.long
def test_another_style_and_marks_are_made_by_the_next_dispatch_and_nothing_after_them(night: Settings) -> None:
    with Catalogue.open(night) as catalogue:
        (first,) = catalogue.attempts()
        style = catalogue.candidates(first.id)[2][0]
        marks = _marks(catalogue, first)
        catalogue.add_request(first.id, "Aoi", AttemptRequest(style_id=style.image_id))
        catalogue.add_request(first.id, "Aoi", AttemptRequest(marks_sha256=marks, recipe=MARKS))
    tallies = dispatch(night)
    assert [tally.outcomes for tally in tallies] == [{"succeeded": 1}, {"succeeded": 1}]
    _, marked, other = _attempts(night)
    assert (marked.recipe.name, marked.styles[0].sha256) == (MARKS, first.styles[0].sha256)
    assert (other.recipe.name, other.styles[0].sha256) == (night.recipe, style.sha256)
    with Catalogue.open(night) as catalogue:
        assert _is_green_where_marked(catalogue, marked.output_sha256 or "")
        told = read_provenance(catalogue.pictures.read(marked.output_sha256 or ""))
        assert told is not None
        assert told.marks_sha256 == marks
        assert [request.made for request in catalogue.requests(first.id)] == [other.id, marked.id]
        assert catalogue.requested_recipes() == []
    assert dispatch(night) == []


@pytest.mark.long
def test_a_part_that_was_asked_for_is_coloured_and_the_rest_left_to_the_last_bit(night: Settings) -> None:
    with Catalogue.open(night) as catalogue:
        (first,) = catalogue.attempts()
        content = decode(catalogue.pictures.read(first.content.sha256)).pixels
        mask = np.zeros(content.shape[:2], np.uint8)
        mask[: len(mask) // 2] = 255
        drawn = BytesIO()
        Image.fromarray(mask).save(drawn, "PNG")
        kept = catalogue.pictures.add(drawn.getvalue(), ".png")
        catalogue.add_request(first.id, "Aoi", AttemptRequest(mask_sha256=kept, recipe="mask_gan/prints"))
    (tally,) = dispatch(night)
    assert tally.outcomes == {"succeeded": 1}
    part = _attempts(night)[-1]
    assert (part.recipe.name, part.inputs.mask_sha256, part.styles) == ("mask_gan/prints", kept, ())
    with Catalogue.open(night) as catalogue:
        result = decode(catalogue.pictures.read(part.output_sha256 or "")).pixels
    assert np.array_equal(result[len(mask) // 2 :], content[len(mask) // 2 :])
    assert np.ptp(result[: len(mask) // 2], axis=2).max() > 10
    assert dispatch(night) == []


@pytest.mark.long
def test_a_batch_that_was_put_down_is_carried_on_with_its_marks(night: Settings) -> None:
    marking = night.model_copy(update={"recipe": MARKS})
    recipe = night_recipe(marking)
    with Catalogue.open(night) as catalogue:
        (first,) = catalogue.attempts()
        catalogue.add_request(first.id, "Aoi", AttemptRequest(marks_sha256=_marks(catalogue, first), recipe=MARKS))
        weights = encoder_weights(marking, recipe)
        matcher = matcher_key(encoder_key(weights), marking.match_weights)
        batch = catalogue.take_requests(recipe_entry(recipe), models_of(weights), matcher, limit=None)
        assert batch is not None
        catalogue.release_batch(batch)
    (tally,) = dispatch(night)
    assert (tally.batch_id, tally.outcomes) == (batch.id, {"succeeded": 1})
    with Catalogue.open(night) as catalogue:
        assert _is_green_where_marked(catalogue, _attempts(night)[-1].output_sha256 or "")


@pytest.mark.long
def test_a_wrong_match_has_the_next_candidate_dispatched(night: Settings) -> None:
    with Catalogue.open(night) as catalogue:
        (first,) = catalogue.attempts()
        ranked = [said.sha256 for said, _ in catalogue.candidates(first.id)]
        catalogue.give_verdict(first.id, "Aoi", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    (tally,) = dispatch(night)
    assert tally.outcomes == {"succeeded": 1}
    assert [attempt.styles[0].sha256 for attempt in _attempts(night)] == ranked[:2]
    assert dispatch(night) == []


@pytest.mark.long
def test_a_request_for_an_unknown_recipe_is_told_and_holds_up_nothing(night: Settings) -> None:
    with Catalogue.open(night) as catalogue:
        (first,) = catalogue.attempts()
        catalogue.add_request(first.id, "Aoi", AttemptRequest(recipe="nishiki/forgotten"))
        catalogue.add_request(first.id, "Aoi", AttemptRequest(style_id=catalogue.candidates(first.id)[1][0].image_id))
    unknown, made = dispatch(night)
    assert made.outcomes == {"succeeded": 1}
    told = list(dispatch_lines([unknown]))
    assert told[0] == "Dispatch: no attempt."
    assert told[1].startswith("  a curator's request for nishiki/forgotten: no recipe is named 'nishiki/forgotten'")


@pytest.mark.long
def test_marks_that_cannot_be_used_fail_their_attempt_and_missing_ones_can_be_brought_back(night: Settings) -> None:
    with Catalogue.open(night) as catalogue:
        (first,) = catalogue.attempts()
        marks = _marks(catalogue, first)
        lost = catalogue.pictures.path(marks)
        for sha256 in (catalogue.pictures.add(b'{"marks": []}', ".json"), marks):
            catalogue.add_request(first.id, "Aoi", AttemptRequest(marks_sha256=sha256, recipe=MARKS))
    aside = lost.rename(night.home / lost.name)
    (tally,) = dispatch(night)
    assert tally.outcomes == {"failed": 2}
    said = {
        attempt.result.error_class: attempt.result.error_message for attempt in _attempts(night)[1:] if attempt.result
    }
    assert "there is no mark at all" in (said["BadMarks"] or "")
    gone = f"the stored file {marks} cannot be read (No such file or directory); run: nishiki doctor"
    assert said["PictureGone"] == gone
    aside.rename(lost)
    (again,) = dispatch(night)
    assert again.outcomes == {"succeeded": 1}
    assert dispatch(night) == []


@pytest.mark.long
def test_the_limit_of_a_night_holds_for_requests_and_all_else_together(night: Settings) -> None:
    with Catalogue.open(night) as catalogue:
        (first,) = catalogue.attempts()
        catalogue.add_request(first.id, "Aoi", AttemptRequest(marks_sha256=_marks(catalogue, first), recipe=MARKS))
        catalogue.add_request(first.id, "Aoi", AttemptRequest(style_id=catalogue.candidates(first.id)[1][0].image_id))
    assert [tally.outcomes for tally in dispatch(night.model_copy(update={"limit": 1}))] == [{"succeeded": 1}]
    assert [attempt.recipe.name for attempt in _attempts(night)] == [night.recipe, MARKS]


def test_a_batch_of_requests_takes_what_names_its_recipe_and_nothing_else(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    style = sample.store(catalogue, sample.record("chosen by hand"), Tone.COLOUR)
    sample.pairs(catalogue, 1)
    catalogue.add_request(attempt, "Aoi", AttemptRequest(style_id=style))
    named = catalogue.add_request(attempt, "Aoi", AttemptRequest(marks_sha256="0" * 64, recipe=LEVIN.name))
    catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    batch = catalogue.take_requests(LEVIN, sample.models, sample.matcher, limit=None)
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    assert (pending.inputs.marks_sha256, pending.styles[0].id) == ("0" * 64, named.style_id)
    assert catalogue.take_requests(LEVIN, sample.models, sample.matcher, limit=None) is None
    assert catalogue.requested_recipes() == [""]
