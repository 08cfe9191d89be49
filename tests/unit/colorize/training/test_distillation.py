from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from colorize.encoders.loading import (
    INPUT_OXFORD,
    MEAN_ACTIVATIONS,
    calibrated,
    load_encoder,
    random_encoder,
    write_weights,
)
from colorize.encoders.vgg19 import CONVOLUTIONS, OXFORD, Encoder
from colorize.encoders.weights import weights_file
from colorize.errors import WeightsCorrupt
from colorize.images.decode import Pixels
from colorize.matching.embedding import embed
from colorize.training.dataset import crops, gray_views, held_out, split
from colorize.training.distillation import Student
from colorize.training.embedding import fit_embedding
from colorize.training.fitting import layer_by_layer
from colorize.training.quality import quality
from colorize.training.teacher import (
    CONTENT_LAYERS,
    STYLE_LAYERS,
    Look,
    TeacherBatch,
    correlation,
    cosines,
    look,
    teacher_batch,
)

WIDTHS = (3, 4, 6, 6, 6)
SCALES = dict(zip(CONVOLUTIONS, MEAN_ACTIVATIONS, strict=True))


@pytest.fixture(scope="module")
def teacher() -> Encoder:
    return random_encoder(widths=(4, 8, 12, 12, 12))


@pytest.fixture(scope="module")
def taught(photographs: dict[str, Pixels]) -> list[Pixels]:
    return list(photographs.values())


@pytest.fixture(scope="module")
def first(teacher: Encoder, taught: list[Pixels]) -> Mapping[str, tuple[torch.Tensor, torch.Tensor]]:
    fitted = layer_by_layer(teacher, crops(taught, 12, 32, 0), lambda _name, _share: None, WIDTHS)
    return calibrated(Encoder("student", "", OXFORD, fitted), (1.0,) * 16).convolutions


@pytest.fixture(scope="module")
def batches(teacher: Encoder, taught: list[Pixels]) -> list[TeacherBatch]:
    return [teacher_batch(teacher, crops(taught, 6, 32, seed), SCALES, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def looks(teacher: Encoder, taught: list[Pixels]) -> list[Look]:
    return [look(teacher, gray_views(taught, 6, (64, 48), seed)) for seed in range(2)]


def student(teacher: Encoder, first: Mapping[str, tuple[torch.Tensor, torch.Tensor]], steps: int) -> Student:
    return Student(first, teacher, steps, 1e-3)


def test_every_layer_of_the_fit_explains_much_of_the_teachers_and_has_its_width(
    teacher: Encoder, taught: list[Pixels]
) -> None:
    told: dict[str, float] = {}
    found = layer_by_layer(teacher, crops(taught, 12, 32, 0), told.__setitem__, WIDTHS)
    assert list(found) == list(told) == list(CONVOLUTIONS)
    assert [len(found[f"conv{block}_1"][0]) for block in range(1, 6)] == list(WIDTHS)
    assert told["conv1_1"] == pytest.approx(1, abs=1e-3), "its own channels from the same pictures"
    assert min(told.values()) > 0.2


def test_with_all_the_teachers_channels_the_fit_is_the_teacher(teacher: Encoder, taught: list[Pixels]) -> None:
    pixels = crops(taught, 24, 48, 0)
    found = layer_by_layer(teacher, pixels, lambda _name, _share: None, (4, 8, 12, 12, 12))
    pictures = torch.from_numpy(pixels[:3]).permute(0, 3, 1, 2).float()
    theirs = teacher.features(pictures, ["conv3_1"])["conv3_1"]
    ours = Encoder("same", "", OXFORD, found).features(pictures, ["conv3_1"])["conv3_1"]
    one, other = (each.square().mean((0, 2, 3)).sort().values for each in (ours, theirs))
    assert torch.allclose(one, other, rtol=0.05), "the same channels in another order"


@pytest.mark.long
def test_a_student_comes_nearer_to_its_teacher_by_learning(
    teacher: Encoder,
    first: Mapping[str, tuple[torch.Tensor, torch.Tensor]],
    batches: list[TeacherBatch],
    looks: list[Look],
) -> None:
    learning = student(teacher, first, 40)
    learning.fit_heads(batches, looks)
    losses = [sum(learning.learn(batches[step % 3]).values()) for step in range(40)]
    assert np.mean(losses[-6:]) < 0.8 * np.mean(losses[:3])


def test_a_student_learns_to_tell_gray_pictures_apart_as_its_teacher_does(
    teacher: Encoder,
    first: Mapping[str, tuple[torch.Tensor, torch.Tensor]],
    batches: list[TeacherBatch],
    looks: list[Look],
) -> None:
    learning = student(teacher, first, 40)
    learning.fit_heads(batches, looks)
    losses = [learning.learn(looks[step % 2]) for step in range(40)]
    assert np.mean([each["match"] for each in losses[-4:]]) < 0.7 * np.mean([each["match"] for each in losses[:4]])


def test_the_fitted_embedding_tells_pictures_apart_as_the_teacher_does(
    teacher: Encoder, first: Mapping[str, tuple[torch.Tensor, torch.Tensor]], taught: list[Pixels]
) -> None:
    plain = Encoder("student", "", OXFORD, first)
    fitted = replace(plain, embedding=fit_embedding(plain, [look(teacher, gray_views(taught, 24, (96, 96), 0))]))
    views = gray_views(taught, 12, (96, 96), 99)
    theirs, before, after = (
        cosines(torch.from_numpy(np.stack([embed(each, view) for view in views]))) for each in (teacher, plain, fitted)
    )
    assert correlation(after, theirs) > max(0.8, float(correlation(before, theirs)))


def test_an_encoders_embedding_travels_with_its_weights_and_is_refused_when_it_does_not_fit(
    teacher: Encoder, tmp_path: Path, taught: list[Pixels]
) -> None:
    seen = replace(teacher, embedding={"conv5_4": torch.diag(torch.arange(1.0, 13.0))})
    path = tmp_path / "seen.safetensors"
    facts = {"name": "seen", "input": INPUT_OXFORD, "calibrated": "yes"}
    write_weights(path, seen.convolutions, facts, seen.embedding)
    found = load_encoder(weights_file(path))
    plain, weighed = (embed(each, taught[0]).reshape(12, -1) for each in (teacher, found))
    assert np.allclose(weighed, plain * np.arange(1, 13)[:, None], rtol=1e-5)
    write_weights(path, seen.convolutions, facts, {"conv5_4": torch.ones(5, 5)})
    with pytest.raises(WeightsCorrupt, match=r"embedding\.conv5_4 does not fit"):
        load_encoder(weights_file(path))


def test_a_student_that_was_put_down_goes_on_as_if_nothing_had_been(
    teacher: Encoder,
    first: Mapping[str, tuple[torch.Tensor, torch.Tensor]],
    batches: list[TeacherBatch],
    looks: list[Look],
) -> None:
    undisturbed, begun, resumed = (student(teacher, first, 8) for _ in range(3))
    for each in (undisturbed, begun):
        each.fit_heads(batches, looks)
    for step in range(8):
        undisturbed.learn(batches[step % 3])
    for step in range(5):
        begun.learn(batches[step % 3])
    resumed.take_up(begun.state())
    assert resumed.done == 5
    for step in range(5, 8):
        resumed.learn(batches[step % 3])
    for name, parameter in undisturbed.parameters.items():
        assert torch.allclose(parameter, resumed.parameters[name], rtol=1e-6, atol=1e-7), name


def test_an_encoder_keeps_its_own_distances_perfectly_and_another_does_not(
    teacher: Encoder, taught: list[Pixels]
) -> None:
    pictures = [*taught, *(np.ascontiguousarray(each[::-1]) for each in taught)]
    same = quality(teacher, teacher, pictures, 48)
    assert same.data() == {"gram": 1.0, "content": 1.0, "matching": 1.0}
    assert set(same.gram) == set(STYLE_LAYERS)
    assert set(same.content) == set(CONTENT_LAYERS)
    other = quality(teacher, random_encoder(9, widths=WIDTHS), pictures, 48)
    assert other.data()["gram"] < 0.999


def test_correlation_is_pearsons() -> None:
    a, b = torch.tensor([1.0, 2.0, 4.0, 9.0]), torch.tensor([2.0, 1.0, 5.0, 7.0])
    assert float(correlation(a, b)) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-6)


def test_what_is_held_out_is_decided_by_name_once_and_for_all(taught: list[Pixels]) -> None:
    names = [f"print {number}" for number in range(1000)]
    assert 100 < sum(map(held_out, names)) < 200
    pictures = dict.fromkeys(names, taught[0])
    learned, held = split(pictures)
    assert len(learned) + len(held) == 1000
    assert all(map(held_out, held))
    assert split(dict(reversed(pictures.items())))[1].keys() == held.keys()


def test_crops_are_squares_in_colour_gray_and_ink_decided_by_their_seed(taught: list[Pixels]) -> None:
    found = crops(taught, 60, 32, 5)
    assert found.shape == (60, 32, 32, 3)
    assert (found == crops(taught, 60, 32, 5)).all()
    assert not (found == crops(taught, 60, 32, 6)).all()
    gray = [bool((each == each[..., :1]).all()) for each in found]
    assert 3 < sum(gray) < 40
