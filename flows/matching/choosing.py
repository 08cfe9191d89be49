"""From a night's scores to each content's match and candidates: they differ, and no style print serves too many."""

import math
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from flows.matching.rule import Scored


@dataclass(frozen=True)
class Limits:
    """What a night's choice keeps to."""

    candidates: int = 5
    style_share: float = 0.1
    """Of a night's contents that one style print may serve, impressions of its own design apart."""
    least: int = 3
    """That many it may serve in any case."""


@dataclass(frozen=True)
class Unmatched:
    """A content without a style of its kind."""

    why: str
    best_score: float | None = None


def choose(
    rows: Mapping[int, Sequence[Scored]], limits: Limits = Limits(), design_of: Mapping[int, Hashable] | None = None
) -> dict[int, tuple[Scored, ...] | Unmatched]:
    """Each content's match first, then its candidates, at most one of each design.

    Contents with the best matches choose first. A match goes to another style where its print has served its share;
    where all have, as in an archive with few colour prints, to the one that has served least.

    Args:
        rows: scored styles of each content, in any order.
        design_of: style → its design, where several styles are of one.
    """
    designs = design_of or {}
    served: Counter[Hashable] = Counter()
    most = max(limits.least, math.ceil(limits.style_share * len(rows)))
    ranked = {content: _one_of_each(row, designs) for content, row in rows.items()}
    chosen: dict[int, tuple[Scored, ...] | Unmatched] = {}
    for content in sorted(rows, key=lambda each: (-ranked[each][0].score if ranked[each] else 0.0, each)):
        row = ranked[content]
        kind = [each for each in row if not each.other_genre]
        if not kind:
            chosen[content] = _unmatched(row)
            continue
        first = _first(kind, designs, served, most)
        if not first.same_design:
            served[designs.get(first.style_id, first.style_id)] += 1
        others = [each for each in kind if each is not first]
        chosen[content] = (first, *others[: limits.candidates - 1])
    return {content: chosen[content] for content in rows}


def _one_of_each(row: Sequence[Scored], designs: Mapping[int, Hashable]) -> list[Scored]:
    """Best first, a design's best impression only."""
    best: dict[Hashable, Scored] = {}
    for each in sorted(row, key=lambda scored: (-scored.score, scored.style_id)):
        best.setdefault(designs.get(each.style_id, each.style_id), each)
    return list(best.values())


def _first(row: Sequence[Scored], designs: Mapping[int, Hashable], served: Counter[Hashable], most: int) -> Scored:
    def times(each: Scored) -> int:
        return served[designs.get(each.style_id, each.style_id)]

    free = (each for each in row if each.same_design or times(each) < most)
    return next(free, None) or min(row, key=times)


def _unmatched(row: Sequence[Scored]) -> Unmatched:
    if not row:
        return Unmatched("there are no colour pictures that may be used")
    return Unmatched("all colour pictures are of another genre", row[0].score)
