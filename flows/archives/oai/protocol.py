"""The answers of OAI-PMH 2.0 as XML: identity, pages of a list, errors.

Called by `oaipmh.py`; asks no server and knows no Dublin Core.
"""

from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.oai.dublin_core import OAI, read_datestamp
from flows.archives.values.formats import looks_like_html

GRANULARITIES = {"YYYY-MM-DD": "%Y-%m-%d", "YYYY-MM-DDThh:mm:ssZ": "%Y-%m-%dT%H:%M:%SZ"}

_ADVICE = {
    "badArgument": "it does not accept our dates or parameters",
    "badVerb": "it does not offer this request",
    "cannotDisseminateFormat": "it does not offer oai_dc, as every OAI-PMH archive must",
    "idDoesNotExist": "it does not know the identifier",
    "noMetadataFormats": "it offers no metadata",
    "noSetHierarchy": "it has no sets",
}


class TokenExpired(MalformedAnswer):
    """The archive no longer knows its resumption token; the list has to start again."""


@dataclass(frozen=True)
class Identity:
    """What an archive says of itself."""

    response_date: datetime
    """Its own clock."""
    granularity: str
    """The strftime form of the dates that it accepts."""
    deleted_record: str
    """`no`, `transient` or `persistent`: whether it tells of records that it deleted."""


@dataclass(frozen=True)
class Page:
    """One answer to ListRecords."""

    records: tuple[Element, ...] = ()
    token: str = ""
    """Empty at the end of the list."""
    complete_size: int | None = None


def read_identity(data: bytes, address: str) -> Identity:
    """Reads the answer to Identify.

    Raises:
        NotAnArchive, MalformedAnswer: as `read_root`, or the answer says no time or granularity.
    """
    root = read_root(data, address)
    said = root.find(f"{OAI}Identify")
    if said is None:
        raise MalformedAnswer(f"{address} does not answer Identify; tell the archive")
    granularity = _text(said, "granularity")
    if granularity not in GRANULARITIES:
        raise MalformedAnswer(f"{address} states the granularity {granularity!r}, which OAI-PMH does not know")
    try:
        response_date = read_datestamp(_text(root, "responseDate"))
    except BadRecord as error:
        raise MalformedAnswer(f"{address} states no responseDate: {error}") from None
    return Identity(
        response_date,
        GRANULARITIES[granularity],
        _text(said, "deletedRecord"),
    )


def read_page(data: bytes, address: str) -> Page:
    """Reads one answer to ListRecords; no record in the window is an empty page.

    Raises:
        TokenExpired: the resumption token is no longer known.
        NotAnArchive, MalformedAnswer: as `read_root`.
    """
    root = read_root(data, address)
    codes = {error.get("code", "") for error in root.iterfind(f"{OAI}error")}
    if codes == {"noRecordsMatch"}:
        return Page()
    found = root.find(f"{OAI}ListRecords")
    if found is None:
        raise MalformedAnswer(f"{address} does not answer ListRecords; tell the archive")
    token = found.find(f"{OAI}resumptionToken")
    if token is None:
        return Page(tuple(found.iterfind(f"{OAI}record")))
    size = token.get("completeListSize", "")
    return Page(
        tuple(found.iterfind(f"{OAI}record")),
        (token.text or "").strip(),
        int(size[:18]) if size.isascii() and size.isdigit() else None,
    )


def read_root(data: bytes, address: str) -> Element:
    """Parses an answer, which must be OAI-PMH and free of errors other than noRecordsMatch.

    Raises:
        NotAnArchive: a page for people, or XML of another kind.
        MalformedAnswer: broken XML, a DOCTYPE, or an error of the protocol.
    """
    try:
        root: Element = fromstring(data.lstrip(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        # ValueError and LookupError: an encoding that the declaration names and Python cannot read.
        if looks_like_html(data):
            raise _page_for_people(address) from None
        raise MalformedAnswer(f"{address} answers broken XML ({error}); tell the archive") from None
    if root.tag.rpartition("}")[2].lower() == "html":
        raise _page_for_people(address)
    if root.tag != f"{OAI}OAI-PMH":
        raise NotAnArchive(f"{address} answers XML, but not OAI-PMH; give the base URL of its OAI-PMH interface")
    for error_element in root.iterfind(f"{OAI}error"):
        _raise(error_element.get("code", ""), " ".join((error_element.text or "").split()), address)
    return root


def _raise(code: str, words: str, address: str) -> None:
    said = f"{code}: {words[:200]}" if words else code
    if code == "noRecordsMatch":
        return
    if code == "badResumptionToken":
        raise TokenExpired(f"{address} forgot its own resumption token ({said}); harvest it again later")
    advice = _ADVICE.get(code, "OAI-PMH knows no such error")
    kind = NotAnArchive if code == "cannotDisseminateFormat" else MalformedAnswer
    raise kind(f"{address} answers with the error {said}: {advice}; tell the archive")


def _page_for_people(address: str) -> NotAnArchive:
    return NotAnArchive(
        f"{address} answers an HTML page, not OAI-PMH; give the base URL of its OAI-PMH interface"
        " (often ending in /oai), or try again later if it says that it is busy"
    )


def _text(parent: Element, name: str) -> str:
    return (parent.findtext(f"{OAI}{name}") or "").strip()
