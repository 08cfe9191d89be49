"""The review page as a real process, and a browser that watches it: a fault on the page fails the test."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from db.catalogue import Catalogue
from db.entries.review import Role
from db.review.access.passwords import hashed
from db.settings import CatalogueSettings
from tests.browser.serving import started
from tests.once import made_once

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
UNWANTED = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
"""Of Chromium. The lists of the address bar, which nobody sees, would be drawn for each window as pages, in processes
of their own. It hears the last such choice alone, so Playwright's own is said again."""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    f"--disable-features={','.join(UNWANTED)}",
)
PASSWORD = "a long enough password"
NewPage = Callable[..., Page]


@dataclass
class Shop:
    """A started page over a catalogue of its own."""

    home: Path
    url: str

    @contextmanager
    def catalogue(self) -> Iterator[Catalogue]:
        """The catalogue, to look into or to change as another process would."""
        with Catalogue.open(CatalogueSettings(home=self.home), create=False) as opened:
            yield opened

    def add_curators(self, *names: str, role: Role = Role.CURATOR) -> None:
        """Accounts; from the first one on everybody has to sign in."""
        with self.catalogue() as catalogue:
            for name in names:
                catalogue.add_curator(name, role, hashed(PASSWORD))


@dataclass
class Watch:
    """What went wrong in a browser: scripts that failed, refused contents, requests that left for another host."""

    host: str
    faults: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)
    """Parts of messages that a test expects."""

    def over(self, context: BrowserContext) -> None:
        """Watch every page of it."""
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        context.on("console", self._hear)
        context.on("request", lambda asked: self._look_at(asked.url))

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.faults.append(f"console: {said.text} ({said.location['url']})")

    def _look_at(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc != self.host:
            self.faults.append(f"request to another host: {url}")

    def unexpected(self) -> list[str]:
        """All but what the test allows."""
        return [fault for fault in self.faults if not any(part in fault for part in self.allowed)]


@pytest.fixture(scope="session")
def morning(common: Path) -> Path:
    """A home with six entries that wait, to be copied."""
    from tests.browser.shop import fill  # noqa: PLC0415  (draws pictures: only where a browser test runs)

    return made_once(common / "morning", fill)


@pytest.fixture
def shop(morning: Path, tmp_path: Path) -> Iterator[Shop]:
    """The page on a copy of the morning's catalogue, started by its command."""
    with serving(morning, tmp_path / "home") as opened:
        yield opened


@contextmanager
def serving(morning: Path, home: Path) -> Iterator[Shop]:
    """A page on a copy of that home, with a folder for exports beside it."""
    shutil.copytree(morning, home, copy_function=_linked)
    (home.parent / "nishiki.toml").write_text(f'export_dir = "{home.parent / "exports"}"\n', encoding="utf-8")
    with started(home) as url:
        yield Shop(home, url)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or the one that Playwright installed; what is expected may take a while on a busy machine."""
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        path = next((each for each in CHROMIUM if Path(each).exists()), None)
        if path is None and not Path(playwright.chromium.executable_path).exists():
            _missing("no Chromium here; install it: apt-get install chromium fonts-noto-cjk (or: make browser)")
        launched = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def watch(shop: Shop) -> Iterator[Watch]:
    """Whatever the pages of this test did wrong; told when it ends."""
    watching = Watch(urlsplit(shop.url).netloc)
    yield watching
    assert watching.unexpected() == []


@pytest.fixture
def new_page(browser: Browser, shop: Shop, watch: Watch) -> Iterator[NewPage]:
    """Opens pages, each in a browser of its own (cookies, too): `new_page(color_scheme="dark", locale="ja-JP")`."""
    contexts: list[BrowserContext] = []

    def make(**options: Any) -> Page:
        wide = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "reduced_motion": "reduce"}
        context = browser.new_context(base_url=shop.url, **{**wide, **options})
        context.set_default_timeout(45_000)
        watch.over(context)
        contexts.append(context)
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A wide page in English, for the person at this machine."""
    return new_page()


def _linked(source: str, target: str) -> None:
    """Pictures and tiles never change; the database does."""
    if ".db" in Path(source).name:
        shutil.copy2(source, target)
    else:
        os.link(source, target)


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
