"""Archives, windows, records and pictures: stored once, changed when they change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from db.entries.night import Change, Patience, PictureSource, RightsEntry, Tone, WindowState
from db.entries.night import Derivatives as Rights
from db.errors import UnknownEntry

if TYPE_CHECKING:
    from tests.samples import Sample

DAY = datetime(2026, 3, 1, tzinfo=UTC)
TOKYO = datetime.fromisoformat("2026-03-02T08:00:00+09:00")


def test_an_archive_keeps_its_number_when_it_moves(catalogue: Catalogue) -> None:
    first = catalogue.add_archive("sample", "oai-pmh", "https://old.example/oai")
    assert catalogue.add_archive("sample", "oai-pmh", "https://new.example/oai") == first
    assert [each["address"] for each in catalogue.status()["archives"]] == ["https://new.example/oai"]


def test_the_next_harvest_begins_where_the_last_finished_window_ends(catalogue: Catalogue, sample: "Sample") -> None:
    archive = sample.archive(catalogue)
    assert catalogue.last_window_end(archive) is None
    for until, state in ((TOKYO, WindowState.DONE), (TOKYO + timedelta(days=1), WindowState.FAILED)):
        window = catalogue.open_window(archive, DAY, until)
        catalogue.close_window(window, state, records=3, problems=1)
    assert catalogue.last_window_end(archive) == datetime(2026, 3, 1, 23, tzinfo=UTC)


def test_an_unfinished_window_is_taken_up_again(catalogue: Catalogue, sample: "Sample") -> None:
    archive = sample.archive(catalogue)
    window = catalogue.open_window(archive, None, None)
    assert catalogue.open_window(archive, None, DAY) == window
    catalogue.close_window(window, WindowState.DONE, records=0, problems=0)
    assert catalogue.open_window(archive, None, None) != window
    with pytest.raises(UnknownEntry, match="window 999"):
        catalogue.close_window(999, WindowState.DONE, records=0, problems=0)


def test_a_naive_time_is_refused(catalogue: Catalogue, sample: "Sample") -> None:
    naive = sample.record("r1", datestamp=datetime(2026, 3, 1))  # noqa: DTZ001
    with pytest.raises(Exception, match="no time zone"):
        catalogue.add_record(sample.archive(catalogue), naive)


def test_a_second_harvest_of_the_same_changes_nothing(catalogue: Catalogue, sample: "Sample") -> None:
    record = sample.record("r1")
    image = sample.store(catalogue, record, Tone.COLOUR)
    before, said = catalogue.status(), catalogue.describe([image])
    archive = sample.archive(catalogue)
    assert catalogue.add_record(archive, record) == Change.UNCHANGED
    assert catalogue.wanted_pictures(archive) == []
    assert (catalogue.status(), catalogue.describe([image])) == (before, said)


def test_a_changed_record_wants_its_pictures_again_with_what_the_archive_may_compare(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    record = sample.record("r1")
    image = sample.store(catalogue, record, Tone.COLOUR)
    archive = sample.archive(catalogue)
    changed = replace(record, title="A better title", raw="<record>new</record>", artists=("One",), cast=())
    assert catalogue.add_record(archive, changed) == Change.CHANGED
    (wanted,) = catalogue.wanted_pictures(archive)
    assert wanted.etag == '"1"'
    catalogue.keep_picture(wanted)
    assert catalogue.wanted_pictures(archive) == []
    said = catalogue.describe([image])[image]
    assert (said.title, said.artists, said.cast) == ("A better title", ("One",), ())


def test_rights_that_change_alone_are_a_change(catalogue: Catalogue, sample: "Sample") -> None:
    archive, record = sample.archive(catalogue), sample.record("r1")
    assert catalogue.add_record(archive, record) == Change.NEW
    stricter = replace(record, rights=RightsEntry(Rights.NO, "a letter"))
    assert catalogue.add_record(archive, stricter) == Change.CHANGED


def test_what_a_record_said_before_it_changed_is_kept_with_its_rights(catalogue: Catalogue, sample: "Sample") -> None:
    archive, first = sample.archive(catalogue), sample.record("r1")
    stricter = replace(first, rights=RightsEntry(Rights.NO, "a letter"), raw="<record>stricter</record>")
    gone = sample.record("r1", deleted=True, datestamp=DAY + timedelta(days=9), raw="<deleted/>", pictures=())
    for record in (first, first, stricter, gone, gone, first):
        catalogue.add_record(archive, record)
    catalogue.add_record(archive, sample.record("r2"))
    former = catalogue.former_records(["r1", "r2"])
    assert [(each.identifier, each.raw, each.rights.derivatives, each.deleted_at) for each in former] == [
        ("r1", first.raw, Rights.YES, None),
        ("r1", stricter.raw, Rights.NO, gone.datestamp),
    ]
    assert former[0].datestamp == first.datestamp
    assert former[0].replaced_at <= former[1].replaced_at <= datetime.now(UTC)
    assert catalogue.former_records(["r1"], "another archive") == []


def test_a_picture_at_another_place_is_fetched_afresh(catalogue: Catalogue, sample: "Sample") -> None:
    record = sample.record("r1")
    sample.store(catalogue, record, Tone.COLOUR)
    archive = sample.archive(catalogue)
    more = ("https://archive.example/other.png", *record.pictures)
    catalogue.add_record(archive, replace(record, pictures=more))
    first, second = catalogue.wanted_pictures(archive)
    assert (first.etag, second.etag) == (None, '"1"')


def test_a_deleted_record_keeps_its_words_and_comes_back(catalogue: Catalogue, sample: "Sample") -> None:
    record = sample.record("r1")
    image = sample.store(catalogue, record, Tone.COLOUR)
    archive = sample.archive(catalogue)
    gone = sample.record("r1", deleted=True, raw="<deleted/>", title="", pictures=(), artists=())
    assert catalogue.add_record(archive, gone) == Change.DELETED
    assert catalogue.add_record(archive, gone) == Change.UNCHANGED
    assert catalogue.describe([image])[image].title == "Print r1"
    assert (catalogue.status()["records"], catalogue.status()["deleted_records"]) == (0, 1)
    assert catalogue.add_record(archive, record) == Change.CHANGED
    assert catalogue.status()["records"] == 1


def test_a_picture_that_failed_is_wanted_again_and_called_broken_after_its_nights(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    archive = sample.archive(catalogue)
    for name in ("r1", "r2", "r3"):
        catalogue.add_record(archive, sample.record(name))
    silent, once, lasting = catalogue.wanted_pictures(archive)
    assert not catalogue.picture_failed(silent, "the host is silent", counted=False)
    assert not catalogue.picture_failed(once, "no picture", Patience(lasting=2))
    assert not catalogue.picture_failed(once, "no picture, the same night", Patience(lasting=2))
    assert catalogue.picture_failed(lasting, "no picture at all", Patience(lasting=1))
    wanted = [(each.identifier, each.failed_nights) for each in catalogue.wanted_pictures(archive)]
    assert wanted == [("r1", 0), ("r3", 1), ("r2", 1)], "what failed most often comes last"
    assert catalogue.status()["pictures"] == {"wanted": 2, "held": 0, "broken": 1}


def test_pauses_double_up_to_the_longest() -> None:
    assert [Patience(longest=20).pause_nights(failed) for failed in (1, 2, 3, 4, 5, 6, 5000)] == [
        1,
        2,
        4,
        8,
        16,
        20,
        20,
    ]


def test_an_address_without_a_picture_is_dropped_where_the_record_has_another(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    archive = sample.archive(catalogue)
    catalogue.add_record(archive, sample.record("r1", pictures=("http://m.example/1", "http://m.example/2")))
    first, second = catalogue.wanted_pictures(archive)
    assert not catalogue.drop_picture(first)
    catalogue.hold_picture(second, sample.facts(b"x", Tone.COLOUR), PictureSource(second.reference))
    assert not catalogue.drop_picture(second)
    assert catalogue.drop_picture(first)
    assert catalogue.status()["pictures"] == {"wanted": 0, "held": 1, "broken": 0}


def test_the_last_list_of_everything_is_the_latest_finished_window_without_a_start(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    archive, other = sample.archive(catalogue), sample.archive(catalogue, "other")
    days = [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 6)]
    assert catalogue.last_full_listing(archive) is None
    for start, until, state in (
        (None, days[0], WindowState.DONE),
        (None, days[1], WindowState.DONE),
        (days[1], days[2], WindowState.DONE),
        (None, days[3], WindowState.FAILED),
    ):
        window = catalogue.open_window(archive, start, until)
        catalogue.close_window(window, state, records=0, problems=0)
    assert catalogue.last_full_listing(archive) == days[1]
    assert catalogue.last_full_listing(other) is None


def test_records_that_are_listed_no_more_are_withdrawn_and_live_again_when_listed(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    record, archive = sample.record("r1"), sample.archive(catalogue)
    image = sample.store(catalogue, record, Tone.GRAYSCALE)
    catalogue.add_record(archive, sample.record("odd \0"))
    elsewhere = catalogue.add_archive("elsewhere", "folder", "/prints")
    catalogue.add_record(elsewhere, record)
    assert catalogue.withdraw_unlisted(archive, {"r1", "odd \ufffd"}) == 0
    assert catalogue.count_unlisted(archive, ["odd \ufffd"]) == (1, 2)
    assert catalogue.withdraw_unlisted(archive, ["odd \ufffd"]) == 1
    assert catalogue.count_unlisted(archive, []) == (1, 1)
    assert catalogue.withdraw_unlisted(archive, ["odd \ufffd"]) == 0
    assert (catalogue.status()["records"], catalogue.status()["deleted_records"]) == (2, 1)
    assert catalogue.images_to_embed(sample.encoder, [Tone.GRAYSCALE]) == []
    assert catalogue.add_record(archive, record) == Change.CHANGED
    assert catalogue.add_record(archive, record) == Change.UNCHANGED
    assert [each.id for each in catalogue.images_to_embed(sample.encoder, [Tone.GRAYSCALE])] == [image]
    assert catalogue.status()["deleted_records"] == 0


def test_an_image_is_described_by_a_live_record_that_allows_it_before_all_others(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    words = {"r1": Rights.ASK, "r2": Rights.ASK, "r3": Rights.YES, "r4": Rights.YES}
    records = {name: sample.record(name, derivatives=word) for name, word in words.items()}
    (image,) = {sample.store(catalogue, record, Tone.COLOUR, data=b"same") for record in records.values()}
    archive, speaking = sample.archive(catalogue), []
    for gone in ("r3", "r4", "r1", "r2"):
        speaking.append(catalogue.describe([image])[image].identifier)
        catalogue.add_record(archive, replace(records[gone], deleted=True))
    assert speaking == ["r3", "r4", "r1", "r2"]
    assert catalogue.describe([image])[image].identifier == "r1"


def test_authority_files_are_kept_and_their_lack_makes_no_record_another(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    known = (("Sample artist", "http://vocab.getty.edu/ulan/500063446"), ("Another", "http://viaf.org/viaf/7"))
    image = sample.store(catalogue, sample.record("r1"), Tone.COLOUR)
    with catalogue.engine.connect() as connection:
        digest = connection.execute(text("SELECT digest FROM records")).scalar_one()
    assert digest == "37aa696ced02f4b26b423e94f41589a19742d8b28b2460199f8b3498a88f6733"  # of before
    assert catalogue.add_record(sample.archive(catalogue), sample.record("r1", authorities=known)) is Change.CHANGED
    said = catalogue.describe([image])[image]
    assert said.authorities == known
    assert [said.addresses(name) for name in ("Another", "Nobody")] == [[known[1][1]], []]


def test_a_picture_of_a_record_that_changed_meanwhile_does_not_overwrite_it(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    archive, record = sample.archive(catalogue), sample.record("r1")
    catalogue.add_record(archive, record)
    (old,) = catalogue.wanted_pictures(archive)
    catalogue.add_record(archive, replace(record, pictures=("https://archive.example/new.png",)))
    catalogue.hold_picture(old, sample.facts(b"old", Tone.COLOUR), PictureSource(old.reference))
    assert [each.reference for each in catalogue.wanted_pictures(archive)] == ["https://archive.example/new.png"]


def test_two_records_with_the_same_picture_share_one_image(catalogue: Catalogue, sample: "Sample") -> None:
    first = sample.store(catalogue, sample.record("r1"), Tone.COLOUR, data=b"same")
    assert sample.store(catalogue, sample.record("r2"), Tone.COLOUR, data=b"same") == first
    assert catalogue.describe([first])[first].identifier == "r1"
    assert catalogue.status()["images"] == {"grayscale": 0, "toned": 0, "colour": 1, "unsure": 0}


def test_text_that_postgresql_cannot_hold_does_not_lose_the_record(catalogue: Catalogue, sample: "Sample") -> None:
    odd = sample.record("r\0\udce9", raw="nul \0 and a half \ud800", artists=("A\0",))
    archive = sample.archive(catalogue)
    assert catalogue.add_record(archive, odd) == Change.NEW
    assert catalogue.add_record(archive, odd) == Change.UNCHANGED


def test_the_database_itself_knows_the_enumerations(catalogue: Catalogue, sample: "Sample") -> None:
    sample.store(catalogue, sample.record("r1"), Tone.COLOUR)
    with catalogue.engine.connect() as connection, pytest.raises(Exception, match="ck_images_tone"):
        connection.execute(text("UPDATE images SET tone = 'sepia'"))


def test_records_that_come_together_are_stored_as_one_by_one(catalogue: Catalogue, sample: "Sample") -> None:
    archive = sample.archive(catalogue)
    known, gone = sample.record("known"), sample.record("gone", deleted=True)
    catalogue.add_record(archive, known)
    new, again = sample.record("new"), sample.record("new", title="another")
    records = [known, new, replace(known, title="another"), gone, again, again, sample.record("odd\0\ud800")]
    changes = catalogue.add_records(archive, records)
    assert changes == [Change.UNCHANGED, Change.NEW, Change.CHANGED, Change.DELETED, Change.CHANGED,
                       Change.UNCHANGED, Change.NEW]  # fmt: skip
    assert catalogue.add_records(archive, []) == []
    assert catalogue.add_records(archive, [known, gone]) == [Change.CHANGED, Change.UNCHANGED]
    wanted = {each.identifier for each in catalogue.wanted_pictures(archive)}
    assert wanted == {"known", "new", "odd\ufffd\ufffd"}
    other = sample.archive(catalogue, "other")
    assert catalogue.add_records(other, [new]) == [Change.NEW]
    with catalogue.engine.connect() as connection:
        tables = ("records", "record_artists", "record_images", "rights", "search_texts", "search_trigrams")
        counted = {table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() for table in tables}
    assert (counted["records"], counted["rights"], counted["search_texts"]) == (5, 5, 5)
    assert counted["search_trigrams"]
