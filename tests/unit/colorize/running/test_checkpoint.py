"""A checkpoint's file: whole, torn, damaged, or of something else."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from colorize.encoders.vgg19 import Encoder
from colorize.methods.neural_style.descent import Optimisation
from colorize.methods.neural_style.engine import Engine, Operands
from colorize.output.whole_file import remove_whole
from colorize.recipes.library import recipe_named
from colorize.running.checkpoint import Identity, State, read_checkpoint, write_checkpoint
from tests.unit.colorize.methods.neural_style.evaluators import targets_of

IDENTITY = Identity("recipe", "weights", "content", "style", "float32", "cpu", "2.13.0")


@pytest.fixture(scope="module")
def state(narrow: Encoder) -> State:
    """That of a picture after three evaluations."""
    picture = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 255
    engine = Engine(recipe_named("jadh2016/config1_2_3"), Operands(narrow, "float32"))
    descent = Optimisation(engine, targets_of(engine, picture, [picture.flip(1)]), picture)
    for _ in range(3):
        descent.states[0].advance()
    return descent.state(0)


def assert_state(found: State | str | None, state: State) -> None:
    assert isinstance(found, tuple), found
    assert found[0].keys() == state[0].keys()
    assert all(found[0][name].equal(each) and found[0][name].dtype == each.dtype for name, each in state[0].items())
    assert found[1] == state[1]


def test_a_checkpoint_gives_back_what_was_put_into_it(state: State, tmp_path: Path) -> None:
    file = tmp_path / "made with the first" / "a.safetensors"
    write_checkpoint(file, IDENTITY, state)
    assert_state(read_checkpoint(file, IDENTITY), state)
    assert [each.name for each in file.parent.iterdir()] == ["a.safetensors"]


def test_where_there_is_no_checkpoint_nothing_is_said(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path / "a.safetensors", IDENTITY) is None


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("recipe", "another recipe"),
        ("weights", "other weights"),
        ("content", "another content image"),
        ("style", "another style image"),
        ("precision", "another precision"),
        ("device", "another kind of device"),
        ("torch", "another version of torch"),
    ],
)
def test_a_checkpoint_of_something_else_is_ignored_with_a_sentence_that_says_of_what(
    part: str, words: str, state: State, tmp_path: Path
) -> None:
    write_checkpoint(tmp_path / "a.safetensors", IDENTITY, state)
    said = read_checkpoint(tmp_path / "a.safetensors", replace(IDENTITY, **{part: "else"}))
    assert said == f"the checkpoint a.safetensors is of {words}; begun anew"


def test_every_part_of_an_identity_decides(state: State, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.safetensors", IDENTITY, state)
    for part in asdict(IDENTITY):
        assert isinstance(read_checkpoint(tmp_path / "a.safetensors", replace(IDENTITY, **{part: ""})), str), part


@pytest.mark.parametrize("kept_share", [0.0, 1e-4, 0.001, 0.01, 0.1, 0.5, 0.9, 0.9999])
def test_a_torn_file_is_ignored_with_a_sentence(kept_share: float, state: State, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    write_checkpoint(file, IDENTITY, state)
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * kept_share)])
    said = read_checkpoint(file, IDENTITY)
    assert isinstance(said, str)
    assert said.startswith("the checkpoint a.safetensors is damaged (")
    assert said.endswith("); begun anew")


@pytest.mark.long
def test_a_header_with_any_byte_flipped_is_ignored_or_means_the_same(state: State, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    write_checkpoint(file, IDENTITY, state)
    data = file.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    wrong = []
    for place in range(header):
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found = read_checkpoint(file, IDENTITY)
        if isinstance(found, str):
            continue
        try:
            assert_state(found, state)
        except AssertionError:
            wrong.append(data[max(0, place - 12) : place + 12])
    assert wrong == [], f"{len(wrong)} of {header} flipped bytes were taken for another state"


def test_a_tensor_with_a_byte_flipped_is_ignored(state: State, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    write_checkpoint(file, IDENTITY, state)
    data = file.read_bytes()
    header = 8 + int.from_bytes(data[:8], "little")
    for place in (header, (header + len(data)) // 2, len(data) - 1):
        file.write_bytes(data[:place] + bytes([data[place] ^ 64]) + data[place + 1 :])
        assert isinstance(read_checkpoint(file, IDENTITY), str), place


@pytest.mark.parametrize("data", [b"", b"\0" * 8, b"no checkpoint at all", b"\xff" * 64])
def test_a_file_that_is_no_checkpoint_is_ignored(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(data)
    assert "is damaged" in str(read_checkpoint(tmp_path / "a.safetensors", IDENTITY))


def test_a_checkpoint_of_another_format_is_ignored(state: State, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    write_checkpoint(file, IDENTITY, state)
    file.write_bytes(file.read_bytes().replace(b"nishiki checkpoint", b"nishiki chessboard"))
    assert "is of another program" in str(read_checkpoint(file, IDENTITY))


def no_room() -> None:
    raise OSError("no room")


def test_a_checkpoint_that_cannot_be_written_leaves_the_earlier_one(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.safetensors"
    write_checkpoint(file, IDENTITY, state)
    monkeypatch.setattr("os.fsync", lambda _: no_room())
    with pytest.raises(OSError, match="no room"):
        write_checkpoint(file, replace(IDENTITY, recipe="later"), state)
    assert [each.name for each in tmp_path.iterdir()] == ["a.safetensors"]
    assert_state(read_checkpoint(file, IDENTITY), state)


def test_what_crashes_left_half_written_goes_with_the_checkpoint(state: State, tmp_path: Path) -> None:
    file, others = tmp_path / "a-1.safetensors", tmp_path / "a-10.5a.tmp"
    for half in (file.with_suffix(".tmp"), file.with_suffix(".9f.tmp"), others):
        half.write_bytes(b"half")
    write_checkpoint(file, IDENTITY, state)
    assert_state(read_checkpoint(file, IDENTITY), state)
    remove_whole(file)
    assert list(tmp_path.iterdir()) == [others]
