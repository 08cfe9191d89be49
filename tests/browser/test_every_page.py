"""Every page, in both themes and both languages, for everybody: axe, the Tab key, weight, stillness, narrow screens."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import Weight, assert_rendered, layout_shift, unnamed_stops, violations
from tests.browser.conftest import Watch, serving

pytestmark = pytest.mark.long

PAGES = {
    "queue": "/",
    "filtered": "/?words=%E6%B8%85&queue=all",
    "empty": "/?queue=conflicts",
    "redone": "/?queue=redone",
    "facets": "/facets",
    "entry": "/entries/2",
    "candidates": "/entries/2/candidates",
    "styles": "/entries/2/styles",
    "marks": "/entries/2/marks",
    "mask": "/entries/2/mask",
    "keys": "/keys",
    "tones": "/tones",
    "matching": "/matching",
    "nights": "/nights",
    "statistics": "/statistics",
    "comparisons": "/comparisons",
    "exports": "/exports",
    "night": "/nights/1",
    "held-back": "/held-back",
    "desk": "/desk",
    "people": "/people",
    "audit": "/audit",
    "login": "/login",
    "nothing": "/entries/999999",
}
LOCALES = {"en": "en-GB", "ja": "ja-JP"}
WIDTHS = {"wide": 1280, "narrow": 390}


@pytest.fixture(scope="module")
def address(morning: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One page for all the looking; nothing here writes but leases."""
    with serving(morning, tmp_path_factory.mktemp("pages") / "home") as shop:
        yield shop.url


@pytest.fixture
def opened(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in the language, theme and width that the test names."""
    language, theme, width = request.param
    watch = Watch(urlsplit(address).netloc, allowed=["404"])
    context = browser.new_context(
        base_url=address,
        locale=LOCALES[language],
        color_scheme=theme,
        viewport={"width": WIDTHS[width], "height": 900},
        reduced_motion="reduce",
    )
    context.set_default_timeout(45_000)
    watch.over(context)
    yield context.new_page()
    context.close()
    assert watch.unexpected() == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("opened", [("en", "light", "wide"), ("ja", "dark", "narrow")], indirect=True, ids=str)
def test_a_page_is_light_holds_still_and_keeps_nobody_from_using_it(
    opened: Page, name: str, request: pytest.FixtureRequest
) -> None:
    weight = Weight(opened)
    opened.goto(PAGES[name], wait_until="networkidle")
    assert layout_shift(opened) < 0.001
    assert 5 < weight.kilobytes() < 600
    assert_rendered(opened, request.node.callspec.params["opened"][0])
    assert violations(opened) == []
    assert unnamed_stops(opened) == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"


@pytest.mark.parametrize("opened", [("en", "light", "wide")], indirect=True, ids=str)
def test_a_slow_machine_paints_a_page_once_all_of_it_is_there(opened: Page) -> None:
    opened.context.new_cdp_session(opened).send("Emulation.setCPUThrottlingRate", {"rate": 8})
    opened.goto(PAGES["entry"], wait_until="networkidle")
    assert layout_shift(opened) < 0.001
