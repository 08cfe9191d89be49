"""Every door of the `nishiki` command, as a person uses it: a night over HTTP, and all that can be asked after it."""

import csv
import io
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from db.catalogue import Catalogue
from db.settings import CatalogueSettings
from flows.archives.sample.server import serve_sample
from tests.e2e.conftest import Here, Nishiki
from tests.provenance import read_provenance

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class TwoNights:
    """A home after two nights on the same archive, and what they said."""

    nishiki: Here
    said: tuple[str, str]
    status: tuple[dict[str, Any], dict[str, Any]]
    files: tuple[set[str], set[str]]


@pytest.fixture(scope="session")
def nights(lone_nishiki: Nishiki, prefect_api: str) -> TwoNights:
    """The first night with a Prefect server of its own, as a new user runs it, the second with the shared one."""
    pictures = lone_nishiki.home / "pictures"
    here = Here(lone_nishiki.home, {**lone_nishiki.environment, "PREFECT_API_URL": prefect_api})
    said, status, files = [], [], []
    with serve_sample(designs=4, grays=3) as archive:
        for nishiki in (lone_nishiki, here):
            said.append(nishiki.good("nightly", archive.base_url))
            status.append(here.status())
            files.append({path.name for path in pictures.rglob("*.*")})
    return TwoNights(here, (said[0], said[1]), (status[0], status[1]), (files[0], files[1]))


@pytest.fixture
def here(nishiki: Nishiki) -> Here:
    """The command with an empty home, in this process."""
    return Here(nishiki.home, nishiki.environment)


@pytest.fixture
def website() -> Iterator[str]:
    """A server that answers every question with a page for people."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<!doctype html><title>Welcome</title><p>Our prints"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/oai"
        server.shutdown()
        thread.join()


def test_a_night_ends_with_a_table_the_contact_sheet_and_the_encoders_name(nights: TwoNights) -> None:
    said = nights.said[0]
    assert "records 12 new, 1 deleted; 11 pictures fetched" in said
    assert "Dispatch, batch 1: 3 succeeded." in said
    assert "rights: no: 1" in said
    weights, report = said.splitlines()[-2:]
    assert "random-seeded" in weights
    assert report.startswith("Report on the night: ")
    (sheet,) = [line for line in said.splitlines() if line.startswith("Contact sheet: ")]
    assert Path(sheet.removeprefix("Contact sheet: ").split(" and ")[0]).is_file()
    for number in (1, 2, 3):
        assert f"oai:sample.nishiki:000{number}-g" in said


def test_the_second_night_makes_nothing_new(nights: TwoNights) -> None:
    assert "Harvest of" in nights.said[1]
    assert "records none; 0 pictures fetched" in nights.said[1]
    assert "Dispatch: 0 new attempts; nothing is due." in nights.said[1]
    assert nights.files[1] == nights.files[0]
    unchanged = ("records", "images", "matches", "attempts", "batch", "encoder")
    assert {key: nights.status[1][key] for key in unchanged} == {key: nights.status[0][key] for key in unchanged}


def test_nights_are_listed_with_their_ends_and_the_last_is_in_the_status(nights: TwoNights) -> None:
    second, first = json.loads(nights.nishiki.good("nights", "--json"))
    assert (first["ending"], first["exit_code"], first["counts"]["attempts"]) == ("done", 0, {"succeeded": 3})
    assert (nights.status[0]["night"], nights.status[1]["night"]) == (first, second)
    assert len(json.loads(nights.nishiki.good("nights", "--json", "--last", "1"))) == 1
    table = nights.nishiki.good("nights")
    assert "done (0)" in table
    assert "12 new, 1 deleted" in table
    assert "done after" in nights.nishiki.good("status")


def test_status_tells_what_there_is(nights: TwoNights) -> None:
    status = nights.status[0]
    assert status["records"] == 12
    assert status["images"] == {"grayscale": 6, "toned": 1, "colour": 4, "unsure": 0}
    assert status["matches"]["matched"] == 3
    assert status["attempts"] == {"pending": 0, "succeeded": 3, "rejected": 0, "failed": 0}
    assert status["encoder"]["name"] == "random-seeded"
    assert len(status["encoder"]["checksum"]) == 64
    assert (status["batch"]["id"], status["batch"]["done"], status["batch"]["left"]) == (1, 3, 0)
    assert "3 succeeded" in nights.nishiki.good("status")


def test_the_export_can_be_read_in_both_forms(nights: TwoNights) -> None:
    rows = list(csv.DictReader(io.StringIO(nights.nishiki.good("export"))))
    attempts = json.loads(nights.nishiki.good("export", "--format", "json"))
    assert len(rows) == len(attempts) == 3
    assert {row["outcome"] for row in rows} == {"succeeded"}


def test_an_attempt_is_shown_with_its_prints_its_errors_and_its_trace(nights: TwoNights, tmp_path: Path) -> None:
    figure = tmp_path / "trace.png"
    said = nights.nishiki.good("show", "1", "--trace", "--png", str(figure))
    told = json.loads(nights.nishiki.good("show", "1", "--json"))
    for words in (told["content"]["identifier"], told["files"]["result"], "random-seeded", "errors", "Weighted losses"):
        assert words in said
    assert [point["iteration"] for point in told["result"]["trace"]] == [0, 2]
    with Image.open(figure) as picture:
        assert "machine-colorized attempt 1" in picture.info["Title"]
    assert "there is no attempt 9" in nights.nishiki.bad(1, "show", "9")


def test_a_catalogue_after_a_night_is_sound(nights: TwoNights) -> None:
    assert nights.nishiki.good("doctor", "--deep") == "The catalogue and its pictures are sound.\n"


def test_a_lone_pair_becomes_a_png_that_tells_how_it_came_to_be(nights: TwoNights, tmp_path: Path) -> None:
    grays = sorted((nights.nishiki.home / "pictures").rglob("*.jpg"))[:2]
    output = tmp_path / "out.png"
    said = nights.nishiki.good("colorize", str(grays[0]), str(grays[1]), "-o", str(output))
    told = read_provenance(output.read_bytes())
    assert told is not None
    assert (told.recipe_name, told.content.sha256, told.styles[0].sha256) == (
        "jadh2016/config1_1_1", grays[0].stem, grays[1].stem,
    )  # fmt: skip
    assert "Relative errors" in said
    assert "random-seeded" in said


def test_an_unknown_recipe_is_refused_before_any_archive_is_asked(here: Here) -> None:
    said = here.bad(2, "nightly", "http://127.0.0.1:9/oai", "--recipe", "nonsense")
    assert "nonsense" in said
    assert not (here.home / "catalogue.db").exists()


def test_a_folder_that_is_not_there_fails_with_a_sentence(here: Here) -> None:
    run = here("harvest", "no-such-folder")
    assert run.returncode == 1
    assert "no-such-folder does not exist; give a folder with pictures" in run.stderr
    assert run.stdout == ""
    assert not (here.home / "catalogue.db").exists()


def test_a_url_that_answers_with_a_page_for_people_fails_with_a_sentence(here: Here, website: str) -> None:
    run = here("harvest", website)
    assert run.returncode == 1
    assert f"Harvest of {website}" in run.stdout
    assert "HTML" in run.stdout
    assert run.stderr == ""


def test_a_catalogue_of_another_schema_is_left_alone(here: Here) -> None:
    Catalogue.open(CatalogueSettings(home=here.home)).close()
    catalogue = here.home / "catalogue.db"
    with closing(sqlite3.connect(catalogue)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    before = catalogue.read_bytes()
    assert "newer than this program's" in here.bad(1, "status")
    assert "newer than this program's" in here.bad(1, "harvest", ".")
    assert catalogue.read_bytes() == before


def test_an_older_catalogue_is_refused_with_the_command_that_helps(nights: TwoNights) -> None:
    """A program whose schema is ahead sees this one as older."""
    later = "import db.engine; db.engine.HEAD = '9998'; from flows.cli.app import app; app(['status'])"
    run = subprocess.run(
        [sys.executable, "-c", later], capture_output=True, text=True, check=False, env=nights.nishiki.environment
    )
    assert run.returncode == 1
    assert run.stderr.startswith("nishiki: the catalogue at ")
    assert "run `nishiki doctor --upgrade`" in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_full_disk_ends_the_harvest_with_a_sentence_and_the_next_one_goes_on(
    nishiki: Nishiki, here: Here, tmp_path: Path
) -> None:
    """A file may not grow past 1 MiB, which the system answers like a disk without room."""
    folder = tmp_path / "prints"
    folder.mkdir()
    noise = np.random.default_rng(5).integers(0, 256, (800, 800, 3), np.uint8)
    Image.fromarray(noise[:99, :99]).save(folder / "1-small.png")
    Image.fromarray(noise).save(folder / "2-large.png")
    run = nishiki.with_files_up_to(1024, "harvest", str(folder))
    assert (run.returncode, run.stderr) == (
        1, f"nishiki: no room left for pictures in {nishiki.home / 'pictures'}; free some space and run this again\n",
    )  # fmt: skip
    assert here.status()["pictures"] == {"wanted": 1, "held": 1, "broken": 0}
    assert "1 pictures fetched" in here.good("harvest", str(folder))
    assert here.good("doctor") == "The catalogue and its pictures are sound.\n"
