"""/oai on the page: who may ask, what switches it on, and that nishiki harvests back what it provides."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from pydantic import ValidationError

from db.catalogue import Catalogue
from db.entries.review import Role
from db.review.pages import oai as oai_page
from db.review.settings import ReviewSettings
from db.settings import CatalogueSettings
from flows.archives.oai.archive import OaiPmhArchive
from flows.archives.record import Record, Window
from flows.archives.web.client import PoliteClient
from flows.archives.web.politeness import Manners
from tests.integration.db.test_export import APPROVED, CURATOR, RETURNED
from tests.integration.flows.archives.web_server import Reply, serve
from tests.integration.review.review_client import Browser, add_people, opened
from tests.oai_rules import checked, code, records
from tests.samples import Sample

DATABASES = ("sqlite",)
AT = "https://prints.example/nishiki"
ON: dict[str, Any] = {"oai_address": AT, "oai_email": "keeper@archive.example"}
LIST = "/oai?verb=ListRecords&metadataPrefix=oai_dc"


@pytest.fixture
def approved(catalogue: Catalogue, sample: Sample) -> list[int]:
    made = sample.entries(catalogue, 3)
    for number in made:
        catalogue.give_verdict(number, CURATOR, APPROVED)
    return made


def test_there_is_no_provider_unless_the_settings_say_where_records_are_found(
    settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    with opened(settings) as app:
        assert Browser(app).get("/oai?verb=Identify").status_code == 404
    with pytest.raises(ValidationError, match="oai_email"):
        ReviewSettings(oai_address=AT)
    with pytest.raises(ValidationError, match="no address of a folder"):
        ReviewSettings(oai_address="prints", oai_email="keeper@archive.example")


def test_harvesters_ask_without_signing_in_by_address_or_by_form(
    settings: CatalogueSettings, catalogue: Catalogue, approved: list[int]
) -> None:
    add_people(catalogue, Sumire=Role.ADMIN)
    with opened(settings, **ON) as app:
        stranger = Browser(app, client="192.0.2.7").http
        asked = stranger.get(LIST)
        assert asked.headers["content-type"] == "text/xml; charset=utf-8"
        assert len(records(checked(asked.content))) == 3
        sent = stranger.post("/oai", data={"verb": "ListRecords", "metadataPrefix": "oai_dc"})
        assert len(records(checked(sent.content))) == 3
        assert not sent.cookies
        for flood in ("/oai?" + "&".join(f"a{n}=1" for n in range(20)), f"/oai?verb={quote(chr(0))}"):
            assert code(stranger.get(flood).content) == "badVerb"
        assert stranger.post("/oai", content=b"x" * (oai_page.MOST_BYTES + 1)).status_code == 413
        assert stranger.get("/oai", headers={"Host": "elsewhere.example"}).status_code == 400


def test_what_is_told_is_renewed_once_in_a_while_and_what_is_withheld_never_waits(
    settings: CatalogueSettings, catalogue: Catalogue, approved: list[int]
) -> None:
    with opened(settings, **ON) as app:
        browser = Browser(app)
        assert len(records(checked(browser.get(LIST).content))) == 3
        catalogue.give_verdict(approved[0], CURATOR, RETURNED, seen=catalogue.queue_entry(approved[0]).seen)
        assert browser.get(LIST).content.count(b'status="deleted"') == 1
        assert catalogue.provided_entry(approved[0]).gone is False  # type: ignore[union-attr]
    with opened(settings, review_read_only=True, **ON) as app:
        assert Browser(app).get(LIST).content.count(b'status="deleted"') == 1
        assert catalogue.provided_entry(approved[0]).gone is False  # type: ignore[union-attr]
    with opened(settings, **ON) as app:
        assert Browser(app).get(LIST).content.count(b'status="deleted"') == 1
        assert catalogue.provided_entry(approved[0]).gone is True  # type: ignore[union-attr]


def test_our_own_client_harvests_back_what_we_provide(
    settings: CatalogueSettings,
    catalogue: Catalogue,
    sample: Sample,
    approved: list[int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("db.exports.oai.PAGE", 2)
    catalogue.renew_provided()
    catalogue.give_verdict(approved[0], CURATOR, RETURNED, seen=catalogue.queue_entry(approved[0]).seen)
    with opened(settings, **ON) as app:
        browser = Browser(app)
        with serve(lambda path: Reply(browser.get(path).text, type="text/xml; charset=utf-8")) as server:
            client = PoliteClient(Manners("curator@example.org", pace_s=0), server.root, sleep=lambda _: None)
            archive = OaiPmhArchive(f"{server.root}/oai", "ourselves", client)
            assert archive.names_deleted()
            (window,) = archive.windows(datetime(2020, 1, 1, tzinfo=UTC))
            found = {
                each.identifier: each for each in archive.records(Window(window.start)) if isinstance(each, Record)
            }
            archive.close()
    ids = [f"{AT}/entries/000000/{number}/manifest.json" for number in approved]
    assert {name for name, each in found.items() if each.deleted} == {ids[0]}
    assert set(found) == {*ids}
    for number, name in zip(approved[1:], ids[1:], strict=True):
        content = catalogue.attempt(number).content
        assert found[name].title == f"{content.title} (machine-colorized)"
        assert found[name].artists == content.artists
        assert (found[name].year_from, found[name].year_to) == (content.year_from, content.year_to)
