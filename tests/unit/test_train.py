"""Training of the small encoder, with a teacher and lessons so small that it takes seconds."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from colorize.errors import WeightsMissing
from colorize.similarity import embed
from colorize.training.dataset import held_out
from colorize.vgg.encoder import BLOCKS, CONVOLUTIONS, Encoder
from colorize.vgg.loading import INPUT_OXFORD, load_encoder, random_encoder, write_weights
from colorize.vgg.weights import OXFORD, TORCHVISION, WeightsFile, weights_file
from flows import train
from flows.cli import app
from flows.progress import track
from flows.settings import Settings
from flows.train import Course, gather, teacher_at_hand, train_encoder
from tests.conftest import SettingsOf

WIDTHS = (3, 4, 6, 6, 6)
HELD = [name for number in range(200) if held_out(name := f"held {number}.png")][:4]
SMALL = {
    "DRAWN": 1, "LONG_EDGE_PX": 64, "LESSON_PX": 32, "LESSON_CROPS": 4, "LOOK_VIEWS": 4, "LOOK_PX": (64, 48),
    "LAYER_CROPS": 6, "LOOK_EVERY": 2, "SAVE_EVERY": 2, "WIDTHS": WIDTHS, "PHOTOGRAPHS": ("astronaut", "coffee"),
}  # fmt: skip
STOPPED_IN_STEP = 3


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A course that takes a second."""
    for name, value in SMALL.items():
        monkeypatch.setattr(train, name, value)


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


@pytest.fixture
def trained(settings_of: SettingsOf, teacher: WeightsFile, folder: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """Trains in a home of that name; the weights lie beside it."""

    def run(home: str) -> list[str]:
        course = Course((folder,), steps=4, lessons=2)
        return list(train_encoder(settings_of(tmp_path / home), teacher, course, tmp_path / f"{home}.safetensors"))

    return run


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


def test_what_was_learned_lies_in_a_file_that_says_from_whom_and_how_well(
    trained: Callable[[str], list[str]], teacher: WeightsFile, tmp_path: Path
) -> None:
    said = trained("home")
    assert said[0].startswith("torn.jpg is left out: ")
    assert said[1] == "3 pictures to learn from, 4 held out to measure by."
    assert said[-1] == f"Weights: {tmp_path / 'home.safetensors'}; losses: {tmp_path / 'home.png'}"
    file = weights_file(tmp_path / "home.safetensors")
    assert (file.name, file.widths, file.calibrated, file.full) == ("nishiki-small", WIDTHS, True, False)
    assert file.metadata["teacher"] == f"{OXFORD} {teacher.checksum}"
    assert file.metadata["licence"] == "CC BY 4.0"
    assert "VGG-19" in file.metadata["attribution"]
    assert "4 steps of Adam (rate 0.0001, cosine) over 2 batches of 4 crops of 32 px" in file.metadata["training"]
    assert set(file.quality) == {"gram", "content", "matching"}
    assert all(-1 <= value <= 1 for value in file.quality.values())
    assert (tmp_path / "home.sha256").exists()
    with Image.open(tmp_path / "home.png") as plot:
        assert min(plot.size) > 300


def test_what_was_learned_is_an_encoder_with_an_embedding_of_its_own(
    trained: Callable[[str], list[str]], teacher: WeightsFile, tmp_path: Path
) -> None:
    trained("home")
    encoder = learned(tmp_path / "home.safetensors")
    assert len(encoder.convolutions) == sum(BLOCKS)
    assert encoder.embedding
    picture = np.random.default_rng(1).integers(0, 256, (64, 48, 3), np.uint8)
    vectors = [embed(each, picture) for each in (encoder, load_encoder(teacher))]
    assert all(np.isfinite(vector).all() and vector.any() for vector in vectors)


def test_a_course_that_was_cut_off_goes_on_to_the_same_weights(
    trained: Callable[[str], list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = trained("undisturbed")

    @contextmanager
    def cut_off(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        """Ctrl-C in the third step of the whole student, after the second was kept."""
        done = 0

        def advance(steps: int) -> None:
            nonlocal done
            done += steps
            if what == "distil" and done == STOPPED_IN_STEP:
                raise KeyboardInterrupt

        yield advance

    with monkeypatch.context() as patch:
        patch.setattr(train, "track", cut_off)
        with pytest.raises(KeyboardInterrupt):
            trained("resumed")
    (kept,) = (tmp_path / "resumed" / "training").iterdir()
    assert len((kept / "losses.jsonl").read_text().splitlines()) == 2
    assert not (tmp_path / "resumed.safetensors").exists()

    begun_at = []

    @contextmanager
    def watched(what: str, total: int, unit: str) -> Iterator[Callable[[int], None]]:
        with track(what, total, unit) as advance:
            yield lambda steps: (begun_at.append((what, steps)), advance(steps))[1]

    monkeypatch.setattr(train, "track", watched)
    resumed = trained("resumed")
    assert ("layer by layer", 1) not in begun_at, "the fit is kept"
    assert [steps for what, steps in begun_at if what == "distil"] == [2, 1, 1]
    assert same(learned(tmp_path / "resumed.safetensors"), learned(tmp_path / "undisturbed.safetensors"))
    assert resumed[1:-1] == undisturbed[1:-1]
    (whole,) = (tmp_path / "undisturbed" / "training").iterdir()
    logs = [[json.loads(line) for line in (each / "losses.jsonl").read_text().splitlines()] for each in (kept, whole)]
    assert len(logs[0]) == 4
    assert [sorted(each.items()) for each in logs[0]] == [sorted(each.items()) for each in logs[1]]


def test_a_course_that_is_done_is_not_learned_again(trained: Callable[[str], list[str]], tmp_path: Path) -> None:
    once, again = trained("home"), trained("home")
    assert once == again
    first = (tmp_path / "home.safetensors").read_bytes()
    trained("home")
    assert (tmp_path / "home.safetensors").read_bytes() == first


def test_another_course_does_not_take_up_what_this_one_left(
    settings_of: SettingsOf, teacher: WeightsFile, folder: Path, tmp_path: Path
) -> None:
    for seed in (0, 1):
        course = Course((folder,), steps=1, lessons=2, seed=seed)
        list(train_encoder(settings_of(tmp_path), teacher, course, tmp_path / f"{seed}.safetensors"))
    assert len(list((tmp_path / "training").iterdir())) == 2
    assert not same(*(learned(tmp_path / f"{seed}.safetensors") for seed in (0, 1)))


def test_the_original_teaches_before_torchvisions_and_without_either_nobody(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    convolutions = random_encoder(widths=(1, 1, 1, 1, 1)).convolutions
    settings = settings_of(tmp_path / "home", weights_dir=tmp_path)
    for name, first in (("other", None), (TORCHVISION, TORCHVISION), (OXFORD, OXFORD)):
        facts = {"name": name, "input": INPUT_OXFORD, "calibrated": "yes"}
        write_weights(tmp_path / f"{name}.safetensors", convolutions, facts)
        if first is not None:
            assert teacher_at_hand(settings).name == first
            continue
        with pytest.raises(WeightsMissing, match="full VGG-19 is not at hand"):
            teacher_at_hand(settings)


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
    assert wrong == "nishiki: full VGG-19 is not at hand to learn from; run: nishiki weights download\n"
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
    words = ("--pictures", str(folder), "--steps", "1", "--lessons", "8", "--home", str(tmp_path / "home"))
    code, said, _ = command(*words, "-o", str(output))
    assert code == 0
    assert "3 pictures to learn from" in said
    assert "torn.jpg is left out" in said
    assert weights_file(output).name == "nishiki-small"


