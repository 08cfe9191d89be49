"""How the `nishiki` command behaves: errors as one sentence, exit codes, plain output.

The exit codes are those of `flows.endings`. Importing it loads neither Prefect nor torch.
"""

import gc
import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

from typer import Exit, Typer
from typer.core import TyperGroup

from colorize.errors import ColorizeError
from db.errors import CatalogueError
from flows import stopping
from flows.addresses import carries_secret
from flows.archives.errors import ArchiveError
from flows.cli.console import fail, refuse
from flows.cli.prefect_server import is_gone
from flows.endings import Ending
from flows.errors import Misconfigured, Misused, ending_of


class Application(Typer):
    """The command as a process of its own; whoever runs it in another process asks `Commands` alone."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it to the end of the process."""
        logging.raiseExceptions = False  # Prefect's log would tell each line that its server did not take
        try:
            return super().__call__(*args, **kwargs)
        finally:
            if stopping.asked() or is_gone():
                _leave(sys.exc_info()[1])
            gc.freeze()  # Python looks for garbage as it ends: a fifth of what a command that only looks takes


def _leave(error: BaseException | None) -> None:
    """End now: what libraries do at an exit would wait for a server that is gone, or for threads that are stuck."""
    if not isinstance(error, SystemExit):
        return
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(error.code if isinstance(error.code, int) else int(error.code is not None))


class Commands(TyperGroup):
    """The one place where errors become words on standard error."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; a failure of ours or of the world is one sentence, a fault of the program a traceback."""
        gc.set_threshold(100_000)  # a command that imports a database library spends a tenth of its time on this
        # Read when torch is loaded: threads that wait must not take the core from those that work (5 times slower).
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        _refuse_secrets(ctx.args)
        with stopping.listening():
            try:
                told = _told(lambda: super(Commands, self).invoke(ctx))
            except BaseException:
                if ending := stopping.asked():  # whatever comes of it: it was told
                    raise Exit(ending) from None
                raise
            if ending := stopping.asked():
                raise Exit(ending)
            return told


def _told(command: Callable[[], Any]) -> Any:
    """Run it; what it raises becomes a sentence, unless it comes of a signal, of which one was said."""
    try:
        return command()
    except (Exit, BrokenPipeError):
        raise
    except (KeyboardInterrupt, Exception) as error:
        if stopping.asked():
            raise
        _tell(error)
        raise


def _tell(error: BaseException) -> None:
    """End with a sentence where there is one for it."""
    match error:
        case _ if _interrupted(error):
            fail(stopping.SENTENCE, code=Ending.INTERRUPTED)
        case Misconfigured() | Misused() | ColorizeError() | CatalogueError() | ArchiveError():
            fail(str(error), code=ending_of(error))
        case ModuleNotFoundError():
            fail(_part_sentence(error))
        case OSError():
            fail(f"{error.filename or 'the machine'}: {error.strerror or error}")


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


def _part_sentence(error: ModuleNotFoundError) -> str:
    """Which package is missing, where only a part of nishiki is installed.

    Raises:
        ModuleNotFoundError: it is one of our own, a fault of the program.
    """
    package = (error.name or "").partition(".")[0]
    if package in ("", "colorize", "db", "flows"):
        raise error
    if package == "pyarrow":
        return "pyarrow is not installed, which writes Parquet: pip install '.[parquet]'"
    return f"{package} is not installed; this command needs the other part: pip install '.[night]' or '.[review]'"


def _interrupted(error: BaseException | None) -> bool:
    """Whether it comes of Ctrl-C: one that meets a lock ends in "release unlocked lock"."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None
