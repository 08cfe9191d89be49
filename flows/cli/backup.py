"""The commands that copy a catalogue and bring one back: nishiki backup, nishiki restore.

`flows.cli.app` takes them in. Thin, and never Prefect.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.console import Home, exit_with, failed_if, read_settings, say

if TYPE_CHECKING:  # loads the database
    from db.backup import Manifest

backup_app = typer.Typer()
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup, best on another disk.")]


@backup_app.command()
def backup(
    folder: Folder,
    verify: Annotated[bool, typer.Option("--verify", help="Read the pictures that lie there already, too.")] = False,
    home: Home = None,
) -> None:
    """Copy the catalogue and its pictures into a folder, also while a night runs.

    Of an earlier backup in it only what is new is copied. It is whole when this ends; until then the earlier one holds.
    """
    settings = read_settings(home=home)
    from db.backup import back_up
    from flows.progress import track

    with track("back up", None, "pictures") as advance:
        done = back_up(settings, folder, verify=verify, advance=lambda *_: advance(1))
    kept = done.manifest
    say(
        [
            f"Backup in {folder}: {_told(kept)} ({kept.picture_bytes / 1e9:.1f} GB), {done.copied:,} of them new.",
            *(f"Picture {sha256} is damaged or gone and in no backup; run: nishiki doctor" for sha256 in kept.lost),
        ]
    )
    exit_with(failed_if(kept.lost))


@backup_app.command()
def restore(folder: Folder, home: Home = None) -> None:
    """Bring a backup back into an empty home and an empty database.

    Each file is held to its sha256, and each table's rows are counted. Working copies, tiles and reports are made
    again by `nishiki doctor --mend`, `nishiki tiles` and `nishiki report`.
    """
    settings = read_settings(home=home)
    from db.backup import restore as bring_back
    from flows.progress import track

    with track("restore", None, "pictures") as advance:
        done = bring_back(settings, folder, advance=lambda *_: advance(1))
    kept = done.manifest
    say(
        [
            f"Restored the backup of {kept.made_at} into {settings.home}: {_told(kept)}.",
            "Now run: nishiki doctor --mend, then nishiki tiles.",
            *(f"Picture {sha256} was damaged or gone when the backup was made" for sha256 in kept.lost),
        ]
    )
    exit_with(failed_if(kept.lost))


def _told(kept: "Manifest") -> str:
    return f"{kept.rows['records']:,} records, {kept.rows['attempts']:,} attempts, {kept.pictures:,} pictures"
