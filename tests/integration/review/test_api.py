"""The JSON API: who may ask, what is answered, what a verdict by a program comes to; and that nothing breaks it."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from httpx2 import Response
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from db.catalogue import Catalogue
from db.entries.night import Derivatives, Verdict
from db.entries.review import Judgement, Queue, QueueFilter, Reason, Role
from db.review.access.cookies import SESSION
from db.review.api.messages import EntriesAsked
from db.review.server import server
from db.review.settings import ReviewSettings
from db.review.view.filter_form import place_of, place_text
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, add_people, opened
from tests.samples import Sample
from tests.waiting import until

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""
LINES = "/api/v1/entries"
ROUTES = [("GET", LINES), ("GET", f"{LINES}/1"), ("POST", f"{LINES}/1/verdict"), ("GET", "/api/v1/statistics"),
          ("GET", "/api/v1/statistics/recipe")]  # fmt: skip
APPROVED = {"verdict": "approved", "seen": None}


class Program:
    """Asks with a token."""

    def __init__(self, app: FastAPI, token: str, client: str = "192.0.2.7") -> None:
        self.http = Browser(app, client=client).http
        self.http.headers["Authorization"] = f"Bearer {token}"

    def get(self, address: str, **options: Any) -> Any:
        answer = self.http.get(address, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def say(self, entry: int, **word: Any) -> Response:
        return self.http.post(f"{LINES}/{entry}/verdict", json=word)


def token_of(catalogue: Catalogue, name: str = "Sumire", role: Role = Role.CURATOR, **options: Any) -> str:
    return catalogue.add_token(name, role, **options)[1]


@pytest.fixture
def people(catalogue: Catalogue) -> None:
    add_people(catalogue, Sumire=Role.CURATOR, Aoi=Role.CURATOR, Ren=Role.ADMIN)


def test_nobody_is_answered_without_a_token_that_is_open(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    sample.entries(catalogue, 1)
    entry, revoked = catalogue.add_token("Sumire", Role.CURATOR)
    catalogue.revoke_token(entry.id)
    closed = token_of(catalogue, "Aoi")
    catalogue.disable_curator("Aoi")
    with opened(settings) as app:
        session = app.state.review.sessions.open("Ren")
        for given_ in ("", "Bearer", f"Bearer {revoked}", f"Bearer {closed}", f"Bearer {session}", f"Basic {revoked}",
                       f"Bearer {token_of(catalogue, days=-1)}", "Bearer nishiki_", "Bearer nishiki_x"):  # fmt: skip
            http = Browser(app).http
            http.cookies.set(SESSION, session)
            http.headers["Authorization"] = given_
            for method, address in ROUTES:
                answer = http.request(method, address, json=APPROVED)
                assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), given_
        assert catalogue.verdicts([1]) == {}


def test_a_token_revoked_in_the_middle_of_a_list_ends_it(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    sample.entries(catalogue, 3)
    entry, token = catalogue.add_token("Sumire", Role.VIEWER)
    with opened(settings) as app:
        program = Program(app, token)
        further = program.get(LINES, params={"limit": 2})["next"]
        catalogue.revoke_token(entry.id)
        answer = program.http.get(LINES, params={"after": further})
    assert answer.status_code == 401
    assert "nishiki token add" in answer.json()["detail"]


def test_a_token_may_no_more_than_its_account_and_its_own_role(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    sample.entries(catalogue, 1)
    reading, judging = token_of(catalogue, role=Role.VIEWER), token_of(catalogue, "Aoi")
    with opened(settings) as app:
        assert Program(app, reading).say(1, **APPROVED).status_code == 403
        catalogue.change_role("Aoi", Role.VIEWER)
        assert Program(app, judging).say(1, **APPROVED).status_code == 403
        assert Program(app, judging).get(LINES)["entries"]
        catalogue.change_role("Aoi", Role.CURATOR)
    with opened(settings, review_read_only=True) as app:
        assert Program(app, judging).say(1, **APPROVED).status_code == 403
        assert Program(app, judging).get("/api/v1/statistics")["records"] == 2


def test_a_list_goes_part_by_part_through_what_the_filter_leaves(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    made = sample.entries(catalogue, 7)
    with opened(settings) as app:
        program = Program(app, token_of(catalogue))
        found, further = [], None
        while True:
            part = program.get(LINES, params={"limit": 3, "queue": "all", **({"after": further} if further else {})})
            found += [each["entry"] for each in part["entries"]]
            if not (further := part["next"]):
                break
            assert program.say(found[-1], verdict="approved", seen=None).status_code == 200  # shifts nothing
        assert found == [each.attempt_id for each in catalogue.queue(QueueFilter(Queue.ALL)).entries] == made
        approved = program.get(LINES, params={"queue": "all", "verdict": "approved", "archive": "sample"})["entries"]
        assert [each["entry"] for each in approved] == [made[2], made[5]]
        assert {each["curator"] for each in approved} == {"Sumire"}
        assert program.get(LINES, params={"words": "nothing has this name"}) == {"entries": [], "next": None}


def test_one_entry_is_told_as_the_export_tells_it_whatever_its_figures(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    odd = sample.record("odd\x01", title="<b>\x02", artists=())
    number = sample.entry(catalogue, odd, measures={"ssim": float("nan"), "trust": float("inf")})
    with opened(settings) as app:
        program = Program(app, token_of(catalogue))
        told = program.get(f"{LINES}/{number}")
        (group,) = program.get("/api/v1/statistics/recipe")["groups"]
        assert (group["results"], program.get("/api/v1/statistics")["attempts"]["succeeded"]) == (1, 1)
    assert told["line"]["title"] == told["attempt"]["content_title"] == "<b>\x02"
    assert told["attempt"]["measures"]["ssim"] is None
    assert told["attempt"]["recipe_data"] == {"iterations": 60, "tv_weight": 0.0}
    assert "trace" not in told["attempt"]


def test_a_verdict_is_the_accounts_own_counts_once_and_is_told_what_was_said_meanwhile(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    (number, *_) = sample.entries(catalogue, 2)
    with opened(settings, blind_share=0.0) as app:
        mine, theirs = Program(app, token_of(catalogue)), Program(app, token_of(catalogue, "Aoi"))
        first = mine.say(number, verdict="returned", reason="other", note="x\0", seen=None).json()
        assert mine.say(number, verdict="returned", reason="other", seen=None).json() == first | {"already": True}
        second = theirs.say(number, **APPROVED).json()
        assert (second["conflict"], second["between"][0]["curator"]) == (True, "Sumire")
        assert mine.get(f"{LINES}/{number}")["line"]["seen"] == second["verdict_id"]
    said = [(word.curator, word.verdict, word.note) for word, _ in catalogue.verdict_history(number)]
    assert said == [("Sumire", Verdict.RETURNED, "x�"), ("Aoi", Verdict.APPROVED, "")]


def test_the_second_curator_of_a_blind_pair_is_told_nothing_of_the_first_word(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    (number,) = sample.entries(catalogue, 1)
    with opened(settings, blind_share=1.0) as app:
        mine, theirs = Program(app, token_of(catalogue)), Program(app, token_of(catalogue, "Aoi"))
        mine.say(number, verdict="returned", reason="other", note="a hidden word", seen=None)
        for address in (LINES, f"{LINES}/{number}", f"{LINES}?queue=all"):
            told = theirs.http.get(address).text
            assert "Sumire" not in told
            assert "a hidden word" not in told
        assert theirs.say(number, **APPROVED).json()["between"] == []


def test_what_is_withheld_is_not_listed_and_takes_no_verdict(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    (number,) = sample.entries(catalogue, 1)
    record = sample.record(catalogue.attempt(number).content.identifier, derivatives=Derivatives.NO)
    catalogue.add_record(sample.archive(catalogue), record)
    with opened(settings) as app:
        program = Program(app, token_of(catalogue))
        assert program.get(LINES, params={"queue": "all"})["entries"] == []
        answer = program.say(number, **APPROVED)
        assert (answer.status_code, "withheld" in answer.json()["detail"]) == (409, True)


def test_whoever_asks_too_often_waits_and_nobody_else_does(
    settings: CatalogueSettings, catalogue: Catalogue, people: None
) -> None:
    with opened(settings, api_per_minute=3) as app:
        hasty, other = Program(app, token_of(catalogue)), Program(app, token_of(catalogue, "Aoi"))
        answers = [hasty.http.get(LINES) for _ in range(4)]
        assert [each.status_code for each in answers] == [200, 200, 200, 429]
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
        assert other.http.get(LINES).status_code == 200
        assert [Browser(app).http.get(LINES).status_code for _ in range(4)] == [401, 401, 401, 429]


@pytest.mark.long
@given(st.from_regex(EntriesAsked.model_json_schema()["properties"]["after"]["anyOf"][0]["pattern"]))
def test_every_place_that_the_schema_allows_is_one(text: str) -> None:
    assert place_text(place_of(text))


MISTAKES: list[tuple[int, str, str, Any]] = [
    (422, "GET", f"{LINES}?color=red", None),
    (422, "GET", f"{LINES}?limit=201", None),
    (422, "GET", f"{LINES}?after=now", None),
    (422, "GET", f"{LINES}?after=nan,1", None),
    (422, "GET", f"{LINES}?words=%00", None),
    (422, "GET", f"{LINES}?error_from=inf", None),
    (422, "GET", f"{LINES}/0", None),
    (422, "GET", f"{LINES}/99999999999999999999", None),
    (404, "GET", f"{LINES}/999", None),
    (404, "POST", f"{LINES}/999/verdict", APPROVED),
    (422, "POST", f"{LINES}/1/verdict", {"verdict": "approved"}),
    (422, "POST", f"{LINES}/1/verdict", {"verdict": "returned", "seen": None}),
    (422, "POST", f"{LINES}/1/verdict", APPROVED | {"reason": "other"}),
    (422, "POST", f"{LINES}/1/verdict", APPROVED | {"curator": "Ren"}),
    (422, "POST", f"{LINES}/1/verdict", APPROVED | {"seen": 2**31}),
    (422, "POST", f"{LINES}/1/verdict", [[]]),
    (413, "POST", f"{LINES}/1/verdict", APPROVED | {"note": "x" * 33_000}),
    (405, "PUT", f"{LINES}/1/verdict", APPROVED),
    (404, "GET", "/api/v1/secrets", None),
    (422, "GET", "/api/v1/statistics/colour", None),
    (404, "GET", "/api/v1/statistics/night?encoder=none", None),
]


def test_every_mistake_is_said_as_data(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    sample.entries(catalogue, 1)
    with opened(settings) as app:
        http = Program(app, token_of(catalogue)).http
        said = [(http.request(method, address, json=sent), address) for _, method, address, sent in MISTAKES]
        unread = http.post(f"{LINES}/1/verdict", content="{" * 20_000, headers={"Content-Type": "application/json"})
    assert [(each.status_code, address) for each, address in said] == [
        (status, address) for status, _, address, _ in MISTAKES
    ]
    assert unread.status_code == 400
    told = {address: answer.json()["detail"] for answer, address in said}
    assert told[f"{LINES}?color=red"] == "color: Extra inputs are not permitted"
    assert http.post(f"{LINES}/1/verdict", json={"verdict": "returned", "seen": None}).json() == {
        "detail": "body: a return has a reason, and nothing else has"
    }
    assert all(each.json()["detail"] for each in (*(answer for answer, _ in said), unread))


PLACES = (1, 2, 3, "recipe", "night", "archive", "artist")
"""What a path may name."""
ODD = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
TEXTS = st.one_of(
    st.text(max_size=20), st.integers().map(str), st.floats().map(str), st.sampled_from(["", "\0", "all"])
)


def _fitting(schema: dict[str, Any], whole: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that the schema allows, or nearly."""
    if "$ref" in schema:
        return _fitting(whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]], whole)
    if "anyOf" in schema:
        return st.one_of(*(_fitting(each, whole) for each in schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds: dict[str, Callable[[], st.SearchStrategy[Any]]] = {
        "integer": lambda: st.integers(schema.get("minimum"), schema.get("maximum")),
        "number": lambda: st.floats(schema.get("minimum"), schema.get("maximum"), allow_nan=False),
        "string": lambda: st.text(max_size=min(schema.get("maxLength", 30), 30)),
        "null": st.none,
    }
    return kinds[schema["type"]]()


def _address(path: str, number: object) -> str:
    return re.sub(r"\{\w+\}", quote(str(number), safe=""), path)


def _asked(schema: dict[str, Any]) -> st.SearchStrategy[tuple[str, str, dict[str, str], Any]]:
    """A request of any route: its method, address, query and body."""
    made = []
    for path, by_method in schema["paths"].items():
        for method, told in by_method.items():
            queries = {
                each["name"]: st.one_of(_fitting(each["schema"], schema).map(str), TEXTS)
                for each in told.get("parameters", ())
                if each["in"] == "query"
            }
            body: st.SearchStrategy[Any] = st.none()
            if "requestBody" in told:
                reference = told["requestBody"]["content"]["application/json"]["schema"]["$ref"]
                parts = schema["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
                fields = {name: st.one_of(_fitting(each, schema), ODD) for name, each in parts.items()}
                body = st.one_of(st.fixed_dictionaries({}, optional=fields), ODD)
            number = st.one_of(st.sampled_from(PLACES), st.integers(), st.text(max_size=5))
            address = number.map(partial(_address, path))
            made.append(st.tuples(st.just(method), address, st.fixed_dictionaries({}, optional=queries), body))
    return st.one_of(made)


@pytest.mark.long
def test_whatever_is_asked_the_answer_is_one_that_the_schema_tells(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None
) -> None:
    sample.entries(catalogue, 3)
    catalogue.give_verdict(2, "Aoi", Judgement(Verdict.RETURNED, Reason.OTHER))
    with opened(settings, api_per_minute=100_000) as app:
        program = Program(app, token_of(catalogue))
        schema = program.get("/api/openapi.json")
        validators: dict[str, Draft202012Validator] = {}
        seen: set[int] = set()

        @trying(
            max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(_asked(schema))
        def ask(asked: tuple[str, str, dict[str, str], Any]) -> None:
            method, address, query, body = asked
            answer = program.http.request(method, f"/api{address}", params=query, **_sent(body))
            seen.add(answer.status_code)
            assert answer.status_code < 500, answer.text
            route = next(
                (each for each in schema["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]*", each), address)), ""
            )
            if not route:  # no number at all leads to another address
                return
            told = schema["paths"][route][method]["responses"][str(answer.status_code)]["content"]["application/json"]
            key = str(told)
            if key not in validators:
                validators[key] = Draft202012Validator(told["schema"] | {"components": schema["components"]})
            validators[key].validate(answer.json())

        ask()
    assert {200, 404, 422} <= seen


def _sent(body: Any) -> dict[str, Any]:
    """As JSON of Python writes it, which may hold what JSON does not."""
    return {} if body is None else {"content": json.dumps(body), "headers": {"Content-Type": "application/json"}}


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The page over HTTP, on a thread of its own; its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    made = server(app, ReviewSettings())
    thread = Thread(target=made.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: made.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        made.should_exit = made.force_exit = True
        thread.join()


def test_the_program_in_the_documents_does_what_they_say(
    settings: CatalogueSettings, catalogue: Catalogue, sample: Sample, people: None, project: Path
) -> None:
    made, said = sample.entries(catalogue, 4), StringIO()
    (program,) = re.findall(r"```python\n(.*?)```", (project / "docs/api.md").read_text(encoding="utf-8"), re.DOTALL)
    with opened(settings) as app, served(app) as address, redirect_stdout(said):
        exec(program.replace("http://127.0.0.1:8377", address).replace("nishiki_…", token_of(catalogue)), {})
    titles = [f"{number} Print r{place} False" for place, number in enumerate(made[:2])]
    assert said.getvalue().splitlines() == ["{'number': 4, 'more': False}", *titles]
    assert list(catalogue.verdicts(made)) == made[:2]
