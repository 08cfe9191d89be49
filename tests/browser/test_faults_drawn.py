"""Faults marked on the result by mouse and by keys: what is kept lies where it was drawn, and is there again."""

import pytest
from playwright.sync_api import Page, expect

from db.entries.faults import Box, Fault, FaultKind
from tests.browser.conftest import Shop
from tests.browser.viewing import FIRST, at_rest, looked_at

pytestmark = pytest.mark.long

PLACE = """([x, y]) => {
  const {viewer, tiles} = window.panes.result;
  const at = viewer.viewport.pixelFromPoint(new OpenSeadragon.Point(x, y * tiles.height / tiles.width), true);
  const frame = viewer.element.getBoundingClientRect();
  return [frame.x + at.x, frame.y + at.y];
}"""
"""Where a place of the picture, in shares of its edges, stands on the screen."""


def _kept(shop: Shop) -> list[Fault]:
    with shop.catalogue() as catalogue:
        return [each.fault for each in catalogue.faults([FIRST]).get(FIRST, [])]


def _drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    at_rest(page)
    begin, stop = (page.evaluate(PLACE, list(place)) for place in (start, end))
    page.mouse.move(*begin)
    page.mouse.down()
    page.mouse.move(*stop, steps=4)
    page.mouse.up()


def _close(box: Box | None, *sides: float) -> bool:
    assert box is not None
    return [box.left, box.top, box.width, box.height] == pytest.approx(sides, abs=0.02)


def test_a_box_is_drawn_moved_and_taken_off_and_the_page_shows_what_is_kept(page: Page, shop: Shop) -> None:
    looked_at(page)
    told = page.locator(".told-faults")
    page.keyboard.press("x")
    page.get_by_role("radio", name="face", exact=True).check()
    _drag(page, (0.2, 0.3), (0.5, 0.6))
    expect(told).to_have_text("Boxes kept: 1.")
    (drawn,) = _kept(shop)
    assert drawn.kind is FaultKind.FACE
    assert _close(drawn.box, 0.2, 0.3, 0.3, 0.3)
    _drag(page, (0.3, 0.4), (0.4, 0.5))
    expect(told).to_have_text("Boxes kept: 1.")
    assert _close(_kept(shop)[0].box, 0.3, 0.4, 0.3, 0.3)
    looked_at(page)
    page.keyboard.press("x")
    box = page.locator(".fault-box")
    expect(box).to_have_accessible_name("face: box at 30 % from the left and 40 % from the top, 30 % wide, 30 % high")
    box.focus()
    page.keyboard.press("Delete")
    expect(told).to_have_text("Boxes kept: 0.")
    assert _kept(shop) == []


def test_by_keys_alone_a_box_is_put_moved_and_made_larger(page: Page, shop: Shop) -> None:
    looked_at(page)
    page.keyboard.press("x")
    page.get_by_role("checkbox", name="paper tone").check()
    page.get_by_role("button", name="Add a box").focus()
    page.keyboard.press("Enter")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator(".told-faults")).to_have_text("Boxes kept: 1.")
    paper, bleeding = sorted(_kept(shop), key=lambda each: each.box is not None)
    assert paper == Fault(FaultKind.PAPER)
    assert bleeding.kind is FaultKind.BLEEDING
    assert bleeding.box is not None
    assert bleeding.box.left < 0.4
