"""The queries of measuring again: which pictures an encoder has not measured yet, and what it found of the others.

A measurement stands beside an attempt's own figures and never in their place. Durable when `add_measurement` returns.
"""

from collections import defaultdict
from collections.abc import Collection
from math import isfinite

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, select, true, union_all

from db.entries.measured import FIGURES, ErrorFigures, MeasuredMeans, MeasurementEntry
from db.entries.night import EncoderKey
from db.errors import UnknownEntry
from db.queries.base.store import Store, chunks, now
from db.tables.night import Attempt, Batch, Measurement


class MeasureQueries(Store):
    """What `nishiki measure` says to the catalogue."""

    def attempts_to_measure(self, encoder: EncoderKey, batch_id: int | None = None) -> list[int]:
        """Attempts with a saved picture that this encoder has not measured, oldest first; of one batch, or of all.

        Raises:
            UnknownEntry: there is no such batch.
        """
        done = exists().where(Measurement.attempt_id == Attempt.id, _by(encoder))
        left = select(Attempt.id).where(Attempt.output_image_id.is_not(None), not_(_made_by(encoder)), not_(done))
        with self._reading() as session:
            if batch_id is not None and session.get(Batch, batch_id) is None:
                raise UnknownEntry(f"there is no batch {batch_id}; `nishiki export` lists every attempt with its batch")
            return list(session.scalars(left.where(_of(batch_id)).order_by(Attempt.id)))

    def add_measurement(self, attempt_id: int, encoder: EncoderKey, errors: ErrorFigures) -> None:
        """Keep what an encoder found; where it has measured the attempt already, that stays."""
        figures = {
            name: value if value is not None and isfinite(value) else None for name, value in vars(errors).items()
        }
        key = {"attempt_id": attempt_id, "encoder_name": encoder.name, "encoder_checksum": encoder.checksum}
        with self._writing() as session:
            row = self._insert(Measurement).values(**key, **figures, measured_at=now())
            session.execute(row.on_conflict_do_nothing())

    def measurements(self, attempt_ids: Collection[int]) -> dict[int, list[MeasurementEntry]]:
        """What other encoders found of each attempt, in their order; those that none has measured are left out."""
        found: defaultdict[int, list[MeasurementEntry]] = defaultdict(list)
        with self._reading() as session:
            for some in chunks(attempt_ids):
                kept = select(Measurement).where(Measurement.attempt_id.in_(some))
                for row in session.scalars(kept.order_by(Measurement.measured_at, Measurement.encoder_name)):
                    errors = ErrorFigures(**{name: getattr(row, name) for name in FIGURES})
                    key = EncoderKey(row.encoder_name, row.encoder_checksum)
                    found[row.attempt_id].append(MeasurementEntry(row.attempt_id, key, errors, row.measured_at))
        return dict(found)

    def figured_by(self, batch_id: int | None = None) -> set[EncoderKey]:
        """Every encoder that there are figures of: those that made the attempts, and those that measured them."""
        made = select(Attempt.encoder_name, Attempt.weights_checksum).where(Attempt.output_image_id.is_not(None))
        again = select(Measurement.encoder_name, Measurement.encoder_checksum).join(
            Attempt, Attempt.id == Measurement.attempt_id
        )
        with self._reading() as session:
            found = session.execute(made.where(_of(batch_id)).union(again.where(_of(batch_id))))
            return {EncoderKey(name, checksum) for name, checksum in found}

    def means_by(self, encoder: EncoderKey, batch_id: int | None = None) -> list[MeasuredMeans]:
        """Means of all that is known by one encoder: of what it measured again, and of the attempts that it made."""
        again = _figures(Measurement).join(Measurement, Measurement.attempt_id == Attempt.id).where(_by(encoder))
        made = _figures(Attempt).where(_made_by(encoder), Attempt.output_image_id.is_not(None))
        known = union_all(again.where(_of(batch_id)), made.where(_of(batch_id))).subquery()
        which = (known.c.recipe_name, known.c.recipe_digest, known.c.encoder_name, known.c.weights_checksum)
        means = select(*which, func.count(), *(func.avg(known.c[name]) for name in FIGURES)).group_by(*which)
        with self._reading() as session:
            return [
                MeasuredMeans(name, digest, EncoderKey(maker, checksum), count, ErrorFigures(*figures))
                for name, digest, maker, checksum, count, *figures in session.execute(means.order_by(*which))
            ]


def _by(encoder: EncoderKey) -> ColumnElement[bool]:
    return and_(Measurement.encoder_name == encoder.name, Measurement.encoder_checksum == encoder.checksum)


def _made_by(encoder: EncoderKey) -> ColumnElement[bool]:
    return and_(Attempt.encoder_name == encoder.name, Attempt.weights_checksum == encoder.checksum)


def _of(batch_id: int | None) -> ColumnElement[bool]:
    return true() if batch_id is None else Attempt.batch_id == batch_id


def _figures(table: type[Attempt] | type[Measurement]) -> Select[tuple[object, ...]]:
    """An attempt's recipe and maker, and its figures as they stand in the table."""
    figures = (getattr(table, name).label(name) for name in FIGURES)
    return select(Attempt.recipe_name, Attempt.recipe_digest, Attempt.encoder_name, Attempt.weights_checksum, *figures)
