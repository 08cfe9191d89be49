"""Whole nights over the sample archive, on SQLite and PostgreSQL: what is made, what is left, what is made once."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psycopg
import pytest
import requests

from colorize.images.decode import decode
from db.catalogue import Catalogue
from db.engine import connect
from db.entries.night import AttemptEntry, Change, Outcome
from db.entries.nights import NightEnd, NightEnding
from flows.archives.sample.server import SampleArchive, serve_sample
from flows.evaluation.demo_truth import truth_lines
from flows.match import match
from flows.nightly import Night, nightly
from flows.plan import plan_catalogue
from flows.settings import Settings
from tests.provenance import read_provenance

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

PREFIX = "oai:sample.nishiki:"
GRAYS = [f"{PREFIX}000{number}-g" for number in (1, 2, 3)]


@dataclass(frozen=True)
class Morning:
    """What was there after a night."""

    night: Night
    status: Mapping[str, Any]
    files: Mapping[str, float]
    """Stored pictures and when each was written."""
    attempts: tuple[AttemptEntry, ...]


@dataclass(frozen=True)
class Nights:
    """Three nights on one catalogue: the first, one without any news, one after a record was touched."""

    settings: Settings
    first: Morning
    second: Morning
    third: Morning
    touched: str


def morning_after(settings: Settings, archive: SampleArchive) -> Morning:
    night = nightly([archive.base_url], settings)
    with Catalogue.open(settings, create=False) as catalogue:
        files = {path.stem: path.stat().st_mtime for path in catalogue.pictures.files()}
        return Morning(night, catalogue.status(), files, tuple(catalogue.attempts()))


def three_nights(settings: Settings) -> Nights:
    with serve_sample(designs=4, grays=3) as archive:
        first, second = morning_after(settings, archive), morning_after(settings, archive)
        archive.touch(GRAYS[0])
        return Nights(settings, first, second, morning_after(settings, archive), GRAYS[0])


@pytest.fixture(scope="module")
def sqlite_nights(settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory, seen: str) -> Nights:
    return three_nights(settings_of(tmp_path_factory.mktemp("nights")))


@pytest.fixture(scope="module")
def postgres_nights(
    settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory, seen: str, postgres_server: str
) -> Iterator[Nights]:
    name = f"nishiki_nights_{uuid4().hex[:8]}"
    url = connect(postgres_server).url.set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        yield three_nights(settings_of(tmp_path_factory.mktemp("nights"), database_url=url))
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def nights(request: pytest.FixtureRequest) -> Nights:
    """The same three nights on either database, run once."""
    chosen: Nights = request.getfixturevalue("sqlite_nights" if request.param == "sqlite" else "postgres_nights")
    return chosen


def test_the_first_night_colorizes_every_gray_actor_print(nights: Nights) -> None:
    first = nights.first
    assert [tally.outcomes for tally in first.night.batches] == [{"succeeded": 3}]
    assert [attempt.content.identifier for attempt in first.attempts] == GRAYS
    assert first.status["attempts"] == {"pending": 0, "succeeded": 3, "rejected": 0, "failed": 0}
    assert first.status["matches"]["matched"] == 3
    assert first.status["batch"]["left"] == 0
    (tally,) = first.night.harvests
    assert (tally.failure, tally.records[Change.NEW], tally.records[Change.DELETED]) == (None, 12, 1)
    assert tally.pictures == 11


def test_every_attempt_has_its_errors_and_a_picture_that_tells_where_it_came_from(nights: Nights) -> None:
    with Catalogue.open(nights.settings, create=False) as catalogue:
        for attempt in nights.first.attempts:
            assert attempt.result is not None
            assert 0 < (attempt.result.content_error_mean or 0) < 2
            assert 0 < (attempt.result.style_error_mean or 0) < 2
            assert attempt.result.iterations == nights.settings.iterations
            told = read_provenance(catalogue.pictures.read(attempt.output_sha256 or ""))
            assert told is not None
            assert (told.content.identifier, told.content.sha256) == (
                attempt.content.identifier,
                attempt.content.sha256,
            )
            assert (told.styles[0].identifier, told.styles[0].sha256) == (
                attempt.styles[0].identifier,
                attempt.styles[0].sha256,
            )
            assert (told.recipe_digest, told.weights_name) == (attempt.recipe.digest, "random-seeded")


@pytest.mark.long
def test_the_night_reports_what_it_held_back_and_why(nights: Nights) -> None:
    assert nights.first.night.matching.held_back == {
        "no genre": 1, "other genre": 1, "picture: not fetched yet": 1, "rights: no": 1, "tone: toned": 1,
    }  # fmt: skip
    assert nights.first.night.harvests[0].problems[0][0] == f"{PREFIX}0009-g"


def test_a_truncated_picture_stays_as_a_record_with_its_reason_and_is_asked_for_again(nights: Nights) -> None:
    ((identifier, reason),) = nights.first.night.harvests[0].problems
    assert identifier == f"{PREFIX}0009-g"
    assert "damaged" in reason
    assert nights.first.status["pictures"] == {"wanted": 1, "held": 11, "broken": 0}
    assert nights.first.status["records"] == 12
    assert nights.second.night.harvests[0].problems == [(identifier, reason)]


def test_a_contact_sheet_lies_beside_and_its_table_is_left_with_prefect(nights: Nights, seen: str) -> None:
    (sheet,) = nights.first.night.sheets
    assert [row["record"] for row in sheet.rows] == GRAYS
    html = sheet.html.read_text(encoding="utf-8")
    assert html.count("data:image/jpeg;base64,") == 9
    assert html.count('class="none"') == 0
    assert sheet.png.read_bytes().startswith(b"\x89PNG")


def test_a_second_night_makes_nothing_new(nights: Nights) -> None:
    first, second = nights.first, nights.second
    assert second.night.batches == []
    assert (second.night.matching.matched, second.night.matching.no_match) == (0, 0)
    assert second.files == first.files
    assert [attempt.id for attempt in second.attempts] == [attempt.id for attempt in first.attempts]
    unchanged = ("records", "images", "pictures", "matches", "attempts", "batch")
    assert {key: second.status[key] for key in unchanged} == {key: first.status[key] for key in unchanged}


def test_a_touched_record_has_its_new_picture_fetched_and_colorized_and_nothing_else(nights: Nights) -> None:
    (tally,) = nights.third.night.harvests
    assert (tally.records[Change.CHANGED], tally.records[Change.NEW], tally.pictures) == (1, 0, 1)
    new = nights.third.attempts[3:]
    assert [attempt.content.identifier for attempt in new] == [nights.touched]
    assert new[0].content.sha256 != nights.first.attempts[0].content.sha256
    assert len(nights.third.files) == len(nights.second.files) + 2
    assert nights.third.attempts[:3] == nights.second.attempts


@pytest.mark.long
def test_ink_on_toned_paper_is_content_when_the_operator_says_so(nights: Nights) -> None:
    tally = match(nights.settings.model_copy(update={"colorize_toned": True}))
    again = match(nights.settings)
    assert "tone: toned" not in tally.held_back
    assert again.held_back["tone: toned"] == 1
    with Catalogue.open(nights.settings, create=False) as catalogue:
        assert catalogue.status()["matches"]["matched"] == nights.third.status["matches"]["matched"] + 1


def test_no_secret_is_stored_with_a_flow_run(postgres_nights: Nights, seen: str) -> None:
    runs = requests.post(f"{seen}/flow_runs/filter", json={"limit": 200}, timeout=10).text
    assert str(postgres_nights.settings.home) in runs
    assert postgres_nights.settings.url not in runs
    assert "postgresql" not in runs


def test_each_night_is_a_row_with_what_it_came_to(nights: Nights) -> None:
    with Catalogue.open(nights.settings, create=False) as catalogue:
        third, second, first = catalogue.nights()
    assert {night.end for night in (first, second, third)} == {NightEnd(NightEnding.DONE, 0)}
    assert first.counts["records"] == {"new": 12, "deleted": 1}
    (listed,) = first.counts["listed"].values()
    assert listed == 13
    assert (first.counts["pictures"], first.counts["matches"], first.counts["attempts"]) == (11, 3, {"succeeded": 3})
    assert (second.counts["matches"], second.counts["attempts"]) == (0, {})
    assert set(first.seconds) == {"harvest", "match", "dispatch", "report"}


def test_outcomes_are_words_of_the_glossary(nights: Nights) -> None:
    assert {attempt.outcome for attempt in nights.third.attempts} == {Outcome.SUCCEEDED}
    assert Path(nights.settings.home / "reports" / "batch-0001" / "contact-sheet.png").is_file()


@pytest.mark.long
def test_a_night_by_the_default_recipe_keeps_every_drawing_and_comes_nearer_to_the_known_colours(
    settings_of: "SettingsOf", tmp_path: Path, seen: str
) -> None:
    settings = settings_of(tmp_path, recipe="nishiki/colour", encoder="nishiki-small", weights_dir=None, size=160)
    with serve_sample(designs=3, grays=2) as archive:
        night = nightly([archive.base_url], settings)
        with plan_catalogue(settings) as plan:
            (line,) = truth_lines(plan, [each.batch_id for each in night.batches], archive.truth)
            assert list(truth_lines(plan, [], archive.truth)) == []
    coloured, gray = map(float, re.findall(r"\d+\.\d", line))
    assert coloured < 0.7 * gray
    assert "median of 2" in line
    with Catalogue.open(settings, create=False) as catalogue:
        for attempt in catalogue.attempts():
            content, output = (
                catalogue.pictures.read(sha or "") for sha in (attempt.content.sha256, attempt.output_sha256)
            )
            assert attempt.outcome is Outcome.SUCCEEDED, attempt.result
            assert decode(content).pixels.shape == decode(output).pixels.shape, "as large as the scan"
            assert attempt.result is not None
            assert attempt.result.measures["lightness_ssim"] > 0.999
