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
