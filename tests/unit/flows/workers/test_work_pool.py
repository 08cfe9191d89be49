"""What the executor of work pools asks of Prefect's server, and when it gives up."""

from itertools import count
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Completed, Crashed, Running, Scheduled

from colorize.errors import WorkerDied
from db.entries.night import BatchEntry
from flows.errors import Misused
from flows.settings import Settings
from flows.under_prefect import NotAnswered
from flows.workers import work_pool
from flows.workers.work_pool import WorkPool
from tests.samples import Sample

SHARDS = {"shard/cpu": 1, "shard/gpu": 2}


class FakeServer:
    """Prefect's server as far as it is asked: what was sent, and what became of it."""

    def __init__(self) -> None:
        self.sent: dict[UUID, tuple[str, int]] = {}
        self.states: dict[UUID, State[None]] = {}
        self.cancelled: list[UUID] = []
        self.away = False
        self.deployments = set(SHARDS)
        self._numbers = count(1)

    def has(self, deployment: str) -> bool:
        if self.away:
            raise NotAnswered("it is away")
        return deployment in self.deployments

    def send(self, deployment: str, batch: int) -> UUID:
        if self.away:
            raise NotAnswered("it is away")
        run = UUID(int=next(self._numbers))
        self.sent[run], self.states[run] = (deployment, batch), Scheduled()
        return run

    def state(self, run: UUID) -> State[None] | None:
        if self.away:
            raise NotAnswered("it is away")
        return self.states[run]

    def cancel(self, run: UUID) -> None:
        self.cancelled.append(run)


class Called:
    """A pool that is called for one batch, of which `left` attempts are left."""

    def __init__(self, settings: Settings) -> None:
        self.server, self.left = FakeServer(), 5
        self.pool = WorkPool(settings, lambda _: self.left, self.server)
        sample = Sample()
        self._batch = BatchEntry(7, 1, sample.recipe, sample.encoder, sample.models, sample.moment, 5, 5)

    def __call__(self) -> None:
        self.pool.call(self._batch)

    def all_become(self, state: State[None]) -> None:
        self.server.states |= dict.fromkeys(self.server.sent, state)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Called:
    monkeypatch.setattr(work_pool, "LOOK_S", 0.0)
    return Called(Settings(home=tmp_path, executor="work-pool", shards=SHARDS, max_tries=2))


def test_each_deployment_gets_its_number_of_shards_once(called: Called) -> None:
    called()
    called.all_become(Running())
    called()
    assert sorted(called.server.sent.values()) == [("shard/cpu", 7), ("shard/gpu", 7), ("shard/gpu", 7)]


def test_a_lost_shard_is_sent_again_and_one_that_ended_well_is_not(called: Called) -> None:
    called()
    cpu, gpu, _ = called.server.sent
    called.server.states |= {cpu: Completed(), gpu: Crashed(message="no heartbeat")}
    called()
    assert list(called.server.sent.values())[3:] == [("shard/gpu", 7)]


def test_where_all_have_ended_and_something_is_left_all_are_sent_again(called: Called) -> None:
    called()
    called.all_become(Completed())
    called()
    assert len(called.server.sent) == 6


def test_shards_that_are_lost_as_often_as_may_be_end_the_batch_with_what_they_said(called: Called) -> None:
    called()
    called.all_become(Crashed(message="no heartbeat"))
    called()
    called.all_become(Crashed(message="no heartbeat"))
    with pytest.raises(WorkerDied, match=r"all shards of batch 7 have ended, and 5 attempts are left: Crashed no hear"):
        called()


def test_a_deployment_that_is_not_there_says_which_command_makes_it(called: Called) -> None:
    called.server.away = True
    with pytest.raises(Misused, match=r"shard/cpu cannot be run \(it is away\); run: prefect deploy --all"):
        called()


def test_a_server_that_goes_away_later_is_asked_again(called: Called) -> None:
    called()
    called.server.away = True
    called()
    called.server.away = False
    called.all_become(Crashed())
    called()
    assert len(called.server.sent) == 6


def test_no_worker_is_waited_for_without_end(called: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(work_pool, "monotonic", lambda: now)
    called()
    now += 3601
    called.left -= 1  # somebody is at it
    called()
    now += 3601
    with pytest.raises(WorkerDied, match=r"no worker has begun a shard of batch 7 on shard/cpu, shard/gpu for 3,600 s"):
        called()


def test_a_stop_cancels_what_was_sent_and_an_end_leaves_shards_to_their_tiles(called: Called) -> None:
    with called.pool:
        called()
    assert called.server.cancelled == []
    called.pool.close()
    assert called.server.cancelled == list(called.server.sent)
