"""Processes forked from one that has imported what they need: there in a moment, where new ones import for seconds."""

import multiprocessing
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

new_context = multiprocessing.get_context
"""The one that starts processes anew, also inside `forked_workers`."""
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(
    [
        "colorize.colorizer",
        "colorize.encoders.loading",
        "colorize.recipes.library",
        "db.review.app",
        "flows.cli.app",
        "flows.cli.review",
        "flows.settings",
        "flows.workers.processes",
        "uvicorn",
    ]
)


def forked_workers() -> AbstractContextManager[object]:
    """Inside it, what would be a new process of its own is a forked one."""
    return patch.object(multiprocessing, "get_context", _forking)


def _forking(method: str | None = None) -> Any:
    return FORK if method == "spawn" else new_context(method)
