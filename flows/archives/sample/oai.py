"""The OAI-PMH 2.0 side of the sample archive: a request's arguments in, an XML answer out.

`sample` calls `answer` with a view of the holdings; sockets and pictures are its business.
The protocol: https://www.openarchives.org/OAI/openarchivesprotocol.html
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

from flows.archives.sample.drawing.collection import FIRST_DAY, HOLDER, Holding

# Prefixes are written out, not registered: ElementTree's registry is shared with the clients of this package.
NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
SCHEMA = f"{NAMESPACE} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
OAI_DC_SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
DC = "http://purl.org/dc/elements/1.1/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
PREFIX = "oai:sample.nishiki:"
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


@dataclass(frozen=True)
class Shelf:
    """What an answer is made from, as it stands at the moment of asking."""

    holdings: Sequence[Holding]
    """By datestamp, then key."""
    root: str
    """http://host:port without a slash at the end."""
    page: int
    """Records in one answer of a list, at most."""


class Refusal(Exception):
    """An error of the protocol, answered with its code; what the asker sent is shown in ASCII, safe in XML."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Verb:
    """What a verb does, and which arguments it must and may have."""

    write: Callable[[Element, dict[str, str], Shelf], None]
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


def answer(pairs: Sequence[tuple[str, str]], shelf: Shelf) -> bytes:
    """The whole answer to one request; protocol errors are answers too."""
    root = Element("OAI-PMH", {"xmlns": NAMESPACE, "xmlns:xsi": XSI, "xsi:schemaLocation": SCHEMA})
    SubElement(root, "responseDate").text = _stamp(datetime.now(UTC))
    request = SubElement(root, "request")
    request.text = f"{shelf.root}/oai"
    try:
        arguments = dict(pairs)
        verb = _verb(pairs, arguments)
        body = Element(arguments["verb"])
        verb.write(body, arguments, shelf)
        request.attrib.update(arguments)
        root.append(body)
    except Refusal as refusal:
        SubElement(root, "error", code=refusal.code).text = str(refusal)
    declared: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return declared


def _verb(pairs: Sequence[tuple[str, str]], arguments: dict[str, str]) -> Verb:
    """Check the arguments' names; `resumptionToken` excludes all others."""
    verb = VERBS.get(arguments.get("verb", ""))
    if verb is None or [name for name, _ in pairs].count("verb") > 1:
        raise Refusal("badVerb", "The verb is missing, repeated or unknown.")
    given = set(arguments) - {"verb"}
    if len(pairs) != len(arguments):
        raise Refusal("badArgument", "An argument is given twice.")
    if "resumptionToken" in given & verb.optional:
        allowed, needed = frozenset({"resumptionToken"}), frozenset[str]()
    else:
        allowed, needed = verb.required | verb.optional, verb.required
    if given - allowed or needed - given:
        wrong = ", ".join(ascii(name) for name in sorted((given - allowed) | (needed - given)))
        raise Refusal("badArgument", f"Not as {arguments['verb']} wants it: {wrong}.")
    return verb


def _identify(body: Element, _arguments: dict[str, str], shelf: Shelf) -> None:
    for name, text in (
        ("repositoryName", HOLDER),
        ("baseURL", f"{shelf.root}/oai"),
        ("protocolVersion", "2.0"),
        ("adminEmail", "sample@example.invalid"),
        ("earliestDatestamp", _stamp(FIRST_DAY)),
        ("deletedRecord", "persistent"),
        ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
    ):
        SubElement(body, name).text = text


def _list_formats(body: Element, arguments: dict[str, str], shelf: Shelf) -> None:
    if "identifier" in arguments:
        _find(arguments["identifier"], shelf)
    written = SubElement(body, "metadataFormat")
    for name, text in (
        ("metadataPrefix", "oai_dc"),
        ("schema", OAI_DC_SCHEMA),
        ("metadataNamespace", OAI_DC),
    ):
        SubElement(written, name).text = text


def _list_sets(_body: Element, _arguments: dict[str, str], _shelf: Shelf) -> None:
    raise Refusal("noSetHierarchy", "The sample archive has no sets.")


def _get_record(body: Element, arguments: dict[str, str], shelf: Shelf) -> None:
    holding = _find(arguments["identifier"], shelf)
    _check_format(arguments["metadataPrefix"])
    _write_record(body, holding, shelf)


def _list_records(body: Element, arguments: dict[str, str], shelf: Shelf) -> None:
    for holding in _page(body, arguments, shelf):
        _write_record(body, holding, shelf)
    _move_token_last(body)


def _list_identifiers(body: Element, arguments: dict[str, str], shelf: Shelf) -> None:
    for holding in _page(body, arguments, shelf):
        _write_header(body, holding)
    _move_token_last(body)


def _find(identifier: str, shelf: Shelf) -> Holding:
    for holding in shelf.holdings:
        if PREFIX + holding.key == identifier:
            return holding
    raise Refusal("idDoesNotExist", f"There is no record {identifier!a} here.")


def _check_format(prefix: str) -> None:
    if prefix != "oai_dc":
        raise Refusal("cannotDisseminateFormat", f"Only oai_dc is given out, not {prefix!a}.")


@dataclass(frozen=True)
class _Selection:
    """A list being read: its bounds, and the last record that was given out."""

    start: str
    until: str
    cursor: int = 0
    after: tuple[str, str] = ("", "")

    def token(self) -> str:
        """Everything that the next page needs, so that no state is kept between requests."""
        text = "|".join((self.start, self.until, str(self.cursor), *self.after))
        return base64.urlsafe_b64encode(text.encode()).decode()


def _page(body: Element, arguments: dict[str, str], shelf: Shelf) -> list[Holding]:
    """The holdings of one page; writes the resumption token where a list has several pages."""
    token = arguments.get("resumptionToken")
    selection = _begun(arguments) if token is None else _resumed(token)
    # The place is a datestamp and a key, not a count: a record that changes in between moves to the end, and
    # a count would then skip its neighbour.
    chosen = [holding for holding in shelf.holdings if _within(holding, selection)]
    rest = [holding for holding in chosen if (_stamp(holding.datestamp), holding.key) > selection.after]
    if not rest and token is None:
        raise Refusal("noRecordsMatch", "No record lies between these dates.")
    if not rest:
        raise Refusal("badResumptionToken", "This token leads nowhere; begin the list again.")
    page = rest[: shelf.page]
    if len(chosen) > shelf.page:
        more = SubElement(body, "resumptionToken", completeListSize=str(len(chosen)), cursor=str(selection.cursor))
        if len(rest) > len(page):
            last = (_stamp(page[-1].datestamp), page[-1].key)
            more.text = _Selection(selection.start, selection.until, selection.cursor + len(page), last).token()
    return page


def _move_token_last(body: Element) -> None:
    token = body.find("resumptionToken")
    if token is not None:
        body.remove(token)
        body.append(token)


def _begun(arguments: dict[str, str]) -> _Selection:
    """A first request's selection, with its bounds as full datestamps or empty."""
    if "set" in arguments:
        raise Refusal("noSetHierarchy", "The sample archive has no sets.")
    start, until = arguments.get("from"), arguments.get("until")
    _check_format(arguments["metadataPrefix"])
    if start is not None and until is not None and len(start) != len(until):
        raise Refusal("badArgument", "from and until are of different granularity.")
    first = "" if start is None else _moment(start, last=False)
    last = "" if until is None else _moment(until, last=True)
    if first and last and first > last:
        raise Refusal("badArgument", "from lies after until.")
    return _Selection(first, last)


def _moment(text: str, *, last: bool) -> str:
    """A bound as a full datestamp; a bare day counts from its first second, or to its last."""
    form = "%Y-%m-%d" if len(text) == 10 else "%Y-%m-%dT%H:%M:%SZ"
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        raise Refusal("badArgument", f"{text!a} is no date of YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ.") from None
    if last and len(text) == 10:
        moment = datetime.combine(moment, time(), UTC) + timedelta(days=1, seconds=-1)
    return _stamp(moment)


def _resumed(token: str) -> _Selection:
    try:
        parts = base64.urlsafe_b64decode(token.encode("ascii")).decode().split("|")
        start, until, cursor, stamp, key = parts
        return _Selection(start, until, int(cursor), (stamp, key))
    except (ValueError, binascii.Error):
        raise Refusal("badResumptionToken", "This token was not given out here.") from None


def _within(holding: Holding, selection: _Selection) -> bool:
    stamp = _stamp(holding.datestamp)
    return stamp >= selection.start and (not selection.until or stamp <= selection.until)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _write_header(parent: Element, holding: Holding) -> None:
    header = SubElement(parent, "header", {"status": "deleted"} if holding.deleted else {})
    SubElement(header, "identifier").text = PREFIX + holding.key
    SubElement(header, "datestamp").text = _stamp(holding.datestamp)


def _write_record(parent: Element, holding: Holding, shelf: Shelf) -> None:
    record = SubElement(parent, "record")
    _write_header(record, holding)
    if holding.deleted:
        return
    described = SubElement(
        SubElement(record, "metadata"),
        "oai_dc:dc",
        {"xmlns:oai_dc": OAI_DC, "xmlns:dc": DC, "xsi:schemaLocation": f"{OAI_DC} {OAI_DC_SCHEMA}"},
    )
    for name, text in describe(holding, shelf.root):
        SubElement(described, f"dc:{name}").text = text


def describe(holding: Holding, root: str) -> list[tuple[str, str]]:
    """The record in Dublin Core, element by element."""
    actor, role = holding.design.actor, holding.design.role
    cast = f"{role.kanji} {role.name}/{actor.kanji} {actor.name} (sample)"
    elements = [
        ("title", holding.title),
        ("creator", f"{holding.design.painter} (sample)"),
        ("contributor", cast if holding.design.subject == "actor" else ""),
        ("date", holding.date),
        ("type", holding.genre),
        ("publisher", HOLDER),
        ("description", "Drawn by a program; every name on it is invented or a stock role. Sample data."),
        ("format", MEDIA_TYPES[holding.suffix]),
        ("identifier", f"{root}/records/{holding.key}"),
        ("identifier", f"{root}/pictures/{holding.key}.{holding.suffix}"),
        ("rights", holding.licence),
    ]
    return [(name, text) for name, text in elements if text]


_LIST = frozenset({"from", "until", "set", "resumptionToken"})
VERBS: dict[str, Verb] = {
    "Identify": Verb(_identify),
    "ListMetadataFormats": Verb(_list_formats, optional=frozenset({"identifier"})),
    "ListSets": Verb(_list_sets, optional=frozenset({"resumptionToken"})),
    "GetRecord": Verb(_get_record, frozenset({"identifier", "metadataPrefix"})),
    "ListIdentifiers": Verb(_list_identifiers, frozenset({"metadataPrefix"}), _LIST),
    "ListRecords": Verb(_list_records, frozenset({"metadataPrefix"}), _LIST),
}
