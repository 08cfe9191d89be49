import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from colorize.encoders import loading, weights
from colorize.encoders.loading import (
    MEAN_ACTIVATIONS,
    calibrated,
    download_weights,
    load_encoder,
    ordinary_pictures,
    random_encoder,
    random_weights,
)
from colorize.encoders.vgg19 import CONVOLUTIONS, OXFORD, TORCHVISION, Encoder, Preprocessing
from colorize.encoders.weights import (
    FULL_WIDTHS,
    KEYS,
    SHIPPED,
    WeightsFile,
    available_weights,
    checksum_path,
    input_scale,
    recorded_checksum,
    shipped_weights,
    weights_file,
    weights_in,
)
from colorize.errors import WeightsCorrupt, WeightsMissing

INPUT = "RGB, range 0..255 float, minus mean [123.68, 116.779, 103.939]; no division by std"
INPUT_TORCHVISION = "RGB, range 0..1 float, minus mean [0.485, 0.456, 0.406], divided by std [0.229, 0.224, 0.225]"
OWN = {"name": "own", "input": INPUT}


def state_of(encoder: Encoder) -> dict[str, Tensor]:
    parts = zip(KEYS, encoder.convolutions.values(), strict=True)
    return {f"{key}.{part}": value for key, pair in parts for part, value in zip(("weight", "bias"), pair, strict=True)}


@pytest.fixture(scope="module")
def rough() -> Encoder:
    """A narrow encoder on no scale at all, with biases."""
    generator = torch.Generator().manual_seed(1)
    convolutions, channels = {}, 3
    for name, width in zip(CONVOLUTIONS, (4, 4, *[8] * 14), strict=True):
        weight = torch.randn(width, channels, 3, 3, generator=generator)
        convolutions[name] = (weight, torch.randn(width, generator=generator))
        channels = width
    return Encoder("rough", "", OXFORD, convolutions)


def put(folder: Path, state: Mapping[str, Tensor], metadata: dict[str, str], name: str = "own") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.safetensors"
    save_file(dict(state), path, metadata)
    return path


def found_in(folder: Path) -> WeightsFile:
    (file,) = weights_in(folder)
    return file


@torch.no_grad()
def means(encoder: Encoder) -> list[float]:
    found = encoder.features(ordinary_pictures().to(encoder.dtype), CONVOLUTIONS)
    return [float(found[name].mean()) for name in CONVOLUTIONS]


def test_files_come_in_the_order_of_preference_and_others_are_passed_over(tmp_path: Path, rough: Encoder) -> None:
    for name in ("an-own-one", "vgg19-torchvision", "vgg19-oxford"):
        put(tmp_path, state_of(rough), {"name": name, "input": INPUT}, name)
    put(tmp_path, {"conv.0.weight": torch.ones(3)}, {}, "another-network")
    (tmp_path / "notes.txt").write_text("not weights")
    assert [file.name for file in weights_in(tmp_path)] == ["vgg19-oxford", "vgg19-torchvision", "an-own-one"]


def test_a_file_is_named_by_its_metadata_else_by_its_architecture_else_by_itself(
    tmp_path: Path, rough: Encoder
) -> None:
    for name, metadata in (("a", {"arch": "VGG-19 of Oxford"}), ("b", {"arch": "VGG-19"}), ("c", {"name": "given"})):
        put(tmp_path, state_of(rough), metadata, name)
    assert {file.path.stem: file.name for file in weights_in(tmp_path)} == {"a": "vgg19-oxford", "b": "b", "c": "given"}
    assert {file.name: file.calibrated for file in weights_in(tmp_path)}["vgg19-oxford"]


def test_available_are_the_operators_own_then_the_shipped_one_then_what_was_downloaded_and_random_ones_last(
    tmp_path: Path, rough: Encoder
) -> None:
    own, cache = tmp_path / "own", tmp_path / "cache"
    assert [file.name for file in available_weights(None, cache)] == ["nishiki-small"]
    put(own, state_of(rough), OWN)
    for name in ("random-seeded", "vgg19-torchvision"):
        put(cache, state_of(rough), {"name": name, "input": INPUT_TORCHVISION}, name)
    names = [file.name for file in available_weights(own, cache)]
    assert names == ["own", "nishiki-small", "vgg19-torchvision", "random-seeded"]


def test_an_operators_folder_without_weights_is_not_replaced_by_other_ones(tmp_path: Path, rough: Encoder) -> None:
    cache = tmp_path / "cache"
    put(cache, state_of(rough), OWN)
    for folder in (tmp_path / "empty", tmp_path / "missing"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(WeightsMissing, match=rf"{folder} holds no VGG-19.*nishiki weights download"):
            available_weights(folder, cache)


def test_the_shipped_encoder_is_the_one_that_was_declared_and_is_small_and_calibrated() -> None:
    file = shipped_weights()
    assert (file.name, file.checksum) == ("nishiki-small", recorded_checksum(SHIPPED))
    assert file.size_bytes <= 4_000_000
    assert file.calibrated
    assert not file.full
    assert {"gram", "content", "matching"} <= set(file.quality)
    assert "CC BY 4.0" in file.metadata["licence"]
    for word in ("attribution", "training"):
        assert file.metadata[word], word
    encoder = load_encoder(file)
    assert (encoder.name, encoder.checksum, encoder.dtype) == (file.name, file.checksum, torch.float32)
    assert tuple(len(encoder.convolutions[f"conv{block}_1"][1]) for block in range(1, 6)) == file.widths


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shipped encoder in the place of the one that is looked at."""
    for path in (SHIPPED, checksum_path(SHIPPED)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / SHIPPED.name)
    return tmp_path / SHIPPED.name


def one_bit_less(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "spoil",
    [
        one_bit_less,
        lambda path: path.write_bytes(b""),
        lambda path: put(path.parent, {"a": torch.ones(1)}, {}, path.stem),
        lambda path: checksum_path(path).write_text("0" * 64 + "  nishiki-small.safetensors\n"),
        lambda path: checksum_path(path).write_text(""),
        lambda path: checksum_path(path).write_bytes(b"\xff\xfe"),
        lambda path: checksum_path(path).unlink(),
        lambda path: path.unlink(),
    ],
)
def test_a_shipped_encoder_that_is_not_the_declared_one_is_refused_with_the_command_that_brings_it_back(
    shipped: Path, spoil: Callable[[Path], object], tmp_path: Path
) -> None:
    assert available_weights(None, tmp_path / "none")[0].path == shipped
    spoil(shipped)
    names = "nishiki-small.safetensors nishiki-small.sha256"
    with pytest.raises(WeightsCorrupt, match=rf"{shipped} .*git -C {shipped.parent} checkout -- {names}"):
        available_weights(None, tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "command"),
    [("vgg19-torchvision", "nishiki weights download"), ("random-seeded-0", "rm {path}"), ("own", "remove it")],
)
def test_a_kept_file_that_changed_later_is_refused_with_the_command_that_gets_it_again(
    narrow: Encoder, tmp_path: Path, name: str, command: str
) -> None:
    path = tmp_path / f"{name}.safetensors"
    loading.write_weights(path, narrow.convolutions, OWN)
    assert weights_file(path).checksum == recorded_checksum(path)
    one_bit_less(path)
    with pytest.raises(WeightsCorrupt, match=f"damaged or was replaced.*{command.format(path=path)}"):
        available_weights(None, tmp_path)


def test_a_file_that_changes_between_the_look_and_the_load_is_refused(tmp_path: Path, narrow: Encoder) -> None:
    """A night finds its encoder once and loads it in many processes, hours later perhaps."""
    path = put(tmp_path, state_of(narrow), OWN)
    file = found_in(tmp_path)
    put(tmp_path, {key: value * 2 for key, value in state_of(narrow).items()}, OWN)
    with pytest.raises(WeightsCorrupt, match=f"{path} is damaged or was replaced"):
        load_encoder(file)


def test_a_file_of_the_operators_own_is_named_by_the_checksum_it_has(tmp_path: Path, rough: Encoder) -> None:
    put(tmp_path, state_of(rough), OWN)
    before = found_in(tmp_path).checksum
    put(tmp_path, {key: value * 2 for key, value in state_of(rough).items()}, OWN)
    assert found_in(tmp_path).checksum != before


def test_a_vgg19_of_the_originals_size_is_full_but_for_random_ones(tmp_path: Path, rough: Encoder) -> None:
    file = found_in(put(tmp_path, state_of(rough), OWN).parent)
    assert file.widths == (4, 8, 8, 8, 8)
    assert not file.full
    assert replace(file, widths=FULL_WIDTHS).full
    assert not replace(file, widths=FULL_WIDTHS, name="random-seeded").full


@pytest.mark.parametrize(
    ("said", "quality"),
    [
        ('{"gram": 0.97, "content": 0.9, "note": "x"}', {"gram": 0.97, "content": 0.9}),
        ("{}", {}),
        ("no JSON", {}),
        ("[1]", {}),
        (None, {}),
    ],
)
def test_the_quality_is_what_the_metadata_says_in_numbers(
    tmp_path: Path, rough: Encoder, said: str | None, quality: Mapping[str, float]
) -> None:
    put(tmp_path, state_of(rough), OWN if said is None else OWN | {"quality": said})
    assert found_in(tmp_path).quality == quality


def test_a_checksum_is_that_of_the_file(tmp_path: Path, rough: Encoder) -> None:
    path = put(tmp_path, state_of(rough), OWN)
    file = found_in(tmp_path)
    assert file.checksum == hashlib.sha256(path.read_bytes()).hexdigest() == load_encoder(file).checksum
    assert file.size_bytes == path.stat().st_size


@pytest.mark.parametrize("spoil", [lambda data: data[:-100], lambda data: b"\xff" * 64, lambda data: b""])
def test_a_file_that_cannot_be_read_is_corrupt_and_told_by_its_path(
    tmp_path: Path, rough: Encoder, spoil: Callable[[bytes], bytes]
) -> None:
    path = put(tmp_path, state_of(rough), OWN)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(WeightsCorrupt, match=rf"{path} .*get it again from where it came, or remove it"):
        available_weights(tmp_path, tmp_path)


@pytest.mark.parametrize(
    "said",
    ["", "BGR, range 0..255 float, minus mean [1, 2, 3]", "RGB, minus mean [1, 2, 3]", "RGB, range 0..255 float"],
)
def test_a_file_that_does_not_name_its_preprocessing_is_not_guessed_at(
    tmp_path: Path, rough: Encoder, said: str
) -> None:
    put(tmp_path, state_of(rough), {"name": "own"} | ({"input": said} if said else {}))
    with pytest.raises(WeightsCorrupt, match="must name the preprocessing"):
        load_encoder(found_in(tmp_path))


@pytest.mark.parametrize(("said", "scale"), [(INPUT, OXFORD), (INPUT_TORCHVISION, TORCHVISION)])
def test_the_metadata_becomes_the_preprocessing(
    tmp_path: Path, rough: Encoder, said: str, scale: Preprocessing
) -> None:
    put(tmp_path, state_of(rough), {"name": "own", "input": said, "calibrated": "yes"})
    encoder = load_encoder(found_in(tmp_path))
    assert encoder.preprocessing == scale
    assert input_scale(found_in(tmp_path)).mean == scale.mean
    for name, (weight, bias) in rough.convolutions.items():
        assert encoder.convolutions[name][0].equal(weight)
        assert encoder.convolutions[name][1].equal(bias)


@pytest.mark.parametrize(
    ("key", "tensor", "said"),
    [
        ("features.2.weight", torch.zeros(4, 5, 3, 3), "conv1_2 has shapes"),
        ("features.2.weight", torch.zeros(4, 4, 5, 5), "conv1_2 has shapes"),
        ("features.34.bias", torch.zeros(7), "conv5_4 has shapes"),
        ("features.10.weight", torch.zeros(8, 7, 3, 3), "conv3_1 has shapes"),
        ("features.28.weight", torch.zeros(8), "conv5_1 has shapes"),
        ("features.19.weight", torch.full((8, 8, 3, 3), torch.nan), "conv4_1 holds numbers that are not finite"),
        ("features.0.bias", torch.full((4,), torch.inf), "conv1_1 holds numbers that are not finite"),
        ("features.7.bias", None, "lacks features.7.bias"),
        ("features.21.weight", torch.zeros(8, 8, 3, 3), "conv4_2 gives only zeros"),
    ],
)
def test_wrong_tensors_are_told_by_their_layer(
    tmp_path: Path, rough: Encoder, key: str, tensor: Tensor | None, said: str
) -> None:
    state = {name: value for name, value in state_of(rough).items() if name != key}
    if tensor is not None:
        state[key] = tensor
    if key == "features.21.weight":
        state["features.21.bias"] = torch.zeros(8)
    put(tmp_path, state, OWN)
    with pytest.raises(WeightsCorrupt, match=said):
        load_encoder(found_in(tmp_path))


def test_weights_in_half_precision_come_as_float32(tmp_path: Path, narrow: Encoder) -> None:
    put(tmp_path, {key: value.half() for key, value in state_of(narrow).items()}, OWN)
    encoder = load_encoder(found_in(tmp_path))
    assert encoder.dtype == torch.float32
    assert means(encoder) == pytest.approx(MEAN_ACTIVATIONS, rel=1e-3)


@pytest.mark.parametrize("preprocessing", [OXFORD, TORCHVISION])
def test_calibration_brings_every_layer_to_its_mean_activation(rough: Encoder, preprocessing: Preprocessing) -> None:
    encoder = Encoder("rough", "c0ffee", preprocessing, rough.convolutions)
    once = calibrated(encoder)
    assert means(encoder) != pytest.approx(MEAN_ACTIVATIONS, rel=0.5)
    assert means(once) == pytest.approx(MEAN_ACTIVATIONS, rel=1e-3)
    assert (once.name, once.checksum, once.preprocessing) == ("rough", "c0ffee", preprocessing)
    again = calibrated(once)
    for name, (weight, bias) in once.convolutions.items():
        assert torch.allclose(again.convolutions[name][0], weight, rtol=1e-3, atol=0)
        assert torch.allclose(again.convolutions[name][1], bias, rtol=1e-3, atol=0)


def test_calibration_changes_the_scale_of_a_layer_and_nothing_else(rough: Encoder) -> None:
    pictures = ordinary_pictures()[:, :, :64, :64]
    plain, scaled = (encoder.features(pictures, CONVOLUTIONS) for encoder in (rough, calibrated(rough)))
    for name in CONVOLUTIONS:
        ratio = float(scaled[name].sum() / plain[name].sum())
        assert torch.allclose(scaled[name], ratio * plain[name], rtol=1e-3, atol=1e-3 * float(scaled[name].max())), name


def test_the_same_seed_gives_the_same_random_weights_and_another_seed_others() -> None:
    one, same, other = (random_encoder(seed, widths=(4, 8, 8, 8, 8)) for seed in (1, 1, 2))
    assert all(one.convolutions[name][0].equal(same.convolutions[name][0]) for name in CONVOLUTIONS)
    assert not any(one.convolutions[name][0].equal(other.convolutions[name][0]) for name in CONVOLUTIONS)
    assert one.name == "random-seeded"


@pytest.mark.long
def test_the_random_weights_file_is_made_once_and_whole(tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "weights"
    made = random_weights(cache)
    stamp = made.path.stat().st_mtime_ns
    again = random_weights(cache)
    assert again == made
    assert again.path.stat().st_mtime_ns == stamp
    assert set(cache.iterdir()) == {made.path, checksum_path(made.path)}
    assert (made.name, made.calibrated, made.metadata["seed"]) == ("random-seeded", True, "0")
    encoder = load_encoder(made)
    assert encoder.convolutions["conv5_4"][0].shape == (512, 512, 3, 3)
    assert (encoder.name, encoder.checksum) == ("random-seeded", made.checksum)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the loopback address that serves it."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def offer(folder: Path, state: Mapping[str, Tensor], digest: str | None = None) -> str:
    """Lay a `.pth` file there whose name carries its own hash, or the one given; returns the name."""
    torch.save(dict(state), folder / "made.pth")
    digest = digest or hashlib.sha256((folder / "made.pth").read_bytes()).hexdigest()
    return (folder / "made.pth").rename(folder / f"vgg19-{digest[:8]}.pth").name


def test_downloaded_weights_are_verified_calibrated_and_kept(
    served: tuple[Path, str], tmp_path: Path, rough: Encoder
) -> None:
    folder, address = served
    classifier = {"classifier.0.weight": torch.ones(2, 2)}
    cache = tmp_path / "cache"
    file = download_weights(cache, f"{address}/{offer(folder, state_of(rough) | classifier)}")
    assert set(cache.iterdir()) == {file.path, checksum_path(file.path)}
    assert recorded_checksum(file.path) == file.checksum
    assert (file.name, file.calibrated) == ("vgg19-torchvision", True)
    assert file in available_weights(None, cache)
    encoder = load_encoder(file)
    assert encoder.preprocessing == TORCHVISION
    assert means(encoder) == pytest.approx(MEAN_ACTIVATIONS, rel=1e-3)


def test_a_download_whose_hash_differs_is_corrupt_and_nothing_is_kept(
    served: tuple[Path, str], tmp_path: Path, rough: Encoder
) -> None:
    folder, address = served
    cache = tmp_path / "cache"
    for url in (f"{address}/{offer(folder, state_of(rough), 'deadbeef')}", f"{address}/vgg19-00000000.pth"):
        with pytest.raises(WeightsCorrupt, match=r"not downloaded: .*nishiki weights download"):
            download_weights(cache, url)
        assert list(cache.iterdir()) == []
    with pytest.raises(WeightsCorrupt, match="is no VGG-19"):
        download_weights(cache, f"{address}/{offer(folder, {'features.0.weight': torch.ones(1)})}")
    assert list(cache.iterdir()) == []


VGG16_LACKS = {"conv3_4", "conv4_4", "conv5_4"}


def vgg16_state(rough: Encoder) -> dict[str, Tensor]:
    """A VGG-16 of the same convolutions, by torchvision's names."""
    places = iter((0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28))
    kept = [pair for name, pair in rough.convolutions.items() if name not in VGG16_LACKS]
    return {
        f"features.{place}.{part}": each.clone()
        for place, pair in zip(places, kept, strict=True)
        for part, each in zip(("weight", "bias"), pair, strict=True)
    }


@torch.no_grad()
def plainly(rough: Encoder, pictures: Tensor) -> Tensor:
    """The last output of that VGG-16, layer by layer."""
    planes = rough.preprocessed(pictures)
    for name, (weight, bias) in rough.convolutions.items():
        if name.endswith("_1") and name != "conv1_1":
            planes = torch.nn.functional.max_pool2d(planes, 2)
        if name not in VGG16_LACKS:
            planes = torch.nn.functional.conv2d(planes, weight, bias, padding=1).relu()
    return planes


def test_a_vgg16_is_read_as_a_vgg19_that_passes_on_what_it_lacks(tmp_path: Path, rough: Encoder) -> None:
    put(tmp_path, vgg16_state(rough), OWN | {"calibrated": "yes"})
    file = found_in(tmp_path)
    assert (file.vgg16, file.full, file.widths) == (True, False, (4, 8, 8, 8, 8))
    pictures = ordinary_pictures()
    with torch.no_grad():
        found = load_encoder(file).features(pictures, ["conv3_3", "conv3_4", "conv5_4"])
    assert found["conv3_4"].equal(found["conv3_3"])
    torch.testing.assert_close(found["conv5_4"], plainly(rough, pictures))


@pytest.mark.long
def test_the_original_vgg16_has_a_name_of_its_own_and_stands_for_no_vgg19(tmp_path: Path) -> None:
    convolutions = random_encoder(widths=FULL_WIDTHS).convolutions
    put(tmp_path, vgg16_state(Encoder("", "", OXFORD, convolutions)), {"arch": "VGG-16 of Oxford", "input": INPUT})
    file = found_in(tmp_path)
    assert (file.name, file.calibrated, file.full) == ("vgg16-oxford", False, False)


def test_a_downloaded_vgg16_is_calibrated_whenever_it_is_loaded(
    served: tuple[Path, str], tmp_path: Path, rough: Encoder
) -> None:
    folder, address = served
    state = vgg16_state(rough) | {"classifier.0.weight": torch.ones(2, 2)}
    file = download_weights(tmp_path / "cache", f"{address}/{offer(folder, state)}", vgg16=True)
    assert (file.name, file.vgg16, file.calibrated) == ("vgg16-torchvision", True, False)
    assert means(load_encoder(file)) == pytest.approx(MEAN_ACTIVATIONS, rel=1e-3)
    with pytest.raises(WeightsCorrupt, match=r"VGG-16 was not downloaded: .*nishiki weights download vgg16"):
        download_weights(tmp_path / "cache", f"{address}/vgg16-00000000.pth", vgg16=True)


def test_listing_weights_loads_no_torch(tmp_path: Path, rough: Encoder) -> None:
    put(tmp_path, state_of(rough), OWN)
    program = (
        "import sys, pathlib, colorize.encoders.weights as w\n"
        "print(*[file.name for file in w.weights_in(pathlib.Path(sys.argv[1]))], 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["own", "False"]


@pytest.mark.long
def test_the_original_weights_are_the_scale_that_all_others_are_brought_to(shared_folder: Path) -> None:
    if not list((shared_folder / "weights").glob("vgg19_oxford*.safetensors")):
        pytest.skip("no ../shared/weights here")
    file = next(weights_in(shared_folder / "weights"))
    assert (file.name, file.calibrated, file.full) == ("vgg19-oxford", True, True)
    encoder = load_encoder(file)
    assert encoder.preprocessing == OXFORD
    with torch.no_grad():
        features = encoder.features(ordinary_pictures(), CONVOLUTIONS)
    for name, target in zip(CONVOLUTIONS, MEAN_ACTIVATIONS, strict=True):
        assert features[name].isfinite().all(), name
        assert 1 / 1.5 < float(features[name].mean()) / target < 1.5, name


def test_the_same_weights_give_the_same_file_however_often_it_is_made(narrow: Encoder, tmp_path: Path) -> None:
    metadata = {"name": "random-seeded", "input": "RGB", "calibrated": "yes", "seed": "0"}
    made = []
    for attempt in range(8):
        path = tmp_path / f"{attempt}.safetensors"
        loading.write_weights(path, narrow.convolutions, metadata)
        made.append(path.read_bytes())
    assert len(set(made)) == 1
    with safe_open(tmp_path / "0.safetensors", framework="np") as file:
        assert file.metadata() == metadata
