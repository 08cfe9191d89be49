"""The layout of a home: where the catalogue's files and folders lie. No other place spells it."""

from pathlib import Path

CHECKPOINTS = "checkpoints"
"""Folder in the home where the states of pictures at work lie, a file for each attempt."""


def checkpoint_path(home: Path, name: str) -> Path:
    """Where a picture in work is kept; the folder is made with the first."""
    return home / CHECKPOINTS / f"{name}.safetensors"
