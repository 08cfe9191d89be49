"""What a page looks like in the middle of the work, for everybody: each state in both themes and languages."""

from collections.abc import Callable, Mapping

import pytest
from playwright.sync_api import Page, expect

from db.entries.corrections import Correctable
from db.entries.night import Tone, Verdict
from db.entries.review import Judgement
from tests.browser.accessibility import assert_rendered, unnamed_stops, violations
from tests.browser.conftest import PASSWORD, NewPage, Shop, Watch
from tests.browser.test_every_page import LOCALES
from tests.browser.viewing import OPENED

pytestmark = pytest.mark.long


def painted(page: Page) -> None:
    """Both pictures are there, and can be compared."""
    page.wait_for_selector(OPENED)
    expect(page.locator("#verdict [data-key=a]")).to_be_enabled()


def pressed(*keys: str) -> Callable[[Page, Shop], None]:
    """An entry in which these keys were pressed."""

    def reach(page: Page, _: Shop) -> None:
        page.goto("/entries/2")
        painted(page)
        for key in keys:
            page.keyboard.press(key)

    return reach


def somebody_elses(page: Page, shop: Shop) -> None:
    """An entry that another curator has open."""
    with shop.catalogue() as catalogue:
        catalogue.take_lease(4, "wakana")
    page.goto("/entries/4")


def just_approved(page: Page, _: Shop) -> None:
    """The entry after one that was approved, with the notice and its undo."""
    page.goto("/entries/1")
    painted(page)
    page.keyboard.press("a")
    page.wait_for_url("**/entries/2?*")
    painted(page)


def judged(page: Page, shop: Shop) -> None:
    """An entry with a history."""
    just_approved(page, shop)
    page.goto("/entries/1")
    painted(page)


def refused(page: Page, _: Shop) -> None:
    """A verdict that was none."""
    page.goto("/entries/2")
    painted(page)
    page.locator("#verdict").evaluate("(form) => { form.elements.note.removeAttribute('maxlength'); }")
    page.locator("#verdict textarea").fill("x" * 2001)
    page.locator("#verdict [data-key=a]").click()
    expect(page.get_by_role("alert")).to_be_visible()


def a_sample(page: Page, _: Shop) -> None:
    """Many at once, before the verdict."""
    page.goto("/?queue=all")
    for _step in range(3):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.locator("form[action*='/bulk'] button:not([name])").click()
    page.wait_for_url("**/bulk*")


def a_menu(page: Page, _: Shop) -> None:
    """Language, theme and keys."""
    page.goto("/")
    page.locator(".menu summary").click()


def put_right(page: Page, shop: Shop) -> None:
    """An entry whose print was corrected, with the forms open that correct it."""
    with shop.catalogue() as catalogue:
        image = catalogue.attempt(2).content.image_id
        catalogue.correct(image, "wakana", Correctable.ARTISTS, ["歌川国貞", "Utagawa Kuniyoshi"])
        catalogue.give_tone(image, "wakana", Tone.TONED)
    page.goto("/entries/2")
    painted(page)
    page.locator(".correct summary").first.click()


def a_wrong_view(page: Page, _: Shop) -> None:
    """A misspelt address."""
    page.goto("/?error_from=much")


def packages(page: Page, shop: Shop) -> None:
    """Two packages, each with its filter, and what the newest export came to."""
    with shop.catalogue() as catalogue:
        catalogue.give_verdict(6, "wakana", Judgement(Verdict.APPROVED))
    for filter_, tiles in (("", "true"), ("archive=sample&year_from=1700", "false")):
        page.goto(f"/exports?{filter_}")
        page.locator("main select").select_option(tiles)
        page.locator("main form button").first.click()
        expect(page.locator("#state strong")).to_be_visible()
        expect(page.locator("#state[hx-get]")).to_have_count(0, timeout=60_000)


def assigned(page: Page, shop: Shop) -> None:
    """A desk with a view that somebody assigned, and one that was assigned to an account that is closed."""
    shop.add_curators("sumire", "wakana")
    with shop.catalogue() as catalogue:
        catalogue.assign_view("sumire", "", name="清姫", note="by Friday", by="wakana")
        catalogue.assign_view("wakana", "queue=all", name="x" * 100, note="x" * 500, by="sumire")
        catalogue.disable_curator("wakana")
    page.goto("/login?back=/desk")
    page.locator("main [name=name]").fill("sumire")
    page.locator("main [type=password]").fill(PASSWORD)
    page.locator("main form button").click()
    page.wait_for_url("**/desk")


def assigning(page: Page, _: Shop) -> None:
    """The queue's list of saved views, with what is assigned and the form that assigns: after `assigned`."""
    page.goto("/")
    page.locator(".finding .ready summary").click()


STATES: Mapping[str, Callable[[Page, Shop], None]] = {
    "reasons": pressed("r"),
    "swipe": pressed("s"),
    "blink": pressed("b"),
    "opacity": pressed("o"),
    "lightness": pressed("l"),
    "trust": pressed("v"),
    "one": pressed("e", "]"),
    "turned": pressed("d", "q", "s"),
    "faults": pressed("x"),
    "elsewhere": somebody_elses,
    "approved": just_approved,
    "judged": judged,
    "refused": refused,
    "sample": a_sample,
    "put right": put_right,
    "menu": a_menu,
    "wrong view": a_wrong_view,
    "packages": packages,
    "assigned": assigned,
    "assigning": assigning,
}


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("ja", "dark")])
def test_no_state_keeps_anybody_out(new_page: NewPage, shop: Shop, watch: Watch, language: str, theme: str) -> None:
    watch.allowed += ["status of 422"]
    page = new_page(locale=LOCALES[language], color_scheme=theme)
    for name, reach in STATES.items():
        reach(page, shop)
        assert_rendered(page, language)
        assert violations(page) == [], name
        assert unnamed_stops(page) == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
