"""What a command ends with: the codes that the operator's page lists, each where a person would meet it."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter
from prefect.client.schemas.sorting import FlowRunSort
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from db.catalogue import Catalogue
from db.entries.claim import ENCODER, MatcherKey, ModelKey
from db.files.home import NIGHT_LOCK
from db.files.lock import held_alone
from db.settings import CatalogueSettings
from flows.endings import Ending
from flows.plan import encoder_key, encoder_weights, matcher_key, night_recipe, recipe_entry
from tests.conftest import SettingsOf
from tests.e2e.conftest import Here, in_folder
from tests.faulty_prefect import ALWAYS_503, faulty_prefect


@pytest.fixture
def here(matched_home: Path, narrow_weights: Path, prefect_api: str, tmp_path: Path) -> Here:
    """The command with a home of two matches and no attempt."""
    nishiki = in_folder(tmp_path, narrow_weights, prefect_api)
    shutil.copytree(matched_home, nishiki.home)
    return Here(nishiki.home, nishiki.environment)


@pytest.fixture
def catalogue(here: Here) -> Iterator[Catalogue]:
    with Catalogue.open(CatalogueSettings(home=here.home), create=False) as opened:
        yield opened


def matcher_of(settings_of: SettingsOf, home: Path) -> MatcherKey:
    settings = settings_of(home)
    return matcher_key(encoder_key(encoder_weights(settings, night_recipe(settings))), settings.match_weights)


@pytest.mark.long
def test_a_batch_whose_weights_are_gone_is_told_by_the_code_and_by_the_doctor(
    here: Here, catalogue: Catalogue, settings_of: SettingsOf
) -> None:
    models = (ModelKey(ENCODER, "lost", "0" * 64),)
    recipe, matcher = recipe_entry(night_recipe(settings_of(here.home))), matcher_of(settings_of, here.home)
    batch = catalogue.take_batch(recipe, models, matcher, limit=None)
    assert batch is not None
    catalogue.take_attempts(batch, [attempt.id for attempt in catalogue.pending_attempts(batch)])
    run = here("resume")
    assert run.returncode == Ending.BUSY
    assert "Batch 1: another process is at it; 2 of 2 attempts are left." in run.stdout
    catalogue.release_batch(batch)

    run = here("resume")
    assert run.returncode == Ending.WAITING
    assert (
        "batch 1: waits for the weights it was begun with, lost (000000000000); set NISHIKI_WEIGHTS_DIR" in run.stdout
    )
    run = here("doctor")
    assert run.returncode == Ending.WAITING
    assert run.stdout.endswith(
        "waiting batch 1: waits for the weights it was begun with, lost (000000000000); 2 of 2 attempts are left; "
        "to mend it: set NISHIKI_WEIGHTS_DIR to their folder, or bring the model back into the home's folder `models`; "
        "then run: nishiki resume\n"
    )


@pytest.mark.long
def test_a_log_for_programs_is_json_alone_and_names_batch_attempt_and_record(here: Here) -> None:
    run = here("dispatch", NISHIKI_LOG_FORMAT="json", NISHIKI_LOG_LEVEL="INFO")
    assert run.returncode == Ending.DONE
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    done = [line for line in lines if " succeeded on cpu" in line["message"]]
    assert sorted((line["batch"], line["attempt"]) for line in done) == [(1, 1), (1, 2)]
    assert all(line["record"] for line in done)
    told = json.loads(here("nightly", "http://127.0.0.1:9/oai", "--recipe", "none", NISHIKI_LOG_FORMAT="json").stderr)
    assert told["message"].startswith("nishiki: ")


def test_a_second_night_on_the_same_home_is_told_who_is_at_it_before_an_archive_is_asked(here: Here) -> None:
    with held_alone(here.home / NIGHT_LOCK):
        run = here("nightly", "http://127.0.0.1:9/oai")
    assert run.returncode == Ending.BUSY
    assert re.fullmatch(
        r"nishiki: another night is at work in \S+ \(process \d+ on \S+, since .* UTC\); .*\n", run.stderr
    )
    assert run.stdout == ""


@pytest.mark.long
def test_a_harvest_of_a_dead_archive_has_failed_for_prefect_too(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", ())  # the pauses of a real night take minutes
    url = f"http://127.0.0.1:9/{uuid4().hex}"
    assert here("harvest", url).returncode == Ending.FAILED
    with get_client(sync_client=True) as client:
        known = FlowFilter.model_validate({"name": {"any_": ["harvest"]}})
        runs = client.read_flow_runs(flow_filter=known, sort=FlowRunSort.EXPECTED_START_TIME_DESC)
    states = [run.state for run in runs if run.state and f"Harvest of {url} ended early: " in (run.state.message or "")]
    assert [state.is_failed() for state in states] == [True]


@pytest.mark.long
def test_a_prefect_that_is_never_well_is_told_and_done_without(here: Here, prefect_api: str, tmp_path: Path) -> None:
    (tmp_path / "prints").mkdir()
    with (
        faulty_prefect(prefect_api, ALWAYS_503) as url,
        temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
    ):
        run = here("harvest", str(tmp_path / "prints"), NISHIKI_PREFECT_WAIT_S="1", PREFECT_API_URL=url)
    assert run.returncode == Ending.DONE
    assert f"Prefect's server at {url} does not answer (" in run.stderr
    assert run.stderr.endswith("; the work goes on, unseen there\n")
    assert "records none" in run.stdout


def test_the_operators_page_lists_every_code(project: Path) -> None:
    page = (project / "docs" / "operator.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \| (\w+) \|", page, re.MULTILINE)
    assert listed == [(str(each.value), each.name.lower()) for each in Ending]
