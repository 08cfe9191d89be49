"""What the tests of looking and of judging share: an entry's page, and what its panes show."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from db.entries.night import Verdict
from tests.browser.conftest import Shop

FIRST = 1
"""The entry at the queue's head."""
PAINTED = ".viewer[data-painted]"
OPENED = ".viewer[data-opened]"
"""The pictures can be moved and compared."""
READY = "#verdict [data-key=a]:enabled"
"""A verdict can be given: a moment after the pictures are painted."""
_WATCHED = "document.addEventListener('opened', (event) => { window.panes = event.detail; }, true);"
_PLACES = """() => {
  const place = ({viewer, tiles}, [x, y]) =>
    viewer.viewport.pixelFromPoint(new OpenSeadragon.Point(x, y * tiles.height / tiles.width), true);
  const points = [[0, 0], [1, 0], [0.3, 0.7], [1, 1]];
  const found = Object.entries(window.panes).map(([name, pane]) => [name, points.map((point) => place(pane, point))]);
  return Object.fromEntries(found.map(([name, places]) => [name, places.map(({x, y}) => [x, y])]));
}"""
_REST = """async () => {
  const sheet = () => OpenSeadragon.getViewer(document.querySelector(".sheet > .under"));
  const viewers = () => window.panes ? Object.values(window.panes).map(({viewer}) => viewer) : [sheet()];
  const seen = () => JSON.stringify([innerWidth, document.documentElement.scrollHeight, viewers().map(({viewport}) =>
    [viewport.getBounds(true), viewport.getBounds(false), viewport.getContainerSize()])]);
  let before = seen();
  for (let still = 0, frames = 0; still < 6; frames += 1) {
    await new Promise(requestAnimationFrame);
    const now = seen();
    still = now === before ? still + 1 : 0;
    before = now;
    if (frames > 900) throw new Error("it never comes to rest");
  }
}"""
_LAYERS = """() => {
  const {world} = window.panes.result.viewer;
  const items = [...Array(world.getItemCount()).keys()].map((number) => world.getItemAt(number));
  return items.map((item) => [item.getOpacity(), item.getClip()?.x ?? null]);
}"""

Places = dict[str, list[list[float]]]


def looked_at(page: Page, number: int = FIRST) -> Page:
    """Open an entry and wait until it can be judged."""
    page.add_init_script(_WATCHED)
    page.goto(f"/entries/{number}")
    page.wait_for_selector(OPENED)
    page.wait_for_selector(READY)
    return page


def at_rest(page: Page) -> None:
    """Wait until nothing has moved or changed its size for six frames."""
    page.evaluate(_REST)


def until(page: Page, reached: Callable[[], bool]) -> None:
    """Look again and again, ten seconds at most; the page's policy forbids Playwright's way of waiting for this."""
    for _ in range(200):
        if reached():
            return
        page.wait_for_timeout(50)
    raise AssertionError("the page did not come so far")


def places(page: Page) -> Places:
    """Where four points of each picture stand in its pane, in pixels of the screen."""
    found: Places = page.evaluate(_PLACES)
    return found


def apart(one: list[list[float]], other: list[list[float]]) -> float:
    """The widest distance of points that belong together, in pixels."""
    return max(abs(a - b) for here, there in zip(one, other, strict=True) for a, b in zip(here, there, strict=True))


def layers(page: Page) -> list[Any]:
    """What lies in the result's pane, lowest first: (opacity, left end of what is drawn)."""
    found: list[Any] = page.evaluate(_LAYERS)
    return found


def said(shop: Shop, number: int) -> list[tuple[Verdict, str, str]]:
    """Every verdict on an entry, with reason and note."""
    with shop.catalogue() as catalogue:
        return [(word.verdict, word.reason, word.note) for word, _ in catalogue.verdict_history(number)]
