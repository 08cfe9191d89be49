"""Originals whose files are lost or damaged are fetched again from the archives that brought them.

`nishiki doctor --mend` asks. Only the very bytes come back: whatever else an archive holds by now the next harvest
takes in, which knows what follows from a new picture. No Prefect.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from db.catalogue import Catalogue
from db.entries.night import StoredFrom
from flows.addresses import shown
from flows.archives.errors import ArchiveError
from flows.archives.record import Archive, Validators
from flows.archives.registry import open_archive
from flows.plan import access_to
from flows.settings import Settings


def fetch_again(settings: Settings, sha256s: Collection[str]) -> Mapping[str, str | None]:
    """Put originals back into the store, as far as an archive still has them.

    Returns:
        Each sha256 with the reason why it is not back; None: it is.

    Raises:
        CatalogueError: the catalogue cannot be read, or has no room.
    """
    answers: dict[str, str | None] = dict.fromkeys(sha256s, "no live record names it any more")
    with Catalogue.open(settings, create=False) as catalogue:
        by_archive: defaultdict[tuple[str, str], list[StoredFrom]] = defaultdict(list)
        for source in catalogue.stored_from(sha256s):
            by_archive[source.archive, source.address].append(source)
        for (name, address), sources in by_archive.items():
            answers |= _from_archive(settings, catalogue, name if name in settings.archives else address, sources)
    return answers


def _from_archive(
    settings: Settings, catalogue: Catalogue, word: str, sources: Sequence[StoredFrom]
) -> dict[str, str | None]:
    try:
        name, named = settings.archive_of(word)
        archive = open_archive(named.protocol, access_to(name, named, settings))
    except ArchiveError as error:
        return {source.sha256: str(error) for source in sources}
    try:
        answers: dict[str, str | None] = {}
        for source in sources:
            if answers.get(source.sha256, "") is not None:  # another record may have brought it back
                answers[source.sha256] = _put_back(catalogue, archive, source)
        return answers
    finally:
        archive.close()


def _put_back(catalogue: Catalogue, archive: Archive, source: StoredFrom) -> str | None:
    try:
        picture = archive.picture(source.reference, Validators())
    except ArchiveError as error:
        return str(error)
    if picture is None or hashlib.sha256(picture.data).hexdigest() != source.sha256:
        catalogue.want_again(source)
        place = shown(source.reference) if "://" in source.reference else source.reference
        return f"{source.archive} holds another picture at {place} by now, which the next harvest takes in"
    catalogue.pictures.add(picture.data, PurePosixPath(urlsplit(picture.url).path).suffix or ".bin")
    return None
