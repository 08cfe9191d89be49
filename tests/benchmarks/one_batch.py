"""A batch of drawn prints that is worked through at a benchmark's word: all that is due in a home, or one batch that is
claimed once and worked through by several homes, whose results can be equal to the byte.
"""

from collections import Counter
from pathlib import Path
from typing import Any, Final

from db.catalogue import Catalogue
from flows.archives.sample.server import serve_sample
from flows.dispatch import dispatch, resume
from flows.harvest import harvest
from flows.match import match
from flows.plan import plan_night
from flows.settings import Settings
from flows.under_prefect import of_one_command
from tests.forked import forked_workers

GRAYS: Final = 8
"""Pictures of the batch."""


def batch_settings(folder: Path, name: str, **changes: Any) -> Settings:
    """Of a home in the folder, with narrow weights beside it and small pictures."""
    short = {"size": 48, "iterations": 200, "recipe": "jadh2016/config1_1_1", "minibatch_size": 1}
    narrow = {"weights_dir": folder / "weights", "encoder": "random-seeded", "device": "cpu"}
    return Settings.model_validate({"home": folder / name, "cpu_processes": 2, **short, **narrow, **changes})


def matched(settings: Settings, grays: int) -> None:
    """A new home with so many gray prints, each matched."""
    settings.home.mkdir(0o700)
    with of_one_command(gone=True), serve_sample(designs=4, grays=grays) as archive:
        harvest(settings, [archive.base_url])
        assert match(settings).matched == grays


def dispatched(settings: Settings, *, alone: bool = True) -> Counter[str]:
    """All batches that there are, carried on or begun; workers are forked, which takes a moment.

    Args:
        alone: without a server of Prefect's, which takes longer to start than small work does.
    """
    with of_one_command(gone=alone), forked_workers():
        return sum((Counter(tally.outcomes) for tally in dispatch(settings)), Counter[str]())


def take(settings: Settings) -> None:
    """Claim all that is due as a batch, and put it down."""
    with serve_sample(designs=4, grays=GRAYS) as archive:
        harvest(settings, [archive.base_url])
    match(settings)
    with plan_night(settings) as plan:
        batch = plan.catalogue.take_batch(plan.night.entry, plan.night.models, plan.matcher, limit=None)
        assert batch is not None
        assert batch.left == GRAYS
        plan.catalogue.release_batch(batch)


def worked_through(settings: Settings) -> None:
    """Carry the batch on to its end."""
    (tally,) = resume(settings)
    assert tally.outcomes == {"succeeded": GRAYS}, tally


def results(settings: Settings) -> dict[str, bytes]:
    """Each result's bytes, by its content."""
    with Catalogue.open(settings, create=False) as catalogue:
        made = {each.content.sha256: each.output_sha256 for each in catalogue.attempts()}
        return {content: catalogue.pictures.read(output or "") for content, output in made.items()}
