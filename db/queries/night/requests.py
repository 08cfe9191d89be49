"""Requests: further attempts that curators ask for, and the candidates and styles that they choose from.

A request names pictures, not a match, so that a night with another matcher takes it too. It is pending until an attempt
has come of it (`db.queries.night.open_requests`); nothing has to be remembered when one is claimed or dropped.
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, exists, not_, or_, select, update
from sqlalchemy.orm import Session, aliased

from db.entries.claim import Inputs, MatcherKey, StyleInput, inputs_digest
from db.entries.night import Description, MatchEntry, MatchOutcome, Tone
from db.entries.review import AttemptRequest, RequestEntry, RequestState
from db.errors import TriedAlready, UnknownEntry
from db.queries.base.describe import describe
from db.queries.base.review_rows import hidden
from db.queries.base.search import has_words
from db.queries.base.store import Store, changed, now
from db.queries.base.usable import harvested, usable
from db.queries.night.match import match_entry, match_rows
from db.queries.night.open_requests import MAX_TRIES, allowed, answer, pending, repeated, tries, unchanged
from db.tables.night import Attempt, Image, Match
from db.tables.review import CuratorRequest, Review

REQUESTED = {"why": "a curator asked for it"}
_OF_ONE_MATCHER = ("content_id", "matcher_name", "matcher_version")
_AT_ONCE = 200
"""Pictures that are looked through at once for those that may be used."""


_OF_CONTENT = Attempt.content_sha256 == Image.sha256
_ASKED = (
    select(CuratorRequest.id)
    .join(Image, Image.id == CuratorRequest.content_id)
    .join(Attempt, _OF_CONTENT)
    .where(Attempt.id == bindparam("attempt_id"))
    .limit(1)
)


class RequestQueries(Store):
    """What curators want to see made."""

    def add_request(self, attempt_id: int, curator: str, request: AttemptRequest) -> RequestEntry:
        """Ask for a further attempt at the content of this one; the same request again is the one that is pending here.

        Raises:
            TriedAlready: it was made, and the recipe is still the same.
            UnknownEntry: there is no such attempt, or the style is not a colour picture that may be used.
        """
        with self._writing() as session:
            content_id, style = _asked(session, attempt_id, request.style_id)
            styles = () if style is None else (StyleInput(style.sha256),)
            key = {
                "content_id": content_id,
                "recipe_name": request.recipe,
                "inputs_digest": inputs_digest(Inputs(styles, request.marks_sha256, request.mask_sha256)),
            }
            row = {"attempt_id": attempt_id, "curator": curator, "requested_at": now(), "withdrawn_at": None}
            row |= {"style_id": style and style.id, "marks_sha256": request.marks_sha256}
            row |= {"mask_sha256": request.mask_sha256}
            session.execute(self._insert(CuratorRequest).values(**key, **row).on_conflict_do_nothing())
            named = [getattr(CuratorRequest, name) == value for name, value in key.items()]
            kept = session.scalars(select(CuratorRequest).where(*named).with_for_update()).one()
            if (tried := session.execute(select(repeated()).where(*named)).scalar()) is not None:
                raise TriedAlready(f"this was tried already: attempt {tried}; ask again when its recipe has changed")
            if not session.execute(select(pending()).where(*named)).scalar():
                session.execute(update(CuratorRequest).where(*named).values(row))
            return _entries(session, CuratorRequest.id == kept.id)[0]

    def withdraw_request(self, request_id: int) -> bool:
        """Take a pending request back, one that no night will make too; False: it is none any more."""
        of_it = CuratorRequest.id == request_id
        with self._writing() as session:
            # first the lock: a batch that is being taken has the request until its attempt can be seen
            session.execute(select(CuratorRequest.id).where(of_it).with_for_update()).all()
            if session.execute(select(CuratorRequest.id).where(of_it, pending())).first() is None:
                return False
            return bool(changed(session, update(CuratorRequest).where(of_it).values(withdrawn_at=now())))

    def requests(self, attempt_id: int, *, reader: str | None = None) -> list[RequestEntry]:
        """What was asked for the content of this attempt, from whichever of its attempts; oldest first.

        Args:
            attempt_id: one of the content's attempts.
            reader: the curator who looks: what others asked for at an entry whose first word is hidden would tell it.
        """
        content = select(Image.id).join(Attempt, _OF_CONTENT).where(Attempt.id == attempt_id)
        telling = exists().where(Review.attempt_id == CuratorRequest.attempt_id, hidden())
        shown = [] if reader is None else [or_(CuratorRequest.curator == reader, not_(telling))]
        with self._reading() as session:
            if session.execute(_ASKED, {"attempt_id": attempt_id}).first() is None:  # of most nothing is
                return []
            return _entries(session, CuratorRequest.content_id.in_(content), *shown)

    def requests_of(self, curator: str, limit: int) -> list[RequestEntry]:
        """What a curator asked for last, the newest first."""
        newest = select(CuratorRequest.id).where(CuratorRequest.curator == curator).order_by(CuratorRequest.id.desc())
        with self._reading() as session:
            return _entries(session, CuratorRequest.id.in_(newest.limit(limit).scalar_subquery()))[::-1]

    def requested_recipes(self, *, max_tries: int = MAX_TRIES) -> list[str]:
        """Recipes of the requests that can be made, a batch for each; an empty name is the night's own recipe."""
        named = select(CuratorRequest.recipe_name).where(pending(), allowed(), tries() < max_tries)
        with self._reading() as session:
            return list(session.scalars(named.distinct().order_by(CuratorRequest.recipe_name)))

    def tried_styles(self, attempt_id: int) -> set[int]:
        """Styles, by image number, that a night would only try again in the same way on this attempt's content."""
        of_content = select(Attempt.content_sha256).where(Attempt.id == attempt_id).scalar_subquery()
        tried = select(Image.id).join(Attempt, Attempt.style_sha256 == Image.sha256)
        settled = (
            Attempt.marks_sha256.is_(None),
            Attempt.mask_sha256.is_(None),
            not_(Attempt.transient),
            unchanged(Attempt),
        )
        with self._reading() as session:
            return set(session.scalars(tried.where(Attempt.content_sha256 == of_content, *settled)))

    def candidates(self, attempt_id: int) -> list[tuple[Description, MatchEntry]]:
        """What the matching found for this attempt's content, best first: other styles to choose from."""
        tried = aliased(Match)
        ranked = (
            select(Match)
            .join(tried, and_(*(getattr(tried, key) == getattr(Match, key) for key in _OF_ONE_MATCHER)))
            .join(Attempt, Attempt.match_id == tried.id)
            .where(Attempt.id == attempt_id, Match.rank.is_not(None), usable(Match.style_id))
            .order_by(Match.rank)
        )
        with self._reading() as session:
            rows = session.scalars(ranked).all()
            said = describe(session, {row.style_id or 0 for row in rows})
            return [(said[row.style_id or 0], match_entry(row)) for row in rows]

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


def match_requests(session: Session, insert_match: Any, matcher: MatcherKey, recipes: Collection[str]) -> None:
    """See to it that pending requests naming these recipes have a match of this matcher, a candidate without rank."""
    named = CuratorRequest.recipe_name.in_(recipes)
    # shared locks: who takes one of them back waits for the batch that takes it
    asked = (
        select(CuratorRequest.content_id, CuratorRequest.style_id).where(pending(), named).order_by(CuratorRequest.id)
    )
    pairs = session.execute(asked.with_for_update(read=True, of=CuratorRequest)).all()
    found = [
        (content_id, MatchEntry(MatchOutcome.CANDIDATE, style_id, reasons=REQUESTED))
        for content_id, style_id in pairs
        if style_id is not None
    ]
    if found:
        session.execute(insert_match.on_conflict_do_nothing(), match_rows(session, matcher, found))


def _asked(session: Session, attempt_id: int, style_id: int | None) -> tuple[int, Image | None]:
    """The attempt's content, and the style that is asked for: its own where none is named."""
    content, own = aliased(Image), aliased(Image)
    of_attempt = (
        select(content.id, own.id)
        .select_from(Attempt)
        .join(content, content.sha256 == Attempt.content_sha256)
        .outerjoin(own, own.sha256 == Attempt.style_sha256)
    )
    found = session.execute(of_attempt.where(Attempt.id == attempt_id)).one_or_none()
    if found is None:
        raise UnknownEntry(f"there is no attempt {attempt_id} to ask for another of")
    content_id, own_id = found
    wanted = style_id or own_id
    if wanted is None:
        return content_id, None
    style = session.execute(select(Image).where(Image.id == wanted, Image.id.in_(styles_to_ask()))).scalar_one_or_none()
    if style is None:
        raise UnknownEntry(f"image {wanted} is not a colour picture that may be used; choose another style")
    return content_id, style


def styles_to_ask() -> Any:
    """Numbers of the colour pictures that may be used, of any content."""
    return select(Image.id).where(harvested(), Image.tone == Tone.COLOUR, usable(Image.id))


def _entries(session: Session, *which: ColumnElement[bool]) -> list[RequestEntry]:
    found = select(CuratorRequest, answer(), pending(), allowed(), tries())
    found = found.where(*which, CuratorRequest.withdrawn_at.is_(None)).order_by(CuratorRequest.id)
    return [
        RequestEntry(
            id=row.id,
            attempt_id=row.attempt_id,
            curator=row.curator,
            content_id=row.content_id,
            style_id=row.style_id,
            recipe=row.recipe_name,
            marks_sha256=row.marks_sha256,
            mask_sha256=row.mask_sha256,
            requested_at=row.requested_at,
            made=made,
            state=_state(*figures),
        )
        for row, made, *figures in session.execute(found)
    ]


def _state(is_pending: bool, is_allowed: bool, times: int) -> RequestState:
    if not is_pending:
        return RequestState.MADE
    if not is_allowed:
        return RequestState.NOT_ALLOWED
    return RequestState.WAITING if times < MAX_TRIES else RequestState.GIVEN_UP
