"""What a curator takes in the place of a wrong match: prints of other designs, the same actor's first, and a pin.

Whether two prints are of one design is told by what the catalogue knows of them: that both lie on one original, that
their records say the same, or that an encoder sees next to no difference. No pixel is read here.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from db.entries.claim import PINNED
from db.entries.night import PINNED_BY, AttemptEntry, Description, EncoderKey, MatchEntry, MatchOutcome
from db.errors import UnknownEntry
from db.queries.base.describe import describe
from db.queries.base.usable import found_by
from db.queries.night.claims import wrong_styles
from db.queries.night.match import MatchQueries, match_entry
from db.queries.night.requests import REQUESTED, RequestQueries, styles_to_ask
from db.search_terms import normalised
from db.tables.night import Image, Match

MOST_TOGETHER: Final = 5
"""Styles of one result, as many as a recipe may take."""
OF_ACTOR: Final = 48
"""Prints of an actor that are offered beside the candidates, at most."""
ACTORS: Final = 3
"""Of one original, whose prints are looked for."""
LOOKS_THE_SAME: Final = 0.7
"""Cosine from which on two prints are taken for impressions of one design, as the matching does."""
ENOUGH: Final = 12
"""Prints whose mean stands for that of all, without which cosines say too little."""

Offered = tuple[Description, MatchEntry | None]


class OtherPrintQueries(MatchQueries, RequestQueries):
    """What is offered to a curator who finds the match wrong, and what they choose."""

    def other_prints(self, attempt: AttemptEntry) -> list[Offered]:
        """Prints to take the colours from: the attempt's own style, then others, the same actor's first.

        One of each design, and none of a design that curators returned as a wrong match of this content or of the
        attempt's own. Each with what the matching found of it; None: it is of the same actor, and was not ranked.
        """
        found: dict[int, Offered] = {each.image_id: (each, match) for each, match in self.candidates(attempt.id)}
        of_actor = {number for number, (_, match) in found.items() if match and match.reasons.get("same_actor")}
        for said in self._of_actors(attempt.content):
            of_actor.add(said.image_id)
            found.setdefault(said.image_id, (said, None))
        with self._reading() as session:
            wrong = wrong_styles(session, [attempt.content.image_id])[attempt.content.image_id]
        own = [each.image_id for each in attempt.styles[:1]]
        rejected = {*own, *(each for each in wrong if each)}
        order = sorted(found, key=lambda number: (number not in of_actor, *_place(found[number], attempt.content)))
        designs = self._designs(attempt.encoder, {*order, *rejected})
        kept: list[int] = []
        for number in order:
            if number not in rejected and not any(designs.alike(number, other) for other in (*rejected, *kept)):
                kept.append(number)
        return [found[number] for number in (*own, *kept) if number in found]

    def pin_styles(self, content_id: int, style_ids: Sequence[int], curator: str) -> None:
        """Let a content take the colours of these prints together, best first, whatever the matching finds.

        Raises:
            UnknownEntry: there is no such content, or one of them is not a colour picture that may be used.
        """
        wanted = list(dict.fromkeys(style_ids))
        ranked = select(Match).where(Match.content_id == content_id, Match.style_id.in_(wanted)).order_by(Match.id)
        with self._reading() as session:
            usable = set(session.scalars(styles_to_ask().where(Image.id.in_(wanted))))
            known = {row.style_id: match_entry(row) for row in session.scalars(ranked)}
        if lost := set(wanted) - usable:
            raise UnknownEntry(f"image {min(lost)} is not a colour picture that may be used; choose another style")
        self.pin(content_id, [_pin(known.get(each), each, rank, curator) for rank, each in enumerate(wanted, start=1)])

    def pinned_styles(self, content_id: int) -> list[tuple[Description, MatchEntry]]:
        """What a curator pinned to a content, best first."""
        pinned = select(Match).where(Match.content_id == content_id, found_by(PINNED), Match.rank.is_not(None))
        with self._reading() as session:
            entries = [match_entry(row) for row in session.scalars(pinned.order_by(Match.rank))]
            said = describe(session, {each.style_id or 0 for each in entries})
        return [(said[each.style_id or 0], each) for each in entries]

    def _of_actors(self, content: Description) -> Iterator[Description]:
        for actor in list(dict.fromkeys(actor for _, actor in content.cast if actor))[:ACTORS]:
            yield from self.find_styles(actor, limit=OF_ACTOR)

    def _designs(self, encoder: EncoderKey, image_ids: Collection[int]) -> "_Designs":
        lies = select(Match.style_id, Match.content_id).where(
            Match.style_id.in_(image_ids), Match.registration.is_not(None)
        )
        marks: defaultdict[int, set[Any]] = defaultdict(set)
        with self._reading() as session:
            for style_id, content_id in session.execute(lies):
                marks[style_id or 0].add(content_id)
            for image_id, said in describe(session, image_ids).items():
                if said.title:
                    marks[image_id].add(_words_of(said))
        return _Designs(marks, _unit(self.vectors_of(encoder, image_ids)))


@dataclass(frozen=True)
class _Designs:
    """What tells that two prints are of one design."""

    marks: Mapping[int, set[Any]]
    """The originals on which a print lies, and what its record says."""
    seen: Mapping[int, Any]
    """Vectors of unit length; empty where there are too few."""

    def alike(self, one: int, other: int) -> bool:
        if self.marks.get(one, set()) & self.marks.get(other, set()):
            return True
        if one not in self.seen or other not in self.seen:
            return False
        return bool(self.seen[one] @ self.seen[other] >= LOOKS_THE_SAME)


def _words_of(said: Description) -> tuple[Any, ...]:
    """What records of impressions of one design have in common."""
    names = (*said.artists, *(word for each in said.cast for word in each))
    return normalised(said.title), frozenset(normalised(each) for each in names if each), said.year_from, said.year_to


def _unit(vectors: Mapping[int, Any]) -> Mapping[int, Any]:
    """The vectors less their mean, of length 1."""
    if len(vectors) < ENOUGH:
        return {}
    import numpy as np  # noqa: PLC0415  # few pages need it, and it costs 0.1 s

    centred = np.stack(list(vectors.values())) - np.mean(list(vectors.values()), axis=0)
    lengths = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return dict(zip(vectors, centred / lengths, strict=True))


def _place(offered: Offered, content: Description) -> tuple[int, float, int]:
    """Ranked ones by their rank, then those nearest in time."""
    said, match = offered
    years = [each.year_from for each in (said, content) if each.year_from is not None]
    apart = abs(years[0] - years[1]) if len(years) == 2 else 1000
    rank = match.rank if match and match.rank else 0
    return (0, float(rank), said.image_id) if rank else (1, float(apart), said.image_id)


def _pin(known: MatchEntry | None, style_id: int, rank: int, curator: str) -> MatchEntry:
    """With what the matching knows of the pair."""
    outcome = MatchOutcome.MATCHED if rank == 1 else MatchOutcome.CANDIDATE
    found = known or MatchEntry(outcome, style_id, reasons=REQUESTED)
    reasons = {**found.reasons, PINNED_BY: curator}
    return MatchEntry(outcome, style_id, rank, found.score, reasons, found.registration)
