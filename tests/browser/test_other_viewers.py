"""A package in viewers of others: OpenSeadragon opens its tiles, Mirador its manifests, from plain files on a server.

Mirador comes from npm (`make viewers`); where nobody has fetched it, its test is skipped.
"""

import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Judgement, QueueFilter
from db.exports.entry_files import Sources, folder_of
from db.exports.package import Order, export
from db.files.home import HomeFolder
from db.files.tiles import TileStore
from db.settings import CatalogueSettings
from tests.browser.conftest import Watch
from tests.browser.shop import SIZE
from tests.browser.viewing import until

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
MIRADOR = ROOT / "build/viewers/package/dist/mirador.min.js"
OPENSEADRAGON = ROOT / "db/review/static/vendor/openseadragon.min.js"
TILED = """<!doctype html><meta charset="utf-8"><title>tiles</title>
<div id="viewer" style="width:720px;height:700px"></div>
<script src="/openseadragon.min.js"></script>
<script>
window.viewer = OpenSeadragon({id: "viewer", drawer: "canvas", showNavigationControl: false, tileSources: INFO});
</script>"""
WINDOW = """<!doctype html><meta charset="utf-8"><title>window</title>
<div id="viewer" style="position:absolute;inset:0"></div>
<script src="/mirador.min.js"></script>
<script>
window.mirador = Mirador.viewer({
  id: "viewer", windows: [{manifestId: MANIFEST}], workspaceControlPanel: {enabled: false},
  window: {sideBarOpen: true, defaultSideBarPanel: "info", panels: {info: true, layers: true, attribution: true}},
});
</script>"""


@dataclass
class Site:
    """A web server of files, with the package of an approved entry in its folder `data`."""

    folder: Path
    url: str
    entry: int

    @property
    def at(self) -> str:
        """Address of the entry's folder."""
        return f"{self.url}/data/{folder_of(self.entry)}"

    def offer(self, name: str, text: str, **words: str) -> str:
        """Put a page there, with addresses for the words in it; the page's address."""
        for word, address in words.items():
            text = text.replace(word, f'"{address}"')
        (self.folder / name).write_text(text, encoding="utf-8")
        return f"{self.url}/{name}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def site(morning: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """One approved entry of the morning, exported; with tiles, unless the test says otherwise."""
    tiles = getattr(request, "param", True)
    home, folder = tmp_path / "home", tmp_path / "site"
    shutil.copytree(morning, home)
    folder.mkdir()
    with _served(folder) as url, Catalogue.open(CatalogueSettings(home=home), create=False) as catalogue:
        number = catalogue.queue(QueueFilter()).entries[0].attempt_id
        catalogue.give_verdict(number, "curator", Judgement(Verdict.APPROVED))
        sources = Sources(catalogue, TileStore(home / HomeFolder.TILES))
        assert export(sources, tmp_path / "bag", Order(f"{url}/data/", QueueFilter(), tiles=tiles)).problems == []
        (folder / "data").symlink_to(tmp_path / "bag/data")
        yield Site(folder, url, number)


@pytest.fixture
def visited(browser: Browser, site: Site) -> Iterator[Callable[[str], Page]]:
    """Opens a page of the site; what goes wrong there, or asks another host, fails the test."""
    watch = Watch(site.url.removeprefix("http://"), allowed=["favicon.ico", "removed in React 19"])
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    watch.over(context)

    def visit(address: str) -> Page:
        page = context.new_page()
        page.goto(address)
        return page

    yield visit
    context.close()
    assert watch.unexpected() == []


def _colours(png: bytes) -> int:
    """How many different colours a picture of a screen has, of 32 steps each."""
    with Image.open(io.BytesIO(png)) as image:
        return len(np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3) // 8, axis=0))


@pytest.mark.parametrize("name", ["colorized", "original"])
def test_openseadragon_opens_the_tiles_of_a_package(site: Site, visited: Callable[[str], Page], name: str) -> None:
    shutil.copy(OPENSEADRAGON, site.folder)
    page = visited(site.offer("tiles.html", TILED, INFO=f"{site.at}/{name}/info.json"))
    until(page, lambda: page.evaluate("viewer.world.getItemCount() && viewer.world.getItemAt(0).getFullyLoaded()"))
    assert page.evaluate("Object.values(viewer.world.getItemAt(0).getContentSize())") == list(SIZE)
    page.evaluate("viewer.viewport.zoomTo(viewer.viewport.imageToViewportZoom(1), null, true)")
    until(page, lambda: page.evaluate("viewer.world.getItemAt(0).getFullyLoaded()"))
    assert _colours(page.locator("#viewer").screenshot()) > 20


@pytest.mark.parametrize("site", [True, False], ids=["tiles", "no tiles"], indirect=True)
def test_mirador_opens_a_manifest_of_a_package_and_tells_that_a_machine_coloured_it(
    site: Site, visited: Callable[[str], Page]
) -> None:
    if not MIRADOR.is_file():
        pytest.skip("Mirador is not here; fetch it from npm: make viewers")
    shutil.copy(MIRADOR, site.folder)
    page = visited(site.offer("window.html", WINDOW, MANIFEST=f"{site.at}/manifest.json"))
    page.get_by_role("tab", name="Rights").click()
    expect(page.get_by_text("Machine-colorized by").first).to_be_visible()
    canvas = page.locator(".mirador-osd-container")
    until(page, lambda: _colours(canvas.screenshot()) > 20)
    page.get_by_role("tab", name="Layers").click()
    for choice in ("Colorized", "Original"):
        expect(page.get_by_text(choice, exact=True).first).to_be_visible()
