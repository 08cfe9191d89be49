"""Strings of archives, curators and machines are shown as letters: none of them ever becomes part of a page."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.night import Derivatives, MatchEntry, MatchOutcome, Outcome, RightsEntry, Tone, Verdict
from db.entries.review import AttemptRequest, Judgement, Reason, Role
from db.settings import CatalogueSettings
from db.tables.night import Match, VerdictGiven
from tests.integration.review.review_client import HASH, Browser, Marks, opened, routes, signed_in

if TYPE_CHECKING:
    from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""

PROBE = "xss-probe"
PAYLOAD = (
    f"\"'`><{PROBE} onload=alert(1)></title></script></textarea><!-- &lt; %(x)s 100% {{{{ 7*7 }}}} $' \\u003c {PROBE}"
)
BAD_LINKS = (
    f"javascript:alert(1)//<{PROBE}>",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:alert(1)",
    "//example.org/page",
)
INLINE = ("style", "srcdoc")
LINKS = ("href", "src", "action", "formaction", "hx-get", "hx-post", "data", "poster")


@dataclass(frozen=True)
class Poisoned:
    """A browser signed in on a page whose every string is hostile."""

    browser: Browser
    attempts: list[int]
    pages: list[str]
    forms: list[str]


def _poison(catalogue: Catalogue, sample: "Sample") -> list[int]:
    """An entry for each bad link, all else of them hostile, too."""
    sample.recipe = replace(sample.recipe, name=PAYLOAD, data={PAYLOAD: PAYLOAD, "reason": PAYLOAD})
    sample.encoder = replace(sample.encoder, name=PAYLOAD, checksum=PAYLOAD)
    archive = f"archive {PAYLOAD}"
    catalogue.add_archive(archive, "oai-pmh", "https://archive.example/oai")
    for number, link in enumerate(BAD_LINKS):
        rights = RightsEntry(Derivatives.YES, PAYLOAD, link, PAYLOAD)
        changes = {
            "title": PAYLOAD, "artists": (PAYLOAD, "x"), "cast": ((PAYLOAD, PAYLOAD),), "date_text": PAYLOAD,
            "holder": PAYLOAD, "credit_line": PAYLOAD, "landing_url": link, "rights": rights, "raw": PAYLOAD,
        }  # fmt: skip
        content = sample.store(
            catalogue, sample.record(f"{number} {PAYLOAD}", **changes), Tone.GRAYSCALE, archive=archive
        )
        styles = [
            sample.store(
                catalogue, sample.record(f"{kind} {number} {PAYLOAD}", **changes), Tone.COLOUR, archive=archive
            )
            for kind in ("style", "candidate")
        ]
        entries = [
            MatchEntry(MatchOutcome.MATCHED, styles[0], 1, 0.9, {"cosine": 0.9, "why": PAYLOAD, PAYLOAD: PAYLOAD}),
            MatchEntry(MatchOutcome.CANDIDATE, styles[1], 2, 0.5, {"why": PAYLOAD}),
        ]
        catalogue.add_matches(content, sample.matcher, entries)
    made = sample.night(catalogue, device=PAYLOAD, versions={PAYLOAD: PAYLOAD}, measures={PAYLOAD: 0.5, "ssim": 0.5})
    catalogue.add_request(made[0], PAYLOAD, AttemptRequest(recipe=f"another {PAYLOAD}"))
    catalogue.give_verdict(made[0], PAYLOAD, Judgement(Verdict.RETURNED, Reason.OTHER, PAYLOAD, 0.1))
    catalogue.give_verdict(made[0], "Ren", Judgement(Verdict.APPROVED, None, PAYLOAD, 0.1))
    catalogue.give_verdict(made[1], PAYLOAD, Judgement(Verdict.APPROVED, None, PAYLOAD, 0.1), blind_share=1)
    catalogue.give_verdict(made[1], "Ren", Judgement(Verdict.WITHHELD, None, PAYLOAD, 0.1), blind_share=1)
    catalogue.take_lease(made[2], PAYLOAD)
    for query in ("", f"queue={PAYLOAD}"):
        catalogue.assign_view(PAYLOAD, query, name=PAYLOAD, note=PAYLOAD, by=PAYLOAD)
    with writing(catalogue.engine).begin() as connection:
        word = {
            "attempt_id": made[3],
            "curator": PAYLOAD,
            "verdict": Verdict.RETURNED,
            "reason": PAYLOAD,
            "note": PAYLOAD,
        }
        connection.execute(insert(VerdictGiven).values(**word, given_at=sample.moment, blind=False))
        connection.execute(update(Match).values(reasons={"cosine": 0.5, "why": PAYLOAD, PAYLOAD: [PAYLOAD]}))
    return made


FILES = ("text/csv; charset=utf-8", "image/svg+xml")
"""What is saved and never shown."""


@pytest.fixture
def poisoned(settings: CatalogueSettings, catalogue: Catalogue, sample: "Sample") -> Iterator[Poisoned]:
    for name in (PAYLOAD, "Ren"):
        catalogue.add_curator(name, Role.ADMIN, HASH)
    made = _poison(catalogue, sample)
    with opened(settings) as app:
        pages = [address for number in made for _, address in routes(app, "get", attempt_id=number)]
        pages += [f"/?queue={queue}" for queue in ("all", "redone", "conflicts")]
        pages += [f"/entries/{number}?anyway=1" for number in made]
        forms = [address for _, address in routes(app, "post", attempt_id=made[3]) if address != "/logout"]
        yield Poisoned(signed_in(app, PAYLOAD), made, sorted(set(pages)), forms)


def _assert_harmless(html: str, address: str) -> None:
    assert f"<{PROBE}" not in html, address
    elements = Marks(html).elements
    assert [tag for tag, _ in elements if tag in (PROBE, "base", "iframe", "object", "embed")] == [], address
    for tag, attributes in elements:
        wrong = [name for name in attributes if name.startswith("on") or name in INLINE or PROBE in name]
        assert wrong == [], (address, tag, attributes)
        assert tag != "script" or attributes.get("src"), (address, "inline script")
        for name in LINKS:
            target = "".join((attributes.get(name) or "").split()).lower()
            assert not target.startswith(("javascript:", "data:", "vbscript:", "//")), (address, tag, target)


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "ja"])
def test_no_string_of_the_catalogue_becomes_part_of_a_page(poisoned: Poisoned, language: str) -> None:
    shown = ""
    for address in poisoned.pages:
        answer = poisoned.browser.http.get(address, headers={"Accept-Language": language})
        assert answer.status_code in (200, 404), (address, answer.status_code, answer.text)
        if answer.headers["content-type"] != FILES[0]:
            _assert_harmless(answer.text, address)
        shown += answer.text
    assert shown.count(f"&lt;{PROBE}") > 20, "the strings are not shown at all"


@pytest.mark.long
def test_what_a_browser_sends_does_not_come_back_as_part_of_a_page(poisoned: Poisoned) -> None:
    fields = (
        "queue",
        "words",
        "artist",
        "actor",
        "archive",
        "recipe",
        "curator",
        "batch_id",
        "after",
        "notice",
        "back",
    )
    one = routes(poisoned.browser.http.app, "get", attempt_id=poisoned.attempts[0])  # type: ignore[arg-type]
    for _, address in one:
        for field in (*fields, PAYLOAD) if not address.endswith(".csv") else ():
            _assert_harmless(poisoned.browser.get(address, params={field: PAYLOAD}).text, f"{address} {field}")
    _assert_harmless(poisoned.browser.get(f"/nothing/{PAYLOAD}").text, "an address that leads nowhere")
    _assert_harmless(Browser(poisoned.browser.http.app).sign_in(PAYLOAD, "wrong").text, "a wrong name")  # type: ignore[arg-type]
    for address in poisoned.forms:
        for field in ("verdict", "reason", "note", "seen", "chosen", "ids", "marks", "style_id", "recipe", "back"):
            answer = poisoned.browser.post(address, {field: PAYLOAD})
            assert answer.status_code < 500, (address, field)
            _assert_harmless(answer.text, f"{address} {field}")
            assert "\n" not in answer.headers.get("location", "")
            assert answer.headers.get("location", "/").startswith("/")


@pytest.mark.long
def test_pages_for_scripts_are_no_pages_for_people(poisoned: Poisoned) -> None:
    """A browser that is led to data must not take it for a page."""
    for address in poisoned.pages:
        answer = poisoned.browser.http.get(address)
        kind = answer.headers["content-type"]
        if kind.startswith("application/json"):
            json.loads(answer.text)
        elif kind in FILES:
            assert answer.headers["content-disposition"].startswith("attachment"), address
        else:
            assert kind == "text/html; charset=utf-8", (address, kind)


def test_a_failed_attempt_is_in_no_queue(catalogue: Catalogue, sample: "Sample", settings: CatalogueSettings) -> None:
    sample.entry(catalogue, sample.record("gray"), outcome=Outcome.FAILED, output=None, error_message=PAYLOAD)
    with opened(settings) as app:
        assert PROBE not in Browser(app).get("/?queue=all").text
