"""What a monitor asks every few seconds: kept counts, small tables, and of the attempts those of single batches."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.entries.metrics import ArchiveMetrics, BatchMetrics, CatalogueMetrics
from db.entries.night import WindowState
from db.entries.nights import NightEnding
from db.queries.base.tallies import TallyQueries, counts_of
from db.queries.night.nights import NightQueries
from db.tables.night import Archive, Attempt, Batch, BatchLease, Night, Window
from db.tables.review import Review

SUCCEEDED = (NightEnding.DONE, NightEnding.WAITING)
"""Ends of a night in which all was done that could be."""


class MetricQueries(NightQueries, TallyQueries):
    """The catalogue, for a monitor."""

    def metrics(self) -> CatalogueMetrics:
        """All of it but what is told by recipe."""
        last = next(iter(self.nights(1)), None)
        with self._reading() as session:
            counts = counts_of(session)
            success = select(func.max(Night.ended_at, type_=Night.ended_at.type)).where(Night.ending.in_(SUCCEEDED))
            ended = select(Night.ending, func.count()).where(Night.ending.is_not(None)).group_by(Night.ending)
            at_work = select(func.count()).select_from(BatchLease).where(BatchLease.ended_at.is_(None))
            return CatalogueMetrics(
                attempts=dict(counts["attempts"]),
                pictures=dict(counts["record_images"]),
                entries_waiting=_count(session, Review.waiting_since),
                conflicts=_count(session, Review.conflict_since),
                workers=session.execute(at_work).scalar_one(),
                archives=tuple(_archives(session, counts["records"])),
                nights={str(ending): number for ending, number in session.execute(ended)},
                last=last,
                last_success=session.execute(success).scalar(),
            )

    def batches_closed_at(self) -> dict[int, datetime | None]:
        """When each batch was closed; None: it is open."""
        with self._reading() as session:
            rows = session.execute(select(Batch.id, Batch.closed_at)).all()
        return dict(rows)

    def batch_metrics(self, batch_ids: Collection[int]) -> dict[int, list[BatchMetrics]]:
        """Attempts with an outcome of these batches, by recipe and outcome."""
        found: defaultdict[int, list[BatchMetrics]] = defaultdict(list)
        told = (
            select(Attempt.batch_id, Attempt.recipe_name, Attempt.outcome, func.count(), func.sum(Attempt.seconds))
            .where(Attempt.batch_id.in_(batch_ids), Attempt.outcome.is_not(None))
            .group_by(Attempt.batch_id, Attempt.recipe_name, Attempt.outcome)
        )
        with self._reading() as session:
            for batch_id, recipe, outcome, attempts, seconds in session.execute(told):
                found[batch_id].append(BatchMetrics(recipe, str(outcome), attempts, seconds or 0.0))
        return dict(found)


def _count(session: Session, since: InstrumentedAttribute[datetime | None]) -> int:
    return session.execute(select(func.count()).select_from(Review).where(since.is_not(None))).scalar_one()


def _archives(session: Session, records: Mapping[str, int]) -> list[ArchiveMetrics]:
    last = (
        select(func.max(Window.closed_at, type_=Window.closed_at.type))
        .where(Window.archive_id == Archive.id, Window.state == WindowState.DONE)
        .scalar_subquery()
    )
    rows = session.execute(select(Archive.id, Archive.name, last).order_by(Archive.name))
    return [ArchiveMetrics(name, records.get(f"{number} live", 0), closed) for number, name, closed in rows]
