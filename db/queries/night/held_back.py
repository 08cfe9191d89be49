"""What the night leaves, by reason and by name: the counts of its report and the list are of one query.

Rights come before genre, genre before tone: the first that stands in the way is told. A record counts once for each
reason; colour prints are held back by their rights alone, for they are no content.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    and_,
    case,
    cast,
    distinct,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from db.entries.night import ContentScope, Derivatives, HeldBack, HeldFilter, Tone
from db.queries.base.tallies import PICTURES, TallyQueries
from db.queries.base.usable import RecordCondition, allows, harvested, is_unread, says, usable
from db.queries.night.scope import in_archives, in_genres, taken
from db.tables.base import PictureState
from db.tables.night import Archive, Image, Record, RecordImage, Release, Rights, UnreadableRecord

EVERYTHING = HeldFilter()


class HeldBackQueries(TallyQueries):
    """What is held back, and what a person released."""

    def held_back(self, scope: ContentScope) -> dict[str, int]:
        """How many records of the scope's archives the night does not take, and why."""
        with self._reading() as session:
            question = _held(session, scope)
        return self._answer(question, PICTURES, lambda: self.held_counts(scope, EVERYTHING))

    def held_counts(self, scope: ContentScope | None, wanted: HeldFilter) -> dict[str, int]:
        """The same of those that the filter names; without a scope, what no setting changes."""
        with self._reading() as session:
            held = _held(session, scope).subquery()
            counted = select(held.c.reason, func.count(distinct(held.c.place)))
            rows = session.execute(counted.where(*_named(held, wanted)).group_by(held.c.reason)).all()
        counts: Counter[str] = Counter()
        for reason, number in rows:
            if _of_reason(reason, wanted.reason):
                counts[reason] += number
        return dict(sorted(counts.items()))

    def held_records(
        self, scope: ContentScope | None, wanted: HeldFilter = EVERYTHING, *, first: int = 0, most: int | None = None
    ) -> list[HeldBack]:
        """The records by name, with the reason, in the order of archives, identifiers and reasons.

        Args:
            scope: what the night takes; None: what no setting changes.
            wanted: which of them.
            first: how many are left out before.
            most: how many at most.
        """
        with self._reading() as session:
            held = _held(session, scope).subquery()
            reasons = [
                each for each in session.scalars(select(held.c.reason).distinct()) if _of_reason(each, wanted.reason)
            ]
            key = (held.c.archive, held.c.identifier, held.c.reason, held.c.record_id, held.c.derivatives)
            rows = select(*key, func.min(held.c.why)).where(held.c.reason.in_(reasons), *_named(held, wanted))
            page = rows.group_by(*key).order_by(*key[:3]).offset(first).limit(most)
            return [_entry(row) for row in session.execute(page)]

    def released_records(self, wanted: HeldFilter = EVERYTHING) -> list[HeldBack]:
        """Records that a person let be used although their rights leave it open, with that person's word."""
        rows = (
            select(Archive.name, Record.identifier, Record.id, Rights.derivatives, Release.curator, Release.note)
            .join(Record, Record.id == Release.record_id)
            .join(Archive, Archive.id == Record.archive_id)
            .join(Rights, Rights.record_id == Record.id)
            .order_by(Archive.name, Record.identifier)
        )
        if wanted.archive is not None:
            rows = rows.where(Archive.name == wanted.archive)
        if wanted.identifiers:
            rows = rows.where(Record.identifier.in_(wanted.identifiers))
        with self._reading() as session:
            return [
                HeldBack(
                    archive, identifier, f"rights: {word}", f"released by {curator}{note and f': {note}'}", number, word
                )
                for archive, identifier, number, word, curator, note in session.execute(rows)
                if _of_reason(f"rights: {word}", wanted.reason)
            ]


def _held(session: Session, scope: ContentScope | None) -> CompoundSelect[Any]:
    """(place, archive, identifier, record_id, derivatives, reason, why) of all that is held back."""
    if scope is None:
        scope = ContentScope(frozenset(set(Tone) - {Tone.UNSURE}), dict.fromkeys(session.scalars(select(Archive.name))))
    within = in_genres(session, scope)
    here = and_(Record.deleted_at.is_(None), in_archives(scope))
    return union_all(_with_pictures(scope, within, here), _without_pictures(here), _unreadable(scope))


def _with_pictures(scope: ContentScope, within: RecordCondition, here: ColumnElement[bool]) -> Select[Any]:
    missing = RecordImage.image_id.is_(None)
    content = and_(Image.tone != Tone.COLOUR, not_(taken(scope, within)))
    style = and_(Image.tone == Tone.COLOUR, not_(usable(Image.id)))
    return (
        _record(_reason(within, missing), _why(missing))
        .join(RecordImage, RecordImage.record_id == Record.id)
        .outerjoin(Image, Image.id == RecordImage.image_id)
        .where(here, not_(is_unread(Record)), or_(missing, and_(harvested(), or_(content, style))))
    )


def _without_pictures(here: ColumnElement[bool]) -> Select[Any]:
    why = literal("its description names none that nishiki could find")
    return _record(literal("no picture"), why).where(here, ~exists().where(RecordImage.record_id == Record.id))


def _unreadable(scope: ContentScope) -> Select[Any]:
    place = literal("u") + cast(UnreadableRecord.archive_id, String) + literal(" ") + UnreadableRecord.identifier
    return (
        select(place.label("place"), Archive.name.label("archive"), UnreadableRecord.identifier.label("identifier"))
        .add_columns(cast(null(), Record.id.type).label("record_id"), cast(null(), String).label("derivatives"))
        .add_columns(literal("unreadable").label("reason"), UnreadableRecord.reason.label("why"))
        .join(Archive, Archive.id == UnreadableRecord.archive_id)
        .where(Archive.name.in_(sorted(scope.genres)))
    )


def _record(reason: ColumnElement[str], why: ColumnElement[str]) -> Select[Any]:
    place = literal("r") + cast(Record.id, String)
    return (
        select(place.label("place"), Archive.name.label("archive"), Record.identifier.label("identifier"))
        .add_columns(Record.id.label("record_id"), cast(Rights.derivatives, String).label("derivatives"))
        .add_columns(reason.label("reason"), why.label("why"))
        .select_from(Record)
        .join(Archive, Archive.id == Record.archive_id)
        .join(Rights, Rights.record_id == Record.id)
    )


def _reason(within: RecordCondition, missing: ColumnElement[bool]) -> ColumnElement[str]:
    no_genre = func.trim(func.coalesce(Record.genre, "")) == ""
    return case(
        (and_(missing, RecordImage.state == PictureState.BROKEN), literal("picture: broken")),
        (missing, literal("picture: not fetched yet")),
        (says(Derivatives.NO, RecordImage.image_id), literal("rights: no")),
        (says(Derivatives.CONTRADICTORY, RecordImage.image_id), literal("rights: contradictory")),
        (not_(allows(Rights)), literal("rights: ") + cast(Rights.derivatives, String)),
        (within(Record), literal("tone: ") + cast(Image.tone, String)),
        (no_genre, literal("no genre")),
        else_=literal("other genre"),
    )


def _why(missing: ColumnElement[bool]) -> ColumnElement[str]:
    """What a person reads beside the reason."""
    link, other, rights = aliased(RecordImage), aliased(Record), aliased(Rights)
    against = (
        select(func.min(other.identifier))
        .join(link, link.record_id == other.id)
        .join(rights, rights.record_id == other.id)
        .where(link.image_id == RecordImage.image_id, other.id != Record.id, other.deleted_at.is_(None))
        .where(rights.derivatives.in_((Derivatives.NO, Derivatives.CONTRADICTORY)))
        .correlate(RecordImage, Record)
        .scalar_subquery()
    )
    return case(
        (missing, func.coalesce(RecordImage.problem, "not asked for yet")),
        (not_(allows(Rights)), Rights.basis),
        (against.is_not(None), literal("the same picture is named by record ") + against),
        else_=literal("genre ") + func.coalesce(Record.genre, "none"),
    )


def _named(held: Any, wanted: HeldFilter) -> Sequence[ColumnElement[bool]]:
    archive = [] if wanted.archive is None else [held.c.archive == wanted.archive]
    return [*archive, *([held.c.identifier.in_(wanted.identifiers)] if wanted.identifiers else [])]


def _of_reason(reason: str, wanted: str | None) -> bool:
    """`rights` is every reason of rights, `ask` the same as `rights: ask`."""
    return wanted is None or wanted.casefold() in (reason, *reason.split(": "))


def _entry(row: Any) -> HeldBack:
    archive, identifier, reason, record_id, word, why = row
    return HeldBack(archive, identifier, reason, why, record_id, Derivatives(word) if word else None)
