"""A batch as callers see it: read by the dispatch, and by whoever looks at how the catalogue stands."""

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from db.entries.claim import models_from
from db.entries.night import BatchEntry, EncoderKey, RecipeEntry
from db.tables.night import Attempt, Batch


def is_pending() -> ColumnElement[bool]:
    """The attempt has no outcome."""
    return Attempt.outcome.is_(None)


def batch_entry(session: Session, batch_id: int, lease: int = 0) -> BatchEntry:
    """The batch with its counts, as callers see it."""
    batch = session.get_one(Batch, batch_id, populate_existing=True)
    counts = select(func.count(), func.count(case((is_pending(), 1)))).where(Attempt.batch_id == batch_id)
    taken, left = session.execute(counts.select_from(Attempt)).one()
    return BatchEntry(
        id=batch.id,
        lease=lease,
        recipe=RecipeEntry(batch.recipe_name, batch.recipe_data, batch.recipe_digest, batch.styles),
        encoder=EncoderKey(batch.encoder_name, batch.encoder_checksum),
        models=models_from(batch.models),
        started_at=batch.started_at,
        taken=taken,
        left=left,
    )
