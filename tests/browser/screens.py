"""Pictures of every page at both widths, for `docs/review/` and our own eyes: `python -m tests.browser.screens FOLDER`.

The catalogue is that of the browser tests, or a copy of the one in `--home`.
"""

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, Shop, started
from tests.browser.shop import fill
from tests.browser.test_every_page import LOCALES, PAGES, WIDTHS
from tests.browser.test_every_state import STATES

Theme = Literal["light", "dark"]
TALLEST_PX = 2000
LOOKS: tuple[tuple[str, Theme, str], ...] = (("en", "light", ""), ("ja", "dark", "-ja-dark"))
OTHER_LOOK = ("queue", "entry", "marks", "login")
"""Pages that are also shown in Japanese and dark."""


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place, sync_playwright() as playwright:
        home = Path(place) / "home"
        if given.home:
            shutil.copytree(given.home, home)
        else:
            fill(home)
        path = next((each for each in CHROMIUM if Path(each).exists()), None)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        with started(home) as url:
            for width in WIDTHS:
                _take(browser, Shop(home, url), given.folder, width)
        browser.close()


def _take(browser: Browser, shop: Shop, folder: Path, width: str) -> None:
    for language, theme, suffix in LOOKS:
        page = _opened(browser, shop, language, theme, WIDTHS[width])
        for name in _shown(page, shop, OTHER_LOOK if suffix else (*PAGES, "lightness", "sample")):
            _shoot(page, folder / f"{name}-{width}{suffix}.jpg", WIDTHS[width])
        page.context.close()


def _opened(browser: Browser, shop: Shop, language: str, theme: Theme, width: int) -> Page:
    size: ViewportSize = {"width": width, "height": 844 if width < 600 else 900}
    context = browser.new_context(base_url=shop.url, locale=LOCALES[language], viewport=size, color_scheme=theme)
    return context.new_page()


def _shown(page: Page, shop: Shop, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if name in STATES:
            STATES[name](page, shop)
        else:
            page.goto(PAGES[name])
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        yield name


def _shoot(page: Page, file: Path, width: int) -> None:
    height = min(TALLEST_PX, page.evaluate("document.documentElement.scrollHeight"))
    part: FloatRect = {"x": 0, "y": 0, "width": width, "height": height}
    page.screenshot(path=file, type="jpeg", quality=80, full_page=True, clip=part)


if __name__ == "__main__":
    main()
