"""/metrics: who may read it, what it tells, and that it tells what the catalogue holds."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from db.catalogue import Catalogue
from db.entries.night import Outcome
from db.entries.nights import NightEnd, NightEnding
from db.queries.night import nights
from db.review.metrics import collector
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, opened
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""
TOKEN = "a token of a monitor"
Values = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def told(browser: Browser, **headers: str) -> Values:
    """Every value, by name and labels."""
    answer = browser.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    return {(each.name, tuple(sorted(each.labels.items()))): each.value for found in families for each in found.samples}


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("192.0.2.7", {}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}, 403),
        ("testclient", {}, 403),
    ],
)
def test_without_a_token_this_machine_alone_reads_it(
    settings: CatalogueSettings, catalogue: Catalogue, client: str, headers: dict[str, str], status: int
) -> None:
    with opened(settings) as app:
        assert Browser(app, client=client).get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("given", "status"),
    [(f"Bearer {TOKEN}", 200), (f"Bearer {TOKEN}x", 403), (TOKEN, 403), ("Bearer ", 403), ("", 403)],
)
def test_with_a_token_whoever_has_it_reads_it_and_nobody_else(
    settings: CatalogueSettings, catalogue: Catalogue, given: str, status: int
) -> None:
    with opened(settings, metrics_token=TOKEN) as app:
        for client in ("127.0.0.1", "192.0.2.7"):
            answer = Browser(app, client=client).get("/metrics", headers={"Authorization": given})
            assert answer.status_code == status


def test_a_night_that_went_silent_is_not_at_work(
    settings: CatalogueSettings, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.begin_night()
    monkeypatch.setattr(nights, "QUIET", timedelta(0))
    with opened(settings) as app:
        assert told(Browser(app))["nishiki_night_running", ()] == 0


def test_nights_attempts_and_harvests_are_told_as_the_catalogue_has_them(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample
) -> None:
    night = catalogue.begin_night()
    sample.entry(catalogue, sample.record("one"), seconds=2.5)
    sample.entry(catalogue, sample.record("two"), seconds=1.5)
    failed: dict[str, Any] = {"outcome": Outcome.FAILED, "output": None, "error_class": "X", "error_message": "x"}
    sample.entry(catalogue, sample.record("three"), **failed)
    came = {"archives": {"/srv/prints": {"records": {"new": 3, "deleted": 1}, "pictures": 3, "whole": True}}}
    with opened(settings) as app:
        browser = Browser(app)
        running = told(browser)
        catalogue.end_night(night, NightEnd(NightEnding.WAITING, 4), {"harvest": 2.0}, came)
        values = told(browser)
    assert running["nishiki_night_running", ()] == 1
    assert values["nishiki_night_running", ()] == 0
    assert running["nishiki_night_last_success_timestamp_seconds", ()] == 0
    assert values["nishiki_night_last_success_timestamp_seconds", ()] > 1.7e9
    assert values["nishiki_nights_total", (("end", "waiting"),)] == 1
    made = (("outcome", "succeeded"), ("recipe", sample.recipe.name))
    assert (values["nishiki_attempts", made], values["nishiki_attempts_seconds", made]) == (2, 4.0)
    assert values["nishiki_attempts", (("outcome", "failed"), ("recipe", sample.recipe.name))] == 1
    assert (values["nishiki_attempts_pending", ()], values["nishiki_entries_waiting", ()]) == (0, 2)
    assert values["nishiki_records", (("archive", "sample"),)] == 6
    (folder,) = (labels for name, labels in values if name == "nishiki_night_records")
    assert folder[0][1].startswith("prints (")
    assert values["nishiki_night_records", folder] == 4
    assert values["nishiki_night_stage_seconds", (("stage", "harvest"),)] == 2.0
    assert values["nishiki_page_requests_total", (("method", "GET"), ("status", "200"))] == 1
    assert ("nishiki_page_seconds_count", (("route", "/metrics"),)) in values


def test_a_closed_batch_is_read_once_an_open_one_each_time_and_one_that_was_changed_again(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    real = Catalogue.batch_metrics

    def noting(self: Catalogue, batch_ids: Any) -> Any:
        asked.append(sorted(batch_ids))
        return real(self, batch_ids)

    monkeypatch.setattr(Catalogue, "batch_metrics", noting)
    sample.entry(catalogue, sample.record("one"))
    with opened(settings) as app:
        browser = Browser(app)
        told(browser)
        sample.matched(catalogue, sample.record("two"), 0.9)
        sample.take(catalogue)
        told(browser)
        told(browser)
    assert asked == [[1], [2], [2]]


def test_until_all_batches_are_known_nothing_is_told_by_recipe(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample.entry(catalogue, sample.record("one"))
    monkeypatch.setattr(collector, "LONGEST_S", 0.0)
    with opened(settings) as app:
        browser = Browser(app)
        assert not [name for name, _ in told(browser) if name == "nishiki_attempts"]
        monkeypatch.undo()
        assert [name for name, _ in told(browser) if name == "nishiki_attempts"]


def test_labels_are_bounded() -> None:
    values = {(f"archive {number:03}", "x"): 1.0 for number in range(200)}
    bounded = collector._bounded(values)
    assert len(bounded) == collector.MOST + 1
    assert bounded[collector.OTHER, "x"] == 150


def test_dashboard_and_alert_rules_name_metrics_that_there_are(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, project: Path
) -> None:
    sample.entry(catalogue, sample.record("one"))
    with opened(settings) as app:
        families = list(text_string_to_metric_families(Browser(app).get("/metrics").text))
    known = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}
    known |= {f"{each.name}_bucket" for each in families if each.type == "histogram"}
    board = json.loads((project / "deploy/grafana/nishiki.json").read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = (project / "deploy/prometheus/nishiki-rules.yaml").read_text(encoding="utf-8")
    asked += re.findall(r"^ +expr: (.+)$", rules, re.MULTILINE)
    named = {name for each in asked for name in re.findall(r"nishiki_\w+", each)}
    assert len(named) > 15
    assert named - known == set()
    assert all(re.search(r"nishiki_\w+", each) for each in asked)
