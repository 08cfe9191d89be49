"""Signing in and out, on both databases: whose session it is, when it ends, and how long guessing takes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import psycopg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.review import Role
from db.errors import CatalogueError, LastAdmin
from db.queries.review.accounts import SESSION_DAYS
from db.review.access.cookies import SESSION, VISIT
from db.review.access.known import KNOWN
from db.review.access.sessions import PassingSessions
from db.review.access.throttle import FIRST_WAIT_S, FREE_BY_NAME, FREE_BY_PLACE, Throttle
from db.settings import CatalogueSettings
from db.tables.review import CuratorSession
from tests.integration.review.review_client import HASH, PASSWORD, Browser, add_people, opened, signed_in


@pytest.fixture
def app(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[FastAPI]:
    """A page with accounts."""
    add_people(catalogue, Aoi=Role.CURATOR, Ren=Role.ADMIN)
    with opened(settings) as made:
        made.state.review = replace(
            made.state.review, throttle=Throttle(lambda: 1000.0, longest_pause_s=0.05)
        )  # no wait ends
        yield made


def _session(catalogue: Catalogue) -> CuratorSession:
    with catalogue.engine.connect() as connection:
        return connection.execute(select(CuratorSession.__table__)).one()  # type: ignore[return-value]


def _set_session(catalogue: Catalogue, **values: datetime) -> None:
    with writing(catalogue.engine).begin() as connection:
        connection.execute(update(CuratorSession).values(values))


def test_a_stranger_is_led_to_the_form_and_from_it_to_where_they_wanted_to_go(app: FastAPI) -> None:
    browser = Browser(app)
    answer = browser.http.get("/keys?words=豊国")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?back=")
    form = browser.get("/keys?words=豊国")
    assert 'value="/keys?words=%E8%B1%8A%E5%9B%BD"' in form.text
    answer = browser.sign_in("Aoi", back="/keys?words=%E8%B1%8A%E5%9B%BD")
    assert (answer.status_code, answer.headers["location"]) == (303, "/keys?words=%E8%B1%8A%E5%9B%BD")
    assert "Aoi (curator)" in browser.get("/keys").text


@pytest.mark.parametrize("back", ["//example.org", "https://example.org", "/\\example.org", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(app: FastAPI, back: str) -> None:
    assert Browser(app).sign_in("Aoi", back=back).headers["location"] == "/"


@pytest.mark.parametrize("name", ["Aoi", "Nobody"])
def test_a_wrong_password_and_a_wrong_name_get_the_same_answer(app: FastAPI, name: str) -> None:
    browser = Browser(app)
    answer = browser.sign_in(name, "not the password")
    assert answer.status_code == 403
    assert "Wrong name or password." in answer.text
    assert "not the password" not in answer.text
    assert SESSION not in browser.http.cookies


def test_a_session_that_the_browser_brings_along_is_never_taken_over(app: FastAPI, catalogue: Catalogue) -> None:
    browser = Browser(app)
    browser.get("/login")
    visit = browser.http.cookies[VISIT]
    browser.http.cookies.set(SESSION, "planted")
    assert browser.sign_in("Aoi").status_code == 303
    fresh = browser.http.cookies.get(SESSION, domain="localhost.local")
    assert fresh not in ("planted", visit, None)
    assert catalogue.session("planted") is None
    assert catalogue.session(visit) is None


def test_signing_in_again_ends_the_session_before(app: FastAPI, catalogue: Catalogue) -> None:
    browser = signed_in(app, "Aoi")
    before, csrf = browser.http.cookies[SESSION], browser.csrf()
    browser.sign_in("Ren")
    assert browser.http.cookies[SESSION] != before
    assert catalogue.session(before) is None
    assert browser.csrf() != csrf
    assert "Ren (admin)" in browser.get("/keys").text


def test_signing_out_ends_the_session_in_the_catalogue_too(app: FastAPI, catalogue: Catalogue) -> None:
    browser = signed_in(app, "Aoi")
    token = browser.http.cookies[SESSION]
    answer = browser.post("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?notice=signed-out")
    assert catalogue.session(token) is None
    assert SESSION not in browser.http.cookies
    browser.http.cookies.set(SESSION, token)
    assert browser.http.get("/keys").status_code == 303


def test_behind_tls_cookies_are_for_tls_and_for_this_host_alone_and_are_forgotten_as_they_were_kept(
    app: FastAPI,
) -> None:
    browser = Browser(app, "https://localhost")
    kept = browser.sign_in("Aoi").headers["set-cookie"]
    forgotten = browser.post("/logout").headers["set-cookie"]
    for cookie in (kept, forgotten):
        assert f"__Host-{SESSION}=" in cookie
        own = next(part for part in cookie.split(", ") if part.startswith(f"__Host-{SESSION}="))
        assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}, own
        assert "Domain" not in cookie
    assert "Max-Age=0" in forgotten
    plain = Browser(app)
    plain.http.cookies.set(f"__Host-{SESSION}", "planted")
    assert plain.http.get("/keys").status_code == 303


def test_a_closed_account_another_password_and_another_role_are_felt_at_once(
    app: FastAPI, catalogue: Catalogue
) -> None:
    browser, admin = signed_in(app, "Aoi"), signed_in(app, "Ren")
    catalogue.change_role("Aoi", Role.VIEWER)
    assert "Aoi (viewer)" in browser.get("/keys").text
    catalogue.change_password("Aoi", HASH)
    assert browser.http.get("/keys").status_code == 303
    browser.sign_in("Aoi")
    catalogue.disable_curator("Aoi")
    assert browser.http.get("/keys").status_code == 303
    assert browser.sign_in("Aoi").status_code == 403
    assert admin.http.get("/keys").status_code == 200


def test_a_session_is_seen_once_a_minute_and_ends_after_a_week_however_busy(app: FastAPI, catalogue: Catalogue) -> None:
    browser = signed_in(app, "Aoi")
    first = _session(catalogue)
    browser.get("/keys")
    assert _session(catalogue).seen_at == first.seen_at
    moment = datetime.now(UTC)
    _set_session(catalogue, seen_at=moment - timedelta(minutes=2), expires_at=moment + timedelta(minutes=1))
    browser.get("/keys")
    later = _session(catalogue)
    assert later.seen_at >= moment
    assert later.expires_at > moment + timedelta(hours=11)
    opened_at = moment - timedelta(days=SESSION_DAYS) + timedelta(hours=1)
    _set_session(catalogue, opened_at=opened_at, seen_at=moment - timedelta(minutes=2))
    browser.get("/keys")
    assert _session(catalogue).expires_at == opened_at + timedelta(days=SESSION_DAYS)
    _set_session(catalogue, expires_at=moment)
    assert browser.http.get("/keys").status_code == 303


def test_what_ran_out_is_forgotten_when_the_page_starts_and_when_somebody_signs_in(
    app: FastAPI, catalogue: Catalogue, settings: CatalogueSettings
) -> None:
    signed_in(app, "Aoi")
    _set_session(catalogue, expires_at=datetime.now(UTC))
    signed_in(app, "Ren")
    assert _session(catalogue).expires_at > datetime.now(UTC)
    _set_session(catalogue, expires_at=datetime.now(UTC))
    with opened(settings), catalogue.engine.connect() as connection:
        assert connection.execute(select(CuratorSession.__table__)).all() == []


def test_after_five_wrong_passwords_even_the_right_one_waits(app: FastAPI) -> None:
    browser = Browser(app)
    for _ in range(FREE_BY_NAME):
        assert browser.sign_in("Aoi", "not the password").status_code == 403
    answer = browser.sign_in("Aoi")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= FIRST_WAIT_S
    assert "then try again" in answer.text
    assert SESSION not in browser.http.cookies
    assert Browser(app).sign_in("Aoi").status_code == 429
    assert Browser(app).sign_in("Ren").status_code == 303


@pytest.mark.long
def test_nobody_can_keep_a_curator_out_by_trying_their_name(app: FastAPI) -> None:
    for number in range(4):
        guesser = Browser(app, client=f"192.0.2.{number}")
        assert [guesser.sign_in("Aoi", "not the password").status_code for _ in range(FREE_BY_NAME)] == [403] * 5
        assert guesser.sign_in("Aoi").status_code == 429
    assert Browser(app, client="203.0.113.1").sign_in("Aoi").status_code == 303


@pytest.mark.long
def test_a_browser_that_was_here_before_does_not_wait_for_others_of_its_address(
    app: FastAPI, catalogue: Catalogue
) -> None:
    own, neighbour = signed_in(app, "Aoi"), Browser(app)
    own.post("/logout")
    for number in range(FREE_BY_PLACE):
        neighbour.sign_in("Aoi" if number < FREE_BY_NAME else f"guess {number}", "not the password")
    assert neighbour.sign_in("Aoi").status_code == 429
    assert own.sign_in("Aoi").status_code == 303
    with_session = Browser(app)
    with_session.http.cookies.set(SESSION, catalogue.open_session("Aoi"))
    assert with_session.sign_in("Aoi").status_code == 303
    known = own.http.cookies[KNOWN]
    name, nonce, mark = known.split(".")
    for made_up in (
        f"Ren.{nonce}.{mark}",
        f"{name}.{nonce[1:]}.{mark}",
        f"{name}.{nonce}.",
        "é",
        "a.b.c",
        "..",
        known * 2,
    ):
        neighbour.http.cookies.set(KNOWN, made_up.encode("ascii", "replace").decode())
        assert neighbour.sign_in("Aoi").status_code == 429, made_up
    assert [own.sign_in("Aoi", "not the password").status_code for _ in range(6)] == [403] * 5 + [429]
    catalogue.change_password("Aoi", HASH.replace("argon2id", "argon2i"))
    neighbour.http.cookies.set(KNOWN, known)
    assert neighbour.sign_in("Aoi").status_code == 429


def test_of_many_wrong_passwords_at_once_no_more_than_five_are_looked_at(app: FastAPI) -> None:
    browsers = [Browser(app) for _ in range(12)]
    tokens = [browser.csrf() for browser in browsers]
    start = Barrier(len(browsers))

    def guess(number: int) -> int:
        start.wait()
        form = {"name": "Aoi", "password": f"guess {number}", "csrf": tokens[number]}
        return int(browsers[number].http.post("/login", data=form).status_code)

    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(guess, range(len(browsers))))
    assert answers.count(403) <= FREE_BY_NAME
    assert answers.count(403) + answers.count(429) == len(browsers)


def test_a_name_or_password_of_any_letters_is_only_wrong(app: FastAPI) -> None:
    browser = Browser(app)
    for name in ("豊国\u202e", "'; DROP TABLE curators; --", "%s%n", "😀" * 50):
        assert browser.sign_in(name, "😀" * 20).status_code == 403
    assert browser.sign_in("Aoi\0", PASSWORD).status_code == 422
    assert browser.sign_in("x" * 201).status_code == 422
    assert browser.sign_in("Aoi", "x" * 1001).status_code == 422


def test_the_last_admin_stays_one(catalogue: Catalogue) -> None:
    add_people(catalogue, Ren=Role.ADMIN, Aoi=Role.CURATOR)
    with pytest.raises(LastAdmin, match="'Ren' is the last admin; make somebody else one first"):
        catalogue.disable_curator("Ren")
    with pytest.raises(LastAdmin):
        catalogue.change_role("Ren", Role.CURATOR)
    catalogue.change_role("Ren", Role.ADMIN)
    catalogue.change_role("Aoi", Role.ADMIN)
    catalogue.disable_curator("Ren")
    with pytest.raises(LastAdmin):
        catalogue.disable_curator("Aoi")
    assert [(each.name, each.role) for each in catalogue.curators()] == [("Aoi", Role.ADMIN), ("Ren", Role.ADMIN)]


def test_of_two_admins_who_close_each_others_account_at_once_one_stays(
    settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    for number in range(4):
        pair = (f"Aoi {number}", f"Ren {number}")
        for name in pair:
            catalogue.add_curator(name, Role.ADMIN, HASH)
        start = Barrier(2)

        def close(name: str, start: Barrier = start) -> bool:
            with Catalogue.open(settings) as own:
                start.wait()
                try:
                    own.disable_curator(name)
                except CatalogueError:
                    return False
                return True

        if number:
            for before in [each for each in catalogue.curators() if not each.disabled_at and each.name not in pair]:
                catalogue.disable_curator(before.name)
        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(close, pair)) == [False, True]


def test_sessions_in_memory_end_with_the_password_the_account_idleness_and_age(catalogue: Catalogue) -> None:
    now = [1_000_000.0]
    add_people(catalogue, Aoi=Role.CURATOR)
    sessions = PassingSessions(catalogue, hours=1, clock=lambda: now[0])
    token = sessions.open("Aoi")
    for _ in range(SESSION_DAYS * 48):
        now[0] += 1799
        account = sessions.account(token)
        assert account is not None
        assert account.name == "Aoi"
    now[0] += SESSION_DAYS * 48
    assert sessions.account(token) is None
    idle, closed, changed = (sessions.open("Aoi") for _ in range(3))
    now[0] += 3600
    assert sessions.account(idle) is None
    closed, changed, disabled = (sessions.open("Aoi") for _ in range(3))
    sessions.close(closed)
    assert sessions.account(closed) is None
    assert sessions.account(disabled) is not None
    catalogue.change_password("Aoi", "another hash")
    assert sessions.account(changed) is None
    disabled = sessions.open("Aoi")
    catalogue.disable_curator("Aoi")
    assert sessions.account(disabled) is None
    assert sessions.account("guessed") is None
    with pytest.raises(CatalogueError, match="no open account"):
        sessions.open("Aoi")


def test_a_reading_database_role_is_enough_for_viewers(
    request: pytest.FixtureRequest, settings: CatalogueSettings, catalogue: Catalogue
) -> None:
    if settings.database_url is None:
        pytest.skip("SQLite knows no roles; test_review_safety has a file that cannot be written")
    add_people(catalogue, Aoi=Role.CURATOR)
    url = settings.database_url.get_secret_value().replace("+psycopg", "")
    role = f"reader_{catalogue.engine.url.database}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'reading'")
        server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    try:
        reader = catalogue.engine.url.set(drivername="postgresql", username=role, password="reading")
        own = CatalogueSettings(
            home=settings.home, database_url=SecretStr(reader.render_as_string(hide_password=False))
        )
        with opened(own, review_read_only=True) as app:
            browser = signed_in(app, "Aoi")
            for answer in map(browser.http.get, ("/", "/keys")):
                assert answer.status_code == 200, answer.text
                assert "This page is read-only" in answer.text
            assert browser.post("/logout").status_code == 303
            assert browser.http.get("/keys").status_code == 303
    finally:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(f"DROP OWNED BY {role}")
            server.execute(f"DROP ROLE {role}")
