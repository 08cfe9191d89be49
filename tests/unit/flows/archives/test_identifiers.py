"""Identifiers are remembered as a set remembers them, in a fraction of its memory; a tally counts each record once."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from db.entries.night import Change
from flows.archives.identifiers import Identifiers
from flows.harvest import HarvestTally


@given(st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3)))
def test_what_was_added_is_there_and_nothing_else(added: list[str], asked: list[str]) -> None:
    kept, reference = Identifiers(), set[str]()
    for identifier in added:
        assert kept.add(identifier) == (identifier not in reference)
        reference.add(identifier)
    assert len(kept) == len(reference)
    assert [each in kept for each in added + asked] == [each in reference for each in added + asked]


def test_many_take_few_bytes_each_however_long() -> None:
    count, kept = 20_000, Identifiers()
    tracemalloc.start()
    kept.update(f"oai:museum.example:a rather long accession number/{number}" for number in range(count))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == count
    assert all(f"oai:museum.example:a rather long accession number/{number}" in kept for number in range(0, count, 7))
    assert held < 25 * count


def test_a_record_that_is_read_again_counts_once_as_what_it_first_was() -> None:
    tally = HarvestTally("museum", withdrawn=1)
    said = [
        *(("a", Change.NEW), ("b", Change.UNCHANGED), ("c", Change.DELETED), ("d", Change.UNCHANGED)),
        *(("a", Change.UNCHANGED), ("b", Change.CHANGED), ("c", Change.NEW), ("d", Change.UNCHANGED)),
        ("b", Change.UNCHANGED),
    ]
    for identifier, change in said:
        tally.count(identifier, change)
    assert tally.read == 4
    assert tally.records == {Change.NEW: 1, Change.CHANGED: 1, Change.UNCHANGED: 1, Change.DELETED: 2}
