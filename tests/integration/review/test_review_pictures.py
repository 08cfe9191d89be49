"""Pictures for those who are let in, quickly: what they may be asked by, how often the catalogue is looked into."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from db.catalogue import Catalogue
from db.entries.review import Role
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desk
from tests.integration.review.review_client import Browser, add_people, opened

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""

SHA256 = "ab12" * 16
THUMB = f"/pictures/{SHA256}/thumb.jpg"


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    """A page with one account and the tiles of one picture, over one secret file."""
    add_people(catalogue, Aoi=Role.VIEWER)
    with opened(settings) as made:
        tiles = made.state.review.tiles
        tiles.add(SHA256, lambda folder: folder.joinpath("thumb.jpg").write_bytes(b"a small picture"))
        tiles.root.joinpath("secret.jpg").write_bytes(b"secret")
        yield made


def test_a_picture_is_handed_out_to_be_kept_for_ever(app: FastAPI) -> None:
    answer = Desk(app, "Aoi").get(THUMB)
    assert (answer.status_code, answer.content) == (200, b"a small picture")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_stranger_sees_no_picture(app: FastAPI) -> None:
    stranger = Browser(app)
    assert stranger.http.get(THUMB).status_code == 303
    stranger.http.cookies.set("nishiki_session", "no session of anybody")
    assert stranger.http.get(THUMB).status_code == 303


def test_who_has_signed_out_sees_no_further_picture_when_their_moment_is_over(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.review.pages.pictures.KNOWN_S", 1e-9)
    aoi = Desk(app, "Aoi")
    assert aoi.http.get(THUMB).status_code == 200
    app.state.review.sessions.close(aoi.http.cookies["nishiki_session"])
    assert aoi.http.get(THUMB).status_code == 303


def test_a_page_full_of_pictures_asks_for_their_session_once(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.review.pages.pictures.KNOWN_S", 1e9)
    aoi = Desk(app, "Aoi")
    aoi.http.get(THUMB)
    asked: list[str] = []
    event.listen(app.state.review.catalogue.engine, "before_cursor_execute", lambda *said: asked.append(said[2]))
    assert [aoi.http.get(THUMB).status_code for _ in range(5)] == [200] * 5
    assert asked == []


@pytest.mark.parametrize(
    "address",
    [
        f"/pictures/{SHA256}/preview.jpg",
        f"/pictures/{SHA256}/../../../secret.jpg",
        f"/pictures/{SHA256}/..%2F..%2F..%2Fsecret.jpg",
        f"/pictures/{SHA256}/%00thumb.jpg",
        "/pictures/secret.jpg/thumb.jpg",
        f"/pictures/{SHA256}//thumb.jpg",
    ],
)
def test_nothing_but_the_files_of_a_picture_can_be_asked_for(app: FastAPI, address: str) -> None:
    answer = Desk(app, "Aoi").http.get(address)
    assert answer.status_code == 404
    assert b"secret" not in answer.content.replace(b"secret.jpg", b"")
