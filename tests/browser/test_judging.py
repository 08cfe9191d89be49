"""Judging in a real browser: nothing before the pictures are painted, all by keyboard, and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from db.entries.night import Verdict
from tests.browser.conftest import PASSWORD, NewPage, Shop, Watch
from tests.browser.viewing import FIRST, OPENED, READY, at_rest, looked_at, said, until

TILES = re.compile(r"/pictures/.*/default\.jpg")
PICTURES = re.compile(r"/pictures/.*/(default|preview)\.jpg")
SHIFTS = """
window.shift = 0;
const watch = (list) => { for (const each of list.getEntries()) window.shift += each.value; };
new PerformanceObserver(watch).observe({type: "layout-shift", buffered: true});
"""
TRAVELLED = """() => performance.getEntriesByType("resource")
  .filter(({initiatorType, transferSize}) => initiatorType === "img" && transferSize > 0)
  .filter(({name}) => name.endsWith("default.jpg"))
  .map(({name}) => name)"""
"""Tiles that the viewer, and not what looks ahead, had from the server."""


@pytest.fixture
def opened(page: Page) -> Page:
    """The first entry's page, painted."""
    return looked_at(page)


@pytest.fixture
def held(page: Page) -> Iterator[list[Route]]:
    """Previews and tiles that were asked for and do not come before the test lets them."""
    waiting: list[Route] = []
    page.route(PICTURES, lambda route: waiting.append(route))  # noqa: PLW0108  # Playwright marks what it is handed
    yield waiting
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.long
def test_no_verdict_can_be_given_before_both_pictures_are_painted(page: Page, shop: Shop, held: list[Route]) -> None:
    page.goto(f"/entries/{FIRST}", wait_until="commit")  # its load waits for the previews
    until(page, lambda: len(held) > 0)
    with shop.catalogue() as catalogue:
        output = catalogue.attempt(FIRST).output_sha256
    assert output is not None
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    for key in ("a", "w", "r", "1"):
        page.keyboard.press(key)
    release(page, held, without=output)
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    assert page.url.endswith(f"/entries/{FIRST}")
    assert said(shop, FIRST) == []
    release(page, held)
    page.wait_for_selector(READY)
    page.keyboard.press("a")
    page.wait_for_url(re.compile(f"notice=approved.{FIRST}"), wait_until="commit")
    assert said(shop, FIRST) == [(Verdict.APPROVED, "", "")]


def release(page: Page, held: list[Route], without: str = "nothing") -> None:
    """Let the pictures come that were asked for, and those that are asked for then."""
    for _ in range(8):
        for route in [each for each in held if without not in each.request.url]:
            held.remove(route)
            route.continue_()
        page.wait_for_timeout(100)


@pytest.mark.long
def test_previews_as_sharp_as_their_frames_open_the_verdict_before_the_tiles_are_there(
    page: Page, shop: Shop, held: list[Route]
) -> None:
    page.goto(f"/entries/{FIRST}", wait_until="commit")  # its load waits for the previews
    until(page, lambda: len(held) > 2)
    for route in [each for each in held if each.request.url.endswith("preview.jpg")]:
        held.remove(route)
        route.continue_()
    page.wait_for_selector(READY)
    until(page, lambda: any("default.jpg" in each.request.url for each in held))
    assert page.locator(OPENED).count() == 0
    page.keyboard.press("a")
    page.wait_for_url(re.compile(f"notice=approved.{FIRST}"), wait_until="commit")
    assert said(shop, FIRST) == [(Verdict.APPROVED, "", "")]


@pytest.mark.long
def test_where_the_frame_shows_more_than_the_preview_has_the_tiles_are_waited_for(new_page: NewPage) -> None:
    page = new_page(device_scale_factor=4)
    waiting: list[Route] = []
    page.route(TILES, lambda route: waiting.append(route))  # noqa: PLW0108
    page.goto(f"/entries/{FIRST}")
    until(page, lambda: len(waiting) > 0)
    page.wait_for_timeout(400)
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    release(page, waiting)
    page.wait_for_selector(READY)
    page.unroute_all(behavior="ignoreErrors")


@pytest.mark.long
def test_a_picture_that_is_missing_opens_no_verdict_and_is_told(page: Page, watch: Watch) -> None:
    watch.allowed += ["404", "failed to load"]
    page.route(TILES, lambda route: route.fulfill(status=404))
    page.goto(f"/entries/{FIRST}")
    expect(page.locator(".state")).to_contain_text("could not be loaded")
    page.wait_for_selector(".viewer[data-broken]")
    page.wait_for_timeout(400)
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()


@pytest.mark.long
def test_where_no_picture_came_its_frame_says_so(page: Page, shop: Shop, watch: Watch) -> None:
    watch.allowed += ["404"]
    with shop.catalogue() as catalogue:
        style = catalogue.attempt(FIRST).styles[0].sha256
    page.route(re.compile(rf"/pictures/{style}/"), lambda route: route.fulfill(status=404))
    looked_at(page)
    expect(page.locator("[data-pane=style] .missing")).to_contain_text("could not be loaded")
    expect(page.locator("[data-pane=style] img")).to_be_hidden()
    expect(page.locator("[data-pane=result] .missing")).to_be_hidden()


@pytest.mark.long
def test_a_verdicts_key_while_it_blinks_only_stops_the_blinking(opened: Page, shop: Shop) -> None:
    opened.keyboard.press("b")
    opened.keyboard.press("a")
    expect(opened.locator(".state")).to_have_text("The result is shown.")
    opened.wait_for_timeout(300)
    assert said(shop, FIRST) == []
    opened.keyboard.press("a")
    opened.wait_for_url(re.compile(f"notice=approved.{FIRST}"))


@pytest.mark.long
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_the_verdict_is_in_view_wherever_the_curator_reads_and_the_reasons_take_its_place(
    new_page: NewPage, width: int, height: int
) -> None:
    page = looked_at(new_page(viewport={"width": width, "height": height}))
    approve = page.get_by_role("button", name="Approve")
    for place in ("0", "document.body.scrollHeight / 2", "document.body.scrollHeight"):
        page.evaluate(f"window.scrollTo(0, {place})")
        expect(approve).to_be_in_viewport(ratio=1)
    page.keyboard.press("r")
    expect(approve).to_be_hidden()
    expect(page.get_by_role("button", name="other")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Back").click()
    expect(approve).to_be_in_viewport(ratio=1)


def test_a_notice_moves_nothing(opened: Page) -> None:
    frame = opened.locator("[data-pane=result] .surround")
    before = frame.bounding_box()
    opened.goto(f"/entries/{FIRST}?notice=conflict.4")
    expect(opened.get_by_role("status").first).to_contain_text("has moved to Conflicts")
    assert frame.bounding_box() == before


@pytest.mark.long
def test_who_was_signed_out_meanwhile_is_told_and_comes_back_to_the_entry(page: Page, shop: Shop) -> None:
    page.goto(f"/entries/{FIRST}")
    page.wait_for_selector(READY)
    shop.add_curators("sumire")  # from now on everybody has to sign in
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_text("You have been signed out")).to_be_visible()
    page.keyboard.press("a")
    page.wait_for_url(re.compile("/login"))
    expect(page.get_by_role("status")).to_contain_text("Not kept")
    page.get_by_label("Name").fill("sumire")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(f"/entries/{FIRST}$"))
    assert said(shop, FIRST) == []


@pytest.mark.long
def test_a_morning_by_keyboard_alone(opened: Page, shop: Shop) -> None:
    opened.keyboard.press("a")
    opened.wait_for_url(re.compile(f"notice=approved.{FIRST}"))
    opened.wait_for_selector(READY)
    second = int(re.findall(r"entries/(\d+)", opened.url)[0])
    opened.keyboard.press("n")
    opened.keyboard.type("a r w are letters here")
    opened.keyboard.press("Escape")
    opened.keyboard.press("r")
    expect(opened.get_by_role("button", name="wrong match")).to_be_focused()
    opened.keyboard.press("Escape")
    expect(opened.get_by_role("button", name="wrong match")).to_be_hidden()
    expect(opened.get_by_role("button", name="Return …")).to_be_focused()
    opened.keyboard.press("r")
    opened.keyboard.press("2")
    opened.wait_for_url(re.compile(f"notice=returned.{second}"))
    assert said(shop, second) == [(Verdict.RETURNED, "colour bleeding", "a r w are letters here")]
    opened.wait_for_selector(READY)
    opened.keyboard.press("j")
    opened.wait_for_url(re.compile(r"/entries/\d+$"))
    opened.keyboard.press("k")
    opened.wait_for_url(re.compile(r"/entries/\d+$"))
    opened.wait_for_selector(READY)
    opened.keyboard.press("u")
    opened.wait_for_url(re.compile("notice=undone"))
    with shop.catalogue() as catalogue:
        assert [stands for _, stands in catalogue.verdict_history(second)] == [False]
        ((word, _),) = catalogue.verdict_history(FIRST)
        assert catalogue.rubber_stamps(600)[word.curator].measured == 2


@pytest.mark.long
def test_tiles_of_the_next_entry_are_there_before_it_is_opened(opened: Page) -> None:
    opened.wait_for_selector(".viewer[data-preloaded]")
    opened.keyboard.press("a")
    opened.wait_for_url(re.compile(f"notice=approved.{FIRST}"))
    opened.wait_for_selector(OPENED)
    assert opened.evaluate(TRAVELLED) == []


def test_an_entry_is_left_to_others_with_its_page(opened: Page, shop: Shop) -> None:
    with shop.catalogue() as catalogue:
        assert catalogue.queue_entry(FIRST).lease is not None
        opened.goto("/keys")
        until(opened, lambda: catalogue.queue_entry(FIRST).lease is None)


@pytest.mark.long
def test_without_javascript_the_pictures_are_there_and_a_verdict_is_taken(new_page: NewPage, shop: Shop) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"/entries/{FIRST}")
    for name in ("Original", "Machine-colorized result", "Style print"):
        shown = page.get_by_role("img", name=re.compile(f"^{name}"))
        expect(shown).to_be_visible()
        assert shown.evaluate("image => image.naturalWidth") > 0
    page.get_by_role("textbox", name="Note").fill("by hand")
    page.get_by_role("button", name="unbelievable").click()
    page.wait_for_url(re.compile(f"notice=returned.{FIRST}"))
    assert said(shop, FIRST) == [(Verdict.RETURNED, "unbelievable", "by hand")]


@pytest.mark.long
def test_nothing_moves_on_the_page_while_it_fills(page: Page) -> None:
    page.add_init_script(SHIFTS)
    at_rest(looked_at(page))
    assert page.evaluate("window.shift") < 0.01


@pytest.mark.long
def test_a_double_click_and_a_key_held_down_give_one_verdict(opened: Page, shop: Shop) -> None:
    opened.get_by_role("button", name="Approve").dblclick()
    opened.wait_for_url(re.compile(f"notice=approved.{FIRST}"))
    opened.wait_for_selector(READY)
    opened.keyboard.down("w")
    for _ in range(5):
        opened.keyboard.down("w")
    opened.wait_for_url(re.compile("notice=withheld"))
    opened.wait_for_selector(READY)
    opened.keyboard.down("w")
    opened.wait_for_timeout(300)
    with shop.catalogue() as catalogue:
        given = [len(catalogue.verdict_history(attempt.id)) for attempt in catalogue.attempts()]
    assert sorted(given) == [0, 0, 0, 0, 1, 1]


@pytest.mark.long
def test_a_missing_style_print_keeps_nobody_from_judging(page: Page, shop: Shop, watch: Watch) -> None:
    watch.allowed += ["404"]
    with shop.catalogue() as catalogue:
        style = catalogue.attempt(FIRST).styles[0].sha256
    page.route(re.compile(rf"/pictures/{style}/info\.json"), lambda route: route.fulfill(status=404))
    looked_at(page)
    expect(page.locator(".state")).to_contain_text("could not be loaded")
    expect(page.get_by_role("button", name="Link style print")).to_be_disabled()
    page.keyboard.press("+")
    page.keyboard.press("a")
    page.wait_for_url(re.compile(f"notice=approved.{FIRST}"))


def test_who_looks_away_too_long_is_told_that_another_has_the_entry(opened: Page, shop: Shop) -> None:
    with shop.catalogue() as catalogue:
        lease = catalogue.queue_entry(FIRST).lease
        assert lease is not None
        catalogue.release_lease(FIRST, lease.curator)
        catalogue.take_lease(FIRST, "Kiku")
        opened.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(opened.get_by_text("Another curator has opened this entry")).to_be_visible()
        catalogue.release_lease(FIRST, "Kiku")
        opened.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(opened.get_by_text("Another curator has opened this entry")).to_be_hidden()
        kept = catalogue.queue_entry(FIRST).lease
    assert kept is not None
    assert kept.curator == lease.curator
