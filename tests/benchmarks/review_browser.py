"""From a verdict to the next entry painted, and to its buttons opened: in Chromium, on one machine.

`python -m tests.benchmarks.review_browser`, and a part of `review`. The pictures are prints drawn by program, enlarged
to 12 megapixels with a scan's noise. The first run makes them and their tiles, which takes some minutes; both are kept
below build/benchmarks.
"""

import io
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from db.catalogue import Catalogue
from flows.settings import Settings
from flows.workers.tiles import make_missing
from tests.benchmarks.figures import FOLDER, Figure, publish
from tests.browser.conftest import CHROMIUM, FLAGS, serving
from tests.browser.shop import Drawn, DrawnSample, colorize, drawings
from tests.browser.viewing import PAINTED, READY

SIZE = (3000, 4000)
NOISE = 4.0
"""Of a scan, in gray levels."""
ROUNDS, LOOK_S = 4, 2.0
"""Mornings of six entries, and how long each entry is looked at: the time in which the next one is fetched."""
PAINTED_MS, OPENED_MS = 500, 300
_CLOCK = """
const now = () => performance.timeOrigin + performance.now();
addEventListener("keydown", ({key}) => { if (key === "a") sessionStorage.setItem("judged", now()); }, true);
document.addEventListener("painted", () => {
  const painted = now();
  window.took = painted - Number(sessionStorage.getItem("judged"));
  const look = () => {
    if (document.querySelector("#verdict [data-key=a]").disabled) requestAnimationFrame(look);
    else window.opened = now() - painted;
  };
  look();
}, true);
"""


def main() -> None:
    """Measures and publishes."""
    publish("review_browser", figures())


def figures() -> Iterator[Figure]:
    """Medians and slowest of all verdicts."""
    took, opened = zip(*_measured(), strict=True)
    for name, values, most in (
        ("verdict to next entry painted, 12 MP", took, PAINTED_MS),
        ("painted to buttons open", opened, OPENED_MS),
    ):
        middle, slowest = statistics.median(values), max(values)
        yield Figure(f"browser: {name}, p50", middle, "ms", f"≤ {most}", middle <= most)
        yield Figure(f"browser: {name}, slowest of {len(values)}", slowest, "ms", f"≤ {most}", slowest <= most)


def _measured() -> Iterator[tuple[float, float]]:
    """(ms from the key to the next entry painted, ms from there until a verdict can be given) of each verdict."""
    morning = _kept(FOLDER / "review-browser")
    path = next((each for each in CHROMIUM if Path(each).exists()), None)
    for _ in range(ROUNDS):
        with (
            TemporaryDirectory(dir=FOLDER.resolve()) as place,
            serving(morning, Path(place) / "home") as shop,
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            page = browser.new_context(base_url=shop.url, viewport={"width": 1280, "height": 900}).new_page()
            yield from _walk(page)
            browser.close()


def _walk(page: Page) -> Iterator[tuple[float, float]]:
    page.add_init_script(_CLOCK)
    page.goto("/entries/1")
    for entry in range(2, 7):
        page.wait_for_selector(READY)
        time.sleep(LOOK_S)
        page.keyboard.press("a")
        page.wait_for_url(f"**/entries/{entry}?*")
        page.wait_for_selector(PAINTED)
        page.wait_for_selector(READY)
        page.wait_for_function("window.took !== undefined && window.opened !== undefined")
        yield page.evaluate("window.took"), page.evaluate("window.opened")


def _kept(home: Path) -> Path:
    """The morning's home, made where there is none."""
    if home.exists():
        return home
    home.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=home.parent) as place:
        settings = Settings(home=Path(place) / "home")
        with Catalogue.open(settings) as catalogue:
            sample = DrawnSample()
            for number, drawn in enumerate(drawings()):
                pictures = map(_enlarged, (drawn.gray, drawn.style, drawn.output))
                colorize(sample, catalogue, Drawn(drawn.holding, *pictures), score=0.9 - number / 100)
        assert make_missing(settings).problems == []
        settings.home.rename(home)
    return home


def _enlarged(data: bytes) -> bytes:
    pixels = np.asarray(Image.open(io.BytesIO(data)).resize(SIZE, Image.Resampling.BICUBIC), np.float32)
    noise = np.random.default_rng(0).standard_normal(pixels.shape, np.float32) * NOISE
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(file := io.BytesIO(), "JPEG", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    main()
