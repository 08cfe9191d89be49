"""A night is planned once, at its entry: what is wrong is told all together, and nothing is decided twice."""

import hashlib
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from colorize.errors import DeviceMissing, UnknownRecipe, WeightsCorrupt
from db.catalogue import Catalogue
from db.errors import CatalogueAhead
from flows import plan as planning
from flows.archives.errors import NotAnArchive
from flows.archives.sample.server import serve_sample
from flows.dispatch import dispatch
from flows.errors import Misconfigured
from flows.harvest import harvest
from flows.match import match
from flows.nightly import nightly
from flows.plan import plan_catalogue, plan_night
from flows.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import SettingsOf


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a catalogue was opened, a recipe chosen, each weights file hashed in this process."""
    counts: Counter[str] = Counter()
    opened, digested, chosen = Catalogue.open.__func__, hashlib.file_digest, planning.sized_recipe  # type: ignore[attr-defined]

    def opening(cls: type[Catalogue], *args: Any, **kwargs: Any) -> Catalogue:
        counts["openings"] += 1
        found: Catalogue = opened(cls, *args, **kwargs)
        return found

    def digesting(stream: Any, *args: Any) -> Any:
        counts[Path(stream.name).name] += 1
        return digested(stream, *args)

    def choosing(name: str, settings: Settings) -> Any:
        counts["recipes"] += 1
        return chosen(name, settings)

    monkeypatch.setattr(Catalogue, "open", classmethod(opening))
    monkeypatch.setattr(hashlib, "file_digest", digesting)
    monkeypatch.setattr(planning, "sized_recipe", choosing)
    return counts


@pytest.mark.long
def test_one_night_decides_once_opens_its_catalogue_once_and_hashes_each_weights_file_once(
    settings_of: "SettingsOf", narrow_weights: Path, tmp_path: Path, counted: Counter[str]
) -> None:
    weights = shutil.copytree(narrow_weights, tmp_path / "weights")
    shutil.copy(weights / "narrow.safetensors", weights / "second.safetensors")
    for file in weights.iterdir():
        os.utime(file, (1_700_000_000, 1_700_000_000))
    settings = settings_of(tmp_path / "home", weights_dir=weights)
    with serve_sample(designs=2, grays=1) as archive:
        night = nightly([archive.base_url], settings)
    assert [tally.outcomes for tally in night.batches] == [{"succeeded": 1}]
    assert len(night.sheets) == 1
    hashed = {name: number for name, number in counted.items() if name.endswith(".safetensors")}
    assert (counted["openings"], counted["recipes"]) == (1, 1)
    assert hashed.pop("nishiki-small.safetensors", 1) == 1
    assert hashed == {"narrow.safetensors": 1, "second.safetensors": 1}


@pytest.mark.long
def test_stages_that_run_alone_make_a_plan_of_their_own(
    settings_of: "SettingsOf", tmp_path: Path, counted: Counter[str]
) -> None:
    settings = settings_of(tmp_path / "home")
    with serve_sample(designs=2, grays=1) as archive:
        harvest(settings, [archive.base_url])
    assert match(settings).matched == 1
    dispatch(settings)
    assert (counted["openings"], counted["recipes"]) == (3, 2)


def test_everything_that_is_wrong_is_told_at_once_before_an_archive_is_asked(
    settings_of: "SettingsOf", narrow_weights: Path, tmp_path: Path
) -> None:
    weights = shutil.copytree(narrow_weights, tmp_path / "weights")
    (weights / "narrow.sha256").write_text(f"{'0' * 64}  narrow.safetensors\n")
    (tmp_path / "a file").write_text("")
    archives = {
        "scans": {"address": str(tmp_path / "gone")},
        "theatre": {"address": "https://archive.example/oai", "protocol": "folder"},
    }
    wrong = {"recipe": "nonsense", "device": "cuda:77", "weights_dir": weights, "archives": archives}
    settings = settings_of(tmp_path / "a file" / "home", **wrong)
    with pytest.raises(Misconfigured) as told:
        nightly(["scans", "theatre", "nowhere", "ftp://archive.example"], settings)
    kinds = [UnknownRecipe, WeightsCorrupt, DeviceMissing, *[NotAnArchive] * 4, NotADirectoryError]
    assert [type(fault) for fault in told.value.faults] == kinds
    message = str(told.value)
    assert message.startswith("8 things have to be set right first\n")
    for said in (
        "nonsense", "is damaged or was replaced", "cuda:77", "archive scans: ", "archive theatre: it is a web address",
        "nowhere does not exist; give a folder with pictures; nishiki.toml names scans, theatre",
        "ftp:// is spoken by no protocol", "a file: is a file, and",
    ):  # fmt: skip
        assert said in message


def test_a_catalogue_of_another_version_is_told_with_the_rest_and_no_new_one_is_made(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "home")
    with plan_catalogue(settings) as plan, plan.catalogue.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Misconfigured) as told, plan_night(settings_of(tmp_path / "home", recipe="nonsense")):
        pass
    assert [type(fault) for fault in told.value.faults] == [UnknownRecipe, CatalogueAhead]
    with pytest.raises(UnknownRecipe), plan_night(settings_of(tmp_path / "other", recipe="nonsense")):
        pass
    assert not (tmp_path / "other").exists()


def test_inside_a_plan_the_same_settings_lead_to_it_and_others_do_not(
    settings_of: "SettingsOf", tmp_path: Path
) -> None:
    settings = settings_of(tmp_path / "home")
    with plan_night(settings, [str(tmp_path)]) as plan:
        with plan_night(settings_of(tmp_path / "home")) as same, plan_catalogue(settings) as part:
            assert same is part is plan
        with plan_night(settings_of(tmp_path / "home", size=64)) as other:
            assert other.catalogue is not plan.catalogue
            assert other.night.recipe.long_edge_px == 64
        with plan_night(settings, [str(tmp_path), str(tmp_path)]) as more:
            assert len(more.archives) == 2
        with plan_catalogue(settings) as part:
            assert part is plan
