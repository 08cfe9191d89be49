"""The sample archive over real HTTP: OAI-PMH 2.0 to the letter, pictures beside, and no noise."""

import io
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests
from defusedxml.ElementTree import fromstring
from PIL import Image

from flows.archives.oai.archive import OaiPmhArchive
from flows.archives.record import Derivatives, Record, Window
from flows.archives.sample.server import SampleArchive, serve_sample
from flows.archives.web.client import PoliteClient
from flows.archives.web.politeness import Manners
from tests.waiting import until

OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
LIST = {"verb": "ListRecords", "metadataPrefix": "oai_dc"}
FIRST = "oai:sample.nishiki:0001-c"


@pytest.fixture(scope="module")
def sample() -> Iterator[SampleArchive]:
    with serve_sample() as server:
        yield server


@pytest.fixture
def changing() -> Iterator[SampleArchive]:
    with serve_sample(designs=2, grays=2, page=100) as server:
        yield server


def ask(server: SampleArchive, **arguments: str):  # type: ignore[no-untyped-def]
    answer = requests.get(server.base_url, params=arguments, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/xml")
    return fromstring(answer.content)


def error_of(root) -> str | None:  # type: ignore[no-untyped-def]
    found = root.find(f"{OAI}error")
    return None if found is None else str(found.get("code"))


def pages(server: SampleArchive, **arguments: str) -> list[list[str]]:
    """The identifiers of a list, answer by answer."""
    found = []
    while arguments:
        root = ask(server, **arguments)
        found.append([e.text or "" for e in root.iter(f"{OAI}identifier")])
        token = root.findtext(f".//{OAI}resumptionToken")
        arguments = {"verb": arguments["verb"], "resumptionToken": token} if token else {}
    return found


def listed(server: SampleArchive, **bounds: str) -> list[str]:
    return list(chain(*pages(server, **LIST, **bounds)))


def test_identify_states_what_the_lists_then_keep(sample: SampleArchive) -> None:
    said = ask(sample, verb="Identify").find(f"{OAI}Identify")
    assert said.findtext(f"{OAI}baseURL") == sample.base_url
    assert said.findtext(f"{OAI}granularity") == "YYYY-MM-DDThh:mm:ssZ"
    assert said.findtext(f"{OAI}deletedRecord") == "persistent"
    oldest = ask(sample, verb="GetRecord", identifier=sample.identifiers[0], metadataPrefix="oai_dc")
    assert said.findtext(f"{OAI}earliestDatestamp") == oldest.findtext(f".//{OAI}datestamp")


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
def test_a_list_comes_in_pages_that_together_hold_every_record_once(sample: SampleArchive, verb: str) -> None:
    found = pages(sample, verb=verb, metadataPrefix="oai_dc")
    assert [len(page) for page in found] == [5, 5, 5, 5, 5, 3]
    assert list(chain(*found)) == sample.identifiers


def test_a_token_says_how_far_the_list_is_and_the_last_one_is_empty(sample: SampleArchive) -> None:
    root, cursors = ask(sample, **LIST), []
    while (token := root.find(f".//{OAI}resumptionToken")) is not None:
        assert token.get("completeListSize") == "28"
        cursors.append(token.get("cursor"))
        if not token.text:
            break
        root = ask(sample, verb="ListRecords", resumptionToken=token.text)
    assert cursors == ["0", "5", "10", "15", "20", "25"]


def test_a_short_list_has_no_token(changing: SampleArchive) -> None:
    assert ask(changing, **LIST).find(f".//{OAI}resumptionToken") is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "badVerb"),
        ({"verb": "Steal"}, "badVerb"),
        ({"verb": "Identify", "from": "2024-01-08"}, "badArgument"),
        ({"verb": "ListRecords"}, "badArgument"),
        ({"verb": "GetRecord", "identifier": FIRST}, "badArgument"),
        ({**LIST, "from": "last spring"}, "badArgument"),
        ({**LIST, "from": "2024-01-08", "until": "2024-01-09T00:00:00Z"}, "badArgument"),
        ({**LIST, "from": "2024-01-10", "until": "2024-01-09"}, "badArgument"),
        ({**LIST, "resumptionToken": "eA=="}, "badArgument"),
        ({**LIST, "from": "2031-01-01"}, "noRecordsMatch"),
        ({**LIST, "until": "2001-01-01"}, "noRecordsMatch"),
        ({**LIST, "set": "prints"}, "noSetHierarchy"),
        ({"verb": "ListSets"}, "noSetHierarchy"),
        ({"verb": "ListRecords", "metadataPrefix": "mods"}, "cannotDisseminateFormat"),
        ({"verb": "GetRecord", "identifier": FIRST, "metadataPrefix": "mods"}, "cannotDisseminateFormat"),
        ({"verb": "GetRecord", "identifier": "oai:x:1", "metadataPrefix": "oai_dc"}, "idDoesNotExist"),
        ({"verb": "ListMetadataFormats", "identifier": "oai:x:1"}, "idDoesNotExist"),
        ({"verb": "ListMetadataFormats", "identifier": "\x00<&\x1f絵"}, "idDoesNotExist"),
        ({**LIST, "until": ""}, "badArgument"),
        ({"verb": "Identify", "\x00": "1"}, "badArgument"),
        ({"verb": "ListRecords", "resumptionToken": "no token"}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": "fDJ8MHwzMDAwfHg="}, "badResumptionToken"),
        ({"verb": "ListRecords", "resumptionToken": ""}, "badResumptionToken"),
    ],
)
def test_each_wrong_request_gets_the_protocols_own_error(
    sample: SampleArchive, arguments: dict[str, str], code: str
) -> None:
    assert error_of(ask(sample, **arguments)) == code


def test_a_repeated_argument_is_refused(sample: SampleArchive) -> None:
    answer = requests.get(sample.base_url + "?verb=Identify&verb=Identify", timeout=10)
    assert error_of(fromstring(answer.content)) == "badVerb"
    twice = "?verb=GetRecord&metadataPrefix=oai_dc&identifier=a&identifier=b"
    assert error_of(fromstring(requests.get(sample.base_url + twice, timeout=10).content)) == "badArgument"


def test_dates_bound_a_list_at_both_ends_in_both_granularities(sample: SampleArchive) -> None:
    whole_day = listed(sample, **{"from": "2024-01-09", "until": "2024-01-09"})
    by_second = listed(sample, **{"from": "2024-01-09T00:00:00Z", "until": "2024-01-09T23:59:59Z"})
    assert whole_day == by_second == sample.identifiers[3:7]
    stamp = ask(sample, verb="GetRecord", identifier=whole_day[0], metadataPrefix="oai_dc").findtext(
        f".//{OAI}datestamp"
    )
    assert listed(sample, **{"from": stamp, "until": stamp}) == whole_day[:1]


def test_a_deleted_record_is_a_header_alone(sample: SampleArchive) -> None:
    gone = [i for i in sample.identifiers if sample.holding(i).deleted]
    assert len(gone) == 1
    record = ask(sample, verb="GetRecord", identifier=gone[0], metadataPrefix="oai_dc").find(f".//{OAI}record")
    assert record.find(f"{OAI}header").get("status") == "deleted"
    assert record.find(f"{OAI}metadata") is None


def test_post_is_answered_like_get(sample: SampleArchive) -> None:
    answer = requests.post(
        sample.base_url, data={"verb": "GetRecord", "identifier": FIRST, "metadataPrefix": "oai_dc"}, timeout=10
    )
    assert "(sample)" in (fromstring(answer.content).findtext(f".//{DC}title") or "")


def test_the_ordinary_client_harvests_it_whole_with_rights_genre_and_cast(sample: SampleArchive) -> None:
    client = PoliteClient(Manners(contact="sample@example.invalid"), home=sample.base_url)
    archive = OaiPmhArchive(sample.base_url, "sample", client)
    try:
        records = {r.identifier: r for r in archive.records(Window()) if isinstance(r, Record)}
        assert list(records) == sample.identifiers
        first = records[FIRST]
        taken = archive.picture(first.pictures[0])
        assert taken is not None
        assert archive.picture(first.pictures[0], taken.validators) is None
    finally:
        archive.close()
    assert (first.genre, first.rights.derivatives) == ("役者絵", Derivatives.YES)
    assert first.holder == "Sample archive (drawn by nishiki)"
    assert "(sample)" in first.title
    (role,) = first.cast
    assert role.role
    assert role.actor.endswith("(sample)")
    assert first.year_from is not None
    assert 1847 <= first.year_from <= 1867
    kept = [r for r in records.values() if not r.deleted]
    assert [r.identifier for r in kept if r.rights.derivatives is not Derivatives.YES] == ["oai:sample.nishiki:0014-g"]
    assert [r.identifier for r in kept if r.genre != "役者絵"] == [f"oai:sample.nishiki:00{n}-g" for n in (15, 18)]


@pytest.mark.long
def test_each_record_but_the_damaged_one_has_a_picture_that_opens(sample: SampleArchive) -> None:
    modes = set()
    for identifier in sample.identifiers:
        holding = sample.holding(identifier)
        if holding.deleted:
            continue
        answer = requests.get(f"{sample.root}/pictures/{holding.key}.{holding.suffix}", timeout=10)
        image = Image.open(io.BytesIO(answer.content))
        assert image.size == (320, 480)
        if holding.damaged:
            with pytest.raises(OSError, match="truncated"):
                image.load()
        else:
            image.load()
            modes.add((holding.medium, image.format, image.mode))
            if holding.medium == "gray":
                pixels = np.asarray(image.convert("RGB")).astype(int)
                assert np.ptp(pixels, axis=2).max() == 0
    assert {
        ("colour", "JPEG", "RGB"),
        ("colour", "PNG", "RGB"),
        ("gray", "JPEG", "L"),
        ("gray", "JPEG", "RGB"),
    } <= modes


def test_the_truth_of_a_gray_record_is_its_own_impression_in_colour(sample: SampleArchive) -> None:
    truth = sample.truth("oai:sample.nishiki:0002-g")
    served = Image.open(io.BytesIO(requests.get(f"{sample.root}/pictures/0002-g.jpg", timeout=10).content))
    gray = np.asarray(served.convert("L"), dtype=float)
    luminance = truth.astype(float) @ np.array([0.3, 0.59, 0.11])
    assert truth.dtype == np.uint8
    assert np.corrcoef(gray.ravel(), luminance.ravel())[0, 1] > 0.95
    assert np.ptp(truth.astype(int), axis=2).mean() > 15


def test_a_picture_that_the_client_holds_is_not_sent_again(sample: SampleArchive) -> None:
    url = f"{sample.root}/pictures/0001-c.jpg"
    first = requests.get(url, timeout=10)
    assert int(first.headers["Content-Length"]) == len(first.content)
    for known in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": f'"other", W/{first.headers["ETag"]}'},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        again = requests.get(url, headers=known, timeout=10)
        assert (again.status_code, again.content) == (304, b"")
    stale = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["Last-Modified"]}
    assert requests.get(url, headers=stale, timeout=10).status_code == 200
    assert requests.get(url, headers={"If-Modified-Since": "yesterday"}, timeout=10).status_code == 200


def test_head_says_what_get_would_send(sample: SampleArchive) -> None:
    for path in ("/pictures/0001-c.jpg", "/robots.txt", "/records/0001-c", "/", "/oai?verb=Identify"):
        head, whole = (requests.request(how, sample.root + path, timeout=10) for how in ("HEAD", "GET"))
        assert head.content == b""
        assert head.headers["Content-Length"] == str(len(whole.content))


def test_robots_are_welcome_and_a_record_has_a_page_for_people(sample: SampleArchive) -> None:
    assert "Allow: /" in requests.get(f"{sample.root}/robots.txt", timeout=10).text
    page = requests.get(f"{sample.root}/records/0001-c", timeout=10)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "/pictures/0001-c.jpg" in page.text
    assert "(sample)" in page.text


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/pictures/9999-c.jpg",
        "/pictures/0001-c.png",
        "/pictures/",
        "/pictures/0013-g.jpg",
        "/records/<b>",
        "/oai/more",
    ],
)
def test_what_is_not_there_is_not_found(sample: SampleArchive, path: str) -> None:
    answer = requests.get(sample.root + path, timeout=10)
    assert answer.status_code == 404
    assert "<b>" not in answer.text


def test_a_touched_record_comes_again_with_another_picture(changing: SampleArchive) -> None:
    url = f"{changing.root}/pictures/0001-g.jpg"
    before = requests.get(url, timeout=10)
    changing.touch("oai:sample.nishiki:0001-g", at=datetime(2025, 3, 1, tzinfo=UTC))
    assert listed(changing, **{"from": "2025-03-01"}) == ["oai:sample.nishiki:0001-g"]
    after = requests.get(url, headers={"If-None-Match": before.headers["ETag"]}, timeout=10)
    assert after.status_code == 200
    assert after.content != before.content


def test_a_new_record_is_added_and_one_that_makes_no_sense_is_refused(changing: SampleArchive) -> None:
    changing.touch("oai:sample.nishiki:0031-g")
    assert listed(changing, **{"from": "2025-01-01"}) == ["oai:sample.nishiki:0031-g"]
    assert requests.get(f"{changing.root}/pictures/0031-g.jpg", timeout=10).ok
    with pytest.raises(ValueError, match="0031-g"):
        changing.touch("oai:sample.nishiki:portrait")


def test_a_withdrawn_record_stays_in_the_list_and_its_picture_is_gone(changing: SampleArchive) -> None:
    changing.withdraw("oai:sample.nishiki:0001-g", at=datetime(2025, 3, 1, tzinfo=UTC))
    root = ask(changing, **LIST, **{"from": "2025-03-01"})
    assert root.find(f".//{OAI}header").get("status") == "deleted"
    assert requests.get(f"{changing.root}/pictures/0001-g.jpg", timeout=10).status_code == 404


def test_a_change_between_two_pages_skips_no_record() -> None:
    with serve_sample(designs=4, grays=0, page=3) as server:
        root = ask(server, **LIST)
        seen = [e.text for e in root.iter(f"{OAI}identifier")]
        server.touch(seen[0])
        rest = pages(server, verb="ListRecords", resumptionToken=root.findtext(f".//{OAI}resumptionToken"))
        assert {*seen, *chain(*rest)} == set(server.identifiers)


def test_the_terminal_stays_quiet_even_when_a_client_hangs_up(capfd: pytest.CaptureFixture[str]) -> None:
    with serve_sample(designs=1, grays=0) as server:
        host, port = str(urlsplit(server.root).hostname), int(urlsplit(server.root).port or 0)
        for _ in range(3):
            with socket.create_connection((host, port)) as rude:
                rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                rude.sendall(b"GET /pictures/0001-c.jpg HTTP/1.1\r\n\r\n")
        assert requests.get(server.base_url, params={"verb": "Identify"}, timeout=10).ok
        until(lambda: not [each for each in threading.enumerate() if "process_request_thread" in each.name])
    assert capfd.readouterr() == ("", "")


def test_it_stops_within_a_second_and_its_port_is_free_again() -> None:
    with serve_sample(designs=1, grays=0) as server:
        assert requests.get(server.base_url, timeout=10).ok
        began = time.monotonic()
    assert time.monotonic() - began < 1
    with serve_sample(designs=1, grays=0, port=int(urlsplit(server.root).port or 0)) as again:
        assert again.root == server.root


def test_a_set_without_designs_is_refused_with_what_to_give() -> None:
    with pytest.raises(ValueError, match="at least one design"), serve_sample(designs=0):
        pass
