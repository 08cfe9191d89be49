"""The command that sets a picture's tone: nishiki tone.

`flows.cli.app` takes it in. Thin, and never Prefect.
"""

from enum import StrEnum
from typing import Annotated

import typer

from db.person import person_here
from flows.cli.console import Home, read_settings, say
from flows.cli.matching import number_of

tones_app = typer.Typer()


class Word(StrEnum):
    """What a person calls a picture."""

    GRAY = "gray"
    TONED = "toned"
    COLOUR = "colour"


@tones_app.command("tone")
def set_tone(
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="Its number, or its record's identifier.")],
    word: Annotated[Word, typer.Argument(metavar="gray|toned|colour", help="What it is.")],
    by: Annotated[str | None, typer.Option(help="Whose word it is [your name on this machine].")] = None,
    home: Home = None,
) -> None:
    """Say what tone a picture has; the next night goes by it.

    What was made of it, or in its colours, stays.
    """
    from db.catalogue import Catalogue
    from db.entries.night import Tone

    tone = Tone.GRAYSCALE if word is Word.GRAY else Tone(word)
    with Catalogue.open(read_settings(home=home), create=False) as catalogue:
        number = number_of(catalogue, picture)
        before = catalogue.give_tone(number, by or person_here(), tone)
    say([f"Picture {number} was {before} and is {tone} from now on; the next night goes by it."])
