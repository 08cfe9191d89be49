"""Which client opens an archive: the protocol of the settings, or what lies at the address."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from db.entries.night import Change
from flows.archives.errors import ArchiveUnavailable, NotAnArchive
from flows.archives.record import Access
from flows.archives.registry import Protocol, check_address, open_archive
from flows.archives.sample.server import SampleArchive, serve_sample
from flows.archives.web.politeness import Manners
from flows.harvest import harvest
from flows.settings import ArchiveSettings

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

SPOKEN = [protocol for protocol in Protocol if protocol is not Protocol.AUTO]


@pytest.fixture(scope="module")
def sample() -> Iterator[SampleArchive]:
    with serve_sample(designs=2, grays=1) as server:
        yield server


@pytest.fixture(scope="module")
def website() -> Iterator[tuple[str, list[str]]]:
    """A server of pages for people, and the questions that it was asked."""
    asked: list[str] = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404 if self.path == "/robots.txt" else 200)
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Welcome</title>")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/prints", asked
        server.shutdown()


def access(address: str) -> Access:
    return Access("museum", address, Manners("c"))


@pytest.mark.parametrize("protocol", SPOKEN)
def test_every_line_of_the_registry_leads_to_a_client_of_that_name(protocol: Protocol, tmp_path: Path) -> None:
    archive = open_archive(protocol, access("http://127.0.0.1:9/" if protocol.web else str(tmp_path)))
    assert archive.kind == protocol
    assert archive.name == "museum"
    archive.close()


def test_a_path_is_a_folder_and_a_web_address_is_asked_what_it_speaks(sample: SampleArchive, tmp_path: Path) -> None:
    web = {sample.base_url: "oai-pmh", f"{sample.root}/iiif": "iiif", f"{sample.root}/iiif-change": "iiif-change"}
    for address, kind in {str(tmp_path): "folder", **web}.items():
        archive = open_archive(Protocol.AUTO, access(address))
        assert archive.kind == kind
        archive.close()


def test_a_protocol_that_is_named_is_not_asked_for(website: tuple[str, list[str]]) -> None:
    address, asked = website
    asked.clear()
    open_archive(Protocol.OAI_PMH, access(address)).close()
    assert asked == []


def test_a_website_that_is_no_archive_is_told_with_the_protocols_and_asked_once(
    website: tuple[str, list[str]],
) -> None:
    address, asked = website
    asked.clear()
    with pytest.raises(NotAnArchive, match=r"oai-pmh: .* HTML page.*`protocol` to auto, folder, oai-pmh"):
        open_archive(Protocol.AUTO, access(address))
    assert asked == ["/robots.txt", "/prints?verb=Identify", "/robots.txt", *["/prints"] * 3]


def test_an_archive_that_is_down_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", ())  # the pauses of a real night take minutes
    with pytest.raises(ArchiveUnavailable):
        open_archive(Protocol.AUTO, access("http://127.0.0.1:9/oai"))


@pytest.mark.parametrize(
    ("protocol", "address", "said"),
    [
        (Protocol.AUTO, "ftp://archive.example/prints", "ftp:// is spoken by no protocol"),
        (
            Protocol.FOLDER,
            "https://archive.example/prints",
            "it is a web address, and the protocol folder takes a folder",
        ),
        (Protocol.OAI_PMH, "/srv/scans", "it is no web address, and the protocol oai-pmh takes one"),
    ],
)
def test_an_address_of_another_kind_is_refused_without_asking_anybody(
    protocol: Protocol, address: str, said: str
) -> None:
    with pytest.raises(NotAnArchive, match=f"{said}.*auto, folder, oai-pmh"):
        check_address(protocol, address)


@pytest.mark.parametrize("address", ["http://[a/oai", "https:///oai", "https://archive.example:99999/", "http://a:x/"])
def test_a_web_address_without_a_host_that_can_be_asked_is_refused(address: str) -> None:
    with pytest.raises(NotAnArchive, match="its address names no host that can be asked; give http://HOST/PATH"):
        check_address(Protocol.AUTO, address)


@pytest.mark.parametrize("address", ["prints", "/srv/scans", "2024:03 scans", "https://archive.example/oai"])
def test_folders_and_web_addresses_pass(address: str) -> None:
    check_address(Protocol.AUTO, address)


def test_a_protocol_that_nobody_knows_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValidationError, match="'auto', 'folder', 'oai-pmh'"):
        ArchiveSettings.model_validate({"address": "/srv/scans", "protocol": "z39.50"})


def test_a_harvest_says_what_an_address_was_taken_for(
    settings_of: "SettingsOf", sample: SampleArchive, tmp_path: Path
) -> None:
    (tally,) = harvest(settings_of(tmp_path), [sample.base_url])
    assert (tally.failure, tally.protocol, tally.records[Change.NEW] > 0) == (None, "oai-pmh", True)
