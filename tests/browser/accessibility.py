"""What every page is asked: is it there, may everybody use it, does it hold still, is it light."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MOST_STOPS = 400
STRIDE = 10
"""After so many it is asked whether the Tab key has come round: each question takes as long as a step."""
_DRAWN = """() => {
  const draw = (letter) => {
    const canvas = Object.assign(document.createElement("canvas"), {width: 40, height: 40});
    const pen = canvas.getContext("2d");
    pen.font = "32px " + getComputedStyle(document.body).fontFamily;
    pen.fillText(letter, 2, 34);
    return canvas.toDataURL();
  };
  return draw("錦") !== draw("絵");
}"""
_WALK = """() => {
  window.stops = [];
  document.addEventListener("focusin", ({target}) => {
    const {width, height} = target.getBoundingClientRect();
    window.stops.push({target, area: width * height});
  });
  document.body.focus();
  window.scrollTo(0, 0);
}"""
_ROUND = "() => new Set(stops.map((each) => each.target)).size < stops.length"
_UNNAMED = """() => {
  axe.setup();
  const named = ({target}) => axe.commons.text.accessibleText(target).trim() !== "";
  const found = stops.filter((each) => !named(each) || each.area === 0).map((each) => each.target.outerHTML);
  axe.teardown();
  return found;
}"""
_SHIFT = """() => new Promise((done) => {
  let sum = 0;
  const add = (list) => list.getEntries().forEach((each) => { if (!each.hadRecentInput) sum += each.value; });
  new PerformanceObserver(add).observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 300);
})"""


def assert_rendered(page: Page, language: str) -> None:
    """The page is there, in its language, with a heading, with its styles, and its letters are letters."""
    assert page.locator("html").get_attribute("lang") == language
    heading = page.locator("h1").first.inner_text()
    assert heading.strip()
    if language == "ja":
        assert re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", heading), heading
        assert page.evaluate(_DRAWN), "all Japanese letters look alike; install fonts-noto-cjk"
    assert page.evaluate("getComputedStyle(document.body).margin") == "0px", "the stylesheet is missing"


def violations(page: Page) -> list[str]:
    """What axe finds, in words."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]})
    return [
        f"{each['id']}: {each['help']}: {', '.join(str(node['target']) for node in each['nodes'])}"
        for each in found.response["violations"]
    ]


def unnamed_stops(page: Page) -> list[str]:
    """Walk through the page with the Tab key held down; stops that a screen reader could not name, or that nobody sees.

    The names are axe's, so `violations` comes first.
    """
    page.evaluate(_WALK)
    for _ in range(MOST_STOPS // STRIDE):
        for _step in range(STRIDE):
            page.keyboard.down("Tab")
        if page.evaluate(_ROUND):
            page.keyboard.up("Tab")
            found: list[str] = page.evaluate(_UNNAMED)
            return found
    raise AssertionError("the Tab key never came round")


def layout_shift(page: Page) -> float:
    """How much the page has moved under its reader since it began to load, as browsers measure it."""
    shift: float = page.evaluate(_SHIFT)
    return shift


class Weight:
    """Bytes of what a page loads, without pictures; made before the page is opened."""

    def __init__(self, page: Page) -> None:
        self.answers: list[Response] = []
        page.on("response", self._keep)

    def _keep(self, answer: Response) -> None:
        self.answers.append(answer)

    def kilobytes(self) -> float:
        """Uncompressed, so the most that it can be."""
        parts = [each for each in self.answers if each.ok and not each.headers["content-type"].startswith("image/")]
        return sum(len(each.body()) for each in parts) / 1000
