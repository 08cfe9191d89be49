"""Takes every picture of README and docs from a real run: `make pictures`, or `python -m tests.pictures [FOLDER]`.

1. `nishiki demo` runs a night: its archive's prints are drawn by program, harvested, matched and colorized with the
   recipe of every night. Its contact sheet becomes contact-sheet.jpg.
2. `nishiki colorize` colours one of these prints from another subject, with marks and without: marks.jpg.
3. `nishiki review` shows the night's catalogue, and Chromium takes its pages: review/PAGE-WIDTH.jpg, and the same with
   -ja-dark in Japanese and dark.

Nothing in a picture is put there by hand. `--home` takes another catalogue for the pages (a copy of it), and no others.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, FloatRect, Page, ViewportSize, sync_playwright

from colorize.images.marks import PIGMENTS
from db.catalogue import Catalogue
from db.settings import CatalogueSettings
from tests.browser.conftest import CHROMIUM, FLAGS, Shop
from tests.browser.serving import started
from tests.browser.test_every_page import LOCALES, PAGES, WIDTHS
from tests.browser.test_every_state import STATES

Theme = Literal["light", "dark"]
QUALITY = 80
"""Of JPEG, in Pillow's and Chromium's percent."""
TALLEST_PX = 2000
LOOKS: tuple[tuple[str, Theme, str], ...] = (("en", "light", ""), ("ja", "dark", "-ja-dark"))
SHOWN = {**PAGES, "filtered": "/?words=%E4%BA%94%E9%83%8E&queue=all"}
"""Two of the night's prints show a man named Gorō (五郎)."""
STATES_SHOWN = ("lightness", "sample")
OTHER_LOOK = ("queue", "entry", "marks", "login")
"""Pages that are also shown in Japanese and dark."""
MARKED = ("0003-g", "0005-c")
"""The print that is coloured with marks, and a style print of another subject: last parts of their identifiers."""
MARKS = (
    ([(151, 177), (178, 207), (166, 251)], 9, "#efdab4"),
    ([(171, 300), (186, 320)], 6, "#efdab4"),
    ([(193, 242)], 5, "beni"),
    ([(60, 311), (47, 350)], 9, "#8c9a6c"),
    ([(270, 323), (289, 360)], 9, "#8c9a6c"),
    ([(59, 440), (90, 455)], 9, "#8c9a6c"),
    ([(249, 440), (290, 455)], 9, "#8c9a6c"),
    ([(298, 215), (293, 290)], 9, "#7f97a0"),
)
"""Skin, lips, robe and ground: points in the content's pixels, width, colour."""


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs"))
    parser.add_argument("--home", type=Path)
    given = parser.parse_args()
    os.environ["LOGNAME"] = "curator"  # the page calls the person at this machine by it
    with TemporaryDirectory() as place:
        home = Path(place) / "home"
        if given.home:
            shutil.copytree(given.home, home)
        else:
            nishiki("demo", "--home", str(home))
            sheet = Image.open(home / "reports" / "batch-0001" / "contact-sheet.png")
            keep(sheet, given.folder / "contact-sheet.jpg")
            keep(marked(home, Path(place)), given.folder / "marks.jpg")
        os.environ["NISHIKI_EXPORT_DIR"] = str(Path(place) / "exports")  # else the page can export nothing
        take_pages(home, given.folder / "review")


def nishiki(*words: str) -> None:
    """Run the command as a person would."""
    subprocess.run([sys.executable, "-c", "from flows.cli.app import app; app()", *words], check=True)


def keep(picture: Image.Image, file: Path) -> None:
    """Write a picture for a document."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("RGB").save(file, quality=QUALITY, optimize=True)


def marked(home: Path, place: Path) -> Image.Image:
    """Side by side: style print, the result without marks, the marks on the original, the result with them."""
    content, style = prints(home)
    marks = [{"points": points, "width": width, "colour": colour} for points, width, colour in MARKS]
    (place / "marks.json").write_text(json.dumps({"marks": marks}))
    plain, coloured = place / "plain.png", place / "marked.png"
    nishiki("colorize", str(content), str(style), "-o", str(plain))
    nishiki("colorize", str(content), str(style), "-o", str(coloured), "--marks", str(place / "marks.json"))
    shown = [Image.open(style), Image.open(plain), with_marks(content), Image.open(coloured)]
    width, height = shown[2].size
    row = Image.new("RGB", (4 * width + 24, height), "white")
    for number, picture in enumerate(shown):
        row.paste(picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), (number * (width + 8), 0))
    return row


def prints(home: Path) -> tuple[Path, Path]:
    """The files of the print that is marked and of its style print, as the night stored them."""
    with Catalogue.open(CatalogueSettings(home=home), create=False) as catalogue:
        described = [each for attempt in catalogue.attempts() for each in (attempt.content, *attempt.styles)]
        files = {each.identifier.rpartition(":")[2]: catalogue.pictures.path(each.sha256) for each in described}
    return files[MARKED[0]], files[MARKED[1]]


def with_marks(content: Path) -> Image.Image:
    """The original with the marks on it."""
    picture = Image.open(content).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for points, width, colour in MARKS:
        seen = PIGMENTS.get(colour, colour)
        pen.line(points, fill=seen, width=width, joint="curve")
        for end in (points[0], points[-1]):
            pen.circle(end, width / 2, fill=seen)
    return picture


def take_pages(home: Path, folder: Path) -> None:
    """Every page of the review at every width, over a copy of the catalogue for each width."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = next((each for each in CHROMIUM if Path(each).exists()), None)
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        with started(home) as url:
            for width in WIDTHS:
                _take(browser, Shop(home, url), folder, width)
        browser.close()


def _take(browser: Browser, shop: Shop, folder: Path, width: str) -> None:
    for language, theme, suffix in LOOKS:
        page = _opened(browser, shop, language, theme, WIDTHS[width])
        for name in _shown(page, shop, OTHER_LOOK if suffix else (*SHOWN, *STATES_SHOWN)):
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
            page.goto(SHOWN[name])
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        yield name


def _shoot(page: Page, file: Path, width: int) -> None:
    height = min(TALLEST_PX, page.evaluate("document.documentElement.scrollHeight"))
    part: FloatRect = {"x": 0, "y": 0, "width": width, "height": height}
    page.screenshot(path=file, type="jpeg", quality=QUALITY, full_page=True, clip=part)


if __name__ == "__main__":
    main()
