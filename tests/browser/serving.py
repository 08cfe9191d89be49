"""`nishiki review` in a process of its own, forked from one that has imported all it needs: there in a moment."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from tests.forked import FORK


@contextmanager
def started(home: Path, *options: str) -> Iterator[str]:
    """The command `nishiki review` on a free port; its address."""
    log = home.parent / "review.log"
    words = ["review", "--home", str(home), "--port", "0", *options]
    heard, said = FORK.Pipe(duplex=False)
    process = FORK.Process(target=_serve, args=(words, said, log))
    process.start()
    said.close()
    try:
        yield _address(heard, log)
    finally:
        process.terminate()
        process.join(timeout=20)
        heard.close()
    assert process.exitcode is not None, "the page did not end"
    assert "Traceback" not in log.read_text(encoding="utf-8")


def _serve(words: list[str], said: Connection, log: Path) -> None:
    """What the process does: as from a terminal, but for where its words go."""
    from flows.cli.app import app  # noqa: PLC0415  # in the parent it is not needed

    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    os.dup2(said.fileno(), 1)
    os.chdir(log.parent)
    app(words)


def _address(heard: Connection, log: Path) -> str:
    with open(heard.fileno(), encoding="utf-8", closefd=False) as lines:
        for line in lines:
            if found := re.search(r"http://[^\s/]+", line):
                return found[0]
    raise AssertionError(f"the page did not start: {log.read_text(encoding='utf-8')}")
