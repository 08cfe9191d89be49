"""Counts and changes that triggers keep, and the questions that need not be asked twice because of them.

A night asks a large catalogue the same as the night before: what is not described, not matched, not coloured yet. Where
nothing was due and none of the tables behind the question were written since, nothing is. Both are exact, whoever
writes and whatever is killed: the triggers write in the transaction of what they count, and changes are counted before
a question is asked.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ClauseElement, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from db.errors import CatalogueReadOnly
from db.queries.base.store import Store, changed, now
from db.tables.base import Base
from db.tables.night import Attempt, Embedding, Image, Match, Record, RecordImage, Release, Rights, UnreadableRecord
from db.tables.review import Review
from db.tables.tallies import Answer, Tally

Answered = TypeVar("Answered")
Tables = Collection[type[Base]]
PICTURES: Tables = (Record, Rights, RecordImage, Release, UnreadableRecord, Image)
"""What decides whether a picture may be used, and for what."""
MATCHED: Tables = (*PICTURES, Embedding, Match, Attempt, Review)
"""And what was made of it."""
_CHANGES = "changes"
_KEPT = 500
"""Answers kept; the oldest go first."""
_SPELT: dict[object, str] = {}
"""Questions as SQL, by statement without its values: one of half a hundred lines takes long to spell."""
_WORDS = {
    "attempts": ("coalesce(outcome, 'pending')", "true"),
    "images": ("tone", "record_id IS NOT NULL"),
    "matches": ("outcome", "true"),
    "record_images": ("state", "true"),
    "records": ("archive_id || CASE WHEN deleted_at IS NULL THEN ' live' ELSE ' deleted' END", "true"),
}
"""As the triggers of `db/migrations` count."""
_COUNTED = " UNION ALL ".join(
    f"SELECT '{table}' AS subject, CAST({word} AS TEXT) AS word, count(*) AS number FROM {table} "  # noqa: S608  # our own
    f"WHERE {which} GROUP BY 2"
    for table, (word, which) in _WORDS.items()
)
_OFF = text(
    f"SELECT subject, word, sum(number) FROM ({_COUNTED} UNION ALL SELECT subject, word, -number FROM tallies "  # noqa: S608
    f"WHERE subject <> '{_CHANGES}') AS differing GROUP BY subject, word HAVING sum(number) <> 0 ORDER BY subject, word"
)


@dataclass(frozen=True)
class Question:
    """What is asked of tables that have been written so often."""

    digest: str
    state: int
    known: str | None
    """The answer of before, JSON, if it still holds."""


class TallyQueries(Store):
    """What the catalogue says of itself."""

    def wrong_counts(self) -> list[str]:
        """Counts that the rows themselves contradict: of which table, of what, and by how many."""
        with self._reading() as session:
            return [f"{table}, {word}: {int(off):+d}" for table, word, off in session.execute(_OFF)]

    def count_again(self) -> None:
        """Count all rows anew, while nobody writes; earlier answers are forgotten."""
        with self._writing() as session:
            if self.engine.dialect.name == "postgresql":
                session.execute(text(f"LOCK TABLE {', '.join(_WORDS)}, tallies IN SHARE ROW EXCLUSIVE MODE"))
            for table, word, off in session.execute(_OFF).all():
                first = select(func.min(Tally.id)).where(Tally.subject == table, Tally.word == word).scalar_subquery()
                mended = update(Tally).where(Tally.id == first).values(number=Tally.number + off)
                if not changed(session, mended):
                    session.execute(insert(Tally).values(subject=table, word=word, number=off))
            session.execute(delete(Answer))

    def _question(self, asked: ClauseElement, tables: Tables, *also: object) -> Question:
        """What is asked, and what is known of it while these tables are as they are.

        Args:
            asked: the statement; its words and values tell one question from another.
            tables: all that the answer follows from.
            also: what it follows from besides.
        """
        key = asked._generate_cache_key()  # noqa: SLF001  # what SQLAlchemy itself knows a statement by
        assert key is not None
        words = [key.to_offline_string(_SPELT, asked, {}), *map(str, also)]
        digest = hashlib.sha256(json.dumps(words).encode()).hexdigest()
        with self._reading() as session:
            state, kept = changes(session, tables), session.get(Answer, digest)
        return Question(digest, state, kept.answer if kept is not None and kept.state == state else None)

    def _answer(
        self, asked: ClauseElement, tables: Tables, ask: Callable[[], Answered], *also: object
    ) -> Answered:  # fmt: skip
        """What `ask` comes to, asked only if it is not known: counts and empty lists are kept."""
        question = self._question(asked, tables, *also)
        if question.known is not None:
            return json.loads(question.known)  # type: ignore[no-any-return]
        found = ask()
        if isinstance(found, dict | int) or not found:
            with suppress(CatalogueReadOnly), self._writing() as session:
                self._keep(session, question, found)
        return found

    def _keep(self, session: Session, question: Question, answer: object) -> None:
        row = {"state": question.state, "answer": json.dumps(answer), "given_at": now()}
        kept = self._insert(Answer).values(question=question.digest, **row)
        newest = select(Answer.question).order_by(Answer.given_at.desc(), Answer.question).limit(_KEPT)
        session.execute(kept.on_conflict_do_update(index_elements=["question"], set_=row))
        session.execute(delete(Answer).where(Answer.question.not_in(newest)))


_SUMMED = text(
    "WITH parts AS (DELETE FROM tallies RETURNING subject, word, number) INSERT INTO tallies (subject, word, number) "
    "SELECT subject, word, sum(number) FROM parts GROUP BY subject, word"
)


def sum_tallies(session: Session) -> None:
    """Add up what PostgreSQL's writers appended; what is not committed yet stays for the next time."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_SUMMED)


def changes(session: Session, tables: Tables) -> int:
    """How often these tables have been written."""
    names = [table.__tablename__ for table in tables]
    total = select(func.sum(Tally.number)).where(Tally.subject == _CHANGES, Tally.word.in_(names))
    return int(session.execute(total).scalar() or 0)


def counts_of(session: Session) -> dict[str, Counter[str]]:
    """By table, how many rows of each word."""
    counts: dict[str, Counter[str]] = {table: Counter() for table in _WORDS}
    summed = select(Tally.subject, Tally.word, func.sum(Tally.number)).where(Tally.subject != _CHANGES)
    for table, word, number in session.execute(summed.group_by(Tally.subject, Tally.word)):
        counts[table][word] = int(number)
    return counts
