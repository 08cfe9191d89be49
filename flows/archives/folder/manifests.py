"""IIIF manifests that lie in a folder, with the pictures that they describe in files beside them.

Called by `archive.py` and `account.py`; opens no file and asks nobody. A picture that no file of the folder goes by is
not fetched: a folder has no host, no pace and no robots.txt that it would be asked by.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from posixpath import splitext
from urllib.parse import unquote, urlsplit

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.folder.matching import EXACT, Names, Pick, Reach
from flows.archives.iiif.presentation import (
    is_manifest,
    manifests_within,
    picture_addresses,
    read_manifest,
    read_members,
)
from flows.archives.record import Record, Unreadable
from flows.archives.web.json_answers import Json, raw_text, read_json

MOST_RAW_BYTES = 2**20
"""Kept of a manifest that cannot be read."""
_MARK = b"iiif.io/api/presentation"
_FILE = re.compile(r"(?P<base>.+?)(?:/[^/]+/[^/]+/!?[\d.]+/(?:default|native|color|gray|bitonal)\.\w+)?/?")
"""An address with or without what the Image API puts behind a picture's own."""
_LIKE_EXACT = (EXACT, (3, 0, 0), (4, 0, 0))
"""The address of a picture seldom has its file's suffix."""


@dataclass(frozen=True)
class Manifest:
    """One manifest as read; `place` tells a person where to look."""

    place: str
    found: Record | Unreadable
    """The record without its files."""
    names: tuple[tuple[str, ...], ...] = ()
    """Of each picture the names by which its file may go."""


@dataclass(frozen=True)
class ManifestFile:
    """A file with a manifest, or with a collection and the manifests that stand whole in it."""

    path: str
    manifests: tuple[Manifest, ...]
    named: tuple[str, ...] = ()
    """Addresses of manifests that a collection only names."""

    @property
    def folder(self) -> str:
        """In which its pictures lie: with its `/`, or empty for the whole archive."""
        return self.path[: self.path.rfind("/") + 1]


def read_file(path: str, data: bytes, genres: Sequence[str] = ()) -> ManifestFile | None:
    """The manifests of a file; None where it is no IIIF."""
    try:
        value = read_json(data, path)
        alone = is_manifest(value)
        named = () if alone else read_members(value, path).manifests
    except (NotAnArchive, MalformedAnswer):
        if _MARK not in data:
            return None
        reason = f"{path} speaks of IIIF and is no manifest or collection that can be read; save it again"
        return ManifestFile(path, (Manifest(path, Unreadable(path, reason, raw=data[:MOST_RAW_BYTES])),))
    whole = [value] if alone else list(manifests_within(value))
    places = [path] if alone else [f"{path} manifest {number}" for number in range(1, len(whole) + 1)]
    manifests = tuple(_manifest(place, each, genres) for place, each in zip(places, whole, strict=True))
    return ManifestFile(path, manifests, named)


def _manifest(place: str, value: Json, genres: Sequence[str]) -> Manifest:
    try:
        record = read_manifest(value, place, genres)
        names = tuple(tuple(dict.fromkeys(map(_file_name, each))) for each in picture_addresses(value, place))
    except BadRecord as error:
        return Manifest(place, Unreadable(place, f"{place}: {error}", raw=raw_text(value).encode()[:MOST_RAW_BYTES]))
    identifier = splitext(place)[0] if record.identifier == place else record.identifier
    return Manifest(place, replace(record, identifier=identifier, pictures=()), names)


def _file_name(address: str) -> str:
    """The last part of a picture's address, which may hold folders when it is decoded."""
    found = _FILE.fullmatch(urlsplit(address).path)
    return unquote(found["base"].rpartition("/")[2]) if found else ""


def reach_pictures(manifest: Manifest, names: Names) -> Reach:
    """The files that a manifest's pictures go by; those that there are."""
    picks: dict[str, Pick] = {}
    maybe: dict[str, None] = {}
    for each in manifest.names:
        found = [names.find(name) for name in each if name]
        sure = next((one for one in found if isinstance(one, Pick)), None)
        if sure:
            picks.setdefault(sure.path, replace(sure, rank=EXACT) if sure.rank in _LIKE_EXACT else sure)
        else:
            maybe |= dict.fromkeys(path for one in found if not isinstance(one, Pick) for path in one)
    if maybe:
        problem = f"a picture of it may be {', '.join(maybe)}; give the files names of their own"
        return Reach((), (*picks, *maybe), problem)
    return Reach(tuple(picks.values()))


def missing(manifest: Manifest, reached: Reach) -> Iterator[str]:
    """What is told of pictures that lie in no file."""
    count = len(manifest.names) - len(reached.picks)
    if count > 0 and not reached.problem:
        yield (
            f"pictures that lie in no file beside it and are not fetched: {count} of {len(manifest.names)}; copy them "
            "there under the last part of their addresses, or harvest the manifest with the protocol iiif"
        )
