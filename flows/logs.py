"""Where the log of a process goes, in which form, and what stands beside a line: archive, record, batch, attempt.

Every module logs by `logging.getLogger(__name__)`, or by `about(...)` where a line is of one thing; the command and
the workers call `set_up`. Prefect hands the same lines to its runs (`PREFECT_LOGGING_EXTRA_LOGGERS`) and leaves the
terminal to us, since we were there first. No address is logged with a password or a key.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, Final, Literal

from flows.addresses import shown

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Form = Literal["text", "json"]
OURS: Final = ("flows", "colorize", "db", "nishiki")
"""Loggers whose lines are nishiki's own; the others are those of libraries, Prefect's among them."""
FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
THINGS: Final = ("archive", "record", "batch", "attempt")
"""What a line may be about."""
_ADDRESS: Final = re.compile(r"https?://[^\s'\"<>]+")


def set_up(level: Level, written: Form = "text") -> None:
    """Write lines of this level and above to standard error, with the time; again: only level and form change."""
    root = logging.getLogger()
    handler = _terminal() or Terminal()
    handler.setLevel(level)
    handler.setFormatter(_Json() if written == "json" else _Masking(FORMAT))
    if handler not in root.handlers:
        root.addHandler(handler)
    for name in OURS:  # Prefect's runs are told of what the terminal does not show
        logging.getLogger(name).setLevel(min(logging.INFO, logging.getLevelName(level)))


def form() -> Form:
    """How lines are written in this process."""
    handler = _terminal()
    return "json" if handler and isinstance(handler.formatter, _Json) else "text"


def tell_person(line: str, level: Level = "INFO") -> None:
    """A sentence for the person at the terminal, whatever the level; a line of the log where that is for programs."""
    if form() == "json":
        number = logging.getLevelName(level)
        line = _Json().format(logging.LogRecord("nishiki", number, "", 0, line, None, None))
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def about(name: str, **things: object) -> "About":
    """The logger of a module for lines about one thing, such as `batch=3`, each line beginning with it."""
    return About(logging.getLogger(name), things)


def masked(text: str) -> str:
    """A text without a user, a password or a key in its web addresses."""
    return _ADDRESS.sub(lambda found: shown(found[0]), text)


def first_line(error: BaseException) -> str:
    """What an error says, without addresses' secrets, in one line."""
    return masked((str(error).strip() or type(error).__name__).splitlines()[0])


class About(logging.LoggerAdapter[logging.Logger]):
    """Puts what a line is about before its words, for people, and into the record, for programs."""

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        """The line with what it is about in its record."""
        return msg, {**kwargs, "extra": {**(self.extra or {}), **(kwargs.get("extra") or {})}}

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """As a logger's, after what it is about, with the addresses in both masked."""
        things = ", ".join(f"{key} {value}" for key, value in (self.extra or {}).items())
        words = [masked(str(word)) if isinstance(word, str | Exception) else word for word in (things, *args)]
        super().log(level, f"%s: {msg}", *words, **kwargs)


class Terminal(logging.StreamHandler[Any]):
    """Shows our lines and libraries' errors; all that libraries say where the operator asks for as much as INFO.

    Prefect takes a handler with a format of its own for the operator's, and puts none beside it; one whose class has a
    private name it does not count.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(_Masking(FORMAT))

    @property
    def stream(self) -> Any:
        """Standard error as it is now: a program that runs commands in itself may exchange and close it."""
        return sys.stderr

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line is shown; a run that failed is told by the command, and Prefect's traceback adds nothing."""
        whose = record.name.partition(".")[0]
        told = whose in OURS or (whose != "prefect" and record.levelno >= logging.ERROR)
        return (told or self.level <= logging.INFO) and bool(super().filter(record))


class _Masking(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """The line, with the addresses in it masked, whoever wrote it."""
        return masked(super().format(record))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """One JSON object in one line, with what it is about and the traceback where there are any."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname, "logger": record.name, "process": record.process,
            **{name: record.__dict__[name] for name in THINGS if name in record.__dict__},
            "message": record.getMessage(),
        }  # fmt: skip
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        shown = {key: masked(value) if isinstance(value, str) else value for key, value in line.items()}
        return json.dumps(shown, ensure_ascii=False, default=str)


def _terminal() -> Terminal | None:
    return next((each for each in logging.getLogger().handlers if isinstance(each, Terminal)), None)
