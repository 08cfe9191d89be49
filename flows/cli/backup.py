"""The commands that copy a catalogue and bring one back: nishiki backup, nishiki restore.

`flows.cli.app` takes them in. Thin, and never Prefect.
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.console import Home, exit_with, failed_if, read_settings, say

if TYPE_CHECKING:  # loads the database
    from db.backup import Copied

backup_app = typer.Typer()
Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the backup, best on another disk.")]
_AGAIN = (
    "All else is restored. Bring these pictures to the same place in {} from another copy, or run "
    "`nishiki doctor --mend{}`, which fetches originals again and makes results again."
)


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
    look = f"run: nishiki doctor{_at(home)}"
    say(
        [
            f"Backup in {folder}: {_told(done)} ({kept.picture_bytes / 1e9:.1f} GB), {done.copied:,} of them new.",
            *(f"Picture {sha256} is damaged or gone and not in this backup; {look}" for sha256 in done.lost),
        ]
    )
    exit_with(failed_if(done.lost))


@backup_app.command()
def restore(folder: Folder, home: Home = None) -> None:
    """Bring a backup back into an empty home and an empty database.

    Each file is held to its sha256, and each table's rows are counted. A picture that is damaged or gone in the backup
    is named, and all else restored. Working copies, tiles and reports are made again by `nishiki doctor --mend`,
    `nishiki tiles` and `nishiki report`.
    """
    settings = read_settings(home=home)
    from db.backup import restore as bring_back
    from db.files.home import HomeFolder
    from flows.progress import track

    with track("restore", None, "pictures") as advance:
        done = bring_back(settings, folder, advance=lambda *_: advance(1))
    pictures, at = settings.picture_store or settings.home / HomeFolder.PICTURES, _at(home)
    say(
        [
            f"Restored the backup of {done.manifest.made_at} into {settings.home}: {_told(done)}.",
            *(f"Picture {sha256} is damaged or gone in the backup and was not restored." for sha256 in done.lost),
            *([_AGAIN.format(pictures, at)] if done.lost else []),
            "Now run:",
            *(f"  nishiki {command}{at}" for command in ("doctor --mend", "tiles")),
        ]
    )
    exit_with(failed_if(done.lost))


def _at(home: Path | None) -> str:
    """The option of a command that is to be copied into a shell."""
    return f" --home {shlex.quote(str(home))}" if home else ""


def _told(done: "Copied") -> str:
    rows, whole = done.manifest.rows, done.manifest.pictures + len(done.manifest.lost) - len(done.lost)
    return f"{rows['records']:,} records, {rows['attempts']:,} attempts, {whole:,} pictures"
