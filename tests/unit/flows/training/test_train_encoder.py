"""Training of the small encoder, with a teacher and batches so small that it takes seconds."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from colorize.encoders.loading import INPUT_OXFORD, load_encoder, random_encoder, write_weights
from colorize.encoders.vgg19 import CONVOLUTIONS, Encoder
from colorize.encoders.weights import OXFORD, TORCHVISION, WeightsFile, recorded_checksum, weights_file
from colorize.errors import WeightsMissing
from colorize.matching.embedding import embed
from colorize.training.dataset import held_out
from flows.cli.app import app
from flows.progress import Advance, track
from flows.training import encoder as train
from flows.training.encoder import Schedule, available_teacher, gather, train_encoder
from tests.conftest import SettingsOf

WIDTHS = (3, 4, 6, 6, 6)
HELD = [name for number in range(200) if held_out(name := f"held {number}.png")][:4]
SMALL = {
    "DRAWN": 1, "LONG_EDGE_PX": 64, "BATCH_PX": 32, "BATCH_CROPS": 4, "LOOK_VIEWS": 4, "LOOK_PX": (64, 48),
    "LAYER_CROPS": 6, "LOOK_EVERY": 2, "SAVE_EVERY": 2, "WIDTHS": WIDTHS, "PHOTOGRAPHS": ("astronaut", "coffee"),
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A schedule that takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(train, name, value)
        yield


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> WeightsFile:
    """A narrow VGG-19 under the original's name."""
    path = tmp_path_factory.mktemp("teacher") / "teacher.safetensors"
    facts = {"name": OXFORD, "input": INPUT_OXFORD, "calibrated": "yes"}
    write_weights(path, random_encoder(widths=(4, 8, 12, 12, 12)).convolutions, facts)
    return weights_file(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of four bands of colour each, all of them held out by their names; one file is none."""
    place = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(3)
    (place / "deeper").mkdir()
    for name in HELD:
        bands = np.repeat(np.repeat(rng.integers(0, 256, (4, 6, 3), np.uint8), 16, 0), 8, 1)
        Image.fromarray(bands).save(place / "deeper" / name)
    (place / "torn.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (place / "notes.txt").write_text("no picture at all")
    return place


@dataclass(frozen=True)
class Trained:
    """Where a schedule was gone through, and what it said."""

    place: Path
    said: list[str]

    @property
    def weights(self) -> Path:
        return self.place / "small.safetensors"

    @property
    def kept(self) -> Path:
        """What it would go on from."""
        (folder,) = (self.place / "training").iterdir()
        return folder

    @property
    def losses(self) -> list[dict[str, float]]:
        return [json.loads(line) for line in (self.kept / "losses.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def go_through(settings_of: SettingsOf, teacher: WeightsFile, folder: Path) -> Callable[[Path], Trained]:
    """Trains for four steps with its home in the folder given; begun again there, it goes on."""

    def run(place: Path) -> Trained:
        schedule = Schedule((folder,), steps=4, batches=2)
        place.mkdir(exist_ok=True)
        return Trained(place, list(train_encoder(settings_of(place), teacher, schedule, place / "small.safetensors")))

    return run


@pytest.fixture(scope="module")
def undisturbed(go_through: Callable[[Path], Trained], tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A schedule from its first step to its last."""
    return go_through(tmp_path_factory.mktemp("undisturbed"))


def learned(path: Path) -> Encoder:
    return load_encoder(weights_file(path))


def same(one: Encoder, other: Encoder) -> bool:
    assert one.embedding is not None
    assert other.embedding is not None
    pairs = [(one.embedding[name], other.embedding[name]) for name in one.embedding]
    for name in CONVOLUTIONS:
        pairs += zip(one.convolutions[name], other.convolutions[name], strict=True)
    return all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_a_folder_is_learned_from_with_what_is_drawn_and_what_cannot_be_read_is_named(folder: Path) -> None:
    pictures, unread = gather([folder])
    assert set(pictures) == {"drawn 0", "astronaut", "coffee", *HELD}
    assert all(max(each.shape) <= 64 for each in pictures.values())
    (sentence,) = unread
    assert sentence.startswith("torn.jpg is left out: ")
    assert "damaged" in sentence


@pytest.mark.long
def test_what_was_learned_lies_in_a_file_that_says_from_whom_and_how_well(
    undisturbed: Trained, teacher: WeightsFile
) -> None:
    said, plot = undisturbed.said, undisturbed.weights.with_suffix(".png")
    assert said[0].startswith("torn.jpg is left out: ")
    assert said[1] == "3 pictures to learn from, 4 held out to measure by."
    assert said[-1] == f"Weights: {undisturbed.weights}; losses: {plot}"
    file = weights_file(undisturbed.weights)
    assert (file.name, file.widths, file.calibrated, file.full) == ("nishiki-small", WIDTHS, True, False)
    assert file.metadata["teacher"] == f"{OXFORD} {teacher.checksum}"
    assert file.metadata["licence"] == "CC BY 4.0"
    assert "VGG-19" in file.metadata["attribution"]
    assert "4 steps of Adam (rate 0.0001, cosine) over 2 batches of 4 crops of 32 px" in file.metadata["training"]
    assert set(file.quality) == {"gram", "content", "matching"}
    assert all(-1 <= value <= 1 for value in file.quality.values())
    assert recorded_checksum(undisturbed.weights) == file.checksum
    with Image.open(plot) as picture:
        assert min(picture.size) > 300


def test_what_was_learned_is_an_encoder_with_an_embedding_of_its_own(
    undisturbed: Trained, teacher: WeightsFile
) -> None:
    encoder = learned(undisturbed.weights)
    picture = np.random.default_rng(1).integers(0, 256, (64, 48, 3), np.uint8)
    assert encoder.embedding
    assert load_encoder(teacher).embedding is None
    ours, bare = (embed(each, picture) for each in (encoder, replace(encoder, embedding=None)))
    assert np.isfinite(ours).all()
    assert ours.any()
    assert not np.array_equal(ours, bare)


def test_a_course_that_was_cut_off_goes_on_to_the_same_weights(
    go_through: Callable[[Path], Trained], undisturbed: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, float]] = []
    stopped_at: float = 3

    @contextmanager
    def watched(what: str, total: float | None, unit: str) -> Iterator[Advance]:
        """Ctrl-C in the third step of the whole student, after the second was kept."""
        with track(what, total, unit) as advance:

            def tell(done: float) -> None:
                advance(done)
                steps.append((what, done))
                if sum(done for each, done in steps if each == "distil") == stopped_at:
                    raise KeyboardInterrupt

            yield tell

    monkeypatch.setattr(train, "track", watched)
    with pytest.raises(KeyboardInterrupt):
        go_through(tmp_path / "cut")
    cut = Trained(tmp_path / "cut", [])
    assert len(cut.losses) == 2
    assert not cut.weights.exists()

    steps, stopped_at = [], np.inf
    resumed = go_through(tmp_path / "cut")
    assert "layer by layer" not in dict(steps), "the fit is kept"
    assert [done for what, done in steps if what == "distil"] == [2, 1, 1]
    assert same(learned(resumed.weights), learned(undisturbed.weights))
    assert resumed.losses == undisturbed.losses
    assert len(resumed.losses) == 4
    assert resumed.said[:-1] == undisturbed.said[:-1]


def test_a_course_that_is_done_is_not_learned_again(
    go_through: Callable[[Path], Trained], undisturbed: Trained
) -> None:
    kept = (undisturbed.kept / "student.safetensors").stat().st_mtime_ns
    before = learned(undisturbed.weights)
    assert go_through(undisturbed.place) == undisturbed
    assert (undisturbed.kept / "student.safetensors").stat().st_mtime_ns == kept
    assert same(learned(undisturbed.weights), before)


def test_another_course_does_not_take_up_what_this_one_left(
    undisturbed: Trained, settings_of: SettingsOf, teacher: WeightsFile, folder: Path, tmp_path: Path
) -> None:
    shutil.copytree(undisturbed.kept, tmp_path / "training" / undisturbed.kept.name)
    schedule, output = Schedule((folder,), steps=4, batches=2, seed=1), tmp_path / "small.safetensors"
    list(train_encoder(settings_of(tmp_path), teacher, schedule, output))
    assert len(list((tmp_path / "training").iterdir())) == 2
    assert not same(learned(output), learned(undisturbed.weights))


def test_the_original_teaches_before_torchvisions_and_without_either_nobody(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    convolutions = random_encoder(widths=(2, 2, 2, 2, 2)).convolutions
    settings = settings_of(tmp_path / "home", weights_dir=tmp_path)
    for name, first in (("other", None), (TORCHVISION, TORCHVISION), (OXFORD, OXFORD)):
        facts = {"name": name, "input": INPUT_OXFORD, "calibrated": "yes"}
        write_weights(tmp_path / f"{name}.safetensors", convolutions, facts)
        if first is not None:
            assert available_teacher(settings).name == first
            continue
        with pytest.raises(WeightsMissing, match="there is no full VGG-19"):
            available_teacher(settings)


def command(*words: str) -> tuple[int, str, str]:
    run = CliRunner().invoke(app, ["train", "encoder", *words])
    return run.exit_code, run.stdout, run.stderr


def test_without_vgg19_the_command_says_how_to_get_it(
    narrow_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NISHIKI_WEIGHTS_DIR", str(narrow_weights))
    output = tmp_path / "small.safetensors"
    code, said, wrong = command("--home", str(tmp_path / "home"), "-o", str(output))
    assert (code, said) == (1, "")
    assert wrong == "nishiki: there is no full VGG-19 to learn from; run: nishiki weights download\n"
    assert not output.exists()


def test_the_command_wants_a_folder_that_is_there(tmp_path: Path) -> None:
    code, said, wrong = command("-o", str(tmp_path / "nowhere" / "small.safetensors"))
    assert (code, said) == (2, "")
    assert f"there is no folder {tmp_path / 'nowhere'} for the weights" in wrong
    assert command("--pictures", str(tmp_path / "nowhere"))[0] == 2


def test_the_command_trains(
    teacher: WeightsFile, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NISHIKI_WEIGHTS_DIR", str(teacher.path.parent))
    output = tmp_path / "small.safetensors"
    words = ("--pictures", str(folder), "--steps", "1", "--batches", "8", "--home", str(tmp_path / "home"))
    code, said, _ = command(*words, "-o", str(output))
    assert code == 0
    assert "3 pictures to learn from" in said
    assert "torn.jpg is left out" in said
    assert weights_file(output).name == "nishiki-small"
