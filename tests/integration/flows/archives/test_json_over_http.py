"""JSON over HTTP: an answer that comes broken is asked for again, and what never was JSON is told."""

import pytest

from flows.archives.errors import ArchiveUnavailable, NotAnArchive
from flows.archives.web.client import PoliteClient
from flows.archives.web.json_answers import ask_json
from flows.archives.web.politeness import Manners
from tests.integration.flows.archives.web_server import BUSY_PAGE, FAULTS, FaultPlan, Reply, serve

GOOD = Reply('{"records": [1, 2, 3]}')


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", (0.0, 0.0, 0.0, 0.0))


@pytest.mark.parametrize("bad", [Reply(BUSY_PAGE, "text/html"), Reply('{"records": [1, '), Reply("")])
def test_a_broken_answer_is_asked_for_again(bad: Reply) -> None:
    answers = iter([bad, bad, GOOD])
    with serve(lambda path: next(answers) if path == "/q" else None) as server:
        client = PoliteClient(Manners("c", pace_s=0), server.root)
        assert ask_json(client, f"{server.root}/q", known=True) == {"records": [1, 2, 3]}
        client.close()
    assert server.asked == ["/q"] * 3


@pytest.mark.parametrize(("known", "error"), [(True, ArchiveUnavailable), (False, NotAnArchive)])
def test_pages_for_people_are_a_fault_of_an_archive_that_is_known(known: bool, error: type[Exception]) -> None:
    with serve({"/q": Reply(BUSY_PAGE, "text/html")}) as server:
        client = PoliteClient(Manners("c", pace_s=0), server.root)
        with pytest.raises(error, match="HTML page"):
            ask_json(client, f"{server.root}/q", known=known)
        client.close()


@pytest.mark.long
def test_every_fault_is_got_over_and_the_plan_is_the_same_each_time() -> None:
    told = []
    for _ in range(2):
        plan = FaultPlan(0.3)
        with serve(lambda path: GOOD if path == "/q" else None, plan) as server:
            client = PoliteClient(Manners("c", pace_s=0), server.root)
            for _ in range(90):
                assert ask_json(client, f"{server.root}/q", known=True) == {"records": [1, 2, 3]}
            client.close()
        told.append(plan.told)
    assert told[0] == told[1]
    assert set(told[0]) == set(FAULTS)
