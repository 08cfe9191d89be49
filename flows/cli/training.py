"""`nishiki train`: what makes nishiki's own weights. Thin; `flows.cli.app` takes it in."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import Home, look_at_settings, say
from flows.errors import Faults, Misused

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
