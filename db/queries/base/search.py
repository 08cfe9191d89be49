"""What records are found by: their words normalised, and the trigrams in them.

The harvest writes them with each record. A search drives from its rarest trigrams where they are rare, and else tests
one entry after the other, which finds a page at once because a common word is in many.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, delete, exists, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.queries.base.store import chunks, insert_rows
from db.search_terms import VERSION, search_text, trigrams, trigrams_beginning, trigrams_within, wanted_words
from db.tables.columns import clean
from db.tables.night import Record, RecordArtist, RecordCast
from db.tables.review import SearchText, SearchTrigram

RecordId = InstrumentedAttribute[int] | InstrumentedAttribute[int | None]
RARE = 2000
"""Records up to which a name or word is looked up first."""
_READ = 20_000
"""Records that have a trigram, up to which those are sought that have others, too."""
_TOGETHER = 2
"""Further trigrams by which those are sought."""
_Span = tuple[int, int]
"""Numbers of trigrams: from the first, below the second."""


def index_record(session: Session, insert_text: Any, record_id: int, fields: Iterable[str]) -> None:
    """Let the record be found by its words of today, and no more by those of yesterday."""
    text = clean(search_text(fields))
    known = session.execute(select(SearchText.text).where(SearchText.record_id == record_id)).scalar()
    before, today = trigrams(known or ""), trigrams(text)
    gone, new = before - today, today - before
    for some in chunks(gone):
        session.execute(
            delete(SearchTrigram).where(SearchTrigram.trigram.in_(some), SearchTrigram.record_id == record_id)
        )
    written = {"text": text, "version": VERSION}
    row = insert_text.values(record_id=record_id, **written)
    session.execute(row.on_conflict_do_update(index_elements=["record_id"], set_=written))
    insert_rows(session, SearchTrigram, [{"trigram": each, "record_id": record_id} for each in new])


def index_new(session: Session, fields: Mapping[int, Iterable[str]]) -> None:
    """As `index_record`, of records that were not there before, by number."""
    texts = {record_id: clean(search_text(words)) for record_id, words in fields.items()}
    rows = [{"record_id": record_id, "text": text, "version": VERSION} for record_id, text in texts.items()]
    spread = [{"trigram": each, "record_id": record_id} for record_id, text in texts.items() for each in trigrams(text)]
    insert_rows(session, SearchText, rows)
    insert_rows(session, SearchTrigram, spread)


def index_again(session: Session, insert_text: Any, most: int) -> int:
    """As `index_record`, for some of the records whose text an earlier version normalised; how many."""
    old = select(SearchText.record_id).where(SearchText.version < VERSION).limit(most)
    record_ids = session.scalars(old).all()
    index_today(session, insert_text, record_ids)
    return len(record_ids)


def index_today(session: Session, insert_text: Any, record_ids: Collection[int]) -> None:
    """As `index_record`, for a few records, by what they say in the catalogue now."""
    names: defaultdict[int, list[str]] = defaultdict(list)
    for columns in ((RecordArtist.name,), (RecordCast.role, RecordCast.actor)):
        table = columns[0].class_
        for record_id, *words in session.execute(
            select(table.record_id, *columns).where(table.record_id.in_(record_ids))
        ):
            names[record_id] += words
    records = select(Record.id, Record.title, Record.identifier).where(Record.id.in_(record_ids))
    for record_id, *words in session.execute(records).all():
        index_record(session, insert_text, record_id, (*words, *names[record_id]))


def has_words(session: Session, words: str, record_id: RecordId) -> list[ColumnElement[bool]]:
    """Conditions under which the record has all these words; none for no words."""
    return [condition for condition, _ in by_words(session, words, record_id, _READ)]


def by_words(session: Session, words: str, record_id: RecordId, few: int) -> list[tuple[ColumnElement[bool], bool]]:
    """As `has_words`, each with whether it leads to no more than a few records."""
    wanted = wanted_words(words)
    if not wanted:
        return []
    number, spans = _rarest_first(session, {span for word in wanted for span in _spans(word)})
    if not number:
        return [(false(), True)]
    if number <= _READ:
        rarest, *others = spans
        found = _of_records(rarest, [span for span in others if _is_one(span)][:_TOGETHER])
        some = session.scalars(found.limit(few + 1)).all()
        if len(some) <= few:
            held = select(SearchText.record_id).where(SearchText.record_id.in_(these(some)), *_holding(wanted))
            return [(record_id.in_(these(session.scalars(held).all())), True)]
    of_it = select(SearchText.record_id).where(SearchText.record_id == record_id, *_holding(wanted))
    return [(one_by_one(of_it), False)]


def one_by_one(found: Select[Any]) -> ColumnElement[bool]:
    """Is there such a row? Asked of each entry as it comes; without an offset PostgreSQL would join all there are."""
    return found.offset(0).exists()


def these(record_ids: Collection[int]) -> BindParameter[Any]:
    """As numbers within the statement: SQLite does not take so many parameters, and PostgreSQL reads them sooner."""
    return bindparam("records", list(record_ids), unique=True, expanding=True, literal_execute=True)


def _holding(wanted: Sequence[str]) -> list[ColumnElement[bool]]:
    return [SearchText.text.contains(word, autoescape=True) for word in wanted]


def _spans(word: str) -> list[_Span]:
    """Every record that has the word has a trigram in each of them."""
    if len(word) > 2:
        return [(number, number + 1) for number in trigrams_within(word)]
    return [trigrams_beginning(word)]


def _rarest_first(session: Session, spans: Collection[_Span]) -> tuple[int, list[_Span]]:
    """How many records the rarest leads to, and all of them."""
    several = list(spans)
    numbered = sorted(zip(_each_up_to(session, several, RARE), several, strict=True))
    if numbered[0][0] > RARE:
        numbered = sorted(zip(_each_up_to(session, several, _READ), several, strict=True))
    return numbered[0][0], [span for _, span in numbered]


def _each_up_to(session: Session, spans: Sequence[_Span], most: int) -> Sequence[int]:
    some = [_of_records(span, ()).limit(most + 1).subquery() for span in spans]
    return session.execute(select(*(select(func.count()).select_from(each).scalar_subquery() for each in some))).one()


def _of_records(rarest: _Span, others: Collection[_Span]) -> Any:
    """Records that have a trigram in each; the others are of one trigram, so that each look is one step."""
    found = select(SearchTrigram.record_id).where(_within(SearchTrigram, rarest))
    for span in others:
        other = aliased(SearchTrigram)
        found = found.where(exists().where(other.record_id == SearchTrigram.record_id, _within(other, span)))
    return found


def _within(table: type[SearchTrigram], span: _Span) -> ColumnElement[bool]:
    first, after = span
    return table.trigram == first if _is_one(span) else and_(table.trigram >= first, table.trigram < after)


def _is_one(span: _Span) -> bool:
    first, after = span
    return after == first + 1
