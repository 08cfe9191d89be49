"""What a command that only looks may load: a person waits for each library, and most answers need none of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from db.catalogue import Catalogue
from db.settings import CatalogueSettings

CODE = """
import contextlib, io, json, sys
from flows.cli.app import app
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
    app(sys.argv[1:], prog_name="nishiki")
print(json.dumps({"said": said.getvalue(), "loaded": sorted({name.partition(".")[0] for name in sys.modules})}))
"""
HEAVY = {"torch", "torchvision", "prefect", "scipy", "skimage", "PIL", "pyvips", "matplotlib", "fastapi", "uvicorn",
         "jinja2", "alembic", "krippendorff", "argon2"}  # fmt: skip
"""Each takes a tenth of a second to several seconds."""
ARCHIVES = {"requests", "urllib3", "protego", "defusedxml"}
DATABASE = {"sqlalchemy", "psycopg"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with nothing in it."""
    home = tmp_path_factory.mktemp("home")
    Catalogue.open(CatalogueSettings(home=home)).close()
    return home


@pytest.mark.parametrize(
    ("command", "answer", "barred"),
    [
        ("--help", "Usage", {"numpy", "pydantic", "rich", *ARCHIVES, *DATABASE}),
        ("status", "records", {"numpy", "psycopg", *ARCHIVES}),
        ("status --json", '"records"', {"numpy", "psycopg", "rich", *ARCHIVES}),
        ("export", "", {"numpy", "psycopg", "rich", *ARCHIVES}),
        ("export --format json", "[", {"numpy", "psycopg", "rich", *ARCHIVES}),
        ("query", "nothing", {"numpy", "psycopg", "rich", *ARCHIVES}),
        ("query --by recipe --format json", "[", {"numpy", "psycopg", "rich", *ARCHIVES}),
        ("doctor", "sound", {"numpy", "psycopg", "rich", *ARCHIVES}),
        ("recipes", "nishiki/colour", {"numpy", *ARCHIVES, *DATABASE}),
        ("weights list", "nishiki-small", {*ARCHIVES, *DATABASE}),
        ("token list", "No tokens yet", {"numpy", "psycopg", *ARCHIVES}),
        ("curator list", "No accounts", {"numpy", "psycopg", *ARCHIVES}),
    ],
)
def test_a_command_that_only_looks_loads_what_it_needs_and_no_more(
    command: str, answer: str, barred: set[str], home: Path
) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CODE, *command.split()],
        capture_output=True, text=True, check=False, cwd=home, env=os.environ | {"NISHIKI_HOME": str(home)},
    )  # fmt: skip
    assert run.stderr == ""
    told = json.loads(run.stdout)
    assert answer in told["said"]
    assert set(told["loaded"]) & (HEAVY | barred) == set()
