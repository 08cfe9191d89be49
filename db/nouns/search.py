"""What records are found by: their words folded, and the triples of letters in them.

The harvest writes them with each record. A search drives from its rarest triple where that is rare, and else tests one
entry after the other, which finds a page at once because a common word is in many.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.columns import clean
from db.entries import RecordEntry
from db.folding import search_text, triples, triples_beginning, triples_within, wanted_words
from db.nouns.store import chunks
from db.review_models import SearchText, SearchTriple

RecordId = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
RARE = 2000
"""Records up to which a name or a triple of letters is looked up first."""


def index_record(session: Session, insert_text: Any, record_id: int, record: RecordEntry) -> None:
    """Let the record be found by its words of today, and no more by those of yesterday."""
    cast = [word for role, actor in record.cast for word in (role, actor)]
    text = clean(search_text((record.title, record.identifier, *record.artists, *cast)))
    known = session.execute(select(SearchText.text).where(SearchText.record_id == record_id)).scalar()
    if known == text:
        return
    before, today = triples(known or ""), triples(text)
    gone, new = before - today, today - before
    for some in chunks(gone):
        session.execute(delete(SearchTriple).where(SearchTriple.triple.in_(some), SearchTriple.record_id == record_id))
    row = insert_text.values(record_id=record_id, text=text)
    session.execute(row.on_conflict_do_update(index_elements=["record_id"], set_={"text": text}))
    if new:
        rows = [{"triple": each, "record_id": record_id} for each in new]
        session.connection().execute(insert(SearchTriple), rows)  # as plain rows: objects would cost twice the time


def has_words(session: Session, words: str, record_id: RecordId) -> list[ColumnElement[bool]]:
    """Conditions under which the record has all these words; none for no words."""
    return [condition for condition, _ in by_words(session, words, record_id)]


def by_words(session: Session, words: str, record_id: RecordId) -> list[tuple[ColumnElement[bool], bool]]:
    """As `has_words`, each with whether it leads to few records."""
    wanted = wanted_words(words)
    if not wanted:
        return []
    drivers = [(driver, word) for word in wanted for driver in _drivers(word)]
    number, rarest = min((_up_to(session, driver), n) for n, (driver, _) in enumerate(drivers))
    if number > RARE:
        return [(exists().where(SearchText.record_id == record_id, *_holding(wanted)), False)]
    driver, word = drivers[rarest]
    found = select(SearchTriple.record_id).where(driver)
    unsure = [each for each in wanted if each != word or len(each) > 3]
    if unsure:
        found = select(SearchText.record_id).where(SearchText.record_id.in_(found), *_holding(unsure))
    return [(record_id.in_(found), True)]


def _holding(wanted: Sequence[str]) -> list[ColumnElement[bool]]:
    return [SearchText.text.contains(word, autoescape=True) for word in wanted]


def _drivers(word: str) -> list[ColumnElement[bool]]:
    """Each is true of every record that has the word."""
    if len(word) > 2:
        return [SearchTriple.triple == number for number in triples_within(word)]
    first, after = triples_beginning(word)
    return [(SearchTriple.triple >= first) & (SearchTriple.triple < after)]


def _up_to(session: Session, driver: ColumnElement[bool]) -> int:
    some = select(SearchTriple.record_id).where(driver).limit(RARE + 1).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()
