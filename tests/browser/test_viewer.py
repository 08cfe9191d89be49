"""Looking in a real browser: pictures that move together, and the modes that compare them."""

import re
import time
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.viewing import apart, at_rest, layers, looked_at, places, until

INK = """() => {
  const {canvas} = window.panes.result.viewer.drawer;
  return [...canvas.getContext("2d").getImageData(canvas.width * 0.4, canvas.height / 2, 1, 1).data];
}"""
"""A pixel of what the result's pane shows."""
EDGE = """() => {
  const {viewer, tiles} = window.panes.result;
  const point = new OpenSeadragon.Point(viewer.world.getItemAt(1).getClip().x / tiles.width, 0);
  return viewer.viewport.pixelFromPoint(point, true).x / viewer.viewport.getContainerSize().x;
}"""
"""Where the result begins, as a share of its pane."""


@pytest.fixture
def opened(page: Page) -> Page:
    """The first entry's page, painted."""
    return looked_at(page)


@pytest.mark.long
def test_original_and_result_stand_alike_to_the_pixel_at_every_zoom_and_after_every_pan(opened: Page) -> None:
    pane = opened.locator("[data-pane=result] .zoom").bounding_box()
    assert pane is not None
    start = now = places(opened)
    for x, y, wheel in [(0.2, 0.3, -300), (0.8, 0.6, -500), (0.5, 0.9, -900), (0.1, 0.1, 400), (0.6, 0.5, 200)]:
        opened.mouse.move(pane["x"] + pane["width"] * x, pane["y"] + pane["height"] * y)
        opened.mouse.wheel(0, wheel)
        opened.mouse.down()
        opened.mouse.move(pane["x"] + pane["width"] * 0.5, pane["y"] + pane["height"] * 0.4, steps=3)
        opened.mouse.up()
        at_rest(opened)
        now = places(opened)
        assert apart(now["original"], now["result"]) < 1
        assert apart(now["style"], now["result"]) < 2  # of the same shape here: the same relative place
    assert apart(start["result"], now["result"]) > 20


@pytest.mark.long
def test_pictures_stand_alike_while_they_move(new_page: NewPage) -> None:
    page = looked_at(new_page(reduced_motion="no-preference"))
    seen: set[int] = set()
    for turn in range(8):  # a busy machine may miss a movement of a third of a second
        page.get_by_role("button", name="Zoom out" if turn % 2 else "Zoom in").click()
        for _ in range(6):
            now = places(page)
            seen.add(round(now["result"][3][1]))
            assert apart(now["original"], now["result"]) < 1
    assert len(seen) > 2, "it was never seen between two places"


@pytest.mark.long
def test_pictures_stand_alike_after_the_window_has_changed_its_size(opened: Page) -> None:
    opened.keyboard.press("+")
    for width, height in [(1600, 1000), (900, 700), (390, 844)]:
        opened.set_viewport_size({"width": width, "height": height})
        at_rest(opened)
        now = places(opened)
        assert apart(now["original"], now["result"]) < 1
        if width > 390:  # narrower, the style print has a pane of another shape
            assert apart(now["style"], now["result"]) < 2


@pytest.mark.long
def test_the_style_print_stays_where_it_is_while_it_is_unlinked(opened: Page) -> None:
    before = places(opened)
    opened.keyboard.press("y")
    expect(opened.get_by_role("button", name="Link style print")).to_have_attribute("aria-pressed", "false")
    opened.keyboard.press("+")
    at_rest(opened)
    after = places(opened)
    assert apart(before["style"], after["style"]) == 0
    assert apart(before["result"], after["result"]) > 20
    opened.keyboard.press("y")
    at_rest(opened)
    now = places(opened)
    assert apart(now["style"], now["result"]) < 2


@pytest.mark.long
def test_actual_size_is_one_pixel_of_the_picture_on_one_of_the_screen(new_page: NewPage) -> None:
    page = looked_at(new_page(device_scale_factor=2, viewport={"width": 1280, "height": 720}))
    page.keyboard.press("z")
    at_rest(page)
    left, right = (corner[0] for corner in places(page)["result"][:2])
    width = page.evaluate("window.panes.result.tiles.width")
    assert (right - left) * 2 == pytest.approx(width, abs=0.5)
    page.keyboard.press("0")
    at_rest(page)
    pane = page.locator("[data-pane=result] .zoom").bounding_box()
    assert pane is not None
    top, bottom = (places(page)["result"][n][1] for n in (0, 3))
    assert (top, bottom) == pytest.approx((0, pane["height"]), abs=1)


@pytest.mark.long
def test_swipe_shows_the_original_left_of_a_line_that_keys_and_mouse_move(opened: Page) -> None:
    opened.keyboard.press("s")
    slider = opened.get_by_role("slider", name="Between the two pictures")
    expect(slider).to_be_focused()
    opened.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuenow", "52")
    (below, _), (above, cut) = layers(opened)
    assert (below, above) == (1, 1)
    width = opened.evaluate("window.panes.result.tiles.width")
    assert 0.5 < cut / width < 0.6
    box = slider.bounding_box()
    assert box is not None
    opened.mouse.move(box["x"] + box["width"] / 2, box["y"] + 50)
    opened.mouse.down()
    opened.mouse.move(box["x"] - 60, box["y"] + 50, steps=4)
    opened.mouse.up()
    assert layers(opened)[1][1] < cut
    opened.keyboard.press("s")
    expect(slider).to_be_hidden()
    assert layers(opened)[1] == [1, None]


@pytest.mark.long
def test_the_line_stays_where_it_is_while_the_picture_moves_below_it(opened: Page) -> None:
    opened.keyboard.press("s")
    opened.keyboard.press("+")
    at_rest(opened)
    edge = opened.evaluate(EDGE)
    assert edge == pytest.approx(0.5, abs=0.005)


@pytest.mark.long
def test_modes_exclude_one_another_and_are_told(opened: Page) -> None:
    state = opened.get_by_role("status").filter(has_text="result is shown")
    expect(state).to_be_visible()
    for key, name, words in [
        ("s", "Swipe", "Left of the line: Original"),
        ("o", "Opacity", "Result lies over Original"),
    ]:
        opened.keyboard.press(key)
        expect(opened.locator(".state")).to_contain_text(words)
        expect(opened.locator("[data-mode][aria-pressed=true]")).to_have_text(re.compile(name))
    assert layers(opened)[1][0] == 0.5
    opened.keyboard.press("l")
    expect(opened.locator(".state")).to_contain_text("lightness unchanged")
    expect(opened.locator("[data-mode][aria-pressed=true]")).to_have_text(re.compile("Lightness"))
    until(opened, lambda: [opacity for opacity, _ in layers(opened)] == [0, 1, 1])
    until(opened, lambda: len({*opened.evaluate(INK)[:3]}) == 1)
    red, green, blue, _ = opened.evaluate(INK)
    assert red == green == blue == pytest.approx(128, abs=8)
    opened.keyboard.press("l")
    expect(opened.locator(".state")).to_have_text("The result is shown.")
    assert [opacity for opacity, _ in layers(opened)] == [0, 1, 0]


def test_the_map_of_trust_lies_over_the_original_and_says_what_it_shows(opened: Page) -> None:
    opened.keyboard.press("v")
    expect(opened.locator(".state")).to_contain_text("Trust of the whole: 0.62")
    expect(opened.locator("[data-pane=result] .shows")).to_have_text("Map of trust")
    until(opened, lambda: [opacity for opacity, _ in layers(opened)] == [1, 0, 1])
    opened.keyboard.press("v")
    expect(opened.locator("[data-pane=result] .shows")).to_have_text("Result")


@pytest.mark.long
def test_blink_changes_once_a_second_at_most_and_ends_with_any_key(new_page: NewPage) -> None:
    page = looked_at(new_page(reduced_motion="no-preference"))
    page.keyboard.press("b")
    shown, begun = [], time.monotonic()
    while time.monotonic() < begun + 2.5:
        shown.append(layers(page)[1][0])
        page.wait_for_timeout(100)
    changes = sum(one != other for one, other in pairwise(shown))
    assert 1 <= changes <= time.monotonic() - begun + 1
    page.keyboard.press("Shift")
    expect(page.locator(".state")).to_have_text("The result is shown.")
    assert layers(page)[1][0] == 1


@pytest.mark.long
def test_the_caption_names_what_is_shown(opened: Page) -> None:
    caption = opened.locator("[data-pane=result] figcaption")
    expect(caption).to_have_text(re.compile("Result machine-colorized"))
    opened.keyboard.press("b")
    expect(caption.locator(".shows")).to_have_text("Original")
    expect(caption.locator(".machine")).to_be_hidden()
    opened.keyboard.press("l")
    expect(caption.locator(".shows")).to_have_text("Lightness difference")
    opened.keyboard.press("l")
    expect(caption.locator(".shows")).to_have_text("Result")
    expect(caption.locator(".machine")).to_be_visible()


@pytest.mark.long
def test_large_fits_the_pictures_again_and_lasts_for_the_session(new_page: NewPage) -> None:
    page = looked_at(new_page(viewport={"width": 1280, "height": 720}))
    frame = page.locator("[data-pane=result] .zoom")
    small = height(page)
    assert small >= 430
    page.keyboard.press("f")
    expect(page.get_by_role("button", name="Large")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("navigation", name="Pages")).to_be_hidden()
    at_rest(page)
    assert height(page) > small + 60
    assert [places(page)["result"][n][1] for n in (0, 3)] == pytest.approx((0, height(page)), abs=1)
    looked_at(page, 2)
    expect(frame).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Approve")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("button", name="Large")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("f")
    at_rest(page)
    assert height(page) == small


def height(page: Page) -> float:
    """Of the result's frame."""
    box = page.locator("[data-pane=result] .zoom").bounding_box()
    assert box is not None
    return box["height"]


@pytest.mark.long
def test_nothing_blinks_by_itself_for_readers_who_want_no_motion(opened: Page) -> None:
    opened.keyboard.press("b")
    expect(opened.locator(".state")).to_contain_text("Shown for now: Original")
    for _ in range(4):
        assert layers(opened)[1][0] == 0
        opened.wait_for_timeout(400)  # longer than a blink, four times
    opened.keyboard.press("b")
    expect(opened.locator(".state")).to_have_text("The result is shown.")
