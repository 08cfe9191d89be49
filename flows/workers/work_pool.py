"""The executor of many machines: a batch's shards, sent to Prefect's work pools, join the batch in the catalogue.

A shard is a run of the deployment of `flows.dispatch.shard`, begun by a worker on any machine that shares catalogue and
picture store. It is handed nothing but the batch's number, and takes attempts by a lease of its own until the batch is
over. So one that dies loses nothing, and one too many does no harm: what counts is what the catalogue says.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Final, Protocol, Self, cast
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL
from prefect.states import Cancelling

from colorize.errors import WorkerDied
from db.entries.night import BatchEntry
from flows.errors import Away, Faults, Misused
from flows.plan import Plan
from flows.settings import Settings
from flows.under_prefect import NotAnswered, asked, server_name, waiting
from flows.workers.executor import Place

log = logging.getLogger(__name__)
LOOK_S: Final = 10.0
"""Between two looks at a shard's state."""
_ELSE: Final = "set executor to processes"


class Server(Protocol):
    """What is asked of Prefect's server; each raises NotAnswered."""

    def has(self, deployment: str) -> bool:
        """Is there such a deployment?"""

    def send(self, deployment: str, batch: int) -> UUID:
        """A new run of a deployment; its number."""

    def state(self, run: UUID) -> State[Any] | None:
        """What a run has come to."""

    def cancel(self, run: UUID) -> None:
        """Have a run end in order."""


class PrefectServer:
    """Prefect's server itself."""

    def has(self, deployment: str) -> bool:
        """By its name, FLOW/DEPLOYMENT."""
        with asked(), get_client(sync_client=True) as client:
            try:
                client.read_deployment_by_name(deployment)
            except ObjectNotFound:
                return False
        return True

    def send(self, deployment: str, batch: int) -> UUID:
        """A run that belongs to the flow that sends it."""
        with asked():
            sent = run_deployment(deployment, parameters={"batch": batch}, flow_run_name=f"batch {batch}", timeout=0)
            return cast("FlowRun", sent).id

    def state(self, run: UUID) -> State[Any] | None:
        """Its newest."""
        with asked(), get_client(sync_client=True) as client:
            return client.read_flow_run(run).state

    def cancel(self, run: UUID) -> None:
        """Its worker ends it as by SIGTERM."""
        with asked(), get_client(sync_client=True) as client:
            client.set_flow_run_state(run, Cancelling())


@dataclass
class Shard:
    """One worker's part, which has no bounds: it takes what is free."""

    deployment: str
    run: UUID | None = None
    """None: it is over, or was never sent."""
    sent: int = 0
    lost: bool = True
    """It ended otherwise than Completed, or was never sent."""
    said: str = ""


class WorkPool:
    """Sends shards, and sends them again where they were lost, as often as `max_tries` says."""

    places = 0

    def __init__(self, settings: Settings, left_in: Callable[[BatchEntry], int], server: Server) -> None:
        self._settings, self._left_in, self._server = settings, left_in, server
        self._batch, self._shards = 0, list[Shard]()
        self._next_look = self._life_at = 0.0
        self._left = 0

    @classmethod
    def look(cls, settings: Settings) -> None:
        """See whether Prefect's server has the deployments; it is waited for as a night waits for it.

        Raises:
            Misused, Misconfigured: it does not answer, or lacks some.
        """
        if not PREFECT_API_URL.value():
            raise Misused(
                f"executor is work-pool, and PREFECT_API_URL names no server of Prefect's; set it, or {_ELSE}"
            )
        look_for_deployments(settings, PrefectServer())

    @classmethod
    def open(cls, plan: Plan) -> Self:
        """Over the deployments that the settings name."""
        return cls(plan.settings, plan.catalogue.left_in, PrefectServer())

    def call(self, batch: BatchEntry) -> None:
        """Send the shards of a batch, and look after them from time to time.

        Raises:
            Misused: they cannot be sent.
            WorkerDied: none is left, or no worker takes one up.
        """
        if self._batch != batch.id:
            self._batch, self._shards = batch.id, self._unsent()
            self._next_look, self._life_at, self._left = 0.0, monotonic(), batch.left
        if monotonic() < self._next_look:
            return
        self._next_look = monotonic() + LOOK_S
        for shard in self._shards:
            self._look_at(shard)
        for shard in self._to_send():
            self._send(shard)
        self._see_life(batch)

    def place(self) -> AbstractContextManager[Place]:
        """There is none."""
        raise NotImplementedError

    def close(self) -> None:
        """End all shards in order; each hands back what it has taken."""
        for shard in self._shards:
            if shard.run is not None:
                try:
                    self._server.cancel(shard.run)
                except NotAnswered as error:
                    log.warning("a shard of batch %d is not cancelled, it goes on by itself: %s", self._batch, error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Shards that are still at their tiles end by themselves."""

    def _unsent(self) -> list[Shard]:
        return [Shard(deployment) for deployment, number in self._settings.shards.items() for _ in range(number)]

    def _look_at(self, shard: Shard) -> None:
        if shard.run is None:
            return
        try:
            state = self._server.state(shard.run)
        except NotAnswered as error:
            log.warning("what became of a shard is asked again later: %s", error)
            return
        if state is None or not state.is_final():
            if state is not None and state.is_running():
                self._life_at = monotonic()
            return
        shard.run, shard.lost = None, not state.is_completed()
        if shard.lost:
            shard.said = " ".join(filter(None, [state.name, state.message]))
            log.warning("a shard of batch %d on %s is lost: %s", self._batch, shard.deployment, shard.said)

    def _to_send(self) -> list[Shard]:
        """Those that were lost; all, where none is left: one that found everything taken has ended well."""
        alive = any(shard.run for shard in self._shards)
        ended = [shard for shard in self._shards if shard.run is None and (shard.lost or not alive)]
        return [shard for shard in ended if shard.sent < self._settings.max_tries]

    def _send(self, shard: Shard) -> None:
        try:
            shard.run = self._server.send(shard.deployment, self._batch)
        except NotAnswered as error:
            if not shard.sent:
                raise _cannot_run(shard.deployment, error) from error
            log.warning("a shard is sent again later: %s", error)
            return
        shard.sent += 1
        log.info("a shard of batch %d was sent to %s", self._batch, shard.deployment)

    def _see_life(self, batch: BatchEntry) -> None:
        left = self._left_in(batch)
        if left != self._left:
            self._left, self._life_at = left, monotonic()
        if not any(shard.run or shard.sent < self._settings.max_tries for shard in self._shards):
            said = "; ".join(sorted({shard.said for shard in self._shards if shard.said}))
            raise WorkerDied(f"all shards of batch {batch.id} have ended, and {left} attempts are left: {said}")
        if monotonic() - self._life_at > self._settings.hung_after_s:
            names = ", ".join(self._settings.shards)
            raise WorkerDied(
                f"no worker has begun a shard of batch {batch.id} on {names} for {self._settings.hung_after_s:,.0f} s; "
                "run: prefect worker start --pool NAME"
            )


def look_for_deployments(settings: Settings, server: Server) -> None:
    """See whether a server has all deployments that the settings name.

    Raises:
        Away: it does not answer.
        Misused, Misconfigured: it lacks some.
    """
    try:
        with waiting(f"waiting for {server_name()}, for {settings.prefect_wait_s:.0f} s at most"):
            missing = [each for each in settings.shards if not _answer(server, each, settings.prefect_wait_s)]
    except NotAnswered as error:
        raise Away(
            f"executor is work-pool, and no batch can be sent ({error}); start that server, or {_ELSE}"
        ) from error
    Faults(_cannot_run(each, "there is none of that name") for each in missing).tell()


def _answer(server: Server, deployment: str, wait_s: float) -> bool:
    """Whether it has this one, as soon as it says so.

    Raises:
        NotAnswered: it did not for so long.
    """
    ends = monotonic() + wait_s
    while True:
        try:
            return server.has(deployment)
        except NotAnswered:
            if monotonic() >= ends:
                raise
        sleep(1)


def _cannot_run(deployment: str, why: object) -> Misused:
    remedy = f"run: prefect deploy --all --prefect-file deploy/prefect.yaml, or {_ELSE}"
    return Misused(f"the deployment {deployment} cannot be run ({why}); {remedy}")
