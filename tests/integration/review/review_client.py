"""A browser without JavaScript for the review page: keeps cookies, follows forms, carries their tokens."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from argon2 import PasswordHasher
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from db.catalogue import Catalogue
from db.entries.review import Role
from db.review.access.state import NightsBeside
from db.review.app import create_app
from db.review.settings import ReviewSettings
from db.settings import CatalogueSettings

PASSWORD = "a long enough password"
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""At the least cost: argon2 takes its time, with each signing in."""
PATTERN = re.compile(r"\{\w+\}")


class Browser:
    """One person's browser; `app` may be shared by several."""

    def __init__(self, app: FastAPI, base_url: str = "http://localhost", client: str = "127.0.0.1") -> None:
        self.http = TestClient(app, base_url, client=(client, 50_000), follow_redirects=False)

    def get(self, address: str, **options: Any) -> Response:
        """A page, wherever redirects lead."""
        return self.http.get(address, follow_redirects=True, **options)

    def post(self, address: str, data: dict[str, Any] | None = None, **options: Any) -> Response:
        """Send a form with its token; the answer itself, not where it leads."""
        return self.http.post(address, data={"csrf": self.csrf(), **(data or {})}, **options)

    def csrf(self) -> str:
        """What the forms of this browser's pages carry now."""
        found = re.search(r'data-csrf="([0-9a-f]+)"', self.get("/keys").text)
        assert found is not None
        return found[1]

    def sign_in(self, name: str, password: str = PASSWORD, *, back: str = "/") -> Response:
        """Fill in the form of /login."""
        return self.post("/login", {"name": name, "password": password, "back": back})


MASKING = ["nishiki/colour", "mask_gan/prints"]
"""Recipes that colour a part."""


def review_settings(settings: CatalogueSettings, **changes: Any) -> ReviewSettings:
    """The review's settings for the catalogue of these."""
    return ReviewSettings(home=settings.home, database_url=settings.database_url, **changes)


@contextmanager
def opened(settings: CatalogueSettings, nights_beside: NightsBeside | None = None, **changes: Any) -> Iterator[FastAPI]:
    """The page over the catalogue of these settings; its connections end with the block."""
    app = create_app(
        review_settings(settings, **changes),
        marking_recipes=["nishiki/marks", "nishiki/colour"],
        masking_recipes=lambda: MASKING,
        nights_beside=nights_beside,
    )
    try:
        yield app
    finally:
        app.state.review.catalogue.close()


def add_people(catalogue: Catalogue, **roles: Role) -> None:
    """Accounts by name, all with PASSWORD."""
    for name, role in roles.items():
        catalogue.add_curator(name, role, HASH)


def signed_in(app: FastAPI, name: str) -> Browser:
    """A browser in which this person has signed in."""
    browser = Browser(app)
    answer = browser.sign_in(name)
    assert answer.status_code == 303, answer.text
    return browser


def routes(app: FastAPI, *methods: str, **values: object) -> list[tuple[str, str]]:
    """(method, address) of every route of the app; parameters are filled with `values`, or 1."""
    found = []
    for path, by_method in app.openapi()["paths"].items():
        address = PATTERN.sub(lambda name: str(values.get(name[0].strip("{}"), 1)), path)
        found += [(method, address) for method in by_method if method in methods]
    return found


class Marks(HTMLParser):
    """The elements of a page as a browser reads them: (tag, attributes)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.elements.append((tag, dict(attrs)))
