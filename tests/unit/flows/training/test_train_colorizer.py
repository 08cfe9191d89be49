"""Training of the learned colorizers on a few small drawn prints, for a few steps: files, register, faults, recipes."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from colorize.encoders.loading import INPUT_OXFORD
from colorize.encoders.weights import KEYS, VGG16_KEYS, WeightsFile, shipped_weights, weights_file
from colorize.errors import TrainingStopped, UnknownRecipe
from colorize.images.decode import decode
from colorize.images.resize import resized
from colorize.methods.trained import ModelFile, models_in
from colorize.training.cieluv import CieluvLearner, CieluvSettings
from colorize.training.mask_gan import GanSettings
from db.catalogue import Catalogue
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.cli.app import app
from flows.errors import Misused
from flows.plan import all_recipes, sized_recipe
from flows.single import Files, colorize_files
from flows.training import colorizer
from flows.training.colorizer import Order, train_colorizer
from flows.upkeep.models import known_models, named_model, retire
from tests.conftest import SettingsOf

NET = CieluvSettings(steps=4, batch=1, view_px=48, edge_px=32, width=8, head=8)
GAN = GanSettings(steps=4, batch=1, view_px=64, edge_px=32, width=4)


@pytest.fixture(scope="module")
def prints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("learned") / "prints"  # its name decides which designs are held out
    place.mkdir()
    for seed in range(6):
        Image.fromarray(resized(draw_print(design(seed), 0).pixels, 96)).save(place / f"{seed}.png")
    return place


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(colorizer, "SAVE_EVERY", 2)


def order(prints: Path, settings: CieluvSettings | GanSettings = NET, name: str = "tiny") -> Order:
    return Order(name, settings, (prints,), (1, 3))


def trained(settings_of: SettingsOf, home: Path, asked: Order) -> tuple[list[str], ModelFile]:
    lines = list(train_colorizer(settings_of(home), shipped_weights(), asked))
    return lines, named_model(settings_of(home), f"{asked.method}/{asked.name}")


@pytest.mark.long
@pytest.mark.parametrize("settings", [NET, replace(NET, tune=True), replace(NET, kind="regression"), GAN])
def test_a_model_is_kept_with_its_card_and_colours_by_its_recipes(
    settings_of: SettingsOf, tmp_path: Path, prints: Path, settings: CieluvSettings | GanSettings
) -> None:
    lines, model = trained(settings_of, tmp_path / "home", order(prints, settings))
    assert "3 prints to learn from, 3 held out." in lines
    card = model.card
    assert len(card["learned_from"]) == 3
    assert {"plain", "areas"} == set(next(iter(card["held_out"].values())))
    assert card["settings"]["view_px"] == settings.view_px
    (known,) = (each for each in known_models(settings_of(tmp_path / "home")) if each.place == "home")
    assert (known.entry.checksum, known.entry.learned_from) == (model.checksum, 3)
    assert list((tmp_path / "home" / "training").glob("*/sheet-000004.png"))
    content = tmp_path / "gray.png"
    Image.fromarray(resized(draw_print(design(9), 0).pixels, 96)).convert("L").save(content)
    for suffix in ("", "-areas"):
        of_it = settings_of(tmp_path / "home", recipe=f"{model.method}/tiny{suffix}", size=64)
        out = tmp_path / f"out{suffix}.png"
        list(colorize_files(of_it, Files(content, (), None, out), keep_rejected=True))
        assert decode(out.read_bytes()).pixels.shape == decode(content.read_bytes()).pixels.shape


@pytest.mark.long
def test_a_mask_keeps_the_rest_of_the_picture_as_it_is(settings_of: SettingsOf, tmp_path: Path, prints: Path) -> None:
    _, model = trained(settings_of, tmp_path / "home", order(prints, GAN))
    gray = np.array(Image.fromarray(resized(draw_print(design(9), 0).pixels, 96)).convert("L"))
    mask = np.zeros_like(gray)
    mask[: len(mask) // 2] = 255
    content, asked, out = (tmp_path / name for name in ("gray.png", "mask.png", "out.png"))
    Image.fromarray(gray).save(content)
    Image.fromarray(mask).save(asked)
    settings = settings_of(tmp_path / "home", recipe=f"{model.method}/{model.name}", size=64)
    list(colorize_files(settings, Files(content, (), None, out, asked), keep_rejected=True))
    made = decode(out.read_bytes()).pixels
    assert np.array_equal(made[len(mask) // 2 :], np.repeat(gray[len(mask) // 2 :, :, None], 3, 2))
    assert np.ptp(made[: len(mask) // 2], axis=2).max() > 0


@pytest.mark.long
def test_killed_and_begun_again_it_comes_to_the_same_weights(
    settings_of: SettingsOf, tmp_path: Path, prints: Path, project: Path
) -> None:
    _, undisturbed = trained(settings_of, tmp_path / "one", order(prints, replace(NET, steps=6)))
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.unit.flows.training.test_train_colorizer import *\n"
        "colorizer.SAVE_EVERY = 2\n"
        "learn = CieluvLearner.learn\n"
        "def dying(self, crops):\n"
        "    if self.done == 3:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return learn(self, crops)\n"
        "CieluvLearner.learn = dying\n"
        "home, prints = map(Path, sys.argv[1:])\n"
        "from flows.settings import Settings\n"
        "asked = order(prints, replace(NET, steps=6))\n"
        "list(train_colorizer(Settings(home=home), shipped_weights(), asked))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "two"), str(prints)]
    ran = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(project)}, check=False)
    assert ran.returncode == -signal.SIGKILL
    assert not models_in(tmp_path / "two" / "models")
    _, resumed = trained(settings_of, tmp_path / "two", order(prints, replace(NET, steps=6)))
    ours, theirs = (load_file(each.path) for each in (undisturbed, resumed))
    assert [name for name, each in ours.items() if not torch.equal(each, theirs[name])] == []


@pytest.mark.parametrize(
    ("kept", "asked", "why"),
    [
        (slice(0, 3), {}, "there are 3 colour prints to learn from; give 4 at least"),
        (slice(0, 5), {"copies": True}, "all 5 prints are of one design"),
        (slice(0, 5), {"gray": True}, "there are 0 colour prints"),
    ],
)
def test_what_nothing_can_be_learned_from_is_refused_in_words(
    settings_of: SettingsOf, tmp_path: Path, prints: Path, kept: slice, asked: dict[str, bool], why: str
) -> None:
    folder = tmp_path / "prints"
    folder.mkdir()
    for number, path in enumerate(sorted(prints.iterdir())[kept]):
        picture = Image.open(min(prints.iterdir()) if asked.get("copies") else path)
        (picture.convert("L") if asked.get("gray") else picture).save(folder / f"{number}.png")
    with pytest.raises(TrainingStopped, match=why):
        list(train_colorizer(settings_of(tmp_path / "home"), shipped_weights(), order(folder)))


@pytest.mark.long
def test_losses_that_are_no_numbers_end_it_and_the_best_until_then_is_kept(
    settings_of: SettingsOf, tmp_path: Path, prints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = CieluvLearner.learn
    monkeypatch.setattr(
        CieluvLearner, "learn", lambda self, crops: {"U": float("nan")} if self.done == 5 else learn(self, crops)
    )
    monkeypatch.setattr(colorizer, "ceil", lambda _: 1)
    lines, _ = trained(settings_of, tmp_path / "home", order(prints, replace(NET, steps=8)))
    assert any("are no numbers after step 5; the training stops" in line for line in lines)
    monkeypatch.setattr(CieluvLearner, "learn", lambda _self, _crops: {"U": float("nan")})
    with pytest.raises(TrainingStopped, match="give a lower --rate"):
        list(train_colorizer(settings_of(tmp_path / "other"), shipped_weights(), order(prints)))


@pytest.mark.long
@pytest.mark.parametrize("layout", [KEYS, VGG16_KEYS], ids=["vgg19", "vgg16"])
def test_a_model_that_reads_another_encoder_holds_it(
    settings_of: SettingsOf, tmp_path: Path, prints: Path, narrow_weights: Path, layout: tuple[str | None, ...]
) -> None:
    weights = _encoder_file(narrow_weights, tmp_path / "own.safetensors", layout)
    list(train_colorizer(settings_of(tmp_path / "home"), weights, order(prints)))
    weights.path.unlink()
    settings, out = settings_of(tmp_path / "home", recipe="cieluv_net/tiny", size=64), tmp_path / "out.png"
    list(colorize_files(settings, Files(next(prints.glob("*.png")), (), None, out), keep_rejected=True))
    assert out.exists()


def _encoder_file(folder: Path, path: Path, layout: tuple[str | None, ...]) -> WeightsFile:
    """An encoder of the tests under another name, with the convolutions of that layout."""
    state = load_file(next(folder.glob("*.safetensors")))
    kept = {
        f"{ours}.{part}": state[f"{key}.{part}"]
        for key, ours in zip(KEYS, layout, strict=True)
        if ours
        for part in ("weight", "bias")
    }
    save_file(kept, path, {"name": "own", "input": INPUT_OXFORD})
    return weights_file(path)


@pytest.mark.long
def test_a_retired_model_colours_nothing_new_and_is_still_listed(
    settings_of: SettingsOf, tmp_path: Path, prints: Path
) -> None:
    settings = settings_of(tmp_path / "home")
    _, model = trained(settings_of, tmp_path / "home", order(prints))
    assert sized_recipe("cieluv_net/tiny", settings).parameters.network == model.checksum  # type: ignore[attr-defined]
    for _ in range(2):
        retire(settings, "cieluv_net/tiny")
    assert "cieluv_net/tiny" not in all_recipes(settings)
    with pytest.raises(UnknownRecipe, match="no recipe is named"):
        sized_recipe("cieluv_net/tiny", settings)
    assert [each.place for each in known_models(settings) if each.entry.name == "tiny"] == ["retired"]
    with Catalogue.open(settings) as catalogue:
        (entry,) = catalogue.models()
    assert entry.retired_at is not None


@pytest.mark.long
def test_a_file_that_a_crash_left_without_its_row_is_registered_when_models_are_listed(
    settings_of: SettingsOf, tmp_path: Path, prints: Path
) -> None:
    settings = settings_of(tmp_path / "home")
    _, model = trained(settings_of, tmp_path / "one", order(prints))
    (tmp_path / "home").mkdir()
    model.path.parent.rename(tmp_path / "home" / "models")
    Catalogue.open(settings).close()
    known_models(settings)
    with Catalogue.open(settings) as catalogue:
        assert [each.checksum for each in catalogue.models()] == [model.checksum]


def test_without_folder_and_catalogue_it_says_what_to_name(settings_of: SettingsOf, tmp_path: Path) -> None:
    with pytest.raises(Misused, match="name a FOLDER of colour prints"):
        list(train_colorizer(settings_of(tmp_path / "none"), shipped_weights(), Order("x", NET)))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["cieluv-net", "Tiny"], "NAME is 'Tiny'"),
        (["cieluv-net", "tiny-areas"], "not ending with -areas"),
        (["cieluv-net", "tiny", "--kind", "other"], "classification or regression"),
        (["mask-gan", "tiny", "--masks", "two"], "one of one, ten, all"),
        (["mask-gan", "tiny", "--edge", "50"], "a multiple of 32"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_anything_is_read(words: list[str], why: str, tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["train", *words, "--home", str(tmp_path)])
    assert ran.exit_code == 2
    assert why in ran.stderr
