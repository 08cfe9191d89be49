"""nishiki harvests what nishiki exports: a package served as files, read by its own clients."""

import json
from pathlib import Path

import pytest

from db.catalogue import Catalogue
from db.entries.review import QueueFilter
from db.exports.package import Order, export
from db.settings import CatalogueSettings
from flows.archives.iiif.archive import IiifArchive
from flows.archives.iiif.changes import ChangeArchive
from flows.archives.options import IiifOptions
from flows.archives.record import Access, Record, Window
from flows.archives.web.politeness import Manners
from tests.integration.db.test_export import APPROVED, CURATOR, RETURNED, packed
from tests.integration.flows.archives.web_server import Reply, WebServer, serve
from tests.samples import Sample

pytestmark = pytest.mark.long

DATABASES = ("sqlite",)


def _read(archive: IiifArchive) -> dict[str, Record]:
    archive._client._sleep = lambda _: None
    found = list(archive.records(Window()))
    assert [each for each in found if not isinstance(each, Record)] == []
    return {each.identifier: each for each in found if isinstance(each, Record)}


def _access(server: WebServer, path: str) -> Access:
    return Access("ourselves", server.root + path, Manners("c", pace_s=0), options=IiifOptions())


def test_our_own_clients_harvest_what_was_exported(
    catalogue: Catalogue,
    settings: CatalogueSettings,
    sample: Sample,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("db.exports.changes.PAGE", 2)
    made, data = sample.entries(catalogue, 4), tmp_path / "bag/data"
    for number in made:
        catalogue.give_verdict(number, CURATOR, APPROVED)
    sources = packed(catalogue, settings)

    def answer(path: str) -> Reply:
        file = data / path.lstrip("/")
        return Reply(file.read_text()) if file.is_file() else Reply("", status=404)

    with serve(answer) as server:
        order = Order(f"{server.root}/", QueueFilter())
        export(sources, tmp_path / "bag", order)
        catalogue.give_verdict(made[0], CURATOR, RETURNED, seen=catalogue.queue_entry(made[0]).seen)
        renamed = sample.record(catalogue.attempt(made[1]).content.identifier, title="Renamed")
        catalogue.add_record(sample.archive(catalogue), renamed)
        export(sources, tmp_path / "bag", order)
        listed = _read(IiifArchive.open(_access(server, "/collection.json")))
        stream = ChangeArchive.open(_access(server, "/changes/collection.json"))
        assert stream.names_deleted()
        followed = _read(stream)
    ids = {number: f"{server.root}/entries/000000/{number}/manifest.json" for number in made}
    assert set(listed) == {ids[number] for number in made[1:]}
    assert {name for name, record in followed.items() if record.deleted} == {ids[made[0]]}
    live = {name: record for name, record in followed.items() if not record.deleted}
    assert {name: (each.title, each.rights) for name, each in live.items()} == {
        name: (each.title, each.rights) for name, each in listed.items()
    }
    assert live[ids[made[1]]].title == "Renamed"
    kinds = [
        activity["type"]
        for page in sorted((data / "changes").glob("page-*.json"))
        for activity in json.loads(page.read_bytes())["orderedItems"]
    ]
    assert sorted(kinds) == ["Create", "Create", "Delete", "Update"]
