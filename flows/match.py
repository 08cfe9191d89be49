"""Grayscale records → candidates → matches: embeds what has no embedding yet, then ranks all colour images.

Durable when: embeddings in portions of EMBED_PORTION; a content image's matches all at once. A crash repeats at
most one portion. Runs again without harm: contents keep a match whose style may be used, all others are tried anew.
"""

import logging
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorize.device import use_one_thread
from colorize.encoders.loading import load_encoder
from colorize.errors import UnreadableImage
from colorize.matching.embedding import LAYER, embed
from colorize.matching.geometry import SameDesign
from colorize.matching.ranking import Genres, Ranked, Vectors, centre_of, rank
from db.entries.night import (
    LIKELY_SAME_DESIGN,
    Description,
    EncoderKey,
    ImageEntry,
    MatchEntry,
    MatchOutcome,
    Tone,
)
from db.errors import PictureMissing
from flows.matching.drawings import MOST_COMPARED, Drawings
from flows.plan import Plan, plan_night
from flows.progress import track
from flows.settings import Settings
from flows.under_prefect import stage, step
from flows.upkeep.rejudging import judge_again, judged_lines
from flows.upkeep.working_copies import read_working_copy
from flows.workers.processes import workplaces

log = logging.getLogger(__name__)
EMBED_PORTION = 32
QUERIES = 512
"""Content images ranked at a time."""


class MatchedWith(StrEnum):
    """What a content was matched with, in words for a person."""

    SAME_DESIGN = "another impression of its own design"
    OTHER_DESIGN = "a print of another design"
    OTHER_GENRE = "a print of another genre, for want of its own"
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
        missing = catalogue.images_to_embed(key, {Tone.COLOUR, *scope.tones})
        problems = embed_images(plan, missing) if missing else []
        log.info("%d pictures embedded with %s, %d of them failed", len(missing), key.name, len(problems))
        found = rank_contents(plan, catalogue.contents_to_match(key, plan.matcher, scope))
        return MatchTally(key, found, catalogue.held_back(scope), catalogue.tones(), [*judged_lines(judged), *problems])


@step("embed-images")
def embed_images(plan: Plan, missing: Sequence[ImageEntry]) -> list[tuple[str, str]]:
    """Embed images, in portions that are kept at once; returns (identifier, reason) of those that could not be."""
    use_one_thread()
    catalogue, settings = plan.catalogue, plan.settings
    encoder = load_encoder(plan.night.weights).to(plan.devices[0])
    problems = []

    def embedded(image: ImageEntry) -> Vectors | str:
        try:
            copy = read_working_copy(catalogue, image.sha256, settings.max_pixels)
        except (UnreadableImage, PictureMissing, OSError) as error:
            return f"{error}; run: nishiki doctor"
        vector = embed(encoder, copy.pixels, copy.frame)
        advance(1)
        return vector

    with (
        track("embed pictures", len(missing), "pictures") as advance,
        ThreadPoolExecutor(len(workplaces(plan.devices, settings.cpu_processes))) as threads,
    ):
        for start in range(0, len(missing), EMBED_PORTION):
            portion = missing[start : start + EMBED_PORTION]
            results = list(zip(portion, threads.map(embedded, portion), strict=True))
            problems += [(image.sha256[:12], result) for image, result in results if isinstance(result, str)]
            vectors = {image.id: result for image, result in results if not isinstance(result, str)}
            catalogue.add_embeddings(plan.night.encoder, vectors)
    return problems


@step("rank-contents")
def rank_contents(plan: Plan, contents: Sequence[int]) -> Counter[MatchedWith]:
    """Rank all colour images for each content image; returns how many were matched with what."""
    catalogue, settings, key = plan.catalogue, plan.settings, plan.night.encoder

    def blocks() -> Iterable[tuple[NDArray[np.int64], Vectors]]:
        return catalogue.styles(key)

    found: Counter[MatchedWith] = Counter()
    if not contents:
        return found
    centre, genres = centre_of(blocks), genre_numbers(catalogue.genres(), settings.genres)
    drawings = Drawings(lambda sha256: read_working_copy(catalogue, sha256, settings.max_pixels))
    with track("match", len(contents), "pictures") as advance:
        for start in range(0, len(contents), QUERIES):
            portion = contents[start : start + QUERIES]
            of_portion = np.array([genres.get(content_id, 0) for content_id in portion], np.int64)
            known = Genres(of_portion, genres, LIKELY_SAME_DESIGN)
            most = max(settings.candidates, MOST_COMPARED)
            ranked = rank(catalogue.vectors(key, portion), blocks, most, centre, known)
            styles = {candidate.id for row in ranked for candidate in row}
            descriptions = catalogue.describe({*portion, *styles})
            for content_id, row in zip(portion, ranked, strict=True):
                pictures = ((each.id, descriptions[each.id].sha256) for each in row)
                same = drawings.first_of_design(descriptions[content_id].sha256, pictures)
                best = own_design_first(row, same)[: settings.candidates]
                entries = match_entries(descriptions, content_id, best, settings.score_floor, same)
                catalogue.add_matches(content_id, plan.matcher, entries)
                found[matched_with(entries[0])] += 1
                advance(1)
    return found


def genre_numbers(said: Mapping[int, tuple[str | None, bool]], actors: Sequence[str]) -> dict[int, int]:
    """A number for the genre of each image of which records say one; whoever names an actor says it, too.

    Args:
        said: image → the genre's name, and whether an actor is named.
        actors: names of the actor prints' genre, which count as one.
    """
    one = {_plain(name): 1 for name in actors}
    numbers: dict[str, int] = {}
    found = {}
    for image_id, (genre, cast) in said.items():
        if genre:
            name = _plain(genre)
            found[image_id] = one.get(name) or numbers.setdefault(name, len(numbers) + 2)
        elif cast:
            found[image_id] = 1
    return found


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()


def matched_with(entry: MatchEntry) -> MatchedWith:
    """What the first of a content's entries came to."""
    if entry.outcome is not MatchOutcome.MATCHED:
        return MatchedWith.NONE
    if entry.reasons.get("same_design"):
        return MatchedWith.SAME_DESIGN
    return MatchedWith.OTHER_GENRE if entry.reasons.get("other_genre") else MatchedWith.OTHER_DESIGN


def own_design_first(ranked: Sequence[Ranked], same: tuple[int, SameDesign] | None) -> list[Ranked]:
    """Before all others the style that the drawings show to be of the content's design, whatever its genre."""
    if same is None:
        return list(ranked)
    ahead = [replace(each, other_genre=False) for each in ranked if each.id == same[0]]
    return [*ahead, *(each for each in ranked if each.id != same[0])]


def match_entries(
    descriptions: Mapping[int, Description], content_id: int, ranked: Sequence[Ranked], floor: float,
    same: tuple[int, SameDesign] | None = None,
) -> list[MatchEntry]:  # fmt: skip
    """The best as the match, the others above the floor as candidates, or one "no match" with the reason.

    Args:
        same: the style that the drawings show to be of the content's design, and how it lies on the content.
    """
    registrations = {same[0]: same[1].data()} if same else {}
    above = [candidate for candidate in ranked if candidate.score >= floor or candidate.id in registrations]
    if not above:
        best = max((candidate.score for candidate in ranked), default=None)
        why = "there are no colour pictures that may be used" if best is None else "the best score is under the floor"
        return [MatchEntry(MatchOutcome.NO_MATCH, reasons={"why": why, "best_score": best, "floor": floor})]
    return [
        MatchEntry(
            outcome=MatchOutcome.CANDIDATE if position else MatchOutcome.MATCHED,
            style_id=candidate.id,
            rank=position + 1,
            score=likeness(candidate.score, registrations.get(candidate.id)),
            reasons=match_reasons(
                descriptions[content_id], descriptions[candidate.id], candidate, registrations.get(candidate.id)
            ),
            registration=registrations.get(candidate.id),
        )
        for position, candidate in enumerate(above)
    ]


def likeness(cosine: float, registration: Mapping[str, Any] | None) -> float:
    """Of two designs: the features' cosine; from LIKELY_SAME_DESIGN on, too, where the drawings lie on one another."""
    if registration is None:
        return cosine
    return max(cosine, LIKELY_SAME_DESIGN + (1 - LIKELY_SAME_DESIGN) * float(registration["correlation"]))


def match_reasons(
    content: Description, style: Description, candidate: Ranked, registration: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Why these two, as data: the features decide, and the genre; what the records share stands beside it."""
    shared = {
        "artists": sorted(set(content.artists) & set(style.artists)),
        "actors": sorted({actor for _, actor in content.cast} & {actor for _, actor in style.cast} - {""}),
        "roles": sorted({role for role, _ in content.cast} & {role for role, _ in style.cast} - {""}),
    }
    reasons: dict[str, Any] = {
        "layer": LAYER,
        "cosine": round(candidate.score, 4),
        "same_design": registration is not None or candidate.score >= LIKELY_SAME_DESIGN,
    }
    if registration is not None:
        reasons |= {"inliers": registration["inliers"], "drawings_correlation": round(registration["correlation"], 3)}
    if candidate.other_genre:
        reasons["other_genre"] = style.genre or "actor print"
    reasons |= {f"shared_{key}": words for key, words in shared.items() if words}
    if content.year_from is not None and style.year_from is not None:
        reasons["years_apart"] = abs(content.year_from - style.year_from)
    return reasons
