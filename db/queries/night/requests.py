"""Wishes: further attempts that curators ask for, and the candidates and styles that they choose from.

A wish names pictures, not a match, so that a night with another encoder takes it too. It is pending until an attempt
has come of it (`db.queries.night.open_requests`); nothing has to be remembered when one is claimed or dropped.
"""

import hashlib
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, update
from sqlalchemy.orm import Session, aliased

from db.entries.night import Description, EncoderKey, MatchEntry, MatchOutcome, Tone
from db.entries.review import Wish, WishEntry, WishState
from db.errors import TriedAlready, UnknownEntry
from db.queries.base.describe import describe
from db.queries.base.review_rows import hidden
from db.queries.base.search import has_words
from db.queries.base.store import Store, changed, now
from db.queries.base.usable import harvested, usable
from db.queries.night.claims import NO_INPUTS
from db.queries.night.open_requests import MAX_TRIES, allowed, answer, pending, repeated, tries, unchanged
from db.tables.columns import to_json
from db.tables.night import Attempt, Image, Match
from db.tables.review import Review, WishMade

WISHED = {"why": "a curator asked for it"}
_AT_ONCE = 200
"""Pictures that are looked through at once for those that may be used."""


def inputs_digest(marks_sha256: str | None) -> str:
    """What of a wish is neither picture nor recipe, hashed: a part of the claim."""
    if marks_sha256 is None:
        return NO_INPUTS
    return hashlib.sha256(to_json({"marks": marks_sha256}).encode()).hexdigest()


class RequestQueries(Store):
    """What curators want to see made."""

    def add_wish(self, attempt_id: int, curator: str, wish: Wish) -> WishEntry:
        """Ask for a further attempt at the content of this one; the same wish again is the one that is pending here.

        Raises:
            TriedAlready: it was made, and the recipe is still the same.
            UnknownEntry: there is no such attempt, or the style is no colour picture that may be used.
        """
        with self._writing() as session:
            match = session.execute(select(Match).join(Attempt).where(Attempt.id == attempt_id)).scalar_one_or_none()
            if match is None:
                raise UnknownEntry(f"there is no attempt {attempt_id} to wish from")
            style_id = wish.style_id or match.style_id or 0
            if session.execute(_styles().where(Image.id == style_id)).first() is None:
                raise UnknownEntry(f"image {style_id} is no colour picture that may be used; choose another style")
            key = {
                "content_id": match.content_id,
                "style_id": style_id,
                "recipe_name": wish.recipe,
                "inputs_digest": inputs_digest(wish.marks_sha256),
            }
            row = {"attempt_id": attempt_id, "curator": curator, "wished_at": now(), "withdrawn_at": None}
            row |= {"marks_sha256": wish.marks_sha256}
            session.execute(self._insert(WishMade).values(**key, **row).on_conflict_do_nothing())
            named = [getattr(WishMade, name) == value for name, value in key.items()]
            kept = session.scalars(select(WishMade).where(*named).with_for_update()).one()
            if (tried := session.execute(select(repeated()).where(*named)).scalar()) is not None:
                raise TriedAlready(f"this was tried already: attempt {tried}; ask again when its recipe has changed")
            if not session.execute(select(pending()).where(*named)).scalar():
                session.execute(update(WishMade).where(*named).values(row))
            return _entries(session, WishMade.id == kept.id)[0]

    def withdraw_wish(self, wish_id: int) -> bool:
        """Take a pending wish back, one that no night will make too; False: it is none any more."""
        of_it = WishMade.id == wish_id
        with self._writing() as session:
            # first the lock: a batch that is being taken has the wish until its attempt can be seen
            session.execute(select(WishMade.id).where(of_it).with_for_update()).all()
            if session.execute(select(WishMade.id).where(of_it, pending())).first() is None:
                return False
            return bool(changed(session, update(WishMade).where(of_it).values(withdrawn_at=now())))

    def wishes(self, attempt_id: int, *, reader: str | None = None) -> list[WishEntry]:
        """What was wished for the content of this attempt, from whichever of its attempts; oldest first.

        Args:
            attempt_id: one of the content's attempts.
            reader: the curator who looks: what others asked for at an entry whose first word is hidden would tell it.
        """
        content = select(Match.content_id).join(Attempt, Attempt.match_id == Match.id).where(Attempt.id == attempt_id)
        telling = exists().where(Review.attempt_id == WishMade.attempt_id, hidden())
        shown = [] if reader is None else [or_(WishMade.curator == reader, not_(telling))]
        with self._reading() as session:
            return _entries(session, WishMade.content_id.in_(content), *shown)

    def wished_recipes(self, *, max_tries: int = MAX_TRIES) -> list[str]:
        """Recipes of the wishes that can be made: the night takes a batch of each; an empty name is its own recipe."""
        named = select(WishMade.recipe_name).where(pending(), allowed(), tries() < max_tries)
        with self._reading() as session:
            return list(session.scalars(named.distinct().order_by(WishMade.recipe_name)))

    def tried_styles(self, attempt_id: int) -> set[int]:
        """Styles, by image number, that a night would only try again in the same way on this attempt's content."""
        of_content = select(Attempt.content_sha256).where(Attempt.id == attempt_id).scalar_subquery()
        tried = select(Match.style_id).join(Attempt, Attempt.match_id == Match.id)
        settled = (Attempt.inputs_digest == NO_INPUTS, not_(Attempt.transient), unchanged(Attempt))
        with self._reading() as session:
            rows = session.scalars(tried.where(Attempt.content_sha256 == of_content, *settled))
            return {style_id for style_id in rows if style_id is not None}

    def candidates(self, attempt_id: int) -> list[tuple[Description, MatchEntry]]:
        """What the matching found for this attempt's content, best first: other styles to choose from."""
        tried = aliased(Match)
        ranked = (
            select(Match)
            .join(tried, and_(tried.content_id == Match.content_id, tried.encoder_checksum == Match.encoder_checksum))
            .join(Attempt, Attempt.match_id == tried.id)
            .where(Attempt.id == attempt_id, Match.rank.is_not(None), usable(Match.style_id))
            .where(tried.encoder_name == Match.encoder_name)
            .order_by(Match.rank)
        )
        with self._reading() as session:
            rows = session.scalars(ranked).all()
            said = describe(session, {row.style_id or 0 for row in rows})
            return [
                (said[row.style_id or 0], MatchEntry(row.outcome, row.style_id, row.rank, row.score, row.reasons))
                for row in rows
            ]

    def find_styles(self, words: str, *, limit: int = 50) -> list[Description]:
        """Colour pictures that may be used, by their record's words."""
        with self._reading() as session:
            # the record that brought the image is what says so
            # told by what it is not, or SQLite would go through all that are coloured
            coloured = Image.tone.not_in([tone for tone in Tone if tone is not Tone.COLOUR])
            said_so = has_words(session, words, Image.record_id)
            found = select(Image.id).where(harvested(), coloured, *said_so).order_by(Image.id)
            ids: list[int] = []
            last = 0
            while len(ids) < limit:
                # some at a time: asked for both at once, PostgreSQL would look at every picture's rights
                some = session.scalars(found.where(Image.id > last).limit(_AT_ONCE)).all()
                usable_ones = select(Image.id).where(Image.id.in_(some), usable(Image.id)).order_by(Image.id)
                ids += session.scalars(usable_ones)
                if len(some) < _AT_ONCE:
                    break
                last = some[-1]
            said = describe(session, ids[:limit])
            return [said[each] for each in ids[:limit]]


def match_wishes(session: Session, insert_match: Any, encoder: EncoderKey, recipes: Collection[str]) -> None:
    """See to it that pending wishes naming these recipes have a match with this encoder, a candidate without rank."""
    named = WishMade.recipe_name.in_(recipes)
    # shared locks: who takes one of them back waits for the batch that takes it
    wished = select(WishMade.content_id, WishMade.style_id).where(pending(), named).order_by(WishMade.id)
    pairs = session.execute(wished.with_for_update(read=True, of=WishMade)).all()
    common = {
        "encoder_name": encoder.name,
        "encoder_checksum": encoder.checksum,
        "outcome": MatchOutcome.CANDIDATE,
        "reasons": WISHED,
        "made_at": now(),
    }
    if rows := [{"content_id": content, "style_id": style, **common} for content, style in pairs]:
        session.execute(insert_match.on_conflict_do_nothing(), rows)


def _styles() -> Any:
    return select(Image.id).where(harvested(), Image.tone == Tone.COLOUR, usable(Image.id))


def _entries(session: Session, *which: ColumnElement[bool]) -> list[WishEntry]:
    found = select(WishMade, answer(), pending(), allowed(), tries())
    found = found.where(*which, WishMade.withdrawn_at.is_(None)).order_by(WishMade.id)
    return [
        WishEntry(
            id=row.id,
            attempt_id=row.attempt_id,
            curator=row.curator,
            content_id=row.content_id,
            style_id=row.style_id,
            recipe=row.recipe_name,
            marks_sha256=row.marks_sha256,
            wished_at=row.wished_at,
            made=made,
            state=_state(*figures),
        )
        for row, made, *figures in session.execute(found)
    ]


def _state(is_pending: bool, is_allowed: bool, times: int) -> WishState:
    if not is_pending:
        return WishState.MADE
    if not is_allowed:
        return WishState.NOT_ALLOWED
    return WishState.WAITING if times < MAX_TRIES else WishState.GIVEN_UP
