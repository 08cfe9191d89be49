"""The harvest's queries: archives, windows, records with their rights, and the pictures they name.

A window's records are stored with their pictures as wanted, in one transaction each; the pictures are fetched
after. Whatever a crash or a silent host leaves behind is still wanted the next night.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Container, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.entries.corrections import attributes, value_of
from db.entries.night import (
    Change,
    ImageFacts,
    Patience,
    PictureSource,
    RecordEntry,
    RightsEntry,
    StoredFrom,
    WantedPicture,
    WindowState,
)
from db.errors import UnknownEntry
from db.queries.base import corrections
from db.queries.base.review_rows import following
from db.queries.base.search import index_again, index_new, index_record
from db.queries.base.store import Store, changed, chunks, insert_rows, named_by, now, repeatable
from db.queries.night.history import keep_former
from db.tables.base import Base, PictureState
from db.tables.columns import clean, to_json
from db.tables.night import (
    Archive,
    Embedding,
    Image,
    ReadInWindow,
    Record,
    RecordArtist,
    RecordCast,
    RecordImage,
    Release,
    Rights,
    UnreadableRecord,
    Window,
)
from db.tables.review import Review, SearchText

TAKEN_UP = timedelta(days=30)
"""So long what an unfinished window has read is not asked for again."""
_COPIED = [
    "identifier",
    "datestamp",
    "raw",
    "title",
    "date_text",
    "year_from",
    "year_to",
    "genre",
    "holder",
    "credit_line",
    "landing_url",
]
"""Fields that a record's row takes from its entry as they are."""
SAME_NIGHT = timedelta(hours=12)
"""What fails twice within it has failed on one night."""
USUAL = Patience()


INDEXED_AT_ONCE = 200
"""Records whose search text one transaction writes anew: some .2 s, so that nobody waits long."""


class HarvestQueries(Store):
    """What the harvest says to the catalogue."""

    @repeatable
    def add_archive(self, name: str, kind: str, address: str) -> int:
        """The archive's number; known by its name, so that it may move."""
        moved = {"kind": kind, "address": address}
        row = self._insert(Archive).values(name=name, **moved)
        row = row.on_conflict_do_update(index_elements=["name"], set_=moved).returning(Archive.id)
        with self._writing() as session:
            return int(session.execute(row).scalar_one())

    def archive_addresses(self) -> dict[str, str]:
        """Every archive's name, with where it lies."""
        with self._reading() as session:
            return dict(session.execute(select(Archive.name, Archive.address)).all())

    def stored_from(self, sha256s: Collection[str]) -> list[StoredFrom]:
        """Where live records name these pictures."""
        named = (
            select(Image.sha256, Archive.name, Archive.address, RecordImage.reference, Record.identifier)
            .join(RecordImage, RecordImage.image_id == Image.id)
            .join(Record, Record.id == RecordImage.record_id)
            .join(Archive, Archive.id == Record.archive_id)
            .where(Record.deleted_at.is_(None))
            .order_by(Archive.id, Record.id)
        )
        with self._reading() as session:
            return [
                StoredFrom(*row)
                for some in chunks(sha256s)
                for row in session.execute(named.where(Image.sha256.in_(some)))
            ]

    def want_again(self, source: StoredFrom) -> None:
        """The archive holds another picture there by now: the next harvest fetches it, whatever it knew of the last."""
        image = select(Image.id).where(Image.sha256 == source.sha256).scalar_subquery()
        here = (RecordImage.reference == source.reference, RecordImage.image_id == image)
        known = {"etag": None, "last_modified": None, "next_try_at": None}
        with self._writing() as session:
            session.execute(update(RecordImage).where(*here).values(state=PictureState.WANTED, **known))

    def last_window_end(self, archive_id: int) -> datetime | None:
        """The latest `until` of the archive's finished windows: where the next harvest begins."""
        done = (Window.archive_id == archive_id, Window.state == WindowState.DONE)
        with self._reading() as session:
            return session.execute(select(func.max(Window.until, type_=Window.until.type)).where(*done)).scalar()

    def last_full_listing(self, archive_id: int) -> datetime | None:
        """Up to when the archive was last listed whole: the latest `until` of its finished windows without a start."""
        whole = (Window.archive_id == archive_id, Window.state == WindowState.DONE, Window.start.is_(None))
        with self._reading() as session:
            return session.execute(select(func.max(Window.until, type_=Window.until.type)).where(*whole)).scalar()

    def records_of_unfinished(self, archive_id: int, start: datetime | None) -> int | None:
        """How many records came in the window that began at this moment and is not finished; None: there is none."""
        with self._reading() as session:
            return session.execute(_unfinished(Window.records, archive_id, start)).scalar()

    @repeatable
    def open_window(self, archive_id: int, start: datetime | None, until: datetime | None) -> int:
        """Begin a window, or take up the unfinished one that began at the same moment.

        Where some of it was read, it ends where it was to end: what changed since then is the next one's.
        """
        fresh = {"state": WindowState.OPEN, "opened_at": now(), "closed_at": None}
        with self._writing() as session:
            known = session.execute(_unfinished(Window.id, archive_id, start)).scalar()
            if known is not None:
                old = (ReadInWindow.window_id == known, ReadInWindow.read_at < now() - TAKEN_UP)
                session.execute(delete(ReadInWindow).where(*old))
                some = session.execute(select(ReadInWindow).where(ReadInWindow.window_id == known).limit(1)).first()
                ends = {} if some else {"until": until}
                session.execute(update(Window).where(Window.id == known).values(fresh | ends))
                return known
            row = {"archive_id": archive_id, "start": start, "until": until, "records": 0, "problems": 0, **fresh}
            return session.execute(insert(Window).values(row).returning(Window.id)).scalar_one()

    @repeatable
    def close_window(self, window_id: int, state: WindowState, *, records: int, problems: int) -> None:
        """Say how the window went; only a done one moves the next harvest's beginning."""
        closed = {"state": state, "records": records, "problems": problems, "closed_at": now()}
        with self._writing() as session:
            if not changed(session, update(Window).where(Window.id == window_id).values(closed)):
                raise UnknownEntry(f"window {window_id} is not in the catalogue; open it first")
            if state is WindowState.DONE:
                session.execute(delete(ReadInWindow).where(ReadInWindow.window_id == window_id))

    def read_in_window(self, window_id: int) -> frozenset[str]:
        """Identifiers of the records that an unfinished window has read."""
        with self._reading() as session:
            found = select(ReadInWindow.identifier).where(ReadInWindow.window_id == window_id)
            return frozenset(session.scalars(found))

    @repeatable
    def note_read(self, window_id: int, identifiers: Collection[str]) -> None:
        """They are in the catalogue, and need not be asked for again before the window is done."""
        rows = [{"window_id": window_id, "identifier": clean(each), "read_at": now()} for each in identifiers]
        if rows:
            with self._writing() as session:
                session.execute(self._insert(ReadInWindow).on_conflict_do_nothing(), rows)

    def add_record(self, archive_id: int, record: RecordEntry) -> Change:
        """Store a record with its rights and what pictures it names, in one transaction.

        Pictures of a new or changed record are wanted; what is held of the same reference stays, with its
        validators. A deleted record keeps its description and pictures, for the attempts made from them;
        a withdrawn one that is listed again lives again. What a changed one said before is kept, and so is what a
        curator put right in it.
        """
        (change,) = self.add_records(archive_id, [record])
        return change

    @repeatable
    def add_records(self, archive_id: int, records: Sequence[RecordEntry]) -> list[Change]:
        """As `add_record`, of several in one transaction; what became of each.

        New ones are written together, which takes a fraction of the time.
        """
        names = [clean(record.identifier) for record in records]
        changes = []
        with self._writing() as session:
            known = _known(session, archive_id, names)
            fresh: dict[str, RecordEntry] = {}
            for name, record in zip(names, records, strict=True):
                if name not in known:
                    fresh.setdefault(name, record)
            written = self._write_new(session, archive_id, fresh)
            for name, record in zip(names, records, strict=True):
                if name in written:  # once: what comes twice is looked at again
                    written.remove(name)
                    changes.append(Change.DELETED if record.deleted else Change.NEW)
                elif known.pop(name, None) == (_digest(record), record.deleted):
                    changes.append(Change.UNCHANGED)
                else:
                    changes.append(self._add(session, archive_id, record))
        return changes

    def _add(self, session: Session, archive_id: int, record: RecordEntry) -> Change:
        digest = _digest(record)
        by_name = (Record.archive_id == archive_id, Record.identifier == record.identifier)
        columns = select(Record.id, Record.digest, Record.deleted_at)
        known = session.execute(columns.where(*by_name)).one_or_none()
        if known is not None and known.digest == digest and (known.deleted_at is not None) is record.deleted:
            return Change.UNCHANGED
        if known is not None and record.deleted:
            gone = {"deleted_at": record.datestamp, "datestamp": record.datestamp, "digest": digest}
            with self._reviews_follow(session, named_by(session, [known.id])):
                session.execute(update(Record).where(*by_name).values(gone))
            return Change.DELETED
        if known is not None:
            keep_former(session, known.id)
        with self._reviews_follow(session, named_by(session, [known.id]) if known else ()):
            self._write_record(session, archive_id, record, digest)
        if record.deleted:
            return Change.DELETED
        return Change.NEW if known is None else Change.CHANGED

    @repeatable
    def keep_unreadable(self, archive_id: int, identifier: str, reason: str, raw: bytes | None) -> None:
        """Note what could not be read as a record, with its bytes.

        Pictures of a record that is known by that name are held back: what it says now is not known, and what it said
        before may be allowed no more.
        """
        seen = {"reason": clean(reason), "raw": raw, "last_seen_at": now()}
        row = self._insert(UnreadableRecord).values(
            archive_id=archive_id, identifier=clean(identifier), first_seen_at=now(), **seen
        )
        with self._writing() as session, self._rights_follow(session, archive_id, [identifier]):
            session.execute(row.on_conflict_do_update(index_elements=["archive_id", "identifier"], set_=seen))

    def unreadable_records(self, archive_id: int) -> set[str]:
        """Identifiers of what could not be read when it was last listed."""
        found = select(UnreadableRecord.identifier).where(UnreadableRecord.archive_id == archive_id)
        with self._reading() as session:
            return set(session.scalars(found))

    def forget_unreadable(self, archive_id: int, identifiers: Collection[str]) -> None:
        """They were read, or are listed no more."""
        for some in chunks(list(identifiers)):
            which = (UnreadableRecord.archive_id == archive_id, UnreadableRecord.identifier.in_(some))
            with self._writing() as session, self._rights_follow(session, archive_id, some):
                session.execute(delete(UnreadableRecord).where(*which))

    def _rights_follow(
        self, session: Session, archive_id: int, identifiers: Collection[str]
    ) -> AbstractContextManager[None]:
        names = [clean(identifier) for identifier in identifiers]
        known = select(Record.id).where(Record.archive_id == archive_id, Record.identifier.in_(names))
        return self._reviews_follow(session, named_by(session, session.scalars(known).all()))

    def count_unlisted(self, archive_id: int, listed: Container[str]) -> tuple[int, int]:
        """How many of the archive's live records are not among the identifiers (`clean`), and of how many."""
        with self._reading(stream=True) as session:
            counts = Counter(identifier in listed for _, identifier in session.execute(_live(archive_id)))
        return counts[False], counts.total()

    def withdraw_unlisted(self, archive_id: int, listed: Container[str]) -> int:
        """Mark the archive's live records that are not among the identifiers (`clean`) as deleted; how many.

        For archives that list everything each time and never say what is gone.
        """
        with self._writing() as session:
            gone = [number for number, identifier in session.execute(_live(archive_id)) if identifier not in listed]
            for some in chunks(gone):
                with self._reviews_follow(session, named_by(session, some)):
                    session.execute(update(Record).where(Record.id.in_(some)).values(deleted_at=now()))
            return len(gone)

    def wanted_pictures(self, archive_id: int) -> list[WantedPicture]:
        """What is to be fetched tonight, in the harvest's order; what failed before comes last."""
        due = or_(RecordImage.next_try_at.is_(None), RecordImage.next_try_at <= now())
        found = select(RecordImage, Record.identifier).where(_unheld(archive_id), due)
        found = found.join(Record, Record.id == RecordImage.record_id)
        with self._reading() as session:
            rows = session.execute(found.order_by(RecordImage.tries, RecordImage.record_id, RecordImage.position))
            return [_wanted(link, identifier) for link, identifier in rows]

    def waiting_pictures(self, archive_id: int) -> int:
        """How many failed before and are not due tonight."""
        waiting = select(func.count()).select_from(RecordImage).join(Record, Record.id == RecordImage.record_id)
        with self._reading() as session:
            return session.execute(waiting.where(_unheld(archive_id), RecordImage.next_try_at > now())).scalar_one()

    @repeatable
    def hold_picture(self, wanted: WantedPicture, facts: ImageFacts, source: PictureSource) -> int:
        """The picture's file is in the store: write its image row and hang it to the record.

        If the record has come to name another picture meanwhile, the image is kept and the record left alone.
        """
        held = {
            "url": source.url,
            "etag": source.etag,
            "last_modified": source.last_modified,
            **_settled(PictureState.HELD),
        }
        with self._writing() as session:
            image_id = self._add_image(session, facts, wanted.record_id)
            with self._reviews_follow(session, {image_id} | named_by(session, [wanted.record_id])):
                session.execute(_link(wanted).values(held | {"image_id": image_id}))
            return image_id

    def read_otherwise(self) -> set[str]:
        """Harvested pictures (sha256) of a time when decoding wrote down nothing of what it corrected."""
        before = select(Image.sha256).where(Image.record_id.is_not(None), Image.notes.is_(None))
        with self._reading() as session:
            return set(session.scalars(before))

    def correct_image(self, facts: ImageFacts) -> None:
        """A harvested picture was decoded again: keep what is known of it now.

        Where decoding corrected something, its tone follows, unless a curator gave one, and encoders look at it anew.
        """
        told = {"width": facts.width, "height": facts.height, "mode": facts.mode, "notes": list(facts.notes)}
        this = (Image.sha256 == facts.sha256, Image.record_id.is_not(None))
        measured = {"tone_measures": dict(facts.tone_measures)}
        given = Image.machine_tone.is_not(None)
        with self._writing() as session:
            if not changed(session, update(Image).where(*this).values(told)) or not facts.notes:
                return
            session.execute(update(Image).where(*this, ~given).values(tone=facts.tone, **measured))
            session.execute(update(Image).where(*this, given).values(machine_tone=facts.tone, **measured))
            known = select(Image.id).where(*this).scalar_subquery()
            session.execute(delete(Embedding).where(Embedding.image_id == known))

    @repeatable
    def keep_picture(self, wanted: WantedPicture) -> None:
        """The archive says that what we hold is still right."""
        with self._writing() as session:
            session.execute(_link(wanted).where(RecordImage.image_id.is_not(None)).values(_settled(PictureState.HELD)))

    @repeatable
    def picture_failed(
        self, wanted: WantedPicture, problem: str, patience: Patience = USUAL, *, counted: bool = True
    ) -> bool:
        """Note why it could not be had, and when it is asked for again: the next night, then after 2, 4, 8 ... nights.

        Args:
            wanted: the picture.
            problem: for a person.
            patience: after how many nights it is called broken, and the longest pause.
            counted: this was one of its nights; off where the picture is not to blame. A night counts once, however
                often it is tried.

        Returns:
            Is it broken: has it failed on so many nights? It is asked for again all the same.
        """
        columns = select(RecordImage.failed_at, RecordImage.failed_nights, RecordImage.next_try_at)
        with self._writing() as session:
            row = session.execute(columns.where(_is_link(wanted))).one_or_none()
            if row is None:  # the record has changed meanwhile
                return False
            failed_at, nights, next_try_at = row
            if counted and (failed_at is None or now() - failed_at >= SAME_NIGHT):
                failed_at, nights = now(), nights + 1
                pause = patience.pause_nights(nights)
                next_try_at = failed_at + timedelta(days=pause) - SAME_NIGHT if pause > 1 else None
            broken = nights >= patience.lasting
            told = {"problem": problem, "state": PictureState.BROKEN if broken else PictureState.WANTED}
            when = {"failed_at": failed_at, "failed_nights": nights, "next_try_at": next_try_at}
            session.execute(_link(wanted).values({**told, **when, "tries": RecordImage.tries + 1}))
            return broken

    def drop_picture(self, wanted: WantedPicture) -> bool:
        """Forget an address that led to no picture, where the record has one by another; was it so?"""
        other = select(RecordImage.record_id).where(
            RecordImage.record_id == wanted.record_id, RecordImage.image_id.is_not(None)
        )
        unheld = delete(RecordImage).where(_is_link(wanted), RecordImage.image_id.is_(None))
        with self._writing() as session:
            return session.execute(other.limit(1)).first() is not None and bool(changed(session, unheld))

    def _write_new(self, session: Session, archive_id: int, records: Mapping[str, RecordEntry]) -> set[str]:
        """Write records that are not known, by identifier; which were: another harvest may have been quicker."""
        if not records:
            return set()
        rows = [_row(archive_id, record, _digest(record)) for record in records.values()]
        added = self._insert(Record).on_conflict_do_nothing().returning(Record.id, Record.identifier)
        numbers = {name: number for number, name in session.execute(added, rows)}
        tables: defaultdict[type[Base], list[dict[str, Any]]] = defaultdict(list)
        for name, number in numbers.items():
            for part, values in _parts(records[name], {}):
                tables[part] += [{"record_id": number, **each} for each in values]
        for table, rows in tables.items():
            insert_rows(session, table, rows)
        index_new(session, {number: _words(records[name]) for name, number in numbers.items()})
        return set(numbers)

    def _write_record(self, session: Session, archive_id: int, record: RecordEntry, digest: str) -> None:
        said = record
        if right := corrections.in_force(session, archive_id, record.identifier):
            said = replace(record, **attributes(right))
        row = _row(archive_id, said, digest)
        row["archive_words"] = {field: value_of(record, field) for field in right} or None
        upsert = self._insert(Record).values(row)
        upsert = upsert.on_conflict_do_update(index_elements=["archive_id", "identifier"], set_=row)
        record_id = session.execute(upsert.returning(Record.id)).scalar_one()
        links = select(RecordImage).where(RecordImage.record_id == record_id)
        held = {link.reference: link for link in session.scalars(links)}
        session.execute(_lapse(record_id, record.rights))
        for table in (RecordArtist, RecordCast, Rights, RecordImage):
            session.execute(delete(table).where(table.record_id == record_id))
        session.expunge_all()  # the old links go on as plain values
        for part, values in _parts(said, held):
            if values:
                session.execute(insert(part), [{"record_id": record_id, **each} for each in values])
        index_record(session, self._insert(SearchText), record_id, _words(said))

    def index_again(self) -> int:
        """Let records be found as this version normalises words, a block of them at a time; how many were not."""
        total = 0
        while True:
            with self._writing() as session:
                done = index_again(session, self._insert(SearchText), INDEXED_AT_ONCE)
            total += done
            if done < INDEXED_AT_ONCE:
                return total

    def _reviews_follow(self, session: Session, image_ids: Collection[int]) -> AbstractContextManager[None]:
        return following(session, self._insert(Review), image_ids)


def _known(session: Session, archive_id: int, names: Collection[str]) -> dict[str, tuple[str, bool]]:
    """Digest, and whether it is deleted, of each of these records that there is."""
    columns = select(Record.identifier, Record.digest, Record.deleted_at).where(Record.archive_id == archive_id)
    found = (row for some in chunks(names) for row in session.execute(columns.where(Record.identifier.in_(some))))
    return {name: (digest, deleted_at is not None) for name, digest, deleted_at in found}


def _row(archive_id: int, record: RecordEntry, digest: str) -> dict[str, Any]:
    copied = {key: getattr(record, key) for key in _COPIED}
    deleted_at = record.datestamp if record.deleted else None
    people = [*record.authorities] or None
    return {**copied, "archive_id": archive_id, "digest": digest, "deleted_at": deleted_at, "authorities": people}


def _parts(record: RecordEntry, held: Mapping[str, RecordImage]) -> list[tuple[type[Base], list[dict[str, Any]]]]:
    """What a record has beside its own row, by table; what is held of its pictures by reference."""
    several: list[tuple[type[Base], list[dict[str, Any]]]] = [
        (RecordArtist, [{"name": name} for name in record.artists]),
        (RecordCast, [{"role": role, "actor": actor} for role, actor in record.cast]),
        (RecordImage, [_linked(each, held.get(each)) for each in record.pictures]),
    ]
    numbered = [(table, [{"position": n, **each} for n, each in enumerate(values)]) for table, values in several]
    return [*numbered, (Rights, [asdict(record.rights)])]


def _words(record: RecordEntry) -> tuple[str, ...]:
    """What a record is found by."""
    return (record.title, record.identifier, *record.artists, *(word for pair in record.cast for word in pair))


def _digest(record: RecordEntry) -> str:
    """Of all that the record says; which rules have judged it is not the archive's word."""
    said = asdict(record) | {"datestamp": str(record.datestamp)}
    del said["rights"]["rules"]
    if not record.authorities:  # else every record of before would be another
        del said["authorities"]
    return hashlib.sha256(to_json(said).encode()).hexdigest()


def _unfinished(column: InstrumentedAttribute[int], archive_id: int, start: datetime | None) -> Select[int]:
    """Of the latest window that began at this moment and is not finished."""
    begins = Window.start.is_(None) if start is None else Window.start == start
    found = select(column).where(Window.archive_id == archive_id, Window.state != WindowState.DONE, begins)
    return found.order_by(Window.id.desc()).limit(1)


def _live(archive_id: int) -> Select[int, str]:
    """Number and identifier of each record that the archive has not deleted."""
    return (
        select(Record.id, Record.identifier)
        .where(Record.archive_id == archive_id, Record.deleted_at.is_(None))
        .execution_options(yield_per=1000)
    )


def _unheld(archive_id: int) -> Any:
    """What an archive's live records name and is not held as it is now."""
    named = and_(Record.archive_id == archive_id, Record.deleted_at.is_(None))
    return and_(named, RecordImage.state != PictureState.HELD)


def _linked(reference: str, held: RecordImage | None) -> dict[str, Any]:
    """A wanted picture; what is held of the same reference lets the archive answer "unchanged"."""
    kept = ("url", "etag", "last_modified", "fetched_at", "image_id", "failed_at")
    return {
        "reference": reference,
        "state": PictureState.WANTED,
        "problem": None,
        "tries": 0,
        "failed_nights": held.failed_nights if held else 0,
        **{key: getattr(held, key, None) for key in kept},
    }


def _lapse(record_id: int, rights: RightsEntry) -> Any:
    """Delete a person's word on the record, where its rights are others than those that they read."""
    same = select(Rights.record_id).where(
        Rights.record_id == record_id, Rights.derivatives == rights.derivatives, Rights.text == rights.text
    )
    return delete(Release).where(Release.record_id == record_id, Release.record_id.not_in(same))


def _wanted(link: RecordImage, identifier: str) -> WantedPicture:
    return WantedPicture(
        record_id=link.record_id,
        identifier=identifier,
        position=link.position,
        reference=link.reference,
        etag=link.etag,
        last_modified=link.last_modified,
        failed_nights=link.failed_nights,
    )


def _is_link(wanted: WantedPicture) -> Any:
    return and_(
        RecordImage.record_id == wanted.record_id,
        RecordImage.position == wanted.position,
        RecordImage.reference == wanted.reference,
    )


def _link(wanted: WantedPicture) -> Any:
    return update(RecordImage).where(_is_link(wanted))


def _settled(state: PictureState) -> dict[str, Any]:
    never_failed = {"problem": None, "tries": 0, "failed_at": None, "failed_nights": 0, "next_try_at": None}
    return {"state": state, "fetched_at": now(), **never_failed}
