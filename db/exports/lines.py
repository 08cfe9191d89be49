"""A line of the queue as data: what the API answers and `nishiki query` writes, said once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.entries.night import Outcome, Verdict
from db.entries.review import QueueEntry
from db.pathless import without_paths


@dataclass(frozen=True)
class Line:
    """An entry in brief. Figures are dimensionless; times are in UTC."""

    entry: int
    batch: int
    archive: str
    identifier: str
    title: str
    artists: tuple[str, ...]
    cast: tuple[dict[str, str], ...]
    """Role and actor."""
    year_from: int | None
    year_to: int | None
    holder: str
    recipe: str
    outcome: Outcome
    refusal: str | None
    """Why the machine rejected it."""
    likeness: float | None
    trust: float | None
    verdict: Verdict | None
    """The standing one; the first word of a blind pair is not told."""
    reason: str | None
    note: str | None
    curator: str | None
    given_at: datetime | None
    seen: int | None
    """What a further verdict hands back: the number of the standing one."""
    conflict: bool
    withheld: bool
    content_sha256: str
    style_sha256: str | None
    output_sha256: str
    corrected: tuple[str, ...]
    """What of the record a curator put right: genre, artists, cast, years."""


def line(entry: QueueEntry) -> Line:
    """An entry as it is told."""
    content, word = entry.content, entry.verdict
    return Line(
        entry=entry.attempt_id,
        batch=entry.batch_id,
        archive=content.archive,
        identifier=content.identifier,
        title=content.title,
        artists=content.artists,
        cast=tuple({"role": role, "actor": actor} for role, actor in content.cast),
        year_from=content.year_from,
        year_to=content.year_to,
        holder=content.holder,
        recipe=entry.recipe,
        outcome=entry.outcome,
        refusal=without_paths(entry.refusal) if entry.refusal else None,
        likeness=finite(entry.likeness),
        trust=finite(entry.trust),
        verdict=word.verdict if word else None,
        reason=(word and word.reason) or None,
        note=(word and word.note) or None,
        curator=word.curator if word else None,
        given_at=word.given_at if word else None,
        seen=entry.seen,
        conflict=entry.conflict,
        withheld=entry.withheld,
        content_sha256=content.sha256,
        style_sha256=entry.style_sha256,
        output_sha256=entry.output_sha256,
        corrected=tuple(sorted(content.archive_words)),
    )


def finite(value: Any) -> Any:
    """The same without numbers that JSON has no word for; None stands for them."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {key: finite(each) for key, each in value.items()}
        case list() | tuple():
            return [finite(each) for each in value]
    return value
