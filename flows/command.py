"""How the `nishiki` command behaves: errors as one sentence, exit codes, plain output, a quiet Prefect.

Exit codes: 0 done, 1 something failed (and what), 2 usage. Loads neither Prefect nor torch.
"""

import gc
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Any, NoReturn

from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console, RenderableType
from typer import Exit
from typer.core import TyperGroup

from colorize.errors import BadRecipe, ColorizeError, DeviceMissing, UnknownRecipe
from db.errors import CatalogueError
from flows.archives.errors import ArchiveError
from flows.settings import Settings

PLAIN_WIDTH = 160
"""Columns of a table where the output is no terminal."""
_USAGE = (UnknownRecipe, BadRecipe, DeviceMissing)


class Commands(TyperGroup):
    """The one place where errors become words on standard error."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a failure of ours or of the world is one sentence, a fault of the program a traceback."""
        gc.set_threshold(100_000)  # a command that imports a database library spends a tenth of its time on this
        try:
            return super().invoke(ctx)
        except (ColorizeError, CatalogueError, ArchiveError) as error:
            fail(str(error), code=2 if isinstance(error, _USAGE) else 1)
        except ValidationError as error:
            fail(_settings_sentence(error), code=2)
        except SettingsError as error:  # a list or table that is no JSON
            fail(f"a setting cannot be used ({error}); see .env.example", code=2)
        except TOMLDecodeError as error:
            fail(f"nishiki.toml cannot be read: {error}", code=2)
        except BrokenPipeError:
            raise
        except OSError as error:
            fail(f"{error.filename or 'the machine'}: {error.strerror or error}", code=1)
        except KeyboardInterrupt:
            fail("stopped; what was finished is kept, and the next run carries on (or: nishiki resume)", code=1)


def _settings_sentence(error: ValidationError) -> str:
    """Which setting, what is wrong; never its value, which may hold a password."""
    wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
    return f"a setting cannot be used ({'; '.join(wrong)}); see .env.example"


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Print a sentence on standard error and end."""
    sys.stderr.write(f"nishiki: {message}\n")
    raise Exit(code)


def say(lines: Iterable[str]) -> None:
    """Print lines on standard output."""
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def show(table: RenderableType) -> None:
    """Print a table on standard output, as wide as the terminal, or wide enough for a file."""
    Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH).print(table)


def read_settings(**given: Any) -> Settings:
    """The settings, with what the command line gave on top."""
    try:
        return Settings(**{key: value for key, value in given.items() if value is not None})
    except UnicodeDecodeError as error:
        fail(f"nishiki.toml or .env is not written in UTF-8: {error.reason} at byte {error.start}", code=2)


def quiet_prefect(home: Path) -> None:
    """Set Prefect up before its first import: no analytics, no log noise; an operator's own set-up wins.

    Without one, its small database lies in the catalogue's home and an ephemeral server serves each command.
    """
    defaults = {
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_ROOT_LEVEL": "CRITICAL",
        "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        # The first start makes a database, which takes 20 s and more on a busy machine.
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    }
    profile = Path.home() / ".prefect" / "profiles.toml"
    if "PREFECT_API_URL" not in os.environ and not profile.exists():
        prefect_home = home.resolve() / "prefect"
        prefect_home.mkdir(parents=True, exist_ok=True)
        defaults["PREFECT_HOME"] = str(prefect_home)
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
