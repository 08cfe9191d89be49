"""Connections to PostgreSQL that were cut, while they rested or in the middle, and what reading costs."""

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import Connection, event, text

from db.catalogue import Catalogue
from db.errors import CatalogueLost

if TYPE_CHECKING:
    from tests.samples import Sample

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


def cut_at(catalogue: Catalogue, moment: str, *, times: int = 1) -> None:
    """Have the server end the connection of the next writers: before they "commit", or so that the answer is lost."""
    left = [None] * times

    def cut(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        if driver.autocommit or not left:
            return
        left.pop()
        if moment == "answer":
            driver.commit()
            driver.execute("SELECT 1")  # else the driver knows that nothing is left to commit
        with psycopg.connect(catalogue.engine.url.set(drivername="postgresql").render_as_string(False)) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [driver.info.backend_pid])

    event.listen(catalogue.engine, "begin" if moment == "commit" else "commit", cut)


def test_what_was_cut_before_its_commit_is_carried_out_anew(catalogue: Catalogue) -> None:
    cut_at(catalogue, "commit")
    assert catalogue.begin_night() == catalogue.nights()[0].id
    assert len(catalogue.nights()) == 1


def test_what_is_cut_again_and_again_is_told(catalogue: Catalogue) -> None:
    cut_at(catalogue, "commit", times=9)
    with pytest.raises(CatalogueLost, match="does not answer"):
        catalogue.begin_night()
    assert catalogue.nights() == []


def test_what_may_have_been_committed_is_carried_out_anew_only_where_it_may_be_repeated(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    (pending,) = catalogue.pending_attempts(batch)
    cut_at(catalogue, "answer")
    assert catalogue.take_attempts(batch, [pending.id]) == {pending.id: 2}
    result = sample.succeeded(catalogue)
    cut_at(catalogue, "answer")
    assert catalogue.close_attempt(batch, pending.id, result) == result
    assert [each.outcome for each in catalogue.attempts()] == ["succeeded"]
    cut_at(catalogue, "answer")
    with pytest.raises(CatalogueLost):
        catalogue.begin_night()
    assert len(catalogue.nights()) == 1
