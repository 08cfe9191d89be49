"""Pictures that lie on several hosts: all hosts are asked at once, and none by two at a time."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Barrier, Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from db.catalogue import Catalogue
from flows.archives.oai.archive import OaiPmhArchive
from flows.archives.record import Access, Derivatives, Picture, Record, Rights, Validators
from flows.archives.sample.drawing.collection import holdings, picture
from flows.archives.web.client import PoliteClient
from flows.archives.web.politeness import Manners
from flows.harvest import HarvestTally, harvest_pictures, record_entry
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


def test_all_hosts_are_asked_at_once_and_each_by_one_at_a_time(settings_of: "SettingsOf", tmp_path: Path) -> None:
    settings, archive = settings_of(tmp_path), Scattered(Access("museum", "https://m.example/oai", Manners("c")))
    tally = HarvestTally("museum")
    with Catalogue.open(settings) as catalogue:
        number = catalogue.add_archive("museum", "oai-pmh", archive.address)
        for place in range(HOSTS * EACH):
            url = f"https://host-{place % HOSTS}.example/{place}.jpg"
            free = Rights(Derivatives.YES, "CC0")
            record = Record(f"r{place}", datetime(2026, 1, 1, tzinfo=UTC), free, "{}", pictures=(url,))
            catalogue.add_record(number, record_entry(record))
        harvest_pictures(catalogue, archive, number, settings, tally)
    assert (tally.pictures, tally.problems) == (HOSTS * EACH, [])
    assert dict(archive.busy.most) == {f"host-{each}.example": 1 for each in range(HOSTS)}


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
