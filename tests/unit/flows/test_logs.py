"""The log: which lines are shown, in which form, and that no address in it holds a password."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from flows.logs import OURS, about, form, masked, set_up, tell_person

SECRET = "https://me:hunter2@archive.example/oai?verb=Identify&key=hunter2"
PREFECTS = ("prefect", "prefect.flow_runs", "prefect.task_runs")


class Said:
    """All that was written to standard error so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys, self._text = capsys, ""

    def getvalue(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """What the log writes, from level INFO on; handlers and levels are as before afterwards."""
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, (*OURS, *PREFECTS))]
    before, levels = list(root.handlers), [logger.level for logger in loggers]
    for name in PREFECTS:  # where a test before has loaded Prefect, they are silent, or speak for themselves
        logging.getLogger(name).setLevel(logging.NOTSET)
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
    root.handlers[:] = [each for each in before if not type(each).__module__.startswith("prefect")]
    set_up("ERROR")
    yield Said(capsys)
    root.handlers[:] = before
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_a_line_has_its_time_level_module_and_what_it_is_about(terminal: Said) -> None:
    set_up("INFO")
    about("flows.dispatch", batch=3, attempt=7, record="oai:1").info("%s on %s", "succeeded", "cuda:1")
    line = terminal.getvalue()
    assert line[:4].isdigit()
    assert line.endswith(" INFO flows.dispatch: batch 3, attempt 7, record oai:1: succeeded on cuda:1\n")


def test_a_standard_error_that_was_closed_is_written_to_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    closed, open_one = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stderr", closed)
    before = list(logging.getLogger().handlers)
    set_up("ERROR")
    closed.close()
    monkeypatch.setattr("sys.stderr", open_one)
    set_up("ERROR")
    about("flows.dispatch", batch=3).error("failed")
    logging.getLogger().handlers[:] = before
    assert open_one.getvalue().endswith("batch 3: failed\n")


def test_what_a_line_is_about_stands_in_the_record_for_programs(
    terminal: Said, caplog: pytest.LogCaptureFixture
) -> None:
    about("flows.harvest", archive="50% off", record="x").warning("is damaged")
    (record,) = caplog.records
    assert (record.__dict__["archive"], record.__dict__["record"]) == ("50% off", "x")
    assert record.getMessage() == "archive 50% off, record x: is damaged"


@pytest.mark.parametrize("logger", ["flows.harvest", "urllib3.connectionpool", "prefect.flow_runs"])
def test_no_password_or_key_of_an_address_is_logged_whoever_logs_it(terminal: Said, logger: str) -> None:
    set_up("DEBUG")
    logging.getLogger(logger).error("%s does not answer", SECRET)
    about(logger, archive=SECRET).error("%s: %s", SECRET, ValueError(SECRET))
    assert "archive.example" in terminal.getvalue()
    assert "hunter2" not in terminal.getvalue()


def test_what_prefect_is_told_holds_no_password_either(terminal: Said, caplog: pytest.LogCaptureFixture) -> None:
    about("flows.harvest", archive=SECRET).warning("%s: %s", SECRET, ValueError(SECRET))
    assert "hunter2" not in caplog.records[0].getMessage()


def test_a_log_for_programs_has_one_object_a_line_with_what_it_is_about_and_no_secret(terminal: Said) -> None:
    set_up("INFO", "json")
    assert form() == "json"
    about("flows.dispatch", batch=3, attempt=7, record="oai:1").info("two\nlines of %s", "目録")
    about("flows.harvest", archive=SECRET).warning("%s", SECRET)
    try:
        int(SECRET)
    except ValueError:
        logging.getLogger("urllib3").exception("%s does not answer", SECRET)
    tell_person("nishiki: stopped", "WARNING")
    text = terminal.getvalue()
    assert "hunter2" not in text
    dispatched, harvested, failed, told = map(json.loads, text.splitlines())
    assert datetime.fromisoformat(dispatched.pop("time")).tzinfo is not None
    assert dispatched == {
        "level": "INFO", "logger": "flows.dispatch", "process": os.getpid(),
        "record": "oai:1", "batch": 3, "attempt": 7,
        "message": "batch 3, attempt 7, record oai:1: two\nlines of 目録",
    }  # fmt: skip
    assert harvested["archive"].startswith("https://archive.example/oai")
    assert failed["error"].startswith("Traceback")
    assert (told["logger"], told["level"], told["message"]) == ("nishiki", "WARNING", "nishiki: stopped")
    set_up("INFO")
    tell_person("nishiki: stopped")
    assert terminal.getvalue().endswith("\nnishiki: stopped\n")


def test_a_text_keeps_what_is_no_secret_in_its_addresses() -> None:
    assert masked("see http://a.example/oai?verb=Identify, then <https://b.example/x>") == (
        "see http://a.example/oai?verb=Identify, then <https://b.example/x>"
    )


@pytest.mark.parametrize(
    ("level", "logger", "line_level", "shown"),
    [
        ("ERROR", "flows.dispatch", logging.ERROR, True),
        ("ERROR", "flows.dispatch", logging.WARNING, False),
        ("WARNING", "db.doctor", logging.WARNING, True),
        ("ERROR", "prefect.task_runs", logging.ERROR, False),
        ("ERROR", "urllib3", logging.ERROR, True),
        ("WARNING", "urllib3", logging.WARNING, False),
        ("INFO", "prefect.task_runs", logging.ERROR, True),
    ],
)
def test_the_level_decides_what_a_person_sees_and_prefects_lines_come_with_info(
    terminal: Said, level: str, logger: str, line_level: int, shown: bool
) -> None:
    set_up(level)  # type: ignore[arg-type]
    logging.getLogger(logger).log(line_level, "something")
    assert bool(terminal.getvalue()) is shown


@pytest.mark.long
def test_prefect_leaves_the_terminal_to_us_and_hands_our_lines_to_its_runs(tmp_path: Path) -> None:
    code = (
        "import logging\nfrom pathlib import Path\nfrom flows.logs import set_up\nset_up('ERROR')\n"
        "import os\nos.environ['PREFECT_API_URL'] = 'http://127.0.0.1:9/api'\n"
        "from flows.cli.prefect_server import set_up\nset_up(Path('home'))\nimport flows.nightly\n"
        "kinds = lambda name: [type(each).__name__ for each in logging.getLogger(name).handlers]\n"
        "print(kinds(None), kinds('flows'), kinds('db'), logging.getLogger('prefect').level, "
        "logging.getLogger('flows').level)"
    )
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )
    info = logging.INFO
    assert run.stdout.strip() == f"['Terminal'] ['APILogHandler'] ['APILogHandler'] {info} {info}", run.stderr
