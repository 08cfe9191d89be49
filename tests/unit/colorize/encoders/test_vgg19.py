import re

import pytest
import torch
from torch import Tensor, nn

from colorize.encoders.vgg19 import CONVOLUTIONS, LAYERS, OXFORD, TORCHVISION, Encoder
from colorize.errors import BadRecipe

PICTURES = torch.rand(2, 3, 48, 64, generator=torch.Generator().manual_seed(5)) * 255
PLAN = (2, 2, 4, 4, 4)


def sequential(encoder: Encoder, pooling: str, *, inplace: bool = False) -> tuple[nn.Sequential, dict[str, int]]:
    """VGG-19 as torch builds it, and where each layer's output is to be found: after the ReLU, after the pooling."""
    modules: list[nn.Module] = []
    outputs: dict[str, int] = {}
    for block, convolutions in enumerate(PLAN, start=1):
        for name in (f"conv{block}_{index}" for index in range(1, convolutions + 1)):
            weight, bias = encoder.convolutions[name]
            module = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1).to(weight.dtype)
            module.weight, module.bias = nn.Parameter(weight), nn.Parameter(bias)
            modules += [module, nn.ReLU(inplace=inplace)]
            outputs[name] = len(modules) - 1
        modules.append(nn.MaxPool2d(2) if pooling == "max" else nn.AvgPool2d(2))
        outputs[f"pool{block}"] = len(modules) - 1
    return nn.Sequential(*modules), outputs


@torch.no_grad()
def all_outputs(network: nn.Sequential, pictures: Tensor) -> list[Tensor]:
    outputs = []
    for module in network:
        pictures = module(pictures)
        outputs.append(pictures)
    return outputs


@pytest.fixture(scope="module")
def biased(narrow64: Encoder) -> Encoder:
    """The narrow encoder with biases, which random weights have none of."""
    generator = torch.Generator().manual_seed(9)
    moved = {
        name: (weight, 10 * torch.randn(bias.shape, generator=generator, dtype=bias.dtype))
        for name, (weight, bias) in narrow64.convolutions.items()
    }
    return Encoder("biased", "", OXFORD, moved)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_every_layer_by_name_is_that_of_a_plain_vgg19_after_its_relu(biased: Encoder, pooling: str) -> None:
    pictures = PICTURES.double()
    network, places = sequential(biased, pooling)
    expected = all_outputs(network, pictures - pictures.new_tensor(OXFORD.mean).view(1, 3, 1, 1))
    found = biased.features(pictures, LAYERS, "max" if pooling == "max" else "average")
    assert found.keys() == places.keys()
    for name, place in places.items():
        assert torch.allclose(found[name], expected[place], rtol=1e-10, atol=1e-9), name
        assert found[name].min() >= 0, name


def test_an_inplace_relu_would_overwrite_the_convolution_and_ours_overwrites_nothing(biased: Encoder) -> None:
    pictures = PICTURES.double() - 120
    before = all_outputs(sequential(biased, "max", inplace=False)[0], pictures.clone())
    after = all_outputs(sequential(biased, "max", inplace=True)[0], pictures.clone())
    assert before[0].min() < 0, "the convolution itself has negative outputs"
    assert after[0].min() >= 0, "the trap: the kept convolution was turned into its ReLU"
    alone = {name: biased.features(PICTURES.double(), [name])[name] for name in ("conv1_1", "conv1_2", "pool1")}
    together = biased.features(PICTURES.double(), LAYERS)
    for name, features in alone.items():
        assert torch.equal(together[name], features), name


def test_features_carry_a_gradient_back_to_the_picture(narrow: Encoder) -> None:
    pictures = PICTURES.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(narrow.features(pictures, ["conv5_4"])["conv5_4"].sum(), pictures)
    assert gradient.isfinite().all()
    assert (gradient != 0).float().mean() > 0.9


def test_average_pooling_smooths_where_max_pooling_picks(narrow: Encoder) -> None:
    most, mean = (narrow.features(PICTURES, ["pool1"], pooling)["pool1"] for pooling in ("max", "average"))
    assert (most >= mean - 1e-3).all()
    assert most.mean() > 1.05 * mean.mean()


def test_nothing_is_computed_past_the_last_wanted_layer(narrow: Encoder) -> None:
    poisoned = dict(narrow.convolutions)
    for name in CONVOLUTIONS[CONVOLUTIONS.index("conv4_1") :]:
        # Of one channel only: a convolution that is reached stops with an error.
        poisoned[name] = (torch.zeros(1, 1, 3, 3), torch.zeros(1))
    cut = Encoder("cut", "", OXFORD, poisoned)
    assert list(cut.features(PICTURES, ["pool3", "conv1_2"])) == ["conv1_2", "pool3"]
    with pytest.raises(RuntimeError):
        cut.features(PICTURES, ["conv4_1"])


def test_layers_come_one_by_one_in_the_networks_order_and_none_is_held_for_the_next(narrow: Encoder) -> None:
    poisoned = dict(narrow.convolutions) | {"conv3_1": (torch.zeros(1, 1, 3, 3), torch.zeros(1))}
    coming = Encoder("cut", "", OXFORD, poisoned).outputs(PICTURES, ["conv3_1", "pool1", "conv2_2"])
    assert [next(coming)[0], next(coming)[0]] == ["pool1", "conv2_2"]
    with pytest.raises(RuntimeError):
        next(coming)


def test_layers_have_the_widths_and_sizes_of_their_block(narrow: Encoder) -> None:
    found = narrow.features(PICTURES, LAYERS)
    assert found["conv1_2"].shape == (2, 4, 48, 64)
    assert found["pool1"].shape == (2, 4, 24, 32)
    assert found["conv4_2"].shape == (2, 8, 6, 8)
    assert found["pool5"].shape == (2, 8, 1, 2)


@pytest.mark.parametrize("name", ["conv3_5", "conv6_1", "relu4_2", "28", "Conv4_2", ""])
def test_an_unknown_layer_is_refused_by_name(narrow: Encoder, name: str) -> None:
    with pytest.raises(BadRecipe, match=rf"no layer {re.escape(name)}; it has conv1_1 to pool5"):
        narrow.features(PICTURES, ["conv1_1", name])


def test_there_are_sixteen_convolutions_and_five_poolings_in_vgg19s_order() -> None:
    assert len(CONVOLUTIONS) == 16
    assert LAYERS[:7] == ("conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2", "conv3_1")
    assert LAYERS[-2:] == ("conv5_4", "pool5")


NOTHING = {"conv1_1": (torch.zeros(1, 3, 3, 3), torch.zeros(1))}


def test_the_original_weights_take_rgb_minus_its_mean() -> None:
    pictures = torch.tensor([255.0, 128.0, 0.0]).view(1, 3, 1, 1)
    plain = Encoder("plain", "", OXFORD, NOTHING)
    assert plain.preprocessed(pictures).flatten().tolist() == pytest.approx([131.32, 11.221, -103.939])


def test_torchvisions_weights_take_rgb_in_0_to_1_minus_mean_over_deviation() -> None:
    pictures = torch.tensor([255.0, 127.5, 0.0]).view(1, 3, 1, 1)
    plain = Encoder("plain", "", TORCHVISION, NOTHING)
    wanted = [(1 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, -0.406 / 0.225]
    assert plain.preprocessed(pictures).flatten().tolist() == pytest.approx(wanted, rel=1e-6)


def test_an_encoder_moves_to_another_precision_with_its_name_and_checksum(narrow: Encoder) -> None:
    named = Encoder("some-name", "c0ffee", TORCHVISION, narrow.convolutions)
    moved = named.to("cpu", torch.float64)
    assert (moved.name, moved.checksum, moved.preprocessing) == ("some-name", "c0ffee", TORCHVISION)
    assert (named.dtype, moved.dtype, str(moved.device)) == (torch.float32, torch.float64, "cpu")
    close = moved.features(PICTURES.double(), ["conv5_1"])["conv5_1"].float()
    assert torch.allclose(close, named.features(PICTURES, ["conv5_1"])["conv5_1"], rtol=1e-3, atol=1e-2)
