"""Writes files that somebody may be looking at, and says where checkpoints lie."""

import secrets
from pathlib import Path

from db.doctor import CHECKPOINTS
from flows.settings import Settings


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, over an earlier one.

    Raises:
        OSError: it cannot be written; an earlier file is untouched.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def checkpoint_path(settings: Settings, name: str) -> Path:
    """Where a picture in work is kept; the folder is made with the first."""
    return settings.home / CHECKPOINTS / f"{name}.safetensors"
