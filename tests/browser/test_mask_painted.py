"""A part of the original painted by mouse and keys, or sent as a file: the mask that is kept is what was asked for."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Shop
from tests.browser.shop import SIZE
from tests.browser.test_marks_drawn import _drag

pytestmark = pytest.mark.long

WIDTH, HEIGHT = SIZE


@pytest.fixture
def sheet(page: Page) -> Locator:
    """The sheet to paint on, opened from the entry."""
    page.goto("/entries/1")
    page.keyboard.press("p")
    page.wait_for_url("**/entries/1/mask*")
    expect(page.locator(".state")).to_have_text("0 % of the picture are asked for.")
    return page.locator(".sheet > canvas")


def _kept(page: Page, shop: Shop, button: str = "Ask for this part in colour") -> NDArray[np.bool_]:
    """Send, and the mask that is kept of it."""
    page.get_by_role("button", name=button).click()
    page.wait_for_url("**/entries/1?*notice=requested*")
    with shop.catalogue() as catalogue:
        request = catalogue.requests(1)[-1]
        assert request.mask_sha256 is not None
        with Image.open(io.BytesIO(catalogue.pictures.read(request.mask_sha256))) as mask:
            assert (mask.size, mask.mode) == (SIZE, "1")
            return np.asarray(mask)


def test_an_area_less_a_stroke_and_a_dot_by_keys_are_the_mask(page: Page, shop: Shop, sheet: Locator) -> None:
    page.keyboard.press("a")
    _drag(page, (100, 100), (400, 100), (400, 300), (100, 300), (100, 101))
    page.keyboard.press("e")
    _drag(page, (100, 200), (400, 200))
    page.keyboard.press("d")
    sheet.focus()
    page.keyboard.press("Space")
    expect(page.locator(".state")).to_contain_text("Dot at")
    page.keyboard.press("z")
    page.keyboard.press("Shift+Z")
    mask = _kept(page, shop)
    assert mask[110:170, 110:390].all()
    assert mask[230:290, 110:390].all()
    assert not mask[195:205, 110:390].any()
    assert mask[HEIGHT // 2, WIDTH // 2]
    assert not mask[:90].any()
    assert not mask[HEIGHT // 2 + 60 :].any()  # brushes are a 25th of the height wide


def test_a_file_is_sent_and_one_of_another_size_is_refused_in_words(
    page: Page, shop: Shop, watch: Any, sheet: Locator, tmp_path: Path
) -> None:
    watch.allowed.append("422")
    small, right = tmp_path / "small.png", tmp_path / "right.png"
    Image.new("L", (40, 30), 255).save(small)
    half = np.zeros((HEIGHT, WIDTH), np.uint8)
    half[HEIGHT // 2 :] = 255
    Image.fromarray(half).save(right)
    page.locator("[name=file]").set_input_files(small)
    page.get_by_role("button", name="Ask with this file").click()
    expect(page.locator(".state")).to_contain_text("Not taken: The mask has 40 × 30 pixels and the picture")
    page.locator("[name=file]").set_input_files(right)
    mask = _kept(page, shop, "Ask with this file")
    assert np.array_equal(mask, half > 0)
