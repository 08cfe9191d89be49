"""The OAI-PMH client, polite session and all, against a small server of its own on this machine."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from flows.archives.errors import ArchiveUnavailable, BadRecord, MalformedAnswer, NotAnArchive, TooLarge
from flows.archives.oai.archive import OaiPmhArchive
from flows.archives.options import OaiOptions
from flows.archives.record import Archive, Record, Remark, Unreadable, Window
from flows.archives.web.client import PoliteClient
from flows.archives.web.politeness import Manners
from tests.integration.flows.museum import SECOND, Museum, Question, envelope, error, page, serve_museum
from tests.shared import SHARED

REAL = SHARED / "fixtures/oai-pmh"
PICTURE = b"\x89PNG\r\n\x1a\n picture"
DAY = "YYYY-MM-DD"
OPEN = Window()


@pytest.fixture
def museum() -> Iterator[Museum]:
    with serve_museum() as site:
        yield site


@pytest.fixture
def archive(museum: Museum) -> Iterator[OaiPmhArchive]:
    manners = Manners("curator@example.org", max_bytes_text=100_000, max_bytes_picture=100)
    archive = OaiPmhArchive(museum.url, "museum", PoliteClient(manners, museum.url, sleep=lambda _: None))
    yield archive
    archive.close()


def found_by(archive: Archive) -> list[Record | Unreadable]:
    return [found for found in archive.records(OPEN) if not isinstance(found, Remark)]


def titles(archive: Archive, window: Window = OPEN) -> list[str]:
    return [found.title for found in archive.records(window) if isinstance(found, Record)]


def test_a_list_is_read_over_its_pages_with_the_token_alone(museum: Museum, archive: OaiPmhArchive) -> None:
    pages = {None: page("a", "b", token="t/1 &amp;"), "t/1 &": page("c", token="t2"), "t2": page("d", token="")}
    museum.lists = lambda question: pages[question.get("resumptionToken")]
    assert titles(archive) == ["a", "b", "c", "d"]
    assert museum.asked == [
        {"verb": "ListRecords", "metadataPrefix": "oai_dc"},
        {"verb": "ListRecords", "resumptionToken": "t/1 &"},
        {"verb": "ListRecords", "resumptionToken": "t2"},
    ]


@pytest.mark.parametrize(
    ("granularity", "start", "form"),
    [(DAY, "2024-03-01", "%Y-%m-%d"), (SECOND, "2024-03-01T23:30:00Z", "%Y-%m-%dT%H:%M:%SZ")],
)
def test_a_window_is_asked_in_the_archives_granularity(
    museum: Museum, archive: OaiPmhArchive, granularity: str, start: str, form: str
) -> None:
    now = datetime.now(UTC)
    museum.granularity, museum.time = granularity, now.strftime("%Y-%m-%dT%H:%M:%SZ")
    (window,) = archive.windows(datetime(2024, 3, 1, 23, 30, tzinfo=UTC))
    assert titles(archive, window) == []
    assert (museum.asked[0]["from"], museum.asked[0]["until"]) == (start, now.strftime(form))


def test_the_first_window_is_open_and_ends_at_the_archives_time(museum: Museum, archive: OaiPmhArchive) -> None:
    assert list(archive.windows(None)) == [Window(None, datetime(2024, 3, 2, 1, tzinfo=UTC))]


def test_a_clock_far_ahead_leaves_the_later_harvests_something(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.time = "2999-01-01T00:00:00Z"
    (first,) = archive.windows(None)
    (healed,) = archive.windows(datetime(2999, 1, 1, tzinfo=UTC))
    assert first.until is not None
    assert healed.start is not None
    assert max(first.until, healed.start) <= datetime.now(UTC)


def test_a_list_of_ever_new_tokens_ends(
    museum: Museum, archive: OaiPmhArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.archives.oai.progress.MAX_PAGES", 3)
    museum.lists = lambda _question: page(f"a{len(museum.asked)}", token=f"t{len(museum.asked)}")
    with pytest.raises(MalformedAnswer, match="not even after 3 pages"):
        titles(archive)
    assert len(museum.asked) == 4


def test_an_identifier_without_end_is_reported_and_long_text_is_cut(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.lists = lambda _question: page("a", "i" * 1001).replace("<dc:title>a", "<dc:title>" + "t" * 20_000)
    record, unreadable = found_by(archive)
    assert isinstance(record, Record)
    assert record.title == "t" * 10_000
    assert "t" * 20_000 in record.raw
    assert isinstance(unreadable, Unreadable)
    assert unreadable.identifier == "record 2 of museum"
    assert "1,001 characters" in unreadable.reason


def test_a_window_never_ends_before_it_begins(archive: OaiPmhArchive) -> None:
    its_time = datetime(2024, 3, 2, 1, tzinfo=UTC)
    assert list(archive.windows(datetime(2025, 1, 1, tzinfo=UTC))) == [Window(its_time, its_time)]


def test_a_token_that_expires_begins_the_list_again_once(museum: Museum, archive: OaiPmhArchive) -> None:
    replies = iter([page("a", token="t"), error("badResumptionToken"), page("a", token="t"), page("b")])
    museum.lists = lambda question: next(replies)
    assert titles(archive) == ["a", "a", "b"]


def test_a_token_that_expires_again_is_malformed(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.lists = lambda question: (
        error("badResumptionToken") if "resumptionToken" in question else page("a", token="t")
    )
    with pytest.raises(MalformedAnswer, match="forgot its own resumption token"):
        titles(archive)
    assert len(museum.asked) == 4


def test_a_token_that_repeats_is_not_followed_for_ever(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.lists = lambda question: page("a", token="t") if len(museum.asked) < 9 else page("b")
    with pytest.raises(MalformedAnswer, match="without end"):
        titles(archive)
    assert len(museum.asked) == 3


def test_a_list_shorter_than_promised_is_reported(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.lists = lambda question: page("b") if "resumptionToken" in question else page("a", token="t", size="3")
    last = found_by(archive)[-1]
    assert isinstance(last, Unreadable)
    assert (last.identifier, last.is_list) == ("museum", True)
    assert last.reason.startswith("its list ended after 2 of 3 records")


def test_one_bad_record_does_not_stop_the_list(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.lists = lambda question: page("a", "b", "").replace("2024-01-01", "soon", 1)
    first, second, third = found_by(archive)
    assert isinstance(first, Unreadable)
    assert "'soon' is no date" in first.reason
    assert isinstance(second, Record)
    assert second.title == "b"
    assert isinstance(third, Unreadable)
    assert third.identifier == "record 3 of museum"


def test_a_page_for_people_at_the_base_url_is_no_archive(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.pictures["/page"] = b"<!DOCTYPE html><title>Welcome</title>"
    home = museum.url.replace("/oai", "/page")
    other = OaiPmhArchive(home, "page", PoliteClient(Manners("c"), home))
    with pytest.raises(NotAnArchive, match=r"/page answers an HTML page, not OAI-PMH; give the base URL"):
        list(other.windows(None))
    other.close()


def test_nothing_at_the_base_url_is_no_archive(museum: Museum) -> None:
    home = museum.url.replace("/oai", "/gone")
    other = OaiPmhArchive(home, "gone", PoliteClient(Manners("c"), home))
    with pytest.raises(NotAnArchive, match=r"/gone\?verb=Identify answered HTTP 404"):
        list(other.windows(None))
    other.close()


def test_a_page_for_people_in_the_middle_is_worth_another_try(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.lists = lambda question: "<html>busy" if "resumptionToken" in question else page("a", token="t")
    with pytest.raises(ArchiveUnavailable, match="in the middle of the list"):
        titles(archive)


def test_an_answer_without_end_is_malformed(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.lists = lambda question: page(*("a" * 1000 for _ in range(100)))
    with pytest.raises(MalformedAnswer, match="larger than 100,000 bytes"):
        titles(archive)


def test_a_picture_comes_with_its_validators_and_only_when_it_changed(museum: Museum, archive: OaiPmhArchive) -> None:
    museum.pictures["/pictures/a.png"] = PICTURE
    museum.lists = lambda question: page("a")
    (record,) = found_by(archive)
    assert isinstance(record, Record)
    picture = archive.picture(record.pictures[0])
    assert picture is not None
    assert (picture.data, picture.url) == (PICTURE, record.pictures[0])
    assert archive.picture(record.pictures[0], picture.validators) is None
    museum.pictures["/pictures/a.png"] += b"!"
    assert archive.picture(record.pictures[0], picture.validators) is not None


@pytest.mark.parametrize(
    ("body", "problem", "reason"),
    [
        (b"<html>busy</html>", BadRecord, "is an HTML page"),
        (b"GIF89a", BadRecord, "a GIF, a format that is not taken"),
        (b"", BadRecord, "is empty"),
        (PICTURE * 10, TooLarge, "larger than 100 bytes"),
        (None, BadRecord, "HTTP 404"),
    ],
)
def test_what_is_no_picture_is_a_bad_record(
    museum: Museum, archive: OaiPmhArchive, body: bytes | None, problem: type[BadRecord], reason: str
) -> None:
    if body is not None:
        museum.pictures["/a.png"] = body
    with pytest.raises(problem, match=reason):
        archive.picture(museum.url.replace("/oai", "/a.png"))


def test_a_password_in_the_base_url_is_used_and_never_shown(museum: Museum) -> None:
    url = museum.url.replace("http://", "http://user:hunter2@")
    archive = OaiPmhArchive(url, "museum", PoliteClient(Manners("c"), url))
    museum.lists = lambda question: error("badArgument")
    with pytest.raises(MalformedAnswer) as told:
        titles(archive)
    assert "hunter2" not in str(told.value) + archive.address
    archive.close()


@pytest.mark.skipif(not REAL.is_dir(), reason="the real OAI-PMH answers lie in ../shared")
def test_the_real_pages_are_read_to_their_promised_end(museum: Museum, archive: OaiPmhArchive) -> None:
    def real(question: Question) -> bytes:
        name = question.get("resumptionToken", "ListRecords.xml")
        return (REAL / f"sickle__tests__sample_data__{name}").read_bytes()

    museum.lists = real
    found = found_by(archive)
    assert len(found) == 8
    assert [f.deleted for f in found if isinstance(f, Record)] == [True, False] * 3 + [False]
    assert [f.identifier for f in found if isinstance(f, Unreadable)] == ["record 7 of museum"]


def told_with(museum: Museum, options: OaiOptions) -> list[Record | Unreadable]:
    client = PoliteClient(Manners("c"), museum.url, sleep=lambda _: None)
    archive = OaiPmhArchive(museum.url, "museum", client, options=options)
    try:
        return found_by(archive)
    finally:
        archive.close()


def test_sets_are_listed_one_after_the_other_and_a_record_of_two_comes_once(museum: Museum) -> None:
    pages = {"prints": page("a", "b"), "actors": page("b", "c")}
    museum.lists = lambda question: pages.get(question["set"], error("noRecordsMatch"))
    found = told_with(museum, OaiOptions(sets=("prints", "actors")))
    assert [each.identifier for each in found] == ["a", "b", "c"]
    *_, missing = told_with(museum, OaiOptions(sets=("prints", "mistyped")))
    assert isinstance(missing, Unreadable)
    assert (missing.is_list, "its set mistyped holds no record" in missing.reason) == (True, True)


def test_of_several_forms_of_description_the_first_that_is_offered_is_asked_for(museum: Museum) -> None:
    offered = "".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix></metadataFormat>" for prefix in ("oai_dc", "lido")
    )
    formats = envelope(f"<ListMetadataFormats>{offered}</ListMetadataFormats>")
    museum.lists = lambda question: formats if question["verb"] == "ListMetadataFormats" else page("a")
    assert len(told_with(museum, OaiOptions(metadata_prefixes=("edm", "lido", "oai_dc")))) == 1
    assert museum.asked[-1]["metadataPrefix"] == "lido"
    with pytest.raises(NotAnArchive, match="but oai_dc, lido; name one"):
        told_with(museum, OaiOptions(metadata_prefixes=("edm", "mods")))


def test_an_answer_that_breaks_off_or_is_a_page_for_people_is_asked_for_again(museum: Museum) -> None:
    whole = page("b", "c", token="")
    replies = iter([page("a", token="t"), whole[: len(whole) // 2], "<html>busy</html>", whole])
    museum.lists = lambda question: next(replies)
    assert [each.identifier for each in told_with(museum, OaiOptions())] == ["a", "b", "c"]
    assert [question.get("resumptionToken") for question in museum.asked] == [None, "t", "t", "t"]
