"""The matching's queries: images to embed, vectors by block, the matches found. What is due: `scope`.

Vectors come and go as numpy blocks, float32; nothing here compares them. Only images whose rights allow it
are embedded, matched or offered as style (`db.queries.base.usable`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, exists, not_, or_, select, update
from sqlalchemy.orm import Session

from db.entries.claim import PINNED, Inputs, MatcherKey, StyleInput, inputs_digest
from db.entries.night import EncoderKey, ImageEntry, MatchEntry, MatchOutcome, Tone
from db.errors import UnknownEntry
from db.queries.base.review_rows import lock_contents, refresh
from db.queries.base.store import chunks, image_entry, now, repeatable
from db.queries.base.tallies import PICTURES, TallyQueries
from db.queries.base.usable import found_by, harvested, in_force, seen_by, standing, usable
from db.tables.night import Attempt, Embedding, Image, Match
from db.tables.review import Review

if TYPE_CHECKING:  # `nishiki status` needs no numpy, and it costs 0.1 s
    import numpy as np
    from numpy.typing import NDArray


_FOUND_AGAIN = ("outcome", "rank", "score", "reasons", "registration", "inputs_digest", "made_at")


class MatchQueries(TallyQueries):
    """What the matching says to the catalogue."""

    def images_to_embed(self, encoder: EncoderKey, tones: Collection[Tone]) -> list[ImageEntry]:
        """Usable harvested images of these tones that the encoder has not seen."""
        seen = exists().where(Embedding.image_id == Image.id, seen_by(encoder))
        # what is told by one look comes first: SQLite tests in the order of the words
        due = select(Image).where(harvested(), Image.tone.in_(sorted(tones)), not_(seen), usable(Image.id))

        def ask() -> list[ImageEntry]:
            with self._reading() as session:
                return [image_entry(image) for image in session.scalars(due.order_by(Image.id))]

        return self._answer(due, (*PICTURES, Embedding), ask)

    @repeatable
    def add_embeddings(self, encoder: EncoderKey, vectors: "Mapping[int, NDArray[np.float32]]") -> None:
        """Keep what the encoder sees of each image; a vector that is here already stays."""
        rows = [
            {
                "image_id": image_id,
                "encoder_name": encoder.name,
                "encoder_checksum": encoder.checksum,
                "dim": vector.size,
                "vector": vector.astype("<f4").tobytes(),
            }
            for image_id, vector in vectors.items()
        ]
        if rows:
            with self._writing() as session:
                session.execute(self._insert(Embedding).on_conflict_do_nothing(), rows)

    def dimensions(self, encoder: EncoderKey) -> int | None:
        """Of the encoder's vectors; None where there is none."""
        with self._reading() as session:
            return session.scalar(select(Embedding.dim).where(seen_by(encoder)).limit(1))

    def style_ids(self, encoder: EncoderKey) -> list[int]:
        """Usable colour images that the encoder has seen, in order."""
        found = (
            select(Embedding.image_id)
            .join(Image, Image.id == Embedding.image_id)
            .where(seen_by(encoder), harvested(), Image.tone == Tone.COLOUR, usable(Image.id))
            .order_by(Embedding.image_id)
        )
        with self._reading() as session:
            return list(session.scalars(found))

    def vectors_in_blocks(
        self, encoder: EncoderKey, image_ids: Sequence[int], *, block: int = 4096
    ) -> "Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]":
        """Of those images that the encoder has seen, in blocks of (image ids, vectors as rows)."""
        import numpy as np  # noqa: PLC0415  # most commands open the catalogue and need none of the two

        for first in range(0, len(image_ids), block):
            known = self.vectors_of(encoder, image_ids[first : first + block])
            if known:
                yield np.array(list(known), np.int64), np.stack(list(known.values()))

    def vectors(self, encoder: EncoderKey, image_ids: Sequence[int]) -> "NDArray[np.float32]":
        """The images' vectors as rows, in the order asked for.

        Raises:
            UnknownEntry: the encoder has not seen one of them.
        """
        import numpy as np  # noqa: PLC0415  # most commands open the catalogue and need none of the two

        known = self.vectors_of(encoder, image_ids)
        missing = [image_id for image_id in image_ids if image_id not in known]
        if missing:
            raise UnknownEntry(
                f"picture {missing[0]} is not there, or not described with {encoder.name} yet; run: nishiki match"
            )
        return np.stack([known[image_id] for image_id in image_ids])

    def vectors_of(self, encoder: EncoderKey, image_ids: Collection[int]) -> "dict[int, NDArray[np.float32]]":
        """The vector of each image that the encoder has seen."""
        import numpy as np  # noqa: PLC0415  # most commands open the catalogue and need none of the two

        known: dict[int, bytes] = {}
        with self._reading() as session:
            for some in chunks(image_ids):
                rows = select(Embedding.image_id, Embedding.vector).where(seen_by(encoder))
                known.update(session.execute(rows.where(Embedding.image_id.in_(some))).all())
        return {image_id: np.frombuffer(vector, "<f4").astype(np.float32) for image_id, vector in known.items()}

    def matches_of(self, content_id: int, matcher: MatcherKey) -> list[MatchEntry]:
        """What is in force for a content, best first: its match and candidates, or the one that says "no match"."""
        ranked = or_(Match.rank.is_not(None), Match.outcome == MatchOutcome.NO_MATCH)
        kept = select(Match).where(Match.content_id == content_id, in_force(matcher), ranked).order_by(Match.rank)
        with self._reading() as session:
            return [match_entry(row) for row in session.scalars(kept)]

    @repeatable
    def add_matches(self, content_id: int, matcher: MatcherKey, matches: Sequence[MatchEntry]) -> None:
        """Keep what a matcher found for a content image, in the place of what it found earlier.

        A match whose style may still be used stays as it is. One that attempts hang on becomes a candidate
        without a rank, and the chosen pair again when it is found again; they take another place in the queue where
        the score is another.
        """
        if not matches:
            return
        with self._writing() as session:
            # Whoever else matches this image meanwhile waits here, so that one of both is chosen.
            session.execute(select(Image.id).where(Image.id == content_id).with_for_update(key_share=True))
            chosen = select(Match.id).where(Match.content_id == content_id, found_by(matcher), standing())
            if session.execute(chosen.limit(1)).first() is not None:
                return
            self._replace(session, content_id, matcher, matches)

    def pin(self, content_id: int, styles: Sequence[MatchEntry]) -> None:
        """Keep a curator's choice of styles, best first, in the place of what was pinned earlier; none: pin nothing.

        No matcher overrides it while its first style may be used.

        Raises:
            UnknownEntry: there is no such content: no harvested picture, or one in colour.
        """
        content = select(Image.id).where(Image.id == content_id, harvested(), Image.tone != Tone.COLOUR)
        with self._writing() as session:
            if session.execute(content.with_for_update(key_share=True)).first() is None:
                raise UnknownEntry(f"picture {content_id} is none that takes colours: it is in colour, or not there")
            self._replace(session, content_id, PINNED, styles)

    def _replace(self, session: Session, content_id: int, matcher: MatcherKey, matches: Sequence[MatchEntry]) -> None:
        scores = _scores(session, content_id, matcher)
        _make_way(session, content_id, matcher)
        found = self._insert(Match)
        again = {key: found.excluded[key] for key in _FOUND_AGAIN}
        pair = ["content_id", "style_id", "matcher_name", "matcher_version"]
        if rows := match_rows(session, matcher, [(content_id, match) for match in matches]):
            session.execute(found.on_conflict_do_update(index_elements=pair, set_=again), rows)
        moved = [attempt_id for attempt_id, _ in _scores(session, content_id, matcher) - scores]
        if lock_contents(session, moved):
            refresh(session, self._insert(Review), moved)


def match_entry(row: Match) -> MatchEntry:
    """What crosses the door of a row."""
    return MatchEntry(**{each.name: getattr(row, each.name) for each in fields(MatchEntry)})


def match_rows(session: Session, matcher: MatcherKey, found: Sequence[tuple[int, MatchEntry]]) -> list[dict[str, Any]]:
    """Rows of `matches`, of each content and what was found for it."""
    styles = {match.style_id for _, match in found} - {None}
    known = dict(session.execute(select(Image.id, Image.sha256).where(Image.id.in_(styles))).all())
    common = {"matcher_name": matcher.name, "matcher_version": matcher.version, "made_at": now()}
    return [
        {
            "content_id": content_id,
            "style_id": match.style_id,
            "outcome": match.outcome,
            "rank": match.rank,
            "score": match.score,
            "reasons": dict(match.reasons),
            "registration": match.registration and dict(match.registration),
            "inputs_digest": match.style_id and inputs_digest(_inputs(known[match.style_id], match)),
            **common,
        }
        for content_id, match in found
    ]


def _inputs(style_sha256: str, match: MatchEntry) -> Inputs:
    return Inputs((StyleInput(style_sha256, match.registration),))


def _scores(session: Session, content_id: int, matcher: MatcherKey) -> set[tuple[int, float | None]]:
    """(attempt, its match's score) of those at this content that made a picture."""
    tried = select(Attempt.id, Match.score).join(Match, Match.id == Attempt.match_id)
    made = (Match.content_id == content_id, found_by(matcher), Attempt.output_image_id.is_not(None))
    return {(attempt_id, score) for attempt_id, score in session.execute(tried.where(*made))}


def _make_way(session: Session, content_id: int, matcher: MatcherKey) -> None:
    """Delete what was found earlier; what attempts hang on stays, as a candidate."""
    earlier = (Match.content_id == content_id, found_by(matcher))
    tried = exists().where(Attempt.match_id == Match.id)
    session.execute(delete(Match).where(*earlier, not_(tried)))
    session.execute(update(Match).where(*earlier).values(outcome=MatchOutcome.CANDIDATE, rank=None))
