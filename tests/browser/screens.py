"""Pictures of every page at both widths, for `docs/` and for our own eyes: `python -m tests.browser.screens FOLDER`.

The catalogue is that of the browser tests, or a copy of the one in `--home`.
"""

import argparse
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, started
from tests.browser.shop import fill
from tests.browser.test_every_page import LOCALES, PAGES, WIDTHS

TALLEST_PX = 2400
LOOKS = (("en", "light"), ("ja", "dark"))


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
            for language, theme in LOOKS:
                for width in WIDTHS:
                    _take(browser, url, given.folder, (language, theme, width))
        browser.close()


def _take(browser: Browser, url: str, folder: Path, look: tuple[str, str, str]) -> None:
    language, theme, width = look
    size: ViewportSize = {"width": WIDTHS[width], "height": 900}
    context = browser.new_context(
        base_url=url, locale=LOCALES[language], viewport=size, color_scheme="dark" if theme == "dark" else "light"
    )
    page = context.new_page()
    for name, address in PAGES.items():
        page.goto(address, wait_until="networkidle")
        page.wait_for_timeout(300)
        _shoot(page, folder / f"{name}-{width}-{language}-{theme}.jpg", size["width"])
    context.close()


def _shoot(page: Page, file: Path, width: int) -> None:
    height = min(TALLEST_PX, page.evaluate("document.documentElement.scrollHeight"))
    page.screenshot(
        path=file, type="jpeg", quality=80, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height}
    )


if __name__ == "__main__":
    main()
