"""Processes forked from one that has imported what they need: there in a moment, where new ones import for seconds."""

import multiprocessing

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
        "flows.workers.process",
        "uvicorn",
    ]
)
