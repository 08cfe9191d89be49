"""What is decided about records' rights after they came in: newer rules judge again, and a person releases.

Rules are no part of the catalogue: whoever calls brings the function that judges. A release is a person's word on a
record whose rights leave it open; it lapses when they change, and nothing that is forbidden can be released.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, and_, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from db.entries.night import Derivatives, JudgedAgain, KeptRights, Release, RightsEntry
from db.queries.base.review_rows import following, refresh_images
from db.queries.base.store import chunks, named_by, now
from db.queries.base.tallies import TallyQueries
from db.queries.base.usable import OPEN, may_be_shown
from db.queries.night.history import keep_former
from db.tables import night as tables
from db.tables.night import Archive, Image, Record, Rights
from db.tables.review import Review

AT_ONCE = 200
"""Records judged again in one transaction."""
Judge = Callable[[KeptRights], RightsEntry]
Overlay = Callable[[str, str, RightsEntry], RightsEntry]
"""Identifier, holder and rights of a record → its rights."""


class RightsQueries(TallyQueries):
    """What newer rules, and people, say of kept rights."""

    def judged_by_older(self, rules: int) -> int:
        """How many records' rights were judged by rules before this version."""
        with self._reading() as session:
            older = select(func.count()).select_from(Rights).where(Rights.rules < rules)
            return session.execute(older).scalar_one()

    def judge_again(self, judge: Judge, rules: int) -> list[JudgedAgain]:
        """Judge what older rules judged, some records at a time, each time durable; those that came out otherwise."""
        moved: list[JudgedAgain] = []
        while True:
            with self._writing() as session:
                kept = _judged_by_older(session, rules)
                moved += self._judge(session, kept, judge, rules)
            if not kept:
                return moved

    def lay_over(self, archive: str, begins: str, overlay: Overlay, *, held_too: bool, said: str) -> int:
        """Change rights by what people wrote to each other, some records at a time, each durable; how many changed.

        Where the same changed nothing and no rights have changed since, nothing is looked at.

        Args:
            archive: whose records.
            begins: what the basis of rights that were changed so before begins with.
            overlay: what becomes of a record's rights.
            held_too: look also at all that does not allow; off where nothing could be allowed.
            said: all that the overlay goes by.
        """
        question = _laid_over(archive, begins, 0, held_too=held_too)
        return self._answer(
            question, (Record, Rights), lambda: self._laid(archive, begins, overlay, held_too=held_too), said
        )

    def _laid(self, archive: str, begins: str, overlay: Overlay, *, held_too: bool) -> int:
        count, last = 0, 0
        while True:
            with self._writing() as session:
                rows = session.execute(_laid_over(archive, begins, last, held_too=held_too)).all()
                both = {
                    row.record_id: (before := _entry(row), overlay(identifier, holder, before))
                    for row, identifier, holder in rows
                }
                changed = {number: rights for number, rights in both.items() if rights[0] != rights[1]}
                self._lay(session, changed)
            if not both:
                return count
            count, last = count + len(changed), max(both)

    def _lay(self, session: Session, changed: Mapping[int, tuple[RightsEntry, RightsEntry]]) -> None:
        """By record: the rights until now, which its history keeps, and those from now on."""
        with following(session, self._insert(Review), named_by(session, list(changed))):
            for number, (before, after) in changed.items():
                keep_former(session, number)
                session.execute(update(Rights).where(Rights.record_id == number).values(**asdict(after)))
                if after.derivatives is not before.derivatives:
                    session.execute(delete(tables.Release).where(tables.Release.record_id == number))

    def release(self, record_ids: Collection[int], curator: str, note: str) -> int:
        """Let these records be used, those of them whose rights leave it open; how many."""
        row = {"curator": curator, "note": note, "given_at": now()}
        with self._writing() as session:
            open_ones: list[int] = []
            for some in chunks(record_ids):
                left_open = select(Rights.record_id).where(Rights.record_id.in_(some), Rights.derivatives.in_(OPEN))
                open_ones += session.scalars(left_open)
            with following(session, self._insert(Review), named_by(session, open_ones)):
                for some in chunks(open_ones):
                    given = self._insert(tables.Release).on_conflict_do_update(index_elements=["record_id"], set_=row)
                    session.execute(given, [{"record_id": each, **row} for each in some])
            return len(open_ones)

    def take_back_release(self, record_ids: Collection[int]) -> int:
        """Hold these records back again that a person had released; how many."""
        with self._writing() as session:
            released: list[int] = []
            for some in chunks(record_ids):
                ids = select(tables.Release.record_id).where(tables.Release.record_id.in_(some))
                released += session.scalars(ids)
            with following(session, self._insert(Review), named_by(session, released)):
                for some in chunks(released):
                    session.execute(delete(tables.Release).where(tables.Release.record_id.in_(some)))
            return len(released)

    def releases(self, record_ids: Collection[int]) -> dict[int, Release]:
        """What people said of those of these records that they released."""
        found: dict[int, Release] = {}
        with self._reading() as session:
            for some in chunks(record_ids):
                rows = session.scalars(select(tables.Release).where(tables.Release.record_id.in_(some)))
                found |= {row.record_id: Release(row.curator, row.note, row.given_at) for row in rows}
        return found

    def _judge(self, session: Session, kept: Sequence[KeptRights], judge: Judge, rules: int) -> list[JudgedAgain]:
        moved, images = [], named_by(session, [each.record_id for each in kept])
        with following(session, self._insert(Review), images):
            for each in kept:
                after = judge(each)
                here = Rights.record_id == each.record_id
                session.execute(update(Rights).where(here).values(**asdict(after) | {"rules": rules}))
                if after.derivatives is not each.rights.derivatives:
                    moved.append(JudgedAgain(each.archive, each.identifier, each.rights, after))
                    session.execute(delete(tables.Release).where(tables.Release.record_id == each.record_id))
        # what an earlier program let stand, although its rights had gone
        refresh_images(session, self._insert(Review), _not_shown(session, images))
        return moved


def _laid_over(archive: str, begins: str, last: int, *, held_too: bool) -> Select[Rights, str, str]:
    """The next rights after this record's number that an overlay may change, with identifier and holder."""
    before = Rights.basis.startswith(begins, autoescape=True)
    which = or_(before, Rights.derivatives != Derivatives.YES) if held_too else before
    rows = select(Rights, Record.identifier, Record.holder).join(Record, Record.id == Rights.record_id)
    rows = rows.join(Archive, Archive.id == Record.archive_id).where(Archive.name == archive, which)
    return rows.where(Rights.record_id > last).order_by(Rights.record_id).limit(AT_ONCE)


def _entry(row: Rights) -> RightsEntry:
    return RightsEntry(row.derivatives, row.basis, row.uri, row.text, row.rules)


def _judged_by_older(session: Session, rules: int) -> list[KeptRights]:
    other = aliased(Record)
    described = exists().where(other.archive_id == Record.archive_id, other.raw.not_like('%"row": {}}'))
    rows: Any = session.execute(
        select(Rights, Archive.name, Archive.kind, Record.identifier, Record.raw)
        .add_columns(and_(Archive.kind == "folder", Record.raw.like('%"row": {}}'), described))
        .join(Record, Record.id == Rights.record_id)
        .join(Archive, Archive.id == Record.archive_id)
        .where(Rights.rules < rules)
        .order_by(Rights.record_id)
        .limit(AT_ONCE)
    )
    return [
        KeptRights(
            row.record_id,
            archive,
            kind,
            identifier,
            raw,
            _entry(row),
            bool(row_missing),
        )
        for row, archive, kind, identifier, raw, row_missing in rows.all()
    ]


def _not_shown(session: Session, image_ids: Collection[int]) -> list[int]:
    found: list[int] = []
    for some in chunks(image_ids):
        found += session.scalars(select(Image.id).where(Image.id.in_(some), ~may_be_shown(Image.id)))
    return found
