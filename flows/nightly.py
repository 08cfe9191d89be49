"""The whole night in one flow: harvest → match → dispatch → report.

Each stage runs alone and runs again without harm; they meet only in the catalogue. `nishiki nightly` calls this,
and so does a Prefect worker (entry point `flows.nightly.nightly`), which reads the settings itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flows.dispatch import DispatchTally, dispatch
from flows.endings import Tally, Whole
from flows.harvest import HarvestTally, harvest
from flows.match import MatchTally, match
from flows.plan import plan_night
from flows.report import Sheet, report, sheets_due
from flows.settings import Settings
from flows.under_prefect import stage


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
    with plan_night(settings, archives, alone=True) as plan:
        harvests = harvest(settings, archives)
        matching = match(settings)
        batches = dispatch(settings)
        due = sheets_due(plan, [batch.batch_id for batch in batches if batch.outcomes])
        sheets = [report(settings, batch_id) for batch_id in due]
    return Night(harvests, matching, batches, sheets)
