"""One entry's page: what it shows to whom, who has it open, what lies before and behind it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from db.catalogue import Catalogue
from db.entries.night import Outcome, RecipeEntry, Verdict
from db.entries.review import Judgement, Reason, Role
from db.settings import CatalogueSettings
from tests.integration.review.desk import Desks, desks
from tests.samples import Sample

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""

APPROVED = Judgement(Verdict.APPROVED)
FORM = 'name="verdict"'


@pytest.fixture
def desk(catalogue: Catalogue, settings: CatalogueSettings) -> Iterator[Desks]:
    """Desks at one page without blind pairs."""
    with desks(settings, catalogue) as made:
        yield made


def test_an_entry_shows_its_three_pictures_and_says_that_a_machine_colored_it(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    number = sample.entry(
        catalogue, sample.record("r1", title="暫"), measures={"lightness_ssim": 0.5, "lightness_difference_mean": 2}
    )
    attempt = catalogue.attempt(number)
    shown = desk().see(f"/entries/{number}")
    for sha256 in (attempt.content.sha256, attempt.styles[0].sha256, attempt.output_sha256):
        assert f'data-tiles="/pictures/{sha256}/"' in shown
        assert f'<img src="/pictures/{sha256}/preview.jpg"' in shown
    assert '<span lang="ja">暫</span>' in shown
    assert "machine-colorized" in shown
    assert "lightness SSIM 0.50000, mean |ΔL| 2.000 of 100" in shown
    assert "1850–1852" in shown


def test_an_entry_shows_its_map_of_trust_and_says_what_was_left_uncoloured_and_older_ones_have_neither(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    trust, measures = "ab" * 32, {"trust": 0.62, "uncoloured": 0.406}
    number = sample.entry(catalogue, sample.record("r1"), trust_sha256=trust, measures=measures)
    older = sample.entry(catalogue, sample.record("r2"))
    curator = desk()
    shown, before = curator.see(f"/entries/{number}"), curator.see(f"/entries/{older}")
    assert f'data-trust="/pictures/{trust}/"' in shown
    assert f'<img src="/pictures/{trust}/thumb.jpg" alt="Map of trust"' in shown
    assert "Trust of the whole: 0.62 of 1." in shown
    assert "Trust in the colours" in shown
    assert "41 % left in the paper's tone: no colours are trusted there" in shown
    assert "Map of trust" not in before
    assert "paper's tone" not in before


def test_an_entry_says_what_the_machine_said_and_why(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    refused: dict[str, Any] = {"outcome": Outcome.REJECTED, "error_message": "still gray: mean chroma 0.10"}
    number = sample.entry(catalogue, sample.record("r1"), **refused)
    assert "rejected (still gray: mean chroma 0.10)" in desk().see(f"/entries/{number}")


def test_a_rejected_entry_says_which_limit_it_broke_and_a_curator_may_overrule_it(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    sample.recipe = RecipeEntry("strict", {"limits": {"chroma_texture": [0, 5]}}, "a1b2")
    why = "chroma texture 7.3, 5 is the most"
    refused: dict[str, Any] = {"outcome": Outcome.REJECTED, "error_message": why, "measures": {"chroma_texture": 7.3}}
    number = sample.entry(catalogue, sample.record("r1"), **refused)
    kiku = desk("Kiku", Role.CURATOR)
    shown = kiku.see(f"/entries/{number}")
    assert f"rejected ({why})" in shown
    assert shown.index("Outside its limits") < shown.index("Too few results of this recipe"), "told at once"
    assert "You may overrule it" in shown
    japanese = kiku.get(f"/entries/{number}", headers={"Accept-Language": "ja"}).text
    assert "色のむら 7.3（上限 5）" in japanese
    for view in ("/", "/?outcome=rejected"):
        assert f"Rejected by the machine: {why}" in kiku.see(view)
    assert kiku.say(number, "approved").status_code == 303
    standing = catalogue.queue_entry(number).verdict
    assert standing is not None
    assert (standing.verdict, standing.curator) == (Verdict.APPROVED, "Kiku")
    assert catalogue.attempt(number).outcome is Outcome.REJECTED, "the machine's word stands beside it"


def test_what_decoding_corrected_stands_beside_each_print_in_both_languages(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    note = "Taken for 12 bits in 16: its brightest value is 3,616; 4,095 is shown white."
    number = sample.entry(catalogue, sample.record("r1"), notes=(note,))
    assert note in desk().see(f"/entries/{number}")
    japanese = desk("Kiku").get(f"/entries/{number}", headers={"Accept-Language": "ja"}).text
    assert "12 ビットの画像とみなしました" in japanese


def test_an_attempt_that_is_not_there_is_told_in_words(
    catalogue: Catalogue, desk: Desks
) -> None:  # fmt: skip
    answer = desk().get("/entries/77")
    assert answer.status_code == 404
    assert "There is no entry 77." in answer.text


def test_what_a_record_says_cannot_become_markup(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    evil = "<script>alert(1)</script>\" onload='x"
    record = sample.record("r1", title=evil, artists=(evil,), cast=((evil, evil),))
    number = sample.entry(catalogue, record)
    catalogue.give_verdict(number, "Kiku", replace(APPROVED, note=evil))
    page = desk().get(f"/entries/{number}").text
    assert "<script>alert" not in page
    assert "\" onload='x" not in page


def test_a_curators_look_leases_the_entry_and_a_viewers_does_not(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    one, two = sample.entries(catalogue, 2)
    desk().see(f"/entries/{one}")
    desk("Visitor", Role.VIEWER).see(f"/entries/{two}")
    lease = catalogue.queue_entry(one).lease
    assert lease is not None
    assert lease.curator == "Sumire"
    assert catalogue.queue_entry(two).lease is None


def test_nobody_takes_a_lease_where_the_page_only_shows(
    catalogue: Catalogue, settings: CatalogueSettings, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    with desks(settings, catalogue, review_read_only=True) as desk:
        assert FORM not in desk().see(f"/entries/{number}")
    assert catalogue.queue_entry(number).lease is None


def test_an_entry_that_another_has_open_is_judged_only_by_who_asks_for_it(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    first, second = desk("Sumire"), desk("Kiku")
    first.see(f"/entries/{number}")
    shown = second.see(f"/entries/{number}")
    assert re.search(r"Being reviewed by Sumire until <time class=.*>\d\d:\d\d UTC</time>", shown)
    assert FORM not in shown
    assert f'<a href="/entries/{number}?anyway=1">Judge it anyway</a>' in shown
    assert FORM in second.see(f"/entries/{number}?anyway=1")


def test_leaving_an_entry_opens_it_to_others_and_keeping_it_takes_it_again(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    first, second = desk("Sumire"), desk("Kiku")
    assert first.post(f"/entries/{number}/lease").json() == {"yours": True}
    assert second.post(f"/entries/{number}/lease").json() == {"yours": False}
    assert second.post(f"/entries/{number}/leave").status_code == 204
    assert second.post(f"/entries/{number}/lease").json() == {"yours": False}
    assert first.post(f"/entries/{number}/leave").status_code == 204
    assert second.post(f"/entries/{number}/lease").json() == {"yours": True}


@pytest.mark.parametrize("part", ["lease", "leave", "verdict"])
def test_a_viewer_can_neither_hold_nor_judge_an_entry(
    catalogue: Catalogue, desk: Desks, sample: Sample, part: str
) -> None:
    (number,) = sample.entries(catalogue, 1)
    viewer = desk("Visitor", Role.VIEWER)
    assert FORM not in viewer.see(f"/entries/{number}")
    assert viewer.post(f"/entries/{number}/{part}", {"verdict": "approved"}).status_code == 403
    assert catalogue.verdict_history(number) == []


def test_next_and_previous_follow_the_view_and_pass_over_what_others_have_open(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    one, two, three = sample.entries(catalogue, 3)
    catalogue.take_lease(two, "Kiku")
    sumire = desk()
    view = "?queue=all&recipe=jadh2016%2Fconfig3_3_4"
    first = sumire.see(f"/entries/{one}{view}")
    assert f'rel="next" href="/entries/{three}{view}"' in first
    assert 'rel="prev"' not in first
    last = sumire.see(f"/entries/{three}{view}")
    assert f'rel="prev" href="/entries/{two}{view}"' in last
    assert f'rel="next" href="/{view}&notice=view-end"' in last


def test_behind_the_last_one_comes_the_first_that_still_waits(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    one, _, three = sample.entries(catalogue, 3)
    sumire = desk()
    onward = sumire.say(three, "approved").headers["location"]
    assert onward == f"/entries/{one}?notice=approved.{three}"
    assert "Entry 3 approved." in sumire.see(onward)
    assert "2 left in this view" in sumire.see(onward)


def test_when_nothing_is_left_the_queue_tells_the_verdict_and_takes_it_back(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    sumire = desk()
    onward = sumire.say(number, "approved").headers["location"]
    assert onward == f"/?notice=approved.{number}~queue-done"
    shown = sumire.see(onward)
    assert f"Entry {number} approved." in shown
    assert "Nothing in this view is left for you to judge." in shown
    assert "Undo" in shown


def test_the_pictures_of_the_next_one_are_fetched_ahead(catalogue: Catalogue, desk: Desks, sample: Sample) -> None:
    one, two = sample.entries(catalogue, 2)
    output = catalogue.attempt(two).output_sha256
    assert re.search(rf'data-next="[^"]*/pictures/{output}/ ', desk().see(f"/entries/{one}"))


def test_the_history_tells_every_word_and_strikes_out_what_was_taken_back(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    catalogue.give_verdict(number, "Kiku", APPROVED)
    catalogue.undo_verdict("Kiku")
    returned = Judgement(Verdict.RETURNED, Reason.INK_COLOURED, note="the sleeve")
    given = catalogue.give_verdict(number, "Kiku", returned)
    shown = desk().see(f"/entries/{number}")
    assert re.search(r"<s><strong>approved</strong>, Kiku, .*</s> undone", shown)
    assert "<strong>returned</strong> (ink coloured), Kiku" in shown
    assert "the sleeve" in shown
    assert f'name="seen" value="{given.id}"' in shown


def test_of_a_blind_pair_nothing_is_shown_before_the_second_word(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:
    (number,) = sample.entries(catalogue, 1)
    first, second = desk("Sumire"), desk("Kiku")
    catalogue.give_verdict(number, "Sumire", replace(APPROVED, note="well done"), blind_share=1)
    before = second.see(f"/entries/{number}")
    assert "Hidden until a second curator" in before
    assert "well done" not in before
    assert 'name="seen" value=""' in before
    own = first.see(f"/entries/{number}?anyway=1")
    assert FORM not in own
    assert "You have judged this entry" in own
    catalogue.give_verdict(number, "Kiku", APPROVED, blind_share=1)
    assert "well done" in second.see(f"/entries/{number}")


def test_an_entry_is_told_in_japanese(
    catalogue: Catalogue, desk: Desks, sample: Sample
) -> None:  # fmt: skip
    (number,) = sample.entries(catalogue, 1)
    sumire = desk()
    sumire.http.headers["Accept-Language"] = "ja"
    shown = sumire.see(f"/entries/{number}")
    for text in ("原画像", "参照作品", "自動彩色", "まだ判定はありません。", "前後の項目"):
        assert text in shown
