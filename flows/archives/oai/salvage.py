"""The records of an answer whose XML is broken, one by one. Called by `protocol.py` where the whole cannot be parsed.

Nothing is mended: a record that is sound by itself is read, and one that is not is told with its bytes. No document
type is followed, here or elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import unescape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from flows.archives.oai.encoding import Encoded
from flows.archives.oai.namespaces import DC, OAI, OAI_DC

_NAME = rb"(?:[\w.-]+:)?"
_ROOT = re.compile(rb"<" + _NAME + rb"OAI-PMH\b([^<>]*)>")
_LIST = re.compile(rb"<" + _NAME + rb"ListRecords\b([^<>]*)>")
_RECORD = re.compile(rb"<" + _NAME + rb"record(?:\s[^<>]*)?>")
_RECORD_ENDS = re.compile(rb"</" + _NAME + rb"record\s*>")
_LIST_ENDS = re.compile(rb"<" + _NAME + rb"resumptionToken\b|</" + _NAME + rb"(?:ListRecords|OAI-PMH)\s*>")
_ALL_ENDS = re.compile(rb"</" + _NAME + rb"OAI-PMH\s*>")
_TOKEN = re.compile(rb"<" + _NAME + rb"resumptionToken\b([^<>]*?)(?:/>|>([^<]*)</)")
_SIZE = re.compile(rb"""completeListSize\s*=\s*["'](\d{1,18})["']""")
_ERROR = re.compile(rb"<" + _NAME + rb"""error\b[^<>]*?code\s*=\s*["'](\w{1,40})["']""")
_PREFIX = re.compile(rb"""(xmlns(?::[\w.-]+)?)\s*=\s*("[^"<]*"|'[^'<]*')""")
_IDENTIFIER = re.compile(rb"<" + _NAME + rb"identifier\b[^<>]*>([^<]*)</")
_USUAL = {
    b"xmlns": OAI,
    b"xmlns:oai_dc": OAI_DC,
    b"xmlns:dc": DC,
    b"xmlns:xsi": "{http://www.w3.org/2001/XMLSchema-instance}",
}
"""What a prefix means that is used and not declared."""
_DOCTYPE = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_NUMBERED = re.compile(r"&#(\d{1,7}|x[0-9a-fA-F]{1,6});")


@dataclass(frozen=True)
class Torn:
    """A record that cannot be read, as it came."""

    identifier: str
    """What its header says, empty where that cannot be read either."""
    reason: str
    raw: bytes


@dataclass(frozen=True)
class Salvaged:
    """What an answer holds, its XML broken."""

    records: tuple[Element | Torn, ...]
    token: str
    complete_size: int | None
    broken_off: bool
    """It ends before its own end."""


def is_hostile(answer: Encoded) -> bool:
    """Does it bring a document type or entities of its own?"""
    return _DOCTYPE.search(answer.data) is not None


def error_code(answer: Encoded) -> str:
    """The error of the protocol that it tells; empty where it tells none."""
    found = _ERROR.search(answer.data) if _ROOT.search(answer.data) else None
    return found[1].decode() if found else ""


def texts(answer: Encoded, *names: str) -> dict[str, str]:
    """The texts of elements that hold nothing else, the first of each; empty where there is none."""
    found = {
        name: re.search(rb"<" + _NAME + name.encode() + rb"(?:\s[^<>]*)?>([^<]*)</", answer.data) for name in names
    }
    return {name: text[1].decode(answer.codec, "replace").strip() if text else "" for name, text in found.items()}


def salvage(answer: Encoded) -> Salvaged | None:
    """The records of an answer to ListRecords; None where it is none."""
    root, listing = _ROOT.search(answer.data), _LIST.search(answer.data)
    if root is None or listing is None:
        return None
    prefixes = dict(_PREFIX.findall(root[1] + b" " + listing[1]))
    usual = {name: f'"{uri.strip("{}")}"'.encode() for name, uri in _USUAL.items()}
    said = b" ".join(name + b"=" + uri for name, uri in {**usual, **prefixes}.items())
    pieces = list(_pieces(answer.data, listing.end()))
    records = tuple(_read(piece, said, answer.codec) for piece in pieces)
    resumed = list(_TOKEN.finditer(answer.data, listing.end()))
    size = _SIZE.search(resumed[-1][1]) if resumed else None
    return Salvaged(
        records,
        _plain((resumed[-1][2] or b"").decode(answer.codec, "replace")).strip() if resumed else "",
        int(size[1]) if size else None,
        _ALL_ENDS.search(answer.data, listing.end()) is None,
    )


def _pieces(data: bytes, start: int) -> Iterator[bytes]:
    """Each record from its beginning to its end, or to the next one's beginning where it has none."""
    starts = [found.start() for found in _RECORD.finditer(data, start)]
    for begins, stops in zip(starts, [*starts[1:], len(data)], strict=True):
        ends = [found.end() for found in _RECORD_ENDS.finditer(data, begins, stops)]
        beyond = _LIST_ENDS.search(data, begins, stops)
        yield data[begins : ends[-1] if ends else beyond.start() if beyond else stops]


def _read(piece: bytes, prefixes: bytes, codec: str) -> Element | Torn:
    try:
        record: Element = fromstring(f"<r {prefixes.decode(codec)}>{piece.decode(codec)}</r>", forbid_dtd=True)[0]
    except UnicodeDecodeError as error:
        reason = f"it holds a byte that is none of {codec} (0x{piece[error.start]:02X})"
    except (ParseError, DefusedXmlException, ValueError) as error:
        reason = f"its XML is broken ({error})"
    else:
        return record
    named = _IDENTIFIER.search(piece)
    identifier = _plain(named[1].decode(codec, "replace")).strip() if named else ""
    return Torn(
        identifier if "\ufffd" not in identifier else "", f"{reason}; its bytes are kept; tell the archive", piece
    )


def _plain(text: str) -> str:
    """With XML's own references written out, and any other left as it is."""
    known = _NUMBERED.sub(lambda found: _letter(found[1]), text)
    return unescape(known, {"&quot;": '"', "&apos;": "'"})


def _letter(number: str) -> str:
    value = int(number[1:], 16) if number.startswith("x") else int(number)
    return chr(value) if value < 0x110000 else ""
