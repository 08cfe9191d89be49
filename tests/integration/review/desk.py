"""Curators at the review page, each in a browser of their own that has no JavaScript."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any

from fastapi import FastAPI
from httpx2 import Response

from db.catalogue import Catalogue
from db.entries.review import Role
from db.review.access.cookies import SESSION
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, add_people, opened


class Desk(Browser):
    """Signed in already; `see` and `say` do what curators do all morning."""

    def __init__(self, app: FastAPI, name: str) -> None:
        super().__init__(app)
        self.http.cookies.set(SESSION, app.state.review.sessions.open(name))

    def see(self, address: str) -> str:
        """The page's text, entities resolved."""
        answer = self.get(address)
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    def say(self, attempt_id: int, verdict: str = "", **fields: Any) -> Response:
        """Give a verdict with a form that shows none as standing, from the queue as it is."""
        return self.post(f"/entries/{attempt_id}/verdict", {"verdict": verdict, "seen": "", **fields})


Desks = Callable[..., Desk]
"""A name and a role → their desk."""


@contextmanager
def desks(settings: CatalogueSettings, catalogue: Catalogue, **options: Any) -> Iterator[Desks]:
    """Makes desks at one page, and accounts for who sits there."""
    with opened(settings, **{"blind_share": 0.0, **options}) as app:

        def desk(name: str = "Sumire", role: Role = Role.CURATOR) -> Desk:
            add_people(catalogue, **{name: role})
            return Desk(app, name)

        yield desk
