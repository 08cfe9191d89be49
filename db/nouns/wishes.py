"""Wishes: further attempts that curators ask for, and the candidates and styles that they choose from.

A wish names pictures, not a match, so that a night with another encoder takes it too. It is pending until there is an
attempt with its pictures, its inputs and its recipe; nothing has to be remembered when one is claimed or dropped.
"""

import hashlib
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select, update
from sqlalchemy.orm import Session, aliased

from db.columns import to_json
from db.entries import Description, EncoderKey, MatchEntry, MatchOutcome, Tone
from db.errors import UnknownEntry
from db.models import Attempt, Image, Match
from db.nouns.claims import NO_INPUTS
from db.nouns.conditions import harvested, usable
from db.nouns.describe import describe
from db.nouns.search import has_words
from db.nouns.store import Store, changed, now
from db.review_models import WishMade
from db.reviewed import RECIPE_OF_NIGHT, Wish, WishEntry

WISHED = {"why": "a curator asked for it"}


def inputs_digest(marks_sha256: str | None) -> str:
    """What of a wish is neither picture nor recipe, hashed: a part of the claim."""
    if marks_sha256 is None:
        return NO_INPUTS
    return hashlib.sha256(to_json({"marks": marks_sha256}).encode()).hexdigest()


class WishesPart(Store):
    """What curators want to see made."""

    def add_wish(self, attempt_id: int, curator: str, wish: Wish) -> WishEntry:
        """Ask for a further attempt at the content of this one; the same wish again is the one that is here.

        Raises:
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
            added = self._insert(WishMade).values(**key, **row)
            again = WishMade.withdrawn_at.is_not(None)
            session.execute(added.on_conflict_do_update(index_elements=[*key], set_=row, where=again))
            kept = [getattr(WishMade, name) == value for name, value in key.items()]
            return _entries(session, *kept)[0]

    def withdraw_wish(self, wish_id: int) -> bool:
        """Take a pending wish back; False: it is none any more."""
        with self._writing() as session:
            found = [each for each in _entries(session, WishMade.id == wish_id) if each.made is None]
            open_one = update(WishMade).where(WishMade.id == wish_id, WishMade.withdrawn_at.is_(None))
            return bool(found) and bool(changed(session, open_one.values(withdrawn_at=now())))

    def wishes(self, attempt_id: int) -> list[WishEntry]:
        """What was wished for the content of this attempt, from whichever of its attempts; oldest first."""
        content = select(Match.content_id).join(Attempt, Attempt.match_id == Match.id).where(Attempt.id == attempt_id)
        with self._reading() as session:
            return _entries(session, WishMade.content_id.in_(content))

    def wished_recipes(self) -> list[str]:
        """Recipes that pending wishes name: the night takes a batch with each; an empty name is its own recipe."""
        named = select(WishMade.recipe_name).where(pending()).distinct().order_by(WishMade.recipe_name)
        with self._reading() as session:
            return list(session.scalars(named))

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
            found = has_words(session, words, Image.record_id)
            ids = session.scalars(_styles().where(*found).order_by(Image.id).limit(limit)).all()
            said = describe(session, ids)
            return [said[each] for each in ids]


def pending() -> ColumnElement[bool]:
    """Nobody took the wish back, and no attempt has come of it but such as failed for now."""
    return and_(WishMade.withdrawn_at.is_(None), _made(not_(Attempt.transient)).is_(None))


def match_wishes(session: Session, insert_match: Any, encoder: EncoderKey, recipes: Collection[str]) -> None:
    """See to it that pending wishes naming these recipes have a match with this encoder, a candidate without rank."""
    named = WishMade.recipe_name.in_(recipes)
    pairs = session.execute(select(WishMade.content_id, WishMade.style_id).where(pending(), named).distinct())
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


def _made(*which: ColumnElement[bool]) -> Any:
    """Number of the newest attempt, of these, that came of the wish."""
    content, style = aliased(Image), aliased(Image)
    same = and_(
        Attempt.content_sha256 == content.sha256,
        Attempt.style_sha256 == style.sha256,
        Attempt.inputs_digest == WishMade.inputs_digest,
        or_(WishMade.recipe_name == RECIPE_OF_NIGHT, Attempt.recipe_name == WishMade.recipe_name),
        *which,
    )
    newest = select(func.max(Attempt.id)).select_from(content).join(style, style.id == WishMade.style_id)
    return newest.join(Attempt, same).where(content.id == WishMade.content_id).scalar_subquery()


def _entries(session: Session, *which: ColumnElement[bool]) -> list[WishEntry]:
    found = select(WishMade, _made()).where(*which, WishMade.withdrawn_at.is_(None)).order_by(WishMade.id)
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
        )
        for row, made in session.execute(found)
    ]
