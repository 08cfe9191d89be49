"""The queue's pages: the grid, its tabs and filters, pages at any depth, facets, and what an empty one says."""

import re
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from db.catalogue import Catalogue
from db.entries.night import Outcome, Verdict
from db.entries.review import Judgement, Reason, Role
from db.review.pages import queue as queue_pages
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.samples import Sample

APPROVED = Judgement(Verdict.APPROVED)


@pytest.fixture
def desk(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[Desks]:
    """Makes desks at one page."""
    with desks(settings, catalogue) as made:
        yield made


def _shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'class="open" href="/entries/(\d+)\?', page)]


def _link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}"[^>]*href="([^"]+)"', page)
    return found[1] if found else None


def _main(page: str) -> str:
    """The page's words without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.partition("<main")[2]).split())


def test_the_queue_says_how_many_wait_and_shows_the_best_first(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    attempts = sample.entries(catalogue, 3)
    page = desk().see("/")
    assert "<h1>3 entries awaiting review" in page
    assert _shown(page) == attempts
    entry = catalogue.queue_entry(attempts[0])
    for picture in (entry.content.sha256, entry.output_sha256, entry.style_sha256):
        assert f'src="/pictures/{picture}/thumb.jpg"' in page
    assert "Entries 1–3" in page
    assert page.count(">machine-colorized<") == 3


def test_a_card_tells_its_trust_and_the_order_is_chosen_and_kept_on_the_way(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    made = [sample.entry(catalogue, sample.record(f"t{trust}"), measures={"trust": trust}) for trust in (0.62, 0.3)]
    curator = desk()
    page = curator.see("/?order=least+trusted+first")
    assert _shown(page) == made[::-1]
    assert "Trust 0.62" in _main(page)
    assert re.search(r'order=most\+trusted\+first">Most trusted first', page)
    assert 'aria-current="true">Least trusted first' in page
    assert '<input type="hidden" name="order" value="least trusted first">' in page
    opened = curator.see(f"/entries/{made[1]}?order=least+trusted+first")
    assert f'rel="next" href="/entries/{made[0]}?order=least+trusted+first"' in opened
    assert _shown(curator.see("/?trust_from=0.5")) == made[:1]


@pytest.mark.long
def test_a_card_tells_why_and_warns_where_little_speaks_for_the_match(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    good, weak = (sample.entry(catalogue, sample.record(f"s{score}"), score) for score in (0.5, 0.25))
    curator = desk()
    page = curator.see("/")
    assert "The records share nothing; design similarity .50" in page
    assert page.count("Weak match: little speaks for this style print") == 1
    assert _shown(curator.see("/?likeness_to=0.3")) == [weak]
    warning = '<strong class="fault">Weak match: little speaks for this style print</strong>'
    assert [warning in curator.see(f"/entries/{each}") for each in (good, weak)] == [False, True]
    assert "<strong>weak match</strong>" in curator.see(f"/entries/{weak}")


def test_a_card_tells_the_lease_the_return_the_conflict_and_the_refusal(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    conflict, leased = sample.entries(catalogue, 2)
    result = {"outcome": Outcome.REJECTED, "error_message": "the drawing changed"}
    sample.entry(catalogue, sample.record("rejected"), 0.5, **result)
    catalogue.give_verdict(conflict, "Aoi", APPROVED)
    catalogue.give_verdict(conflict, "Ren", Judgement(Verdict.RETURNED, Reason.INK_COLOURED))
    until = catalogue.take_lease(leased, "Aoi").until
    words = _main(desk().see("/?queue=all"))
    assert "returned: ink coloured · Ren" in words
    assert "conflict: curators disagree" in words
    assert f"being reviewed by Aoi until {until:%H:%M} UTC" in words
    assert "Rejected by the machine: the drawing changed" in words


def test_a_curator_is_told_what_was_redone_since_they_returned_it(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    record = sample.record("gray")
    first = sample.entry(catalogue, record)
    catalogue.give_verdict(first, "Sumire", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    sample.recipe = replace(sample.recipe, name="another recipe", digest="a1b2")
    batch = catalogue.take_pairs(sample.recipe, sample.models, [catalogue.attempt(first).match_id or 0])
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue, "again"))
    page = desk().see("/?queue=redone")
    assert _shown(page) == [pending.id]
    assert "<h1>1 entry was made again since you returned it" in page
    assert "redone since you returned it" in page


@pytest.mark.long
def test_pages_hold_every_entry_once_although_entries_leave_meanwhile(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    sample.pairs(catalogue, 100)
    attempts = sample.night(catalogue)
    sumire = desk()
    first = sumire.see("/")
    assert "Entries 1–48" in first
    catalogue.give_verdicts(dict.fromkeys(_shown(first)[:10]), "Aoi", APPROVED)
    second = sumire.see(_link(first, "next") or "")
    assert "Entries " not in _main(second).partition("Jump")[0]
    third = sumire.see(_link(second, "next") or "")
    assert _shown(first) + _shown(second) + _shown(third) == attempts
    assert _link(third, "next") is None
    assert _shown(sumire.see(_link(third, "prev") or "")) == _shown(second)


@pytest.mark.long
def test_a_jump_counts_from_one_and_says_where_it_landed(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    attempts = sample.entries(catalogue, 5)
    sumire = desk()
    page = sumire.see("/?position=3")
    assert _shown(page) == attempts[2:]
    assert "Entries 3–5" in page
    assert _shown(sumire.see(_link(page, "prev") or "")) == attempts[:2]
    assert "the view has become shorter" in sumire.see("/?position=6")


def test_filters_stand_as_chips_that_can_be_removed_one_by_one(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    sample.entry(catalogue, sample.record("one", artists=("歌川豊国",), title="暫"))
    sample.entry(catalogue, sample.record("two", artists=("国貞",)))
    page = desk().see("/?words=豊国&artist=歌川豊国")
    assert "<h1>1 entry awaiting review" in page
    removing = re.findall(r'<a class="button" href="/\?([^"]*)">(?:Artist|Search): ', page)
    assert [unquote(each) for each in removing] == ["words=豊国", "artist=歌川豊国"]
    assert '<span lang="ja">暫</span>' in page
    tabs = re.findall(r'<a href="/\?([^"]*)"[^>]*><span class="word">', page)
    assert all("words=" in each and "artist=" in each for each in tabs)


def test_what_waits_is_not_looked_for_by_verdict(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    catalogue.give_verdict(attempt, "Aoi", APPROVED)
    page = desk().see("/?queue=all&verdict=approved&curator=Aoi")
    assert _shown(page) == [attempt]
    assert '<a href="/?queue=all&verdict=approved&curator=Aoi" aria-current="page">' in page
    assert re.search(r'<a href="/\?"><span class="word">waiting</span>', page)


EMPTY = [
    ("/", "The results of the next run will appear here"),
    ("/?queue=redone", "the next run tries the next candidate"),
    ("/?queue=conflicts", "There are no conflicts"),
    ("/?queue=all", "nishiki nightly"),
    ("/?artist=nobody", "No entry fits these filters"),
    ("/?after=0.5,7", "the view has become shorter"),
]


def test_an_empty_queue_says_what_comes_next(catalogue: Catalogue, desk: Desks) -> None:
    sumire = desk()
    assert [(address, words) for address, words in EMPTY if words not in sumire.see(address)] == []


@pytest.mark.parametrize(
    "address",
    [
        "/?year_from=then",
        "/?queue=others",
        "/?batch_id=9999999999",
        "/?after=x,y",
        "/?after=1.2.3,4",
        "/?before=1e999,4",
    ],
)
def test_an_address_that_names_no_view_is_told(catalogue: Catalogue, desk: Desks, address: str) -> None:
    answer = desk().get(address)
    assert answer.status_code == 422
    assert "This could not be accepted" in answer.text


def test_facets_are_a_part_for_htmx_and_a_page_without_it(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    sample.entry(catalogue, sample.record("one", artists=("国貞", "豊国")))
    sumire = desk()
    part = sumire.get("/facets", headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert re.findall("<h2>(.+)</h2>", part) == ["Artist", "Actor"]  # all else is the same of all entries
    assert (
        'href="/?artist=%E5%9B%BD%E8%B2%9E"><span lang="ja">国貞</span></a> <span class="number soft">1</span>' in part
    )
    whole = sumire.see("/facets?artist=国貞")
    assert "<h1>Narrow by</h1>" in whole
    assert '<a href="/?" aria-current="true"><span lang="ja">国貞</span>' in whole


def _let_it_be(monkeypatch: pytest.MonkeyPatch, moment_s: float) -> None:
    monkeypatch.setattr("db.review.pages.queue.time", SimpleNamespace(monotonic=lambda: moment_s))


@pytest.mark.long
def test_facets_are_counted_once_in_a_while(
    catalogue: Catalogue, sample: Sample, desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    sumire = desk()
    sample.entries(catalogue, 1)
    sample.entry(catalogue, sample.record("other"), archive="another")
    _let_it_be(monkeypatch, 0.0)
    assert "another" in sumire.see("/facets")
    sample.entry(catalogue, sample.record("third"), archive="a third")
    assert "a third" not in sumire.see("/facets")
    _let_it_be(monkeypatch, queue_pages.FACETS_KEPT_S)
    assert "a third" in sumire.see("/facets")


@pytest.mark.long
def test_a_viewer_looks_and_is_offered_no_verdict(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    sample.entries(catalogue, 2)
    viewer = desk("Mio", Role.VIEWER)
    page = viewer.see("/")
    assert len(_shown(page)) == 2
    assert "/undo" not in page
    assert "checkbox" not in page
    assert viewer.post("/bulk", {"chosen": "1:"}).status_code == 403
    assert viewer.post("/undo").status_code == 403
