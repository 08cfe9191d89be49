"""What a night's matching makes of an archive's table: spellings of names, other genres, and records that are odd."""

import csv
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import text
from typer.testing import CliRunner

from colorize.encoders.weights import SMALL
from db.entries.corrections import Correctable
from db.entries.match import RefitEntry, RefitWord
from db.entries.night import Change, MatchEntry, MatchOutcome, Tone
from db.errors import UnknownEntry
from flows.cli.app import app
from flows.harvest import harvest
from flows.match import explain, match
from flows.matching.weights import MatchWeights
from flows.plan import plan_night
from flows.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import SettingsOf

ACTORS = {
    "市川 団十郎〈7〉": "Ichikawa Danjūrō VII",
    "尾上菊五郎〈３〉": "Onoe Kikugoro III",
    "三代目沢村田之助": "Sawamura Tanosuke III",
    "坂東しうか": "Bandō Shūka",
    "中村芝翫〈2〉": "二代目 中村芝翫",
    "Iwai Hanshirō V": "岩井半四郎 (五代目)",
    "嵐𠮷三郎": "嵐吉三郎",
    "瀬川菊之丞〈5〉": "5th Segawa Kikunojo",
}
"""As the gray print's record writes them, and as those of the colour prints do."""
Row = Mapping[str, str | int]


def picture(seed: int, *, gray: bool = False) -> Image.Image:
    """Some patches of colour."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 3, 3), np.uint8)
    image = Image.fromarray(patches).resize((36, 48), Image.Resampling.BICUBIC)
    return image.convert("L") if gray else image


def archive(folder: Path, rows: Iterable[Row]) -> Path:
    """A folder of pictures and its table; a row's name tells whether its picture is gray."""
    folder.mkdir(exist_ok=True)
    columns = ("file", "title", "artist", "actor", "role", "date", "genre")
    with (folder / "records.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, columns, restval="")
        table.writeheader()
        for seed, row in enumerate(rows):
            table.writerow(row)
            if not (folder / str(row["file"])).exists():
                picture(seed, gray=str(row["file"]).startswith("gray")).save(folder / str(row["file"]))
    return folder


def matches(settings: Settings) -> dict[str, list[tuple[str, MatchEntry]]]:
    """By each gray picture's identifier, what was found for it, best first, with the style's identifier."""
    with plan_night(settings) as plan:
        catalogue = plan.catalogue
        with catalogue.engine.connect() as connection:
            images = connection.execute(text("SELECT id FROM images")).scalars().all()
        kept, said = {each: catalogue.matches_of(each, plan.matcher) for each in images}, catalogue.describe(images)
        return {
            said[content].identifier: [(said[each.style_id].identifier if each.style_id else "", each) for each in row]
            for content, row in kept.items()
            if row
        }


def nishiki(*words: str | Path) -> str:
    """What the command says that ends well."""
    run = CliRunner().invoke(app, [str(word) for word in words])
    assert run.exit_code == 0, run.output
    return run.output


def table() -> Iterable[Row]:
    """Eight gray prints of 1852; of each actor one colour print of about then and a late one, and eight distractors."""
    for number, (said, other) in enumerate(ACTORS.items()):
        common = {"role": "曽我五郎", "artist": "歌川国貞"}
        yield {"file": f"gray-{number}.png", "actor": said, "date": 1852, **common}
        yield {"file": f"near-{number}.png", "actor": other, "date": 1846 + number, "artist": "Utagawa Kuniyoshi"}
        yield {"file": f"late-{number}.png", "actor": other, "date": 1885 + number, **common}
        yield {
            "file": f"other-{number}.png",
            "actor": f"Nakamura Tomijuro {'I' * (number % 3 + 1)}",
            "date": 1852,
            **common,
        }
        yield {"file": f"role-{number}.png", "date": 1852, **common}


@pytest.fixture(scope="module")
def theatre(settings_of: "SettingsOf", tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The table's archive after its first night's matching."""
    folder = tmp_path_factory.mktemp("theatre")
    settings = settings_of(folder / "home", genres=(), weights_dir=None, encoder=SMALL)
    harvest(settings, [str(archive(folder / "prints", table()))])
    assert match(settings).matched == len(ACTORS)
    return settings


@pytest.mark.long
def test_the_same_actor_of_the_period_comes_first_however_his_name_is_spelled(theatre: Settings) -> None:
    assert len(list(table())) >= 40
    first = {content: row[0][0] for content, row in matches(theatre).items()}
    assert first == {f"gray-{number}": f"near-{number}" for number in range(len(ACTORS))}


def test_a_match_is_explained_and_a_curators_pin_holds(theatre: Settings) -> None:
    told = nishiki("match", "--explain", "gray-2", "--json", "--home", theatre.home)
    shown = json.loads(told)
    assert (shown["content"]["identifier"], shown["outcome"], shown["pinned_by"]) == ("gray-2", "matched", "")
    assert [each["identifier"] for each in shown["candidates"]] == [name for name, _ in matches(theatre)["gray-2"]]
    first = shown["candidates"][0]
    assert (first["same_design"], first["inliers"], first["homography"]) == (False, None, None)
    assert first["words"].startswith("same actor, 1852 and 1848")
    told = nishiki("match", "--pin", "gray-2", "role-5", "late-2", "role-5", "--by", "Aoi", "--home", theatre.home)
    assert "takes the colours that Aoi pinned:" in told
    assert match(theatre).matched == 0
    assert [name for name, _ in matches(theatre)["gray-2"]] == ["role-5", "late-2"]
    told = nishiki("match", "--explain", "gray-2", "--home", theatre.home)
    assert "1. role-5, picture" in told
    with Image.open(told.split("Sheet: ")[1].strip()) as sheet:
        assert sheet.width > sheet.height > 480
    nishiki("match", "--pin", "gray-2", "--home", theatre.home)
    with plan_night(theatre) as plan, pytest.raises(UnknownEntry, match="it may lend colours, and takes none"):
        explain(plan, plan.catalogue.pictures_of("near-2")[0])
    assert matches(theatre)["gray-2"][0][0] == "near-2"


def test_weights_that_verdicts_led_to_match_anew_and_those_of_other_settings_do_not_count(theatre: Settings) -> None:
    base = theatre.match_weights.model_dump()
    weights = base | {"role": 0.04}
    other = theatre.model_copy(update={"match_weights": MatchWeights(role=0.05)})
    unlearned = theatre.model_copy(update={"learn_from_verdicts": False})
    with plan_night(theatre) as plan:
        before = plan.matcher
        plan.catalogue.add_refit(RefitEntry(base, base, weights, 60, 30, 0.6, 0.5, RefitWord.BETTER))
        plan.catalogue.add_refit(RefitEntry(base, weights, base, 90, 45, 0.5, 0.6, RefitWord.NO_BETTER))
        assert plan.match_weights.role == 0.04
        assert plan.matcher != before
    assert match(theatre).matched == len(ACTORS)
    assert match(theatre).matched == 0
    for settings, role in ((other, 0.05), (unlearned, base["role"])):
        with plan_night(settings) as plan:
            assert plan.match_weights.role == role


@pytest.mark.long
def test_a_curators_correction_is_what_the_next_nights_match_by(settings_of: "SettingsOf", tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "home", genres=(), weights_dir=None, encoder=SMALL)
    actors = {"gray.png": "坂東しうか", "shuka.png": "Bandō Shūka", "hanshiro.png": "岩井半四郎〈5〉"}
    rows: list[Row] = [{"file": name, "actor": actor, "date": 1852} for name, actor in actors.items()]
    prints = str(archive(tmp_path / "prints", rows))
    harvest(settings, [prints])
    assert match(settings).matched == 1
    assert matches(settings)["gray"][0][0] == "shuka"
    with plan_night(settings) as plan:
        (gray,) = plan.catalogue.pictures_of("gray")
        plan.catalogue.correct(gray, "Aoi", Correctable.CAST, [["", "五代目岩井半四郎"]])
    assert match(settings).matched == 1
    ((style, entry), *_) = matches(settings)["gray"]
    assert (style, entry.reasons["same_actor"]) == ("hanshiro", 1.0)
    archive(tmp_path / "prints", [{**row, "title": "暫"} for row in rows])  # every record says something else
    (harvested,) = harvest(settings, [prints])
    assert harvested.records[Change.CHANGED] == 3
    assert match(settings).matched == 0
    assert matches(settings)["gray"][0][0] == "hanshiro"
    with plan_night(settings) as plan:
        plan.catalogue.take_correction_back(gray, "Aoi", Correctable.CAST)
        plan.catalogue.give_tone(plan.catalogue.pictures_of("shuka")[0], "Aoi", Tone.TONED)
    assert match(settings).matched == 1
    assert matches(settings)["gray"][0][0] == "hanshiro"  # the other lends no colours any more


GENRES = {"gray-1.png": "役者絵", "gray-2.png": "", "view.png": "名所絵"}


def test_an_actor_takes_no_colours_from_a_landscape_and_the_match_says_why_there_is_none(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "home", genres=(), weights_dir=None, encoder=SMALL)
    rows = [{"file": name, "genre": genre} for name, genre in GENRES.items()]
    harvest(settings, [str(archive(tmp_path / "prints", rows))])
    tally = match(settings)
    assert (tally.matched, tally.no_match) == (1, 1)
    found = matches(settings)
    assert [style for style, _ in found["gray-2"]] == ["view"]
    ((_, none),) = found["gray-1"]
    assert none.outcome is MatchOutcome.NO_MATCH
    assert none.reasons["why"] == "all colour pictures are of another genre"
    assert 0 < none.reasons["best_score"] < 0.1


def odd(folder: Path) -> Path:
    """Records that say nothing or nonsense, and pictures that show nothing."""
    rows: list[Row] = [
        {"file": "gray-bare.png"},
        {"file": "gray-absurd.png", "date": 99999, "actor": "市川団十郎" * 2000},
        {"file": "gray-long.png", "title": "あ" * 10_000},
        {"file": "gray-right-to-left.png", "title": "\u202eممثل שחקן", "actor": "ممثل"},
        {"file": "gray-tiny.png"},
        {"file": "gray-blank.png"},
        {"file": "gray-torn.png"},
        {"file": "gray-twin.png", "actor": "市川団十郎〈7〉"},
        {"file": "gray-other-twin.png", "actor": "Ichikawa Danjuro VII"},
        {"file": "colour.png", "title": "\u202eممثل" * 900, "date": -5},
        {"file": "colour-blank.png"},
    ]
    folder.mkdir()
    Image.new("L", (1, 1), 128).save(folder / "gray-tiny.png")
    Image.new("L", (36, 48), 255).save(folder / "gray-blank.png")
    Image.new("RGB", (36, 48), "white").save(folder / "colour-blank.png")
    (folder / "gray-torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    picture(99, gray=True).save(folder / "gray-twin.png")
    shutil.copy(folder / "gray-twin.png", folder / "gray-other-twin.png")
    return archive(folder, rows)


@pytest.mark.long
def test_odd_records_and_pictures_are_matched_on_what_there_is_and_none_stops_the_night(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "home", genres=(), weights_dir=None, encoder=SMALL)
    (harvested,) = harvest(settings, [str(odd(tmp_path / "prints"))])
    assert [name for name, _ in harvested.problems] == ["gray-torn"]
    tally = match(settings)
    assert tally.problems == []
    matched = {"bare", "absurd", "long", "right-to-left", "tiny", "blank", "twin"}
    found = {content: [style for style, _ in row] for content, row in matches(settings).items()}
    assert found == {content: ["colour"] for content in ({f"gray-{name}" for name in matched} | {"colour-blank"})}
