"""Nights whose colorizing processes are there in a moment."""

import multiprocessing
from collections.abc import Iterator
from typing import Any

import pytest

from tests.forked import FORK

_new_context = multiprocessing.get_context


@pytest.fixture(scope="session", autouse=True)
def _forked() -> Iterator[None]:
    """Colorizing processes are forked, not spawned: a dispatch of small pictures takes half the time."""

    def forking(method: str | None = None) -> Any:
        return FORK if method == "spawn" else _new_context(method)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multiprocessing, "get_context", forking)
        yield


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> None:
    """As outside the tests, for those who kill: a forked process may be done before it is seen."""
    monkeypatch.setattr(multiprocessing, "get_context", _new_context)
