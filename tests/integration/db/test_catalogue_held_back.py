"""What is held back, by name and in numbers: both of one query."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from sqlalchemy import insert
from sqlalchemy.orm import Session

from db.catalogue import Catalogue
from db.entries.night import ContentScope, Derivatives, HeldFilter, Patience, RightsEntry, Tone
from db.tables.night import UnreadableRecord
from flows.reports.summary import status_table

if TYPE_CHECKING:
    from tests.samples import Sample

GRAY_ACTORS = ContentScope(frozenset({Tone.GRAYSCALE}), {"sample": ("役者絵",), "other": None})
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def shelf(catalogue: Catalogue, sample: "Sample") -> Catalogue:
    """One record of each kind."""
    archive = sample.archive(catalogue)
    sample.store(catalogue, sample.record("taken"), Tone.GRAYSCALE)
    for word in Derivatives:
        sample.store(catalogue, sample.record(f"colour {word}", derivatives=word), Tone.COLOUR)
        if word is not Derivatives.YES:
            sample.store(catalogue, sample.record(f"gray {word}", derivatives=word), Tone.GRAYSCALE, archive="other")
    sample.store(catalogue, sample.record("landscape", genre="風景画"), Tone.GRAYSCALE)
    sample.store(catalogue, sample.record("unsure"), Tone.UNSURE)
    catalogue.add_record(archive, sample.record("without", pictures=()))
    catalogue.add_record(archive, sample.record("broken"))
    (wanted,) = catalogue.wanted_pictures(archive)
    catalogue.picture_failed(wanted, "a page, no picture", Patience(lasting=1))
    catalogue.add_record(archive, replace(sample.record("gone"), deleted=True))
    with Session(catalogue.engine) as session, session.begin():
        seen = {"first_seen_at": MOMENT, "last_seen_at": MOMENT}
        bad = {"archive_id": archive, "identifier": "bad", "reason": "a bad character"}
        session.execute(insert(UnreadableRecord).values(**bad, **seen))
    return catalogue


def test_the_list_names_every_record_that_the_counts_count(shelf: Catalogue) -> None:
    counts = shelf.held_back(GRAY_ACTORS)
    listed = shelf.held_records(GRAY_ACTORS)
    assert Counter(each.reason for each in listed) == counts
    assert counts.items() >= {
        "rights: no": 2, "rights: ask": 2, "rights: unknown": 2, "rights: contradictory": 2,
        "other genre": 1, "tone: unsure": 1, "no picture": 1, "unreadable": 1,
    }.items()  # fmt: skip
    told = {each.identifier: each for each in listed}
    assert not {"taken", "colour yes", "gone"} & set(told)
    assert told["bad"].why == "a bad character"
    assert told["gray ask"].why == "licence URI in dc:rights"
    assert told["broken"].why == "a page, no picture"
    assert {name for name, each in told.items() if each.is_open} == {
        f"{side} {word}" for side in ("gray", "colour") for word in ("ask", "unknown", "contradictory")
    }


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (HeldFilter(reason="ask"), ["gray ask", "colour ask"]),
        (HeldFilter(reason="rights: ask", archive="other"), ["gray ask"]),
        (HeldFilter(reason="Tone"), ["unsure"]),
        (HeldFilter(identifiers=("bad", "taken")), ["bad"]),
        (HeldFilter(archive="nowhere"), []),
    ],
)
def test_a_filter_narrows_list_and_counts_alike(shelf: Catalogue, wanted: HeldFilter, names: list[str]) -> None:
    listed = shelf.held_records(GRAY_ACTORS, wanted)
    assert [each.identifier for each in listed] == names
    assert sum(shelf.held_counts(GRAY_ACTORS, wanted).values()) == len(names)


def test_the_list_comes_in_pages_and_without_a_scope_tells_what_no_setting_changes(shelf: Catalogue) -> None:
    whole = shelf.held_records(None)
    assert [*shelf.held_records(None, most=5), *shelf.held_records(None, first=5)] == whole
    assert {each.reason for each in whole} == {
        "rights: no", "rights: ask", "rights: unknown", "rights: contradictory", "tone: unsure", "no picture",
        "unreadable", *(each.reason for each in whole if each.identifier == "broken"),
    }  # fmt: skip


def test_what_another_record_forbids_is_told_with_its_name(catalogue: Catalogue, sample: "Sample") -> None:
    sample.store(catalogue, sample.record("yes"), Tone.GRAYSCALE, data=b"same")
    sample.store(catalogue, sample.record("no", derivatives=Derivatives.NO), Tone.GRAYSCALE, data=b"same")
    _, yes = catalogue.held_records(None)
    assert (yes.identifier, yes.reason, yes.is_open) == ("yes", "rights: no", False)
    assert yes.why == "the same picture is named by record no"


def test_a_released_record_is_held_back_no_more_and_listed_as_released(shelf: Catalogue) -> None:
    (ask,) = shelf.held_records(None, HeldFilter(identifiers=("gray ask",)))
    assert ask.record_id is not None
    shelf.release([ask.record_id], "hana", "by letter")
    assert shelf.held_records(None, HeldFilter(identifiers=("gray ask",))) == []
    (released,) = shelf.released_records(HeldFilter(reason="ask"))
    assert (released.identifier, released.why) == ("gray ask", "released by hana: by letter")
    assert shelf.released_records(HeldFilter(archive="sample")) == []


def test_a_released_record_outside_the_genres_is_still_out_of_scope(catalogue: Catalogue, sample: "Sample") -> None:
    rights = RightsEntry(Derivatives.ASK, "who knows")
    sample.store(catalogue, sample.record("far", rights=rights, genre="風景画"), Tone.GRAYSCALE)
    (far,) = catalogue.held_records(GRAY_ACTORS)
    assert (far.reason, far.record_id is not None) == ("rights: ask", True)
    catalogue.release([far.record_id or 0], "hana", "")
    assert [each.reason for each in catalogue.held_records(GRAY_ACTORS)] == ["other genre"]


def test_status_counts_what_cannot_be_read(shelf: Catalogue) -> None:
    told = shelf.status() | {"night": None}
    assert told["unreadable"] == shelf.held_counts(None, HeldFilter())["unreadable"] > 0
    with (console := Console(width=120)).capture() as shown:
        console.print(status_table(told))
    said = f"{told['unreadable']} record that cannot be read; nishiki records --held-back"
    assert said in shown.get()
