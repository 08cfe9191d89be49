"""`nishiki harvest --dry-run`: a folder row by row as the harvest would take it, and nothing changed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli.app import app


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five pictures and a table, in an empty place of work."""
    monkeypatch.chdir(tmp_path)
    prints = tmp_path / "prints"
    prints.mkdir()
    for name in ("IMG_1.JPG", "P2.png", "P3.png", "P3.tif", "loose.png"):
        (prints / name).write_bytes(b"\xff\xd8\xff\xe0 a picture")
    (prints / "records.csv").write_text(
        "identifier,file,artist,date,derivatives,棚\n"
        "x1,img_1.jpg,豊国;国貞,文久3年,no,A\n"
        "x2,P2.png,,,yes,\n"
        "x3,P3,,,yes,\n"
        "x4,gone.png,,,yes,\n",
        encoding="utf-8",
    )
    return prints


def dry_run(*words: str) -> Result:
    run = CliRunner().invoke(app, ["harvest", "--dry-run", *words])
    assert not Path("nishiki-data").exists()
    return run


def test_it_shows_each_row_each_picture_without_one_and_unused_columns(folder: Path) -> None:
    run = dry_run(str(folder))
    assert run.exit_code == 0
    for line in (
        f"{folder}: 5 pictures; 4 rows in records.csv.",
        "records.csv line 2: x1",
        "  picture: IMG_1.JPG for “img_1.jpg” (capitals, width, spaces or marks)",
        "  artists: 豊国, 国貞",
        "  years: 1863",
        "  rights: no, held back (“no” in column derivatives of records.csv)",
        "  held back: records.csv line 4: P3 may be P3.png, P3.tif; write the name as the file has it",
        "  held back: records.csv line 5: there is no picture gone.png; check the name",
        "3 pictures that no row reaches:",
        "  loose.png: unknown (no row of records.csv names this picture)",
        "  P3.tif: unknown (records.csv line 4 may mean this picture, and cannot be used)",
        "  records.csv: columns that are kept and not used: 棚",
        "Nothing was changed.",
    ):
        assert line in run.stdout.splitlines()


def test_it_says_the_same_as_json(folder: Path) -> None:
    (data,) = map(json.loads, dry_run(str(folder), "--json").stdout.splitlines())
    first, second, third, fourth = data["rows"]
    assert (first["identifier"], first["pictures"][0]["path"], first["rights"]["derivatives"]) == (
        "x1",
        "IMG_1.JPG",
        "no",
    )
    assert (first["artists"], first["years"]) == (["豊国", "国貞"], [1863])
    assert (second["held_back"], second["pictures"][0]["how"]) == (None, "")
    assert third["may_mean"] == ["P3.png", "P3.tif"]
    assert "gone.png" in fourth["held_back"]
    assert data["unused_columns"] == {"records.csv": ["棚"]}
    assert [rest["path"] for rest in data["pictures_without_a_row"]] == ["loose.png", "P3.png", "P3.tif"]


def test_a_setting_of_the_archive_frees_what_no_row_reaches_and_no_row_may_mean(folder: Path) -> None:
    Path("nishiki.toml").write_text(
        f'[archives.prints]\naddress = "{folder}"\nundescribed_pictures = "free"\n', encoding="utf-8"
    )
    lines = dry_run().stdout.splitlines()
    assert "  loose.png: yes (operator's own folder)" in lines
    assert "  P3.png: unknown (records.csv line 4 may mean this picture, and cannot be used)" in lines


def test_a_folder_without_a_table_is_the_operators_own(folder: Path) -> None:
    (folder / "records.csv").unlink()
    lines = dry_run(str(folder)).stdout.splitlines()
    assert lines[0] == f"{folder}: 5 pictures; no table."
    assert "  loose.png: yes (operator's own folder)" in lines


def test_what_cannot_be_shown_is_said_in_a_sentence(folder: Path) -> None:
    assert "https://archive.example/oai would be asked for everything" in dry_run("https://archive.example/oai").stdout
    assert CliRunner().invoke(app, ["harvest", str(folder), "--json"]).exit_code == 2
    (folder / "records.csv").write_text('file\n"')
    run = dry_run(str(folder))
    assert run.exit_code == 1
    assert "records.csv cannot be read" in run.stderr
