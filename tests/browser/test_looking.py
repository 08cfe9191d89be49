"""Looking more closely in a real browser: any two pictures, one alone, brighter and turned; on a narrow screen, too."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from db.entries.night import RecipeEntry
from flows.settings import Settings
from flows.workers.tiles import make_missing
from tests.browser.conftest import NewPage, Shop
from tests.browser.shop import DrawnSample, drawings
from tests.browser.viewing import FIRST, apart, at_rest, layers, looked_at, places, said, until

pytestmark = pytest.mark.long

COVERED = """() => [...document.querySelectorAll(".toolbar :is(button, select)")].filter((tool) => {
  tool.scrollIntoView({block: "nearest", inline: "nearest"});
  const {left, top, width, height} = tool.getBoundingClientRect();
  return document.elementFromPoint(left + width / 2, top + height / 2)?.closest("button, select") !== tool;
}).map((tool) => tool.outerHTML)"""
"""Tools that something lies over, though they were brought into view."""
SMALL = """() => [...document.querySelectorAll("main :is(button, select, textarea, input, summary, a.button)")]
  .filter((each) => each.checkVisibility({visibilityProperty: true}))
  .map((each) => [each.outerHTML, each.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24).map(([html]) => html)"""
CLIPS = """() => {
  const {world} = window.panes.result.viewer;
  const clips = [0, 1].map((number) => world.getItemAt(number).getClip());
  return clips.map(({x, y, width, height}) => [x, y, width, height]);
}"""


@pytest.fixture
def opened(page: Page) -> Page:
    """The first entry's page, painted."""
    return looked_at(page)


@pytest.fixture
def another(shop: Shop) -> str:
    """A second result of the first entry's print, by another recipe; its title in the lists."""
    sample = DrawnSample(recipe=RecipeEntry("another/recipe", {}, "07e5"))
    with shop.catalogue() as catalogue:
        batch = sample.take(catalogue, limit=1)
        (number,) = (each.id for each in catalogue.pending_attempts(batch))
        catalogue.close_attempt(batch, number, sample.succeeded(catalogue, data=drawings()[1].output + b" "))
        catalogue.close_batch(batch)
        assert catalogue.attempt(number).content.sha256 == catalogue.attempt(FIRST).content.sha256
    assert make_missing(Settings(home=shop.home)).problems == []
    return f"Entry {number} (another/recipe)"


def captions(page: Page) -> Iterator[tuple[str, bool]]:
    """What stands above the first two panes, and whether it is said there that a machine coloured it."""
    for name in ("original", "result"):
        caption = page.locator(f"[data-pane={name}] figcaption")
        machine = caption.locator(".machine").evaluate("(each) => getComputedStyle(each).visibility") == "visible"
        yield caption.locator(".shows").inner_text(), machine


def test_any_two_pictures_are_compared(page: Page, another: str) -> None:
    looked_at(page)
    page.keyboard.press("g")
    first = page.get_by_role("combobox", name="First picture")
    expect(first).to_be_focused()
    assert first.locator("option").all_inner_texts() == ["Original", "Result", "Style print", another]
    first.select_option("Style print")
    page.get_by_role("combobox", name="Second picture").select_option(another)
    until(page, lambda: list(captions(page)) == [("Style print", False), (another, True)])
    expect(page.locator(".state")).to_contain_text(f"{another} is shown in place of the result.")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    expect(page.locator(".state")).to_contain_text(f"Left of the line: Style print; right of it: {another}")
    until(page, lambda: [opacity for opacity, _ in layers(page)] == [1, 1, 0, 0])
    page.keyboard.press("o")
    until(page, lambda: [opacity for opacity, _ in layers(page)] == [1, 0.5, 0, 0])
    page.keyboard.press("o")
    first.select_option(another)
    until(page, lambda: list(captions(page)) == [(another, True), ("Style print", False)])


def test_a_verdict_first_brings_the_result_back_where_another_picture_stands_in_its_place(
    page: Page, shop: Shop, another: str
) -> None:
    looked_at(page)
    page.get_by_role("combobox", name="Second picture").select_option(another)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.locator(".state")).to_contain_text("Now give your verdict.")
    until(page, lambda: list(captions(page)) == [("Original", False), ("Result", True)])
    assert said(shop, FIRST) == []
    page.keyboard.press("a")
    page.wait_for_url(re.compile(f"notice=approved.{FIRST}"))


def test_no_fault_is_marked_on_another_picture(opened: Page) -> None:
    opened.get_by_role("combobox", name="Second picture").select_option("Style print")
    opened.keyboard.press("Escape")
    opened.keyboard.press("x")
    opened.get_by_role("button", name="Add a box").click()
    expect(opened.locator(".told-faults")).to_contain_text("Another picture stands in place of the result")
    expect(opened.locator(".fault-box")).to_have_count(0)


def test_one_picture_takes_the_whole_width_and_two_half_of_it_each(opened: Page) -> None:
    result, original, style = (opened.locator(f"[data-pane={name}]") for name in ("result", "original", "style"))
    third = width(opened)
    opened.keyboard.press("e")
    expect(original).to_be_hidden()
    at_rest(opened)
    assert width(opened) > 2.9 * third
    bottom = places(opened)["result"][3][1]
    assert bottom == pytest.approx(
        opened.locator("[data-pane=result] .zoom").evaluate("(each) => each.offsetHeight"), abs=1
    )
    opened.keyboard.press("+")
    opened.keyboard.press("d")
    for pane in (result, original):
        expect(pane).to_be_visible()
    expect(style).to_be_hidden()
    at_rest(opened)
    assert 1.4 * third < width(opened) < 1.6 * third
    now = places(opened)
    assert apart(now["original"], now["result"]) < 1
    looked_at(opened, 2)  # two last, for both are painted
    expect(style).to_be_hidden()
    expect(opened.get_by_role("button", name="Two pictures")).to_have_attribute("aria-pressed", "true")
    opened.keyboard.press("e")
    looked_at(opened, 3)  # one does not
    expect(original).to_be_visible()
    expect(style).to_be_visible()


def width(page: Page) -> float:
    """Of the result's pane."""
    box = page.locator("[data-pane=result]").bounding_box()
    assert box is not None
    return box["width"]


def test_pictures_are_brighter_and_turned_in_the_view_alone_and_it_is_said(opened: Page) -> None:
    told = opened.locator(".state .view")
    canvas = opened.locator("[data-pane=result] .zoom")
    opened.keyboard.press("]")
    opened.keyboard.press("]")
    expect(told).to_contain_text("140 % of its brightness, turned by 0°: the files stay as they are")
    assert canvas.evaluate("(each) => getComputedStyle(each).filter") == "brightness(1.4)"
    for _ in range(6):
        opened.keyboard.press("[")
    expect(told).to_contain_text("40 % of its brightness")
    opened.keyboard.press("q")
    expect(told).to_contain_text("turned by 90°")
    at_rest(opened)
    now = places(opened)
    assert apart(now["original"], now["result"]) < 1
    (left, top), (_, lower) = now["result"][:2]  # the upper edge now runs down on the right
    assert lower > top
    assert left > now["result"][3][0]
    assert left - now["result"][3][0] == pytest.approx(canvas.evaluate("(each) => each.offsetWidth"), abs=1)
    opened.keyboard.press("h")
    expect(told).to_have_text("")
    assert canvas.evaluate("(each) => getComputedStyle(each).filter") == "none"
    at_rest(opened)
    now = places(opened)
    assert now["result"][3][1] > now["result"][0][1]
    assert apart(now["original"], now["result"]) < 1


@pytest.mark.parametrize(("turns", "edges"), [(0, (0.5, 0)), (1, (0, 0)), (2, (0, 0)), (3, (0, 0.5))])
def test_the_line_parts_turned_pictures_where_it_stands(opened: Page, turns: int, edges: tuple[float, float]) -> None:
    for _ in range(turns):
        opened.keyboard.press("q")
    at_rest(opened)
    opened.keyboard.press("s")
    expect(opened.get_by_role("slider", name="Between the two pictures")).to_be_visible()
    until(opened, lambda: layers(opened)[1][1] is not None)
    across, down = opened.evaluate("[window.panes.result.tiles.width, window.panes.result.tiles.height]")
    original, result = opened.evaluate(CLIPS)
    assert result[:2] == pytest.approx([edges[0] * across, edges[1] * down], abs=2)
    upright = turns % 2 == 0
    assert result[2:] == pytest.approx([across / 2, down] if upright else [across, down / 2], abs=2)
    assert original[2:] == pytest.approx(result[2:], abs=2)
    assert original[:2] != result[:2]


@pytest.mark.parametrize("layout", ["", "e", "d", "f", "x"])
def test_on_a_narrow_screen_nothing_lies_over_the_tools_and_all_can_be_hit(new_page: NewPage, layout: str) -> None:
    page = looked_at(new_page(viewport={"width": 390, "height": 844}))
    if layout:
        page.keyboard.press(layout)
    at_rest(page)
    for place in ("0", "document.body.scrollHeight / 3", "document.body.scrollHeight"):
        page.evaluate(f"window.scrollTo(0, {place})")
        assert page.evaluate(COVERED) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("locale", ["en-GB", "ja-JP"])
def test_on_a_narrow_screen_what_is_told_of_a_view_moves_no_picture(new_page: NewPage, locale: str) -> None:
    page = looked_at(new_page(viewport={"width": 390, "height": 844}, locale=locale))
    height = "document.querySelector('.panes').getBoundingClientRect().top + scrollY"
    before = page.evaluate(height)
    for mode in ("swipe", "opacity", "lightness", "trust"):
        page.locator(f"[data-mode={mode}]").click()
        assert page.evaluate(height) == before, mode
