"""The comparison of configurations (JADH 2016): every content × style × configuration through the night's dispatch.

Called by `nishiki sweep`. Durable when: as in harvest and dispatch; a sweep keeps no state of its own. Killed anywhere
and begun again, it carries on what was left and takes what is still due: nothing twice, nothing missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from colorize.encoders.weights import WeightsFile
from colorize.recipes.recipe import Recipe
from db.catalogue import Catalogue
from db.entries.night import ImageEntry, Tone
from flows.archives.errors import NotAnArchive
from flows.dispatch import DispatchTally, carry_on, work_through
from flows.endings import Tally, Whole
from flows.harvest import HarvestTally, harvest
from flows.logs import tell_person
from flows.plan import Plan, encoder_among, encoder_key, matcher_key, models_of, plan_night, recipe_entry
from flows.settings import Settings
from flows.sweep.plan import SweepPlan
from flows.sweep.report import SweepReport, findings_of, write_report
from flows.sweep.tables import SweptPairs
from flows.under_prefect import stage
from flows.workers.executor import Executor, executor_for


@dataclass(frozen=True)
class Sweep(Whole):
    """What a sweep came to."""

    harvests: list[HarvestTally]
    batches: list[DispatchTally]
    left_out: int
    """Pictures of the two folders that may not be used."""
    report: SweepReport

    @property
    def tallies(self) -> Sequence[Tally]:
        """Of what was read and what was coloured."""
        return [*self.harvests, *self.batches]


@stage("sweep")
def sweep(settings: Settings, chosen: SweepPlan, content: Path, style: Path) -> Sweep:
    """Colorize every content in the colours of every style by every recipe chosen, and report.

    Raises:
        Misconfigured, ArchiveError: a folder cannot be read, or holds nothing to work with.
        ColorizeError, CatalogueError: a fault of ours ends the sweep; what was done is kept.
    """
    with plan_night(settings, [str(content), str(style)]) as plan:
        # One encoder for all, or their figures would not compare.
        weights = encoder_among(settings, chosen.recipes[0].encoder, plan.weights)
        catalogue, harvests = plan.catalogue, harvest(settings, [str(content), str(style)])
        contents, left_out_contents = _images(catalogue, harvests[0])
        styles, left_out_styles = _images(catalogue, harvests[1])
        _check_colours(harvests[1].archive, styles)
        key = encoder_key(weights)
        matcher = matcher_key(key, plan.match_weights)
        pairs = catalogue.pair_up([each.id for each in contents], [each.id for each in styles], matcher)
        if not pairs:
            raise NotAnArchive(f"{content} and {style} hold the same picture and no other; put more into them")
        swept = SweptPairs(chosen, key, contents, styles, pairs)
        with executor_for(plan) as executor:
            batches = carry_on(plan, executor)
            batches += work_through_all(plan, executor, weights, swept)
        findings = findings_of(catalogue, swept)
        report = write_report(findings, catalogue.pictures, settings)
    return Sweep(harvests, batches, left_out_contents + left_out_styles, report)


def work_through_all(plan: Plan, executor: Executor, weights: WeightsFile, swept: SweptPairs) -> list[DispatchTally]:
    """Take and colorize what is still due of each recipe, one batch a recipe."""
    tallies, recipes, max_tries = [], swept.plan.recipes, plan.settings.max_tries
    for number, recipe in enumerate(recipes, 1):
        models = models_of(weights, recipe)
        batch = plan.catalogue.take_pairs(recipe_entry(recipe), models, swept.match_ids, max_tries=max_tries)
        _tell(number, len(recipes), recipe, batch.taken if batch else 0)
        if batch:
            tallies.append(work_through(plan, executor, batch, weights))
    return tallies


def _images(catalogue: Catalogue, tally: HarvestTally) -> tuple[list[ImageEntry], int]:
    """What a folder holds for the sweep, and how many of its pictures may not be used.

    Raises:
        NotAnArchive: the folder could not be read to its end, or there is nothing in it.
    """
    if tally.failure:
        raise NotAnArchive(tally.failure)
    images, left_out = catalogue.archive_images(tally.archive)
    if not images:
        forbidden = f" ({left_out} may not be used: rights, or made by nishiki itself)" if left_out else ""
        unread = "".join(f"; {what}: {why}" for what, why in tally.problems[:1])
        raise NotAnArchive(f"{tally.archive} holds no picture to work with{forbidden}{unread}; put some into it")
    return images, left_out


def _check_colours(folder: str, styles: Sequence[ImageEntry]) -> None:
    if all(image.tone is Tone.GRAYSCALE for image in styles):
        raise NotAnArchive(f"{folder} holds no colour picture, and styles give the colours; put colour prints into it")


def _tell(number: int, count: int, recipe: Recipe, due: int) -> None:
    """A line for each configuration, on a terminal or not: bars of single batches say nothing of the whole."""
    left = f"{due} attempts" if due else "nothing left to do"
    tell_person(f"configuration {number} of {count}, {recipe.name}: {left}")
