"""What records said before they changed: kept whole when a harvest brings something else, told when a person asks."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, insert, literal, select
from sqlalchemy.orm import Session

from db.entries.night import FormerRecord, RightsEntry
from db.queries.base.store import Store, now
from db.tables import night as tables
from db.tables.night import Archive, Record, Rights

_KEPT = ("datestamp", "raw", "deleted_at")
_RIGHTS = ("derivatives", "basis", "uri", "text")


class HistoryQueries(Store):
    """What records said before."""

    def former_records(self, identifiers: Collection[str], archive: str | None = None) -> list[FormerRecord]:
        """Every earlier word of the records by these identifiers, by archive and identifier, oldest first."""
        with self._reading() as session:
            found = session.execute(of_records(tables.FormerRecord, identifiers, archive))
            return [_entry(row, *names) for row, *names in found.all()]


def of_records(
    said: type[tables.FormerRecord | tables.Correction], identifiers: Collection[str], archive: str | None
) -> Select[Any, str, str]:
    """All that was said of the records by these identifiers, with archive and identifier; oldest first within each."""
    rows = select(said, Archive.name, Record.identifier).join(Record, Record.id == said.record_id)
    rows = rows.join(Archive, Archive.id == Record.archive_id).where(Record.identifier.in_(identifiers))
    if archive is not None:
        rows = rows.where(Archive.name == archive)
    return rows.order_by(Archive.name, Record.identifier, said.id)


def keep_former(session: Session, record_id: int) -> None:
    """Keep what a record says now, with its rights: it is about to say something else."""
    columns = [*(getattr(Record, name) for name in _KEPT), *(getattr(Rights, name) for name in _RIGHTS)]
    moment = literal(now(), tables.FormerRecord.replaced_at.type)
    said = select(Record.id, *columns, moment).join(Rights, Rights.record_id == Record.id).where(Record.id == record_id)
    session.execute(insert(tables.FormerRecord).from_select(["record_id", *_KEPT, *_RIGHTS, "replaced_at"], said))


def _entry(row: tables.FormerRecord, archive: str, identifier: str) -> FormerRecord:
    rights = RightsEntry(row.derivatives, row.basis, row.uri, row.text)
    return FormerRecord(archive, identifier, row.datestamp, row.replaced_at, row.deleted_at, rights, row.raw)
