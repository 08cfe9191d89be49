"""The layout of a home: where files and folders lie in it, and how one is recognised. No other place spells it."""

import stat
from enum import StrEnum
from pathlib import Path
from typing import Final

CATALOGUE: Final = "catalogue.db"
"""The catalogue's file, where no other database is set; its copies and journals begin with the same name."""
IDENTITY: Final = "catalogue-identity"
"""Says which catalogue the files in the home belong to, wherever its database is."""
DEMO_MARK: Final = "made-by-nishiki-demo.txt"
"""Says that the home is a demo's, which the next one removes."""
NIGHT_LOCK: Final = "night.lock"
"""Held by the one night that is at work."""
PRIVATE: Final = 0o700
"""Mode of a home that is made: nobody else on the machine looks into it."""
UNFINISHED: Final = "unfinished"
"""In a folder of files that are written whole or not at all: those that are being written."""


class HomeFolder(StrEnum):
    """The folders that nishiki makes in a home: `settings.home / HomeFolder.TILES`."""

    PICTURES = "pictures"
    """Originals and results, by sha256."""
    WORKING_COPIES = "working-copies"
    """Harvested pictures at 1,024 px, for all that looks at many of them."""
    TILES = "tiles"
    """What the review page shows of them."""
    CHECKPOINTS = "checkpoints"
    """States of pictures at work, a file for each attempt or for each run of `nishiki colorize`."""
    HOSTS = "hosts"
    """How often hosts were asked today, a file for each that may be asked so often only."""
    EXPORTS = "exports"
    """Packages that lie in object storage, as they were sent there, a folder for each."""
    REPORTS = "reports"
    """Contact sheets, a folder for each batch."""
    SWEEPS = "sweeps"
    """Reports of comparisons, a folder for each."""
    TRAINING = "training"
    """Students half taught, a folder for each training."""
    MODELS = "models"
    """Trained colorizers, each with its checksum beside it; those that are retired in a folder of their own."""
    PREFECT = "prefect"
    """Database and results of the Prefect server that a command starts."""


_SIGNS: Final = (
    CATALOGUE,
    f"{HomeFolder.PICTURES}/{UNFINISHED}",
    f"{HomeFolder.PREFECT}/prefect.db",
    f"{HomeFolder.CHECKPOINTS}/*.safetensors",
    f"{HomeFolder.TRAINING}/*/*.safetensors",
)
"""What only a home holds: one of them is there from its first command on, whichever that was."""


def own_database(home: Path) -> str:
    """The URL of the catalogue's file in this home."""
    return f"sqlite:///{home / CATALOGUE}"


def open_to_others(path: Path) -> tuple[int, bool]:
    """The mode that leaves others out, the same where they are left out; and whether a group is let in on purpose.

    A group with no more rights than everybody has them by default and loses them, too.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    group, others = mode >> 3 & 0o7, mode & 0o7
    shared = bool(group & ~others)
    return mode & (0o770 if shared else 0o700), shared


def checkpoint_path(home: Path, name: str) -> Path:
    """Where a picture in work is kept; the folder is made with the first."""
    return home / HomeFolder.CHECKPOINTS / f"{name}.safetensors"


def written_by_nishiki(path: Path, home: Path | None = None) -> bool:
    """Is this a file or folder of the layout, in `home` or in any other home? No archive's picture lies there."""
    own = path.name in {*HomeFolder, DEMO_MARK, IDENTITY, NIGHT_LOCK} or path.name.startswith(CATALOGUE)
    return own and (path.parent == home or _is_home(path.parent))


def _is_home(folder: Path) -> bool:
    return any(next(folder.glob(sign), None) for sign in _SIGNS)
