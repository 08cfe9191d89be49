"""An archive that publishes IIIF: one manifest, or a collection of manifests and collections, walked to its ends.

`presentation` reads what is fetched, `images` says which picture to ask for; `changes` follows a stream of changes with
the same client. Nothing is dated here, so that every window is a list of everything.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import ClassVar, Final, Self
from urllib.parse import urlsplit

from flows.addresses import shown
from flows.archives.errors import (
    ArchiveRefused,
    ArchiveUnavailable,
    BadRecord,
    Gone,
    MalformedAnswer,
    NotAnArchive,
    TooLarge,
)
from flows.archives.iiif.images import Asked, largest, service_of
from flows.archives.iiif.presentation import info_rights, is_manifest, read_manifest, read_members
from flows.archives.limits import within_limits
from flows.archives.options import IiifPictures
from flows.archives.record import UNDATED, Access, Derivatives, Picture, Record, Remark, Unreadable, Validators, Window
from flows.archives.web.client import REFUSALS_IN_A_ROW, PoliteClient
from flows.archives.web.json_answers import Json, ask_json, raw_text
from flows.archives.web.pictures import fetch_picture

PASSES: Final = 4
"""Times that what did not answer is asked for in one harvest, the last ones at its end."""
SILENT_IN_A_ROW: Final = 10
"""Manifests of one host that do not answer, after which it is left alone for this harvest."""
MOST_COLLECTIONS: Final = 100_000
MOST_IN_VAIN = 1000
"""Collections in a row that name no manifest, after which their list is taken to have no end."""
MOST_RAW_BYTES: Final = 2**20
"""Kept of a manifest that cannot be read."""
_NOTHING = Validators()


class IiifArchive:
    """Reads a manifest, or all manifests of a collection; the client is its own, and closed with it."""

    kind: ClassVar[str] = "iiif"
    lists_everything = False
    asks_each: ClassVar[bool] = True

    @classmethod
    def open(cls, access: Access) -> Self:
        """With a polite client of its own; nothing is asked yet."""
        return cls(access)

    def __init__(self, access: Access) -> None:
        self.name = access.name
        self.address = shown(access.address)
        self._url = access.address
        self._genres = access.genres
        options = access.options
        known = options if isinstance(options, IiifPictures) else IiifPictures()
        self._long_edge_px, self._image_rights = known.long_edge_px, known.image_rights
        self._client = PoliteClient(access.manners, access.address)
        self._first: Json = None

    def close(self) -> None:
        """Releases connections."""
        self._client.close()

    def check(self) -> None:
        """Asks for the address itself; what was answered is kept for the list.

        Raises:
            NotAnArchive, MalformedAnswer: it is no manifest and no collection.
        """
        is_manifest(self.front())

    def front(self) -> Json:
        """What lies at the address, asked once.

        Raises:
            NotAnArchive, MalformedAnswer: nothing, or no JSON.
        """
        if self._first is None:
            try:
                self._first = ask_json(self._client, self._url, known=False)
            except BadRecord as error:
                raise NotAnArchive(f"{error}; give the address of a IIIF manifest or collection") from None
        return self._first

    def names_deleted(self) -> bool:
        """No: only a list of everything tells."""
        return False

    def windows(self, since: datetime | None) -> Iterator[Window]:  # noqa: ARG002
        """One, of everything."""
        yield Window(None, datetime.now(UTC))

    def records(self, window: Window) -> Iterator[Record | Unreadable | Remark]:
        """Every manifest once that was not read before, collections in the order in which they are named.

        Raises:
            ArchiveUnavailable: some did not answer to the last; all others came.
            ArchiveRefused: the host refuses one after the other.
        """
        front = self.front()
        if is_manifest(front):
            yield from self.told(self.read(front, self._url))
            return
        manifests = list[str]()
        for found in self.members(front, self._url):
            if isinstance(found, str):
                manifests.append(found)
            else:
                yield found
        yield from self.fetched({url: UNDATED for url in manifests if url not in window.read})

    def members(self, front: Json, address: str) -> Iterator[str | Unreadable]:
        """The addresses of all manifests below a collection, each once; loops and pages are followed once.

        Raises:
            ArchiveUnavailable: a part of it does not answer, so that nobody knows what it names.
            MalformedAnswer: it has no end.
        """
        waiting, seen, told, in_vain = deque([(address, front)]), {address}, set[str](), 0
        while waiting:
            url, value = waiting.popleft()
            try:
                part = read_members(ask_json(self._client, url, known=True) if value is None else value, url)
            except (BadRecord, MalformedAnswer, NotAnArchive) as error:
                yield Unreadable(url, f"a collection in it cannot be read ({error})", breaks_list=True, raw=b"")
                continue
            if part.nameless:
                reason = f"{part.nameless} of its entries have no address on the web; tell the archive"
                yield Unreadable(url, reason, breaks_list=True)
            in_vain = 0 if part.manifests else in_vain + 1
            if in_vain > MOST_IN_VAIN:
                raise MalformedAnswer(
                    f"{self.name}: {in_vain:,} collections in a row name no manifest; tell the archive"
                )
            yield from (each for each in part.manifests if each not in told)
            told |= set(part.manifests)
            further = [each for each in part.collections if each not in seen]
            seen |= set(further)
            waiting.extend((each, None) for each in further)
            if len(seen) > MOST_COLLECTIONS:
                raise MalformedAnswer(f"{self.name} names collections without end; tell the archive")

    def fetched(self, manifests: dict[str, datetime]) -> Iterator[Record | Unreadable | Remark]:
        """Manifests by address, with their time of change; what does not answer is asked for again at the end.

        Raises:
            ArchiveUnavailable, ArchiveRefused: as `records`.
        """
        rows = Counter[str]()
        last: ArchiveUnavailable | None = None
        for left in reversed(range(PASSES)):
            silent, refusals = dict[str, datetime](), 0
            for url, changed in manifests.items():
                host = urlsplit(url).netloc
                if rows[host] >= SILENT_IN_A_ROW:
                    silent[url] = changed
                    continue
                try:
                    found = self.manifest(url, changed, believed=not left)
                    rows[host] = refusals = 0
                except ArchiveUnavailable as error:
                    silent[url], last = changed, error
                    rows[host] += 1
                    continue
                except ArchiveRefused as error:
                    refusals += 1
                    if refusals >= REFUSALS_IN_A_ROW:
                        raise
                    found = Unreadable(url, f"it is refused ({error})")
                yield from self.told(found)
            manifests = silent
        if manifests:
            raise ArchiveUnavailable(f"{len(manifests)} of its manifests do not answer, the last of them: {last}")

    def manifest(self, url: str, changed: datetime = UNDATED, *, believed: bool = False) -> Record | Unreadable:
        """One manifest by its address.

        Args:
            url: where it lies.
            changed: when it changed, where that is known.
            believed: a broken answer, or a page in its place, is no passing fault any more.

        Raises:
            ArchiveUnavailable, ArchiveRefused: it cannot be had now.
        """
        try:
            return self.read(ask_json(self._client, url, known=not believed), url, changed)
        except Gone as error:
            return Unreadable(url, f"its collection names it, and {error}")
        except (BadRecord, MalformedAnswer, NotAnArchive) as error:
            return Unreadable(url, str(error))

    def read(self, value: Json, url: str, changed: datetime = UNDATED) -> Record | Unreadable:
        """A manifest that was fetched; it goes by the address that it was asked for at."""
        try:
            return within_limits(read_manifest(value, url, self._genres, changed, url))
        except BadRecord as error:
            return Unreadable(url, str(error), raw=raw_text(value).encode()[:MOST_RAW_BYTES])

    def told(self, found: Record | Unreadable) -> Iterator[Record | Unreadable | Remark]:
        """It, and its remarks."""
        yield found
        if isinstance(found, Record):
            yield from (Remark(found.identifier, remark) for remark in found.remarks)

    def picture(self, reference: str, known: Validators = _NOTHING) -> Picture | None:
        """The largest picture that the server allows; where it has no info.json, the one that its manifest names.

        Raises:
            BadRecord: it cannot be had, is shown after a login only, or its own rights forbid derivatives.
        """
        asked = self._asked(reference)
        try:
            found = fetch_picture(self._client, asked.address, known)
        except TooLarge:
            raise
        except BadRecord:
            if self._long_edge_px or asked.address == reference:
                raise
            # It does not keep to its own info.json.
            asked = Asked(reference)
            found = fetch_picture(self._client, reference, known)
        return found and replace(found, stated_px=asked.stated_px)

    def _asked(self, reference: str) -> Asked:
        service = service_of(reference)
        if not service:
            return Asked(reference)
        try:
            info = ask_json(self._client, f"{service}/info.json", known=False)
        except (BadRecord, MalformedAnswer, NotAnArchive):
            return Asked(reference)
        except ArchiveRefused as error:
            raise ArchiveRefused(f"{error} (IIIF: its pictures may want a login)") from None
        rights = info_rights(info)
        if self._image_rights and rights.derivatives is Derivatives.NO:
            permission = "where a permission covers it, set image_rights = false"
            raise BadRecord(f"{shown(service)} forbids derivatives ({rights.basis}); {permission}")
        return largest(info, reference, self._long_edge_px)
