"""Where the machine keeps things is nobody's business: no page, no answer, no export names a folder of it."""

import io
from typing import TYPE_CHECKING

import pytest

from db.catalogue import Catalogue
from db.entries.review import Queue, QueueFilter, Role
from db.exports.attempts import write_csv, write_json
from db.pathless import archive_label
from db.review.view.static_files import FOR_EVER, static_version
from db.settings import CatalogueSettings
from tests.integration.review.review_client import Browser, add_people, opened, routes, signed_in

if TYPE_CHECKING:
    from tests.samples import Sample

DATABASES = ("sqlite",)


@pytest.mark.long
def test_no_page_and_no_export_names_a_folder_of_the_machine(
    settings: CatalogueSettings, catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt, *_ = sample.entries(catalogue, 2)
    add_people(catalogue, Ren=Role.ADMIN)
    name = str(settings.home / "prints")
    with catalogue.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE archives SET name = '{name}'")
        connection.exec_driver_sql(f"UPDATE attempts SET outcome = 'rejected', error_message = 'no {name}/a.png'")
        connection.exec_driver_sql("UPDATE reviews SET outcome = 'rejected'")
    shown = [io.StringIO(newline=""), io.StringIO(newline="")]
    write_csv(catalogue, shown[0])
    write_json(catalogue, shown[1])
    texts = [each.getvalue() for each in shown]
    assert all(archive_label(name) in text and "prints/a.png" not in text for text in texts)
    with opened(settings) as app:
        browser = signed_in(app, "Ren")
        addresses = [address for _, address in routes(app, "get", attempt_id=attempt)]
        addresses += [
            "/facets?queue=all",
            f"/?queue=all&archive={archive_label(name)}",
            "/pictures/" + "a" * 64 + "/thumb.jpg",
        ]
        pages = {address: browser.get(address) for address in addresses}
        texts += [page.text for page in pages.values()]
        assert str(attempt) in pages[f"/?queue=all&archive={archive_label(name)}"].text
        facets = catalogue.facets(QueueFilter(queue=Queue.ALL)).values["archive"]
        assert [each.value for each in facets] == [archive_label(name)]
        assert archive_label(name) in pages[f"/entries/{attempt}"].text
        texts += [browser.post(address).text for method, address in routes(app, "post") if method == "post"]
    for text in texts:
        assert str(settings.home) not in text
        assert str(settings.home.parent) not in text


@pytest.mark.parametrize("version", [static_version(), "0" * 12, ""])
def test_the_page_s_own_files_are_kept_for_ever_by_their_content_s_address(
    settings: CatalogueSettings, catalogue: Catalogue, version: str
) -> None:
    with opened(settings) as app:
        browser = Browser(app)
        for name in ("nishiki.css", "verdict.js", "vendor/htmx.min.js"):
            answer = browser.http.get(f"/static/{version}/{name}".replace("//", "/"))
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == (FOR_EVER if version == static_version() else "no-cache")
        assert f"/static/{static_version()}/nishiki.css" in browser.http.get("/login").text
        assert browser.http.get(f"/static/{static_version()}/nothing.js").status_code == 404
