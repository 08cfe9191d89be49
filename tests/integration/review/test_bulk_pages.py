"""One verdict for many: what is chosen, shown, left out and told, and what undo takes back."""

import re
from collections.abc import Iterator

import pytest

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Judgement, Reason
from db.queries.review.verdicts import in_blind_share
from db.review.pages import bulk as bulk_pages
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.samples import Sample

APPROVED = Judgement(Verdict.APPROVED)


@pytest.fixture
def desk(settings: CatalogueSettings, catalogue: Catalogue) -> Iterator[Desks]:
    """Makes desks at one page."""
    with desks(settings, catalogue) as made:
        yield made


def _chosen(*attempts: int) -> dict[str, list[str]]:
    """As the boxes of entries on which nobody has spoken send it."""
    return {"chosen": [f"{attempt}:" for attempt in attempts]}


def _travelling(page: str) -> str:
    """The selection in the page's form."""
    (pairs,) = set(re.findall(r'name="chosen" value="([^"]*)"', page))
    return str(pairs)


def _sample(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"Entry (\d+)\b", page)]


def _words(catalogue: Catalogue, attempts: list[int]) -> list[str]:
    given = catalogue.verdicts(attempts)
    return [f"{given[each].verdict} {given[each].reason}".strip() if each in given else "" for each in attempts]


def test_the_chosen_are_judged_in_one_step_after_a_look_and_one_undo_takes_all_back(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    attempts = sample.entries(catalogue, 3)
    sumire = desk()
    page = sumire.post("/bulk?artist=Another", _chosen(*attempts[:2])).text
    assert "<h1>One verdict for 2 entries</h1>" in page
    assert _sample(page) == attempts[:2]
    assert page.count("preview.jpg") == 4
    assert "checked" not in page
    assert 'action="/bulk/give?artist=Another"' in page
    given = sumire.post("/bulk/give?artist=Another", {"chosen": _travelling(page), "reason": "colour bleeding"})
    assert given.headers["location"] == "/?artist=Another&notice=bulk.2.0"
    assert _words(catalogue, attempts) == ["returned colour bleeding", "returned colour bleeding", ""]
    assert "2 verdicts given together" in sumire.see(given.headers["location"])
    assert sumire.post("/undo").headers["location"] == "/?notice=undone.2"
    assert _words(catalogue, attempts) == ["", "", ""]
    assert sumire.post("/undo").headers["location"] == "/?notice=nothing-to-undo"


def test_a_single_verdict_is_undone_where_it_was_given(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    one, two = sample.entries(catalogue, 2)
    sumire = desk()
    catalogue.give_verdict(one, "Sumire", APPROVED)
    catalogue.give_verdict(two, "Ren", APPROVED)
    assert sumire.post("/undo").headers["location"] == f"/entries/{one}?notice=undone.1"
    assert _words(catalogue, [one, two]) == ["", "approved"]


def test_what_others_have_open_or_judged_meanwhile_is_left_out_and_told(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    attempts = sample.entries(catalogue, 4)
    catalogue.take_lease(attempts[0], "Ren")
    catalogue.take_lease(attempts[1], "Sumire")
    catalogue.give_verdict(attempts[2], "Ren", APPROVED)
    sumire = desk()
    page = sumire.post("/bulk", _chosen(*attempts)).text
    assert "1 entry is left out: another curator has it open." in page
    assert "1 entry is left out: it was judged since you saw it." in page
    assert _travelling(page) == f"{attempts[1]}:,{attempts[3]}:"
    catalogue.give_verdict(attempts[3], "Ren", Judgement(Verdict.WITHHELD))
    given = sumire.post("/bulk/give", {"chosen": _travelling(page), "verdict": "approved"}).headers["location"]
    assert given == "/?notice=bulk.1.1"
    assert "1 entry was left out" in sumire.see(given)
    assert _words(catalogue, attempts) == ["", "approved", "approved", "withheld"]


def test_a_form_that_comes_twice_counts_once(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    attempts = sample.entries(catalogue, 2)
    sumire = desk()
    form = {**_chosen(*attempts), "verdict": "approved"}
    assert [sumire.post("/bulk/give", form).headers["location"] for _ in range(2)] == [
        "/?notice=bulk.2.0",
        "/?notice=bulk.0.2",
    ]
    assert "No verdict was given." in sumire.see("/?notice=bulk.0.2")
    assert [len(catalogue.verdict_history(each)) for each in attempts] == [1, 1]


def test_a_blind_pair_takes_one_word_of_each_curator(
    catalogue: Catalogue, sample: Sample, settings: CatalogueSettings
) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    with desks(settings, catalogue, blind_share=1.0) as desk:
        sumire, ren = desk("Sumire"), desk("Ren")
        form = {**_chosen(attempt), "verdict": "approved"}
        told = [each.post("/bulk/give", form).headers["location"] for each in (sumire, sumire, ren)]
    assert in_blind_share(attempt, 1.0)
    assert told == ["/?notice=bulk.1.0", "/?notice=bulk.0.1", "/?notice=bulk.1.0"]
    assert catalogue.agreement().pairs == 0  # of single looks only


def test_a_bulk_that_contradicts_blind_words_says_of_how_many(
    catalogue: Catalogue, sample: Sample, settings: CatalogueSettings
) -> None:
    attempts = sample.entries(catalogue, 2)
    with desks(settings, catalogue, blind_share=1.0) as desk:
        sumire, ren = desk("Sumire"), desk("Ren")
        ren.say(attempts[0], "withheld")
        told = sumire.post("/bulk/give", {**_chosen(*attempts), "verdict": "approved"}).headers["location"]
        assert told == "/?notice=bulk.2.0.1"
        assert "1 of them differs from another curator's verdict" in sumire.see(told)


def test_what_is_ticked_in_the_sample_is_left_out(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    attempts = sample.entries(catalogue, 3)
    sumire = desk()
    page = sumire.post("/bulk", _chosen(*attempts)).text
    assert f'href="/entries/{attempts[1]}" target="_blank"' in page
    form = {"chosen": _travelling(page), "verdict": "approved", "left_out": [str(attempts[1])]}
    assert sumire.post("/bulk/give", form).headers["location"] == "/?notice=bulk.2.0"
    assert _words(catalogue, attempts) == ["approved", "", "approved"]
    form["left_out"] = [str(each) for each in attempts]
    assert sumire.post("/bulk/give", form).headers["location"] == "/?notice=nothing-chosen"


def test_a_standing_verdict_that_was_seen_can_be_overruled_in_bulk(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    word = catalogue.give_verdict(attempt, "Ren", APPROVED)
    sumire = desk()
    assert f'name="chosen" value="{attempt}:{word.id}"' in sumire.see("/?queue=all")
    given = sumire.post(
        "/bulk/give", {"chosen": f"{attempt}:{word.id}", "verdict": "withheld", "note": "of the living"}
    )
    assert given.headers["location"] == "/?notice=bulk.1.0"
    standing = catalogue.verdicts([attempt])[attempt]
    assert (standing.verdict, standing.note, standing.curator) == (Verdict.WITHHELD, "of the living", "Sumire")


@pytest.mark.long
def test_a_sample_of_20_is_drawn_once_for_a_selection(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    sample.pairs(catalogue, 25)
    attempts = sample.night(catalogue)
    sumire = desk()
    page, again, other = (sumire.post("/bulk", _chosen(*some)).text for some in (attempts, attempts, attempts[1:]))
    assert "your verdict holds for all 25" in page
    assert len(_sample(page)) == bulk_pages.SAMPLE
    assert _sample(page) == _sample(again) == sorted(_sample(page))
    assert _sample(other) != _sample(page)


def test_all_of_a_view_is_its_first_thousand(
    catalogue: Catalogue, sample: Sample, desk: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_pages, "MOST", 2)
    sample.entry(catalogue, sample.record("other", artists=("Nobody",)), 0.95)
    attempts = sample.entries(catalogue, 3)
    catalogue.take_lease(attempts[0], "Ren")
    page = desk().post("/bulk?artist=Another", {"whole_view": "true"}).text
    assert "these are its first 2." in page
    assert _travelling(page) == f"{attempts[1]}:"


def test_nothing_chosen_leads_back_to_the_view_and_says_so(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    sample.entries(catalogue, 1)
    sumire = desk()
    location = sumire.post("/bulk?artist=Another").headers["location"]
    assert location == "/?artist=Another&notice=nothing-chosen"
    assert "Nothing was chosen" in sumire.see(location)


def test_where_all_are_left_out_there_is_no_verdict_to_give(catalogue: Catalogue, sample: Sample, desk: Desks) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    catalogue.give_verdict(attempt, "Ren", APPROVED)
    page = desk().post("/bulk", _chosen(attempt)).text
    assert "<h1>None of these can be judged now</h1>" in page
    assert "/bulk/give" not in page


def test_the_buttons_wait_for_the_pictures_and_work_without_javascript(
    catalogue: Catalogue, sample: Sample, desk: Desks
) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    page = desk().post("/bulk", _chosen(attempt)).text
    scripted, plain = page.partition('<div id="judging"')[2].split("<noscript>")
    words = 2 + len(Reason)
    assert (scripted.count("<button"), scripted.count(" disabled")) == (words + 1, words + 1)  # one opens the reasons
    assert (plain.partition("</noscript>")[0].count("<button"), plain.count(" disabled")) == (words, 0)


@pytest.mark.parametrize(
    "form",
    [
        {"chosen": "1:", "verdict": "returned"},
        {"chosen": "1:", "verdict": "splendid"},
        {"chosen": "1:", "verdict": "approved", "note": "y" * 2001},
        {"chosen": "one", "verdict": "approved"},
        {"chosen": "1:,", "verdict": "approved"},
        {"verdict": "approved"},
        {"chosen": ",".join(f"{number}:" for number in range(1001)), "verdict": "approved"},
    ],
)
def test_a_form_that_is_no_verdict_keeps_nothing(
    catalogue: Catalogue, sample: Sample, desk: Desks, form: dict[str, str]
) -> None:
    (attempt,) = sample.entries(catalogue, 1)
    assert desk().post("/bulk/give", form).status_code == 422
    assert catalogue.verdict_history(attempt) == []
