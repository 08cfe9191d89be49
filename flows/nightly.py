"""The whole night in one flow: harvest → match → dispatch → report.

Each stage runs alone and runs again without harm; they meet only in the catalogue. `nishiki nightly` calls this,
and so does a Prefect worker (entry point `flows.nightly.nightly`), which reads the settings itself.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flows.dispatch import DispatchTally, dispatch
from flows.endings import Tally, Whole
from flows.harvest import HarvestTally, harvest
from flows.match import MatchTally, match
from flows.morning import tell_morning
from flows.plan import check_room, plan_night
from flows.report import Sheet, report, sheets_due
from flows.settings import Settings
from flows.under_prefect import stage
from flows.workers.executor import look_for_executor


@dataclass(frozen=True)
class Night(Whole):
    """What each stage came to."""

    harvests: list[HarvestTally]
    matching: MatchTally
    batches: list[DispatchTally]
    sheets: list[Sheet]

    @property
    def tallies(self) -> Sequence[Tally]:
        """Of what was read and what was coloured."""
        return [*self.harvests, *self.batches]


@stage("nightly")
def nightly(archives: Sequence[str] = (), settings: Settings | None = None) -> Night:
    """Run the night over the named archives, or all of nishiki.toml.

    Raises:
        NightRunning: another night is at work on this catalogue.
        Misconfigured, ArchiveError: what was asked for cannot be done; no archive was asked for anything.
        ColorizeError, CatalogueError: the same, or a fault of ours ends the night; what was done is kept.
    """
    settings = settings or Settings()
    with plan_night(settings, archives, alone=True, looks=(check_room, look_for_executor)) as plan:
        assert plan.running is not None
        running = plan.running
        running.when_over(partial(tell_morning, settings, plan.catalogue))
        with running.stage("harvest") as counts:
            harvests = harvest(settings, archives)
            counts.update(_harvested(harvests))
        with running.stage("match") as counts:
            matching = match(settings)
            counts["matches"] = matching.matched
        with running.stage("dispatch") as counts:
            batches = dispatch(settings)
            counts["attempts"] = dict(sum((batch.outcomes for batch in batches), Counter[str]()))
        with running.stage("report"):
            due = sheets_due(plan, [batch.batch_id for batch in batches if batch.outcomes])
            sheets = [report(settings, batch_id) for batch_id in due]
        night = Night(harvests, matching, batches, sheets)
        running.came_to(night)
    return night


def _harvested(harvests: Sequence[HarvestTally]) -> dict[str, Any]:
    """What the night's row keeps of it; of an archive that was not read to its end nobody knows how much it lists."""
    records = sum((Counter(tally.records) for tally in harvests), Counter[str]())
    return {
        "records": {str(change): count for change, count in records.items()},
        "listed": {tally.archive: tally.read for tally in harvests if not tally.failure},
        "pictures": sum(tally.pictures for tally in harvests),
        "archives": {
            tally.archive: {
                "records": {str(change): count for change, count in tally.records.items() if count},
                "pictures": tally.pictures,
                "whole": not tally.failure,
            }
            for tally in harvests
        },
    }
