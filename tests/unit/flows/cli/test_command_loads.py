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
print(json.dumps({"said": said.getvalue(), "loaded": sorted(sys.modules)}))
"""
HEAVY = {"torch", "torchvision", "prefect", "scipy", "skimage", "PIL", "pyvips", "matplotlib", "fastapi", "uvicorn",
         "jinja2", "alembic", "krippendorff", "argon2"}  # fmt: skip
"""Each takes a tenth of a second to several seconds."""
ARCHIVES = {"requests", "urllib3", "protego", "defusedxml"}
DATABASE = {"sqlalchemy", "psycopg"}
SETTINGS = {"db.exports.leaving", "db.entries.review"}
"""What settings once loaded, for one check of an address."""
SQLITE = {"numpy", "psycopg", "sqlalchemy.dialects.postgresql", *ARCHIVES}
"""What nobody needs who looks at a SQLite file."""
WHOLE = {"db.catalogue", "db.queries.review", "db.queries.night.dispatch", "db.queries.base.usable"}
"""Of the catalogue, what tells nothing of how it stands."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue with nothing in it."""
    home = tmp_path_factory.mktemp("home")
    Catalogue.open(CatalogueSettings(home=home)).close()
    return home


@pytest.mark.parametrize(
    ("command", "answer", "barred"),
    [
        ("--help", "Usage", {"numpy", "pydantic", "rich", "cronsim", "db.entries.review", *ARCHIVES, *DATABASE}),
        ("status", "records", SQLITE | WHOLE),
        ("status --json", '"records"', {"rich"} | SQLITE | WHOLE),
        ("nights", "No night", {"rich"} | SQLITE | WHOLE),
        ("export", "", {"rich"} | SQLITE),
        ("export --format json", "[", {"rich"} | SQLITE),
        ("query", "nothing", {"rich"} | SQLITE),
        ("query --by recipe --format json", "[", {"rich"} | SQLITE),
        ("doctor", "sound", {"rich"} | SQLITE),
        ("recipes", "nishiki/colour", {"numpy"} | ARCHIVES | DATABASE | SETTINGS),
        ("weights list", "nishiki-small", ARCHIVES | DATABASE | SETTINGS),
        ("token list", "No tokens yet", SQLITE),
        ("curator list", "No accounts", SQLITE),
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
    assert [name for name in told["loaded"] if _within(name, HEAVY | barred)] == []


def _within(module: str, packages: set[str]) -> bool:
    """Is it one of these, or inside one?"""
    parts = module.split(".")
    return any(".".join(parts[:depth]) in packages for depth in range(1, len(parts) + 1))
