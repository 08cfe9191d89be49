"""The results of one content: for the page of candidates, and for an entry's row of what other recipes made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from db.entries.night import Description, EncoderKey
from db.entries.review import QueueEntry
from db.review.access.state import ReviewState


@dataclass(frozen=True)
class Candidate:
    """An attempt of the content, its entry in the queue, and which small pictures there are."""

    entry: QueueEntry
    style: Description | None
    encoder: EncoderKey
    has_picture: bool
    has_style: bool


def candidates_of(state: ReviewState, attempt_id: int) -> list[Candidate]:
    """The attempts with a picture of the same content; the first word of a blind pair stays hidden."""
    has, made = state.tiles.has, state.catalogue.attempts_of_content(attempt_id)
    entries = {each.attempt_id: each for each in state.catalogue.queue_entries([each.attempt_id for each in made])}
    return [
        Candidate(
            entry, each.style, each.encoder, has(entry.output_sha256), bool(each.style and has(each.style.sha256))
        )
        for each in made
        if (entry := entries.get(each.attempt_id))
    ]


def by_other_recipes(made: Sequence[Candidate], attempt_id: int) -> list[Candidate]:
    """Of one content's results the latest by each recipe, this attempt's first; empty where it is the only recipe."""
    own = [each for each in made if each.entry.attempt_id == attempt_id]
    latest = {each.entry.recipe: each for each in reversed(made)}
    others = [each for each in latest.values() if own and each.entry.recipe != own[0].entry.recipe]
    return [*own, *others] if others else []


def others_to_compare(made: Sequence[Candidate], attempt_id: int) -> list[Candidate]:
    """Of one content's results those that can be laid over this attempt's: their pictures are here, and may be seen."""
    return [
        each for each in made if each.has_picture and not each.entry.withheld and each.entry.attempt_id != attempt_id
    ]
