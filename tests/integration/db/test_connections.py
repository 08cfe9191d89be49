"""Connections to PostgreSQL that were cut while they rested, and what reading costs."""

from typing import Any

import pytest
from sqlalchemy import text

from db.catalogue import Catalogue

DATABASES = ("postgresql",)
_OTHERS = "datname = current_database() AND pid <> pg_backend_pid()"


def test_connections_that_were_cut_while_they_rested_are_made_anew(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    with catalogue.engine.connect(), catalogue.engine.connect():  # two that rest afterwards
        pass
    monkeypatch.setattr("db.engine._FRESH_S", 0.0)
    with catalogue.engine.connect() as connection:
        ended = f"SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE {_OTHERS}"
        assert connection.execute(text(ended)).scalar_one() >= 1
    with catalogue.engine.connect(), catalogue.engine.connect() as second:  # the first is the one that cut the others
        assert second.execute(text("SELECT 1")).scalar_one() == 1


def test_reading_says_neither_begin_nor_rollback(catalogue: Catalogue) -> None:
    with catalogue._reading() as session:
        driver: Any = session.connection().connection.driver_connection
        assert driver.autocommit
        assert session.execute(text("SELECT 1")).scalar_one() == 1
        assert driver.info.transaction_status.name == "IDLE"
    with catalogue._writing() as session:
        driver = session.connection().connection.driver_connection
        assert not driver.autocommit
