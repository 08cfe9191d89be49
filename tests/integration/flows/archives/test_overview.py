"""`nishiki archives` and the dry run of a harvest over the web: what they tell, before a harvest and after it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from flows.archives.sample.server import SampleArchive, serve_sample
from flows.plan import planned_archive
from flows.reports.archives import archives_table, archives_told, next_harvest_lines
from flows.settings import Settings
from tests.integration.flows.one_night import night, pass_days

pytestmark = pytest.mark.long

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture(scope="module")
def sample() -> Iterator[SampleArchive]:
    with serve_sample(designs=1, grays=1) as server:
        yield server


def shown(told: list[dict[str, Any]]) -> str:
    with (console := Console(width=200, force_terminal=False)).capture() as captured:
        console.print(archives_table(told))
    return captured.get()


def with_archives(settings: Settings, archives: dict[str, Any]) -> Settings:
    return settings.model_validate({**settings.model_dump(), "archives": archives})


def test_archives_are_told_before_and_after_a_harvest_and_none_is_asked(
    sample: SampleArchive, settings_of: "SettingsOf", tmp_path: Path
) -> None:
    table = {"address": sample.base_url, "protocol": "oai-pmh", "pace_s": 0}
    letter = {"reference": "Letter 12", "document": "12.pdf", "given": "2026-03-01", "scope": "review"}
    never = {"address": "https://nobody.example/iiif", "permission": letter}
    settings = with_archives(settings_of(tmp_path), {"theatre": table, "never": never})
    planned = planned_archive(settings, "theatre")

    (waiting, unread) = archives_told(settings)
    assert (waiting["name"], waiting["permission"], waiting["last_harvest"]) == ("never", "Letter 12", None)
    assert (unread["protocol"], unread["pace_s"], unread["records"]) == ("oai-pmh", 0, 0)
    assert "would be asked for everything, for it was never harvested" in " ".join(
        next_harvest_lines(settings, planned)
    )

    limits = {"quiet_hours": "09:00-18:00 Asia/Tokyo", "most_requests": 5000, "permission": letter}
    agreed = with_archives(settings, {"never": {**never, **limits}})
    told = " ".join(next_harvest_lines(agreed, planned_archive(agreed, "never")))
    for words in ("found out by asking", "09:00-18:00 Asia/Tokyo", "5,000 to one host", "Letter 12 of 2026-03-01"):
        assert words in told

    assert night(settings, "theatre").failure is None
    asking = with_archives(settings, {"theatre": {**table, "protocol": "auto"}})
    told = " ".join(next_harvest_lines(asking, planned_archive(asking, "theatre")))
    assert "found out by asking; the last time it was oai-pmh" in told
    (_, read) = archives_told(settings)
    assert read["records"] > 5
    assert (read["last_window"], read["held_back"]["rights: no"], read["wanted_pictures"]) == ("done", 1, 1)
    for words in ("theatre", sample.base_url, "oai-pmh", "0 s", "1 rights: no", "to be listed from its beginning"):
        assert words in shown(archives_told(settings))
    lines = " ".join(next_harvest_lines(settings, planned))
    assert "what changed since" in lines
    assert "if it does not tell" not in lines
    pass_days(settings, 40)
    assert "or for everything if it does not tell what it deleted" in " ".join(next_harvest_lines(settings, planned))

    alone = with_archives(settings, {})
    assert "in the catalogue alone" in shown(archives_told(alone))
