"""Batches of matches → colorize, on whatever devices there are → attempts.

Durable when: each attempt as soon as its picture is finished (file first, then the row, then tiles, which are made of
stored pictures beside the work). A batch is closed when all of it is there; a crash leaves it with pending attempts or
missing tiles, which the next night carries on, and at most one unreferenced file. An attempt's failure is its own; a
fault of ours (weights, schema, a lost batch) ends the batch, with its attempts left pending.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from prefect import flow, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, wait
from prefect.task_runners import ThreadPoolTaskRunner

from colorize.errors import BadRecipe, UnknownRecipe, WorkerDied
from colorize.recipes.recipe import Recipe
from db.entries.night import BatchEntry, PendingAttempt
from db.entries.review import RECIPE_OF_NIGHT
from flows.plan import Plan, plan_night
from flows.progress import track
from flows.settings import Settings
from flows.workers.batch_run import BatchRun, minibatches_of
from flows.workers.messages import Done, Note, Progress
from flows.workers.pool import DevicePool
from flows.workers.process import DeviceProcess
from flows.workers.tiles import Tiler, Tiling

KEEP_ALIVE_S = 20.0
_RUNNER: Any = ThreadPoolTaskRunner(max_workers=64)
"""Threads only wait for a device's process, so a machine's devices decide the pace, not their number."""


@dataclass(frozen=True)
class DispatchTally:
    """What a batch came to."""

    batch_id: int
    """0: none could be taken."""
    outcomes: Counter[str]
    problems: list[tuple[str, str]]
    notes: list[tuple[str, str]] = field(default_factory=list)
    """What a person should know of attempts that went well all the same."""


@flow(name="dispatch", task_runner=_RUNNER, validate_parameters=False)
def dispatch(settings: Settings) -> list[DispatchTally]:
    """Carry on what was left unfinished, then take and colorize what curators asked for, then all that is due.

    Raises:
        Misconfigured, ColorizeError, CatalogueError: nothing can be colorized at all.
    """
    with plan_night(settings) as plan, DevicePool(settings, plan.devices) as pool:
        return [*carry_on(plan, pool), *take_on(plan, pool)]


@flow(name="resume", task_runner=_RUNNER, validate_parameters=False)
def resume(settings: Settings) -> list[DispatchTally]:
    """Carry on unfinished batches only, each with its own recipe."""
    with plan_night(settings) as plan, DevicePool(settings, plan.devices) as pool:
        return carry_on(plan, pool)


def carry_on(plan: Plan, pool: DevicePool) -> list[DispatchTally]:
    """Work through batches whose process is gone, each with its own weights; without them what is left waits."""
    tallies = []
    for free in plan.catalogue.unfinished_batches():
        weights = plan.weights_of(free.encoder)
        if free.left and weights is None:
            problem = (
                f"waits for the weights it was begun with, {free.encoder.name} ({free.encoder.checksum[:12]}); "
                "set NISHIKI_WEIGHTS_DIR to their folder and run: nishiki resume"
            )
            tallies.append(DispatchTally(free.id, Counter(), [(f"batch {free.id}", problem)]))
        elif batch := plan.catalogue.take_over(free.id):
            processes = pool.with_weights(weights) if weights else []  # only tiles are missing
            tallies.append(work_through(plan, processes, batch))
    return tallies


def take_on(plan: Plan, pool: DevicePool) -> Iterator[DispatchTally]:
    """Take and work through a batch of each recipe that requests name, then the night's own; `limit` holds for all."""
    catalogue, settings = plan.catalogue, plan.settings
    named = catalogue.requested_recipes(max_tries=settings.max_tries)
    requested = [name for name in named if name not in (RECIPE_OF_NIGHT, settings.recipe)]
    limit = settings.limit
    for name in (*requested, settings.recipe):
        try:
            planned = plan.night if name == settings.recipe else plan.recipe(name)
        except (UnknownRecipe, BadRecipe) as error:
            yield DispatchTally(0, Counter(), [(f"a curator's request for {name}", str(error))])
            continue
        take = catalogue.take_batch if name == settings.recipe else catalogue.take_requests
        batch = take(planned.entry, planned.models, plan.matcher, limit=limit, max_tries=settings.max_tries)
        if batch is not None:
            limit = None if limit is None else limit - batch.taken
            yield work_through(plan, pool.with_weights(planned.weights), batch)


def work_through(plan: Plan, processes: Sequence[DeviceProcess], batch: BatchEntry) -> DispatchTally:
    """Colorize what is pending in a batch held by this process, on all devices; then close it.

    Raises:
        ColorizeError: no device can work (weights, device).
        BatchLost: another process took the batch over.
    """
    catalogue, settings = plan.catalogue, plan.settings
    recipe = Recipe.from_data(batch.recipe.data)
    pending = catalogue.pending_attempts(batch)
    minibatches = minibatches_of(pending, recipe, most=settings.minibatch_size, places=len(processes))
    with Tiler(Tiling.of(catalogue, settings)) as tiler:
        run = BatchRun(catalogue, settings, batch, processes, tiler)
        try:
            for shown in catalogue.pictures_shown(batch.id):  # what a crash may have left without tiles
                tiler.add(shown)
            with track(f"colorize, batch {batch.id}", len(pending), "pictures") as run.progressed:
                _watched([colorize_minibatch.submit(run, minibatch) for minibatch in minibatches], run)
            run.notes += tiler.problems(run.keep_alive)
            catalogue.close_batch(batch)
        except BaseException:
            run.stopped = True
            catalogue.release_batch(batch)
            for process in processes:
                process.close()
            raise
    return DispatchTally(batch.id, run.outcomes, run.problems, run.notes)


@task(name="colorize-minibatch", tags=["gpu"], cache_policy=NO_CACHE, persist_result=False)
def colorize_minibatch(run: BatchRun, minibatch: Sequence[PendingAttempt]) -> None:
    """Colorize attempts of equal size on the next free device, closing each as soon as it is done.

    A process that dies is started again, and what is left goes through it one by one: only an attempt that kills it
    alone has failed.
    """
    process = run.free.get()
    try:
        left, _ = _colorized(run, process, minibatch)
        for attempt in left:
            _, died = _colorized(run, process, [attempt])
            if died is not None and not run.stopped:
                run.close(attempt, process.device, died)
    except BaseException:
        run.stopped = True  # whatever comes out of this process now belongs to nobody
        process.close()
        raise
    finally:
        run.free.put(process)


def _colorized(
    run: BatchRun, process: DeviceProcess, attempts: Sequence[PendingAttempt]
) -> tuple[list[PendingAttempt], WorkerDied | None]:
    """Colorize and close attempts; those left, and why, where the process died."""
    if run.stopped:
        return [], None
    left, told = {str(attempt.id): attempt for attempt in attempts}, 0.0
    try:
        for message in process.colorize(run.minibatch(attempts)):
            match message:
                case Progress(pictures):
                    run.progressed(pictures)
                    told += pictures
                case Note(key, sentence):
                    run.note(left[key], sentence)
                case Done(key, result):
                    run.close(left.pop(key), process.device, result)
                    run.progressed(max(0.0, 1 - told))  # what failed early was not told of
                    told = max(0.0, told - 1)
    except WorkerDied as error:
        run.progressed(-told)
        return list(left.values()), error
    return [], None


def _watched(futures: list[PrefectFuture[None]], run: BatchRun) -> None:
    """Wait for all minibatches with the batch's heart beating; the first fault of ours ends it."""
    waiting, total = set(futures), run.batch.left
    shown = cast("UUID", create_progress_artifact(0.0, key="nishiki-progress", description=f"Batch {run.batch.id}"))
    while waiting:
        done, waiting = wait(list(waiting), timeout=KEEP_ALIVE_S)
        for future in done:
            future.result()
        run.keep_alive()
        update_progress_artifact(shown, 100.0 * run.closed / total)
