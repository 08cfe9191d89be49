"""Prefect takes what `deploy/` holds for it: deployments that import, a schedule that is one, automations."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect import Flow
from prefect.client.schemas.schedules import CronSchedule
from prefect.events.schemas.automations import AutomationCore
from prefect.flows import load_flow_from_entrypoint

from flows.settings import Settings


@pytest.fixture(scope="module")
def deployments(project: Path) -> list[dict[str, Any]]:
    told = yaml.safe_load((project / "deploy" / "prefect.yaml").read_text(encoding="utf-8"))
    deployments: list[dict[str, Any]] = told["deployments"]
    return deployments


def test_every_deployment_is_a_flow_of_ours_by_its_modules_path(deployments: list[dict[str, Any]]) -> None:
    named = {}
    for each in deployments:
        assert ":" not in each["entrypoint"], "a file's path puts flows/ first on sys.path"
        flow: Flow[..., Any] = load_flow_from_entrypoint(each["entrypoint"], use_placeholder_flow=False)
        named[f"{flow.name}/{each['name']}"] = each["work_pool"]["name"]
    assert named == {"nightly/night": "cpu", "shard/cpu": "cpu", "shard/gpu": "gpu"}
    assert set(Settings().shards) <= set(named)


def test_the_night_is_due_when_nishiki_serve_would_begin_it_and_never_beside_another(
    deployments: list[dict[str, Any]],
) -> None:
    night, *shards = deployments
    (schedule,) = night["schedules"]
    told = CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
    settings = Settings()
    assert (told.cron, told.timezone) == (settings.night_cron, settings.night_zone)
    assert night["concurrency_limit"] == {"limit": 1, "collision_strategy": "CANCEL_NEW"}
    assert not any("schedules" in each for each in shards)


def test_prefect_takes_the_automations(project: Path) -> None:
    told = yaml.safe_load((project / "deploy" / "automations" / "runs.yaml").read_text(encoding="utf-8"))
    died, stuck, again = [AutomationCore.model_validate(each) for each in told["automations"]]
    for each in (died, stuck):
        (action,) = each.actions
        assert (action.type, getattr(action, "state", None)) == ("change-flow-run-state", "CRASHED")
    (action,) = again.actions
    assert (action.type, getattr(action, "source", None)) == ("run-deployment", "inferred")
