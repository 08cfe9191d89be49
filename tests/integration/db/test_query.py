"""`nishiki query`, on both databases: the queue's filters and the statistics as a table, CSV, JSON and Parquet."""

import csv
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Judgement
from db.exports import tables
from db.exports.lines import line
from db.settings import CatalogueSettings
from flows.cli.app import app
from tests.samples import Sample

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(catalogue: Catalogue, settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("NISHIKI_HOME", str(settings.home))
    monkeypatch.setenv("NISHIKI_DATABASE_URL", settings.url)

    def query(*words: object) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["query", *map(str, words)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.output

    return query


@pytest.fixture
def made(catalogue: Catalogue, sample: Sample) -> list[int]:
    """Five that wait, of which one is approved then; one record's title would be a formula."""
    found = [
        sample.entry(catalogue, sample.record("formula", title='=HYPERLINK("https://x")', artists=("@SUM(1)",)), 0.95),
        *sample.entries(catalogue, 4),
    ]
    catalogue.give_verdict(found[1], "O-Kiku", Judgement(Verdict.APPROVED))
    return found


@pytest.mark.long
def test_files_hold_every_entry_of_a_filter_in_the_queues_order(
    catalogue: Catalogue, run: Run, made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.cli.query.AT_ONCE", 2)
    code, told = run("queue=all", "--format", "json")
    assert (code, [each["entry"] for each in json.loads(told)]) == (0, made)
    assert run("queue=all", "--format", "json", "--to", tmp_path / "all.json")[1].startswith("5 rows are in ")
    assert json.loads((tmp_path / "all.json").read_text()) == json.loads(told)
    one = json.loads(run("?queue=all&verdict=approved", "--format", "json")[1])
    expected = line(catalogue.queue_entry(made[1]))
    assert (one[0]["entry"], one[0]["curator"], one[0]["given_at"]) == (
        made[1],
        "O-Kiku",
        expected.given_at and expected.given_at.isoformat(),
    )
    assert [each["entry"] for each in json.loads(run("--format", "json", "--limit", 3)[1])] == [made[0], *made[2:4]]


def test_a_spreadsheet_computes_nothing_of_a_csv(run: Run, made: list[int], tmp_path: Path) -> None:
    code, told = run("--format", "csv")
    rows = [*csv.DictReader(told.splitlines())]
    assert code == 0
    assert [int(each["entry"]) for each in rows] == [made[0], *made[2:]]
    assert (rows[0]["title"], rows[0]["artists"]) == ('\'=HYPERLINK("https://x")', "'@SUM(1)")
    run("--format", "csv", "--to", tmp_path / "all.csv")
    assert (tmp_path / "all.csv").read_bytes().decode() == told.replace("\r\n", "\n").replace("\n", "\r\n")


def test_a_table_lines_up_wide_letters_and_says_that_there_is_more(
    catalogue: Catalogue, sample: Sample, run: Run
) -> None:
    sample.entry(catalogue, sample.record("r1", title="豊国\x1b[31m"))
    sample.entry(catalogue, sample.record("r2", title="plain"))
    code, told = run()
    lines = told.splitlines()
    assert code == 0
    assert "豊国�[31m  jadh2016" in lines[1]
    places = [sum(2 if letter in "豊国" else 1 for letter in each[: each.index("jadh2016")]) for each in lines[1:]]
    assert len(set(places)) == 1
    assert "more; --limit" in run("--limit", 1)[1]
    assert run("words=nobody") == (0, "There is nothing that this leaves.\n")
    assert run("words=nobody", "--format", "csv")[1].startswith('"entry","batch"')


def test_statistics_are_told_by_recipe_and_night(run: Run, made: list[int]) -> None:
    (recipe,) = json.loads(run("--by", "recipe", "--format", "json")[1])
    assert (recipe["recipe"], recipe["results"], recipe["approved"]) == ("jadh2016/config3_3_4", 5, 1)
    assert "jadh2016/config3_3_4" in run("--by", "recipe")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("colour=red",), "the filter does not know 'colour'; it knows actor, archive"),
        (("nonsense",), "the filter does not know 'nonsense'"),
        (("batch_id=many",), "the filter's batch_id cannot be 'many'"),
        (("--format", "parquet"), "say where it is to lie: --to FILE"),
        (("--to", "x"), "a table is for the terminal"),
        (("queue=all", "--by", "recipe"), "leave out the filter"),
        (("--format", "csv", "--to", "/nowhere/x.csv"), "give one in a folder that is there"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, words: tuple[str, ...], said: str) -> None:
    code, told = run(*words)
    assert code == 2
    assert said in told


def test_a_file_that_cannot_be_finished_is_not_there(
    run: Run, made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(*_: Any) -> Any:
        raise KeyboardInterrupt

    (tmp_path / "all.json").write_text("the one before")
    monkeypatch.setattr("db.exports.tables.json.dumps", breaking)
    CliRunner().invoke(app, ["query", "--format", "json", "--to", str(tmp_path / "all.json")])
    assert [each.read_text() for each in tmp_path.glob("*all*")] == ["the one before"]


@pytest.mark.skipif(find_spec("pyarrow") is None, reason="pyarrow is not installed; pip install '.[parquet]'")
def test_parquet_holds_the_same_with_types(
    run: Run, made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow.parquet import read_table  # noqa: PLC0415

    monkeypatch.setattr(tables, "_BATCH", 2)
    assert run("queue=all", "--format", "parquet", "--to", tmp_path / "all.parquet")[1].startswith("5 rows are in ")
    kept = read_table(tmp_path / "all.parquet")
    told = json.loads(run("queue=all", "--format", "json")[1])
    assert [str(kept.schema.field(name).type) for name in ("entry", "trust", "artists", "given_at", "withheld")] == [
        "int64", "double", "list<element: string>", "timestamp[us, tz=UTC]", "bool",
    ]  # fmt: skip
    rows = [row | {"given_at": row["given_at"] and row["given_at"].isoformat()} for row in kept.to_pylist()]
    assert rows == told
    run("words=nobody", "--format", "parquet", "--to", tmp_path / "none.parquet")
    assert read_table(tmp_path / "none.parquet").schema == kept.schema
    run("--by", "recipe", "--format", "parquet", "--to", tmp_path / "recipes.parquet")
    assert read_table(tmp_path / "recipes.parquet").to_pylist()[0]["results"] == 5
