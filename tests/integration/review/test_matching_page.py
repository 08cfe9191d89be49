"""The page on the matching rule: what is in force, what was learned, and what was refused and why."""

from dataclasses import replace

from db.catalogue import Catalogue
from db.settings import CatalogueSettings
from tests.integration.db.test_catalogue_refits import REFIT
from tests.integration.review.review_client import Browser, opened

DATABASES = ("sqlite",)
"""The page is the subject; its queries run on both databases in `tests/integration/db`."""


def test_weights_in_force_and_refits_are_told(settings: CatalogueSettings, catalogue: Catalogue) -> None:
    with opened(settings) as app:
        browser = Browser(app)
        assert "0 verdicts that teach are here, and 50 are needed" in browser.get("/matching").text
        catalogue.add_refit(REFIT)
        catalogue.add_refit(replace(REFIT, weights={"actor": 0.7}, why="<b>no better</b>"))
        page = browser.get("/matching").text
    assert "In force is refit 1." in page
    assert '<th scope="row">the same actor, in any year</th><td>0.100</td><td>0.200</td>' in page
    assert "accepted: better on verdicts kept out" in page
    assert "refused: &lt;b&gt;no better" in page
