"""What curators put right in records: what of it stands, and when words of a record changed.

`records` and what hangs on it hold what stands, so that every query goes by it; `records.archive_words` holds what the
archive says there. A harvest writes both anew (`db.queries.night.harvest`).
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.entries.corrections import Correctable
from db.tables.night import Correction, FormerRecord, Record

MOMENTS: Final = (
    (FormerRecord.record_id, FormerRecord.replaced_at),
    (Correction.record_id, Correction.given_at),
)
"""Of every time that a record came to say something else, by its archive or by a curator. Asked one after the other:
SQLite would go through all of a union."""


def in_force(session: Session, archive_id: int, identifier: str) -> dict[Correctable, Sequence[Any]]:
    """What curators put right in the record of this name, by field."""
    this = (Record.archive_id == archive_id, Record.identifier == identifier)
    words = session.scalar(select(Record.archive_words).where(*this))
    if not words:
        return {}
    said = select(Correction.field, Correction.after).join(Record, Record.id == Correction.record_id)
    newest_last = said.where(*this, Correction.field.in_(words)).order_by(Correction.id)
    return dict(session.execute(newest_last).all())
