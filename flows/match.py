"""Grayscale records → candidates → matches: describes what is not described yet, then chooses styles by the rule.

Durable when: vectors in portions of EMBED_PORTION; the matches of PORTION contents, each content's all at once, when
all of them are scored. A crash repeats at most one portion. Runs again without harm: contents keep a match whose style
may be used, all others are tried anew.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from itertools import islice

from colorize.device import use_one_thread
from colorize.encoders.loading import load_encoder
from colorize.errors import UnreadableImage
from colorize.images.decode import Pixels
from colorize.images.frame import Frame
from colorize.matching.composition import composition
from colorize.matching.embedding import embed
from colorize.matching.ranking import Vectors
from colorize.matching.tones import tones
from db.entries.match import RefitEntry
from db.entries.night import (
    COMPOSITION,
    PINNED_BY,
    TONES,
    Description,
    EncoderKey,
    ImageEntry,
    MatchEntry,
    MatchOutcome,
    Tone,
)
from db.errors import PictureMissing, UnknownEntry
from flows.matching.candidates import Candidates
from flows.matching.choosing import Limits, Unmatched, choose
from flows.matching.drawings import Drawings
from flows.matching.learning import is_due, refitted, telling
from flows.matching.rule import Scored
from flows.plan import Plan, plan_night
from flows.progress import track
from flows.settings import Settings
from flows.under_prefect import stage, step
from flows.upkeep.rejudging import judge_again, judged_lines
from flows.upkeep.working_copies import read_working_copy
from flows.workers.processes import workplaces

log = logging.getLogger(__name__)
EMBED_PORTION = 32
PORTION = 128
"""Content images among which no style print serves more than its share."""


class MatchedWith(StrEnum):
    """What a content was matched with, in words for a person."""

    SAME_DESIGN = "another impression of its own design"
    OTHER_DESIGN = "a print of another design"
    NONE = "nothing"


@dataclass
class MatchTally:
    """What matching came to."""

    encoder: EncoderKey
    found: Counter[MatchedWith]
    """How many contents were matched tonight, and with what."""
    held_back: Mapping[str, int]
    """Records that are not content for now, by reason."""
    tones: Mapping[Tone, int]
    """Of all pictures of live records."""
    problems: list[tuple[str, str]]
    learned: RefitEntry | None = None
    """Of tonight's verdicts."""

    @property
    def matched(self) -> int:
        """How many found a style print."""
        return self.found.total() - self.no_match

    @property
    def styles(self) -> dict[str, int]:
        """How many were matched with what; what none was matched with is left out."""
        return {kind: self.found[kind] for kind in MatchedWith if kind is not MatchedWith.NONE and self.found[kind]}

    @property
    def no_match(self) -> int:
        """How many found none."""
        return self.found[MatchedWith.NONE]


@stage("match")
def match(settings: Settings) -> MatchTally:
    """Match every grayscale picture that waits for it.

    Raises:
        Misconfigured, ColorizeError: the recipe is unknown, or the weights are missing or corrupt.
    """
    with plan_night(settings) as plan:
        catalogue, key = plan.catalogue, plan.night.encoder
        judged = judge_again(catalogue)
        scope = plan.scope()
        problems = describe_images(plan, {Tone.COLOUR, *scope.tones})
        learned = learn(plan) if settings.learn_from_verdicts else None
        found = match_contents(plan, catalogue.contents_to_match(key, plan.matcher, scope))
        return MatchTally(
            key, found, catalogue.held_back(scope), catalogue.tones(), [*judged_lines(judged), *problems], learned
        )


@step("describe-images")
def describe_images(plan: Plan, wanted: Collection[Tone]) -> list[tuple[str, str]]:
    """Describe images of these tones that are not described yet, in portions that are kept at once.

    Returns:
        (identifier, reason) of those that could not be.
    """
    use_one_thread()
    catalogue, settings, key = plan.catalogue, plan.settings, plan.night.encoder
    missing = {each: catalogue.images_to_embed(each, wanted) for each in (key, TONES, COMPOSITION)}
    images = list({image.id: image for row in missing.values() for image in row}.values())
    if not images:
        return []
    due = {each: {image.id for image in row} for each, row in missing.items()}
    encoder = load_encoder(plan.night.weights).to(plan.devices[0])
    looks: dict[EncoderKey, Callable[[Pixels, Frame | None], Vectors]] = {
        key: partial(embed, encoder),
        TONES: tones,
        COMPOSITION: composition,
    }
    problems = []

    def described(image: ImageEntry) -> dict[EncoderKey, Vectors] | str:
        try:
            copy = read_working_copy(catalogue, image.sha256, settings.max_pixels)
        except (UnreadableImage, PictureMissing, OSError) as error:
            return f"{error}; run: nishiki doctor"
        found = {each: look(copy.pixels, copy.frame) for each, look in looks.items() if image.id in due[each]}
        advance(1)
        return found

    with (
        track("describe pictures", len(images), "pictures") as advance,
        ThreadPoolExecutor(len(workplaces(plan.devices, settings.cpu_processes))) as threads,
    ):
        for start in range(0, len(images), EMBED_PORTION):
            portion = images[start : start + EMBED_PORTION]
            results = list(zip(portion, threads.map(described, portion), strict=True))
            problems += [(image.sha256[:12], result) for image, result in results if isinstance(result, str)]
            found = [(image.id, result) for image, result in results if not isinstance(result, str)]
            for each in due:
                catalogue.add_embeddings(each, {image: result[each] for image, result in found if each in result})
    log.info("%d pictures described with %s, %d of them failed", len(images), key.name, len(problems))
    return problems


@step("learn-from-verdicts")
def learn(plan: Plan) -> RefitEntry | None:
    """Refit the rule's weights where enough verdicts are new; None: they are not."""
    catalogue, base = plan.catalogue, plan.settings.match_weights
    earlier = catalogue.refits(base.model_dump())
    if not is_due(catalogue.telling_verdicts(), earlier[0] if earlier else None):
        return None
    refit = refitted(telling(catalogue.judged_matches()), plan.match_weights, base)
    catalogue.add_refit(refit)
    log.info("weights refitted from %d verdicts: %s", refit.verdicts, refit.why)
    return refit


@step("match-contents")
def match_contents(plan: Plan, contents: Sequence[int]) -> Counter[MatchedWith]:
    """Choose the styles of each content image; returns how many were matched with what."""
    catalogue, settings = plan.catalogue, plan.settings
    found: Counter[MatchedWith] = Counter()
    if not contents:
        return found
    candidates, matcher = candidates_of(plan), plan.matcher
    limits = Limits(settings.candidates, settings.style_share)
    scored = candidates.scored(contents)
    with track("match", len(contents), "pictures") as advance:
        while rows := dict(islice(scored, PORTION)):
            advance(len(rows))
            designs = candidates.designs({each.style_id for row in rows.values() for each in row})
            for content_id, chosen in choose(rows, limits, designs).items():
                entries = match_entries(chosen)
                catalogue.add_matches(content_id, matcher, entries)
                found[matched_with(entries[0])] += 1
    return found


def candidates_of(plan: Plan) -> Candidates:
    """What the night's matching goes by."""
    settings, catalogue = plan.settings, plan.catalogue
    drawings = Drawings(lambda sha256: read_working_copy(catalogue, sha256, settings.max_pixels))
    memory_bytes = settings.match_memory_mb * 1e6
    return Candidates(catalogue, plan.night.encoder, plan.match_weights, settings.genres, drawings, memory_bytes)


@dataclass(frozen=True)
class Explanation:
    """What colours a content takes, and why."""

    content: Description
    ranked: tuple[tuple[Description, MatchEntry], ...]
    """Its match and candidates, best first; empty: there are none."""
    why_none: str = ""
    kept: bool = True
    """In force; else what a night would find now."""

    @property
    def pinned_by(self) -> str:
        """Who chose the styles; empty: the rule did."""
        return str(self.ranked[0][1].reasons.get(PINNED_BY, "")) if self.ranked else ""


def explain(plan: Plan, content_id: int) -> Explanation:
    """Why a content takes the colours that it takes; before its first night, what it would find now.

    Raises:
        UnknownEntry: there is no such harvested picture, it is in colour, or it is not described yet.
    """
    catalogue = plan.catalogue
    content = catalogue.describe([content_id]).get(content_id)
    if content is None:
        raise UnknownEntry(f"there is no harvested picture {content_id}")
    if catalogue.image(content_id).tone is Tone.COLOUR:
        raise UnknownEntry(f"picture {content_id} is in colour: it may lend colours, and takes none")
    entries = catalogue.matches_of(content_id, plan.matcher)
    if not (kept := bool(entries)):
        catalogue.vectors(plan.night.encoder, [content_id])
        rows = dict(candidates_of(plan).scored([content_id]))
        entries = match_entries(choose(rows, Limits(plan.settings.candidates))[content_id])
    if entries[0].outcome is MatchOutcome.NO_MATCH:
        return Explanation(content, (), str(entries[0].reasons["why"]), kept)
    said = catalogue.describe([each.style_id or 0 for each in entries])
    return Explanation(content, tuple((said[each.style_id or 0], each) for each in entries), kept=kept)


def pin_styles(plan: Plan, content_id: int, style_ids: Sequence[int], curator: str) -> None:
    """Let a content take the colours of these styles, best first, whatever the rule says; none: let the rule decide.

    Raises:
        UnknownEntry: there is no such content, or a style is not a colour picture that may be used, or one of them is
            not described yet.
    """
    catalogue, wanted = plan.catalogue, list(dict.fromkeys(style_ids))
    catalogue.vectors(plan.night.encoder, [content_id, *wanted])
    scored = candidates_of(plan).pairs(content_id, wanted) if wanted else []
    if lost := set(wanted) - {found.style_id for found in scored}:
        raise UnknownEntry(f"picture {min(lost)} is not a colour picture that may be used; choose another style")
    entries = [replace(each, reasons={**each.reasons, PINNED_BY: curator}) for each in match_entries(scored)]
    catalogue.pin(content_id, entries)


def matched_with(entry: MatchEntry) -> MatchedWith:
    """What the first of a content's entries came to."""
    if entry.outcome is not MatchOutcome.MATCHED:
        return MatchedWith.NONE
    return MatchedWith.OTHER_DESIGN if entry.registration is None else MatchedWith.SAME_DESIGN


def match_entries(chosen: Sequence[Scored] | Unmatched) -> list[MatchEntry]:
    """The first as the match, the others as candidates; or one "no match" with the reason."""
    if isinstance(chosen, Unmatched):
        reasons = {"why": chosen.why, "best_score": chosen.best_score}
        return [MatchEntry(MatchOutcome.NO_MATCH, reasons=reasons)]
    return [
        MatchEntry(
            outcome=MatchOutcome.MATCHED if rank == 1 else MatchOutcome.CANDIDATE,
            style_id=each.style_id,
            rank=rank,
            score=each.score,
            reasons=each.reasons,
            registration=each.registration,
        )
        for rank, each in enumerate(chosen, 1)
    ]
