"""The harvest killed at ten random moments: the next one ends with the full set."""

from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue
from flows.archives.sample.server import SampleArchive, serve_sample
from flows.settings import Settings
from tests.integration.flows.one_night import night

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

KILLS = 10
ROWS = """
    SELECT r.identifier, r.title, r.digest, p.position, p.reference, p.state, i.sha256
    FROM records r LEFT JOIN record_images p ON p.record_id = r.id LEFT JOIN images i ON i.id = p.image_id
"""
FORKED = get_context("forkserver")
"""Its processes begin with everything loaded, so that a kill meets the harvest and not the imports."""
FORKED.set_forkserver_preload(["tests.integration.flows.one_night"])


@pytest.fixture(scope="module")
def sample() -> Iterator[SampleArchive]:
    with serve_sample(designs=6, grays=6, page=3) as server:
        yield server


def harvested(settings: Settings, address: str) -> float:
    """Seconds of a harvest that is not disturbed; it must end well."""
    began = perf_counter()
    assert night(settings, address).failure is None
    return perf_counter() - began


def killed(settings: Settings, address: str, after_s: float) -> bool:
    """Was a harvest still at work when it was killed after so long?"""
    process = FORKED.Process(target=night, args=(settings, address))
    process.start()
    process.join(after_s)
    process.kill()
    process.join()
    return process.exitcode != 0


def kept(settings: Settings) -> list[tuple[Any, ...]]:
    """What the catalogue holds; each picture's file must hold what its row says."""
    with Catalogue.open(settings) as catalogue, catalogue.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(ROWS))]
        for *_, sha256 in rows:
            assert sha256 is None or catalogue.pictures.read(sha256)
        windows = [row.state for row in connection.execute(text("SELECT state FROM windows"))]
    assert windows.count("done") >= 1
    assert len(rows) == len(set(rows)), "nothing twice"
    return sorted(rows, key=repr)


def test_a_harvest_killed_at_ten_random_moments_ends_with_the_full_set(
    sample: SampleArchive, settings_of: "SettingsOf", tmp_path: Path
) -> None:
    whole, timed, broken = (settings_of(tmp_path / name) for name in ("whole", "timed", "broken"))
    harvested(whole, sample.base_url)  # the pictures are drawn now
    lasts_s = harvested(timed, sample.base_url)
    random = Random(1846)
    cut_short = [killed(broken, sample.base_url, random.uniform(0.02, 0.2 * lasts_s)) for _ in range(KILLS)]
    assert sum(cut_short) >= KILLS // 2
    harvested(broken, sample.base_url)
    assert kept(broken) == kept(whole)
    assert {name for name, *_ in kept(broken)} == set(sample.identifiers)
