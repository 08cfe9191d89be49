"""`nishiki models`: the trained colorizers that there are. Thin; `flows.cli.app` takes it in."""

import json
from typing import Annotated

import typer

from flows.cli.console import Home, look_at_settings, say, show
from flows.errors import Faults

models_app = typer.Typer(no_args_is_help=True, help="Trained colorizers.")
ModelName = Annotated[str, typer.Argument(metavar="MODEL", help="Its recipe, as cieluv_net/prints, or its checksum.")]


@models_app.callback()
def models() -> None:
    """Trained colorizers."""


@models_app.command("list")
def models_list(home: Home = None) -> None:
    """List the trained colorizers: those that come with nishiki, and those of this home."""
    from flows.reports.models import models_table
    from flows.upkeep.models import known_models

    settings, wrong = look_at_settings(home=home)
    Faults(wrong).tell()
    show(models_table(known_models(settings)))


@models_app.command("show")
def models_show(model: ModelName, home: Home = None) -> None:
    """Show a model's card as JSON: what it learned from, how, and how good it is on prints that were held out."""
    from flows.upkeep.models import named_model

    settings, wrong = look_at_settings(home=home)
    Faults(wrong).tell()
    file = named_model(settings, model)
    say([json.dumps({"checksum": file.checksum, **file.card}, ensure_ascii=False, indent=2)])


@models_app.command("retire")
def models_retire(model: ModelName, home: Home = None) -> None:
    """Retire a model: no new work is begun with it, and what was made with it stays."""
    from flows.upkeep.models import retire

    settings, wrong = look_at_settings(home=home)
    Faults(wrong).tell()
    file = retire(settings, model)
    say([f"{file.method}/{file.name} ({file.checksum[:12]}) is retired; batches begun with it are still carried on."])
