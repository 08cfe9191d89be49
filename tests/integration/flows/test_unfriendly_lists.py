"""Lists that loop, break off or are partly unreadable, wrong clocks: what can be read comes in, the rest is told."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from db.entries.night import Change, ContentScope, EncoderKey, Tone
from flows.settings import Settings
from tests.integration.flows.one_night import night, pass_days, states
from tests.unfriendly import (
    STAMP,
    Question,
    Reply,
    Unfriendly,
    circling,
    drawn,
    endless,
    error,
    ever_new,
    listed,
    paged,
    record,
    refusing,
)


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with Catalogue.open(settings) as catalogue, catalogue.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def live(settings: Settings) -> list[str]:
    found = rows(settings, "SELECT identifier FROM records WHERE deleted_at IS NULL ORDER BY identifier")
    return [str(identifier) for (identifier,) in found]


def fill(site: Unfriendly, count: int) -> list[str]:
    site.holds(count)
    return site.all_records()


@pytest.mark.parametrize(
    ("served", "got", "finished"),
    [
        (endless, 6, False),
        (circling, 6, False),
        (ever_new, 6, False),
        (refusing, 2, False),
        (lambda pages: paged(pages, token="session"), 6, True),
        (lambda pages: paged([*pages[:2], [], [], pages[2]]), 6, True),
        (lambda pages: paged([*pages[:2], pages[1], pages[2]], token="session"), 6, True),
    ],
    ids=[
        "a last page that repeats its token",
        "tokens in a circle",
        "ever new tokens",
        "no token is accepted",
        "one token for every page",
        "empty pages between",
        "a page twice with one token for all",
    ],
)
def test_progress_is_judged_by_records_and_what_was_read_is_kept_and_fetched(
    site: Unfriendly,
    own_settings: Settings,
    served: Callable[[list[list[str]]], Callable[[Question], str]],
    got: int,
    finished: bool,
) -> None:
    records = fill(site, 6)
    site.records = served([records[:2], records[2:4], records[4:]])
    tally = night(own_settings, site.base_url)
    assert (tally.records[Change.NEW], tally.pictures, tally.failure is None) == (got, got, finished)
    assert len(site.asks()) < 30
    assert rows(own_settings, "SELECT state FROM windows") == [("done" if finished else "failed",)]
    site.records = None
    night(own_settings, site.base_url)
    assert (live(own_settings), states(own_settings)) == ([f"{n}.png" for n in range(6)], {"held": 6})
    assert ("from" in site.asks()[-1]) is finished, "a window that was not finished is taken up from its beginning"


@pytest.mark.parametrize(
    ("size", "finished", "whole"), [(6, True, True), (4, True, True), (9, False, False)], ids=["true", "low", "high"]
)
def test_the_promised_size_ends_a_list_that_repeats_itself(
    site: Unfriendly, own_settings: Settings, size: int, finished: bool, whole: bool
) -> None:
    site.deleted = "no"
    records = fill(site, 6)
    site.records = lambda question: listed(
        *(records[3:] if question.get("resumptionToken") else records[:3]), token="t", size=size
    )
    tally = night(own_settings, site.base_url)
    assert (tally.records[Change.NEW], tally.pictures, tally.failure is None) == (6, 6, finished)
    assert any("does not end" in remark for _, remark in tally.remarks) is whole


@pytest.mark.parametrize(
    "token", ['<resumptionToken completeListSize="99" cursor="0"/>', "<resumptionToken> \n</resumptionToken>"]
)
def test_an_empty_token_ends_a_list_whatever_else_it_says(site: Unfriendly, own_settings: Settings, token: str) -> None:
    records = fill(site, 2)
    site.records = lambda _: listed(*records).replace("</ListRecords>", f"{token}</ListRecords>")
    tally = night(own_settings, site.base_url)
    assert (tally.records[Change.NEW], tally.failure, len(site.asks())) == (2, None, 1)


def bad(site: Unfriendly, title: bytes) -> bytes:
    """An answer of three records, the second of which has this title."""
    whole = site.answer(listed(*(record(name, f"{site.root}/{name}.png", title=f"役者 {name}") for name in "abc")))
    return whole.replace("役者 b".encode(site.encoding), title)


@pytest.mark.parametrize(
    "title",
    [
        *(b"a\x0bb", b"a\x00b", b"a\x1bb", b"\xef\xbf\xbe", b"Caf\xe9", b"\xe5\xbd"),
        *(b"&foo;", b"&nbsp;", b"&#0;", b"&#xB;", b"A & B", b"http://x.example/?a=1&b=2"),
        *(b"a < b", b"</dc:titel>", b"<i>a", b"<![CDATA[a"),
    ],
    ids=repr,
)
def test_the_other_records_come_in_and_the_bad_one_is_told_with_its_bytes(
    site: Unfriendly, own_settings: Settings, title: bytes
) -> None:
    site.pictures = {f"/{name}.png": [Reply(drawn(seed))] for seed, name in enumerate("abc")}
    site.records = lambda _: bad(site, title)
    tally = night(own_settings, site.base_url)
    assert (tally.failure, live(own_settings), tally.pictures) == (None, ["a", "c"], 2)
    ((identifier, raw),) = rows(own_settings, "SELECT identifier, raw FROM unreadable_records")
    assert identifier == "b"
    assert isinstance(raw, bytes)
    assert raw.startswith(b"<record>")
    assert raw.endswith(b"</record>")
    assert title in raw
    assert [name for name, _ in tally.lasting] == ["b"]
    site.records = lambda _: bad(site, b"sound")
    tally = night(own_settings, site.base_url)
    assert (live(own_settings), tally.problems) == (["a", "b", "c"], [])
    assert rows(own_settings, "SELECT * FROM unreadable_records") == []


def test_a_record_that_can_be_read_no_more_is_held_back_until_it_can(site: Unfriendly, own_settings: Settings) -> None:
    def usable() -> list[str]:
        with Catalogue.open(own_settings) as catalogue:
            images = [each.id for each in catalogue.images_to_embed(EncoderKey("any", "0"), list(Tone))]
            return sorted(each.identifier for each in catalogue.describe(images).values())

    site.pictures = {f"/{name}.png": [Reply(drawn(seed))] for seed, name in enumerate("abc")}
    for title, allowed in ((b"sound", "abc"), (b"&nbsp;", "ac"), (b"sound", "abc")):
        site.records = lambda _, title=title: bad(site, title)
        night(own_settings, site.base_url)
        assert usable() == list(allowed)
        with Catalogue.open(own_settings) as catalogue:
            (name,) = catalogue.archive_addresses()
            held = catalogue.held_back(ContentScope(frozenset({Tone.GRAYSCALE}), {name: None}))
        assert held.get("unreadable", 0) == 3 - len(allowed)


@pytest.mark.parametrize(
    ("before", "declared", "encoding", "told"),
    [
        ("\ufeff\n", "UTF-8", "utf-8", False),
        ("\n\ufeff\n  ", "UTF-8", "utf-8", False),
        ("<br />\n<b>Notice</b>: Undefined index\n", "UTF-8", "utf-8", False),
        ("", "Shift_JIS", "cp932", False),
        ("", "EUC-JP", "euc_jp", False),
        ("", "ISO-2022-JP", "iso2022_jp", False),
        ("", "UTF-16", "utf-16", False),
        ("", "UTF-8", "cp932", True),
        ("", "UTF-8", "euc_jp", True),
        ("", "ISO-8859-1", "euc_jp", True),
        ("", "Shift_JIS", "utf-8", True),
        ("", "klingon", "utf-8", True),
    ],
)
def test_an_answer_is_read_in_the_encoding_that_it_is_in(
    site: Unfriendly, own_settings: Settings, before: str, declared: str, encoding: str, told: bool
) -> None:
    site.declaration, site.encoding = f'{before}<?xml version="1.0" encoding="{declared}"?>', encoding
    site.records = lambda _: listed(record("a", title="市川団十郎のしばらく"), record("b", title="役者 ①"[:2]))
    tally = night(own_settings, site.base_url)
    titles = rows(own_settings, "SELECT title FROM records ORDER BY identifier")
    assert (tally.failure, titles) == (None, [("市川団十郎のしばらく",), ("役者",)])
    assert any("not written as they say" in remark for _, remark in tally.remarks) is told


def test_one_byte_of_another_encoding_costs_one_record_in_shift_jis_too(
    site: Unfriendly, own_settings: Settings
) -> None:
    site.declaration, site.encoding = '<?xml version="1.0" encoding="Shift_JIS"?>', "cp932"
    site.records = lambda _: bad(site, b"\x81 ")
    tally = night(own_settings, site.base_url)
    assert (tally.failure, live(own_settings)) == (None, ["a", "c"])


@pytest.mark.parametrize("share", [0.5, 0.75, 0.95])
def test_an_answer_that_breaks_off_gives_what_came_whole_and_its_window_stays_open(
    site: Unfriendly, own_settings: Settings, share: float
) -> None:
    records = fill(site, 12)
    whole = site.answer(listed(*records))
    site.records = lambda _: whole[: int(len(whole) * share)]
    tally = night(own_settings, site.base_url)
    assert "broke off" in (tally.failure or "")
    assert 4 <= tally.pictures < 12
    assert rows(own_settings, "SELECT state FROM windows") == [("failed",)]
    site.records = None
    tally = night(own_settings, site.base_url)
    assert (tally.failure, states(own_settings)) == (None, {"held": 12})
    assert rows(own_settings, "SELECT identifier FROM unreadable_records") == []


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("bad_too", ["", "&nbsp;"])
@pytest.mark.parametrize(
    "dtd", [BOMB, '<!DOCTYPE a SYSTEM "file:///etc/passwd">', '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://x/">%x;]>']
)
def test_a_document_type_stays_refused_and_nothing_of_it_is_read(
    site: Unfriendly, own_settings: Settings, dtd: str, bad_too: str
) -> None:
    site.records = lambda _: site.answer(listed(record("a", title=f"&b;{bad_too}"))).replace(
        b"<OAI-PMH", dtd.encode() + b"<OAI-PMH", 1
    )
    tally = night(own_settings, site.base_url)
    assert "broken XML" in (tally.failure or "")
    assert live(own_settings) == []


def test_a_broken_identity_is_read_for_what_it_must_say(site: Unfriendly, own_settings: Settings) -> None:
    site.deleted = "persistent</deletedRecord><repositoryName>A&nbsp;museum</repositoryName><deletedRecord>"
    fill(site, 1)
    tally = night(own_settings, site.base_url)
    assert (tally.failure, tally.pictures) == (None, 1)


SLIPS = {
    "dc without its slash": ("purl.org/dc/elements/1.1/", "purl.org/dc/elements/1.1"),
    "dc with https": ("http://purl.org/dc/elements", "https://purl.org/dc/elements"),
    "dc in capitals": ("purl.org/dc/elements", "PURL.org/DC/elements"),
    "dcterms": ("purl.org/dc/elements/1.1/", "purl.org/dc/terms/"),
    "oai_dc with https": (
        "http://www.openarchives.org/OAI/2.0/oai_dc/",
        "https://www.openarchives.org/OAI/2.0/oai_dc/",
    ),
    "oai_dc without its slash": ("OAI/2.0/oai_dc/", "OAI/2.0/oai_dc"),
    "OAI without its slash": (
        'xmlns="http://www.openarchives.org/OAI/2.0/"',
        'xmlns="http://www.openarchives.org/OAI/2.0"',
    ),
    "OAI with https": ('xmlns="http://www', 'xmlns="https://www'),
    "no namespace at all": (' xmlns="http://www.openarchives.org/OAI/2.0/"', ""),
    "dc not declared": (' xmlns:dc="http://purl.org/dc/elements/1.1/"', ""),
    "elements without a prefix": ("dc:title>", "title>"),
}


@pytest.mark.parametrize(("old", "new"), SLIPS.values(), ids=SLIPS)
def test_a_namespace_that_is_written_otherwise_means_the_same(
    site: Unfriendly, own_settings: Settings, old: str, new: str
) -> None:
    records = fill(site, 2)
    site.records = lambda _: site.answer(listed(*records)).replace(old.encode(), new.encode())
    tally = night(own_settings, site.base_url)
    assert (tally.failure, tally.pictures, tally.problems) == (None, 2, [])
    assert rows(own_settings, "SELECT title FROM records ORDER BY title") == [("0.png",), ("1.png",)]
    assert rows(own_settings, "SELECT DISTINCT derivatives FROM rights") == [("yes",)]


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(hours=9), timedelta(hours=-9), timedelta(days=4000)], ids=str)
@pytest.mark.parametrize("by", ["the archive's clock", "ours"])
def test_what_is_dated_back_is_found_and_a_wrong_clock_is_told(
    site: Unfriendly, own_settings: Settings, ahead: timedelta, by: str
) -> None:
    site.ahead = ahead
    first = fill(site, 1)
    seen: list[str] = list(first)

    def within(question: Question) -> str:
        stamps = {each: each.partition("<datestamp>")[2][:20] for each in seen}
        start, end = question.get("from", ""), question.get("until", "9")
        found = [each for each, stamp in stamps.items() if start <= stamp <= end]
        return listed(*found) if found else error("noRecordsMatch")

    site.records = within
    tally = night(own_settings, site.base_url)
    assert any("clock" in remark for _, remark in tally.remarks) is bool(ahead)
    moment = site.now if by == "the archive's clock" else site.now - site.ahead
    for number, hours in enumerate((-30, -1, 0)):
        site.pictures[f"/late{number}.png"] = [Reply(drawn(70 + number))]
        stamp = (moment + timedelta(hours=hours)).strftime(STAMP)
        seen.append(record(f"late{number}", f"{site.root}/late{number}.png", stamp=stamp))
    pass_days(own_settings, 1)
    tally = night(own_settings, site.base_url)
    pass_days(own_settings, 1)
    again = night(own_settings, site.base_url)
    assert tally.records[Change.NEW] + again.records[Change.NEW] == 3
    assert states(own_settings) == {"held": 4}


@pytest.mark.parametrize("deleted", ["no", "transient"])
def test_a_record_of_few_that_is_gone_is_found_by_the_next_list_of_everything(
    site: Unfriendly, own_settings: Settings, deleted: str
) -> None:
    site.deleted = deleted
    fill(site, 4)
    night(own_settings, site.base_url)
    del site.pictures["/2.png"]
    pass_days(own_settings, 29)
    assert night(own_settings, site.base_url).records[Change.DELETED] == 0
    pass_days(own_settings, 1.1)
    assert night(own_settings, site.base_url).records[Change.DELETED] == 1
    assert live(own_settings) == ["0.png", "1.png", "3.png"]


@pytest.mark.parametrize(
    "granularity",
    [
        "YYYY-MM-DDThh:mm:ss",
        "YYYY-MM-DDThh:mm:ss.sZ",
        "yyyy-mm-ddThh:mm:ssZ",
        "YYYY-MM-DDTHH:MM:SSZ",
        "YYYY",
        "",
        "day",
    ],
)
def test_a_granularity_that_nobody_knows_is_taken_for_days_and_told(
    site: Unfriendly, own_settings: Settings, granularity: str
) -> None:
    site.granularity = granularity
    fill(site, 1)
    tally = night(own_settings, site.base_url)
    assert (tally.failure, tally.pictures) == (None, 1)
    assert any("granularity" in remark for _, remark in tally.remarks)
    night(own_settings, site.base_url)
    assert len(site.asks()[-1]["from"]) == len("2024-01-01")


def test_an_archive_that_says_no_time_is_taken_to_have_ours(site: Unfriendly, own_settings: Settings) -> None:
    fill(site, 1)
    honest = site.answer
    site.answer = lambda inner: honest(inner).replace(b"responseDate>", b"date>")  # type: ignore[method-assign]
    tally = night(own_settings, site.base_url)
    assert (tally.failure, tally.pictures) == (None, 1)
    assert any("no responseDate" in remark for _, remark in tally.remarks)


def test_an_archive_that_accepts_no_dates_is_listed_whole(site: Unfriendly, own_settings: Settings) -> None:
    fill(site, 2)
    site.records = lambda question: error("badArgument") if "from" in question else listed(*site.all_records())
    assert night(own_settings, site.base_url).records[Change.NEW] == 2
    site.holds(3)
    tally = night(own_settings, site.base_url)
    assert (tally.records[Change.NEW], tally.failure) == (1, None)
    assert any("does not accept dates" in remark for _, remark in tally.remarks)


def test_a_person_may_have_any_archive_listed_whole(site: Unfriendly, own_settings: Settings) -> None:
    fill(site, 1)
    for days, whole in ((30, True), (30, False), (0, True)):
        night(own_settings.model_copy(update={"full_listing_days": days}), site.base_url)
        assert ("from" not in site.asks()[-1]) is whole


@pytest.mark.long
def test_a_list_shorter_than_promised_is_listed_again_and_believed_when_it_is_as_short(
    site: Unfriendly, own_settings: Settings
) -> None:
    records = fill(site, 6)
    for count, state in ((4, "failed"), (5, "failed"), (5, "done")):
        site.records = lambda _, count=count: listed(*records[:count], token="", size=6)
        tally = night(own_settings, site.base_url)
        assert (tally.failure, len(tally.lasting)) == (None, 1)
        assert rows(own_settings, "SELECT state FROM windows") == [(state,)]
    assert states(own_settings) == {"held": 5}
    assert rows(own_settings, "SELECT * FROM unreadable_records") == []


def test_elements_nested_without_end_in_a_broken_answer_cost_one_record(
    site: Unfriendly, own_settings: Settings
) -> None:
    site.pictures = {f"/{name}.png": [Reply(drawn(seed))] for seed, name in enumerate("abc")}
    deep = b"<x>" * 20_000 + b"</x>" * 20_000
    site.records = lambda _: bad(site, deep).replace(b"<ListRecords>", b"<ListRecords>&nbsp;")
    tally = night(own_settings, site.base_url)
    assert (tally.failure, live(own_settings)) == (None, ["a", "c"])
    assert "too deeply" in next(iter(tally.lasting))[1]
