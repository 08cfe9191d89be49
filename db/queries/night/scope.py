"""What the night takes on: contents due for a match.

The scope (tones, and genres by archive) comes from the settings; rights come from the records.
"""

from sqlalchemy import (
    ColumnElement,
    and_,
    exists,
    func,
    not_,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from db.entries.claim import PINNED, MatcherKey
from db.entries.night import ContentScope, EncoderKey, Outcome, Prospects, Tone
from db.queries.base.tallies import MATCHED, PICTURES, TallyQueries
from db.queries.base.usable import RecordCondition, found_by, harvested, judged, seen_by, standing, usable
from db.tables.night import Archive, Attempt, Embedding, Image, Match, Record


class ScopeQueries(TallyQueries):
    """Which contents the matching asks the catalogue for."""

    def contents_to_match(self, encoder: EncoderKey, matcher: MatcherKey, scope: ContentScope) -> list[int]:
        """Images of the scope that the encoder has seen, without a match of the matcher whose style may be used today.

        Those with "no match" get another chance, and those whose style's rights or record were withdrawn. What has a
        verdict keeps the match that an earlier matcher found, and what a curator pinned its pin.
        """
        seen = exists().where(Embedding.image_id == Image.id, seen_by(encoder))
        found = exists().where(
            Match.content_id == Image.id, standing(), or_(found_by(matcher), found_by(PINNED), judged(Match.content_id))
        )
        with self._reading() as session:
            due = select(Image.id).where(in_scope(session, scope), seen, not_(found)).order_by(Image.id)

        def ask() -> list[int]:
            with self._reading() as session:
                return list(session.scalars(due))

        return self._answer(due, MATCHED, ask)

    def prospects(self, scope: ContentScope) -> Prospects:
        """What there is to work on: why nothing is due, where nothing is."""
        with self._reading() as session:
            contents = in_scope(session, scope)
        tried = exists().where(Attempt.content_sha256 == Image.sha256, Attempt.outcome.is_not(None))
        done = exists().where(
            Attempt.content_sha256 == Image.sha256, Attempt.outcome.in_((Outcome.SUCCEEDED, Outcome.REJECTED))
        )
        return Prospects(
            contents=self._number(contents),
            styles=self._number(harvested(), Image.tone == Tone.COLOUR, usable(Image.id)),
            done=self._number(contents, done),
            failed=self._number(contents, tried, not_(done)),
        )

    def _number(self, *which: ColumnElement[bool]) -> int:
        counted = select(func.count()).select_from(Image).where(*which)

        def ask() -> int:
            with self._reading() as session:
                return session.execute(counted).scalar_one()

        return self._answer(counted, (*PICTURES, Attempt), ask)


def in_scope(session: Session, scope: ContentScope) -> ColumnElement[bool]:
    """The image is content for the night."""
    return taken(scope, in_genres(session, scope))


def taken(scope: ContentScope, within: RecordCondition) -> ColumnElement[bool]:
    """The image is content for the night, by a record whose genre is `within` the scope."""
    return and_(harvested(), Image.tone.in_(sorted(scope.tones)), usable(Image.id, within))


def in_archives(scope: ContentScope) -> ColumnElement[bool]:
    """The record is of an archive that the scope knows."""
    return Record.archive_id.in_(select(Archive.id).where(Archive.name.in_(sorted(scope.genres))))


def in_genres(session: Session, scope: ContentScope) -> RecordCondition:
    """The record's genre is one that its archive's scope takes, whatever its case.

    Compared here and not in the database: SQLite lowers ASCII only. An archive has few genres.
    """
    genres = select(Archive.id, Archive.name, Record.genre).join(Record, Record.archive_id == Archive.id)
    whole: list[int] = []
    pairs: list[tuple[int, str]] = []
    for archive_id, name, genre in session.execute(genres.where(in_archives(scope)).distinct()):
        allowed = scope.genres[name]
        if allowed is None:
            whole.append(archive_id)
        elif genre is not None and _normalised(genre) in {_normalised(each) for each in allowed}:
            pairs.append((archive_id, genre))
    whole.sort()
    pairs.sort()
    return lambda record: or_(record.archive_id.in_(whole), tuple_(record.archive_id, record.genre).in_(pairs))


def _normalised(genre: str) -> str:
    return genre.strip().casefold()
