"""Which images may be used, as SQL: one definition for embedding, matching, taking and taking over.

Rights belong to records. An image may be used when a live record that names it says so, or a person has released it,
and no live record says no or contradicts itself, unless a person has released that one; nor may it while what one of
them says now cannot be read. Made images (an attempt's output) never become content or style, whoever names them.
"""

from collections.abc import Callable
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from db.entries.claim import PINNED, MatcherKey
from db.entries.night import Derivatives, EncoderKey, MatchOutcome, Tone
from db.tables.night import Attempt, Embedding, Image, Match, Record, RecordImage, Release, Rights, UnreadableRecord
from db.tables.review import Review

ImageId = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
RecordCondition = Callable[[type[Record]], ColumnElement[bool]]
OPEN = (Derivatives.ASK, Derivatives.UNKNOWN, Derivatives.CONTRADICTORY)
"""Words that leave it to a person; what is forbidden nobody can release."""
_link, _record, _rights, _release = aliased(RecordImage), aliased(Record), aliased(Rights), aliased(Release)
_first, _first_rights, _unread = aliased(Image), aliased(Rights), aliased(UnreadableRecord)
_toned, _content = aliased(Image), aliased(Image)
_looked, _last, _any_of, _pin = aliased(Match), aliased(Match), aliased(Match), aliased(Match)
"""Aliased, for SQLAlchemy would tie the tables to those of the query around; once, for making them takes a while."""
_written_once = lru_cache(maxsize=64)
"""Conditions never change; to put one together takes longer than a small query with it."""


def says(word: Derivatives, image_id: ImageId) -> ColumnElement[bool]:
    """A live record names the image, and its rights are this word, which no person has lifted."""
    return _named(image_id, _rights.derivatives == word, not_(is_released(_rights)))


def is_released(rights: type[Rights]) -> ColumnElement[bool]:
    """A person has said that the record may be used, and its rights leave that to them."""
    return and_(rights.derivatives.in_(OPEN), exists().where(_release.record_id == rights.record_id))


def allows(rights: type[Rights]) -> ColumnElement[bool]:
    """The record's rights say yes, or a person has released it."""
    return or_(rights.derivatives == Derivatives.YES, is_released(rights))


@_written_once
def usable(image_id: ImageId, also: RecordCondition | None = None) -> ColumnElement[bool]:
    """Derivatives of the (harvested) image are allowed, by a record that is `also` so."""
    allowed = _named(image_id, allows(_rights), *([also(_record)] if also else []))
    against = [not_(says(word, image_id)) for word in (Derivatives.NO, Derivatives.CONTRADICTORY)]
    return and_(allowed, *against, not_(_named(image_id, is_unread(_record))))


def is_unread(record: type[Record]) -> ColumnElement[bool]:
    """What the archive says of the record now cannot be read."""
    return exists().where(_unread.archive_id == record.archive_id, _unread.identifier == record.identifier)


def may_be_shown(image_id: ImageId) -> ColumnElement[bool]:
    """What was made of the image may be seen: it is usable, or what first brought it allowed it and none names it now.

    An archive that gives up a record says nothing against it.
    """
    last_word = exists().where(
        _first.id == image_id, _first_rights.record_id == _first.record_id, allows(_first_rights)
    )
    return or_(usable(image_id), and_(not_(_named(image_id)), last_word))


def _named(image_id: ImageId, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """A live record that fulfils the conditions names the image."""
    return exists().where(
        _link.image_id == image_id,
        _record.id == _link.record_id,
        _record.deleted_at.is_(None),
        _rights.record_id == _record.id,
        *conditions,
    )


def is_colour(image_id: ImageId) -> ColumnElement[bool]:
    """The image is a colour picture, as it is judged today: it is no content, and its colours can be lent."""
    return exists().where(_toned.id == image_id, _toned.tone == Tone.COLOUR)


def harvested() -> ColumnElement[bool]:
    """The image came from an archive; it was not made by an attempt."""
    return Image.record_id.is_not(None)


def seen_by(encoder: EncoderKey) -> ColumnElement[bool]:
    """The embedding is of this encoder."""
    return and_(Embedding.encoder_name == encoder.name, Embedding.encoder_checksum == encoder.checksum)


def found_by(matcher: MatcherKey) -> ColumnElement[bool]:
    """The match is of this matcher."""
    return and_(Match.matcher_name == matcher.name, Match.matcher_version == matcher.version)


@_written_once
def in_force(matcher: MatcherKey) -> ColumnElement[bool]:
    """The match is a curator's; or, where there is none, of this matcher.

    Or of the last before it, which stays where there is a verdict.
    """
    has_pin = exists().where(_pin.content_id == Match.content_id, _pin.matcher_name == PINNED.name, standing(_pin))
    has_looked = exists().where(
        _looked.content_id == Match.content_id,
        _looked.matcher_name == matcher.name,
        _looked.matcher_version == matcher.version,
        or_(_looked.rank.is_not(None), _looked.outcome == MatchOutcome.NO_MATCH),
    )
    newest = select(func.max(_any_of.id)).where(_any_of.content_id == Match.content_id, _any_of.rank.is_not(None))
    newest = newest.correlate(Match)  # two levels above: by itself it would take the newest of all contents
    of_newest = exists().where(
        _last.id == newest.scalar_subquery(),
        _last.matcher_name == Match.matcher_name,
        _last.matcher_version == Match.matcher_version,
    )
    before = and_(judged(Match.content_id), not_(has_looked), of_newest)
    return or_(and_(found_by(PINNED), has_pin), and_(not_(has_pin), or_(found_by(matcher), before)))


def standing(match: type[Match] = Match) -> ColumnElement[bool]:
    """The row is a chosen pair, and its style is still a colour picture that may be used."""
    return and_(match.outcome == MatchOutcome.MATCHED, usable(match.style_id), is_colour(match.style_id))


def judged(content_id: ImageId) -> ColumnElement[bool]:
    """A result of the content has a verdict."""
    return exists().where(
        _content.id == content_id,
        Attempt.content_sha256 == _content.sha256,
        Review.attempt_id == Attempt.id,
        Review.verdict.is_not(None),
    )
