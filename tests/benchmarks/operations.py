"""What running nights for years comes to: `python -m tests.benchmarks.operations [catalogue]`.

First, in benchmarks of their own: how workers scale and what a night adds to their work, what is left when something is
killed or its disk fails, and whether rivals work at anything twice. Then, or with `catalogue` alone, how long a
catalogue of a million records (`--records N`) and two million attempts keeps `nishiki status`, curators and a night
waiting that finds nothing to do, on both databases or on one (`--database sqlite|postgresql`). The first run fills it
from the review page's: half an hour and some 40 GB below build/benchmarks for both databases; it is kept.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import delete

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.night import Tone
from db.tables.night import Attempt, Batch, BatchLease
from flows.dispatch import carry_on, judged, take_on
from flows.harvest import HarvestTally, lay_permission_over
from flows.match import describe_images, learn
from flows.plan import Plan, plan_night
from flows.report import sheets_due
from flows.settings import Settings
from flows.under_prefect import of_one_command
from flows.workers.executor import executor_for
from tests.benchmarks.figures import FOLDER, Figure, publish
from tests.benchmarks.operations_catalogue import NightlyMade
from tests.benchmarks.review_catalogue import grown_catalogue

OF_THEIR_OWN = ("operations_workers", "operations_deaths", "operations_faults", "claims")
RECORDS = 1_000_000
DATABASES = ("sqlite", "postgresql")
ROUNDS, CLAIMS = 5, 500
STATUS = ("-c", "from flows.cli.app import app; app()", "status")
LIBRARIES = ("-c", "import pydantic_settings, sqlalchemy.orm, typer")
STATUS_S, AGREEMENT_S, CLAIM_MS, NIGHT_S = 0.5, 0.2, 10.0, 10.0


def main() -> None:
    """Run the benchmarks that have commands of their own, then publish the catalogue's figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["catalogue"], nargs="?", help="measure nothing else")
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--database", choices=DATABASES)
    options = parser.parse_args()
    databases = (options.database,) if options.database else DATABASES
    for name in () if options.part else OF_THEIR_OWN:
        subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=True)
    publish("operations-catalogue", catalogue(options.records, databases))


def catalogue(records: int, databases: tuple[str, ...]) -> Iterator[Figure]:
    """Of a large catalogue on each database."""
    made = NightlyMade.of(Settings())
    for database in databases:
        with grown_catalogue(records, database, "operations", made.years) as kept:
            settings = Settings(home=kept.home, database_url=kept.database_url)
            for figure in _of_catalogue(settings, made):
                yield Figure(f"{database}: {figure.name}", figure.value, figure.unit, figure.target, figure.holds)


def _of_catalogue(settings: Settings, made: NightlyMade) -> Iterator[Figure]:
    with Catalogue.open(settings) as open_one:
        told = open_one.status()
        yield Figure("records", told["records"], "")
        yield Figure("attempts", sum(told["attempts"].values()), "")
        yield _held("the counts of nishiki status", _best(open_one.status), "s", STATUS_S)
        yield _held("nishiki status, the whole command", _best(lambda: _command(settings, STATUS)), "s", STATUS_S)
        yield Figure("of it, Python with its libraries alone", _best(lambda: _command(settings, LIBRARIES)), "s")
        yield _held("agreement of the curators", _best(open_one.agreement), "s", AGREEMENT_S)
        yield _held("a claim of one attempt", 1000 * _claimed_s(open_one, made), "ms", CLAIM_MS)
    nights = [list(_night(settings)) for _ in ("first", "next")]
    for round_name, stages in zip(("first night", "next night"), nights, strict=True):
        yield from (Figure(f"{round_name}: {name}", seconds, "s") for name, seconds in stages)
    yield Figure("first night with nothing to do, which asks all", sum(seconds for _, seconds in nights[0]), "s")
    yield _held("next night with nothing to do", sum(seconds for _, seconds in nights[1]), "s", NIGHT_S)


def _held(name: str, value: float, unit: str, most: float) -> Figure:
    return Figure(name, value, unit, f"≤ {most:g}", value <= most)


def _best(ask: Callable[[], object]) -> float:
    """Seconds of the best of some rounds, which what else runs on the machine disturbs least."""
    return min(_seconds(ask) for _ in range(ROUNDS))


def _seconds(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def _command(settings: Settings, words: Sequence[str]) -> None:
    """Python in a process of its own, compiled before as what is installed is, whatever this process keeps."""
    place = {"NISHIKI_HOME": str(settings.home), "NISHIKI_DATABASE_URL": settings.url}
    place |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(FOLDER.absolute() / "bytecode")}
    subprocess.run([sys.executable, *words], env=os.environ | place, check=True, stdout=subprocess.DEVNULL)


def _claimed_s(open_one: Catalogue, made: NightlyMade) -> float:
    """Seconds for each attempt of a batch that another recipe makes due; the batch is forgotten again."""
    recipe = replace(made.recipe, digest=f"{time.time_ns():064x}")
    began = time.perf_counter()
    batch = open_one.take_batch(recipe, made.models, made.matcher, limit=CLAIMS)
    took_s = time.perf_counter() - began
    assert batch is not None
    assert batch.taken == CLAIMS
    with writing(open_one.engine).begin() as connection:
        for table in (Attempt, BatchLease):
            connection.execute(delete(table).where(table.batch_id == batch.id))
        connection.execute(delete(Batch).where(Batch.id == batch.id))
    return took_s / CLAIMS


def _night(settings: Settings) -> Iterator[tuple[str, float]]:
    """Seconds of each thing that a night asks at its start, before an archive or a picture; nothing is due."""
    began = time.perf_counter()
    with of_one_command(gone=True), plan_night(settings, alone=True) as plan, executor_for(plan) as executor:
        yield "plan", time.perf_counter() - began
        for name, ask in _asked(plan):
            yield name, _seconds(ask)
        yield "carry on", _seconds(lambda: carry_on(plan, executor))
        yield "take on", _seconds(lambda: _none(list(take_on(plan, executor))))
        yield "sheets due", _seconds(lambda: sheets_due(plan, []))


def _asked(plan: Plan) -> Iterator[tuple[str, Callable[[], object]]]:
    kept, scope = plan.catalogue, plan.scope()
    yield "index again", kept.index_again
    for name in kept.archive_addresses():
        permission, tally = plan.settings.permission_for(name), HarvestTally(name)
        yield f"permissions of {name}", partial(lay_permission_over, kept, permission, tally)
    yield "rights judged again", lambda: judged(plan)
    yield "describe", lambda: _none(describe_images(plan, {Tone.COLOUR, *scope.tones}))
    yield "learn", lambda: _none(learn(plan))
    yield "match", lambda: _none(kept.contents_to_match(plan.night.encoder, plan.matcher, plan.scope()))
    yield "held back", lambda: kept.held_back(plan.scope())
    yield "tones", kept.tones


def _none(found: object) -> None:
    assert not found, f"there is something to do: {found}"


if __name__ == "__main__":
    main()
