"""What records are found by: their words folded, and the pairs of letters in them.

The harvest writes them with each record. A search drives from its rarest pair where that is rare, and else tests one
entry after the other, which finds a page at once because a common word is in many.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.columns import clean
from db.entries import RecordEntry
from db.folding import pairs, pairs_of_letter, pairs_within, search_text, wanted_words
from db.nouns.store import chunks
from db.review_models import SearchPair, SearchText

RecordId = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
RARE = 5000
"""Records up to which a name or a pair of letters is looked up first."""


def index_record(session: Session, insert_text: Any, record_id: int, record: RecordEntry) -> None:
    """Let the record be found by its words of today, and no more by those of yesterday."""
    cast = [word for role, actor in record.cast for word in (role, actor)]
    text = clean(search_text((record.title, record.identifier, *record.artists, *cast)))
    known = session.execute(select(SearchText.text).where(SearchText.record_id == record_id)).scalar()
    if known == text:
        return
    before, today = pairs(known or ""), pairs(text)
    gone, new = before - today, today - before
    for some in chunks(gone):
        session.execute(delete(SearchPair).where(SearchPair.pair.in_(some), SearchPair.record_id == record_id))
    row = insert_text.values(record_id=record_id, text=text)
    session.execute(row.on_conflict_do_update(index_elements=["record_id"], set_={"text": text}))
    if new:
        rows = [{"pair": each, "record_id": record_id} for each in new]
        session.connection().execute(insert(SearchPair), rows)  # as plain rows: objects would cost twice the time


def has_words(session: Session, words: str, record_id: RecordId) -> list[ColumnElement[bool]]:
    """Conditions under which the record has all these words; none for no words."""
    wanted = wanted_words(words)
    if not wanted:
        return []
    drivers = [(driver, word) for word in wanted for driver in _drivers(word)]
    number, rarest = min((_up_to(session, driver), n) for n, (driver, _) in enumerate(drivers))
    if number > RARE:
        return [exists().where(SearchText.record_id == record_id, *_holding(wanted))]
    driver, word = drivers[rarest]
    found = select(SearchPair.record_id).where(driver)
    unsure = [each for each in wanted if each != word or len(each) > 2]
    if unsure:
        found = select(SearchText.record_id).where(SearchText.record_id.in_(found), *_holding(unsure))
    return [record_id.in_(found)]


def _holding(wanted: Sequence[str]) -> list[ColumnElement[bool]]:
    return [SearchText.text.contains(word, autoescape=True) for word in wanted]


def _drivers(word: str) -> list[ColumnElement[bool]]:
    """Each is true of every record that has the word."""
    if len(word) > 1:
        return [SearchPair.pair == number for number in pairs_within(word)]
    first, after = pairs_of_letter(word)
    return [(SearchPair.pair >= first) & (SearchPair.pair < after)]


def _up_to(session: Session, driver: ColumnElement[bool]) -> int:
    some = select(SearchPair.record_id).where(driver).limit(RARE + 1).subquery()
    return session.execute(select(func.count()).select_from(some)).scalar_one()
