"""Stages under a Prefect server that fails: the work is done once all the same; and what its state says of the work."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter
from prefect.client.schemas.objects import State
from prefect.settings import (
    PREFECT_API_REQUEST_TIMEOUT,
    PREFECT_API_URL,
    PREFECT_CLIENT_MAX_RETRIES,
    temporary_settings,
)

from flows.endings import Ending
from flows.under_prefect import stage, step, tell
from tests.faulty_prefect import ALWAYS_503, HEALTHY_ONLY, Fault, after, faulty_prefect


@dataclass(frozen=True)
class Came:
    """What a stage came to."""

    ending: Ending
    problems: tuple[str, ...] = ()

    def told(self) -> Iterator[str]:
        return iter(self.problems)


@pytest.mark.parametrize(
    "fault",
    [
        ALWAYS_503,
        HEALTHY_ONLY,
        after("POST /flow_runs/", 500),
        after("POST /flow_runs/", 500, times=2),
        after("POST /flow_runs/filter", 502),
        after("GET /flow_runs/", 0),
        lambda _method, path: 500 if path.endswith("set_state") else None,
        lambda _method, path: 500 if path.startswith("/artifacts") else None,
    ],
)
def test_whatever_the_server_answers_each_part_is_carried_out_once_and_the_fault_is_told_once(
    fault: Fault, seen: str, capsys: pytest.CaptureFixture[str]
) -> None:
    done: list[str] = []

    def report() -> None:
        with get_client(sync_client=True) as client:
            client.request("POST", "/artifacts/filter", json={})

    @step("part")
    def part(name: str) -> str:
        done.append(name)
        return name

    @stage("inner")
    def inner(name: str) -> str:
        tell(report)
        return part(name)

    @stage("outer")
    def outer() -> list[str]:
        return [inner("a"), inner("b")]

    with faulty_prefect(seen, fault) as url:
        quick = {PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0, PREFECT_API_REQUEST_TIMEOUT: 1.0}
        with temporary_settings(quick):
            assert outer() == done == ["a", "b"]
    said = capsys.readouterr().err
    assert said.count("; the work goes on, unseen there\n") == 1
    assert f"Prefect's server at {url} fails (" in said


def test_what_a_stage_raises_is_raised_though_the_server_cannot_be_told(seen: str) -> None:
    @stage("outer")
    def outer() -> None:
        raise ZeroDivisionError("ours")

    for fault in (after("POST /flow_runs/", 500, times=2), lambda _method, _path: None):
        with (
            faulty_prefect(seen, fault) as url,
            temporary_settings({PREFECT_API_URL: url}),
            pytest.raises(ZeroDivisionError, match="ours"),
        ):
            outer()


@pytest.mark.parametrize(
    ("came", "kind", "name", "message"),
    [
        (Came(Ending.DONE), "COMPLETED", "Completed", None),
        (Came(Ending.FAILED, ("it ended early",)), "FAILED", "Failed", "it ended early"),
        ([Came(Ending.DONE), Came(Ending.WAITING, ("weights", "more"))], "FAILED", "Waiting", "weights\nmore"),
        (Came(Ending.FAILED, ("x",) * 12), "FAILED", "Failed", "x\n" * 10 + "and 2 more"),
    ],
)
def test_the_state_says_what_the_exit_code_says(
    came: Came, kind: str, name: str, message: str | None, seen: str
) -> None:
    known = f"stage-{uuid4().hex}"
    work: Any = stage(known)(lambda: came)
    assert work() == came
    with get_client(sync_client=True) as client:
        (run,) = client.read_flow_runs(flow_filter=FlowFilter.model_validate({"name": {"any_": [known]}}))
    for state in (run.state, work(return_state=True)):  # as a worker runs it
        assert isinstance(state, State)
        assert (state.type.value, state.name) == (kind, name)
        assert message is None or state.message == message
