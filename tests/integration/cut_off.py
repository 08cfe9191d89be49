"""A server that ends the connection by which a night holds its catalogue."""

from sqlalchemy import text

from db.catalogue import Catalogue

_LOCK = "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database"


def cut_off(catalogue: Catalogue) -> None:
    """End it."""
    with catalogue.engine.begin() as connection:
        held = "locktype = 'advisory' AND granted AND datname = current_database()"
        connection.execute(text(f"{_LOCK} WHERE {held}"))
