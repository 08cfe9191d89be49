"""What an administrator can look up afterwards: in the table, on the page, in the log."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.review import AuditWord, Role
from db.review.pages.audit import SHOWN
from db.settings import CatalogueSettings
from db.tables.review import AuditEvent
from tests.integration.review.review_client import HASH, PASSWORD, Browser, add_people, opened, signed_in


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    """A page with accounts."""
    add_people(catalogue, Aoi=Role.CURATOR, Ren=Role.ADMIN)
    with opened(settings) as made:
        yield made


def _told(catalogue: Catalogue) -> list[tuple[str, str | None, str | None, str]]:
    return [(each.event, each.curator, each.address, each.detail) for each in reversed(catalogue.audit_events())]


def test_who_signs_in_or_out_or_fails_to_is_on_record_without_a_secret(
    app: FastAPI, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = len(_told(catalogue))
    browser = Browser(app, client="192.0.2.1")
    browser.sign_in("Aoi", "a wrong secret")
    browser.sign_in("my secret in the wrong field", "x" * 20)
    browser.sign_in(" Aoi ")
    browser.post("/logout")
    browser.post("/logout")
    assert _told(catalogue)[before:] == [
        ("sign-in failed", "Aoi", "192.0.2.1", ""),
        ("sign-in failed", None, "192.0.2.1", "no open account of the name that was given"),
        ("signed in", "Aoi", "192.0.2.1", ""),
        ("signed out", "Aoi", "192.0.2.1", ""),
    ]
    lines = [record.getMessage() for record in caplog.records if record.name == "db.queries.review.audit"]
    assert lines[0] == "sign-in failed: 'Aoi' from '192.0.2.1', ''"
    assert len(lines) == 4
    assert not any("secret" in line or PASSWORD in line for line in lines)


def test_every_change_of_an_account_is_on_record_with_who_made_it(
    catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    catalogue.add_curator("葵\n2026 root signed in", Role.VIEWER, HASH, by="mio")
    name = "葵\n2026 root signed in"
    catalogue.change_role(name, Role.CURATOR, by="mio")
    catalogue.change_password(name, HASH, by="mio")
    catalogue.disable_curator(name, by="mio")
    catalogue.enable_curator(name)
    assert [(event, detail) for event, who, where, detail in _told(catalogue) if (who, where) == (name, None)] == [
        ("account made", "viewer, by mio"),
        ("role changed", "viewer → curator, by mio"),
        ("password changed", "curator, by mio"),
        ("account closed", "curator, by mio"),
        ("account opened", "curator"),
    ]
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert "\\n2026" in caplog.records[0].getMessage()


def test_what_was_not_changed_is_not_on_record(catalogue: Catalogue) -> None:
    add_people(catalogue, Ren=Role.ADMIN)
    with pytest.raises(Exception, match="last admin"):
        catalogue.disable_curator("Ren")
    assert [event for event, *_ in _told(catalogue)] == ["account made"]


def test_admins_read_it_page_by_page_by_name_and_by_event(app: FastAPI, catalogue: Catalogue) -> None:
    for number in range(SHOWN + 5):
        catalogue.add_audit_event(AuditWord.EXPORTED, detail=f"<b>{number}</b>")
    admin = signed_in(app, "Ren")
    first = admin.get("/audit").text
    assert "&lt;b&gt;104&lt;/b&gt;" in first
    assert "&lt;b&gt;3&lt;/b&gt;" not in first
    link = first.split('href="/audit?before=')[1].split('"')[0].replace("&amp;", "&")
    older = admin.get(f"/audit?before={link}").text
    assert "&lt;b&gt;3&lt;/b&gt;" in older
    assert "signed in" in older or "account made" in older
    assert 'href="/audit?before=' not in older
    only = admin.get("/audit?curator=Aoi&event=account+made").text
    assert "curator</td>" in only
    assert "<b>" not in only
    assert "Nothing of this kind" in admin.get("/audit?event=nonsense&curator=").text
    admin.post("/preferences", {"name": "language", "value": "ja"})
    japanese = admin.get("/audit").text
    assert "操作記録" in japanese
    assert "書き出し" in japanese


def test_it_is_for_admins_alone(app: FastAPI) -> None:
    assert signed_in(app, "Aoi").http.get("/audit").status_code == 403
    assert Browser(app).http.get("/audit").status_code == 303
    assert 'href="/audit"' in signed_in(app, "Ren").get("/people").text


def test_events_of_long_ago_are_forgotten_when_somebody_signs_in(app: FastAPI, catalogue: Catalogue) -> None:
    with writing(catalogue.engine).begin() as connection:
        connection.execute(update(AuditEvent).values(at=datetime.now(UTC) - timedelta(days=366)))
    catalogue.add_audit_event(AuditWord.EXPORTED)
    signed_in(app, "Aoi")
    assert [event for event, *_ in _told(catalogue)] == ["exported", "signed in"]


def test_a_page_that_only_shows_writes_it_into_the_log_alone(
    settings: CatalogueSettings, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    add_people(catalogue, Ren=Role.ADMIN)
    caplog.set_level(logging.INFO)
    with opened(settings, review_read_only=True) as app:
        signed_in(app, "Ren")
    assert [event for event, *_ in _told(catalogue)] == ["account made"]
    assert "signed in: 'Ren' from '127.0.0.1', ''" in caplog.messages
