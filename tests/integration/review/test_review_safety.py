"""What the page refuses: forged forms, strangers, wrong roles, other hosts, pretended proxies, paths that lead out.

The routes are walked, so that one added later is held to the same.
"""

import logging
import os
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event

from db.catalogue import Catalogue
from db.entries.review import Role
from db.review.access.cookies import VISIT
from db.review.access.headers import HEADERS
from db.review.app import OpenDoor, create_app
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, add_people, opened, review_settings, routes, signed_in

if TYPE_CHECKING:
    from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""

SAFE = ("get", "head")
UNSAFE = ("post", "put", "patch", "delete")
OPEN = {"/login"}
"""Pages for strangers."""
EVERYBODYS = {"/login", "/logout", "/preferences"}
"""Forms that take no role."""


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    """A page with an account of each role."""
    add_people(catalogue, Mio=Role.VIEWER, Aoi=Role.CURATOR, Ren=Role.ADMIN)
    with opened(settings) as made:
        yield made


@pytest.fixture
def open_app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    """A page without accounts."""
    with opened(settings) as made:
        yield made


@pytest.mark.long
def test_every_form_is_refused_without_its_token_or_from_another_site(app: FastAPI) -> None:
    browser = signed_in(app, "Ren")
    good = browser.csrf()
    others = Browser(app).csrf()
    forged: list[dict[str, Any]] = [
        {},
        {"data": {"csrf": ""}},
        {"data": {"csrf": "0" * 64}},
        {"data": {"csrf": others}},
        {"data": {"csrf": "鍵"}},
        {"headers": {"X-CSRF-Token": others}},
        {"params": {"csrf": good}},
        {"json": {"csrf": good}},
        *(
            {"data": {"csrf": good}, "headers": {"Origin": origin}}
            for origin in ("https://example.org", "null", "", "http://localhost.example.org", "http://localhost:8000")
        ),
        *({"data": {"csrf": good}, "headers": {"Sec-Fetch-Site": site}} for site in ("cross-site", "same-site")),
    ]
    unsafe = routes(app, *UNSAFE)
    assert len(unsafe) > 3
    for method, address in unsafe:
        for options in forged:
            answer = browser.http.request(method, address, **options)
            assert answer.status_code == 403, (method, address, options)
            assert "not one of this page" in answer.text


def test_the_token_is_taken_with_the_origin_of_the_page_itself(app: FastAPI) -> None:
    browser = signed_in(app, "Ren")
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    data = {"name": "theme", "value": "dark", "back": "/keys"}
    assert browser.post("/preferences", data, headers=own).headers["location"] == "/keys"
    without_field = {"X-CSRF-Token": browser.csrf(), **own}
    assert browser.http.post("/preferences", data=data, headers=without_field).status_code == 303
    assert 'data-theme="dark"' in browser.get("/keys").text
    secure = Browser(app, "https://localhost")
    form = {"name": "theme", "value": "dark"}
    assert secure.post("/preferences", form, headers={"Origin": "https://localhost"}).status_code == 303
    assert secure.post("/preferences", form, headers={"Origin": "http://localhost"}).status_code == 403


def test_the_form_for_signing_in_cannot_be_forged_either(app: FastAPI) -> None:
    browser = Browser(app)
    form = {"name": "Aoi", "password": "a long enough password"}
    assert browser.http.post("/login", data=form).status_code == 403
    token = browser.csrf()
    browser.http.cookies.set(VISIT, "of another visit", domain="localhost.local", path="/")
    assert browser.http.post("/login", data={**form, "csrf": token}).status_code == 403


@pytest.mark.long
def test_every_page_asks_a_stranger_to_sign_in(app: FastAPI) -> None:
    pages = [address for _, address in routes(app, *SAFE) if address not in OPEN]
    assert len(pages) > 2
    for address in pages:
        answer = Browser(app).http.get(address)
        assert answer.status_code == 303, address
        assert answer.headers["location"].startswith("/login?back=")
        part = Browser(app).http.get(address, headers={"HX-Request": "true"})
        assert (part.status_code, part.headers["hx-redirect"][:7]) == (401, "/login?")
    for _, address in routes(app, *UNSAFE):
        if address not in EVERYBODYS:
            assert Browser(app).post(address).headers["location"].startswith("/login?"), address


@pytest.mark.long
def test_a_viewer_can_send_no_form_but_their_own_and_no_curator_sees_the_people(app: FastAPI) -> None:
    viewer = signed_in(app, "Mio")
    for _, address in routes(app, *UNSAFE):
        if address not in (*EVERYBODYS, "/password"):
            answer = viewer.post(address)
            assert answer.status_code == 403, address
            keeping = address in ("/held-back", "/exports", "/nights/resume")
            why = "Only administrators" if keeping else "Your account is view-only"
            assert why in answer.text
    assert viewer.http.get("/people").status_code == 403
    assert viewer.http.get("/audit").status_code == 403
    assert signed_in(app, "Aoi").http.get("/people").status_code == 403
    assert signed_in(app, "Ren").http.get("/people").status_code == 200


@pytest.mark.long
def test_a_page_that_only_shows_takes_no_form_and_writes_nothing(
    settings: CatalogueSettings, catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt = sample.entries(catalogue, 2)[0]
    add_people(catalogue, Ren=Role.ADMIN)
    catalogue.begin_night()
    with opened(settings, review_read_only=True) as app:
        engine = app.state.review.catalogue.engine
        forbid = "PRAGMA query_only=ON" if engine.dialect.name == "sqlite" else "SET default_transaction_read_only=on"

        @event.listens_for(engine, "checkout")
        def read_only(connection: Any, *_: object) -> None:
            connection.execute(forbid)

        browser = signed_in(app, "Ren")
        for _, address in routes(app, *SAFE, attempt_id=attempt):
            if not address.startswith("/pictures") and not address.endswith(".jpg"):
                assert browser.http.get(address).status_code in (200, 403), address
        for _, address in routes(app, *UNSAFE, attempt_id=attempt):
            if address not in EVERYBODYS:
                assert browser.post(address).status_code == 403, address


def test_without_accounts_only_this_machine_comes_in(open_app: FastAPI, settings: CatalogueSettings) -> None:
    browser = Browser(open_app)
    assert browser.http.get("/people").status_code == 200
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host"):
        answer = browser.http.get("/people", headers={header: "127.0.0.1"})
        assert answer.status_code == 403
        assert "you came through a proxy" in answer.text
    for changes in ({"review_host": "0.0.0.0"}, {"review_host": "192.0.2.1"}, {"review_user_header": "X-User"}):
        with pytest.raises(OpenDoor, match="nishiki curator add NAME"):
            create_app(review_settings(settings, **changes))


@pytest.mark.parametrize("host", ["example.org", "localhost.example.org", "192.0.2.1", "", "localhost\\@example.org"])
def test_a_page_of_another_site_cannot_come_in_by_a_name_of_its_own(open_app: FastAPI, host: str) -> None:
    assert Browser(open_app).http.get("/keys", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "localhost:8377", "127.0.0.1:8377", "[::1]:8377", "LOCALHOST"])
def test_this_machine_is_known_by_its_names_whatever_the_port(open_app: FastAPI, host: str) -> None:
    assert Browser(open_app).http.get("/keys", headers={"Host": host}).status_code == 200


def test_a_name_in_a_header_is_believed_of_the_proxy_alone_and_once(
    settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    add_people(catalogue, Mio=Role.VIEWER, 葵=Role.ADMIN)
    catalogue.disable_curator("Mio")
    names = {b"X-Forwarded-User": "葵".encode(), b"X-Forwarded-For": b"203.0.113.5"}
    with opened(settings, review_user_header="X-Forwarded-User", review_proxies=["10.0.0.0/8"]) as app:
        proxy = Browser(app, client="10.1.2.3")
        assert "葵 (admin)" in proxy.http.get("/people", headers=names).text
        assert "Sign out" not in proxy.http.get("/people", headers=names).text
        for stranger in ("192.0.2.1", "127.0.0.1", "testclient"):
            answer = Browser(app, client=stranger).http.get(
                "/people", headers={**names, b"X-Forwarded-For": b"10.1.2.3"}
            )
            assert answer.status_code == 403
            assert "through a proxy that signs you in" in answer.text
        twice = [(b"X-Forwarded-User", "葵".encode()), (b"X-Forwarded-User", b"Aoi")]
        assert proxy.http.get("/people", headers=twice).status_code == 403
        for name in (b"", b"Nobody", b"Mio", b"Aoi, Ren", b"\xff\xfe"):
            assert proxy.http.get("/people", headers={b"X-Forwarded-User": name}).status_code == 403
        assert proxy.http.get("/people").status_code == 403
        assert proxy.http.get("/login").status_code == 403


def test_a_proxy_that_signs_people_in_must_be_named(settings: CatalogueSettings, catalogue: Catalogue) -> None:
    add_people(catalogue, Aoi=Role.CURATOR)
    with pytest.raises(OpenDoor, match="no proxy is believed; name its address: NISHIKI_REVIEW_PROXIES"):
        create_app(review_settings(settings, review_user_header="X-User"))


def test_scheme_and_address_of_a_browser_are_believed_of_the_proxy_alone(
    settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    add_people(catalogue, Aoi=Role.CURATOR)
    pretended = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
    with opened(settings, review_proxies=["10.1.2.3"]) as app:
        for peer, believed in (("10.1.2.3", True), ("10.1.2.4", False), ("127.0.0.1", False)):
            answer = Browser(app, client=peer).http.get("/login", headers=pretended)
            assert ("Secure" in answer.headers["set-cookie"]) is believed
            assert ("strict-transport-security" in answer.headers) is believed


@pytest.mark.parametrize("root", ["/pictures/", "/pictures/" + "a" * 64 + "/", "/static/"])
def test_no_path_leads_out_of_pictures_and_static_files(
    open_app: FastAPI, catalogue: Catalogue, root: str, settings: CatalogueSettings
) -> None:
    (settings.home / "tiles").mkdir(exist_ok=True)
    (settings.home / "tiles" / "secret.txt").write_text("top secret")
    secret, outer = "secret.txt", "catalogue.db"
    ways_up = ["..", "%2e%2e", "%252e%252e", "..%2f..", "..%5c..", "..\\..", "%c0%ae%c0%ae", "....//", "..;", "%00/.."]
    tries = [f"{up}/" * depth + name for up in ways_up for depth in (1, 2, 3, 6) for name in (secret, outer)]
    tries += ["//etc/passwd", "%2fetc%2fpasswd", "/etc/passwd", f"file://{settings.home}/tiles/{secret}", "%00", "."]
    tries += [f"{settings.home}/tiles/{secret}", "%2f" + str(settings.home).strip("/") + "/catalogue.db"]
    browser = Browser(open_app)
    for way in tries:
        answer = browser.get(root + way)
        assert answer.status_code in (404, 405, 422) or answer.url.path == "/", way
        assert "top secret" not in answer.text
        assert "root:" not in answer.text


def test_every_answer_carries_the_safeguards_even_a_fault_of_ours(
    open_app: FastAPI, catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    browser = Browser(open_app)
    browser.http._transport.raise_server_exceptions = False  # type: ignore[attr-defined]

    @open_app.get("/broken\nline")
    def broken() -> None:
        raise RuntimeError("the inside of the machine")

    addresses = ["/keys", "/login", "/nothing", "/static/nishiki.css", "/static/nothing.js", "/pictures/1/2", "/logout"]
    for address in [*addresses, "/broken%0Aline"]:
        answer = browser.http.get(address)
        assert {name: answer.headers.get(name) for name in HEADERS} == dict(HEADERS), address
        assert "server" not in answer.headers
        assert "Traceback" not in answer.text
        assert "the inside of the machine" not in answer.text
    fault = browser.http.get("/broken%0Aline")
    assert fault.status_code == 500
    assert "Something went wrong" in fault.text
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == ["GET '/brokenline': RuntimeError"] * 2


@pytest.mark.long
def test_a_letter_that_no_database_takes_is_refused_everywhere(open_app: FastAPI) -> None:
    browser = Browser(open_app)
    for address in ("/?words=a%00b", "/?artist=%00", "/keys?x=%00"):
        answer = browser.http.get(address)
        assert answer.status_code == 422
        assert "NUL" in answer.text
    for _, address in routes(open_app, *UNSAFE):
        assert browser.post(address, {"note": "a\0b"}).status_code == 422, address


def test_a_catalogue_that_is_only_looked_at_is_not_touched(settings: CatalogueSettings, catalogue: Catalogue) -> None:
    if settings.database_url is not None:
        pytest.skip("PostgreSQL has a role for it, see test_review_login")
    add_people(catalogue, Mio=Role.VIEWER)
    catalogue.close()
    file = settings.home / "catalogue.db"
    with sqlite3.connect(file) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    before = file.read_bytes()
    os.chmod(file, 0o444)  # noqa: PTH101  # root writes all the same: so the bytes are compared
    with opened(settings, review_read_only=True) as app:
        browser = signed_in(app, "Mio")
        assert browser.http.get("/keys").status_code == 200
        assert browser.post("/logout").status_code == 303
    assert file.read_bytes() == before
