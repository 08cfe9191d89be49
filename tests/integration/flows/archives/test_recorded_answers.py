"""Every recorded answer that lies beside the project, served on loopback and read by whichever client takes it."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from flows.archives.errors import ArchiveError
from flows.archives.record import Access, Record, Remark, Unreadable, Window
from flows.archives.registry import Protocol, open_archive
from flows.archives.web.politeness import Manners
from tests.integration.flows.archives.web_server import Reply, serve
from tests.shared import SHARED

FIXTURES = SHARED / "fixtures"
pytestmark = pytest.mark.skipif(not FIXTURES.is_dir(), reason="needs ../shared/fixtures")
WHOLE = Window(None, datetime(2030, 1, 1, tzinfo=UTC))
OAI = "oai-pmh/sickle__tests__sample_data__"
LAST_PAGE = f"{OAI}noRecordsMatch.xml"


def site(path: str) -> Reply | None:
    """A file by its path. One of OAI-PMH answers ListRecords, and others of its folder what is asked besides."""
    parts = urlsplit(path)
    name = unquote(parts.path.removeprefix("/"))
    if name.startswith(OAI):
        asked = parts.query.partition("verb=")[2].partition("&")[0]
        name = f"{OAI}{asked}.xml" if asked != "ListRecords" else LAST_PAGE if "resumptionToken" in path else name
    file = FIXTURES / name
    return Reply(file.read_bytes(), "application/octet-stream") if file.is_file() else None


def outcome(file: Path, root: str) -> str:
    """What becomes of a file: the protocol, and records with pictures, without, what cannot be read; or a refusal."""
    access = Access("museum", f"{root}/{file.relative_to(FIXTURES).as_posix()}", Manners("c", pace_s=0))
    found: Counter[str] = Counter()
    try:
        archive = open_archive(Protocol.AUTO, access)
    except ArchiveError as error:
        return type(error).__name__
    try:
        found.update(map(told, archive.records(WHOLE)))
    except ArchiveError as error:
        found[type(error).__name__] += 1
    finally:
        archive.close()
    found.pop("remark", None)
    return f"{archive.kind}: {', '.join(sorted(found)) or 'nothing'}"


def told(found: Record | Unreadable | Remark) -> str:
    if isinstance(found, Record):
        return "deleted" if found.deleted else "records" if found.pictures else "records without a picture"
    return type(found).__name__.lower()


EXPECTED = {
    "iiif: records": 80,
    "iiif: records without a picture": 31,  # sound and film, and manifests that are broken on purpose
    "iiif: unreadable": 3,  # collections whose entries are templates, without an address
    "NotAnArchive": 36,  # annotations, contexts, profiles, two pictures, licences, drafts
    "oai-pmh: deleted, records, unreadable": 3,
    "oai-pmh: records, unreadable": 1,
    "oai-pmh: nothing": 1,  # noRecordsMatch, which is no error
    "oai-pmh: MalformedAnswer": 10,  # what answers another verb, and codes of errors
    "oai-pmh: BrokenXml": 1,
    "oai-pmh: BadDates": 1,
    "oai-pmh: TokenExpired": 1,
    "oai-pmh: NotAnArchive": 1,  # cannotDisseminateFormat
}


@pytest.mark.long
def test_every_recorded_answer_is_read_or_refused_and_none_crashes() -> None:
    files = sorted(file for file in FIXTURES.rglob("*") if file.is_file())
    with serve(site) as server:
        found = {file.relative_to(FIXTURES).as_posix(): outcome(file, server.root) for file in files}
    assert Counter(found.values()) == EXPECTED, "\n".join(f"{name}: {what}" for name, what in found.items())
