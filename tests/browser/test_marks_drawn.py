"""Marks drawn on the original by mouse, keys and touch: what is kept is what was drawn, in pixels of the print."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.browser.conftest import NewPage, Shop
from tests.browser.shop import SIZE, drawings
from tests.browser.viewing import at_rest

pytestmark = pytest.mark.long

PLACE = """([x, y]) => {
  const under = document.querySelector(".sheet > .under");
  const box = under.getBoundingClientRect();
  const viewer = OpenSeadragon.getViewer(under);
  const found = viewer.world.getItemAt(0).imageToViewerElementCoordinates(new OpenSeadragon.Point(x, y));
  return [box.x + found.x, box.y + found.y];
}"""
"""Where a pixel of the print stands on the screen, by OpenSeadragon's own word."""
RESULT_OPACITY = "OpenSeadragon.getViewer(document.querySelector('.sheet > .under')).world.getItemAt(1).getOpacity()"


@pytest.fixture
def sheet(page: Page) -> Locator:
    """The sheet to draw on, opened."""
    return _opened(page)


def _opened(page: Page) -> Locator:
    page.goto("/entries/1/marks")
    expect(page.locator(".state")).to_have_text("0 marks, 0 points.")
    return page.locator(".sheet > canvas")


def _on_screen(page: Page, *places: tuple[float, float]) -> list[list[float]]:
    at_rest(page)  # a zoom may be under way
    return [page.evaluate(PLACE, list(place)) for place in places]


def _drag(page: Page, *places: tuple[float, float]) -> None:
    first, *others = _on_screen(page, *places)
    page.mouse.move(*first)
    page.mouse.down()
    for place in others:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def _sent(page: Page, shop: Shop) -> list[dict[str, Any]]:
    """Send, and what is kept of it."""
    page.get_by_role("button", name="Ask for an attempt").click()
    page.wait_for_url("**/entries/1?*notice=requested*")
    with shop.catalogue() as catalogue:
        request = catalogue.requests(1)[-1]
        assert request.marks_sha256 is not None
        marks: list[dict[str, Any]] = json.loads(catalogue.pictures.read(request.marks_sha256))["marks"]
        return marks


def _accepted(page: Page) -> list[str]:
    """What the page asks from now on, by kind; the answer is always yes."""
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    return asked


def _close(found: list[list[float]], *places: tuple[float, float]) -> bool:
    """Do the stroke's ends lie within a pixel of these?"""
    ends = [found[0], found[-1]] if len(places) == 2 else found
    return all(
        abs(a - b) <= 1 for end, place in zip(ends, places, strict=True) for a, b in zip(end, place, strict=True)
    )


def test_strokes_at_two_zooms_and_one_by_keys_are_kept_in_pixels_of_the_print(
    page: Page, shop: Shop, sheet: Locator
) -> None:
    _drag(page, (100, 200), (400, 650))
    page.keyboard.press("4")
    for _ in range(4):
        page.keyboard.press("+")
    assert _on_screen(page, (361, 530))[0][0] - _on_screen(page, (360, 530))[0][0] > 2  # much closer than before
    _drag(page, (350.5, 500), (380, 560.5))
    sheet.focus()
    page.keyboard.press("Enter")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".state")).to_contain_text("Stroke ended")
    first, second, keys = _sent(page, shop)
    assert (first["colour"], second["colour"], keys["colour"]) == ("#d2625c", "#345474", "#345474")
    assert _close(first["points"], (100, 200), (400, 650))
    assert _close(second["points"], (350.5, 500), (380, 560.5))
    (x, y), (end_x, end_y) = keys["points"][0], keys["points"][-1]
    assert _close(keys["points"][:1], (SIZE[0] / 2, SIZE[1] / 2))
    assert (round(y - end_y, 1), 5 < end_x - x < 40) == (0, True)  # 40 pixels of the screen


def test_steps_go_back_and_forth_and_a_mark_is_erased(page: Page, sheet: Locator) -> None:
    state = page.locator(".state")
    _drag(page, (100, 200), (300, 200))
    _drag(page, (100, 600), (300, 600))
    expect(state).to_contain_text("2 marks")
    page.keyboard.press("z")
    expect(state).to_contain_text("1 marks")
    page.keyboard.press("Shift+Z")
    expect(state).to_contain_text("2 marks")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+Shift+Z")
    page.keyboard.press("e")
    page.mouse.click(*_on_screen(page, (200, 201))[0])
    expect(state).to_contain_text("1 marks")
    page.mouse.click(*_on_screen(page, (200, 201))[0])
    expect(state).to_have_text("There is no mark here.")
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Ask for an attempt")).to_be_disabled()


def test_a_dot_by_keys_is_told_where_it_is(page: Page, sheet: Locator) -> None:
    sheet.focus()
    page.keyboard.press("Space")
    expect(page.locator(".state")).to_have_text("Dot at 360, 530.")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    expect(page.locator(".state")).to_have_text("0 marks, 0 points.")


def test_a_colour_is_taken_of_the_result(page: Page, shop: Shop, sheet: Locator) -> None:
    page.keyboard.press("p")
    page.mouse.click(*_on_screen(page, (36, 500))[0])
    expect(page.locator(".state")).to_contain_text("taken.")
    page.mouse.click(*_on_screen(page, (360, 530))[0])
    (dot,) = _sent(page, shop)
    red, green, blue = (int(dot["colour"][start : start + 2], 16) for start in (1, 3, 5))
    with Image.open(io.BytesIO(drawings()[0].output)) as output:
        there = np.asarray(output.convert("RGB"))[499:502, 35:38].mean((0, 1))
    assert np.abs(there - (red, green, blue)).max() < 8  # the page's version is a JPEG
    assert _close(dot["points"], (360, 530))


def test_the_result_lies_under_the_marks_when_the_curator_wants_it_and_while_they_take_a_colour(
    page: Page, sheet: Locator
) -> None:
    label = page.locator(".sheet > .machine")
    seen = []
    for key in ("d", "p", "d", "o", "p", "d", "o"):
        page.keyboard.press(key)
        expect(label).to_be_visible(visible=page.evaluate(RESULT_OPACITY) == 1)  # shown, so labelled
        seen.append(page.evaluate(RESULT_OPACITY))
    assert seen == [0, 1, 0, 1, 1, 1, 0]


def test_sheet_and_sending_stand_on_one_screen(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 1280, "height": 800})
    _opened(page)
    for each in (page.locator(".sheet"), page.get_by_role("button", name="Ask for an attempt")):
        box = each.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800


def test_nothing_drawn_is_lost_before_it_is_sent(page: Page, sheet: Locator) -> None:
    _drag(page, (100, 200), (300, 200))
    asked = _accepted(page)
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.locator(".state")).to_contain_text("1 marks")


def test_what_was_sent_is_the_start_of_the_next_and_leaving_asks_nothing(
    page: Page, shop: Shop, sheet: Locator
) -> None:
    _drag(page, (100, 200), (300, 200))
    asked = _accepted(page)
    _sent(page, shop)
    expect(page.get_by_text("Pending: the next run makes it.")).to_be_visible()
    page.goto("/entries/1/marks")
    expect(page.locator(".state")).to_contain_text("1 marks")
    page.goto("/entries/1")
    assert asked == []


def test_marks_that_are_not_taken_stay_and_the_reason_is_told(page: Page, watch: Any, sheet: Locator) -> None:
    watch.allowed.append("422")
    _drag(page, (100, 200), (300, 200))
    page.evaluate("document.querySelector('[name=recipe]').value = 'none of ours'")
    page.get_by_role("button", name="Ask for an attempt").click()
    expect(page.locator(".state")).to_have_text("Not taken: No recipe 'none of ours' takes marks here; choose another.")
    page.context.set_offline(True)
    watch.allowed.append("ERR_INTERNET_DISCONNECTED")
    page.get_by_role("button", name="Ask for an attempt").click()
    expect(page.locator(".state")).to_contain_text("Your marks are kept here")
    page.context.set_offline(False)


def test_a_finger_draws(new_page: NewPage, shop: Shop) -> None:
    page = new_page(has_touch=True, viewport={"width": 390, "height": 800})
    _opened(page)
    page.touchscreen.tap(*_on_screen(page, (360, 300))[0])
    expect(page.locator(".state")).to_have_text("1 marks, 1 points.")


def test_without_javascript_the_page_says_that_drawing_needs_it(new_page: NewPage) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/entries/1/marks")
    expect(page.locator("noscript > p")).to_be_visible()
    expect(page.locator("noscript > p")).to_contain_text("Drawing needs JavaScript")
    expect(page.locator("#marks")).to_be_hidden()


def test_styles_are_found_as_the_curator_types(page: Page) -> None:
    page.goto("/entries/1/styles")
    cards = page.locator("#found .cards > li")
    expect(cards).to_have_count(0)
    page.get_by_role("searchbox").press_sequentially("0002-c")
    expect(cards).to_have_count(1)
    expect(page.locator("#found-status")).to_have_text("1 matching print")
    cards.get_by_role("button").click()
    page.wait_for_url("**/entries/1?*notice=requested*")
    expect(page.get_by_text("Requested. The next run will make it.")).to_be_visible()
