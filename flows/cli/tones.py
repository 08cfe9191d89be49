"""The command that sets a picture's tone: nishiki tone.

`flows.cli.app` takes it in. Thin, and never Prefect.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from db.person import person_here
from flows.cli.console import Home, read_settings, say
from flows.cli.matching import number_of

if TYPE_CHECKING:
    from db.catalogue import Catalogue

tones_app = typer.Typer()


class Word(StrEnum):
    """What a person calls a picture; or that they leave it to the machine again."""

    GRAY = "gray"
    TONED = "toned"
    COLOUR = "colour"
    MACHINE = "machine"


@tones_app.command("tone")
def set_tone(
    picture: Annotated[str, typer.Argument(metavar="PICTURE", help="Its number, or its record's identifier.")],
    word: Annotated[
        Word,
        typer.Argument(
            metavar="gray|toned|colour|machine",
            help="What it is; machine: what the program takes it for, as before a person spoke.",
        ),
    ],
    by: Annotated[str | None, typer.Option(help="Whose word it is [your name on this machine].")] = None,
    home: Home = None,
) -> None:
    """Say what tone a picture has; the next night goes by it.

    What was made of it, or in its colours, stays.
    """
    from db.catalogue import Catalogue

    with Catalogue.open(read_settings(home=home), create=False) as catalogue:
        say([_set(catalogue, number_of(catalogue, picture), by or person_here(), word)])


def _set(catalogue: "Catalogue", number: int, curator: str, word: Word) -> str:
    """Keep the word, and say what holds now."""
    from db.entries.night import Tone

    if word is not Word.MACHINE:
        tone = Tone.GRAYSCALE if word is Word.GRAY else Tone(word)
        before = catalogue.give_tone(number, curator, tone)
        return f"Picture {number} was {before} and is {tone} from now on; the next night goes by it."
    if not catalogue.take_tone_back(number, curator):
        return f"Nothing was changed: no person's word stands on picture {number}."
    tone = catalogue.toned_picture(number).tone
    return f"Picture {number} is {tone} again, as the program takes it; the next night goes by it."
