"""What curators have said of an attempt, words taken back too: does a further word count, and is it blind?

Read under the lock of the attempt's row (`lock_contents`), so that nobody speaks between the question and the word.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from db.entries.night import VerdictEntry
from db.queries.base.review_rows import hidden
from db.queries.base.store import chunks
from db.queries.night.attempts import verdict_entry
from db.tables.night import VerdictGiven
from db.tables.review import Review, UndoneVerdict


@dataclass(frozen=True)
class Spoken:
    """The words on one attempt, oldest first, each with whether it stands."""

    words: tuple[tuple[VerdictGiven, bool], ...]
    hidden: bool
    """What stands is a first blind word that is shown to nobody."""

    def version(self, seen: int | None) -> int | None:
        """The verdict that a form says it has seen, if there is such a one."""
        return seen if any(word.id == seen for word, _ in self.words) else None

    def unseen_of(self, curator: str, seen: int | None) -> VerdictGiven | None:
        """A word of theirs that stands and that their form did not show: the form comes a second time."""
        return next((word for word in self._since(seen) if word.curator == curator), None)

    def shown(self) -> int | None:
        """The verdict that a form made now would show."""
        standing = self._since(None)
        return standing[-1].id if standing and not self.hidden else None

    def between(self, curator: str, seen: int | None) -> tuple[VerdictEntry, ...]:
        """What others said since."""
        return tuple(verdict_entry(word) for word in self._since(seen) if word.curator != curator)

    def is_blind(self, curator: str, *, drawn: bool) -> bool:
        """Is this curator's word one of a blind pair? One that is said again, after they could know another's, is not.

        Args:
            curator: who speaks.
            drawn: the attempt is of the share that two judge.
        """
        voices = {word.curator for word, _ in self.words}
        if not voices - {curator}:
            return drawn
        return self.hidden and len(voices) == 1

    def _since(self, seen: int | None) -> list[VerdictGiven]:
        return [word for word, stands in self.words if stands and word.id > (seen or 0)]


def spoken_on(session: Session, attempt_ids: Collection[int]) -> dict[int, Spoken]:
    """Of each of these attempts, of those without a word too."""
    words: dict[int, list[tuple[VerdictGiven, bool]]] = defaultdict(list)
    unshown: set[int] = set()
    taken_back = exists().where(UndoneVerdict.verdict_id == VerdictGiven.id)
    for some in chunks(attempt_ids):
        given = select(VerdictGiven, taken_back).where(VerdictGiven.attempt_id.in_(some)).order_by(VerdictGiven.id)
        for word, undone in session.execute(given):
            words[word.attempt_id].append((word, not undone))
        unshown |= set(session.scalars(select(Review.attempt_id).where(Review.attempt_id.in_(some), hidden())))
    return {each: Spoken(tuple(words[each]), each in unshown) for each in attempt_ids}
