"""Ctrl-C and SIGTERM in a process of its own: one sentence, the code, and an end whatever the command does."""

import os
import signal
import subprocess
import sys
import time

import pytest

from flows.endings import Ending
from flows.stopping import SENTENCE
from tests.conftest import ROOT

HEAD = """
import signal, sys
from flows import stopping
from flows.cli.failures import Application, Commands
stopping.GRACE_S = {grace}
app = Application(cls=Commands, pretty_exceptions_enable=False)

@app.command()
def other(): ...

def wait():
    print("ready", flush=True)
    signal.pause()

@app.command()
def work():
    {body}

app(["work"])
"""
ORDERLY = """
    try:
        wait()
    finally:
        print("tidied up")"""
REPLACED = """
    def theirs(number, _frame):
        raise ValueError("a library's own way")
    signal.signal(signal.SIGTERM, theirs)
    wait()"""
SWALLOWED_ONCE = """
    try:
        wait()
    except BaseException:
        pass"""
DEAF = """
    while True:
        try:
            wait()
        except BaseException:
            pass"""
LATE = """
    import atexit
    atexit.register(signal.pause)
    wait()"""


def begun(body: str, grace: float) -> "subprocess.Popen[str]":
    code = HEAD.format(grace=grace, body=body.strip())
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(
    ("body", "grace", "number", "said"),
    [
        (ORDERLY, 60, signal.SIGINT, "tidied up\n"),
        (ORDERLY, 60, signal.SIGTERM, "tidied up\n"),
        (REPLACED, 60, signal.SIGTERM, ""),
        (SWALLOWED_ONCE, 60, signal.SIGINT, ""),
        (LATE, 60, signal.SIGINT, ""),
        (DEAF, 0.2, signal.SIGINT, "ready\n"),
        (DEAF, 0.2, signal.SIGTERM, "ready\n"),
    ],
)
def test_a_signal_is_answered_with_one_sentence_and_its_code_whatever_the_command_does(
    body: str, grace: float, number: signal.Signals, said: str
) -> None:
    process = begun(body, grace)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (128 + number, said, f"nishiki: {SENTENCE}\n")
    assert process.returncode in set(Ending)


def test_a_second_ctrl_c_ends_it_at_once() -> None:
    process = begun(DEAF, 60)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == f"nishiki: {SENTENCE}\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == Ending.INTERRUPTED


@pytest.mark.parametrize(
    ("word", "said"), [("print(int(ending), flush=True)", "130\n"), ("threading.Event().wait()", "")]
)
def test_a_last_word_is_said_before_an_end_at_once_and_does_not_hold_it_up(word: str, said: str) -> None:
    body = f"""
    import threading
    with stopping.last_word(lambda ending: {word}):
        {DEAF.strip().replace(chr(10), chr(10) + "    ")}"""
    process = begun(body, 60)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    process.stderr.readline()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, time.monotonic() - began < 2, said in out) == (Ending.INTERRUPTED, True, True)


def test_a_command_that_asks_itself_to_end_has_failed() -> None:
    process = begun("print('ready', flush=True); stopping.ask(); signal.pause()", 60)
    assert process.communicate(timeout=30) == ("", f"nishiki: {SENTENCE}\n")
    assert process.returncode == Ending.FAILED
