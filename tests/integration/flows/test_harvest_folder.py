"""Folders of pictures that nishiki writes into as well: what it made itself never comes back to it as a print."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sqlalchemy import text

from db.catalogue import Catalogue
from db.entries.night import Change
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.harvest import harvest
from flows.nightly import nightly
from flows.reports.summary import harvest_lines
from flows.single import Files, colorize_files
from tests.unit.colorize.images import test_judged_by_the_picture as files

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture
def prints(tmp_path: Path) -> Path:
    """A gray print and a colour one."""
    folder = tmp_path / "prints"
    folder.mkdir()
    for seed, name in enumerate(("gray.png", "colour.png")):
        picture = Image.fromarray(draw_print(design(seed), 0).pixels).reduce(8)
        (picture.convert("L") if name == "gray.png" else picture).save(folder / name)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("home", ["", "data", "deep/data"])
def test_a_night_whose_home_is_or_lies_in_the_archive_takes_nothing_of_its_own_for_a_print(
    settings_of: "SettingsOf", prints: Path, home: str
) -> None:
    settings = settings_of(prints / home)
    first = nightly([str(prints)], settings)
    assert [tally.outcomes for tally in first.batches] == [{"succeeded": 1}]
    again = nightly([str(prints)], settings)
    (tally,) = again.harvests
    assert (tally.records[Change.UNCHANGED], sum(tally.records.values()), tally.problems) == (2, 2, [])
    assert again.batches == []
    other = settings_of(prints / "another home")
    (seen,) = harvest(other, [str(prints)])
    assert (seen.records[Change.NEW], seen.problems) == (2, [])


@pytest.mark.long
def test_a_result_of_colorize_is_known_for_one_wherever_it_lies(settings_of: "SettingsOf", prints: Path) -> None:
    settings = settings_of(prints.parent / "home")
    for suffix in (".png", ".tif", ".jpg"):
        made = (prints / "made").with_suffix(suffix)
        list(colorize_files(settings, Files(prints / "gray.png", (prints / "colour.png",), None, made)))
        (tally,) = harvest(settings, [str(prints)])
        assert [name for name, reason in tally.problems if "nishiki made" in reason] == ["made"]
        made.unlink()
    with Catalogue.open(settings) as catalogue:
        assert len(list(catalogue.pictures.files())) == 2


def test_what_decoding_corrected_is_told_by_the_harvest_and_kept_beside_the_picture(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    odd = {
        "deep": (files.BRIGHT["12 in 16"][0](), "Taken for 12 bits in 16"),
        "clear": (files.HIDDEN["TIFF, zero"](), "would hide the picture"),
        "pages": (files.PAGES["thumbnail first"][0], "page 2, the largest"),
        "plain": (files.tiff(files.print8()), ""),
    }
    (tmp_path / "prints").mkdir()
    for name, (data, _) in odd.items():
        (tmp_path / "prints" / f"{name}.tif").write_bytes(data)
    settings = settings_of(tmp_path / "home")
    (tally,) = harvest(settings, [str(tmp_path / "prints")])
    assert (tally.pictures, tally.problems) == (4, [])
    told = dict(list(tally.remarks))
    with Catalogue.open(settings) as catalogue:
        said = {each.identifier: each for each in catalogue.describe(range(1, 5)).values()}
    for name, (_, note) in odd.items():
        assert (note in told[name] and said[name].notes == (told[name],)) if note else name not in told


def test_a_table_that_comes_later_holds_back_what_was_free_before_it_is_read_and_after(
    settings_of: "SettingsOf", prints: Path
) -> None:
    settings = settings_of(prints.parent / "home")

    def rights() -> dict[str, str]:
        with Catalogue.open(settings, create=False) as catalogue, catalogue.engine.connect() as connection:
            live = "SELECT identifier, derivatives FROM records JOIN rights ON record_id = id WHERE deleted_at IS NULL"
            return dict(connection.execute(text(live)).all())

    harvest(settings, [str(prints)])
    assert rights() == {"gray": "yes", "colour": "yes"}
    table = prints / "list.csv"
    table.write_text("identifier,file,derivatives\nx1,GRAY.png,no\n")
    (tally,) = harvest(settings, [str(prints)])
    assert "list.csv looks like a table" in (tally.failure or "")
    assert rights() == {"gray": "unknown", "colour": "unknown"}
    table.rename(prints / "Records.csv")
    (tally,) = harvest(settings, [str(prints)])
    assert rights() == {"x1": "no", "colour": "unknown"}
    told = "\n".join(harvest_lines([tally]))
    assert "“GRAY.png” is taken for gray.png" in told
    assert "1 picture that no row reaches for certain, held back: colour.png" in told
