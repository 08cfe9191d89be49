"""`nishiki train`: what makes nishiki's own weights. Thin; `flows.cli.app` takes it in."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.console import Home, look_at_settings, say
from flows.cli.prefect_server import prefect
from flows.errors import Faults, Misused

if TYPE_CHECKING:
    from colorize.training.cieluv import CieluvSettings
    from colorize.training.mask_gan import GanSettings

train_app = typer.Typer(no_args_is_help=True, help="Make nishiki's own weights.")


@train_app.callback()
def train() -> None:
    """Make nishiki's own weights."""


@train_app.command("encoder")
def train_encoder(
    pictures: Annotated[
        list[Path] | None,
        typer.Option(exists=True, file_okay=False, help="Folder of pictures to learn from besides the drawn ones."),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the weights go.")] = Path(
        "nishiki-small.safetensors"
    ),
    steps: Annotated[int, typer.Option(min=1, help="Steps of the whole student.")] = 4000,
    batches: Annotated[int, typer.Option(min=8, help="Batches of crops that the teacher speaks of.")] = 320,
    seed: Annotated[int, typer.Option(min=0, help="Decides crops and order.")] = 0,
    home: Home = None,
) -> None:
    """Distil VGG-19 into a small encoder.

    The teacher is vgg19-oxford, or vgg19-torchvision where only that one is installed. After an interruption the same
    command goes on.
    """
    from flows.training.encoder import Schedule, available_teacher
    from flows.training.encoder import train_encoder as distil

    settings, wrong = look_at_settings(home=home)
    if not output.parent.is_dir():
        wrong.append(Misused(f"there is no folder {output.parent} for the weights"))
    faults = Faults(wrong)
    teacher = faults.of(lambda: available_teacher(settings))
    faults.tell()
    assert teacher is not None
    say(distil(settings, teacher, Schedule(tuple(pictures or ()), steps, batches, seed=seed), output))


@train_app.command("prior")
def train_prior(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="FOLDER...",
            exists=True,
            file_okay=False,
            help="Folders of colour prints; a table prints.csv in them says licence, design (group) and tone.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where the weights go.")] = Path(
        "nishiki-prior.safetensors"
    ),
    steps: Annotated[int, typer.Option(min=1, help="Steps of the training.")] = 800,
    hold_out: Annotated[
        str | None,
        typer.Option(metavar="PART/PARTS", help="Keep a part of the designs to measure by: 1/5 is the first of five."),
    ] = None,
    folds: Annotated[
        list[Path] | None,
        typer.Option(
            "--figures-of",
            exists=True,
            dir_okay=False,
            help="Weights made with --hold-out, whose figures the card of these carries.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is learned when.")] = 0,
    home: Home = None,
) -> None:
    """Teach the prior what colours prints have.

    Prints whose stated licence forbids derivatives or commercial use are left out. After an interruption the same
    command goes on.
    """
    from colorize.encoders.weights import shipped_weights
    from flows.training.prior import Schedule
    from flows.training.prior import train_prior as teach

    settings, wrong = look_at_settings(home=home)
    if not output.parent.is_dir():
        wrong.append(Misused(f"there is no folder {output.parent} for the weights"))
    faults = Faults(wrong)
    fold = faults.of(lambda: _part(hold_out))
    encoder = faults.of(shipped_weights)
    faults.tell()
    assert encoder is not None
    say(teach(settings, encoder, Schedule(tuple(folders), steps, fold, seed=seed), output, folds or ()))


_ModelName = Annotated[str, typer.Argument(metavar="NAME", help="Of the model; its recipe is called by it.")]
_Folders = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="FOLDER...",
        exists=True,
        file_okay=False,
        help="Folders of colour prints, as for `train prior`; none: the catalogue's colour prints.",
    ),
]
_HeldOut = Annotated[str, typer.Option(metavar="PART/PARTS", help="Designs kept from training, to measure by.")]
_Rate = Annotated[float, typer.Option(min=1e-6, max=1.0, help="Learning rate at its highest.")]
_Edge = Annotated[
    int, typer.Option(min=32, help="Side of the crops, in pixels; prints are looked at half as large again.")
]


@train_app.command("cieluv-net")
def train_cieluv_net(
    name: _ModelName,
    folders: _Folders = None,
    kind: Annotated[str, typer.Option(help="classification, or the baseline: regression.")] = "classification",
    steps: Annotated[int, typer.Option(min=1, help="Steps of the training.")] = 1200,
    rate: _Rate = 1e-3,
    edge: _Edge = 192,
    rebalanced: Annotated[bool, typer.Option(help="Rare colours weigh more.")] = False,
    tune: Annotated[bool, typer.Option(help="The encoder learns too.")] = False,
    encoder: Annotated[str | None, typer.Option(help="The summarizing half [nishiki-small].")] = None,
    hold_out: _HeldOut = "1/5",
    seed: Annotated[int, typer.Option(min=0, help="Decides crops and order.")] = 0,
    home: Home = None,
) -> None:
    """Train a classification colorizer in CIELUV (Hwang and Zhou).

    After an interruption the same command goes on.
    """
    from colorize.training.cieluv import CieluvSettings

    kinds = {"classification", "regression"}
    wrong = [] if kind in kinds else [Misused(f"--kind is {kind}; give classification or regression")]
    own: dict[str, Any] = {"kind": kind, "steps": steps, "rate": rate, "edge_px": edge, "view_px": edge * 3 // 2}
    own |= {"rebalanced": rebalanced, "tune": tune, "seed": seed}
    _train(home, encoder, name, folders, hold_out, wrong, lambda: CieluvSettings(**own))


@train_app.command("mask-gan")
def train_mask_gan(
    name: _ModelName,
    folders: _Folders = None,
    masks: Annotated[str, typer.Option(help="one, ten, or all kinds.")] = "all",
    loss: Annotated[str, typer.Option(help="l2 or huber.")] = "huber",
    steps: Annotated[int, typer.Option(min=1, help="Steps of the training.")] = 1500,
    rate: _Rate = 1e-3,
    edge: _Edge = 192,
    hold_out: _HeldOut = "1/5",
    seed: Annotated[int, typer.Option(min=0, help="Decides crops, masks and order.")] = 0,
    home: Home = None,
) -> None:
    """Train a GAN that colours where a mask asks for it (IMPA 2018).

    After an interruption the same command goes on.
    """
    from colorize.training.mask_gan import GanSettings
    from colorize.training.masks import SETS

    wrong = [] if masks in SETS else [Misused(f"--masks is {masks}; give one of {', '.join(SETS)}")]
    wrong += [] if loss in ("l2", "huber") else [Misused(f"--loss is {loss}; give l2 or huber")]
    wrong += [] if edge % 32 == 0 else [Misused(f"--edge is {edge}; give a multiple of 32")]
    own: dict[str, Any] = {"masks": masks, "loss": loss, "steps": steps, "rate": rate, "edge_px": edge, "seed": seed}
    _train(home, None, name, folders, hold_out, wrong, lambda: GanSettings(view_px=edge * 3 // 2, **own))


def _train(
    home: Path | None, encoder: str | None, name: str, folders: list[Path] | None, hold_out: str,
    wrong: list[Misused], own: "Callable[[], CieluvSettings | GanSettings]",
) -> None:  # fmt: skip
    from colorize.encoders.weights import shipped_weights
    from flows.plan import encoder_named

    settings, found = look_at_settings(home=home)
    faults = Faults([*found, *wrong])
    faults.of(lambda: _check_name(name))
    fold = faults.of(lambda: _part(hold_out))
    file = faults.of(lambda: encoder_named(settings, encoder) if encoder else shipped_weights())
    faults.tell()
    assert file is not None
    assert fold is not None
    with prefect(settings):
        from flows.training.colorizer import Order, training

        training(settings, file, Order(name, own(), tuple(folders or ()), fold), lambda line: say([line]))


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name) or name.endswith("-areas"):
        raise Misused(f"NAME is {name!r}; give small letters, digits and hyphens, not ending with -areas")


def _part(word: str | None) -> tuple[int, int] | None:
    """Which of how many parts: `1/5`.

    Raises:
        Misused: it is no such word.
    """
    if word is None:
        return None
    part, _, parts = word.partition("/")
    if part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts) and int(parts) > 1:
        return int(part), int(parts)
    raise Misused(f"--hold-out {word} names no part of the designs; for the first of five: --hold-out 1/5")
