"""An entry as LIDO 1.0, which museums and Europeana's aggregators take in."""

from typing import Final
from xml.etree.ElementTree import Element, SubElement, register_namespace

from db.entries.night import Description
from db.exports.dublin_core import XSI
from db.exports.leaving import MANIFEST, Described, cited, landing, plain, standard_rights

NAMESPACE: Final = "http://www.lido-schema.org"
SCHEMA: Final = "http://www.lido-schema.org/schema/v1.0/lido-v1.0.xsd"
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_PRODUCTION, _CREATION = "http://terminology.lido-schema.org/lido00007", "http://terminology.lido-schema.org/lido00012"
register_namespace("lido", NAMESPACE)


def lido(leaving: Described) -> Element:
    """The entry's `lido:lido`."""
    root = Element(_tag("lido"), {f"{{{XSI}}}schemaLocation": f"{NAMESPACE} {SCHEMA}"})
    _add(root, "lidoRecID", leaving.address(MANIFEST), type="URI")
    _describe(SubElement(root, _tag("descriptiveMetadata"), {_LANGUAGE: "en"}), leaving)
    _administer(SubElement(root, _tag("administrativeMetadata"), {_LANGUAGE: "en"}), leaving)
    return root


def _describe(parent: Element, leaving: Described) -> None:
    kind = _add(_add(_add(parent, "objectClassificationWrap"), "objectWorkTypeWrap"), "objectWorkType")
    _add(kind, "conceptID", "http://vocab.getty.edu/aat/300215302", type="URI")
    _add(kind, "term", "machine-colorized digital image of a woodblock print")
    identification = _add(parent, "objectIdentificationWrap")
    _add(_add(_add(identification, "titleWrap"), "titleSet"), "appellationValue", leaving.title)
    description = _add(_add(identification, "objectDescriptionWrap"), "objectDescriptionSet")
    for language, words in leaving.statement.items():
        _add(description, "descriptiveNoteValue", words).set(_LANGUAGE, language)
    for words in leaving.corrections:
        _add(description, "descriptiveNoteValue", f"Corrected by a curator: {words}").set(_LANGUAGE, "en")
    events = _add(parent, "eventWrap")
    _produced(_event(events, _PRODUCTION, "Production"), leaving.content)
    _colorized(_event(events, _CREATION, "Creation"), leaving)
    related = _add(_add(parent, "objectRelationWrap"), "relatedWorksWrap")
    for place, each in enumerate(leaving.pictures):
        _relate(related, each, "is colorized version of" if place == 0 else "is coloured after")


def _event(parent: Element, concept: str, term: str) -> Element:
    event = _add(_add(parent, "eventSet"), "event")
    kind = _add(event, "eventType")
    _add(kind, "conceptID", concept, type="URI")
    _add(kind, "term", term)
    return event


def _produced(event: Element, content: Description) -> None:
    """The print's making, two hundred years ago."""
    for name in filter(plain, content.artists):
        role = _add(_add(event, "eventActor"), "actorInRole")
        actor = _add(role, "actor")
        for address in content.addresses(name):
            _add(actor, "actorID", address, type="URI")
        _add(_add(actor, "nameActorSet"), "appellationValue", name)
        _add(_add(role, "roleActor"), "term", "artist")
    first = content.year_from if content.year_from is not None else content.year_to
    last = content.year_to if content.year_to is not None else content.year_from
    if first is None or last is None:
        return
    date = _add(_add(event, "eventDate"), "date")
    _add(date, "earliestDate", f"{first:04d}")
    _add(date, "latestDate", f"{last:04d}")


def _colorized(event: Element, leaving: Described) -> None:
    """The machine's work."""
    role = _add(_add(event, "eventActor"), "actorInRole")
    _add(_add(_add(role, "actor"), "nameActorSet"), "appellationValue", leaving.software)
    _add(_add(role, "roleActor"), "term", "software")
    if closed := leaving.entry.attempt.closed_at:
        date = _add(_add(event, "eventDate"), "date")
        _add(date, "earliestDate", f"{closed:%Y-%m-%d}")
        _add(date, "latestDate", f"{closed:%Y-%m-%d}")
    _add(_add(event, "eventMethod"), "term", f"machine colorization by {leaving.machine}")


def _relate(parent: Element, said: Description, how: str) -> None:
    work = _add(parent, "relatedWorkSet")
    related = _add(work, "relatedWork")
    _add(related, "displayObject", cited(said))
    thing = _add(related, "object")
    if page := landing(said):
        _add(thing, "objectWebResource", page)
    _add(thing, "objectID", said.identifier, type="local")
    _add(_add(work, "relatedWorkRelType"), "term", how)


def _administer(parent: Element, leaving: Described) -> None:
    record = _add(parent, "recordWrap")
    _add(record, "recordID", str(leaving.entry.attempt.id), type="local")
    _add(_add(record, "recordType"), "term", "item")
    source = _add(record, "recordSource")
    _add(_add(source, "legalBodyName"), "appellationValue", leaving.software)
    resources = _add(parent, "resourceWrap")
    for name in leaving.names:
        resource = _add(resources, "resourceSet")
        _add(_add(resource, "resourceRepresentation"), "linkResource", leaving.address(name))
        _add(_add(resource, "resourceType"), "term", "machine-colorized digital image")
        for each in leaving.pictures:
            _rights(resource, each)


def _rights(parent: Element, said: Description) -> None:
    rights = _add(parent, "rightsResource")
    kind = _add(rights, "rightsType")
    if uri := standard_rights(said):
        _add(kind, "conceptID", uri, type="URI")
    _add(kind, "term", f"{cited(said)}: {said.rights_uri or said.rights_basis}")
    if said.credit_line:
        _add(rights, "creditLine", said.credit_line)


def _add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    made = SubElement(parent, _tag(name), {_tag(key): value for key, value in attributes.items()})
    made.text = text and plain(text)
    return made


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
