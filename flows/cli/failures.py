"""How the `nishiki` command behaves: errors as one sentence, exit codes, plain output, a quiet Prefect.

The exit codes are those of `flows.endings`. Importing it loads neither Prefect nor torch.
"""

import gc
import os
import sys
from collections.abc import Iterable
from tomllib import TOMLDecodeError
from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from colorize.errors import BadRecipe, ColorizeError, DeviceMissing, UnknownEncoder, UnknownRecipe
from db.errors import CatalogueError, NightRunning
from flows.addresses import carries_secret, shown
from flows.archives.errors import ArchiveError
from flows.cli.console import fail, refuse
from flows.endings import Ending
from flows.errors import Misconfigured

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

_NO_PREFECT = ("Failed to reach API", "Timed out while attempting to connect to ephemeral Prefect API server")
"""How Prefect says, in a RuntimeError, that no server answers."""
_STOPPED = "stopped; what was finished is kept, and the next run carries on (or: nishiki resume)"
_USAGE = (UnknownRecipe, BadRecipe, UnknownEncoder, DeviceMissing)


class Commands(TyperGroup):
    """The one place where errors become words on standard error."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a failure of ours or of the world is one sentence, a fault of the program a traceback."""
        gc.set_threshold(100_000)  # a command that imports a database library spends a tenth of its time on this
        # Read when torch is loaded: threads that wait must not take the core from those that work (5 times slower).
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        _refuse_secrets(ctx.args)
        try:
            return super().invoke(ctx)
        except (Misconfigured, ColorizeError, CatalogueError, ArchiveError) as error:
            fail(str(error), code=_ending(error))
        except (TOMLDecodeError, *_settings_errors()) as error:
            refuse(_settings_sentence(error))
        except ModuleNotFoundError as error:
            fail(_part_sentence(error))
        except BrokenPipeError:
            raise
        except OSError as error:
            fail(f"{error.filename or 'the machine'}: {error.strerror or error}")
        except _prefect_errors() as error:
            fail(_STOPPED if _interrupted(error) else _prefect_sentence(error))
        except KeyboardInterrupt:
            fail(_STOPPED)


def _ending(error: Exception) -> Ending:
    faults = error.faults if isinstance(error, Misconfigured) else (error,)
    if any(isinstance(fault, NightRunning) for fault in faults):
        return Ending.BUSY
    return Ending.USAGE if any(isinstance(fault, _USAGE) for fault in faults) else Ending.FAILED


def _refuse_secrets(words: Iterable[str]) -> None:
    """No address on a command line may hold a password: Prefect keeps it as a parameter, the shell in its history."""
    addresses = [word for word in words if "://" in word]
    if not addresses:
        return
    if any(carries_secret(word) for word in addresses):
        refuse(
            "an address with a password or a key would be kept in clear by Prefect and by the shell; "
            "put the address into nishiki.toml under a name, and give the name"
        )


def _settings_errors() -> "tuple[type[ValidationError], type[SettingsError]]":
    """What a setting that cannot be used raises; looked up only when something was raised."""
    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    return ValidationError, SettingsError


def _settings_sentence(error: "ValidationError | SettingsError | TOMLDecodeError") -> str:
    """Which setting, what is wrong; never its value, which may hold a password."""
    if isinstance(error, TOMLDecodeError):
        return f"nishiki.toml cannot be read: {error}"
    what = str(error)  # of a SettingsError: a list or table that is no JSON, or an unknown name
    if isinstance(error, _settings_errors()[0]):
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
        what = "; ".join(wrong)
    return f"a setting cannot be used ({what}); see .env.example"


def _part_sentence(error: ModuleNotFoundError) -> str:
    """Which package is missing, where only a part of nishiki is installed.

    Raises:
        ModuleNotFoundError: it is one of our own, a fault of the program.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "colorize", "db", "flows"):
        raise error
    return f"{package} is not installed; this command needs the other part: pip install '.[night]' or '.[review]'"


def _prefect_errors() -> tuple[type[Exception], ...]:
    """What Prefect raises when its server does not answer; looked up only when something was raised."""
    httpx = sys.modules.get("httpx")  # it comes with Prefect
    return (RuntimeError, httpx.TransportError) if httpx else (RuntimeError,)


def _interrupted(error: BaseException | None) -> bool:
    """Whether it comes of Ctrl-C: one that meets a lock ends in "release unlocked lock"."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _prefect_sentence(error: Exception) -> str:
    """Which server does not answer; a RuntimeError that says anything else is raised again.

    Raises:
        RuntimeError: a fault of the program.
    """
    if isinstance(error, RuntimeError) and not any(words in str(error) for words in _NO_PREFECT):
        raise error
    if url := os.environ.get("PREFECT_API_URL"):
        return f"Prefect does not answer at {shown(url)}; start that server, or unset PREFECT_API_URL"
    return "Prefect's own small server did not start or went away; try again, or set PREFECT_API_URL to another"
