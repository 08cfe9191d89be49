"""A picture put down in the middle and taken up again: the same to the last bit, or begun anew with a sentence."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch import Tensor

from colorize.checkpoint import Identity, State, read_checkpoint, write_checkpoint
from colorize.colorizer import Colorizer, Conditions
from colorize.images import Pixels, to_gray
from colorize.methods.neural_style import Descent, Walked
from colorize.recipe import Colorization, Job, Recipe, recipe_named
from colorize.vgg.encoder import Encoder
from colorize.vgg.engine import Engine, Operands
from colorize.vgg.losses import Evaluator
from colorize.working import prepare, to_tensor
from tests.unit.colorize.evaluators import Watched, descended, targets_of

LBFGS = recipe_named("jadh2016/config1_2_3").changed(iterations=14, long_edge_px=48)
SGD = recipe_named("jadh2016/config1_1_3").changed(iterations=24, long_edge_px=48)
RECIPES = {
    "lbfgs, fixed": LBFGS,
    "lbfgs, by iteration": LBFGS.changed(schedule="iteration", decay=0.9),
    "lbfgs, by share, from noise": LBFGS.changed(schedule="share", start="noise", seed=5),
    "lbfgs, short history": LBFGS.changed(history=3),
    "sgd, fixed": SGD,
    "sgd, by iteration": SGD.changed(schedule="iteration", decay=0.9),
}
IDENTITY = Identity("recipe", "weights", "content", "style", "float32", "cpu", "2.13.0")


class PutDown(Exception):
    """The process that worked on it is gone."""


@pytest.fixture(scope="module")
def contents(photographs: dict[str, Pixels], narrow: Encoder) -> Tensor:
    return torch.cat([to_tensor(to_gray(photographs[name][:32, :32]), narrow) for name in ("chelsea", "coffee")])


@pytest.fixture(scope="module")
def styles(photographs: dict[str, Pixels], narrow: Encoder) -> list[Tensor]:
    return [to_tensor(photographs["astronaut"][:48], narrow), to_tensor(photographs["chelsea"][:, :32], narrow)]


def begun(evaluator: Evaluator, contents: Tensor, styles: Sequence[Tensor]) -> Descent:
    return Descent(evaluator, targets_of(evaluator, contents, styles), contents)


def put_down(descent: Descent, after: int, folder: Path) -> list[Path]:
    """Walk so many evaluations, and leave a checkpoint of each picture."""
    files = [folder / f"{row}.safetensors" for row in range(len(descent.walks[0].tensors["pictures"]))]

    def watch(descent: Descent) -> None:
        if descent.done == after:
            for row, file in enumerate(files):
                write_checkpoint(file, IDENTITY, descent.state(row))
            raise PutDown

    with pytest.raises(PutDown):
        descent.run(watch)
    return files


def kept(file: Path) -> State:
    state = read_checkpoint(file, IDENTITY)
    assert isinstance(state, tuple), state
    return state


def assert_same(ours: Walked, theirs: Walked, rows: Sequence[int]) -> None:
    """That ours are those rows of theirs, to the last bit."""
    assert ours.best.equal(theirs.best[list(rows)])
    assert ours.restored.equal(theirs.restored[list(rows)])
    assert [list(trace) for trace in ours.traces] == [list(theirs.traces[row]) for row in rows]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_stack_put_down_after_any_evaluation_ends_as_if_it_never_had_been(
    recipe: Recipe, narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(recipe, Operands(narrow, "float32"))
    undisturbed = descended(engine, targets_of(engine, contents, styles), contents)
    whole = begun(engine, contents, styles).iterations
    assert whole == recipe.iterations + (4 if recipe.optimiser == "sgd" else 0), "trials of two rates come to nothing"
    # Every evaluation of the trials and of the turn to the chosen walk, and some after it.
    moments = range(1, whole) if recipe.optimiser == "lbfgs" else [*range(1, 9), 15, whole - 1]
    for after in moments:
        files = put_down(begun(engine, contents, styles), after, tmp_path)
        evaluator = Watched(engine)
        descent = begun(evaluator, contents, styles)
        descent.take_up([kept(file) for file in files])
        assert descent.done == after
        descent.run()
        assert len(evaluator.seen) == whole - after
        assert_same(descent.walked(), undisturbed, (0, 1))


@pytest.mark.parametrize("recipe", [LBFGS, SGD], ids=["lbfgs", "sgd"])
def test_a_picture_is_taken_up_alone_out_of_a_stack(
    recipe: Recipe, narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(recipe, Operands(narrow, "float32"))
    undisturbed = descended(engine, targets_of(engine, contents, styles), contents)
    for after in (3, 9):
        files = put_down(begun(engine, contents, styles), after, tmp_path)
        for row, file in enumerate(files):
            descent = begun(engine, contents[row : row + 1], styles[row : row + 1])
            descent.take_up([kept(file)])
            descent.run()
            assert_same(descent.walked(), undisturbed, [row])


@pytest.mark.parametrize("recipe", [LBFGS, SGD], ids=["lbfgs", "sgd"])
def test_pictures_put_down_in_turn_again_and_again_come_to_the_same_end(
    recipe: Recipe, narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(recipe, Operands(narrow, "float32"))
    undisturbed = descended(engine, targets_of(engine, contents, styles), contents)
    descent = begun(engine, contents, styles)
    for after in (1, 2, 5, 6, 7, 12):
        files = put_down(descent, after, tmp_path)
        descent = begun(engine, contents, styles)
        descent.take_up([kept(file) for file in files])
    descent.run()
    assert_same(descent.walked(), undisturbed, (0, 1))


def test_what_went_wrong_before_is_remembered(
    narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    """A row restored, its rate halved or its history dropped; SGD's rates are part of the state."""
    for recipe in (LBFGS, SGD.changed(rates=(0.01,))):
        engine = Engine(recipe, Operands(narrow, "float32"))

        def broken(engine: Engine = engine, shift: int = 0) -> Watched:
            return Watched(engine, lambda number, _pictures: torch.tensor([number + shift in {2, 4, 9}, False]))

        undisturbed = descended(broken(), targets_of(engine, contents, styles), contents)
        assert undisturbed.restored.tolist() == [3, 0]
        for after in (3, 5, 8):
            files = put_down(begun(broken(), contents, styles), after, tmp_path)
            descent = begun(broken(shift=after), contents, styles)
            descent.take_up([kept(file) for file in files])
            descent.run()
            assert_same(descent.walked(), undisturbed, (0, 1))


def test_pictures_equally_far_share_a_stack_and_others_do_not(
    photographs: dict[str, Pixels], narrow: Encoder, contents: Tensor, styles: list[Tensor], tmp_path: Path
) -> None:
    engine = Engine(SGD, Operands(narrow, "float32"))
    fresh = prepare(SGD, Job("x", photographs["chelsea"][:32, :32], photographs["coffee"]))
    walked = {after: put_down(begun(engine, contents, styles), after, tmp_path / str(after)) for after in (1, 2, 6, 7)}
    ways = [fresh, *(replace(fresh, state=kept(files[0])) for files in walked.values())]
    assert len({repr(way.stackable) for way in ways}) == 5
    same = replace(fresh, state=kept(walked[6][1]))
    assert [way.stackable == same.stackable for way in ways] == [False, False, False, True, False]
    wide = prepare(SGD, Job("y", photographs["chelsea"][:32, :64], photographs["coffee"]))
    assert wide.stackable != fresh.stackable
    assert len(sorted([*ways, wide], key=lambda way: way.stackable)) == 6, "they can be put in order"


# The file


@pytest.fixture
def state(narrow: Encoder, contents: Tensor, styles: list[Tensor]) -> State:
    descent = begun(Engine(LBFGS, Operands(narrow, "float32")), contents, styles)
    for _ in range(3):
        descent.walks[0].advance()
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


def test_a_checkpoint_that_cannot_be_written_leaves_the_earlier_one(state: State, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    write_checkpoint(file, IDENTITY, state)
    file.with_suffix(".tmp").mkdir()
    with pytest.raises((OSError, SafetensorError)):
        write_checkpoint(file, replace(IDENTITY, recipe="later"), state)
    file.with_suffix(".tmp").rmdir()
    assert_state(read_checkpoint(file, IDENTITY), state)


def test_what_a_crash_left_half_written_is_written_over(state: State, tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    file.with_suffix(".tmp").write_bytes(b"half")
    write_checkpoint(file, IDENTITY, state)
    assert_state(read_checkpoint(file, IDENTITY), state)
    assert [each.name for each in tmp_path.iterdir()] == ["a.safetensors"]


# The colorizer


@dataclass(frozen=True)
class Observed(Colorizer):
    """Keeps a checkpoint after each evaluation, and says what it evaluated."""

    evaluators: list[Watched] = field(default_factory=list)

    @property
    def evaluator(self) -> Evaluator:
        self.evaluators.append(Watched(super().evaluator))
        return self.evaluators[-1]

    @property
    def evaluations(self) -> int:
        return sum(len(each.seen) for each in self.evaluators)


def observed(recipe: Recipe, encoder: Encoder) -> Observed:
    return Observed(recipe, Operands(encoder, "float32"), Conditions(checkpoint_s=0))


@pytest.fixture
def jobs(photographs: dict[str, Pixels], tmp_path: Path) -> list[Job]:
    """Two pictures of one size and one of another."""
    chelsea, coffee, astronaut = (photographs[name] for name in ("chelsea", "coffee", "astronaut"))
    pairs = {"one": (coffee, astronaut), "two": (coffee[::-1], chelsea), "square": (astronaut, coffee)}
    return [Job(key, *pair, tmp_path / f"{key}.safetensors") for key, pair in pairs.items()]


def interrupted(colorizer: Colorizer, jobs: Sequence[Job], after: int) -> None:
    """Colorize until progress was told so often."""
    told: list[float] = []

    def listen(parts: float) -> None:
        told.append(parts)
        if len(told) == after:
            raise PutDown

    with pytest.raises(PutDown):
        colorizer.colorize(jobs, listen)


def good(results: Sequence[object]) -> list[Colorization]:
    found = [result for result in results if isinstance(result, Colorization)]
    assert len(found) == len(results), results
    return found


@pytest.mark.parametrize("recipe", [LBFGS, SGD], ids=["lbfgs", "sgd"])
@pytest.mark.parametrize("after", [2, 5, 13])
def test_what_was_interrupted_is_finished_from_its_checkpoint_with_the_same_pixels(
    recipe: Recipe, after: int, narrow: Encoder, jobs: list[Job], tmp_path: Path
) -> None:
    undisturbed = good(observed(recipe, narrow).colorize([replace(job, checkpoint=None) for job in jobs[:2]]))
    assert list(tmp_path.iterdir()) == []
    first, second, said, told = observed(recipe, narrow), observed(recipe, narrow), list[str](), list[float]()
    interrupted(first, jobs[:2], after)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.safetensors", "two.safetensors"]
    results = good(second.colorize(jobs[:2], told.append, lambda key, sentence: said.append(key + sentence)))
    for result, other in zip(results, undisturbed, strict=True):
        assert (result.picture == other.picture).all()
        assert (result.errors, result.trace, result.iterations) == (other.errors, other.trace, other.iterations)
    whole = recipe.iterations + (4 if recipe.optimiser == "sgd" else 0)
    assert first.evaluations == after
    assert second.evaluations == whole - (after - 1), "the last evaluation was told of before it was kept"
    assert sum(told) == pytest.approx(2), "what was done before is told with what is done now"
    assert said == []


def test_a_stack_of_which_one_was_put_down_is_finished_in_two(narrow: Encoder, jobs: list[Job]) -> None:
    undisturbed = good(observed(LBFGS, narrow).colorize([replace(job, checkpoint=None) for job in jobs]))
    interrupted(observed(LBFGS, narrow), jobs[1:2], 6)
    results = good(observed(LBFGS, narrow).colorize(jobs))
    assert [result.measures["stack"] for result in results] == [1, 1, 1]
    assert [result.measures["stack"] for result in undisturbed] == [2, 2, 1]
    for result, other in zip(results, undisturbed, strict=True):
        assert (result.picture == other.picture).all()
        assert result.trace == other.trace


@pytest.mark.parametrize("change", ["recipe", "weights", "content", "style", "precision", "torn"])
def test_a_checkpoint_that_does_not_fit_is_told_and_the_picture_is_begun_anew(
    change: str, narrow: Encoder, jobs: list[Job], tmp_path: Path
) -> None:
    interrupted(observed(LBFGS, narrow), jobs[:1], 6)
    job, later = jobs[0], observed(LBFGS, narrow)
    words = {"recipe": "another recipe", "weights": "other weights", "torn": "damaged"}.get(change, f"another {change}")
    if change == "recipe":
        later = observed(LBFGS.changed(tv_weight=0.5), narrow)
    if change == "weights":
        later = observed(LBFGS, replace(narrow, checksum="0" * 64))
    if change == "precision":
        later = replace(later, operands=Operands(narrow, "bfloat16"))
    if change == "torn":
        job.checkpoint.write_bytes(job.checkpoint.read_bytes()[:5000])  # type: ignore[union-attr]
    if change == "content":
        job = replace(job, content=jobs[1].style)
    if change == "style":
        job = replace(job, style=jobs[1].style)
    said: list[tuple[str, str]] = []
    (found,) = good(later.colorize([job], None, lambda key, sentence: said.append((key, sentence))))
    ((key, sentence),) = said
    assert key == "one"
    assert words in sentence
    assert sentence.endswith("; begun anew")
    assert later.evaluations == LBFGS.iterations
    (anew,) = good(replace(later, evaluators=[]).colorize([replace(job, checkpoint=None)]))
    assert (found.picture == anew.picture).all()


def test_a_recipe_by_another_name_takes_up_the_same_checkpoint(narrow: Encoder, jobs: list[Job]) -> None:
    interrupted(observed(LBFGS, narrow), jobs[:1], 6)
    renamed = observed(LBFGS.changed(name="mine", reason="a copy under another name"), narrow)
    renamed.colorize(jobs[:1])
    assert renamed.evaluations == LBFGS.iterations - 5


def test_before_so_many_seconds_have_passed_no_checkpoint_is_kept(
    narrow: Encoder, jobs: list[Job], tmp_path: Path
) -> None:
    patient = replace(observed(LBFGS, narrow), conditions=Conditions(checkpoint_s=3600))
    interrupted(patient, jobs[:2], 10)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_says_in_words_what_it_belongs_to(narrow: Encoder, jobs: list[Job]) -> None:
    from safetensors import safe_open  # noqa: PLC0415  # this test alone looks into the file

    colorizer = observed(LBFGS, narrow)
    interrupted(colorizer, jobs[:1], 4)
    assert jobs[0].checkpoint is not None
    with safe_open(jobs[0].checkpoint, framework="pt") as file:
        identity = json.loads(file.metadata()["identity"])
    assert identity == asdict(colorizer.identity(prepare(LBFGS, jobs[0])))
    assert (identity["recipe"], identity["weights"]) == (LBFGS.digest(), narrow.checksum)
    assert identity["torch"] == torch.__version__
