"""The ARC portal's client against a page that was made up by what others report of it; no real one was at hand."""

from collections.abc import Iterator
from html import escape
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.archives.apis.arc import OWN, ArcArchive
from flows.archives.errors import ArchiveRefused, ArchiveUnavailable, MalformedAnswer, NotAnArchive
from flows.archives.oai.archive import OaiPmhArchive
from flows.archives.options import ArcOptions, Markup
from flows.archives.record import Access, Archive, Derivatives, Record, Role, Unreadable
from flows.archives.sample.server import serve_sample
from flows.archives.web.politeness import Manners
from tests.integration.flows.archives.web_server import FaultPlan, Reply, Site, WebServer, serve

PB = "/archive01/theater/th_image/PB"


def hit(number: int, collection: str = "arc") -> str:
    """A result: a small picture, a link, and the run-on caption."""
    caption = f"arcUP{number:04}文久０３・０５・何某〈２〉「揃物」「題 {number}」由良之助〈5〉役者　甲"
    source = f"{PB}/{collection}/Prints/th_image/arcUP{number:04}.jpg"
    link = f"results-big.php?f1=arcUP{number:04}"
    return f'<td><a href="{link}"><img src="{source}"></a><br>{escape(caption)}</td>'


def portal(hits: list[str]) -> Site:
    """Pages of `-max` results from `skip` on."""

    def answer(path: str) -> Reply | None:
        asked = parse_qs(urlsplit(path).query)
        if not path.startswith("/db/results-big.php"):
            return None
        size, page = int(asked["-max"][0]), int(asked["skip"][0])
        rows = "".join(f"<tr>{each}</tr>" for each in hits[size * page : size * (page + 1)])
        return Reply(f"<html><table>{rows}</table></html>", "text/html; charset=utf-8")

    return answer


def client(server: WebServer, **options: object) -> ArcArchive:
    told = ArcOptions.model_validate({"page_size": 10, "own_hosts": ("127.0.0.1",), **options})
    return ArcArchive.open(Access("arc", f"{server.root}/db/", Manners("c", pace_s=0), options=told))


def listed(archive: Archive) -> Iterator[Record | Unreadable]:
    (window,) = archive.windows(None)
    return (each for each in archive.records(window) if isinstance(each, Record | Unreadable))


def test_a_record_is_what_its_caption_says_and_arcs_own_terms_forbid() -> None:
    with serve(portal([hit(1), hit(2, "Boston")])) as server:
        own, other = listed(client(server))
    assert isinstance(own, Record)
    assert isinstance(other, Record)
    assert (own.identifier, own.title, own.artists, own.year_from, own.genre) == (
        "arcUP0001", "揃物 題 1", ("何某〈2〉",), 1863, "役者絵",
    )  # fmt: skip
    assert own.cast == (Role("由良之助", "役者 甲〈5〉"),)
    assert own.pictures == (f"{server.root}{PB.replace('th_image', 'image')}/arc/Prints/th_image/arcUP0001.jpg",)
    assert own.landing_url == f"{server.root}/db/results-big.php?f1=arcUP0001"
    assert (own.holder, own.rights.derivatives) == (OWN, Derivatives.NO)
    assert (other.holder, other.rights.derivatives) == ("", Derivatives.UNKNOWN)


def test_what_stands_in_labelled_fields_beside_a_caption_is_no_part_of_it() -> None:
    fields = (("利用条件", "CC BY"), ("Rights:", "CC BY-ND"), ("年代", "1863年５月"), ("x", "「y」"), ("ジャンル", ""))
    said = "".join(f"<dt>{label}</dt><dd>{text}</dd>" for label, text in fields)
    with serve(portal([hit(1, "Boston").replace("</td>", f"<dl>{said}</dl></td>")])) as server:
        (found,) = listed(client(server))
    assert isinstance(found, Record)
    assert (found.title, found.date_text, found.year_from, found.genre) == ("揃物 題 1", "1863年５月", 1863, None)
    assert (found.rights.derivatives, found.cast) == (Derivatives.NO, (Role("由良之助", "役者 甲〈5〉"),))


def test_every_result_comes_once_although_the_portal_stumbles() -> None:
    faults = FaultPlan(0.2)
    with serve(portal([hit(number) for number in range(95)]), faults) as server:
        archive = client(server)
        archive._client._sleep = lambda _: None
        assert [each.identifier for each in listed(archive)] == [f"arcUP{number:04}" for number in range(95)]
        assert faults.told


def test_a_portal_that_repeats_itself_is_left() -> None:
    with serve(lambda _: Reply(f"<table>{hit(1)}</table>" * 10, "text/html")) as server:
        assert [each.identifier for each in listed(client(server))] == ["arcUP0001"]
        assert len(server.asked) <= 3


@pytest.mark.parametrize(
    ("body", "markup"),
    [("<html><p>Welcome</p></html>", {}), (f"<table>{hit(1)}</table>", {"item": "li.hit"}),
     (f"<table>{hit(1)}</table>", {"caption": "p.caption"}), (f"<table>{hit(1)}</table>", {"item": "td[["})],
)  # fmt: skip
def test_a_page_in_which_nothing_is_found_is_an_error_and_no_empty_list(body: str, markup: dict[str, str]) -> None:
    with serve(lambda _: Reply(body, "text/html")) as server:
        archive = client(server, markup=Markup.model_validate(markup))
        with pytest.raises(MalformedAnswer):
            list(listed(archive))
        with pytest.raises(NotAnArchive):
            archive.check()


def test_a_busy_page_in_the_midst_of_a_list_does_not_end_it() -> None:
    whole, pages = portal([hit(number) for number in range(25)]), "skip=1"
    busy = Reply("<html>Busy</html>", "text/html")
    with serve(lambda path: busy if pages in path else whole(path)) as server:
        with pytest.raises(ArchiveUnavailable, match="nothing was found"):
            list(listed(client(server)))
        assert len(server.asked) == 4


def test_what_finds_nothing_and_says_so_is_an_empty_list() -> None:
    with serve(lambda _: Reply("<p>該当するデータはありません</p>", "text/html")) as server:
        assert list(listed(client(server))) == []


def test_a_caption_without_an_accession_number_is_told_and_keeps_the_rest() -> None:
    with serve(portal([hit(1), '<td><img src="/x.jpg">何某「題」</td>', hit(2)])) as server:
        first, odd, last = listed(client(server))
    assert isinstance(odd, Unreadable)
    assert odd.breaks_list
    assert [first.identifier, last.identifier] == ["arcUP0001", "arcUP0002"]


@pytest.mark.parametrize(("status", "error"), [(403, ArchiveRefused), (429, ArchiveUnavailable)])
def test_a_portal_that_shuts_us_out_is_asked_no_further(status: int, error: type[Exception]) -> None:
    answer = Reply("アクセスが集中しています", "text/html", status, (("Retry-After", "3600"),))
    with serve(lambda path: None if path == "/robots.txt" else answer) as server:
        archive = client(server)
        archive._client._sleep = lambda _: None
        for _ in range(2):
            with pytest.raises(error, match=str(status)):
                list(listed(archive))
        assert len(server.asked) == {403: 2, 429: 1}[status]


@pytest.mark.parametrize("source", ["/", "javascript:alert(1)", "", "http://[", "file:///etc/passwd"])
def test_what_is_no_web_address_is_no_picture(source: str) -> None:
    with serve(portal([f'<td><img src="{source}">arcUP0001文久０３・・何某「題」</td>'])) as server:
        (only,) = listed(client(server))
    assert isinstance(only, Record)
    assert only.pictures == ()
    assert only.remarks == ("it shows no picture",)


def test_the_samples_captions_name_artists_and_actors_as_its_other_answers_do() -> None:
    with serve_sample(designs=2, grays=1) as sample:
        oai = OaiPmhArchive.open(Access("oai", sample.base_url, Manners("c", pace_s=0)))
        arc = ArcArchive.open(Access("arc", sample.address("arc"), Manners("c", pace_s=0)))
        over_oai, over_arc = (
            sorted(
                (each.title, each.artists, each.cast, each.holder)
                for each in listed(archive)
                if isinstance(each, Record) and not each.deleted
            )
            for archive in (oai, arc)
        )
    assert over_arc == over_oai


def test_the_portal_is_never_asked_faster_than_it_bears() -> None:
    slow = ArcArchive.open(Access("arc", "https://arc.example/db/", Manners("c", pace_s=0)))
    assert slow._client.manners.pace_s == 5
    slow.close()
