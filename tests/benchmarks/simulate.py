"""How long nights become on 1, 8 or 64 GPUs, and what they wait for: `python -m tests.benchmarks.simulate`.

A simulation (simpy) of workers that take pictures from one catalogue and one store, with machines that are lost and
others that are slow. What the catalogue asks of a picture is measured here, on both databases; what a GPU takes is of
docs/gpu.md. docs/scale.md has its figures, and what follows from them.
"""

import argparse
import random
import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Final

import simpy

from colorize.recipes.library import recipe_named
from db.catalogue import Catalogue
from db.entries.night import AttemptResult, ImageFacts, Outcome, Tone
from db.queries.night.leases import SILENCE_S
from db.settings import CatalogueSettings
from flows.plan import recipe_entry
from tests.benchmarks.claims import MATCHER, MODELS, filled
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.review_catalogue import database_in

WRITERS = {"sqlite": 1, "postgresql": 8}
GPUS = (1, 8, 64, 512)
ASKED = 400
"""Pictures that the catalogue is timed with."""
HOUR_S: Final = 3600.0
_Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Work:
    """What a worker does with a picture."""

    name: str
    seconds: float
    """Of a GPU for one picture, in the mean."""
    at_once: int
    spread: float = 0.2
    """Standard deviation of a minibatch's time over its mean; the sizes of scans differ."""
    read_mb: float = 8.5
    """Content and style print: two JPEGs of 12 megapixels."""
    written_mb: float = 26.0
    """A result at full size as a PNG, without tiles."""


WORKS = (
    Work("jadh2016, 1,000 iterations at 512²", 1.221, 32),
    Work("nishiki/colour", 1.17, 1, spread=0.3),
)
"""docs/gpu.md, an H200; nishiki/colour takes most of it on the CPU beside."""


@dataclass(frozen=True)
class Fleet:
    """The machines, and what they share. Times in seconds."""

    gpus: int
    claim_s: float
    """Of the catalogue, for each picture that is taken."""
    close_s: float
    """The same for each that is closed."""
    writers: int = 1
    """So many are answered at once: SQLite writes one after the other, PostgreSQL on all its cores."""
    store_mb_s: float = 1000.0
    """Of the store, for all together."""
    start_s: float = 60.0
    """Until a worker that starts has its model loaded."""
    between_losses_s: float = 500 * HOUR_S
    """Of one machine, in the mean."""
    replaced_s: float = 600.0
    """Until there is another in its place."""
    slow_share: float = 0.02
    slow_times: float = 3.0
    """So many times the seconds on a slow machine."""


@dataclass
class Night:
    """What a night came to."""

    seconds: float = 0.0
    done: int = 0
    losses: int = 0
    made_twice: int = 0
    """Pictures that were taken again after their machine was lost."""
    computing_s: float = 0.0
    catalogue_s: float = 0.0
    """All workers' waiting for the catalogue, asking included."""
    store_s: float = 0.0
    left: deque[int] = field(default_factory=deque)

    def share(self, seconds: float, fleet: Fleet) -> float:
        """Of all the GPUs' time."""
        return seconds / (self.seconds * fleet.gpus)


def simulated(work: Work, fleet: Fleet, pictures: int, seed: int = 0) -> Night:
    """One night, from the first worker's start until the last picture is closed."""
    world, night = simpy.Environment(), Night(left=deque(range(pictures)))
    shared = _Shared(
        work, fleet, pictures, night, simpy.Resource(world, fleet.writers), simpy.Resource(world), world.event()
    )
    for number in range(fleet.gpus):
        world.process(_worker(world, shared, random.Random(f"{seed} {number}")))
    world.run(until=shared.all_done)
    night.seconds = world.now
    return night


@dataclass(frozen=True)
class _Shared:
    work: Work
    fleet: Fleet
    pictures: int
    night: Night
    writer: simpy.Resource
    store: simpy.Resource
    all_done: simpy.Event


def _worker(world: simpy.Environment, shared: _Shared, dice: random.Random) -> _Steps:
    """A machine after the other in one place, until every picture is closed."""
    while True:
        lost_at = world.now + dice.expovariate(1 / shared.fleet.between_losses_s)
        slow = shared.fleet.slow_times if dice.random() < shared.fleet.slow_share else 1.0
        yield world.timeout(shared.fleet.start_s)
        yield from _machine(world, shared, dice, slow, lost_at)
        yield world.timeout(shared.fleet.replaced_s)


def _machine(
    world: simpy.Environment, shared: _Shared, dice: random.Random, slow: float, lost_at: float
) -> _Steps:  # fmt: skip
    """Minibatch by minibatch, until the machine is lost; where none is left it looks again, as a worker does."""
    work, fleet, night = shared.work, shared.fleet, shared.night
    while world.now < lost_at:
        taken = [night.left.popleft() for _ in range(min(work.at_once, len(night.left)))]
        if not taken:
            yield world.timeout(10.0)
            continue
        waited = yield from _shared_time(world, shared.writer, len(taken) * fleet.claim_s)
        night.catalogue_s += waited
        waited = yield from _shared_time(world, shared.store, len(taken) * work.read_mb / fleet.store_mb_s)
        night.store_s += waited
        computing = len(taken) * work.seconds * slow * max(0.2, dice.gauss(1, work.spread))
        if world.now + computing > lost_at:
            yield world.timeout(max(0.0, lost_at - world.now))
            world.process(_noticed(world, night, taken))
            return
        yield world.timeout(computing)
        night.computing_s += computing
        waited = yield from _shared_time(world, shared.store, len(taken) * work.written_mb / fleet.store_mb_s)
        night.store_s += waited
        waited = yield from _shared_time(world, shared.writer, len(taken) * fleet.close_s)
        night.catalogue_s += waited
        night.done += len(taken)
        if night.done == shared.pictures:
            shared.all_done.succeed()


def _noticed(world: simpy.Environment, night: Night, taken: list[int]) -> _Steps:
    """A lease that is silent for so long is ended, and its pictures are taken again."""
    night.losses += 1
    night.made_twice += len(taken)
    yield world.timeout(SILENCE_S)
    night.left.extend(taken)


def _shared_time(
    world: simpy.Environment, resource: simpy.Resource, seconds: float
) -> Generator[simpy.Event, Any, float]:
    """Wait for one's turn, then take so long; how long both took."""
    began = world.now
    with resource.request() as turn:
        yield turn
        yield world.timeout(seconds)
    return world.now - began


def asked(database: str) -> tuple[float, float]:
    """Seconds that the catalogue takes to claim a picture, and to close it with its result; one asking at a time."""
    recipe = recipe_entry(recipe_named("nishiki/colour"))
    with (
        tempfile.TemporaryDirectory() as home,
        database_in(database, Path(home)) as url,
        Catalogue.open(CatalogueSettings(home=Path(home), database_url=url)) as catalogue,
    ):
        filled(catalogue, ASKED)
        began = time.perf_counter()
        batch = catalogue.take_batch(recipe, MODELS, MATCHER, limit=None)
        assert batch is not None
        numbers = [each.id for each in catalogue.pending_attempts(batch)]
        catalogue.take_attempts(batch, numbers)
        claimed = time.perf_counter()
        for number in numbers:
            catalogue.close_attempt(batch, number, _result(number))
        return (claimed - began) / ASKED, (time.perf_counter() - claimed) / ASKED


def _result(number: int) -> AttemptResult:
    output = ImageFacts(f"{number:064x}", 3000, 4000, "RGB", 26_000_000, Tone.COLOUR)
    return AttemptResult(Outcome.SUCCEEDED, "cuda", {"torch": "2.13.0"}, seconds=1.2, output=output)


def figures(pictures: Sequence[int], store_mb_s: float) -> Iterator[Figure]:
    """What is measured, then the nights that follow from it."""
    for database, writers in WRITERS.items():
        claim_s, close_s = asked(database)
        yield Figure(f"{database}: a claim", claim_s * 1000, "ms a picture")
        yield Figure(f"{database}: closing", close_s * 1000, "ms a picture")
        for work in WORKS:
            for gpus, count in product(GPUS, pictures):
                fleet = Fleet(gpus, claim_s, close_s, writers, store_mb_s)
                yield _night(f"{database}: {work.name}", work, fleet, count)


def _night(name: str, work: Work, fleet: Fleet, pictures: int) -> Figure:
    night = simulated(work, fleet, pictures)
    ideal_s = pictures * work.seconds / fleet.gpus
    note = (
        f"{ideal_s / night.seconds:.0%} of what {fleet.gpus} GPUs could; waiting for the catalogue "
        f"{night.share(night.catalogue_s, fleet):.1%}, for the store {night.share(night.store_s, fleet):.1%}; "
        f"{night.losses} machines lost, {night.made_twice} pictures made twice"
    )
    return Figure(f"{name}, {fleet.gpus} GPUs, {pictures:,} pictures", night.seconds / 60, "minutes", note=note)


def main() -> None:
    """Measure, simulate, publish."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, nargs="+", default=[1_600, 100_000])
    parser.add_argument("--store-mb-s", type=float, default=Fleet.store_mb_s, help="of the store, for all together")
    given = parser.parse_args()
    publish("simulate", figures(given.pictures, given.store_mb_s), f"a store of {given.store_mb_s:,.0f} MB/s")


if __name__ == "__main__":
    main()
