"""A curator's morning as they live it: keyboard alone, a colleague beside them, a slip taken back, no JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from db.entries.night import Verdict
from db.entries.review import Queue, QueueFilter, Role
from tests.browser.conftest import PASSWORD, NewPage, Shop
from tests.browser.viewing import OPENED

pytestmark = pytest.mark.long


def sign_in(page: Page, name: str) -> None:
    """By keyboard: the name's field has the focus."""
    page.goto("/")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("wait")
    page.wait_for_load_state("networkidle")


def entry_number(page: Page) -> int:
    """Of the entry that is open."""
    found = re.search(r"/entries/(\d+)", page.url)
    assert found is not None, page.url
    return int(found[1])


def painted(page: Page) -> None:
    """Both pictures are there: they can be compared, and a verdict can be given."""
    page.wait_for_selector(OPENED)
    expect(page.get_by_role("button", name=re.compile("^Approve"))).to_be_enabled()


def press(page: Page, *keys: str) -> None:
    """As a curator would, once they have seen both pictures; the page that the last key leads to is awaited."""
    painted(page)
    *first, last = keys
    for key in first:
        page.keyboard.press(key)
    before = page.url
    page.keyboard.press(last)
    page.wait_for_url(lambda url: url != before)


def words(shop: Shop) -> dict[int, str]:
    """Entry → the standing verdict, with its reason."""
    with shop.catalogue() as catalogue:
        page = catalogue.queue(QueueFilter(queue=Queue.ALL))
        said = {entry.attempt_id: entry.verdict for entry in page.entries}
    return {number: f"{word.verdict} {word.reason}".strip() for number, word in said.items() if word}


def test_a_morning_from_signing_in_to_the_last_verdict_by_keyboard_alone(page: Page, shop: Shop) -> None:
    shop.add_curators("sumire")
    sign_in(page, "sumire")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/entries/*")
    first = entry_number(page)
    press(page, "a")
    expect(page.get_by_role("status").first).to_contain_text(f"Entry {first} approved.")
    second = entry_number(page)
    press(page, "r", "2")
    third = entry_number(page)
    press(page, "u")  # that was a slip
    assert entry_number(page) == second
    press(page, "r", "3")
    assert entry_number(page) == third
    press(page, "n", "g", "o", "o", "d", "Escape", "a")
    fourth = entry_number(page)
    press(page, "w")
    press(page, "a")
    press(page, "a")
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("no|No|0|nothing"))
    assert len({first, second, third, fourth}) == 4
    kept = words(shop)
    assert kept == dict.fromkeys(range(1, 7), "approved") | {second: "returned ink coloured", fourth: "withheld"}
    with shop.catalogue() as catalogue:
        said = [(word.verdict, stands) for word, stands in catalogue.verdict_history(second)]
        assert said == [(Verdict.RETURNED, False), (Verdict.RETURNED, True)]
        assert catalogue.verdict_history(third)[-1][0].note == "good"
        assert catalogue.rubber_stamps(1e9)["sumire"].measured == 7


def test_two_curators_at_once_are_led_apart_and_told_when_they_meet(new_page: NewPage, shop: Shop) -> None:
    shop.add_curators("sumire", "wakana")
    one, other = new_page(), new_page()
    sign_in(one, "sumire")
    sign_in(other, "wakana")
    one.goto("/entries/1")
    painted(one)
    other.goto("/")
    expect(other.get_by_text(re.compile("being reviewed by sumire")).first).to_be_visible()
    other.goto("/entries/1")
    expect(other.get_by_text(re.compile("Being reviewed by sumire until"))).to_be_visible()
    expect(other.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
    other.get_by_role("link", name="Judge it anyway").click()
    press(other, "r", "1")
    press(one, "a")
    expect(one.get_by_role("status").first).to_contain_text("has moved to Conflicts")
    with shop.catalogue() as catalogue:
        given = [(word.curator, str(word.verdict)) for word, _ in catalogue.verdict_history(1)]
        assert given == [("wakana", "returned"), ("sumire", "approved")]
        assert [each.attempt_id for each in catalogue.queue(QueueFilter(queue=Queue.CONFLICTS)).entries] == [1]


def test_fifty_steps_can_be_taken_back_one_by_one(page: Page, shop: Shop) -> None:
    page.goto("/entries/1")
    for _ in range(3):
        press(page, "a")
    for number in (3, 2, 1):
        page.keyboard.press("u")
        page.wait_for_url(f"**/entries/{number}?*")
        expect(page.get_by_role("status").first).to_contain_text("undone")
    assert words(shop) == {}


def test_reading_and_judging_work_without_javascript(new_page: NewPage, shop: Shop) -> None:
    shop.add_curators("sumire")
    page = new_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_label("Name").fill("sumire")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=re.compile("Kiyohime|Tomomori|Hangan")).first.click()
    page.wait_for_url(re.compile("/entries/"))  # and its pictures: a click waits for neither
    first = entry_number(page)
    pictures = page.locator(".viewer img")
    expect(pictures).to_have_count(3)
    for place in range(3):
        assert pictures.nth(place).evaluate("(image) => image.complete && image.naturalWidth > 100")
    page.get_by_role("button", name="colour bleeding").click()
    assert words(shop) == {first: "returned colour bleeding"}
    second = entry_number(page)
    assert second != first
    page.get_by_role("button", name="Approve").click()
    assert words(shop)[second] == "approved"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CURATOR])
def test_a_viewer_looks_and_is_offered_no_verdict(page: Page, shop: Shop, role: Role) -> None:
    shop.add_curators("midori", role=role)
    sign_in(page, "midori")
    page.goto("/entries/1")
    expect(page.get_by_role("button", name=re.compile("^Approve"))).to_have_count(int(role is Role.CURATOR))


def test_letters_mean_nothing_where_single_letter_keys_are_switched_off(page: Page, shop: Shop) -> None:
    page.goto("/entries/1")
    page.locator(".menu summary").click()
    page.get_by_role("button", name="Switch single-letter keys off").click()
    painted(page)
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert words(shop) == {}
    page.get_by_role("button", name=re.compile("^Approve")).click()
    page.wait_for_url("**/entries/2?*")
    assert words(shop) == {1: "approved"}


def test_many_entries_are_judged_in_one_step_after_a_look_at_a_sample_and_taken_back_in_one(
    page: Page, shop: Shop
) -> None:
    page.goto("/")
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.keyboard.press("b")
    expect(page.get_by_role("heading", level=1)).to_contain_text("3")
    approve = page.get_by_role("button", name=re.compile("^Approve"))
    expect(approve).to_be_enabled()
    approve.click()
    expect(page.get_by_role("status").first).to_contain_text("3 verdicts given together")
    assert list(words(shop).values()) == ["approved"] * 3
    page.keyboard.press("u")
    expect(page.get_by_role("status").first).to_contain_text("3 verdicts undone")
    assert words(shop) == {}
