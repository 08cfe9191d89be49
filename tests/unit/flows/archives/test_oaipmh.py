"""OAI-PMH answers and oai_dc descriptions, read without a server."""

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape

import pytest

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.oai.dublin_core import read_record
from flows.archives.oai.protocol import TokenExpired, read_identity, read_page, read_root
from flows.archives.record import Derivatives, Record, Role
from flows.archives.values.formats import looks_like_picture, read_role
from tests.shared import SHARED

BASE = "http://museum.example/oai"
REAL = SHARED / "fixtures/oai-pmh"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the real OAI-PMH answers lie in ../shared")


def envelope(inner: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f"<responseDate>2024-01-02T03:04:05Z</responseDate>{inner}</OAI-PMH>"
    ).encode()


def described(header: str = "", /, **elements: str | list[str]) -> Element:
    """A record element with these dc elements."""
    texts = [
        (name, text) for name, value in elements.items() for text in ([value] if isinstance(value, str) else value)
    ]
    said = "".join(f"<dc:{name}>{escape(text)}</dc:{name}>" for name, text in texts)
    default = "<identifier>oai:m:1</identifier><datestamp>2024-01-01T00:00:00Z</datestamp>"
    inner = (
        f"<ListRecords><record><header>{header or default}</header><metadata>"
        '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/">{said}</oai_dc:dc></metadata></record></ListRecords>'
    )
    return first_of(envelope(inner))


def first_of(answer: bytes) -> Element:
    """The first record of a list."""
    record = read_page(answer, BASE).records[0]
    assert isinstance(record, Element)
    return record


def read(*genres: str, **elements: str | list[str]) -> Record:
    return read_record(described(**elements), BASE, genres)


def test_a_whole_description_becomes_a_record() -> None:
    record = read(
        "役者絵",
        title=["七代目市川団十郎の暫", "Shibaraku"],
        creator=["豊国〈3〉", "広重"],
        contributor=["鎌倉権五郎／市川　団十郎", "岩井半四郎"],
        date="文久０３・04・",
        type=["StillImage", "役者絵"],
        publisher="Museum",
        rights="https://creativecommons.org/publicdomain/zero/1.0/",
        identifier=["arcUP0542", "http://museum.example/0542", "http://museum.example/0542.jpg"],
        description="kept in raw",
    )
    assert record.identifier == "oai:m:1"
    assert record.datestamp == datetime(2024, 1, 1, tzinfo=UTC)
    assert record.title == "七代目市川団十郎の暫"
    assert record.artists == ("豊国〈3〉", "広重")
    assert record.cast == (Role("鎌倉権五郎", "市川 団十郎"), Role("", "岩井半四郎"))
    assert (record.date_text, record.year_from, record.year_to) == ("文久０３・04・", 1863, 1863)
    assert (record.genre, record.holder, record.credit_line) == ("役者絵", "Museum", "Museum, oai:m:1")
    assert record.rights.derivatives == Derivatives.YES
    assert record.landing_url == "http://museum.example/0542"
    assert record.pictures == ("http://museum.example/0542.jpg",)
    assert "kept in raw" in record.raw
    assert "Shibaraku" in record.raw
    assert "<dc:title>" in record.raw


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("暫／市川団十郎", Role("暫", "市川団十郎")),
        ("Shibaraku / Danjūrō", Role("Shibaraku", "Danjūrō")),
        ("Danjūrō (Shibaraku)", Role("Shibaraku", "Danjūrō")),
        ("団十郎（暫）", Role("暫", "団十郎")),
        ("暫：団十郎", Role("暫", "団十郎")),
        ("役者：団十郎", Role("", "団十郎")),
        ("幡随院長兵衛〈5〉松本　幸四郎", Role("幡随院長兵衛", "〈5〉松本 幸四郎")),
        ("〈5〉松本幸四郎", Role("", "〈5〉松本幸四郎")),
        ("豊国〈3〉", Role("", "豊国〈3〉")),
        ("Danjūrō (1791-1859)", Role("", "Danjūrō (1791-1859)")),
        ("Danjūrō", Role("", "Danjūrō")),
        ("暫／", Role("", "暫／")),
    ],
)
def test_an_actor_is_read_in_every_form(text: str, role: Role) -> None:
    assert read_role(text) == role


@pytest.mark.parametrize(
    ("types", "subjects", "genre"),
    [
        (["Image", "yakusha-e"], [], "yakusha-e"),
        (["Image"], ["landscape", "Yakusha-E"], "Yakusha-E"),
        (["Still Image", "名所絵"], [], "名所絵"),
        (["http://purl.org/dc/dcmitype/StillImage"], ["kabuki"], None),
        ([], [], None),
    ],
)
def test_the_genre_is_one_of_ours_or_the_first_real_type(
    types: list[str], subjects: list[str], genre: str | None
) -> None:
    assert read("役者絵", "YAKUSHA-E", type=types, subject=subjects).genre == genre


@pytest.mark.parametrize(
    ("identifiers", "relations", "pictures"),
    [
        (["http://m.example/a.TIF", "http://m.example/a.TIF"], [], ("http://m.example/a.TIF",)),
        (["pictures/a.jpg"], [], ("http://museum.example/pictures/a.jpg",)),
        (["/pictures/a.jpg"], [], ("http://museum.example/pictures/a.jpg",)),
        (["http://m.example/get?file=a.png&x=1"], [], ("http://m.example/get?file=a.png&x=1",)),
        (["http://m.example/th_image/a.jpg"], ["http://m.example/a.jpg"], ("http://m.example/a.jpg",)),
        (["http://m.example/a.jpg"], ["http://m.example/b.jpg"], ("http://m.example/a.jpg",)),
        (["http://m.example/a_thumb.jpg"], [], ()),
        (["ftp://m.example/a.jpg", "file:///a.jpg", "javascript:alert(1)/a.jpg", "a.jpg"], [], ()),
        (["http://[broken/a.jpg"], [], ()),
    ],
)
def test_pictures_are_found_and_thumbnails_left(
    identifiers: list[str], relations: list[str], pictures: tuple[str, ...]
) -> None:
    record = read(identifier=identifiers, relation=relations)
    assert record.pictures == pictures
    assert record.landing_url is None


def test_the_credit_line_is_the_archives_own_where_it_gives_one() -> None:
    assert read(publisher="M", rights="Credit line: Museum, gift of a friend").credit_line == "Museum, gift of a friend"
    assert read(publisher="M", rights="© Museum").credit_line == "© Museum"
    assert read(source=["http://m.example/x", "Museum"]).credit_line == "Museum, oai:m:1"
    assert read(title="x").credit_line == ""


@pytest.mark.parametrize(
    "further",
    [
        '<license xmlns="http://purl.org/dc/terms/">http://creativecommons.org/licenses/by-nd/4.0/</license>',
        '<accessRights xmlns="http://purl.org/dc/terms/">Reproduction prohibited</accessRights>',
        '<Rights xmlns="http://museum.example/own">改変禁止</Rights>',
        '<rights xmlns="http://purl.org/dc/elements/1.1/" resource="http://rightsstatements.org/vocab/InC/1.0/"/>',
    ],
)
def test_rights_count_whatever_their_element_is_called(further: str) -> None:
    record = described(rights="http://creativecommons.org/publicdomain/zero/1.0/")
    next(element for element in record.iter() if element.tag.endswith("}dc")).append(fromstring(further))
    rights = read_record(record, BASE, ()).rights
    assert rights.derivatives == Derivatives.NO
    assert "it prevails over http://creativecommons.org/publicdomain/zero/1.0/ in dc:rights" in rights.basis


def test_a_rights_holder_is_no_statement() -> None:
    record = described(rights="http://creativecommons.org/publicdomain/zero/1.0/")
    holder = fromstring('<rightsHolder xmlns="http://purl.org/dc/terms/">Museum</rightsHolder>')
    next(element for element in record.iter() if element.tag.endswith("}dc")).append(holder)
    assert read_record(record, BASE, ()).rights.derivatives == Derivatives.YES


def test_a_description_without_rights_is_unknown() -> None:
    assert read(title="x").rights.derivatives == Derivatives.UNKNOWN


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("<datestamp>2024-01-01</datestamp>", "no identifier"),
        ("<identifier>a</identifier><datestamp>yesterday</datestamp>", "'yesterday' is no date"),
        ("<identifier>a</identifier><datestamp>0001-01-01T00:00:00+14:00</datestamp>", "is no date"),
        ("<identifier>a</identifier>", "is no date"),
    ],
)
def test_an_unusable_header_is_a_bad_record(header: str, reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        read_record(described(header), BASE, ())


def test_a_description_in_another_format_is_a_bad_record() -> None:
    header = "<identifier>a</identifier><datestamp>2024-01-01</datestamp>"
    page = envelope(f"<ListRecords><record><header>{header}</header><metadata><x/></metadata></record></ListRecords>")
    with pytest.raises(BadRecord, match="no description in oai_dc"):
        read_record(first_of(page), BASE, ())


def test_a_deleted_record_needs_no_description() -> None:
    header = '<header status="deleted"><identifier>a</identifier><datestamp>2024-01-01</datestamp></header>'
    page = envelope(f"<ListRecords><record>{header}</record></ListRecords>")
    assert read_record(first_of(page), BASE, ()).deleted


def test_elements_nested_without_end_are_a_bad_record() -> None:
    header = "<header><identifier>a</identifier><datestamp>2024-01-01</datestamp></header>"
    deep = "<x>" * 20_000 + "</x>" * 20_000
    page = envelope(f"<ListRecords><record>{header}<metadata>{deep}</metadata></record></ListRecords>")
    with pytest.raises(BadRecord, match="too deeply"):
        read_record(first_of(page), BASE, ())


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>busy</body></html>",
        b"\xef\xbb\xbf\n<HTML><p>busy",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>',
        b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x" "y"><html/>',
    ],
)
def test_a_page_for_people_is_no_archive(page: bytes) -> None:
    with pytest.raises(NotAnArchive, match="give the base URL"):
        read_root(page, BASE)


@pytest.mark.parametrize("data", [b"<rss/>", b'<?xml version="1.0" encoding="klingon"?><a/>'])
def test_xml_of_another_kind_is_no_archive(data: bytes) -> None:
    with pytest.raises(NotAnArchive, match="not OAI-PMH"):
        read_root(data, BASE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"busy",
        envelope("<ListRecords>")[:-20],
        envelope("<ListRecords>\x00</ListRecords>"),
        envelope("<ListRecords>\x0b</ListRecords>"),
        b'<!DOCTYPE a [<!ENTITY b "c">]><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">&b;</OAI-PMH>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    ],
)
def test_broken_xml_and_any_doctype_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        read_root(data, BASE)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("badArgument", MalformedAnswer),
        ("badVerb", MalformedAnswer),
        ("badResumptionToken", TokenExpired),
        ("cannotDisseminateFormat", NotAnArchive),
        ("idDoesNotExist", MalformedAnswer),
        ("noMetadataFormats", MalformedAnswer),
        ("noSetHierarchy", MalformedAnswer),
        ("inventedHere", MalformedAnswer),
    ],
)
def test_each_error_of_the_protocol_is_told_by_its_name(code: str, error: type[Exception]) -> None:
    with pytest.raises(error, match=f"{code}: so it is"):
        read_page(envelope(f'<error code="{code}">so\n it is</error>'), BASE)


def test_no_record_in_the_window_is_an_empty_page() -> None:
    assert read_page(envelope('<error code="noRecordsMatch"/>'), BASE).records == ()


def test_an_empty_token_ends_the_list_and_a_full_one_does_not() -> None:
    token = '<ListRecords><resumptionToken completeListSize="{}">{}</resumptionToken></ListRecords>'
    assert read_page(envelope(token.format(8, " a b ")), BASE).token == "a b"
    assert read_page(envelope(token.format(8, "")), BASE).token == ""
    assert read_page(envelope(token.format(8, "")), BASE).complete_size == 8
    assert read_page(envelope(token.format("many", "")), BASE).complete_size is None


@pytest.mark.parametrize("granularity", ["", "YYYY", "YYYY-MM-DDThh:mm:ss", "yyyy-mm-dd"])
def test_an_identity_without_a_known_granularity_is_asked_by_days_and_told(granularity: str) -> None:
    identity = read_identity(envelope(f"<Identify><granularity>{granularity}</granularity></Identify>"), BASE)
    assert identity.granularity == "%Y-%m-%d"
    assert "asked by days" in identity.remarks[0]


@pytest.mark.parametrize(
    ("start", "answer"),
    [
        (b"\xff\xd8\xff\xe0", True),
        (b"\x89PNG\r\n\x1a\n", True),
        (b"II*\0", True),
        (b"RIFF\x10\0\0\0WEBPVP8 ", True),
        (b"\0\0\0\x1cftypavif", True),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif", True),
        (b"\0\0\0\x0cjP  \r\n\x87\n", True),
        (b"\0\0\0\x1cftypheic", False),
        (b"GIF89a", False),
        (b"BM", False),
        (b"RIFF\x10\0\0\0WAVE", False),
        (b"<html>", False),
        (b"", False),
    ],
)
def test_pictures_are_known_by_their_first_bytes(start: bytes, answer: bool) -> None:
    assert looks_like_picture(start) is answer


@real
def test_the_real_identity_is_read() -> None:
    identity = read_identity((REAL / "sickle__tests__sample_data__Identify.xml").read_bytes(), BASE)
    assert identity.response_date == datetime(2013, 2, 27, 10, 1, 15, tzinfo=UTC)
    assert (identity.granularity, identity.deleted_record) == ("%Y-%m-%d", "persistent")


@real
def test_the_real_list_of_records_is_read() -> None:
    page = read_page((REAL / "sickle__tests__sample_data__ListRecords.xml").read_bytes(), BASE)
    elements = [element for element in page.records if isinstance(element, Element)]
    withdrawn, kept = (read_record(element, BASE, ()) for element in elements)
    assert (page.token, page.complete_size) == ("ListRecords2.xml", 8)
    assert (withdrawn.deleted, withdrawn.identifier) == (True, "oai:test.example.com:1585310")
    assert (kept.title, kept.holder, kept.year_from) == ("Sample Title", "Sample Publisher", 2010)
    assert (kept.genre, kept.artists[0]) == ("info:eu-repo/semantics/article", "John Doe")


@real
@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("badArgument", MalformedAnswer),
        ("badResumptionToken", TokenExpired),
        ("cannotDisseminateFormat", NotAnArchive),
        ("idDoesNotExist", MalformedAnswer),
        ("noSetHierarchy", MalformedAnswer),
        ("undefinedError", MalformedAnswer),
        ("ListRecordsBroken", MalformedAnswer),
        ("ListSets", MalformedAnswer),
    ],
)
def test_the_real_errors_are_told(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_page((REAL / f"sickle__tests__sample_data__{name}.xml").read_bytes(), BASE)
