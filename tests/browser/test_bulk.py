"""One verdict for many by keyboard and mouse: keys as on an entry, one left out, a closer look in a new tab."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage, Shop
from tests.browser.test_morning import words

pytestmark = pytest.mark.long


@pytest.fixture
def chosen(page: Page) -> Page:
    """The sample of three entries, with its pictures."""
    page.goto("/")
    expect(page.get_by_role("button", name="Judge the selected")).to_be_hidden()
    for _ in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.get_by_role("button", name="Judge the selected").click()
    expect(page.get_by_role("button", name=re.compile("^Approve"))).to_be_enabled()
    return page


def test_a_reason_is_given_to_many_by_keys_and_one_is_left_out(chosen: Page, shop: Shop) -> None:
    chosen.get_by_role("checkbox", name="Leave out entry 2").check()
    expect(chosen.locator("#left")).to_have_text("1")
    chosen.keyboard.press("Enter")  # in a box: no verdict comes of it
    for key in ("n", "d", "u", "l", "l", "Escape", "r", "2"):
        chosen.keyboard.press(key)
    expect(chosen.get_by_role("status").first).to_contain_text("2 verdicts given together")
    assert words(shop) == {1: "returned colour bleeding", 3: "returned colour bleeding"}


def test_a_closer_look_opens_beside_the_sample(chosen: Page) -> None:
    with chosen.context.expect_page() as opened:
        chosen.locator(".sample a").first.click()
    assert opened.value.url.endswith("/entries/1")
    expect(chosen.get_by_role("heading", level=1)).to_contain_text("3 entries")


def test_many_are_judged_without_javascript(new_page: NewPage, shop: Shop) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("checkbox", name="Select entry 1").check()
    page.get_by_role("checkbox", name="Select entry 2").check()
    page.get_by_role("button", name="Judge the selected").click()
    page.get_by_role("checkbox", name="Leave out entry 1").check()
    page.get_by_role("button", name="Withhold").click()
    assert words(shop) == {2: "withheld"}
