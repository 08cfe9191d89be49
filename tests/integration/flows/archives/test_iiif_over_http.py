"""IIIF collections, pictures and streams of changes over HTTP, as written by their specifications."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from flows.archives.errors import ArchiveRefused, ArchiveUnavailable, BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.iiif.archive import IiifArchive
from flows.archives.iiif.changes import ChangeArchive
from flows.archives.options import IiifOptions
from flows.archives.record import Access, Record, Remark, Unreadable, Validators, Window
from flows.archives.web.politeness import Manners
from tests.integration.flows.archives.web_server import FaultPlan, Reply, WebServer, serve

JPEG = b"\xff\xd8\xff\xe0" + bytes(5000)


def manifest(name: str) -> dict[str, Any]:
    service = {"id": f"/image/{name}", "type": "ImageService3", "profile": "level1"}
    body = {"id": f"/files/{name}.jpg", "type": "Image", "service": [service]}
    canvas = {"type": "Canvas", "items": [{"items": [{"motivation": "painting", "body": body}]}]}
    return {"type": "Manifest", "id": f"/m/{name}", "label": {"none": [name]}, "items": [canvas]}


def collection(*members: tuple[str, str]) -> dict[str, Any]:
    return {"type": "Collection", "items": [{"type": kind, "id": url} for kind, url in members]}


def site(pages: Mapping[str, Any]) -> dict[str, Reply]:
    return {path: each if isinstance(each, Reply) else Reply(json.dumps(each)) for path, each in pages.items()}


def access(server: WebServer, path: str = "/top", **options: Any) -> Access:
    return Access("museum", server.root + path, Manners("c", pace_s=0), options=IiifOptions(**options))


def quick(archive: IiifArchive) -> IiifArchive:
    archive._client._sleep = lambda _: None
    return archive


def names(found: Iterator[Record | Unreadable | Remark]) -> list[str]:
    return [each.identifier.rpartition("/")[2] for each in found if isinstance(each, Record)]


def test_nested_paged_and_circular_collections_are_walked_once() -> None:
    pages = {
        "/top": {**collection(("Manifest", "/m/a"), ("Collection", "/c")), "first": "/p"},
        "/c": collection(("Manifest", "/m/b"), ("Collection", "/top"), ("Manifest", "/m/a"), ("Collection", "/gone")),
        "/p": {**collection(("Manifest", "/m/d")), "next": "/p"},
        **{f"/m/{name}": manifest(name) for name in ("a", "b", "d")},
    }
    with serve(site(pages)) as server:
        found = list(quick(IiifArchive.open(access(server))).records(Window()))
    assert sorted(names(iter(found))) == ["a", "b", "d"]
    (gone,) = (each for each in found if isinstance(each, Unreadable))
    assert gone.breaks_list
    assert gone.identifier.endswith("/gone")


def test_a_collection_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.iiif.archive.MOST_IN_VAIN", 20)
    with (
        serve(lambda path: Reply(json.dumps(collection(("Collection", f"{path}1"))))) as server,
        pytest.raises(MalformedAnswer, match="21 collections in a row"),
    ):
        list(quick(IiifArchive.open(access(server))).records(Window()))


def test_a_single_manifest_is_an_archive_of_one_record() -> None:
    with serve(site({"/top": manifest("a")})) as server:
        archive = IiifArchive.open(access(server))
        archive.check()
        (only, *_) = archive.records(Window())
        assert isinstance(only, Record)
        assert (only.identifier, server.asked) == (f"{server.root}/top", ["/top"])


@pytest.mark.long
def test_every_manifest_comes_once_although_a_fifth_of_the_answers_fail() -> None:
    count = 150
    pages = {"/top": collection(*[("Manifest", f"/m/{number}") for number in range(count)])}
    pages |= {f"/m/{number}": manifest(str(number)) for number in range(count)}
    with serve(site(pages), FaultPlan(0.2)) as server:
        found = names(quick(IiifArchive.open(access(server))).records(Window()))
        assert len(server.faults.told) > 20
    assert sorted(found, key=int) == [str(number) for number in range(count)]


def test_manifests_that_cannot_be_read_or_are_refused_are_told_and_the_others_come() -> None:
    members = [("Manifest", f"/m/{name}") for name in ("a", "html", "broken", "login", "none", "b")]
    pages = {"/top": collection(*members), "/m/a": manifest("a"), "/m/b": manifest("b"),
             "/m/html": Reply("<html>", "text/html"), "/m/broken": {"type": "Annotation"},
             "/m/login": Reply(status=401)}  # fmt: skip
    with serve(site(pages)) as server:
        found = list(quick(IiifArchive.open(access(server))).records(Window()))
    assert names(iter(found)) == ["a", "b"]
    unread = [each for each in found if isinstance(each, Unreadable)]
    assert {each.identifier.rpartition("/")[2] for each in unread} == {"html", "broken", "login", "none"}
    assert not any(each.breaks_list for each in unread)
    assert server.asked.count("/m/html") > 10, "a page in a manifest's place may pass"


def test_a_host_that_does_not_answer_any_more_is_left_alone() -> None:
    came = list[Record | Unreadable | Remark]()
    pages = {"/top": collection(("Manifest", "/m/a"), *[("Manifest", f"/m/{number}") for number in range(50)]),
             "/m/a": manifest("a"), "/robots.txt": Reply(status=404)}  # fmt: skip
    with (
        serve(lambda path: site(pages).get(path, Reply(status=500))) as server,
        pytest.raises(ArchiveUnavailable, match="50 of its manifests"),
    ):
        came.extend(quick(IiifArchive.open(access(server))).records(Window()))
    assert names(iter(came)) == ["a"]
    assert len({path for path in server.asked if path.startswith("/m/")} - {"/m/a"}) == 10


def test_a_host_that_refuses_one_after_the_other_ends_the_harvest() -> None:
    pages = {"/top": collection(*[("Manifest", f"/m/{number}") for number in range(50)])}
    with serve(lambda path: site(pages).get(path, Reply(status=404 if path == "/robots.txt" else 403))) as server:
        with pytest.raises(ArchiveRefused):
            list(quick(IiifArchive.open(access(server))).records(Window()))
        assert len(server.asked) < 20


@pytest.mark.parametrize("answer", [Reply("<html>", "text/html"), Reply("{}"), Reply(status=404), Reply("[]")])
def test_what_is_no_iiif_is_refused_at_the_door(answer: Reply) -> None:
    with serve(lambda path: None if path == "/robots.txt" else answer) as server:
        for kind in (IiifArchive, ChangeArchive):
            with pytest.raises((NotAnArchive, MalformedAnswer)):
                quick(kind.open(access(server))).check()


def test_the_largest_picture_is_asked_for_and_its_stated_size_kept() -> None:
    info = {"type": "ImageService3", "width": 4000, "height": 3000, "maxWidth": 1000}
    pages = {"/image/a/info.json": info, "/image/a/full/1000,750/0/default.jpg": Reply(JPEG, "image/jpeg")}
    with serve(site(pages)) as server:
        reference = f"{server.root}/image/a/full/max/0/default.jpg"
        found = IiifArchive.open(access(server)).picture(reference)
        assert found is not None
        assert (found.data, found.stated_px) == (JPEG, (1000, 750))
        small = IiifArchive.open(access(server, long_edge_px=100))
        with pytest.raises(BadRecord):
            small.picture(reference)
        assert server.asked[-1] == "/image/a/full/100,75/0/default.jpg"


def test_without_info_json_the_picture_is_asked_for_as_its_manifest_names_it_and_one_that_is_known_stays() -> None:
    path = "/image/a/full/max/0/default.jpg"
    pages = {path: Reply(JPEG, "image/jpeg", headers=(("ETag", '"1"'),)), "/image/b/info.json": Reply(status=401)}
    with serve(site(pages)) as server:
        archive = IiifArchive.open(access(server))
        found = archive.picture(server.root + path)
        assert found is not None
        assert (found.validators, found.stated_px) == (Validators('"1"'), None)
        with pytest.raises(ArchiveRefused, match="login"):
            archive.picture(f"{server.root}/image/b/full/max/0/default.jpg")


def test_a_server_that_refuses_what_it_offers_is_asked_for_the_whole() -> None:
    whole = "/image/a/full/full/0/default.jpg"
    info = {
        "@id": "x",
        "width": 40,
        "height": 30,
        "profile": ["http://iiif.io/api/image/2/level1.json", {"maxWidth": 20}],
    }
    with serve(site({"/image/a/info.json": info, whole: Reply(JPEG, "image/jpeg")})) as server:
        found = IiifArchive.open(access(server)).picture(server.root + whole)
    assert found is not None
    assert (found.stated_px, server.asked[1:]) == (None, ["/image/a/full/20,/0/default.jpg", whole])


def test_a_page_in_the_place_of_info_json_does_not_cost_the_picture() -> None:
    whole = "/image/a/full/max/0/default.jpg"
    pages = {"/image/a/info.json": Reply("<html>", "text/html"), whole: Reply(JPEG, "image/jpeg")}
    with serve(site(pages)) as server:
        assert IiifArchive.open(access(server)).picture(server.root + whole)


def test_a_picture_whose_own_rights_forbid_derivatives_is_left_unless_a_permission_covers_it() -> None:
    whole = "/image/a/full/max/0/default.jpg"
    info = {"type": "ImageService3", "width": 4, "height": 3, "rights": "http://rightsstatements.org/vocab/InC/1.0/"}
    with serve(site({"/image/a/info.json": info, whole: Reply(JPEG, "image/jpeg")})) as server:
        with pytest.raises(BadRecord, match=r"InC.*image_rights = false"):
            IiifArchive.open(access(server)).picture(server.root + whole)
        assert IiifArchive.open(access(server, image_rights=False)).picture(server.root + whole)


def activity(kind: str, name: str, at: str | None, **more: Any) -> dict[str, Any]:
    stated = {"endTime": at} if at else {}
    return {"type": kind, "object": {"id": f"@/m/{name}", "type": "Manifest"}, **stated, **more}


def stream(*pages: list[dict[str, Any]]) -> dict[str, Any]:
    last = len(pages) - 1
    top = {"type": "OrderedCollection", "first": {"id": "@/s/0"}, "last": {"id": f"@/s/{last}"}}
    found = {f"/s/{number}": {"id": f"@/s/{number}", "orderedItems": page, "prev": {"id": f"@/s/{number - 1}"}}
             for number, page in enumerate(pages)}  # fmt: skip
    del found["/s/0"]["prev"]
    return {"/top": top, **found, **{f"/m/{name}": manifest(name) for name in "abcdef"}}


def changed(pages: dict[str, Any], start: datetime | None = None) -> tuple[dict[str, bool], list[str]]:
    """(what came → is it deleted, what was asked for)."""
    answers: dict[str, Reply] = {}
    with serve(answers.get) as server:
        answers |= {path: Reply(json.dumps(each).replace("@/", f"{server.root}/")) for path, each in pages.items()}
        found = list(quick(ChangeArchive.open(access(server))).records(Window(start)))
        asked = list(server.asked)
    return {each.identifier.rpartition("/")[2]: each.deleted for each in found if isinstance(each, Record)}, asked


PAGES = (
    [activity("Create", "a", "2024-01-01T00:00:00Z"), activity("Create", "b", "2024-01-02T00:00:00Z")],
    [activity("Delete", "b", "2024-02-01T00:00:00Z"), activity("Update", "a", "2024-02-02T00:00:00Z")],
    [activity("Move", "c", "2024-03-01T00:00:00Z", target={"id": "@/m/d", "type": "Manifest"}),
     activity("Add", "e", "2024-03-02T00:00:00Z"), activity("Remove", "f", "2024-03-03T00:00:00Z")],
)  # fmt: skip


def test_each_thing_is_taken_once_as_its_newest_activity_says() -> None:
    found, asked = changed(stream(*PAGES))
    assert found == {"a": False, "b": True, "c": True, "d": False, "e": False, "f": True}
    assert asked.count("/m/a") == 1


def test_the_walk_ends_where_the_last_harvest_did() -> None:
    found, asked = changed(stream(*PAGES), datetime(2024, 2, 15, tzinfo=UTC))
    assert set(found) == {"c", "d", "e", "f"}
    assert "/s/0" not in asked


def test_pages_may_be_named_as_seen_from_the_one_before() -> None:
    pages = stream(*PAGES)
    relative = json.loads(json.dumps(pages).replace("@/s/", "/s/"))
    assert changed(relative)[0] == changed(pages)[0]


def test_before_a_refresh_only_deletions_count() -> None:
    refresh = {"type": "Refresh", "startTime": "2024-02-15T00:00:00Z"}
    found, _ = changed(stream(PAGES[0], [activity("Delete", "f", "2024-01-03T00:00:00Z"), refresh],
                              [activity("Update", "b", "2024-03-01T00:00:00Z")]))  # fmt: skip
    assert found == {"b": False, "f": True}


def test_a_stream_without_times_or_kinds_is_read_whole() -> None:
    undated = [{"object": {"id": f"@/m/{name}", "type": "Manifest"}} for name in "ab"]
    found, _ = changed(stream(undated, [activity("Update", "c", None)]), datetime(2025, 1, 1, tzinfo=UTC))
    assert found == {"a": False, "b": False, "c": False}


def test_an_activity_that_cannot_be_read_is_told_and_a_circle_is_left() -> None:
    odd: list[dict[str, Any]] = [
        {"type": "Update", "object": {"id": 7}},
        activity("Update", "a", "yesterday"),
        activity("Update", "b", None),
    ]
    found, _ = changed(stream(odd))
    assert found == {"b": False}
    circle = stream(*PAGES)
    circle["/s/0"]["prev"] = {"id": "@/s/2"}
    with pytest.raises(MalformedAnswer, match="circle"):
        changed(circle)


@pytest.mark.parametrize(
    ("pages", "names_deleted"),
    [
        (stream(*PAGES), True),
        (stream(PAGES[1], [activity("Create", "c", "2024-04-01T00:00:00Z")]), True),
        (stream([{"object": {"id": "@/m/a"}}]), False),
        (stream([activity("Update", "a", "2024-01-01T00:00:00Z")]), False),
    ],
)
def test_whether_it_tells_what_was_deleted_show_its_last_and_first_page(
    pages: dict[str, Any], names_deleted: bool
) -> None:
    answers: dict[str, Reply] = {}
    with serve(answers.get) as server:
        answers |= {path: Reply(json.dumps(each).replace("@/", f"{server.root}/")) for path, each in pages.items()}
        assert ChangeArchive.open(access(server)).names_deleted() is names_deleted


def test_a_stream_is_read_oldest_first_in_windows_and_goes_on_after_the_last_that_was_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flows.archives.iiif.changes.IN_ONE_WINDOW", 2)
    days = zip((1, 2, 2, 3, 4, 5), "abcdef", strict=True)
    pages = stream([activity("Create", name, f"2024-01-{day:02}T00:00:00Z") for day, name in days])

    def told(since: datetime | None) -> list[tuple[list[str], Window]]:
        archive = quick(ChangeArchive.open(access(server)))
        return [(names(archive.records(window)), window) for window in archive.windows(since)]

    answers: dict[str, Reply] = {}
    with serve(answers.get) as server:
        answers |= {path: Reply(json.dumps(each).replace("@/", f"{server.root}/")) for path, each in pages.items()}
        first, second, third = told(None)
        assert [found for found, _ in (first, second, third)] == [["a", "b", "c"], ["d", "e"], ["f"]]
        assert (first[1].until, second[1].start) == (datetime(2024, 1, 2, tzinfo=UTC),) * 2
        again = [name for found, _ in told(second[1].start) for name in found]
    assert again == ["b", "c", "d", "e", "f"], "inclusive: what was done at that moment comes again"


def test_where_nothing_changed_each_end_of_the_stream_is_asked_for_once_to_know_it_and_once_to_walk() -> None:
    answers: dict[str, Reply] = {}
    with serve(answers.get) as server:
        pages = stream(*PAGES)
        answers |= {path: Reply(json.dumps(each).replace("@/", f"{server.root}/")) for path, each in pages.items()}
        archive = quick(ChangeArchive.open(access(server)))
        for window in archive.windows(datetime(2024, 5, 1, tzinfo=UTC)):
            assert list(archive.records(window)) == []
            assert archive.names_deleted()
    assert sorted(server.asked) == ["/s/0", "/s/2", "/s/2", "/top"]
