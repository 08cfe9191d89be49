"""A list that takes several nights is taken up where it stopped: no record is asked for twice, none is missing."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from flows.archives.registry import Protocol
from flows.harvest import HarvestTally, harvest
from tests.integration.flows.archives.web_server import Reply, serve

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

RECORDS, A_NIGHT = 12, 5
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.archives.web.client.BACKOFF_S", (0.0, 0.0))


def iiif(path: str) -> Any:
    if path == "/top":
        return {"type": "Collection", "items": [{"type": "Manifest", "id": f"/r/{n}"} for n in range(RECORDS)]}
    return {"type": "Manifest", "id": path, "label": {"none": [path]}, "rights": CC0}


def met(path: str) -> Any:
    if path == "/top/departments":
        return {"departments": []}
    if path.startswith("/top/objects?"):
        return {"total": RECORDS, "objectIDs": [*range(1, RECORDS + 1)]}
    number = int(path.rpartition("/")[2])
    return {"objectID": number, "title": "t", "metadataDate": "2026-01-01T00:00:00Z", "isPublicDomain": True}


@pytest.mark.parametrize(("protocol", "site"), [(Protocol.IIIF, iiif), (Protocol.MET, met)])
def test_a_list_goes_on_the_next_night_where_the_archive_stopped_answering(
    protocol: Protocol, site: Callable[[str], Any], settings_of: "SettingsOf", tmp_path: Path
) -> None:
    asked, patience = Counter[str](), 0

    def answer(path: str) -> Reply | None:
        if path == "/robots.txt":
            return None
        record = path.rpartition("/")[2].isdigit()
        if record and sum(asked.values()) >= patience:
            return Reply(status=429)
        if record:
            asked[path] += 1
        return Reply(json.dumps(site(path)))

    nights = list[HarvestTally]()
    with serve(answer) as server:
        archive = {"protocol": protocol.value, "address": f"{server.root}/top", "pace_s": 0}
        settings = settings_of(tmp_path, archives={"museum": archive})
        while not nights or nights[-1].failure:
            patience += A_NIGHT
            nights += harvest(settings, [])
            assert len(nights) <= -(-RECORDS // A_NIGHT)
    assert [night.read for night in nights] == [5, 5, 2]
    assert set(asked.values()) == {1}
    assert len(asked) == RECORDS
