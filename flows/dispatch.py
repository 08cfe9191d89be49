"""Batches of matches → colorize, on whatever devices there are → attempts.

Durable when: each attempt as soon as its picture is finished (file first, then the row, then tiles, which are made of
stored pictures beside the work). A batch is closed when all of it is there; a crash leaves it with pending attempts or
missing tiles, which the next night carries on, and at most one unreferenced file. An attempt's failure is its own; a
fault of ours (weights, schema, a lost batch) ends the batch, with its attempts left pending. Several processes, on any
machines, may be at one batch: each takes minibatches as it has room, and stays until the whole is done, so that
whatever one of them leaves behind when it dies is done by the others.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from colorize.encoders.weights import WeightsFile
from colorize.errors import BadRecipe, UnknownRecipe
from db.entries.night import BatchEntry
from db.entries.review import RECIPE_OF_NIGHT
from flows.endings import Ending
from flows.logs import about
from flows.plan import Plan, plan_night
from flows.progress import track
from flows.settings import Settings
from flows.under_prefect import stage, step, tell
from flows.upkeep.rejudging import judge_again, judged_lines
from flows.upkeep.waiting import REMEDY, what_it_waits_for
from flows.workers.batch_run import BatchRun, running
from flows.workers.executor import Executor, executor_for
from flows.workers.messages import Minibatch
from flows.workers.tiles import Tiler, Tiling

KEEP_ALIVE_S = 20.0
LOOK_S = 2.0
"""Between two looks at what others are at, and may leave to us."""
THREADS = 64
"""They only wait for a device's process, so a machine's devices decide the pace, not their number."""


@dataclass(frozen=True)
class DispatchTally:
    """What a batch came to."""

    batch_id: int
    """0: none could be taken."""
    outcomes: Counter[str]
    problems: list[tuple[str, str]]
    notes: list[tuple[str, str]] = field(default_factory=list)
    """What a person should know of attempts that went well all the same."""
    waits: bool = False
    """It was left as it is until a person does something, which `problems` says."""

    @property
    def ending(self) -> Ending:
        """A rejected picture is reported and no failure."""
        if self.outcomes["failed"]:
            return Ending.FAILED
        return Ending.WAITING if self.waits else Ending.DONE

    def told(self) -> Iterator[str]:
        """Its problems, where they stand in the way of a better ending."""
        if self.ending is not Ending.DONE:
            yield from (f"{what}: {why}" for what, why in self.problems)


@stage("dispatch")
def dispatch(settings: Settings) -> list[DispatchTally]:
    """Carry on what was left unfinished, then take and colorize what curators asked for, then all that is due.

    Raises:
        Misconfigured, ColorizeError, CatalogueError: nothing can be colorized at all.
    """
    with plan_night(settings) as plan, executor_for(plan) as executor:
        return [*judged(plan), *carry_on(plan, executor), *take_on(plan, executor)]


@stage("resume")
def resume(settings: Settings, batch: int | None = None) -> list[DispatchTally]:
    """Carry on unfinished batches only, or one of them, each with its own recipe.

    Raises:
        UnknownEntry: there is no such batch.
    """
    with plan_night(settings) as plan, executor_for(plan) as executor:
        if batch is not None:
            plan.catalogue.batch(batch)
        return [*judged(plan), *carry_on(plan, executor, batch)]


@stage("shard")
def shard(batch: int) -> list[DispatchTally]:
    """This machine's part of a batch that a night elsewhere has sent to a work pool; a worker's entry point.

    Raises:
        As `resume`.
    """
    return resume(Settings(executor="processes"), batch)


def judged(plan: Plan) -> list[DispatchTally]:
    """What newer rules made of rights that older ones judged, where that changes what may be coloured."""
    moved = judge_again(plan.catalogue)
    return [DispatchTally(0, Counter(), judged_lines(moved))] if moved else []


def carry_on(plan: Plan, executor: Executor, only: int | None = None) -> list[DispatchTally]:
    """Work at batches of which something is left, each with its own weights; without them what is left waits."""
    tallies = []
    for free in plan.catalogue.unfinished_batches():
        if only not in (None, free.id):
            continue
        if why := what_it_waits_for(free, plan.weights, plan.settings):
            tallies.append(DispatchTally(free.id, Counter(), [(f"batch {free.id}", f"{why}; {REMEDY}")], waits=True))
        elif batch := plan.catalogue.join(free.id):
            tallies.append(work_through(plan, executor, batch, plan.weights_of(free.encoder)))
    return tallies


def take_on(plan: Plan, executor: Executor) -> Iterator[DispatchTally]:
    """Take and work through a batch of each recipe that requests name, the night's own, then those to compare with.

    `limit` holds for all but the last, which have it once more each: they are to colour the same contents.
    """
    catalogue, settings = plan.catalogue, plan.settings
    named = catalogue.requested_recipes(max_tries=settings.max_tries)
    further = [name for name in dict.fromkeys(settings.further_recipes) if name != settings.recipe]
    requested = [name for name in named if name not in (RECIPE_OF_NIGHT, settings.recipe, *further)]
    limit = settings.limit
    for name in (*requested, settings.recipe):
        try:
            planned = plan.night if name == settings.recipe else plan.recipe(name)
        except (UnknownRecipe, BadRecipe) as error:
            yield DispatchTally(0, Counter(), [(f"a curator's request for {name}", str(error))], waits=True)
            continue
        scope = None if planned.recipe.needs.marks == "required" else plan.scope()  # marks are a curator's to ask for
        take = partial(catalogue.take_batch, scope=scope) if name == settings.recipe else catalogue.take_requests
        batch = take(planned.entry, planned.models, plan.matcher, limit=limit, max_tries=settings.max_tries)
        if batch is not None:
            limit = None if limit is None else limit - batch.taken
            yield work_through(plan, executor, batch, planned.weights)
    for name in further:
        planned = plan.recipe(name)
        given = planned.entry, planned.models, plan.matcher, plan.scope()
        batch = catalogue.take_comparison(*given, limit=settings.limit, max_tries=settings.max_tries)
        if batch is not None:
            yield work_through(plan, executor, batch, planned.weights)


def work_through(plan: Plan, executor: Executor, batch: BatchEntry, weights: WeightsFile | None) -> DispatchTally:
    """Colorize what is pending in a batch that this process has joined, wherever the executor has room; then close it.

    Args:
        weights: the batch's encoder; None where nothing but tiles is missing.

    Raises:
        ColorizeError: no device can work (weights, device).
        BatchLost: we were not heard of for so long that another process took what we had.
    """
    catalogue, log = plan.catalogue, about(__name__, batch=batch.id)
    with Tiler(Tiling.of(catalogue, plan.settings)) as tiler:
        run = BatchRun(plan, executor, batch, weights, tiler)
        try:
            for shown in catalogue.pictures_shown(batch.id):  # what a crash may have left without tiles
                tiler.add(shown)
            log.info("%d attempts, recipe %s", batch.left, batch.recipe.name)
            with track(f"colorize, batch {batch.id}", batch.left, "pictures") as run.progressed, run.found_by_tasks():
                _watched(run)
            run.count_others()
            run.notes += tiler.problems(run.keep_alive)
            catalogue.close_batch(batch)
            log.info(
                "closed: %s", ", ".join(f"{number} {outcome}" for outcome, number in run.outcomes.items()) or "tiles"
            )
        except BaseException as error:
            log.warning("put down with %d of %d attempts done: %r", run.closed, batch.left, error)
            run.stop()
            raise
    return DispatchTally(batch.id, run.outcomes, run.problems, run.notes)


@step("colorize-minibatch", "gpu")
def colorize_minibatch(minibatch: Minibatch) -> None:
    """Have a minibatch of a batch that runs in this process colorized; the flow hears what becomes of it."""
    if run := running(minibatch.batch):
        run.work(minibatch)


def _watched(run: BatchRun) -> None:
    """Have minibatches colorized and write what is told of them as it is told; the first fault of ours ends it."""
    threads = ThreadPoolExecutor(THREADS, "minibatch")

    def begin() -> None:
        for minibatch in run.minibatches():
            threads.submit(copy_context().run, colorize_minibatch, minibatch)

    try:
        _heard(run, begin)
    except BaseException:
        threads.shutdown(wait=False, cancel_futures=True)
        raise
    threads.shutdown()


def _heard(run: BatchRun, begin: Callable[[], None]) -> None:
    """Begin what there is room for, and listen until the batch is over, with our heart beating."""
    beat, total = time.monotonic(), run.batch.left
    about_it = {"key": "nishiki-progress", "description": f"Batch {run.batch.id}"}
    shown = cast("UUID | None", tell(create_progress_artifact, 0.0, **about_it))
    begin()
    while not run.over:
        run.call_others()
        try:
            room = run.hear(KEEP_ALIVE_S if run.in_work else LOOK_S)
        except TimeoutError:
            room = True
        if room:
            begin()
        if time.monotonic() - beat >= KEEP_ALIVE_S:
            beat = time.monotonic()
            run.keep_alive()
            _show(shown, 100.0 * run.closed / total)
    _show(shown, 100.0)


def _show(artifact: UUID | None, percent: float) -> None:
    if artifact is not None:
        tell(update_progress_artifact, artifact, percent)
