"""What importing drags in: contracts see import statements, not what a package's `__init__` or a neighbour loads."""

import ast
import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

PACKAGES = ("colorize", "db", "flows")
NOT_HERE = ("db.migrations.env", "db.migrations.versions", "colorize.methods.neural_style.pooling_kernels")


def modules_of(project: Path, package: str) -> list[str]:
    """Every module under a package, but for Alembic's scripts and a GPU's kernels, which are not imported here."""
    files = [path.relative_to(project) for path in sorted((project / package.replace(".", "/")).rglob("*.py"))]
    names = [".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files]
    return [name for name in names if not name.startswith(NOT_HERE)]


def loaded_by(modules: list[str], elsewhere: Path) -> set[str]:
    """Top-level packages that a fresh process holds after importing these modules."""
    code = "import importlib, json, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    run = subprocess.run(
        [sys.executable, "-c", code, *modules], capture_output=True, text=True, check=True, cwd=elsewhere
    )
    return set(json.loads(run.stdout))


@pytest.mark.long
@pytest.mark.parametrize(
    ("package", "barred"),
    [
        ("flows.archives", {"prefect", "sqlalchemy", "torch", "colorize", "db"}),
        ("db", {"prefect", "torch", "colorize", "flows"}),
        ("colorize", {"prefect", "sqlalchemy", "fastapi", "db", "flows"}),
    ],
)
def test_no_module_of_a_guarded_package_loads_what_it_must_not_know(
    package: str, barred: set[str], project: Path, tmp_path: Path
) -> None:
    modules = modules_of(project, package)
    assert len(modules) > 5
    assert loaded_by(modules, tmp_path) & barred == set()


@pytest.mark.long
@pytest.mark.parametrize(
    ("module", "barred"),
    [
        ("flows.cli.app", {"prefect", "torch"}),
        ("flows.settings", {"prefect", "torch", "sqlalchemy"}),
        ("flows.reports.summary", {"prefect", "torch", "sqlalchemy"}),
        ("flows.dispatch", {"torch"}),
        ("colorize.device", {"torch"}),
        ("colorize.recipes.recipe", {"torch", "numpy"}),
        ("colorize.encoders.weights", {"torch"}),
        ("db.settings", {"sqlalchemy"}),
    ],
)
def test_modules_that_answer_at_once_load_nothing_heavy(module: str, barred: set[str], tmp_path: Path) -> None:
    assert loaded_by([module], tmp_path) & barred == set()


@pytest.mark.long
def test_a_module_that_needs_torch_is_seen_to_load_it(tmp_path: Path) -> None:
    """The look at `sys.modules` sees what it looks for."""
    assert {"torch", "colorize", "numpy"} <= loaded_by(["colorize.encoders.vgg19"], tmp_path)


def test_package_files_hold_a_docstring_and_nothing_else(project: Path) -> None:
    packages = [path for package in PACKAGES for path in sorted((project / package).rglob("__init__.py"))]
    assert len(packages) >= 6
    for path in packages:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path
        assert ast.get_docstring(ast.Module(body, [])), path


def test_no_file_of_flows_is_named_like_a_package_that_somebody_imports(project: Path) -> None:
    """Loading a flow by its file's path puts `flows/` first on `sys.path`."""
    taken = {*packages_distributions(), *sys.stdlib_module_names} - {"__init__"}
    names = {path.stem for path in (project / "flows").iterdir() if not path.name.startswith("__")}
    assert "nightly" in names
    assert names & taken == set()


@pytest.mark.long
def test_the_night_can_be_loaded_by_its_files_path(project: Path, tmp_path: Path) -> None:
    code = "import sys\nfrom prefect.utilities.importtools import import_object\nprint(import_object(sys.argv[1]).name)"
    entry_point = f"{project / 'flows' / 'nightly.py'}:nightly"
    run = subprocess.run(
        [sys.executable, "-c", code, entry_point], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert run.stdout.strip() == "nightly", run.stderr
