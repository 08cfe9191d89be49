"""Pictures of several hosts: all are asked at once, none by two at a time, and what came is decoded meanwhile."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Event, Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from colorize.images.decode import Decoded
from db.catalogue import Catalogue
from flows.archives.oai.archive import OaiPmhArchive
from flows.archives.record import Access, Derivatives, Picture, Record, Rights, Validators
from flows.archives.sample.drawing.collection import holdings, picture
from flows.archives.web.client import PoliteClient
from flows.archives.web.politeness import Manners
from flows.harvest import HarvestTally, harvest_pictures, record_entry
from flows.settings import Settings
from flows.upkeep.working_copies import decode_small
from tests.integration.flows.archives.web_server import Reply, serve

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

HOSTS, EACH = 3, 2
JPEG = picture(next(each for each in holdings(1, 1, 1) if each.medium == "gray"))


@dataclass
class Busy:
    """How many are asking for the same thing at once."""

    now: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)

    def come(self, name: str) -> None:
        with self.lock:
            self.now[name] += 1
            self.most[name] = max(self.most[name], self.now[name])

    def go(self, name: str) -> None:
        with self.lock:
            self.now[name] -= 1


class Scattered(OaiPmhArchive):
    """Its pictures lie on several hosts, and each is delivered only when all hosts are asked."""

    def __init__(self, access: Access) -> None:
        super().__init__(access.address, access.name, PoliteClient(access.manners, access.address))
        self.busy, self.meeting = Busy(), Barrier(HOSTS, timeout=20)

    def picture(self, reference: str, known: Validators = Validators()) -> Picture:  # noqa: B008
        host = urlsplit(reference).netloc
        self.busy.come(host)
        self.meeting.wait()
        self.busy.go(host)
        return Picture(JPEG, reference)


def harvested_from(archive: OaiPmhArchive, settings: Settings, urls: Sequence[str]) -> HarvestTally:
    """A record for each address, and its picture."""
    tally = HarvestTally("museum")
    with Catalogue.open(settings) as catalogue:
        number = catalogue.add_archive("museum", "oai-pmh", archive.address)
        for place, url in enumerate(urls):
            free = Rights(Derivatives.YES, "CC0")
            record = Record(f"r{place}", datetime(2026, 1, 1, tzinfo=UTC), free, "{}", pictures=(url,))
            catalogue.add_record(number, record_entry(record))
        harvest_pictures(catalogue, archive, number, settings, tally)
    return tally


def test_all_hosts_are_asked_at_once_and_each_by_one_at_a_time(settings_of: "SettingsOf", tmp_path: Path) -> None:
    settings, archive = settings_of(tmp_path), Scattered(Access("museum", "https://m.example/oai", Manners("c")))
    urls = [f"https://host-{place % HOSTS}.example/{place}.jpg" for place in range(HOSTS * EACH)]
    tally = harvested_from(archive, settings, urls)
    assert (tally.pictures, tally.problems) == (HOSTS * EACH, [])
    assert dict(archive.busy.most) == {f"host-{each}.example": 1 for each in range(HOSTS)}


class OneAfterTheOther(OaiPmhArchive):
    """Tells when its second picture is asked for."""

    def __init__(self, access: Access) -> None:
        super().__init__(access.address, access.name, PoliteClient(access.manners, access.address))
        self.asked, self.second = Counter[str](), Event()

    def picture(self, reference: str, known: Validators = Validators()) -> Picture:  # noqa: B008
        self.asked[reference] += 1
        if len(self.asked) == 2:
            self.second.set()
        return Picture(JPEG, reference)


def test_a_picture_is_decoded_while_the_next_one_comes(
    settings_of: "SettingsOf", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, archive = settings_of(tmp_path), OneAfterTheOther(Access("museum", "https://m.example/", Manners("c")))

    def patient(data: bytes, max_pixels: int) -> Decoded:
        assert archive.second.wait(20)
        return decode_small(data, max_pixels)

    monkeypatch.setattr("flows.harvest.decode_small", patient)
    tally = harvested_from(archive, settings, [f"https://host.example/{place}.jpg" for place in range(3)])
    assert (tally.pictures, tally.problems, len(archive.asked)) == (3, [], 3)


def test_threads_that_share_a_client_take_turns_at_a_host() -> None:
    busy = Busy()

    def site(path: str) -> Reply:
        busy.come("host")
        busy.go("host")
        return Reply(path)

    with serve(site) as server:
        client = PoliteClient(Manners("c", pace_s=0.005), server.root)
        with ThreadPoolExecutor(4) as threads:
            answers = threads.map(lambda name: client.get(f"{server.root}/{name}", limit=1000), range(12))
            assert [answer and answer.data for answer in answers] == [f"/{name}".encode() for name in range(12)]
        client.close()
    assert busy.most["host"] == 1
