"""The answers of OAI-PMH 2.0 as XML: identity, pages of a list, errors.

Called by `archive.py`; asks no server and knows no Dublin Core. What can be read of a broken answer is read.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.oai.encoding import Encoded, encoded
from flows.archives.oai.namespaces import OAI, correct_namespaces
from flows.archives.oai.salvage import Torn, error_code, is_hostile, salvage, texts
from flows.archives.values.formats import looks_like_html
from flows.archives.values.moments import read_moment

DAYS = "%Y-%m-%d"
GRANULARITIES = {"YYYY-MM-DD": DAYS, "YYYY-MM-DDThh:mm:ssZ": "%Y-%m-%dT%H:%M:%SZ"}
_DECLARATION = re.compile(r"^<\?xml\b[^>]*\?>")

_ADVICE = {
    "badArgument": "it does not accept our dates or parameters",
    "badVerb": "it does not offer this request",
    "cannotDisseminateFormat": "it does not offer this form of description; set metadata_prefixes to one that it lists",
    "idDoesNotExist": "it does not know the identifier",
    "noMetadataFormats": "it offers no metadata",
    "noSetHierarchy": "it has no sets; leave out the archive's `sets`",
}


class TokenExpired(MalformedAnswer):
    """The archive no longer knows its resumption token; the list has to start again."""


class BadDates(MalformedAnswer):
    """The archive does not accept what it was asked, dates as a rule."""


class BrokenXml(MalformedAnswer):
    """An answer that cannot be parsed as a whole, and does no harm."""


@dataclass(frozen=True)
class Identity:
    """What an archive says of itself."""

    response_date: datetime
    """Its own clock."""
    granularity: str
    """The strftime form of the dates that it is asked with."""
    deleted_record: str
    """`no`, `transient` or `persistent`: whether it tells of records that it deleted."""
    remarks: tuple[str, ...] = ()
    """What of it is not as it should be."""


@dataclass(frozen=True)
class Page:
    """One answer to ListRecords."""

    records: tuple[Element | Torn, ...] = ()
    token: str = ""
    """Empty at the end of the list."""
    complete_size: int | None = None
    broken_off: bool = False
    """The answer ends before its own end."""
    remarks: tuple[str, ...] = ()
    """What of it is not as it should be."""


def read_identity(data: bytes, address: str, clock: datetime | None = None) -> Identity:
    """Reads the answer to Identify.

    Args:
        data: the answer.
        address: for messages.
        clock: what stands in for the time that the answer says, where it says none.

    Raises:
        NotAnArchive, MalformedAnswer: as `read_root`, or it is no answer to Identify, or there is no time at all.
    """
    names = ("responseDate", "granularity", "deletedRecord")
    try:
        root = read_root(data, address)
        found = root.find(f"{OAI}Identify")
        said = {} if found is None else {name: _text(found, name) or _text(root, name) for name in names}
    except BrokenXml:
        answer = encoded(data)
        said = texts(answer, *names) if b"Identify>" in answer.data else {}
    if not said:
        raise MalformedAnswer(f"{address} does not answer Identify; tell the archive")
    remarks = []
    granularity = GRANULARITIES.get(said["granularity"])
    if granularity is None:
        told = repr(said["granularity"]) if said["granularity"] else "none"
        remarks.append(f"it states the granularity {told}, which OAI-PMH does not know; it is asked by days")
    try:
        response_date = read_moment(said["responseDate"], "datestamp")
    except BadRecord as error:
        if clock is None:
            raise MalformedAnswer(f"{address} states no responseDate: {error}") from None
        response_date = clock
        remarks.append("it states no responseDate; the time of its HTTP answer, or ours, is taken for it")
    return Identity(response_date, granularity or DAYS, said["deletedRecord"], tuple(remarks))


def read_page(data: bytes, address: str) -> Page:
    """Reads one answer to ListRecords; no record in the window is an empty page.

    Of an answer whose XML is broken the sound records are read, and the others told with their bytes.

    Raises:
        TokenExpired: the resumption token is no longer known.
        NotAnArchive, MalformedAnswer: as `read_root`.
    """
    answer = encoded(data)
    remarks = (f"its answers are not written as they say: {answer.remark}",) if answer.remark else ()
    try:
        root, slip = _parsed(answer, address)
    except BrokenXml:
        return replace(_salvaged_page(answer, address), remarks=remarks)
    if slip:
        remarks = (
            *remarks,
            f"its answers write a namespace otherwise than they should ({slip}); they are read all the same",
        )
    codes = {error.get("code", "") for error in root.iterfind(f"{OAI}error")}
    if codes == {"noRecordsMatch"}:
        return Page()
    found = root.find(f"{OAI}ListRecords")
    if found is None:
        raise MalformedAnswer(f"{address} does not answer ListRecords; tell the archive")
    token = found.find(f"{OAI}resumptionToken")
    said = "" if token is None else token.get("completeListSize", "").strip()
    return Page(
        tuple(found.iterfind(f"{OAI}record")),
        "" if token is None else (token.text or "").strip(),
        int(said[:18]) if said.isascii() and said.isdigit() else None,
        remarks=remarks,
    )


def read_prefixes(data: bytes, address: str) -> tuple[str, ...]:
    """Reads the answer to ListMetadataFormats: the prefixes that are offered.

    Raises:
        NotAnArchive, MalformedAnswer: as `read_root`.
    """
    offered = read_root(data, address).iterfind(f"{OAI}ListMetadataFormats/{OAI}metadataFormat")
    return tuple(filter(None, (_text(each, "metadataPrefix") for each in offered)))


def _salvaged_page(answer: Encoded, address: str) -> Page:
    found = salvage(answer)
    if found is None and (code := error_code(answer)):
        _raise(code, "", address)
        return Page()
    if found is None:
        raise BrokenXml(f"{address} answers broken XML, and no record can be read; tell the archive")
    for record in found.records:
        if isinstance(record, Element):
            correct_namespaces(record)
    return Page(found.records, found.token, found.complete_size, found.broken_off)


def read_root(data: bytes, address: str) -> Element:
    """Parses an answer, which must be OAI-PMH and free of errors other than noRecordsMatch.

    Raises:
        NotAnArchive: a page for people, or XML of another kind.
        BrokenXml: it cannot be parsed; its parts may be.
        MalformedAnswer: a DOCTYPE, or an error of the protocol.
    """
    return _parsed(encoded(data), address)[0]


def _parsed(answer: Encoded, address: str) -> tuple[Element, str]:
    """The root, and a namespace that was not written as it should be."""
    try:
        text = answer.data.decode(answer.codec)
        root: Element = fromstring(_DECLARATION.sub("", text, count=1), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        if looks_like_html(answer.data):
            raise _page_for_people(address) from None
        kind = MalformedAnswer if isinstance(error, DefusedXmlException) or is_hostile(answer) else BrokenXml
        raise kind(f"{address} answers broken XML ({error}); tell the archive") from None
    if root.tag.rpartition("}")[2].lower() == "html":
        raise _page_for_people(address)
    slip = correct_namespaces(root)
    if root.tag != f"{OAI}OAI-PMH":
        raise NotAnArchive(f"{address} answers XML, but not OAI-PMH; give the base URL of its OAI-PMH interface")
    for error_element in root.iterfind(f"{OAI}error"):
        _raise(error_element.get("code", ""), " ".join((error_element.text or "").split()), address)
    return root, slip


def _raise(code: str, words: str, address: str) -> None:
    said = f"{code}: {words[:200]}" if words else code
    if code == "noRecordsMatch":
        return
    if code == "badResumptionToken":
        raise TokenExpired(f"{address} forgot its own resumption token ({said}); harvest it again later")
    advice = _ADVICE.get(code, "OAI-PMH knows no such error")
    kinds = {"cannotDisseminateFormat": NotAnArchive, "badArgument": BadDates}
    raise kinds.get(code, MalformedAnswer)(f"{address} answers with the error {said}: {advice}; tell the archive")


def _page_for_people(address: str) -> NotAnArchive:
    return NotAnArchive(
        f"{address} answers an HTML page, not OAI-PMH; give the base URL of its OAI-PMH interface"
        " (often ending in /oai), or try again later if it says that it is busy"
    )


def _text(parent: Element, name: str) -> str:
    return (parent.findtext(f"{OAI}{name}") or "").strip()
