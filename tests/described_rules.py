"""What LIDO 1.1, Dublin Core (oai_dc), Linked Art's API 1.0 and IIIF Presentation 3 ask of what is told of an entry.

The rules of their schemas for the elements and classes that we use, in words of our own: children with their order and
number, properties that a class may have. Whatever is not named here is not allowed.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.etree.ElementTree import Element

LIDO: Final = "{http://www.lido-schema.org}"
XML_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
DC: Final = "{http://purl.org/dc/elements/1.1/}"
DC_ELEMENTS: Final = """title creator subject description publisher contributor date type format identifier source
    language relation coverage rights"""
_CONCEPT: Final = "conceptID* term*"
_CHILDREN: Final = {
    "lido": "lidoRecID+ objectPublishedID* category? descriptiveMetadata+ administrativeMetadata+",
    "descriptiveMetadata": "objectClassificationWrap objectIdentificationWrap eventWrap? objectRelationWrap?",
    "objectClassificationWrap": "objectWorkTypeWrap classificationWrap?",
    "objectWorkTypeWrap": "objectWorkType+",
    "objectWorkType": _CONCEPT,
    "objectIdentificationWrap": "titleWrap inscriptionsWrap? repositoryWrap? displayStateEditionWrap? "
    "objectDescriptionWrap? objectMeasurementsWrap?",
    "titleWrap": "titleSet+",
    "titleSet": "appellationValue+ sourceAppellation*",
    "objectDescriptionWrap": "objectDescriptionSet*",
    "objectDescriptionSet": "descriptiveNoteID* descriptiveNoteValue* sourceDescriptiveNote*",
    "eventWrap": "eventSet*",
    "eventSet": "displayEvent* event?",
    "event": "eventID* eventType roleInEvent* eventName* eventActor* culture* eventDate? periodName* eventPlace* "
    "eventMethod* eventMaterialsTech* thingPresent* relatedEventSet* eventDescriptionSet*",
    "eventType": _CONCEPT,
    "eventMethod": _CONCEPT,
    "eventActor": "displayActorInRole* actorInRole?",
    "actorInRole": "actor roleActor* attributionQualifierActor* extentActor*",
    "actor": "actorID* nameActorSet+ nationalityActor* vitalDatesActor? genderActor*",
    "nameActorSet": "appellationValue+ sourceAppellation*",
    "roleActor": _CONCEPT,
    "eventDate": "displayDate* date?",
    "date": "earliestDate? latestDate?",
    "objectRelationWrap": "subjectWrap? relatedWorksWrap?",
    "relatedWorksWrap": "relatedWorkSet*",
    "relatedWorkSet": "relatedWork? relatedWorkRelType?",
    "relatedWork": "displayObject* object?",
    "object": "objectWebResource* objectID* objectName* objectNote*",
    "relatedWorkRelType": _CONCEPT,
    "administrativeMetadata": "rightsWorkWrap? recordWrap resourceWrap?",
    "recordWrap": "recordID+ recordType recordSource+ recordRights* recordInfoSet*",
    "recordType": _CONCEPT,
    "recordSource": "legalBodyID* legalBodyName* legalBodyWeblink*",
    "legalBodyName": "appellationValue+ sourceAppellation*",
    "resourceWrap": "resourceSet*",
    "resourceSet": "resourceID* resourceRepresentation* resourceType? resourceRelType* resourcePerspective* "
    "resourceDescription* resourceDateTaken? resourceSource* rightsResource*",
    "resourceRepresentation": "linkResource resourceMeasurementsSet*",
    "resourceType": _CONCEPT,
    "rightsResource": "rightsType* rightsDate? rightsHolder* creditLine*",
    "rightsType": _CONCEPT,
}
_TEXTS: Final = """lidoRecID conceptID term appellationValue descriptiveNoteValue earliestDate latestDate displayObject
    objectWebResource actorID objectID recordID linkResource creditLine"""
_TYPED: Final = ("lidoRecID", "conceptID", "actorID", "objectID", "recordID")
"""They must say of which kind they are."""
_DATE: Final = re.compile(r"-?\d{4}(-\d{2}(-\d{2})?)?")

_NAMED: Final = "type _label identified_by classified_as "
_CLASSES: Final = {
    "DigitalObject": """@context! id! referred_to_by equivalent representation member_of subject_of attributed_by
        dimension part_of format conforms_to access_point digitally_available_via digitally_carries digitally_shows
        used_for created_by""",
    "Name": "content! language part",
    "Identifier": "content! part assigned_by",
    "LinguisticObject": "content! language",
    "Type": "id!",
    "Dimension": "value! unit! lower_value_limit upper_value_limit assigned_by",
    "TimeSpan": "begin_of_the_begin end_of_the_begin begin_of_the_end end_of_the_end duration",
    "Creation": """referred_to_by took_place_at timespan caused_by carried_out_by used_specific_object influenced_by
        technique part_of""",
    "subject_of": "digitally_carried_by",
    "digitally_carried_by": "format conforms_to access_point",
}
"""What a class may have beside its name and kind, and what it must (!).

The last two are places, where the manifest stands as the API's page on digital integration has it.
"""
_CARRIED: Final = {"subject_of": "LinguisticObject", "digitally_carried_by": "DigitalObject"}
_PROPERTY: Final = {
    "identified_by": {"Name", "Identifier"},
    "classified_as": {"Type"},
    "referred_to_by": {"LinguisticObject"},
    "dimension": {"Dimension"},
    "timespan": {"TimeSpan"},
    "created_by": {"Creation"},
    "access_point": {"DigitalObject"},
    "conforms_to": {"InformationObject"},
    "unit": {"MeasurementUnit"},
    "influenced_by": {"HumanMadeObject", "Person", "Group"},
}
_REFERENCES: Final = ("access_point", "conforms_to", "unit", "influenced_by")
"""Properties whose values are records elsewhere: their address, class and label, and no more."""
_ONE: Final = ("timespan", "created_by", "unit")
_IIIF: Final = {
    "Collection": "@context id! type! label! items!",
    "Manifest": """@context id! type! label! items metadata rights requiredStatement homepage thumbnail seeAlso
        rendering""",
    "Canvas": "id! type! label height! width! items!",
    "AnnotationPage": "id! type! items!",
    "Annotation": "id! type! motivation! body! target!",
    "Choice": "type! items!",
    "Image": "id! type! format height width label service",
    "ImageService3": "id! type! profile!",
    "Dataset": "id! type! format profile label",
    "Text": "id! type! format label!",
}
"""What each thing may and must (!) have, of what we write."""
_IIIF_RIGHTS: Final = re.compile(
    r"http://(creativecommons\.org/(licenses|publicdomain)|rightsstatements\.org/vocab)/\S+"
)
_OF_IMAGES: Final = {"homepage": "Text", "thumbnail": "Image", "seeAlso": "Dataset", "rendering": "Image"}


def broken_in_iiif(thing: dict[str, Any]) -> list[str]:
    """What is wrong in a Manifest or a Collection."""
    assert thing["@context"] == "http://iiif.io/api/presentation/3/context.json"
    return list(_of_iiif(thing, thing["type"]))


def broken_in_lido(root: Element) -> list[str]:
    """What is wrong in a `lido:lido`."""
    assert root.tag == f"{LIDO}lido"
    return list(_of_element(root))


def broken_in_dublin_core(root: Element) -> list[str]:
    """What is wrong in an `oai_dc:dc`."""
    assert root.tag == "{http://www.openarchives.org/OAI/2.0/oai_dc/}dc"
    unknown = [each.tag for each in root if each.tag.removeprefix(DC) not in DC_ELEMENTS.split()]
    return unknown + [f"{each.tag} is not plain text" for each in root if len(each) or not each.text]


def broken_in_linked_art(record: dict[str, Any]) -> list[str]:
    """What is wrong in a record of a digital object."""
    assert record["type"] == "DigitalObject"
    assert record["@context"] == "https://linked.art/ns/v1/linked-art.json"
    return list(_of_class(record, "record"))


def _of_element(element: Element) -> Iterator[str]:
    name = element.tag.removeprefix(LIDO)
    if name in _TEXTS.split():
        yield from _of_text(name, element)
    elif name not in _CHILDREN:
        yield f"{name} is unknown"
    else:
        if name.endswith("Metadata") and not element.get(XML_LANGUAGE):
            yield f"{name} says no language"
        children = "".join(f"{each.tag.removeprefix(LIDO)} " for each in element)
        if not re.fullmatch(re.sub(r"(\w+)([*+?]?) ?", r"(?:\1 )\2", _CHILDREN[name]), children):
            yield f"{name} may not have {children or 'nothing'}in this order"
        for child in element:
            yield from _of_element(child)


def _of_text(name: str, element: Element) -> Iterator[str]:
    if len(element) or not (element.text or "").strip():
        yield f"{name} is not plain text"
    if name in _TYPED and not element.get(f"{LIDO}type"):
        yield f"{name} says no type"
    if name in ("earliestDate", "latestDate") and not _DATE.fullmatch(element.text or ""):
        yield f"{name} is no date: {element.text}"


def _of_class(thing: dict[str, Any], where: str) -> Iterator[str]:
    place = where.rpartition(".")[2]
    known = _CLASSES.get(place if place in _CARRIED else thing["type"], "").split()
    may, must = (
        {*_NAMED.split(), *(name.rstrip("!") for name in known)},
        {name[:-1] for name in known if name[-1] == "!"},
    )
    yield from (f"{where} has no {name}" for name in sorted(must - set(thing)))
    yield from (f"{where} may not have {name}" for name in sorted(set(thing) - may))
    for name, value in thing.items():
        if isinstance(value, list) == (name in _ONE) and isinstance(value, dict | list):
            yield f"{where}.{name} is one or many, the other way round"
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _of_value(each, name, f"{where}.{name}")


def _of_value(each: dict[str, Any], name: str, where: str) -> Iterator[str]:
    allowed = _PROPERTY.get(name, {_CARRIED.get(name)})
    if each["type"] not in allowed:
        yield f"{where} may not be a {each['type']}"
    if name not in _REFERENCES:
        yield from _of_class(each, where)
    elif set(each) - {"id", "type", "_label"} or "id" not in each:
        yield f"{where} is no reference"


def _of_iiif(thing: dict[str, Any], where: str) -> Iterator[str]:
    if thing["type"] not in _IIIF:
        yield f"{where} is a {thing['type']}"
        return
    known = _IIIF[thing["type"]].split()
    yield from (f"{where} has no {name[:-1]}" for name in known if name[-1] == "!" and name[:-1] not in thing)
    yield from (f"{where} may not have {name}" for name in sorted(set(thing) - {name.rstrip("!") for name in known}))
    if not re.match("https?://", thing.get("id", "http://")):
        yield f"{where} has no address"
    if "rights" in thing and not _IIIF_RIGHTS.fullmatch(thing["rights"]):
        yield f"{where} has rights in no words that viewers know"
    pairs = [*thing.get("metadata", ()), *filter(None, [thing.get("requiredStatement")])]
    yield from (f"{where} tells a pair of other words" for pair in pairs if set(pair) != {"label", "value"})
    told = [text for said in (thing, *pairs) for name, text in said.items() if name in ("label", "value")]
    yield from (f"{where} has a text of no language: {text}" for text in told if not _by_language(text))
    if thing["type"] != "Collection":  # which names manifests, and does not hold them
        yield from _within_iiif(thing, where)


def _within_iiif(thing: dict[str, Any], where: str) -> Iterator[str]:
    for name in ("items", "service", *_OF_IMAGES):
        for each in thing.get(name, ()):
            if each["type"] != _OF_IMAGES.get(name, each["type"]):
                yield f"{where}.{name} is a {each['type']}"
            yield from _of_iiif(each, f"{where}.{name}")
    if "body" in thing:
        yield from _of_iiif(thing["body"], f"{where}.body")


def _by_language(told: Any) -> bool:
    return bool(told) and all(
        isinstance(words, list) and words and all(isinstance(word, str) for word in words) for words in told.values()
    )
