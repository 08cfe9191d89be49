"""What a person puts back to the queue by hand: pictures, windows and attempts that the nights had done with.

Each is one transaction, and harmless to do twice. Nothing is fetched or made here: the next night does it.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, literal, or_, select, update

from db.entries.night import Outcome, WindowState
from db.errors import UnknownEntry
from db.queries.base.store import Store, changed, chunks
from db.queries.night.open_requests import PUT_BACK, counts
from db.tables.base import PictureState
from db.tables.night import Archive, Attempt, Batch, Image, Record, RecordImage, Window

_ANEW = {
    "state": PictureState.WANTED, "etag": None, "last_modified": None, "problem": None, "tries": 0, "failed_at": None,
    "failed_nights": 0, "next_try_at": None,
}  # fmt: skip
"""A picture as if it had never been asked for; what is held of it stays until then."""


class RedoQueries(Store):
    """Puts back; each method tells how much."""

    def records_named(self, identifiers: Collection[str], archive: str | None = None) -> list[int]:
        """Records that their archives have not deleted, of one archive or of all that know these identifiers.

        Raises:
            UnknownEntry: one of the identifiers is no such record's.
        """
        found = select(Record.id, Record.identifier).join(Archive, Archive.id == Record.archive_id)
        found = found.where(Record.identifier.in_(identifiers), Record.deleted_at.is_(None))
        with self._reading() as session:
            rows = session.execute(found.where(Archive.name == archive) if archive else found).all()
        if missing := sorted(set(identifiers) - {identifier for _, identifier in rows}):
            where = f" in {archive}" if archive else ""
            raise UnknownEntry(f"there is no record {', '.join(missing)}{where}; nishiki export lists identifiers")
        return [number for number, _ in rows]

    def want_records_again(self, record_ids: Collection[int]) -> int:
        """All pictures of these records."""
        return self._want_again(RecordImage.record_id.in_(record_ids))

    def want_failed_again(self, archive: str) -> int:
        """Those pictures of an archive that could not be had, broken ones included.

        Raises:
            UnknownEntry: there is no such archive.
        """
        records = select(Record.id).where(Record.archive_id == self._archive(archive), Record.deleted_at.is_(None))
        failed = or_(RecordImage.state == PictureState.BROKEN, RecordImage.tries > 0, RecordImage.failed_nights > 0)
        return self._want_again(
            and_(RecordImage.record_id.in_(records), RecordImage.state != PictureState.HELD, failed)
        )

    def forget_windows(self, archive: str, since: datetime | None = None) -> int:
        """Forget that windows of an archive were finished, those alone that reach beyond `since` where it is given.

        Raises:
            UnknownEntry: there is no such archive.
        """
        done = [Window.archive_id == self._archive(archive), Window.state == WindowState.DONE]
        if since is not None:
            done.append(or_(Window.until.is_(None), Window.until > since))
        with self._writing() as session:
            return changed(session, delete(Window).where(*done))

    def retry_records(self, record_ids: Collection[int], by: str) -> int:
        """Failed attempts at pictures of these records."""
        return self._retry(Attempt.content_sha256.in_(_pictures(RecordImage.record_id.in_(record_ids))), by)

    def retry_archive(self, archive: str, by: str) -> int:
        """Failed attempts at pictures of an archive.

        Raises:
            UnknownEntry: there is no such archive.
        """
        records = select(Record.id).where(Record.archive_id == self._archive(archive))
        return self._retry(Attempt.content_sha256.in_(_pictures(RecordImage.record_id.in_(records))), by)

    def retry_batch(self, batch_id: int, by: str) -> int:
        """Failed attempts at what failed in a batch, in that batch or in others, by its recipe with its models.

        Raises:
            UnknownEntry: there is no such batch.
        """
        key = ("content_sha256", "recipe_digest", "models_digest", "inputs_digest")
        failed = select(*(getattr(Attempt, name).label(name) for name in key))
        here = failed.where(Attempt.batch_id == self._batch(batch_id), Attempt.outcome == Outcome.FAILED).subquery()
        return self._retry(exists().where(*(getattr(Attempt, name) == here.c[name] for name in key)), by)

    def results_of_batch(self, batch_id: int) -> list[str]:
        """What a batch made, by sha256.

        Raises:
            UnknownEntry: there is no such batch.
        """
        return self._results(Attempt.batch_id == self._batch(batch_id))

    def results_of_records(self, record_ids: Collection[int]) -> list[str]:
        """What was made of the pictures of these records, by sha256."""
        return self._results(Attempt.content_sha256.in_(_pictures(RecordImage.record_id.in_(record_ids))))

    def _want_again(self, which: ColumnElement[bool]) -> int:
        with self._writing() as session:
            return changed(session, update(RecordImage).where(which).values(_ANEW))

    def _retry(self, which: ColumnElement[bool], by: str) -> int:
        """A failed attempt stays, counts no longer, and says so."""
        when = f"put back by {by} on {datetime.now(UTC):%Y-%m-%d}; before that: "
        had = func.coalesce(Attempt.error_class, "").concat(": ").concat(func.coalesce(Attempt.error_message, ""))
        told = {"error_class": PUT_BACK, "error_message": literal(when).concat(had), "transient": True}
        failed = and_(Attempt.outcome == Outcome.FAILED, or_(counts(Attempt), Attempt.transient.is_(False)))
        with self._writing() as session:
            numbers = session.scalars(select(Attempt.id).where(failed, which)).all()
            for some in chunks(numbers):
                session.execute(update(Attempt).where(Attempt.id.in_(some)).values(told))
        return len(numbers)

    def _results(self, which: ColumnElement[bool]) -> list[str]:
        made = select(Image.sha256).join(Attempt, Attempt.output_image_id == Image.id)
        with self._reading() as session:
            found = session.scalars(made.where(which, Attempt.outcome.is_not(None)).order_by(Attempt.id))
            return list(dict.fromkeys(found))

    def _archive(self, name: str) -> int:
        with self._reading() as session:
            found = session.scalar(select(Archive.id).where(Archive.name == name))
        if found is None:
            raise UnknownEntry(f"there is no archive {name!r} in the catalogue; nishiki status lists them")
        return found

    def _batch(self, number: int) -> int:
        with self._reading() as session:
            if session.get(Batch, number) is None:
                raise UnknownEntry(f"there is no batch {number}; nishiki export names the batch of each attempt")
        return number


def _pictures(named: ColumnElement[bool]) -> Any:
    """The sha256 of pictures that records name."""
    return select(Image.sha256).join(RecordImage, RecordImage.image_id == Image.id).where(named)
