"""What every command prints with: the terminal, the width, and the end with an exit code."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from unicodedata import category

from typer import Exit, Option

from flows.endings import Ending
from flows.errors import Faults, Misused
from flows.logs import tell_person

if TYPE_CHECKING:  # each takes its time to load, and not every command needs it
    from rich.console import RenderableType

    from flows.settings import Settings

Home = Annotated[Path | None, Option(help="Folder of the catalogue and its pictures [nishiki-data].")]


Device = Annotated[str | None, Option(help="auto, cpu, cuda or cuda:N.")]


REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


_UNSHOWN = ("Cc", "Cs")
"""Control characters and lone surrogates; the wide space of Japanese names is neither."""


PLAIN_WIDTH = 160
"""Columns of a table where the output is no terminal."""


def exit_with(ending: Ending) -> None:
    """End the command; go on where all is done."""
    if ending is not Ending.DONE:
        raise Exit(ending)


def failed_if(failed: object) -> Ending:
    """The ending of a command that knows no other."""
    return Ending.FAILED if failed else Ending.DONE


def fail(message: str, *, code: Ending = Ending.FAILED) -> NoReturn:
    """Print a sentence on standard error and end."""
    tell_person(f"nishiki: {message}", "ERROR")
    raise Exit(code)


def refuse(message: str) -> NoReturn:
    """The same, of a command or a setting that cannot be used."""
    fail(message, code=Ending.USAGE)


def say(lines: Iterable[str]) -> None:
    """Print lines on standard output; control characters, which may come from a file's name, are shown as such."""
    for line in lines:
        sys.stdout.write("".join(REPLACEMENT if category(letter) in _UNSHOWN else letter for letter in line) + "\n")
    sys.stdout.flush()


def show(table: "RenderableType") -> None:
    """Print a table on standard output, as wide as the terminal, or wide enough for a file."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)


def read_settings(**given: Any) -> "Settings":
    """The settings, with what the command line gave on top; the log begins with their level.

    Raises:
        Misconfigured, Misused: they cannot be used.
    """
    settings, wrong = look_at_settings(**given)
    Faults(wrong).tell()
    return settings


def look_at_settings(**given: Any) -> "tuple[Settings, list[Exception]]":
    """The same for a command that looks for what else is wrong before it tells what is."""
    from flows.logs import set_up
    from flows.settings import as_far_as_right

    try:
        settings, wrong = as_far_as_right(**{key: value for key, value in given.items() if value is not None})
    except UnicodeDecodeError as error:
        raise Misused(f"nishiki.toml or .env is not written in UTF-8: {error.reason} at byte {error.start}") from error
    except TOMLDecodeError as error:
        raise Misused(f"nishiki.toml cannot be read: {error}") from error
    except OSError as error:
        raise Misused(f"{error.filename} cannot be read: {error.strerror}") from error
    set_up(settings.log_level, settings.log_format)
    return settings, wrong


def settings_with_archives(archives: Sequence[str] | None, **given: Any) -> "tuple[Settings, list[Exception]]":
    """The same for a command that reads archives: none anywhere is wrong, too."""
    settings, wrong = look_at_settings(**given)
    told = any("archives" in str(error) for error in wrong)  # what stands there cannot be used
    if not (archives or settings.archives or told):
        wrong.append(Misused("name an ARCHIVE (a folder or an OAI-PMH URL), or write one into nishiki.toml"))
    return settings, wrong
