"""Training of the prior on a few small drawn prints, for a few steps."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from typer.testing import CliRunner

from colorize.encoders.loading import load_encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.resize import resized, to_gray
from colorize.methods.exemplar.prior import load_prior
from colorize.training.prior import designs
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.cli.app import app
from flows.progress import Advance, track
from flows.training import prior as train
from flows.training.prior import Schedule, gather, held_out, train_prior
from tests.conftest import SettingsOf

PRINTS = 7


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"LONG_EDGE_PX": 64, "SAVE_EVERY": 2, "HELD_OUT_EVERY": 2}.items():
            patch.setattr(train, name, value)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn prints with a table: two of one design, one of a licence that forbids, one without colours, one torn."""
    place = tmp_path_factory.mktemp("learned") / "prints"  # its name decides which designs are held out
    place.mkdir()
    rows = [
        {"file": f"{seed}.png", "group": "same:pair" if seed < 2 else ""}
        | {"licence_as_stated": "CC BY-NC-SA 4.0" if seed == 5 else "CC0", "tone": "gray" if seed == 6 else "colour"}
        for seed in range(PRINTS)
    ]
    for seed, row in enumerate(rows):
        Image.fromarray(resized(draw_print(design(seed), 0).pixels, 64)).save(place / row["file"])
    (place / "torn.png").write_bytes(b"no picture")
    rows.append({"file": "torn.png", "licence_as_stated": "CC0", "tone": "colour", "group": ""})
    with (place / "prints.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return place


Go = Callable[[Path], list[str]]


@pytest.fixture(scope="module")
def go_through(settings_of: SettingsOf, folder: Path) -> Go:
    """Trains for four steps with its home in the folder given; begun again there, it goes on."""

    def run(place: Path) -> list[str]:
        place.mkdir(exist_ok=True)
        schedule = Schedule((folder,), steps=4, fold=(1, 2))
        return list(train_prior(settings_of(place), shipped_weights(), schedule, place / "prior.safetensors"))

    return run


@pytest.fixture(scope="module")
def undisturbed(go_through: Go, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    place = tmp_path_factory.mktemp("undisturbed")
    return place, go_through(place)


def tensors(place: Path) -> dict[str, torch.Tensor]:
    with safe_open(place / "prior.safetensors", framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_only_prints_that_a_model_may_be_made_of_are_learned_from(folder: Path) -> None:
    prints, told = gather([folder])
    assert [each.path.name for each in prints] == ["0.png", "1.png", "2.png", "3.png", "4.png", "torn.png"]
    assert told == [
        f"{folder}: prints whose licence allows no model that is given to others: 1 left out.",
        f"{folder}: prints without colours: 1 left out.",
    ]


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("", True),
        ("CC BY 4.0", True),
        ("none stated in repository", True),
        ("CC BY-NC-SA-ND for text and images", False),
        ("for study and teaching", False),
        ("public use for research", False),
        ("non-commercial", False),
        ("no derivatives", False),
    ],
)
def test_a_licence_is_read_by_its_words(tmp_path: Path, licence: str, allowed: bool) -> None:
    (tmp_path / "prints.csv").write_text(f'file,licence_as_stated\na.png,"{licence}"\n', encoding="utf-8")
    assert len(gather([tmp_path])[0]) == allowed


def test_a_folder_without_a_table_is_learned_from_as_it_is(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.jpg", "notes.txt"):
        (tmp_path / name).touch()
    assert [each.path.name for each in gather([tmp_path])[0]] == ["a.jpg", "b.PNG"]


def test_prints_of_a_group_or_of_a_drawing_are_one_design_and_held_out_together() -> None:
    rng = np.random.default_rng(0)
    lights = [torch.from_numpy(rng.normal(size=(32, 32))) for _ in range(5)]
    lights[4] = 2 * lights[2] + 1
    groups = [frozenset(each) for each in (["same:x"], ["same:x", "same:y"], ["same:y"], [], [])]
    assert designs(list("abcde"), lights, groups) == ["a", "a", "a", "d", "a"]
    parts = [[held_out(str(name), (part, 3)) for part in (1, 2, 3)] for name in range(60)]
    assert all(sum(each) == 1 for each in parts)
    assert all(any(column) for column in zip(*parts, strict=True))
    assert not held_out("a", None)


@pytest.mark.long
def test_what_was_learned_lies_in_a_file_that_says_from_what_and_how_well(
    undisturbed: tuple[Path, list[str]], folder: Path
) -> None:
    place, said = undisturbed
    assert said[2].startswith(f"{folder.name}/torn.png is left out: ")
    prior = load_prior(place / "prior.safetensors")
    gray = to_gray(draw_print(design(9), 0).pixels)
    assert np.isfinite(prior.look(load_encoder(shipped_weights()), gray).logits).all()
    with safe_open(place / "prior.safetensors", framework="pt") as file:
        card = file.metadata()
    taught, held = (json.loads(card[name]) for name in ("learned_from", "held_out"))
    assert {each["file"] for each in taught} | set(held) == {f"{folder.name}/{seed}.png" for seed in range(5)}
    assert {each["licence_as_stated"] for each in taught} == {"CC0"}
    assert held
    assert "part 1 of 2 held out" in card["training"]
    assert any(line.startswith(f"Of {len(held)} prints held out: cross-entropy") for line in said)
    with Image.open(place / "prior.png") as picture:
        assert min(picture.size) > 300


@pytest.mark.long
def test_a_training_that_was_cut_off_goes_on_to_the_same_weights(
    go_through: Go, undisturbed: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[float] = []
    stopped_at: float = 3

    @contextmanager
    def watched(what: str, total: float | None, unit: str) -> Iterator[Advance]:
        """Ctrl-C in the third step, after the second was kept."""
        with track(what, total, unit) as advance:

            def tell(done: float) -> None:
                advance(done)
                steps.extend([done] if what == "prior" else [])
                if sum(steps) == stopped_at:
                    raise KeyboardInterrupt

            yield tell

    monkeypatch.setattr(train, "track", watched)
    with pytest.raises(KeyboardInterrupt):
        go_through(tmp_path)
    assert not (tmp_path / "prior.safetensors").exists()
    steps, stopped_at = [], np.inf
    said = go_through(tmp_path)
    assert steps == [2, 1, 1]
    place, before = undisturbed
    resumed, whole = tensors(tmp_path), tensors(place)
    assert all(torch.equal(resumed[name], each) for name, each in whole.items())
    assert said[:-1] == before[:-1]


def test_a_card_carries_the_figures_of_the_parts_that_were_held_out(
    undisturbed: tuple[Path, list[str]], settings_of: SettingsOf, folder: Path
) -> None:
    place, said = undisturbed
    output = place / "all.safetensors"
    schedule = Schedule((folder,), steps=1)
    told = list(train_prior(settings_of(place), shipped_weights(), schedule, output, [place / "prior.safetensors"]))
    assert told[-4:-1] == said[-4:-1]
    assert "5 prints to learn from, 0 held out" in told[3]


@pytest.mark.parametrize("word", ["1", "0/5", "6/5", "1/1", "a/b"])
def test_a_part_that_is_none_is_refused(word: str, folder: Path) -> None:
    run = CliRunner().invoke(app, ["train", "prior", str(folder), "--hold-out", word])
    assert run.exit_code == 2
    assert f"--hold-out {word} names no part" in run.stderr
