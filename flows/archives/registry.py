"""The protocols that archives speak, a line each, and the opening of a client for one of them.

Settings name a protocol by this list, `flows.plan` checks addresses by it before the night, and `flows.harvest` opens
archives with it. A client is loaded when it is opened, so that reading settings loads none. Another protocol is a
file with its client, and its line here.
"""

from enum import StrEnum
from importlib import import_module
from typing import Self, cast
from urllib.parse import urlsplit

from flows.archives.errors import IsStream, MalformedAnswer, NotAnArchive
from flows.archives.record import Access, Archive


class Protocol(StrEnum):
    """How an archive is read: the name in the settings, the client, whether it lies at a web address, and at which.

    Where there is one host that speaks it an archive's own address may be left out.
    """

    AUTO = "auto", "", None
    """A path is a folder; a web address is asked once what it speaks."""
    FOLDER = "folder", "flows.archives.folder.archive:FolderArchive", False
    OAI_PMH = "oai-pmh", "flows.archives.oai.archive:OaiPmhArchive", True
    IIIF = "iiif", "flows.archives.iiif.archive:IiifArchive", True
    IIIF_CHANGE = "iiif-change", "flows.archives.iiif.changes:ChangeArchive", True
    JAPAN_SEARCH = (
        "japan-search",
        "flows.archives.apis.japan_search:JapanSearchArchive",
        True,
        "https://jpsearch.go.jp/api",
    )
    MET = "met", "flows.archives.apis.met:MetArchive", True, "https://collectionapi.metmuseum.org/public/collection/v1"
    AIC = "aic", "flows.archives.apis.aic:AicArchive", True, "https://api.artic.edu/api/v1"
    CLEVELAND = (
        "cleveland",
        "flows.archives.apis.cleveland:ClevelandArchive",
        True,
        "https://openaccess-api.clevelandart.org/api",
    )
    ARC = "arc", "flows.archives.apis.arc:ArcArchive", True, "https://www.dh-jac.net/db/nishikie/"

    client: str
    web: bool | None
    home: str

    def __new__(cls, name: str, client: str, web: bool | None, home: str = "") -> Self:
        """A member whose value is its name."""
        member = str.__new__(cls, name)
        member._value_, member.client, member.web, member.home = name, client, web, home
        return member


RECOGNISED = (Protocol.OAI_PMH, Protocol.IIIF)
"""What a web address is asked for, one after the other; an API of one host is named, not guessed."""


def is_folder(protocol: Protocol, address: str) -> bool:
    """Is this an archive of files on this machine?"""
    return protocol is Protocol.FOLDER or (protocol is Protocol.AUTO and "://" not in address)


def check_address(protocol: Protocol, address: str) -> None:
    """Look, without asking anybody, whether an address may be one of the protocol.

    Raises:
        NotAnArchive: it is of another kind.
    """
    scheme = address.partition("://")[0].lower() if "://" in address else ""
    if scheme not in ("", "http", "https"):
        raise NotAnArchive(f"{scheme}:// is spoken by no protocol that nishiki knows; {_ways()}")
    if protocol.web is not None and protocol.web != bool(scheme):
        what, wanted = ("a web address", "a folder") if scheme else ("no web address", "one")
        raise NotAnArchive(f"it is {what}, and the protocol {protocol} takes {wanted}; {_ways()}")
    if scheme and not _has_host(address):
        raise NotAnArchive("its address names no host that can be asked; give http://HOST/PATH or https://HOST/PATH")


def _has_host(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # no port, or a bracket left open
        return False


def open_archive(protocol: Protocol, access: Access) -> Archive:
    """The client of an archive; with `auto`, a web address is asked once which protocol it speaks.

    Raises:
        NotAnArchive: there is no such folder, or the address speaks none of the protocols.
        ArchiveError: with `auto`, the archive cannot be asked.
    """
    check_address(protocol, access.address)
    if protocol is not Protocol.AUTO:
        return _client(protocol).open(access)
    if is_folder(protocol, access.address):
        return _client(Protocol.FOLDER).open(access)
    return _asked(access)


def _asked(access: Access) -> Archive:
    reasons = []
    for protocol in RECOGNISED:
        try:
            return _checked(protocol, access)
        except IsStream:
            return _checked(Protocol.IIIF_CHANGE, access)
        except (NotAnArchive, MalformedAnswer) as error:
            reasons.append(f"{protocol}: {error}")
    raise NotAnArchive(f"{'; '.join(reasons)}; no other protocol was tried: {_ways()}")


def _checked(protocol: Protocol, access: Access) -> Archive:
    """The client of a protocol, after what lies at the address has answered to it."""
    archive = _client(protocol).open(access)
    try:
        archive.check()
    except BaseException:
        archive.close()
        raise
    return archive


def _client(protocol: Protocol) -> type[Archive]:
    module, name = protocol.client.split(":")
    return cast("type[Archive]", getattr(import_module(module), name))


def _ways() -> str:
    *others, last = Protocol
    return f"set the archive's `protocol` to {', '.join(others)} or {last}, and its address to what that reads"
