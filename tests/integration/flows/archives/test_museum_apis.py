"""Japan Search, the Met, Chicago and Cleveland over their own APIs, as the sample archive speaks them on loopback."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from urllib.request import urlopen

import pytest

from flows.archives.apis.museum import MuseumApi
from flows.archives.errors import ArchiveUnavailable, MalformedAnswer, NotAnArchive
from flows.archives.options import OPTIONS, JapanSearchOptions, MetOptions
from flows.archives.record import Access, Archive, Derivatives, Record, Remark, Unreadable, Window
from flows.archives.registry import Protocol, open_archive
from flows.archives.sample.aic import AGENTS
from flows.archives.sample.drawing.collection import holdings
from flows.archives.sample.oai import Shelf
from flows.archives.sample.server import APIS, SampleArchive, serve_sample
from flows.archives.web.politeness import Manners
from tests.integration.flows.archives.web_server import BUSY_PAGE, FaultPlan, Reply, WebServer, serve

JPS, MET, AIC, CLE = MUSEUMS = (Protocol.JAPAN_SEARCH, Protocol.MET, Protocol.AIC, Protocol.CLEVELAND)
EVERYTHING = Window(None, datetime(2030, 1, 1, tzinfo=UTC))
Found = list[Record | Unreadable | Remark]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", (0.0, 0.0))


def opened(protocol: Protocol, address: str, **options: object) -> Archive:
    chosen = OPTIONS[protocol](**options)
    return open_archive(protocol, Access("museum", address, Manners("c", pace_s=0), genres=("役者絵",), options=chosen))


def everything(protocol: Protocol, address: str, window: Window = EVERYTHING, **options: object) -> Found:
    archive = opened(protocol, address, **options)
    try:
        return list(archive.records(window))
    finally:
        archive.close()


def told(record: Record) -> tuple[object, ...]:
    """What a record says, whatever the protocol calls it."""
    years = (record.year_from, record.year_to)
    said = (record.title, record.artists, record.date_text, *years, record.genre, record.rights.derivatives)
    return (key(record), *said, len(record.pictures), record.deleted)


def key(record: Record) -> str:
    """The sample archive's own name of it, which every protocol brings somewhere."""
    named = re.search(r"\d{4}-[cgk]", record.raw)
    return named[0] if named and not record.deleted else ""


@pytest.fixture(scope="module")
def sample() -> Iterator[SampleArchive]:
    with serve_sample(designs=3, grays=3, page=2) as server:
        yield server


@pytest.mark.parametrize("protocol", MUSEUMS)
def test_the_sample_archive_says_the_same_over_every_api(sample: SampleArchive, protocol: Protocol) -> None:
    oai = [each for each in everything(Protocol.OAI_PMH, sample.base_url) if isinstance(each, Record)]
    found = everything(protocol, f"{sample.root}/{protocol}")
    records = [each for each in found if isinstance(each, Record)]
    assert [each for each in found if isinstance(each, Unreadable)] == []
    assert sorted(map(repr, map(told, records))) == sorted(
        repr(told(each)) for each in oai if not each.deleted or protocol is Protocol.MET
    )
    if protocol is not Protocol.AIC:  # which names nobody but artists
        assert {each.cast for each in records} >= {each.cast for each in oai}


@pytest.mark.parametrize("protocol", MUSEUMS)
def test_a_picture_is_the_same_bytes_over_every_api(sample: SampleArchive, protocol: Protocol) -> None:
    archive = opened(protocol, f"{sample.root}/{protocol}")
    record = next(each for each in archive.records(EVERYTHING) if isinstance(each, Record) and each.pictures)
    picture = archive.picture(record.pictures[0])
    assert picture is not None
    assert archive.picture(record.pictures[0], picture.validators) is None
    archive.close()
    oai = opened(Protocol.OAI_PMH, sample.base_url)
    same = oai.picture(f"{sample.root}/pictures/{key(record)}.{sample.holding(key(record)).suffix}")
    oai.close()
    assert same is not None
    assert same.data == picture.data


def many(protocol: Protocol, count: int, page: int, plan: FaultPlan) -> tuple[Found, WebServer, set[str]]:
    """All records of a sample archive of that many, over answers that fail by the plan."""
    stock = holdings(count // 2, count - count // 2, 7)

    def site(path: str) -> Reply | None:
        parts = urlsplit(path)
        shelf = Shelf(stock, f"http://127.0.0.1:{port}", page)
        found = APIS[protocol](parts.path.removeprefix("/api/"), parse_qsl(parts.query), shelf)
        return Reply(found) if isinstance(found, bytes) else None

    with serve(site, plan) as server:
        port = urlsplit(server.root).port
        found = everything(protocol, f"{server.root}/api")
    return found, server, {each.key for each in stock if not each.deleted}


@pytest.mark.parametrize("protocol", MUSEUMS)
def test_with_a_fifth_of_the_answers_failing_every_record_comes_exactly_once(protocol: Protocol) -> None:
    found, server, keys = many(protocol, 150, 3, FaultPlan(0.2, seed=3))
    records = [each for each in found if isinstance(each, Record) and not each.deleted]
    assert sorted(map(key, records)) == sorted(keys)
    assert [each for each in found if isinstance(each, Unreadable)] == []
    assert server.faults.told


@pytest.mark.long
def test_more_than_a_search_gives_is_scrolled_through_and_never_searched() -> None:
    found, server, keys = many(Protocol.JAPAN_SEARCH, 2_400, 200, FaultPlan())
    assert len([each for each in found if isinstance(each, Record)]) == len(keys) > 2_000
    assert len([path for path in server.asked if "/search/" in path]) == 1


def test_a_list_goes_by_number_past_the_first_ten_thousand_of_a_search() -> None:
    found, server, keys = many(Protocol.AIC, 450, 5, FaultPlan())
    assert len([each for each in found if isinstance(each, Record)]) == len(keys) > 400
    assert not [path for path in server.asked if "page" in path or "from" in path]


@pytest.mark.parametrize("protocol", [Protocol.MET, Protocol.AIC])
def test_what_changed_since_is_asked_for_where_the_api_can_tell(protocol: Protocol) -> None:
    with serve_sample(designs=3, grays=3) as server:
        changed = next(name for name in server.identifiers if not server.holding(name).deleted)
        server.touch(changed)
        archive = opened(protocol, f"{server.root}/{protocol}")
        (window,) = archive.windows(datetime(2025, 6, 1, 12, tzinfo=UTC))
        found = [each for each in archive.records(window) if isinstance(each, Record)]
        archive.close()
    assert list(map(key, found)) == [changed.rpartition(":")[2]]


@pytest.mark.parametrize("protocol", [Protocol.JAPAN_SEARCH, Protocol.CLEVELAND])
def test_an_api_that_cannot_tell_what_changed_lists_everything(protocol: Protocol) -> None:
    archive = opened(protocol, "http://127.0.0.1:9/")
    assert [window.start for window in archive.windows(datetime(2025, 6, 1, tzinfo=UTC))] == [None]
    archive.close()


@pytest.mark.parametrize("protocol", MUSEUMS)
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Reply(BUSY_PAGE, "text/html"), NotAnArchive),
        (Reply("{"), MalformedAnswer),
        (Reply("[]"), MalformedAnswer),
        (Reply('{"error": "no"}'), MalformedAnswer),
        (Reply('{"list": "x", "data": "x", "departments": "x"}'), MalformedAnswer),
        (Reply("", status=404), NotAnArchive),
    ],
    ids=["a page", "broken", "another type", "no list", "a list that is none", "nothing there"],
)
def test_what_is_no_such_api_is_told(protocol: Protocol, answer: Reply, error: type[Exception]) -> None:
    with serve(lambda path: answer if path != "/robots.txt" else None) as server:
        archive = opened(protocol, server.root)
        with pytest.raises(error):
            archive.check()
        archive.close()


def scroll(pages: dict[str, dict[str, object]]) -> Callable[[str], Reply | None]:
    """Japan Search's answers by scrollId; the first has none. What is not among them is forgotten."""

    def site(path: str) -> Reply | None:
        parts = urlsplit(path)
        place = dict(parse_qsl(parts.query)).get("scrollId", "")
        return Reply(json.dumps(pages[place])) if place in pages and parts.path.startswith("/item/") else None

    return site


def item(identifier: str, **common: object) -> dict[str, object]:
    said = {"id": identifier, "lastUpdatedDate": 1_700_000_000_000, "contentsRightsType": "cc0", "access": "PUBLIC"}
    return {"id": identifier, "common": {**said, **common}}


def test_a_scroll_that_is_forgotten_is_begun_again_and_a_list_that_stays_short_is_told() -> None:
    pages = {"": {"list": [item("a"), item("b")], "hit": 3, "scrollId": "gone"}}
    with serve(scroll(pages)) as server:
        found = everything(Protocol.JAPAN_SEARCH, server.root)
    assert [each.identifier for each in found if isinstance(each, Record)] == ["a", "b"]
    (short,) = (each for each in found if isinstance(each, Unreadable))
    assert (short.is_list, short.reason.partition(";")[0]) == (True, "its list ended after 2 of 3 records")


def test_a_scroll_without_end_is_left() -> None:
    with serve(scroll({name: {"list": [item("a")], "hit": 9, "scrollId": "s"} for name in ("", "s")})) as server:
        archive = opened(Protocol.JAPAN_SEARCH, server.root)
        with pytest.raises(MalformedAnswer, match="without end, after 1"):
            list(archive.records(EVERYTHING))
        archive.close()
    assert len(server.asked) < 30


def test_a_scroll_that_goes_on_although_its_answer_was_lost_is_gone_through_again() -> None:
    """As with a cursor on the server's side."""
    places: list[int] = []

    def site(path: str) -> Reply | None:
        if not path.startswith("/item/"):
            return None
        if "scrollId" not in path:
            places.clear()
        places.append(len(places))
        begin = 2 * places[-1]
        more = {"scrollId": "s"} if begin < 38 else {}
        return Reply(json.dumps({"list": [item(str(n)) for n in range(begin, min(40, begin + 2))], "hit": 40, **more}))

    with serve(site, FaultPlan(0.2, ("truncated", "cut"))) as server:
        found = everything(Protocol.JAPAN_SEARCH, server.root)
    assert sorted(int(each.identifier) for each in found if isinstance(each, Record)) == list(range(40))
    assert server.faults.told


def test_where_only_a_thumbnail_is_named_its_picture_is_looked_for_where_the_options_say() -> None:
    start = "https://www.arc.example/archive01/theater/"
    record = one(Protocol.JAPAN_SEARCH, item("a", thumbnailUrl=[f"{start}th_image/PB/pre/th_image/x.jpg"]))
    assert isinstance(record, Record)
    assert record.pictures == (f"{start}image/PB/pre/th_image/x.jpg",)


def test_every_database_that_is_named_is_read() -> None:
    def site(path: str) -> Reply | None:
        database = dict(parse_qsl(urlsplit(path).query)).get("f-db", "")
        return Reply(json.dumps({"list": [item(f"{database}-1")], "hit": 1})) if database else None

    with serve(site) as server:
        found = everything(Protocol.JAPAN_SEARCH, server.root, databases=("one", "two"))
    assert [each.identifier for each in found if isinstance(each, Record)] == ["one-1", "two-1"]


def read(protocol: Protocol, answers: dict[str, object]) -> Found:
    """All that comes of answers by the beginning of their paths."""

    def site(path: str) -> Reply | None:
        found = next((value for start, value in answers.items() if path.startswith(start)), None)
        return None if found is None else Reply(json.dumps(found))

    with serve(site) as server:
        return everything(protocol, server.root)


def one(protocol: Protocol, record: dict[str, object]) -> Record | Unreadable:
    """What a record comes to."""
    listed = {"list": [record], "hit": 1, "data": [record], "info": {"total": 1}, "objectIDs": [7], "departments": []}
    config = {"config": {"iiif_url": "https://images.example/iiif/2", "website_url": "https://www.example"}}
    paths = ("/item", "/artworks", "/objects?", "/departments")
    found = read(protocol, {"/objects/7": record, **dict.fromkeys(paths, listed | config)})
    return next(each for each in found if not isinstance(each, Remark))


WHOLE: dict[Protocol, dict[str, object]] = {
    Protocol.JAPAN_SEARCH: item("a", contentsUrl=["https://x.example/a.jpg"], thumbnailUrl=["https://x.example/t.jpg"]),
    Protocol.MET: {
        "objectID": 7,
        "metadataDate": "2023-04-04T04:44:12.57Z",
        "isPublicDomain": True,
        "primaryImage": "https://x.example/a.jpg",
        "additionalImages": ["https://x.example/b.jpg"],
    },
    Protocol.AIC: {
        "id": 7,
        "updated_at": "2023-04-04T04:44:12-05:00",
        "is_public_domain": True,
        "image_id": "0a-1b-2c-3d",
    },
    Protocol.CLEVELAND: {
        "id": 7,
        "updated_at": "2023-04-04 04:44:12.570000",
        "share_license_status": "CC0",
        "images": {"web": {"url": "https://x.example/w.jpg"}, "print": {"url": "https://x.example/p.jpg"}},
        "alternate_images": [{"web": {"url": "https://x.example/v.jpg"}}],
    },
}
PICTURES = {
    Protocol.JAPAN_SEARCH: ("https://x.example/a.jpg",),
    Protocol.MET: ("https://x.example/a.jpg", "https://x.example/b.jpg"),
    Protocol.AIC: ("https://images.example/iiif/2/0a-1b-2c-3d/full/843,/0/default.jpg",),
    Protocol.CLEVELAND: ("https://x.example/p.jpg", "https://x.example/v.jpg"),
}


def test_the_mets_people_are_known_by_their_authority_files() -> None:
    ulan, wikidata = "http://vocab.getty.edu/page/ulan/500063446", "https://www.wikidata.org/wiki/Q552021"
    people = [
        {"role": "Artist", "name": "Utagawa Kunisada", "constituentULAN_URL": ulan, "constituentWikidata_URL": ""},
        {"role": "Actor", "name": "Danjūrō VII", "constituentULAN_URL": "", "constituentWikidata_URL": wikidata},
        {"role": "Publisher", "name": "Nobody", "constituentULAN_URL": "javascript:alert(1)"},
    ]
    alone = {"artistDisplayName": "Utagawa Kunisada", "artistULAN_URL": ulan, "artistWikidata_URL": wikidata}
    ulan, wikidata = "http://vocab.getty.edu/ulan/500063446", "http://www.wikidata.org/entity/Q552021"
    for said, expected in (
        ({"constituents": people}, (("Utagawa Kunisada", ulan), ("Danjūrō VII", wikidata))),
        (alone, (("Utagawa Kunisada", ulan), ("Utagawa Kunisada", wikidata))),
    ):
        record = one(MET, WHOLE[MET] | said)
        assert isinstance(record, Record)
        assert record.authorities == expected


def test_chicagos_artists_are_known_by_their_numbers_in_ulan(sample: SampleArchive) -> None:
    records = [each for each in everything(AIC, f"{sample.root}/aic") if isinstance(each, Record)]
    in_ulan = {each["title"]: f"http://vocab.getty.edu/ulan/{each['ulan_id']}" for each in AGENTS if each["ulan_id"]}
    assert [each.authorities for each in records] == [
        tuple((name, in_ulan[name]) for name in each.artists if name in in_ulan) for each in records
    ]
    assert {bool(each.authorities) for each in records} == {True, False}


def test_each_of_chicagos_artists_is_asked_for_once_and_a_page_of_known_ones_asks_nobody() -> None:
    _, server, _ = many(AIC, 60, 2, FaultPlan())
    asked = [dict(parse_qsl(urlsplit(path).query)) for path in server.asked if "/agents?" in path]
    numbers = [number for question in asked for number in question["ids"].split(",")]
    assert len(numbers) == len(set(numbers)) == len(AGENTS)
    assert {question["fields"] for question in asked} == {"id,title,ulan_id"}
    assert len(asked) <= len(AGENTS) < len(server.asked)


def chicago(agents: Reply | None, *artworks: dict[str, object]) -> tuple[list[Record], list[Remark], WebServer]:
    """What comes of these artworks, each a page, where this is the answer for their artists."""
    pages = [{**WHOLE[AIC], "id": number, **said} for number, said in enumerate(artworks, 1)]

    def site(path: str) -> Reply | None:
        if "search" not in path:
            return agents if path.startswith("/agents?") else None
        query = json.loads(dict(parse_qsl(urlsplit(path).query))["params"]).get("query")
        above = query["bool"]["filter"][-1]["range"]["id"]["gt"] if query else 0
        return Reply(json.dumps({"data": pages[above : above + 1], "pagination": {"total": len(pages)}}))

    with serve(site) as server:
        found = everything(AIC, server.root)
    assert not [each for each in found if isinstance(each, Unreadable)]
    remarks = [each for each in found if isinstance(each, Remark) and each.subject == "museum"]
    return [each for each in found if isinstance(each, Record)], remarks, server


KUNISADA = {"artist_titles": ["Utagawa Kunisada"], "artist_ids": [36521]}
IN_ULAN = (("Utagawa Kunisada", "http://vocab.getty.edu/ulan/500063446"),)


@pytest.mark.parametrize(
    ("artwork", "agent", "authorities"),
    [
        (KUNISADA, {"ulan_id": "500063446"}, IN_ULAN),
        (KUNISADA, {"ulan_id": 500063446}, IN_ULAN),
        (KUNISADA, {"ulan_id": None}, ()),
        (KUNISADA, {}, ()),
        (KUNISADA, {"ulan_id": ["500063446"]}, ()),
        (KUNISADA, {"ulan_id": True}, ()),
        (KUNISADA, {"ulan_id": 500063446.0}, ()),
        (KUNISADA, {"ulan_id": "javascript:alert(1)"}, ()),
        (KUNISADA, {"ulan_id": "500063446/../../x"}, ()),
        (KUNISADA, {"ulan_id": "9" * 20_000}, ()),
        (KUNISADA, {"ulan_id": "500063446", "title": "Somebody else"}, ()),
        (KUNISADA, {"ulan_id": "500063446", "title": ["Utagawa Kunisada"]}, ()),
        (KUNISADA, {"ulan_id": "500063446", "id": "36521"}, ()),
        (KUNISADA, {"ulan_id": "500063446", "id": 7}, ()),
        ({**KUNISADA, "artist_ids": [True, "7", None, -1, 10**400, 36521, 36521]}, {"ulan_id": "500063446"}, IN_ULAN),
        ({**KUNISADA, "artist_titles": []}, {"ulan_id": "500063446"}, ()),
        ({**KUNISADA, "artist_titles": ["A", "Utagawa Kunisada"]}, {"ulan_id": "500063446"}, IN_ULAN),
    ],
)
def test_an_artist_of_chicagos_is_linked_where_number_and_name_are_those_asked_for(
    artwork: dict[str, object], agent: dict[str, object], authorities: tuple[tuple[str, str], ...]
) -> None:
    answer = {"data": [None, 7, "x", {"id": 36521, "title": "Utagawa Kunisada", **agent}]}
    (record,), remarks, _ = chicago(Reply(json.dumps(answer)), artwork)
    assert (record.authorities, remarks) == (authorities, [])


@pytest.mark.parametrize("artist_ids", [36521, "36521", {"a": 1}, None, [], [10**400, "x"], [[36521]]])
def test_where_chicago_writes_no_numbers_of_artists_nobody_is_asked_for(artist_ids: object) -> None:
    (record,), remarks, server = chicago(None, {**KUNISADA, "artist_ids": artist_ids})
    assert (record.authorities, remarks) == ((), [])
    assert not [path for path in server.asked if path.startswith("/agents")]


def test_of_a_page_with_artists_without_end_no_more_are_asked_for_than_one_answer_holds() -> None:
    _, _, server = chicago(Reply('{"data": []}'), {**KUNISADA, "artist_ids": list(range(1, 5_000))})
    (asked,) = (dict(parse_qsl(urlsplit(path).query)) for path in server.asked if path.startswith("/agents"))
    assert (len(asked["ids"].split(",")), asked["limit"]) == (100, "100")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        Reply(status=500),
        Reply(status=403),
        Reply(status=400),
        Reply(status=429),
        Reply(BUSY_PAGE, "text/html"),
        Reply("{"),
        Reply("[]"),
        Reply('{"data": {"36521": {}}}'),
        Reply('{"error": "no"}'),
    ],
    ids=[
        "gone",
        "fault",
        "refused",
        "bad question",
        "too many",
        "a page",
        "broken",
        "another type",
        "no list",
        "an error",
    ],
)
def test_where_chicagos_artists_cannot_be_had_every_record_comes_and_nobody_is_asked_for_again(
    answer: Reply | None,
) -> None:
    records, (remark,), server = chicago(answer, *({**KUNISADA, "artist_ids": [number]} for number in (1, 2, 3)))
    assert [(each.identifier, each.artists, each.authorities) for each in records] == [
        (number, ("Utagawa Kunisada",), ()) for number in ("1", "2", "3")
    ]
    assert "ULAN" in remark.text
    assert {path for path in server.asked if path.startswith("/agents")} == {
        "/agents?ids=1&fields=id%2Ctitle%2Culan_id&limit=1"
    }


@pytest.mark.parametrize("protocol", MUSEUMS)
def test_a_record_with_little_is_a_record_and_its_pictures_are_the_large_ones(protocol: Protocol) -> None:
    record = one(protocol, WHOLE[protocol])
    assert isinstance(record, Record)
    assert (record.pictures, record.rights.derivatives) == (PICTURES[protocol], Derivatives.YES)
    assert record.datestamp.tzinfo is UTC


YES, NO, ASK, UNKNOWN = Derivatives.YES, Derivatives.NO, Derivatives.ASK, Derivatives.UNKNOWN
RIGHTS: list[tuple[Protocol, dict[str, object], Derivatives]] = [
    *(
        (JPS, item("a", contentsRightsType=code), YES)
        for code in ("pdm", "cc0", "ccby", "ccbysa", "ccbync", "ccbyncsa")
    ),
    *((JPS, item("a", contentsRightsType=code), NO) for code in ("ccbynd", "ccbyncnd", "incr")),
    *((JPS, item("a", contentsRightsType=code), ASK) for code in ("incr_edu", "nocr_cont", "nocr_other")),
    *((JPS, item("a", contentsRightsType=code), UNKNOWN) for code in ("uneval", "undet", "")),
    *((JPS, item("a", contentsRightsType=code), ASK) for code in ("others", "com", "edu", "noncom", "public domain")),
    (JPS, item("a", access="PRIVATE"), ASK),
    (MET, {"isPublicDomain": False}, ASK),
    (MET, {"isPublicDomain": None}, UNKNOWN),
    (MET, {"rightsAndReproduction": "© 2024 Artists Rights Society"}, ASK),
    (MET, {"isPublicDomain": False, "rightsAndReproduction": "All derivatives are prohibited"}, NO),
    (AIC, {"is_public_domain": False}, ASK),
    (AIC, {"is_public_domain": None}, UNKNOWN),
    (AIC, {"copyright_notice": "© 2024 Somebody"}, ASK),
    (CLE, {"share_license_status": "Copyrighted"}, NO),
    (CLE, {"share_license_status": "CC BY"}, ASK),
    (CLE, {"share_license_status": None}, UNKNOWN),
    (CLE, {"copyright": "© Somebody"}, ASK),
]


@pytest.mark.parametrize(("protocol", "said", "derivatives"), RIGHTS)
def test_a_code_of_rights_means_what_the_table_says_and_one_that_is_not_there_holds_back(
    protocol: Protocol, said: dict[str, object], derivatives: Derivatives
) -> None:
    record = one(protocol, {**WHOLE[protocol], **said})
    assert isinstance(record, Record)
    assert record.rights.derivatives is derivatives, record.rights.basis


ODD: list[tuple[Protocol, dict[str, object], str]] = [
    (JPS, {"common": []}, "its field common is a list and not an object"),
    (JPS, {"common": None}, "no common fields"),
    (JPS, item("a", title=["x"]), "its field title is a list and not text"),
    (JPS, item("a", contentsUrl=[7]), "a number and not text"),
    (JPS, item("a", lastUpdatedDate=None), "no lastUpdatedDate"),
    (JPS, item("a", lastUpdatedDate=10**30), "is no date"),
    (JPS, item("x" * 2000), "more than 1,000"),
    (JPS, {"id": None, "common": {}}, "no identifier"),
    (MET, {"primaryImage": ["x"]}, "its field primaryImage is a list and not text"),
    (MET, {"constituents": {"role": "Artist"}}, "its field constituents is an object and not a list"),
    (MET, {"metadataDate": "soon"}, "'soon' is no date"),
    (MET, {"isPublicDomain": "true"}, "is text and not true or false"),
    (AIC, {"date_start": "1800"}, "its field date_start is text and not a number"),
    (AIC, {"updated_at": None}, "is no date"),
    (CLE, {"images": []}, "is a list and not an object"),
    (CLE, {"creators": ["x"]}, "it is text and not an object"),
    (CLE, {"id": "7"}, "its field id is text and not a number"),
]


@pytest.mark.parametrize(("protocol", "said", "reason"), ODD)
def test_a_record_with_a_field_of_another_type_is_unreadable_and_names_it(
    protocol: Protocol, said: dict[str, object], reason: str
) -> None:
    found = one(protocol, {**WHOLE[protocol], **said})
    assert isinstance(found, Unreadable)
    assert reason in found.reason
    assert found.raw


@pytest.mark.parametrize(
    ("protocol", "said", "remark"),
    [
        (JPS, item("a", thumbnailUrl=["https://x.example/t.jpg"]), "names no picture"),
        (JPS, item("a", contentsUrl=["https://x.example/page"], contentsType="text"), "names no picture"),
        (JPS, item("a", iiifUrl="https://x.example/manifest.json"), "only the IIIF manifest https://x.example/"),
        (MET, {"primaryImage": "", "additionalImages": []}, "names no picture"),
        (
            MET,
            {"primaryImage": "file:///etc/passwd", "additionalImages": ["ftp://x.example/a.jpg"]},
            "names no picture",
        ),
        (AIC, {"image_id": None}, "names no picture"),
        (AIC, {"image_id": "../../../etc/passwd"}, "names no picture"),
        (CLE, {"images": None, "alternate_images": []}, "names no picture"),
    ],
)
def test_a_record_without_a_picture_says_so(protocol: Protocol, said: dict[str, object], remark: str) -> None:
    record = one(protocol, {**WHOLE[protocol], **said})
    assert isinstance(record, Record)
    assert record.pictures == ()
    assert remark in record.remarks[0]


def test_a_number_that_the_met_lists_and_does_not_have_is_withdrawn() -> None:
    found = read(MET, {"/departments": {"departments": []}, "/objects?": {"total": 1, "objectIDs": [7, "8", None, -1]}})
    assert [(each.identifier, each.deleted) for each in found if isinstance(each, Record)] == [("7", True)]


def test_the_mets_ranked_search_is_cut_to_what_changed() -> None:
    def site(path: str) -> Reply | None:
        numbers = {"/objects?": [7, 8], "/search?": [8, 9], "/departments": []}
        found = next((value for start, value in numbers.items() if path.startswith(start)), None)
        return None if found is None else Reply(json.dumps({"objectIDs": found, "departments": found}))

    with serve(site) as server:
        found = everything(MET, server.root, Window(datetime(2025, 1, 1, tzinfo=UTC)), keyword="kabuki")
        whole = everything(MET, server.root, keyword="kabuki")
    assert [each.identifier for each in found if isinstance(each, Record)] == ["8"]
    assert [each.identifier for each in whole if isinstance(each, Record)] == ["8", "9"]


def test_a_museum_that_stops_answering_is_left_soon_and_not_taken_for_empty() -> None:
    def site(path: str) -> Reply | None:
        if path.startswith("/objects/"):
            return Reply(status=500)
        return Reply(json.dumps({"departments": [], "objectIDs": list(range(1, 400))}))

    with serve(site) as server, pytest.raises(ArchiveUnavailable):
        everything(MET, server.root)
    assert len(server.asked) < 40


def test_an_aic_that_does_not_list_by_number_is_left() -> None:
    page = {"data": [{**WHOLE[AIC], "id": number} for number in range(1, 101)], "pagination": {"total": 300}}
    expected = pytest.raises(MalformedAnswer, match="does not list by number")
    with serve(lambda path: Reply(json.dumps(page)) if "search" in path else None) as server, expected:
        everything(AIC, server.root)


def test_a_list_that_shifts_while_it_is_read_is_gone_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.apis.cleveland.IN_ONE_ANSWER", 2)
    held = [{**WHOLE[CLE], "id": number} for number in (1, 2, 3, 4)]
    asked = []

    def site(path: str) -> Reply | None:
        if "limit=2" not in path:
            return Reply('{"data": []}') if path.startswith("/artworks") else None
        asked.append(path)
        if len(asked) == 2:
            held.insert(0, held.pop())  # what was last is first
        skip = int(dict(parse_qsl(urlsplit(path).query))["skip"])
        return Reply(json.dumps({"info": {"total": 4}, "data": held[skip : skip + 2]}))

    with serve(site) as server:
        found = everything(CLE, server.root)
    assert sorted(each.identifier for each in found if isinstance(each, Record)) == ["1", "2", "3", "4"]


def test_chicago_is_asked_for_kinds_and_places_in_both_spellings() -> None:
    with serve(lambda path: Reply('{"data": []}') if "search" in path else None) as server:
        assert everything(AIC, server.root, types=("Print",), places=()) == []
    asked = json.loads(dict(parse_qsl(urlsplit(server.asked[-1]).query))["params"])
    assert asked["query"]["bool"]["filter"][0] == {"terms": {"artwork_type_title.keyword": ["Print", "print"]}}
    assert "description" not in asked["fields"]


def test_a_description_under_another_licence_is_not_kept() -> None:
    answer = {
        "data": [{**WHOLE[AIC], "credit_line": "x", "description": "secret"}],
        "pagination": {"total": 1},
        "info": {"license_text": "The `description` field in this response is CC-By."},
    }
    record, remark = read(AIC, {"/artworks": answer})[0], read(AIC, {"/artworks": answer})[-1]
    assert isinstance(record, Record)
    assert isinstance(remark, Remark)
    assert "secret" not in record.raw
    assert "CC-By" in remark.text


def test_options_are_checked_and_have_defaults() -> None:
    assert JapanSearchOptions().databases == ("arc_nishikie",)
    assert MetOptions().departments == (6,)
    with pytest.raises(ValueError, match="databases"):
        JapanSearchOptions(databases=())


def test_a_page_for_people_lies_where_every_api_says(sample: SampleArchive) -> None:
    client = opened(Protocol.AIC, f"{sample.root}/aic")
    record = next(each for each in client.records(EVERYTHING) if isinstance(each, Record))
    client.close()
    with urlopen(record.landing_url or "") as answer:
        assert record.title in answer.read().decode()


ANYTHING: list[object] = [
    None,
    [],
    {},
    "",
    "x",
    7,
    -1.5,
    True,
    [None],
    [[]],
    {"a": 1},
    [{}],
    10**400,
    "\ud800\x00",
    "9" * 20_000,
]


def spoilt(item: Any) -> Iterator[object]:
    """The item with one value in it, at any depth, replaced by each of those."""
    places = list(item.items()) if isinstance(item, dict) else list(enumerate(item)) if isinstance(item, list) else []
    for place, value in places:
        for other in [*ANYTHING, *spoilt(value)]:
            copied = item.copy()
            copied[place] = other
            yield copied


@pytest.mark.parametrize("protocol", MUSEUMS)
def test_whatever_stands_in_a_field_a_record_is_read_or_told(sample: SampleArchive, protocol: Protocol) -> None:
    whole = APIS[protocol](FIRST[protocol], [], sample.shelf())
    assert isinstance(whole, bytes)
    answer = json.loads(whole)
    record = next(iter(answer.get("list") or answer.get("data") or [answer]))
    archive = opened(protocol, "http://127.0.0.1:9/")
    assert isinstance(archive, MuseumApi)
    for each in (*spoilt(record), *ANYTHING):
        found = archive.read(each)
        assert isinstance(found, Unreadable) or -(10**4) < (found.year_from or 0) < 10**4
        found.identifier.encode()
    archive.close()


FIRST = {JPS: "item/search/jps-cross", MET: "objects/10", AIC: "artworks/search", CLE: "artworks/"}
