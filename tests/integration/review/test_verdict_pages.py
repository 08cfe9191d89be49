"""The verdict's form: what is kept, what is told, where it leads, and that nothing counts twice."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Queue, QueueFilter
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings) -> Iterator[Desks]:
    """Desks at one page without blind pairs."""
    with desks(settings, catalogue) as made:
        yield made


def test_a_verdict_without_javascript_is_kept_and_leads_to_the_next_entry(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    one, two = sample.entries(catalogue, 2)
    sumire = desk()
    page = sumire.see(f"/entries/{one}")
    plain = re.search(r"<noscript>(.*?)</noscript>", page, re.DOTALL)
    assert plain is not None
    assert "disabled" not in plain[1]
    answer = sumire.say(one, "approved", note="fine\r\nindeed", looked_s="3.25")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/entries/{two}?notice=approved.{one}")
    ((word, stands),) = catalogue.verdict_history(one)
    assert (word.curator, word.verdict, word.note, stands) == ("Sumire", Verdict.APPROVED, "fine\nindeed", True)
    assert catalogue.rubber_stamps(4)["Sumire"].fast == 1
    assert f"Entry {one} approved." in sumire.see(answer.headers["location"])


@pytest.mark.parametrize("verdict", ["", "returned"])
def test_a_reason_alone_returns_the_entry(catalogue: Catalogue, desk: Desks, sample: Sample, verdict: str) -> None:
    one, _ = sample.entries(catalogue, 2)
    answer = desk().say(one, verdict, reason="colour bleeding")
    assert answer.headers["location"].endswith(f"notice=returned.{one}")
    ((word, _),) = catalogue.verdict_history(one)
    assert (word.verdict, word.reason) == (Verdict.RETURNED, "colour bleeding")


@pytest.mark.parametrize(
    ("verdict", "fields", "told"),
    [
        ("returned", {}, "a return needs a reason"),
        ("returned", {"reason": "dull"}, "a return needs a reason"),
        ("approved", {"reason": "other"}, "the page does not know this verdict"),
        ("splendid", {}, "the page does not know this verdict"),
        ("", {}, "the page does not know this verdict"),
        ("approved", {"note": "y" * 2001}, "2000 characters at most, this one has 2001"),
    ],
)
def test_what_is_no_verdict_is_told_in_words_and_the_note_is_not_lost(
    catalogue: Catalogue,
    desk: Desks,
    sample: Sample,
    verdict: str,
    fields: dict[str, str],
    told: str,
) -> None:
    (number,) = sample.entries(catalogue, 1)
    note = {"note": "what I saw", **fields}
    answer = desk().say(number, verdict, **note)
    assert answer.status_code == 422
    assert told in answer.text
    assert f">{note['note']}</textarea>" in answer.text
    assert catalogue.verdict_history(number) == []


def test_a_note_of_two_thousand_characters_is_kept_whatever_its_line_ends(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    note = "\r\n".join(["y" * 49] * 40)
    assert desk().say(number, "withheld", note=note).status_code == 303
    assert len(catalogue.verdict_history(number)[0][0].note) == 1999


def test_the_last_verdict_of_a_view_leads_back_to_it(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    one, two = sample.entries(catalogue, 2)
    catalogue.take_lease(two, "Kiku")
    answer = desk().post(f"/entries/{one}/verdict?archive=sample", {"verdict": "approved"})
    assert answer.headers["location"] == f"/?archive=sample&notice=approved.{one}~queue-done"


def test_the_same_form_twice_counts_once_and_the_second_is_told(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    one, two = sample.entries(catalogue, 2)
    sumire = desk()
    sumire.say(one, "approved")
    again = sumire.say(one, "approved")
    assert again.headers["location"] == f"/entries/{two}?notice=already-given.{one}"
    assert len(catalogue.verdict_history(one)) == 1
    assert f"You had judged entry {one} already" in sumire.see(again.headers["location"])


def test_of_many_clicks_at_once_one_counts(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:  # fmt: skip
    (number,) = sample.entries(catalogue, 1)
    sumire = desk()
    sumire.see(f"/entries/{number}")
    with ThreadPoolExecutor(6) as clicks:
        answers = list(clicks.map(lambda _: sumire.say(number, "withheld").status_code, range(6)))
    assert set(answers) == {303}
    assert len(catalogue.verdict_history(number)) == 1


def test_who_sees_their_own_word_may_say_another_and_so_may_who_took_it_back(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    sumire = desk()
    sumire.say(number, "approved")
    sumire.say(number, "withheld", seen=catalogue.queue_entry(number).seen)
    catalogue.undo_verdict("Sumire")
    catalogue.undo_verdict("Sumire")
    sumire.say(number, "", reason="other")
    said = [(word.verdict, stands) for word, stands in catalogue.verdict_history(number)]
    assert said == [(Verdict.APPROVED, False), (Verdict.WITHHELD, False), (Verdict.RETURNED, True)]


def test_the_second_of_two_is_told_and_contradiction_is_a_conflict(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    desk("Kiku").say(number, "withheld")
    second = desk("Sumire")
    answer = second.say(number, "approved")
    assert answer.headers["location"] == f"/?notice=conflict.{number}~queue-done"
    assert [each.attempt_id for each in catalogue.queue(QueueFilter(queue=Queue.CONFLICTS)).entries] == [number]
    assert "conflicting verdicts" in second.see(f"/entries/{number}")


def test_the_second_of_two_who_agree_is_told_so(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    one, two = sample.entries(catalogue, 2)
    desk("Kiku").say(one, "approved")
    answer = desk("Sumire").say(one, "approved")
    assert answer.headers["location"] == f"/entries/{two}?notice=spoken-between.{one}"


def test_a_version_that_never_was_counts_as_none(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    (number,) = sample.entries(catalogue, 1)
    desk("Kiku").say(number, "withheld")
    answer = desk("Sumire").say(number, "approved", seen=2**62)
    assert answer.headers["location"] == f"/?notice=conflict.{number}~queue-done"


def test_the_second_word_of_a_blind_pair_is_asked_for_and_not_told_of_the_first(
    catalogue: Catalogue, settings: CatalogueSettings, sample: Sample
) -> None:
    one, two = sample.entries(catalogue, 2)
    with desks(settings, catalogue, blind_share=1.0) as desk:
        first, second = desk("Kiku"), desk("Sumire")
        assert first.say(one, "withheld").headers["location"] == f"/entries/{two}?notice=withheld.{one}"
        assert second.say(one, "approved").headers["location"] == f"/entries/{two}?notice=approved.{one}"
    assert catalogue.agreement().pairs == 1


def test_a_single_curator_is_never_asked_for_blind_pairs(
    catalogue: Catalogue, settings: CatalogueSettings, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    with desks(settings, catalogue, blind_share=1.0) as desk:
        desk().say(number, "approved")
    assert catalogue.queue_count(QueueFilter()).number == 0


def test_a_verdict_ends_the_lease(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    (number,) = sample.entries(catalogue, 1)
    sumire = desk()
    sumire.see(f"/entries/{number}")
    sumire.say(number, "approved")
    assert catalogue.queue_entry(number).lease is None


def test_a_form_of_another_site_gives_no_verdict(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    (number,) = sample.entries(catalogue, 1)
    http = desk().http
    for part in ("verdict", "lease", "leave"):
        answer = http.post(f"/entries/{number}/{part}", data={"csrf": "guessed", "verdict": "approved"})
        assert answer.status_code == 403
    assert catalogue.verdict_history(number) == []
