"""Harvests of the sample archive over every protocol: each leaves the catalogue that OAI-PMH leaves."""

from collections.abc import Iterator
from pathlib import Path
from shutil import copy
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text

from db.catalogue import Catalogue
from db.tables.night import Record, RecordArtist
from flows.archives.registry import Protocol
from flows.archives.sample.aic import AGENTS
from flows.archives.sample.server import APIS, SampleArchive, serve_sample
from flows.settings import Settings
from tests.integration.flows.one_night import night

pytestmark = pytest.mark.long

SPOKEN = [protocol for protocol in Protocol if protocol in APIS]

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture(scope="module")
def sample() -> Iterator[SampleArchive]:
    with serve_sample(designs=2, grays=2) as server:
        yield server


CATALOGUE = """
    SELECT r.title, r.date_text, r.year_from, r.year_to, r.genre, s.derivatives, i.sha256
    FROM records r JOIN rights s ON s.record_id = r.id
    LEFT JOIN record_images p ON p.record_id = r.id LEFT JOIN images i ON i.id = p.image_id
    WHERE r.deleted_at IS NULL
"""
ARTISTS = select(RecordArtist.name, Record.authorities).join_from(RecordArtist, Record)


def harvested(settings: Settings, protocol: Protocol, address: str) -> list[str]:
    """What the catalogue holds after a night."""
    table = {"museum": {"protocol": protocol.value, "address": address}}
    tally = night(settings.model_validate({**settings.model_dump(), "archives": table}), "museum")
    assert (tally.failure, tally.protocol) == (None, protocol)
    with Catalogue.open(settings) as catalogue, catalogue.engine.connect() as connection:
        return sorted(repr(tuple(row)) for row in connection.execute(text(CATALOGUE)))


def test_the_same_catalogue_comes_of_every_protocol(
    sample: SampleArchive, settings_of: "SettingsOf", sqlite_template: Path, tmp_path: Path
) -> None:
    found = {}
    for protocol in (Protocol.OAI_PMH, *SPOKEN):
        (tmp_path / protocol).mkdir()
        copy(sqlite_template, tmp_path / protocol / "catalogue.db")
        address = sample.base_url if protocol is Protocol.OAI_PMH else f"{sample.root}/{protocol}"
        found[protocol] = harvested(settings_of(tmp_path / protocol), protocol, address)
    for protocol, rows in found.items():
        assert rows == found[Protocol.OAI_PMH], protocol
    assert sum("None)" not in row for row in rows) > 4, "most have a picture"


def test_the_catalogue_keeps_who_chicagos_artists_are_in_ulan(
    sample: SampleArchive, settings_of: "SettingsOf", sqlite_template: Path, tmp_path: Path
) -> None:
    copy(sqlite_template, tmp_path / "catalogue.db")
    settings = settings_of(tmp_path)
    harvested(settings, Protocol.AIC, f"{sample.root}/aic")
    with Catalogue.open(settings) as catalogue, catalogue.engine.connect() as connection:
        kept = [*map(tuple, connection.execute(ARTISTS))]
    in_ulan = {each["title"]: f"http://vocab.getty.edu/ulan/{each['ulan_id']}" for each in AGENTS if each["ulan_id"]}
    assert kept == [(name, [[name, in_ulan[name]]] if name in in_ulan else None) for name, _ in kept]
    assert {name for name, _ in kept} & in_ulan.keys()
