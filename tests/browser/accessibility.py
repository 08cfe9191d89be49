"""What every page is asked: is it there, may everybody use it, does it hold still, is it light."""

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
MOST_STOPS = 400
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
_STOP = """() => {
  const focused = document.querySelector(":focus");
  if (!focused) return null;
  const {width, height} = focused.getBoundingClientRect();
  const place = [...document.querySelectorAll("*")].indexOf(focused);
  return {path: focused.outerHTML.slice(0, 160) + place, area: width * height};
}"""
"""What the Tab key has come to."""
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
    """Walk through the page with the Tab key; stops that a screen reader could not name, or that nobody sees."""
    page.evaluate("document.body.focus(); window.scrollTo(0, 0)")
    seen: list[str] = []
    unnamed: list[str] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None or stop["path"] in seen:
            return unnamed
        seen.append(stop["path"])
        said = page.locator(":focus").aria_snapshot().splitlines()[0]
        if not re.search(r'"[^"]+"|/.+/|: \S', said) or stop["area"] == 0:
            unnamed.append(f"{said} ({stop['path']})")
    raise AssertionError(f"the Tab key never came round: {seen[-3:]}")


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
