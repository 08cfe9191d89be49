"""The provider's side of OAI-PMH 2.0: a request's arguments in, an XML answer out. The review page serves it as /oai.

Told are approved entries that rights allow to leave, by the same words and the same ids as in a package; and for good,
which of them are gone. A list goes by datestamp, and its token says behind which entry it goes on: nothing is kept of
it here, and what is approved meanwhile comes at its end.
https://www.openarchives.org/OAI/openarchivesprotocol.html
"""

import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from typing import Final, Self
from xml.etree.ElementTree import Element, SubElement, tostring

from db.catalogue import Catalogue
from db.entries.review import Approved, Provided, QueueFilter, Span
from db.errors import PictureMissing
from db.exports import dublin_core as dc
from db.exports import lido
from db.exports.entry_files import FULL_SIZE, folder_of
from db.exports.leaving import MANIFEST, Described, plain

log = logging.getLogger(__name__)
NAMESPACE: Final = "http://www.openarchives.org/OAI/2.0/"
PAGE: Final = 100
"""Records of one answer."""
REPOSITORY: Final = "Machine-colorized prints, approved by curators"
_SCHEMA: Final = f"{NAMESPACE} {NAMESPACE}OAI-PMH.xsd"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SECOND: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)
_SET: Final = re.compile(r"archive-([1-9]\d{0,8})", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,10}", re.ASCII)
_MOST_NUMBER: Final = 2**31 - 1
"""Of an attempt."""
_TOKEN: Final = re.compile(
    r"(\w{1,20})\.(\d{0,9})\.(\d{0,10})\.(\d{0,10})\.(\d{1,10})\.(\d{1,10})\.(\d{1,9})", re.ASCII
)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_END: Final = datetime(2286, 1, 1, tzinfo=UTC)
"""Ten digits of seconds."""


@dataclass(frozen=True)
class Form:
    """A form of description."""

    namespace: str
    schema: str
    write: Callable[[Described], Element]


FORMS: Final = {
    "oai_dc": Form(dc.OAI_DC, dc.SCHEMA, dc.dublin_core),
    "lido": Form(lido.NAMESPACE, lido.SCHEMA, lido.lido),
}
"""By metadataPrefix."""


class Refusal(Exception):
    """An error of the protocol, answered with its code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Provider:
    """What answers are made from."""

    catalogue: Catalogue
    address: str
    """Where the package's data are served, ending with `/`: every identifier begins with it."""
    email: str
    base_url: str
    """By which harvesters reach the provider."""

    def identifier(self, attempt_id: int) -> str:
        """The manifest's id, which IIIF Change Discovery tells too."""
        return f"{self.address}{folder_of(attempt_id)}/{MANIFEST}"

    def number(self, identifier: str) -> int:
        """The entry that an identifier names.

        Raises:
            Refusal: it is none of ours.
        """
        said = identifier.removesuffix(f"/{MANIFEST}").rpartition("/")[2]
        number = int(said) if _NUMBER.fullmatch(said) else 0
        if 0 < number <= _MOST_NUMBER and identifier == self.identifier(number):
            return number
        raise Refusal("idDoesNotExist", "There is no record of this identifier.")

    def headers(self, provided: Sequence[Provided]) -> list[Provided]:
        """With what may not leave at this moment, whatever was told before."""
        allowed = self.catalogue.still_approved([each.attempt_id for each in provided if not each.gone], QueueFilter())
        return [replace(each, gone=each.attempt_id not in allowed) for each in provided]

    def records(self, provided: Sequence[Provided]) -> "list[Record]":
        """The same, and what is said of each that is not gone."""
        live = [each.attempt_id for each in provided if not each.gone]
        entries = {entry.attempt.id: self._described(entry) for entry in self.catalogue.approved_among(live)}
        return [
            Record(replace(each, gone=each.attempt_id not in entries), entries.get(each.attempt_id))
            for each in provided
        ]

    def _described(self, entry: Approved) -> Described:
        try:
            file = FULL_SIZE + self.catalogue.pictures.suffix(entry.attempt.output_sha256 or "")
        except PictureMissing as error:
            log.warning("entry %d is provided without its picture: %s", entry.attempt.id, error)
            file = ""
        return Described(entry, f"{self.address}{folder_of(entry.attempt.id)}/", file)


@dataclass(frozen=True)
class Record:
    """An entry as it is told."""

    header: Provided
    described: Described | None
    """None: it is gone."""


@dataclass(frozen=True)
class Listing:
    """A list, and how far it has come; its token says all of it."""

    prefix: str
    span: Span
    after: tuple[datetime, int] | None = None
    cursor: int = 0
    """Entries told before."""

    @classmethod
    def of(cls, token: str) -> Self:
        """The list that goes on.

        Raises:
            Refusal: no answer of ours held such a token.
        """
        found = _TOKEN.fullmatch(token)
        if found is None or found[1] not in FORMS or int(found[6]) > _MOST_NUMBER:
            raise Refusal("badResumptionToken", "This is no resumptionToken of this list; begin the list anew.")
        archive_id = int(found[2]) if found[2] else None
        since, until, last = (datetime.fromtimestamp(int(each), UTC) if each else None for each in found.group(3, 4, 5))
        assert last is not None
        return cls(found[1], Span(since, until, archive_id), (last, int(found[6])), int(found[7]))

    def token(self) -> str:
        """By which it goes on."""
        assert self.after is not None
        known = (self.span.since, self.span.until, self.after[0])
        since, until, last = (str(int(each.timestamp())) if each else "" for each in known)
        archive = self.span.archive_id or ""
        return f"{self.prefix}.{archive}.{since}.{until}.{last}.{self.after[1]}.{self.cursor}"


Arguments = dict[str, str]
Write = Callable[[Element, Arguments, Provider], None]


@dataclass(frozen=True)
class Verb:
    """What a verb does, and which arguments it must and may have."""

    write: Write
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()
    exclusive: str = ""
    """The argument that stands alone."""

    def check(self, given: Arguments) -> None:
        """Refuse other arguments than it takes.

        Raises:
            Refusal: `badArgument`.
        """
        alone = self.exclusive in given
        allowed = {self.exclusive} if alone else self.required | self.optional
        missing = set() if alone else self.required - set(given)
        if wrong := (set(given) - allowed) | missing:
            raise Refusal("badArgument", f"Missing, or not for this verb: {', '.join(map(ascii, sorted(wrong)))}.")


def answer(pairs: Sequence[tuple[str, str]], provider: Provider) -> bytes:
    """The whole answer to one request; errors of the protocol are answers too."""
    root = Element("OAI-PMH", {"xmlns": NAMESPACE, f"{{{dc.XSI}}}schemaLocation": _SCHEMA})
    SubElement(root, "responseDate").text = _stamp(datetime.now(UTC))
    request = SubElement(root, "request")
    request.text = provider.base_url
    try:
        name, verb, given = _asked(pairs)
        request.attrib.update(verb=name, **given)
        body = Element(name)
        verb.write(body, given, provider)
        root.append(body)
    except Refusal as refusal:
        if refusal.code in ("badVerb", "badArgument"):
            request.attrib.clear()
        SubElement(root, "error", code=refusal.code).text = str(refusal)
    declared: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return declared


def _asked(pairs: Sequence[tuple[str, str]]) -> tuple[str, Verb, Arguments]:
    verbs = [value for name, value in pairs if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        raise Refusal("badVerb", f"Give one verb: {', '.join(VERBS)}.")
    given = {name: value for name, value in pairs if name != "verb"}
    if len(given) + 1 != len(pairs):
        raise Refusal("badArgument", "An argument is given twice.")
    VERBS[verbs[0]].check(given)
    for name, value in given.items():
        if not value or plain(value) != value:
            raise Refusal("badArgument", f"{name} is empty, or has letters that it cannot have.")
    return verbs[0], VERBS[verbs[0]], given


def _identify(body: Element, _given: Arguments, provider: Provider) -> None:
    said = (
        ("repositoryName", REPOSITORY),
        ("baseURL", provider.base_url),
        ("protocolVersion", "2.0"),
        ("adminEmail", provider.email),
        ("earliestDatestamp", _stamp(provider.catalogue.provided_since() or _EPOCH)),
        ("deletedRecord", "persistent"),
        ("granularity", "YYYY-MM-DDThh:mm:ssZ"),
    )
    _tell(body, said)


def _list_formats(body: Element, given: Arguments, provider: Provider) -> None:
    if "identifier" in given:
        _provided(given["identifier"], provider)
    for prefix, form in FORMS.items():
        said = (("metadataPrefix", prefix), ("schema", form.schema), ("metadataNamespace", form.namespace))
        _tell(SubElement(body, "metadataFormat"), said)


def _list_sets(body: Element, given: Arguments, provider: Provider) -> None:
    if "resumptionToken" in given:
        raise Refusal("badResumptionToken", "The list of sets comes whole.")
    archives = provider.catalogue.provided_archives()
    if not archives:
        raise Refusal("noSetHierarchy", "There are no sets yet.")
    for number, name in archives.items():
        _tell(SubElement(body, "set"), (("setSpec", _set(number)), ("setName", plain(name))))


def _get_record(body: Element, given: Arguments, provider: Provider) -> None:
    form = _form(given["metadataPrefix"])
    _write_record(body, provider.records([_provided(given["identifier"], provider)])[0], provider, form)


def _list_identifiers(body: Element, given: Arguments, provider: Provider) -> None:
    listing = _listing(given)
    for header in provider.headers(_page(body, listing, provider)):
        _write_header(body, header, provider)
    _token_last(body)


def _list_records(body: Element, given: Arguments, provider: Provider) -> None:
    listing = _listing(given)
    for record in provider.records(_page(body, listing, provider)):
        _write_record(body, record, provider, FORMS[listing.prefix])
    _token_last(body)


def _provided(identifier: str, provider: Provider) -> Provided:
    provided = provider.catalogue.provided_entry(provider.number(identifier))
    if provided is None:
        raise Refusal("idDoesNotExist", "There is no record of this identifier.")
    return provided


def _form(prefix: str) -> Form:
    if prefix not in FORMS:
        raise Refusal("cannotDisseminateFormat", f"Records are given as {' or '.join(FORMS)}.")
    return FORMS[prefix]


def _listing(given: Arguments) -> Listing:
    if "resumptionToken" in given:
        return Listing.of(given["resumptionToken"])
    _form(given["metadataPrefix"])
    since, until = _moment(given, "from", time.min), _moment(given, "until", time(23, 59, 59))
    if "from" in given and "until" in given and len(given["from"]) != len(given["until"]):
        raise Refusal("badArgument", "from and until are of different granularities.")
    if since and until and since > until:
        raise Refusal("badArgument", "from is later than until.")
    return Listing(given["metadataPrefix"], Span(since, until, _archive(given.get("set"))))


def _moment(given: Arguments, name: str, hour: time) -> datetime | None:
    """An argument as a moment; of a day its first or last second."""
    text = given.get(name)
    if text is None:
        return None
    form = next((form for form in (_DAY, _SECOND) if form.fullmatch(text)), None)
    try:
        moment = datetime.fromisoformat(text if form else "")
    except ValueError:
        raise Refusal("badArgument", f"{name} is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ.") from None
    if form is _DAY:
        moment = datetime.combine(moment, hour, UTC)
    return min(max(moment, _EPOCH), _END)


def _archive(spec: str | None) -> int | None:
    if spec is None:
        return None
    found = _SET.fullmatch(spec)
    if found is None:
        raise Refusal("noRecordsMatch", "There is no such set; ListSets tells which there are.")
    return int(found[1])


def _page(body: Element, listing: Listing, provider: Provider) -> list[Provided]:
    """The next entries; the token goes into the body where there is one to tell."""
    catalogue = provider.catalogue
    found = catalogue.provided(listing.span, listing.after, PAGE + 1)
    page = found[:PAGE]
    if not page:
        raise Refusal("noRecordsMatch", "No record matches.")
    if len(found) > PAGE or listing.after:
        last = page[-1]
        behind = Listing(listing.prefix, listing.span, (last.datestamp, last.attempt_id), listing.cursor + len(page))
        size = behind.cursor + catalogue.provided_count(behind.span, behind.after)
        token = SubElement(body, "resumptionToken", cursor=str(listing.cursor), completeListSize=str(size))
        token.text = behind.token() if len(found) > PAGE else None
    return page


def _token_last(body: Element) -> None:
    token = body.find("resumptionToken")
    if token is not None:
        body.remove(token)
        body.append(token)


def _write_record(body: Element, record: Record, provider: Provider, form: Form) -> None:
    written = SubElement(body, "record")
    _write_header(written, record.header, provider)
    if record.described is not None:
        SubElement(written, "metadata").append(form.write(record.described))


def _write_header(parent: Element, provided: Provided, provider: Provider) -> None:
    header = SubElement(parent, "header", {"status": "deleted"} if provided.gone else {})
    said = (("identifier", provider.identifier(provided.attempt_id)), ("datestamp", _stamp(provided.datestamp)))
    _tell(header, (*said, ("setSpec", _set(provided.archive_id))))


def _tell(parent: Element, said: Iterable[tuple[str, str]]) -> None:
    for name, text in said:
        SubElement(parent, name).text = text


def _set(archive_id: int) -> str:
    return f"archive-{archive_id}"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


_LIST: Final = (frozenset({"metadataPrefix"}), frozenset({"from", "until", "set"}), "resumptionToken")
VERBS: Final = {
    "Identify": Verb(_identify),
    "ListMetadataFormats": Verb(_list_formats, optional=frozenset({"identifier"})),
    "ListSets": Verb(_list_sets, exclusive="resumptionToken"),
    "GetRecord": Verb(_get_record, frozenset({"identifier", "metadataPrefix"})),
    "ListIdentifiers": Verb(_list_identifiers, *_LIST),
    "ListRecords": Verb(_list_records, *_LIST),
}
