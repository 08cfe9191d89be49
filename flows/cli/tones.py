"""The command that sets a picture's tone: nishiki tone.

`flows.cli.app` takes it in. Thin, and never Prefect.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from db.person import person_here
from flows.cli.console import Home, read_settings, refuse, say

if TYPE_CHECKING:
    from db.catalogue import Catalogue

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
        number = _number(catalogue, picture)
        before = catalogue.give_tone(number, by or person_here(), tone)
    say([f"Picture {number} was {before} and is {tone} from now on; the next night goes by it."])


def _number(catalogue: "Catalogue", picture: str) -> int:
    """The number of the picture that is meant."""
    numbers = catalogue.pictures_of(picture)
    if not numbers and picture.isdecimal() and int(picture) < 2**31:
        return int(picture)
    if not numbers:
        refuse(f"no record {picture!r} has a picture here; nishiki review lists the numbers on its page Tones")
    if len(numbers) > 1:
        refuse(f"the record {picture!r} has several pictures; name one by its number: {', '.join(map(str, numbers))}")
    return numbers[0]
