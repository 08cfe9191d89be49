"""Which images may be used, as SQL: one definition for embedding, matching, taking and taking over.

Rights belong to records. An image may be used when a live record that names it says so and no live record
says no; made images (an attempt's output) never become content or style, whoever names them.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, and_, exists, not_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.entries.claim import MatcherKey
from db.entries.night import Derivatives, EncoderKey, MatchOutcome
from db.tables.night import Embedding, Image, Match, Record, RecordImage, Rights

ImageId = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
RecordCondition = Callable[[type[Record]], ColumnElement[bool]]
_link, _record, _rights = aliased(RecordImage), aliased(Record), aliased(Rights)
"""Aliased, for SQLAlchemy would tie the tables to those of the query around; once, for making them takes a while."""


def says(word: Derivatives, image_id: ImageId, also: RecordCondition | None = None) -> ColumnElement[bool]:
    """A live record names the image, its rights are this word, and the record is `also` so."""
    return exists().where(
        _link.image_id == image_id,
        _record.id == _link.record_id,
        _record.deleted_at.is_(None),
        _rights.record_id == _record.id,
        _rights.derivatives == word,
        *([also(_record)] if also else []),
    )


def usable(image_id: ImageId, also: RecordCondition | None = None) -> ColumnElement[bool]:
    """Derivatives of the (harvested) image are allowed, by a record that is `also` so."""
    return and_(says(Derivatives.YES, image_id, also), not_(says(Derivatives.NO, image_id)))


def harvested() -> ColumnElement[bool]:
    """The image came from an archive; it was not made by an attempt."""
    return Image.record_id.is_not(None)


def seen_by(encoder: EncoderKey) -> ColumnElement[bool]:
    """The embedding is of this encoder."""
    return and_(Embedding.encoder_name == encoder.name, Embedding.encoder_checksum == encoder.checksum)


def found_by(matcher: MatcherKey) -> ColumnElement[bool]:
    """The match is of this matcher."""
    return and_(Match.matcher_name == matcher.name, Match.matcher_version == matcher.version)


def standing(matcher: MatcherKey) -> ColumnElement[bool]:
    """The row is the matcher's chosen pair, and its style may still be used."""
    return and_(found_by(matcher), Match.outcome == MatchOutcome.MATCHED, usable(Match.style_id))
