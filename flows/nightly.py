"""The whole night in one flow: harvest → match → dispatch → report.

Each stage runs alone and runs again without harm; they meet only in the catalogue. `nishiki nightly` calls this,
and so does a Prefect worker (entry point `flows.nightly.nightly`), which reads the settings itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prefect import flow

from colorize.device import device_names
from flows.dispatch import DispatchTally, dispatch
from flows.harvest import HarvestTally, harvest
from flows.match import MatchTally, match
from flows.plan import encoder_weights, night_recipe
from flows.report import Sheet, report, sheets_due
from flows.settings import Settings


@dataclass(frozen=True)
class Night:
    """What each stage came to."""

    harvests: list[HarvestTally]
    matching: MatchTally
    batches: list[DispatchTally]
    sheets: list[Sheet]


def check_tools(settings: Settings) -> None:
    """Look at recipe, device and weights before an archive is asked for anything.

    Raises:
        ColorizeError: one of them is not there.
    """
    device_names(settings.device)
    encoder_weights(settings, night_recipe(settings))


@flow(name="nightly", validate_parameters=False)
def nightly(archives: Sequence[str] = (), settings: Settings | None = None) -> Night:
    """Run the night over the named archives, or all of nishiki.toml.

    Raises:
        ColorizeError, CatalogueError: a fault of ours ends the night; what was done is kept.
    """
    settings = settings or Settings()
    check_tools(settings)
    harvests = harvest(settings, list(archives))
    matching = match(settings)
    batches = dispatch(settings)
    due = sheets_due(settings, [batch.batch_id for batch in batches if batch.outcomes])
    sheets = [report(settings, batch_id) for batch_id in due]
    return Night(harvests, matching, batches, sheets)
