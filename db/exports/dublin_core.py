"""An entry as Dublin Core (oai_dc), which every aggregator reads."""

from collections.abc import Iterator
from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from db.exports.leaving import MANIFEST, Described, cited, landing, plain, standard_rights

OAI_DC: Final = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA: Final = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
DC: Final = "http://purl.org/dc/elements/1.1/"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
for _prefix, _uri in (("oai_dc", OAI_DC), ("dc", DC), ("xsi", XSI)):
    register_namespace(_prefix, _uri)


def dublin_core(leaving: Described) -> Element:
    """The entry's `oai_dc:dc`."""
    root = Element(f"{{{OAI_DC}}}dc", {f"{{{XSI}}}schemaLocation": f"{OAI_DC} {SCHEMA}"})
    for name, value in _said(leaving):
        if text := plain(value):
            SubElement(root, f"{{{DC}}}{name}").text = text
    return root


def as_xml(root: Element) -> bytes:
    """A file of it."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode").encode() + b"\n"


def _said(leaving: Described) -> Iterator[tuple[str, str]]:
    content = leaving.content
    yield "title", f"{leaving.title} (machine-colorized)"
    yield from (("creator", name) for name in content.artists)
    yield from (("subject", " as ".join(filter(None, (actor, role)))) for role, actor in content.cast)
    yield "description", leaving.statement["en"]
    yield "description", leaving.statement["ja"]
    yield from (("description", f"Corrected by a curator: {words}") for words in leaving.corrections)
    yield "contributor", leaving.machine
    yield "date", leaving.years
    yield "type", "Image"
    yield "format", leaving.format
    for name in (MANIFEST, *leaving.names):
        yield "identifier", leaving.address(name)
    for each in leaving.pictures:
        yield "source", cited(each)
        yield "relation", landing(each) or ""
        yield "rights", standard_rights(each) or each.rights_uri or each.rights_basis
        yield "rights", each.credit_line
