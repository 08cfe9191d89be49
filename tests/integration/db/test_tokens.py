"""Tokens of the API on both databases: made once, kept as their sha256, ended."""

from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.entries.review import Role
from db.errors import UnknownEntry
from db.settings import CatalogueSettings
from flows.cli.app import app

HASH = "no password's"


def test_a_token_is_told_once_and_kept_as_its_sha256(catalogue: Catalogue) -> None:
    catalogue.add_curator("Sumire", Role.CURATOR, HASH)
    entry, token = catalogue.add_token(" Sumire ", Role.CURATOR, "a script", by="Ren")
    assert catalogue.token(token) == entry == catalogue.tokens()[0]
    with catalogue.engine.connect() as connection:
        kept = str(connection.execute(text("SELECT * FROM tokens")).all())
        kept += str(connection.execute(text("SELECT * FROM audit_events")).all())
    assert token.removeprefix("nishiki_") not in kept
    assert catalogue.token(token + "x") is None
    assert catalogue.token("") is None


def test_it_ends_when_it_is_revoked_and_while_its_account_is_closed(catalogue: Catalogue) -> None:
    catalogue.add_curator("Sumire", Role.CURATOR, HASH)
    catalogue.add_curator("Ren", Role.ADMIN, HASH)
    entry, token = catalogue.add_token("Sumire", Role.ADMIN)
    assert entry.allowed is Role.CURATOR
    catalogue.change_role("Sumire", Role.VIEWER)
    found: Any = catalogue.token(token)
    assert found.allowed is Role.VIEWER
    catalogue.disable_curator("Sumire")
    assert catalogue.token(token) is None
    with pytest.raises(UnknownEntry, match="is closed"):
        catalogue.add_token("Sumire", Role.VIEWER)
    catalogue.enable_curator("Sumire")
    assert catalogue.token(token) is not None
    assert catalogue.revoke_token(entry.id).revoked_at == catalogue.revoke_token(entry.id).revoked_at
    assert catalogue.token(token) is None
    told = [each.event for each in catalogue.audit_events(curator="Sumire")]
    assert (told.count("token made"), told.count("token revoked")) == (1, 1)


def test_nobodys_token_cannot_be_made_or_revoked(catalogue: Catalogue) -> None:
    with pytest.raises(UnknownEntry, match="nishiki curator add"):
        catalogue.add_token("Nobody", Role.VIEWER)
    with pytest.raises(UnknownEntry, match="nishiki token list"):
        catalogue.revoke_token(7)


def test_the_command_makes_lists_and_ends_them(
    catalogue: Catalogue, settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NISHIKI_HOME", str(settings.home))
    monkeypatch.setenv("NISHIKI_DATABASE_URL", settings.url)

    def run(*words: str) -> str:
        done = CliRunner().invoke(app, ["token", *words])
        return f"{done.exit_code} {done.output}"

    catalogue.add_curator("Sumire", Role.CURATOR, HASH)
    assert "No tokens yet" in run("list")
    made = run("add", "Sumire", "--role", "admin", "--label", "figures", "--days", "2")
    assert "Token 1 of Sumire, as curator, until 20" in made
    found = catalogue.token(made.split()[-1])
    assert found is not None
    assert found.label == "figures"
    assert run("add", "Nobody").startswith("1 ")
    assert run("add", "Sumire", "--role", "boss").startswith("2 ")
    assert "figures" in run("list")
    assert "Token 1 of Sumire opens nothing any more." in run("revoke", "1")
    assert "revoked 20" in run("list")
