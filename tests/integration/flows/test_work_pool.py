"""A night whose batch is made by shards: as many pictures, the same to the byte, also where a shard is lost."""

import shutil
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.states import Completed, Crashed, Running

from db.catalogue import Catalogue
from flows.dispatch import resume
from flows.errors import Misused
from flows.plan import plan_night
from flows.settings import Settings
from flows.under_prefect import of_one_command
from flows.workers import work_pool
from flows.workers.work_pool import WorkPool
from tests.forked import FORK

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


class Workers:
    """Prefect's server and its workers: the first shard is lost before it begins."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.model_copy(update={"executor": "processes"})
        self._runs: list[BaseProcess] = []

    def has(self, deployment: str) -> bool:
        return deployment == "shard/cpu"

    def send(self, deployment: str, batch: int) -> UUID:
        assert deployment == "shard/cpu"
        self._runs.append(FORK.Process(target=join, args=(self._settings, batch)))
        if len(self._runs) > 1:
            self._runs[-1].start()
        return UUID(int=len(self._runs) - 1)

    def state(self, run: UUID) -> State[None] | None:
        if run.int == 0:
            return Crashed(message="no heartbeat")
        return Running() if self._runs[run.int].is_alive() else Completed()

    def cancel(self, run: UUID) -> None:
        self._runs[run.int].kill()


def join(settings: Settings, batch: int) -> None:
    with of_one_command(gone=True):
        resume(settings, batch)


def take(settings: Settings) -> None:
    """Claim all that is due as a batch, and put it down."""
    with plan_night(settings) as plan:
        batch = plan.catalogue.take_batch(plan.night.entry, plan.night.models, plan.matcher, limit=None)
        assert batch is not None
        plan.catalogue.release_batch(batch)


def pictures(settings: Settings) -> dict[str, bytes]:
    """Each result's bytes, by its content."""
    with Catalogue.open(settings, create=False) as catalogue:
        made = {each.content.sha256: each.output_sha256 for each in catalogue.attempts()}
        return {content: catalogue.pictures.read(output or "") for content, output in made.items()}


def test_a_night_over_a_work_pool_makes_what_one_machine_makes(
    settings_of: "SettingsOf", matched_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = settings_of(shutil.copytree(matched_home, tmp_path / "taken"))
    take(taken)  # once: each file says when its attempt was opened
    alone = settings_of(shutil.copytree(taken.home, tmp_path / "alone"))
    settings = settings_of(shutil.copytree(taken.home, tmp_path / "shared"), executor="work-pool")
    monkeypatch.setattr(work_pool, "LOOK_S", 0.1)
    monkeypatch.setattr(work_pool, "PrefectServer", lambda: Workers(settings))
    with of_one_command(gone=True):
        (here,), (elsewhere,) = resume(alone), resume(settings)
    assert here.outcomes == elsewhere.outcomes == {"succeeded": 2}
    assert (elsewhere.problems, elsewhere.notes) == ([], here.notes)
    assert pictures(settings) == pictures(alone)
    with Catalogue.open(settings, create=False) as catalogue:
        assert catalogue.unfinished_batches() == []


@pytest.mark.usefixtures("prefect_api")
def test_prefects_server_says_which_deployments_there_are(settings_of: "SettingsOf", tmp_path: Path) -> None:
    with get_client(sync_client=True) as client:
        client.create_deployment(client.create_flow_from_name("shard"), "here")
    shards = {"shard/here": 1, "shard/away": 1}
    with pytest.raises(
        Misused, match=r"^the deployment shard/away cannot be run \(there is none of that name\); run: "
    ):
        WorkPool.look(settings_of(tmp_path, executor="work-pool", shards=shards))
    WorkPool.look(settings_of(tmp_path, executor="work-pool", shards={"shard/here": 2}))
