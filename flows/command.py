"""How the `nishiki` command behaves: errors as one sentence, exit codes, plain output, a quiet Prefect.

Exit codes: 0 done, 1 something failed (and what), 2 usage. Importing it loads neither Prefect nor torch.
"""

import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tomllib import TOMLDecodeError
from typing import Annotated, Any, NoReturn
from unicodedata import category

from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console, RenderableType
from typer import Exit, Option
from typer.core import TyperGroup

from colorize.errors import BadRecipe, ColorizeError, DeviceMissing, UnknownEncoder, UnknownRecipe
from db.errors import CatalogueError
from flows.archives.errors import ArchiveError
from flows.settings import Settings

Home = Annotated[Path | None, Option(help="Folder of the catalogue and its pictures [nishiki-data].")]
Device = Annotated[str | None, Option(help="auto, cpu, cuda or cuda:N.")]
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_UNSHOWN = ("Cc", "Cs")
"""Control characters and lone surrogates; the wide space of Japanese names is neither."""
PLAIN_WIDTH = 160
"""Columns of a table where the output is no terminal."""
_NO_PREFECT = ("Failed to reach API", "Timed out while attempting to connect to ephemeral Prefect API server")
"""How Prefect says, in a RuntimeError, that no server answers."""
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
        except (ColorizeError, CatalogueError, ArchiveError) as error:
            fail(str(error), code=2 if isinstance(error, _USAGE) else 1)
        except (ValidationError, SettingsError, TOMLDecodeError) as error:
            fail(_settings_sentence(error), code=2)
        except BrokenPipeError:
            raise
        except OSError as error:
            fail(f"{error.filename or 'the machine'}: {error.strerror or error}", code=1)
        except _prefect_errors() as error:
            fail(_prefect_sentence(error), code=1)
        except KeyboardInterrupt:
            fail("stopped; what was finished is kept, and the next run carries on (or: nishiki resume)", code=1)


def _refuse_secrets(words: Iterable[str]) -> None:
    """No address on a command line may hold a password: Prefect keeps it as a parameter, the shell in its history."""
    addresses = [word for word in words if "://" in word]
    if not addresses:
        return
    from flows.archives.manners import carries_secret  # noqa: PLC0415  (loads requests)

    if any(carries_secret(word) for word in addresses):
        fail(
            "an address with a password or a key would be kept in clear by Prefect and by the shell; "
            "put the address into nishiki.toml under a name, and give the name",
            code=2,
        )


def _settings_sentence(error: ValidationError | SettingsError | TOMLDecodeError) -> str:
    """Which setting, what is wrong; never its value, which may hold a password."""
    if isinstance(error, TOMLDecodeError):
        return f"nishiki.toml cannot be read: {error}"
    what = str(error)  # of a SettingsError: a list or table that is no JSON, or an unknown name
    if isinstance(error, ValidationError):
        wrong = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False)]
        what = "; ".join(wrong)
    return f"a setting cannot be used ({what}); see .env.example"


def _prefect_errors() -> tuple[type[Exception], ...]:
    """What Prefect raises when its server does not answer; looked up only when something was raised."""
    httpx = sys.modules.get("httpx")  # it comes with Prefect
    return (RuntimeError, httpx.TransportError) if httpx else (RuntimeError,)


def _prefect_sentence(error: Exception) -> str:
    """Which server does not answer; a RuntimeError that says anything else is raised again.

    Raises:
        RuntimeError: a fault of the program.
    """
    from flows.archives.manners import without_user  # noqa: PLC0415  (loads requests)

    if isinstance(error, RuntimeError) and not any(words in str(error) for words in _NO_PREFECT):
        raise error
    if url := os.environ.get("PREFECT_API_URL"):
        return f"Prefect does not answer at {without_user(url)}; start that server, or unset PREFECT_API_URL"
    return "Prefect's own small server did not start or went away; try again, or set PREFECT_API_URL to another"


def exit_with(*, failed: bool) -> None:
    """End with 1 where something failed that a person must look at."""
    if failed:
        raise Exit(1)


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Print a sentence on standard error and end."""
    sys.stderr.write(f"nishiki: {message}\n")
    raise Exit(code)


def say(lines: Iterable[str]) -> None:
    """Print lines on standard output; control characters, which may come from a file's name, are shown as such."""
    for line in lines:
        sys.stdout.write("".join(REPLACEMENT if category(letter) in _UNSHOWN else letter for letter in line) + "\n")
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

    Without one, its small database lies in the catalogue's home and an ephemeral server serves each command, which
    lives through a Ctrl-C and ends with the command.
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
    if "PREFECT_API_URL" not in os.environ:
        _shield_server()


def _shield_server() -> None:
    """Let Prefect's ephemeral server live through a Ctrl-C, and end with this process whatever ends it.

    A terminal sends SIGINT to every process of the command. A flow that is stopped tells its server so, and
    without one waits more than a minute. uvicorn handles SIGINT by itself, but a signal that is blocked stays so
    in the new process. A shell that hears the end of its input, even after kill -9, ends the server.
    """
    from prefect.server.api.server import SubprocessASGIServer  # noqa: PLC0415  # no command waits for Prefect in vain
    from prefect.settings import PREFECT_API_URL  # noqa: PLC0415

    class Shielded(SubprocessASGIServer):
        watch: "subprocess.Popen[bytes]"

        def _run_uvicorn_command(self) -> "subprocess.Popen[Any]":
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                server = super()._run_uvicorn_command()
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self.watch = _end_after_us(server.pid)
            return server

    if PREFECT_API_URL.value() is None:
        Shielded()  # Prefect keeps one server in a process, the first that was made; it is started when asked for


def _end_after_us(pid: int) -> "subprocess.Popen[bytes]":
    """A shell that ends a process as soon as this one is no more; it has the same 5 s for it as Prefect gives."""
    script = 'read -r _; kill "$0" && sleep 5 && kill -9 "$0"'
    return subprocess.Popen(  # noqa: S603  # nothing in it comes from outside
        ["/bin/sh", "-c", script, str(pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
