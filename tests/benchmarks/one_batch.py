"""A batch of drawn prints that is worked through at a benchmark's word: all that is due in a home, or one batch that is
claimed once and worked through by several homes, whose results can be equal to the byte.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from typer.testing import CliRunner

from db import doctor
from db.catalogue import Catalogue
from db.errors import PictureMissing
from flows.archives.sample.server import serve_sample
from flows.cli.app import app
from flows.dispatch import dispatch, resume
from flows.harvest import harvest
from flows.match import match
from flows.plan import plan_night
from flows.settings import Settings
from flows.under_prefect import of_one_command
from flows.workers.tiles import Tiling
from tests.benchmarks.figures import Figure
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


def left(settings: Settings, name: str, wanted: int, since: int = 0) -> Figure:
    """Carry the batch on as the next night does, have the doctor mend, and count what is not as it should be.

    Args:
        wanted: how many attempts the batch has.
        since: attempts that batches before it made.
    """
    dispatched(settings)
    with Catalogue.open(settings, create=False) as catalogue:
        attempts, tiling = list(catalogue.attempts()), Tiling.of(catalogue, settings)
        assert catalogue.unfinished_batches() == []
        untiled = sum(not tiling.is_whole(shown) for shown in catalogue.pictures_shown())
        lost = len(not_whole(catalogue, catalogue.picture_names()))
    made = Counter((each.content.sha256, each.recipe.digest) for each in attempts if each.outcome == "succeeded")
    holes, twice = wanted + since - len(made), made.total() - len(made)
    with patch.dict(doctor.examine.__kwdefaults__, young_s=0.0):  # a file counts as an orphan at once
        mended, after = examined(settings, "--mend"), examined(settings)
    found = f"{holes} holes, {twice} twice, {lost} files not whole, {untiled} without tiles"
    right = holes == twice == lost == untiled == 0 and "are sound" in after
    told = f"{found}; mended: {mended.count('; mended')}; {after}"
    return Figure(name, len(made) - since, "succeeded", str(wanted), right, told)


def not_whole(catalogue: Catalogue, names: Iterable[str]) -> list[str]:
    """Pictures, by sha256, whose file is gone or has other bytes."""

    def whole(sha256: str) -> bool:
        try:
            return catalogue.pictures.verify(sha256)
        except PictureMissing:
            return False

    return [sha256 for sha256 in names if not whole(sha256)]


def examined(settings: Settings, *options: str) -> str:
    """What `nishiki doctor --deep` says of a home."""
    asked = ["doctor", "--deep", "--home", str(settings.home), *options]
    return CliRunner().invoke(app, asked, env={"NISHIKI_DATABASE_URL": settings.url}).stdout.strip()
