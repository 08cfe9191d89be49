"""IIIF manifests, collections and image services of every version, as they are and as they should not be."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.archives.errors import ArchiveError, BadRecord, NotAnArchive
from flows.archives.iiif.images import largest, picture_address
from flows.archives.iiif.presentation import MOST_PICTURES, is_manifest, read_manifest, read_members, words
from flows.archives.record import Derivatives, Role
from flows.archives.web.json_answers import read_json
from tests.shared import SHARED

HERE = "https://museum.example/iiif/7/manifest.json"
BASE = "https://images.example/iiif/7"
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
SERVICE_3 = {"id": BASE, "type": "ImageService3", "profile": "level1"}
SERVICE_2 = {
    "@id": BASE,
    "@context": "http://iiif.io/api/image/2/context.json",
    "profile": "http://iiif.io/api/image/2/level1.json",
}


def version_3(body: Any, **more: Any) -> dict[str, Any]:
    annotation = {"type": "Annotation", "motivation": "painting", "body": body}
    canvas = {"type": "Canvas", "items": [{"type": "AnnotationPage", "items": [annotation]}]}
    context = "http://iiif.io/api/presentation/3/context.json"
    return {"@context": context, "id": HERE, "type": "Manifest", "label": {"ja": ["題"]}, "items": [canvas], **more}


def version_2(resource: Any, **more: Any) -> dict[str, Any]:
    sequences = [{"canvases": [{"@type": "sc:Canvas", "images": [{"resource": resource}]}]}]
    return {
        "@context": ["http://iiif.io/api/presentation/2/context.json"],
        "@id": HERE,
        "@type": "sc:Manifest",
        "label": "題",
        "sequences": sequences,
        **more,
    }


def image(**more: Any) -> dict[str, Any]:
    return {"id": "https://files.example/7.jpg", "type": "Image", **more}


@pytest.mark.parametrize(
    ("manifest", "pictures"),
    [
        (version_3(image(service=[SERVICE_3])), [f"{BASE}/full/max/0/default.jpg"]),
        (version_3(image(service=SERVICE_3)), [f"{BASE}/full/max/0/default.jpg"]),
        (
            version_3(image(service=[{"type": "SearchService2", "id": "https://x.example"}, SERVICE_2])),
            [f"{BASE}/full/full/0/default.jpg"],
        ),
        (version_3(image()), ["https://files.example/7.jpg"]),
        (version_3([image(), image(id="/8.png")]), ["https://files.example/7.jpg", "https://museum.example/8.png"]),
        (
            version_3({"type": "Choice", "items": [image(), image(id="https://files.example/ir.jpg")]}),
            ["https://files.example/7.jpg"],
        ),
        (version_3({"type": "SpecificResource", "source": image()}), ["https://files.example/7.jpg"]),
        (version_3({"type": "Video", "id": "https://files.example/7.mp4"}), []),
        (version_3(image(id="javascript:alert(1)")), []),
        (version_3(image(id=7)), []),
        (
            version_2({"@id": "https://files.example/7.jpg", "@type": "dctypes:Image", "service": SERVICE_2}),
            [f"{BASE}/full/full/0/default.jpg"],
        ),
        (
            version_2(
                {
                    "@type": "oa:Choice",
                    "default": {"@id": "https://files.example/7.jpg", "@type": "dctypes:Image"},
                    "item": [],
                }
            ),
            ["https://files.example/7.jpg"],
        ),
        (version_2({"@id": "https://files.example/7.jpg"}), ["https://files.example/7.jpg"]),
        (
            {
                "@id": HERE,
                "@type": "sc:Manifest",
                "sequences": {"canvases": {"images": {"resource": {"@id": "/7.jpg"}}}},
            },
            ["https://museum.example/7.jpg"],
        ),
        ({"id": HERE, "type": "Manifest"}, []),
    ],
)
def test_the_pictures_of_a_manifest_are_found_wherever_it_writes_them(manifest: Any, pictures: list[str]) -> None:
    found = read_manifest(manifest, HERE)
    assert list(found.pictures) == pictures
    assert ("it names no picture" in found.remarks) is not bool(pictures)


def test_a_manifest_says_what_a_record_needs_in_either_language() -> None:
    pairs = {
        "絵師:": "豊国〈3〉; 広重",
        "年代": "文久3年",
        "Genre": "役者絵",
        "役者名": "由良之助〈5〉松本幸四郎",
        "所蔵": "<b>演劇館</b>",
        "資料番号": "100-1",
        "Nonsense": "x",
    }
    metadata = [{"label": {"ja": [label]}, "value": {"none": [value]}} for label, value in pairs.items()]
    found = read_manifest(
        version_3(image(), metadata=metadata, rights=CC0, homepage=[{"id": "https://m.example/7"}]), HERE
    )
    assert (found.identifier, found.title, found.artists, found.genre) == (HERE, "題", ("豊国〈3〉", "広重"), "役者絵")
    assert (found.year_from, found.year_to, found.holder, found.credit_line) == (1863, 1863, "演劇館", "演劇館, 100-1")
    assert found.cast == (Role("由良之助", "〈5〉松本幸四郎"),)
    assert (found.rights.derivatives, found.rights.uri, found.landing_url) == (
        Derivatives.YES,
        CC0,
        "https://m.example/7",
    )
    again = [{"label": label, "value": [value]} for label, value in pairs.items()]
    older = read_manifest(version_2({"@id": "https://files.example/7.jpg"}, metadata=again, license=CC0), HERE)
    assert (older.title, older.artists, older.cast, older.rights.uri) == (found.title, found.artists, found.cast, CC0)


@pytest.mark.parametrize(
    ("said", "derivatives"),
    [
        ({}, Derivatives.UNKNOWN),
        ({"rights": CC0}, Derivatives.YES),
        ({"rights": "http://rightsstatements.org/vocab/InC/1.0/"}, Derivatives.NO),
        ({"license": [CC0, "http://creativecommons.org/licenses/by-nd/4.0/"]}, Derivatives.NO),
        (
            {
                "rights": CC0,
                "requiredStatement": {"label": {"en": ["Attribution"]}, "value": {"en": ["Theatre museum"]}},
            },
            Derivatives.YES,
        ),
        (
            {
                "rights": CC0,
                "requiredStatement": {"label": {"en": ["Rights"]}, "value": {"en": ["All rights reserved"]}},
            },
            Derivatives.NO,
        ),
        ({"rights": CC0, "metadata": [{"label": {"ja": ["利用条件"]}, "value": {"ja": ["改変禁止"]}}]}, Derivatives.NO),
        ({"attribution": "画像の改変を禁じます"}, Derivatives.NO),
        ({"rights": CC0, "attribution": "No derivatives"}, Derivatives.NO),
        ({"rights": CC0, "attribution": "<a href='https://museum.example/'>The museum</a>"}, Derivatives.YES),
        (
            {"rights": CC0, "attribution": "<a href='https://creativecommons.org/licenses/by-nd/4.0/'>Museum</a>"},
            Derivatives.NO,
        ),
        (
            {"rights": CC0, "requiredStatement": {"label": {}, "value": {"ja": ["館"], "en": ["No derivatives"]}}},
            Derivatives.NO,
        ),
        (
            {"rights": CC0, "metadata": [{"label": "Rights", "value": {"ja": ["CC0"], "en": ["No derivatives"]}}]},
            Derivatives.NO,
        ),
        ({"rights": CC0, "metadata": [{"label": "画像の利用許諾", "value": "改変禁止"}]}, Derivatives.NO),
    ],
)
def test_of_all_that_is_said_of_rights_the_strictest_holds(said: dict[str, Any], derivatives: Derivatives) -> None:
    assert read_manifest(version_3(image(), **said), HERE).rights.derivatives is derivatives


@pytest.mark.parametrize(
    ("pairs", "cast"),
    [
        ({"役名": "弁慶", "役者名": "市川団十郎〈7〉"}, (Role("弁慶", "市川団十郎〈7〉"),)),
        ({"役名 / Role": "弁慶；富樫", "Actors": "甲；乙"}, (Role("弁慶", "甲"), Role("富樫", "乙"))),
        ({"役名": "弁慶"}, (Role("弁慶", ""),)),
        ({"役者": "甲", "役名": "弁慶；富樫"}, (Role("", "甲"), Role("弁慶", ""), Role("富樫", ""))),
        ({"配役": "弁慶：甲"}, (Role("弁慶", "甲"),)),
        ({"役名": "弁慶〈7〉団十郎"}, (Role("弁慶", "〈7〉団十郎"),)),
    ],
)
def test_roles_and_actors_are_told_apart(pairs: dict[str, str], cast: tuple[Role, ...]) -> None:
    metadata = [{"label": label, "value": value} for label, value in pairs.items()]
    assert read_manifest(version_3(image(), metadata=metadata), HERE).cast == cast


ULAN, VIAF = "http://vocab.getty.edu/ulan/500063446", "http://viaf.org/viaf/69724466"


def linked(address: str, text: str) -> str:
    return f'<a href="{address}">{text}</a>'


@pytest.mark.parametrize(
    ("pairs", "authorities"),
    [
        ({"Artist": linked(ULAN, "Kunisada")}, [("Kunisada", ULAN)]),
        ({"絵師": f"<A TARGET=_blank HREF='{ULAN}'> 国貞\n初代 </A>"}, [("国貞 初代", ULAN)]),
        ({"Artist": linked(ULAN.replace("/ulan", "/page/ulan"), "<b>Kunisada</b>")}, [("Kunisada", ULAN)]),
        ({"Artist": f"{linked(ULAN, 'A')}; {linked(VIAF, 'B')}; C"}, [("A", ULAN), ("B", VIAF)]),
        ({"Artist": f"A; {linked(VIAF, 'B')}"}, [("B", VIAF)]),
        ({"Artist": [linked(ULAN, "A"), linked(VIAF, "A")]}, [("A", ULAN), ("A", VIAF)]),
        ({"役者": linked(VIAF, "団十郎")}, [("団十郎", VIAF)]),
        ({"役名": "弁慶", "役者": linked(VIAF, "団十郎 (7代目)")}, [("団十郎 (7代目)", VIAF)]),
        ({"Actor": linked(VIAF, "Danjūrō (Benkei)")}, [("Danjūrō", VIAF)]),
        ({"配役": f"弁慶：{linked(VIAF, '団十郎')}"}, [("団十郎", VIAF)]),
        ({"配役": linked(VIAF, "弁慶／団十郎")}, [("団十郎", VIAF)]),
        ({"Artist": linked(ULAN, "A") * 3}, []),
        # no name's, or no address of a person
        ({"Artist": f"Kunisada ({linked(ULAN, 'ULAN')})"}, []),
        ({"Artist": linked(ULAN, "A; B")}, []),
        ({"Artist": linked(ULAN, "")}, []),
        ({"Artist": f'<a name="x" id="{ULAN}">Kunisada</a>'}, []),
        ({"Artist": f"<!-- {linked(ULAN, 'Kunisada')} --> Kunisada"}, []),
        ({"Artist": "Kunisada", "Publisher": linked(ULAN, "Kunisada")}, []),
        ({"Artist": linked("javascript:alert(1)", "Kunisada")}, []),
        ({"Artist": linked("javascript&#58;'http://viaf.org/viaf/1'", "Kunisada")}, []),
        ({"Artist": linked("http://vocab.getty.edu.evil.example/ulan/500063446", "Kunisada")}, []),
        ({"Artist": linked("http://vocab.getty.edu@evil.example/ulan/500063446", "Kunisada")}, []),
        ({"Artist": linked("//vocab.getty.edu/ulan/500063446", "Kunisada")}, []),
        ({"Artist": linked("/ulan/500063446", "Kunisada")}, []),
        ({"Artist": linked(f"{ULAN}?next=http://evil.example", "Kunisada")}, []),
        ({"Artist": linked(ULAN, linked("http://evil.example", "Kunisada"))}, []),
        ({"Artist": f'<a href="{ULAN}'}, []),
    ],
)
def test_a_link_around_a_name_leads_to_the_person_and_no_other_link_does(
    pairs: dict[str, Any], authorities: list[tuple[str, str]]
) -> None:
    metadata = [{"label": label, "value": value} for label, value in pairs.items()]
    both = (version_3(image(), metadata=metadata), version_2({"@id": "https://files.example/7.jpg"}, metadata=metadata))
    assert [[*read_manifest(each, HERE).authorities] for each in both] == [authorities, authorities]


def test_a_name_in_the_language_that_is_taken_is_linked_and_another_is_not() -> None:
    value = {"en": [linked(ULAN, "Kunisada")], "ja": [linked(VIAF, "国貞")]}
    found = read_manifest(version_3(image(), metadata=[{"label": {"en": ["Artist"]}, "value": value}]), HERE)
    assert (found.artists, found.authorities) == (("国貞",), (("国貞", VIAF),))


@pytest.mark.parametrize(("count", "authorities"), [(200, (("Kunisada", ULAN),)), (20_000, ())])
def test_links_in_links_without_end_are_not_looked_into(count: int, authorities: tuple[tuple[str, str], ...]) -> None:
    value = f'<a href="{ULAN}">' * count + "Kunisada"
    found = read_manifest(version_3(image(), metadata=[{"label": "Artist", "value": value}]), HERE)
    assert (found.artists, found.authorities) == (("Kunisada",), authorities)


def test_labels_in_two_languages_and_those_of_tables_are_known() -> None:
    pairs = {"絵師 / Artist": "国貞", "Accession No.": "0001", "Dated": "1852", "所蔵先": "館"}
    metadata = [{"label": label, "value": value} for label, value in pairs.items()]
    found = read_manifest(version_3(image(), metadata=metadata), HERE)
    assert (found.artists, found.year_from, found.holder, found.credit_line) == (("国貞",), 1852, "館", "館, 0001")


@pytest.mark.parametrize(("address", "pictures"), [("", 0), ("https://i.example/1.jpg#xywh=1,1,2,2", 1)])
def test_an_address_is_taken_without_fragment_and_none_for_none(address: str, pictures: int) -> None:
    found = read_manifest(version_3({"id": address, "type": "Image"}), HERE).pictures
    assert found == ("https://i.example/1.jpg",) * pictures


def test_what_a_picture_says_of_its_rights_counts_too() -> None:
    strict = version_3(image(rights="http://rightsstatements.org/vocab/InC/1.0/"), rights=CC0)
    assert read_manifest(strict, HERE).rights.derivatives is Derivatives.NO


def test_of_a_book_no_more_than_some_pictures_are_taken_and_it_is_said() -> None:
    found = read_manifest(version_3([image(id=f"/{page}.jpg") for page in range(300)]), HERE)
    assert len(found.pictures) == MOST_PICTURES
    assert found.remarks == ("it names 300 pictures, of which the first 100 are taken",)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("題", ("題",)),
        ({"@value": "A", "@language": "en"}, ("A",)),
        ({"en": ["A"], "ja": ["題", "別題"]}, ("題", "別題")),
        ([{"@value": "A", "@language": "en"}, {"@value": "題", "@language": "ja"}], ("題",)),
        (["A", "B"], ("A", "B")),
        ({"fr": "Un"}, ("Un",)),
        ("<p>A &amp; <script>x</script>B</p>", ("A & B",)),
        (None, ()),
        (7, ()),
        ({"ja": [None]}, ()),
    ],
)
def test_texts_are_found_in_every_form_that_has_a_language_or_none(value: Any, said: tuple[str, ...]) -> None:
    assert words(value) == said


@pytest.mark.parametrize("value", [{}, [], "x", None, {"type": "Annotation"}, {"type": 7}])
def test_what_is_neither_manifest_nor_collection_is_refused(value: Any) -> None:
    with pytest.raises(NotAnArchive):
        is_manifest(value)
    with pytest.raises(BadRecord):
        read_manifest(value, HERE)


@pytest.mark.parametrize(
    ("collection", "manifests", "collections", "nameless"),
    [
        (
            {"type": "Collection", "items": [{"id": "/a", "type": "Manifest"}, {"id": "/c", "type": "Collection"}, {}]},
            "a",
            "c",
            1,
        ),
        (
            {
                "@type": "sc:Collection",
                "manifests": [{"@id": "/a", "@type": "sc:Manifest"}],
                "collections": [{"@id": "/c", "@type": "sc:Collection"}],
            },
            "a",
            "c",
            0,
        ),
        (
            {
                "@type": "sc:Collection",
                "members": [{"@id": "/a", "@type": "sc:Manifest"}, {"@id": "/c", "@type": "sc:Collection"}],
            },
            "a",
            "c",
            0,
        ),
        ({"@type": "sc:Collection", "first": "/p", "total": 9}, "", "p", 0),
        ({"@type": "sc:Collection", "next": {"@id": "/p"}, "manifests": ["/a"]}, "a", "p", 0),
        ({"type": "Collection", "items": None}, "", "", 0),
        ({"@type": "sc:Collection", "manifests": [{"@id": "/a"}], "collections": [{"@id": "/c"}]}, "a", "c", 0),
        (
            {
                "@type": "sc:Collection",
                "collections": [
                    {"@type": "sc:Collection", "manifests": ["/a"], "members": [{"@id": "/c", "@type": "Collection"}]}
                ],
            },
            "a",
            "c",
            0,
        ),
    ],
)
def test_members_of_collections_are_found_in_every_version(
    collection: Any, manifests: str, collections: str, nameless: int
) -> None:
    assert not is_manifest(collection)
    found = read_members(collection, "https://m.example/top")
    assert found.manifests == tuple(f"https://m.example/{each}" for each in manifests)
    assert found.collections == tuple(f"https://m.example/{each}" for each in collections)
    assert found.nameless == nameless


WHOLE_3, WHOLE_2 = f"{BASE}/full/max/0/default.jpg", f"{BASE}/full/full/0/default.jpg"
V3, V2 = {"type": "ImageService3", "width": 4000, "height": 3000}, {**SERVICE_2, "width": 4000, "height": 3000}


@pytest.mark.parametrize(
    ("info", "reference", "edge", "size", "stated"),
    [
        (V3, WHOLE_3, 0, "max", (4000, 3000)),
        (V3, WHOLE_3, 2000, "2000,1500", (2000, 1500)),
        ({**V3, "maxWidth": 1000}, WHOLE_3, 0, "1000,750", (1000, 750)),
        ({**V3, "maxWidth": 5000, "maxHeight": 600}, WHOLE_3, 0, "800,600", (800, 600)),
        ({**V3, "maxArea": 120_000}, WHOLE_3, 0, "400,300", (400, 300)),
        (
            {**V3, "profile": "level0", "sizes": [{"width": 400, "height": 300}, {"width": 2000, "height": 1500}]},
            WHOLE_3,
            0,
            "2000,1500",
            (2000, 1500),
        ),
        ({**V3, "profile": "level0", "sizes": [{"width": 400, "height": 300}]}, WHOLE_3, 100, "400,300", (400, 300)),
        ({**V3, "profile": "level0"}, WHOLE_3, 0, "max", (4000, 3000)),
        ({**V3, "profile": "level0"}, WHOLE_3, 2000, "max", None),
        ({**V3, "profile": "level0", "maxWidth": 1000}, WHOLE_3, 0, "max", None),
        (V2, WHOLE_2, 0, "full", (4000, 3000)),
        (V2, WHOLE_2, 1000, "1000,", (1000, 750)),
        (
            {**V2, "profile": ["http://iiif.io/api/image/2/level2.json", {"maxWidth": 1000}]},
            WHOLE_2,
            0,
            "1000,",
            (1000, 750),
        ),
        (
            {**V2, "profile": "http://iiif.io/api/image/2/level0.json", "sizes": [{"width": 800, "height": 600}]},
            WHOLE_2,
            0,
            "800,",
            (800, 600),
        ),
        (
            {"@context": "http://library.stanford.edu/iiif/image-api/1.1/context.json", "width": 40, "height": 30},
            f"{BASE}/full/full/0/native.jpg",
            0,
            "full",
            (40, 30),
        ),
    ],
)
def test_the_largest_picture_that_a_server_allows_is_asked_for(
    info: Any, reference: str, edge: int, size: str, stated: tuple[int, int] | None
) -> None:
    found = largest(info, reference, edge)
    assert found.address == f"{BASE}/full/{size}/0/{reference.rpartition('/')[2]}"
    assert found.stated_px == stated


@pytest.mark.parametrize(
    "info",
    [
        {},
        {"width": "4000", "height": 3000},
        {"width": 0, "height": 3},
        [],
        {
            **V2,
            "service": {
                "@context": "http://iiif.io/api/auth/1/context.json",
                "profile": "http://iiif.io/api/auth/1/login",
            },
        },
        {**V3, "service": [{"type": "AuthProbeService2", "id": "https://m.example/probe"}]},
    ],
)
def test_a_picture_without_a_size_or_behind_a_login_is_told(info: Any) -> None:
    with pytest.raises(BadRecord):
        largest(info, WHOLE_3)


@pytest.mark.parametrize(
    ("service", "found"),
    [
        (SERVICE_3, WHOLE_3),
        (SERVICE_2, WHOLE_2),
        (BASE, WHOLE_2),
        ({"@id": f"{BASE}/", "profile": "level2"}, WHOLE_2),
        ({"id": BASE, "type": "AuthAccessService2"}, ""),
        ({"id": 7, "type": "ImageService3"}, ""),
        (None, ""),
        ("ftp://x/y", ""),
    ],
)
def test_image_services_are_told_from_others(service: Any, found: str) -> None:
    assert picture_address(service, HERE) == found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "@id",
                    "type",
                    "@type",
                    "items",
                    "label",
                    "metadata",
                    "value",
                    "body",
                    "service",
                    "rights",
                    "sequences",
                    "canvases",
                    "images",
                    "resource",
                    "requiredStatement",
                    "sizes",
                    "profile",
                    "width",
                ]
            ),
            inner | st.sampled_from(["Manifest", "sc:Manifest", "Choice", "Image", "https://x.example/7"]),
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_no_json_raises_anything_but_an_archives_error(value: Any) -> None:
    manifest = {**value, "type": "Manifest"} if isinstance(value, dict) else value
    with suppress(ArchiveError):
        read_manifest(manifest, HERE)
    with suppress(ArchiveError):
        read_members(value, HERE)
    with suppress(ArchiveError):
        largest(value, WHOLE_3)


FIXTURES = sorted((SHARED / "fixtures").glob("iiif-*/*.json"))


@pytest.mark.skipif(not FIXTURES, reason="no fixtures beside the project")
def test_real_answers_are_read_or_refused_and_none_crashes() -> None:
    came: dict[str, int] = {}
    for path in FIXTURES:
        try:
            value = read_json(path.read_bytes(), path.name)
            kind = "manifest" if is_manifest(value) else "collection"
            read = read_manifest(value, f"https://iiif.example/{path.name}") if kind == "manifest" else None
            assert read is None or read.identifier
            read_members(value, "https://iiif.example/")
        except ArchiveError as error:
            kind = type(error).__name__
        came[kind] = came.get(kind, 0) + 1
    assert came == {"manifest": 111, "collection": 3, "NotAnArchive": 30}
