"""The files of one entry in a package: its descriptions, its pictures, the list of their sha256.

The list is what makes a folder whole, and what the next export compares: where the descriptions come out the same, so
do the pictures that they name, and nothing is written.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from csv import QUOTE_NONNUMERIC, writer
from dataclasses import dataclass
from io import FileIO, StringIO
from pathlib import Path
from typing import Final, Self

from db.catalogue import Catalogue
from db.entries.night import AttemptEntry
from db.entries.review import Approved, ShownPictures
from db.errors import PictureAltered, PictureMissing
from db.exports.changes import activity
from db.exports.dublin_core import as_xml, dublin_core
from db.exports.iiif import manifest, web_size
from db.exports.leaving import (
    COLORIZED,
    DUBLIN_CORE,
    LIDO,
    LINKED_ART,
    MANIFEST,
    ORIGINAL,
    PROVENANCE,
    WEB,
    Leaving,
    Size,
    as_json,
    cited,
    landing,
    standard_rights,
)
from db.exports.lido import lido
from db.exports.linked_art import linked_art
from db.exports.prov import provenance
from db.exports.tables import cell
from db.files.tiles import LIGHTNESS, LONG_EDGES_PX, TileStore

LIST: Final = "sha256.txt"
ROW: Final = "metadata.csv"
ACTIVITY: Final = "activity.json"
FULL_SIZE: Final = "full-size"
SHARD: Final = 1000
"""Entries of a folder."""
_INFO: Final = "info.json"
_PREVIEW: Final = "preview.jpg"
_WHOLE: Final = "full/max/0/default.jpg"
_BLOCK: Final = 1 << 20
_NOT_LEAVING: Final = (LIGHTNESS, *LONG_EDGES_PX)


def folder_of(attempt_id: int) -> str:
    """An entry's folder within the package's data; it never changes."""
    return f"entries/{attempt_id // SHARD:06d}/{attempt_id}"


@dataclass(frozen=True)
class Sources:
    """Where entries and their pictures are read."""

    catalogue: Catalogue
    tiles: TileStore
    make_tiles: Callable[[ShownPictures], object] = lambda _: None
    """Makes those of an entry's pictures that are missing, where it can."""

    def whole(self, attempt: AttemptEntry) -> None:
        """See to it that there are tiles of the colorized print and of the original."""
        shown = ShownPictures(attempt.id, attempt.content.sha256, (), attempt.output_sha256 or "")
        if not (self.tiles.has(shown.content) and self.tiles.has(shown.output)):
            self.make_tiles(shown)


@dataclass(frozen=True)
class EntryFiles:
    """An entry, where its pictures lie, and its descriptions as bytes by name."""

    leaving: Leaving
    full_size: Path
    tiles: Mapping[str, Path]
    """Of the colorized print and the original, by the name that their folder has in the package."""
    texts: Mapping[str, bytes]

    @classmethod
    def of(cls, entry: Approved, sources: Sources, address: str, tiled: bool = True) -> Self:
        """Everything but the pictures' bytes, with tiles or without.

        Raises:
            PictureMissing: a picture or its tiles are not there.
        """
        attempt, output = entry.attempt, entry.attempt.output_sha256 or ""
        full_size = sources.catalogue.pictures.path(output)
        sources.whole(attempt)
        infos = {
            COLORIZED: sources.tiles.path(output, _INFO),
            ORIGINAL: sources.tiles.path(attempt.content.sha256, _INFO),
        }
        told = {name: json.loads(path.read_bytes()) for name, path in infos.items()}
        size, original = (Size(told[name]["width"], told[name]["height"]) for name in (COLORIZED, ORIGINAL))
        at = f"{address}{folder_of(attempt.id)}/"
        leaving = Leaving(entry, at, f"{FULL_SIZE}{full_size.suffix}", size, original, tiled)
        texts = described(leaving)
        for name, info in told.items() if tiled else ():
            most = web_size(Size(info["width"], info["height"]))
            limits = {"maxWidth": most.width, "maxHeight": most.height}
            texts[f"{name}/{_INFO}"] = as_json(info | {"id": f"{at}{name}"} | limits)
        return cls(leaving, full_size, {name: path.parent for name, path in infos.items()}, texts)

    def is_whole_in(self, folder: Path) -> bool:
        """Does this entry lie there already, said in the same words and with all its files?"""
        there = read_list(folder)
        same = all(there.get(name) == hashlib.sha256(data).hexdigest() for name, data in self.texts.items())
        return same and all((folder / name).is_file() for name in there)

    def write(self, folder: Path) -> None:
        """Write all of it into an empty folder, the list last.

        Raises:
            PictureMissing: a picture went away, or is not what its sha256 says.
            OSError: it cannot be written.
        """
        place = _Folder(folder)
        sums = {name: place.put(name, data) for name, data in self.texts.items()}
        for name, path in self._pictures():
            sums[name] = place.copy(name, path)
        expected = self.leaving.entry.attempt.output_sha256
        if sums[self.leaving.file] != expected:
            raise PictureAltered(f"{self.full_size} has other bytes than were stored; run: nishiki doctor --mend")
        lines = (f"{sums[name]}  {name}\n" for name in sorted(sums))
        place.put(LIST, "".join(lines).encode())

    def _pictures(self) -> Iterator[tuple[str, str]]:
        """Name in the package, and where the file lies."""
        yield self.leaving.file, str(self.full_size)
        for name, folder in self.tiles.items():
            yield f"{name}.jpg", f"{folder}/{_PREVIEW}"
            if self.leaving.tiled:
                inside = {tile: f"{folder}/{tile}" for tile in _all_tiles(str(folder))}
                inside.setdefault(_WHOLE, f"{folder}/{_PREVIEW}")  # which the Image API asks of every level
                yield from ((f"{name}/{tile}", file) for tile, file in inside.items())


def described(leaving: Leaving) -> dict[str, bytes]:
    """Every form of description, by its file's name."""
    return {
        MANIFEST: as_json(manifest(leaving)),
        PROVENANCE: as_json(provenance(leaving)),
        LINKED_ART: as_json(linked_art(leaving)),
        LIDO: as_xml(lido(leaving)),
        DUBLIN_CORE: as_xml(dublin_core(leaving)),
        ROW: table_row(leaving),
        ACTIVITY: as_json(activity(leaving)),
    }


def table_row(leaving: Leaving) -> bytes:
    """The entry as CSV, a header above it."""
    content, attempt = leaving.content, leaving.entry.attempt
    row = {
        "entry": attempt.id,
        "manifest": leaving.address(MANIFEST),
        "picture": leaving.address(leaving.file),
        "web_picture": leaving.address(WEB),
        "sha256": attempt.output_sha256,
        "width": leaving.size.width,
        "height": leaving.size.height,
        "archive": content.archive,
        "identifier": content.identifier,
        "title": content.title,
        "artists": content.artists,
        "cast": [{"role": role, "actor": actor} for role, actor in content.cast],
        "year_from": content.year_from,
        "year_to": content.year_to,
        "holder": content.holder,
        "landing_url": landing(content),
        "rights": leaving.rights,
        "print_rights": standard_rights(content) or content.rights_uri or content.rights_basis,
        "credit_lines": leaving.credits,
        "colours_from": [cited(style) for style in leaving.styles],
        "recipe": attempt.recipe.name,
        "recipe_digest": attempt.recipe.digest,
        "models": leaving.machine,
        "approved_at": leaving.entry.approved_at.isoformat(),
        "statement": leaving.statement["en"],
        "corrections": leaving.corrections,
    }
    table = StringIO(newline="")
    rows = writer(table, quoting=QUOTE_NONNUMERIC)
    rows.writerow(row)
    rows.writerow([cell(value) for value in row.values()])
    return table.getvalue().encode()


def read_list(folder: Path) -> dict[str, str]:
    """The sha256 of each file of an entry's folder, by name; empty where the folder is not there."""
    try:
        lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def _all_tiles(folder: str) -> Iterator[str]:
    """A picture's tiles, by their names within its folder."""
    with os.scandir(folder) as regions:
        known = sorted(each.name for each in regions if each.name not in _NOT_LEAVING and each.is_dir())
    for region in known:
        yield from _tiles(folder, region)


def _tiles(folder: str, inside: str) -> Iterator[str]:
    """The pictures below, by their names within the folder."""
    with os.scandir(f"{folder}/{inside}") as entries:
        found = sorted((each.name, each.is_dir()) for each in entries)
    for name, is_folder in found:
        if is_folder:
            yield from _tiles(folder, f"{inside}/{name}")
        elif name.endswith(".jpg"):
            yield f"{inside}/{name}"


class _Folder:
    """An entry's folder that is being filled. Names are plain text: there are dozens to an entry."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._made = {""}

    def put(self, name: str, data: bytes) -> str:
        """Write a file; the sha256 of its bytes."""
        self._make(name.rpartition("/")[0])
        with FileIO(f"{self._root}/{name}", "x") as file:
            _write(file, data)
        return hashlib.sha256(data).hexdigest()

    def copy(self, name: str, source: str) -> str:
        """Copy a file; the sha256 of what was copied.

        Raises:
            PictureMissing: it is not there.
        """
        self._make(name.rpartition("/")[0])
        digest = hashlib.sha256()
        try:
            with FileIO(source) as original, FileIO(f"{self._root}/{name}", "x") as copy:
                while block := original.read(_BLOCK):
                    digest.update(block)
                    _write(copy, block)
        except FileNotFoundError as error:
            raise PictureMissing(
                f"{source} went away; `nishiki tiles` and `nishiki doctor` tell what else is"
            ) from error
        return digest.hexdigest()

    def _make(self, folder: str) -> None:
        if folder not in self._made:
            self._make(folder.rpartition("/")[0])
            os.mkdir(f"{self._root}/{folder}")  # noqa: PTH102
            self._made.add(folder)


def _write(file: FileIO, data: bytes) -> None:
    """All of it: the system may take less at once."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) or 0 :]
