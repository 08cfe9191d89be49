"""An entry as Linked Art (JSON-LD, CIDOC CRM): a digital object, made by a machine from prints that archives hold."""

from typing import Any, Final

from db.entries.night import Description
from db.exports.leaving import LINKED_ART, Leaving, landing, plain, standard_rights

_AAT: Final = "http://vocab.getty.edu/aat/"
_IMAGE, _WOODCUT, _TITLE, _CODE = "300215302", "300041405", "300404670", "300312355"
_CREDIT, _WIDTH, _HEIGHT, _PIXELS, _DESCRIPTION = "300026687", "300055647", "300055644", "300266190", "300435416"


def linked_art(leaving: Leaving) -> dict[str, Any]:
    """The entry's record."""
    return {
        "@context": "https://linked.art/ns/v1/linked-art.json",
        "id": leaving.address(LINKED_ART),
        "type": "DigitalObject",
        "_label": f"{leaving.title} (machine-colorized)",
        "classified_as": [_type(_IMAGE, "digital images")],
        "identified_by": [
            _name(leaving.title),
            {
                "type": "Identifier",
                "classified_as": [_type(_CODE, "identification numbers")],
                "content": f"sha256:{leaving.entry.attempt.output_sha256}",
            },
        ],
        "referred_to_by": [
            _words(_DESCRIPTION, "description", leaving.statement["en"]),
            *(_words(_CREDIT, "credit line", line) for line in leaving.credits),
            *(_words(_DESCRIPTION, "description", f"Corrected by a curator: {each}") for each in leaving.corrections),
        ],
        "format": leaving.format,
        "dimension": [
            _pixels(_WIDTH, "width", leaving.size.width),
            _pixels(_HEIGHT, "height", leaving.size.height),
        ],
        "access_point": [{"id": leaving.address(leaving.file), "type": "DigitalObject"}],
        **({"subject_to": [_right(leaving.rights)]} if leaving.rights else {}),
        "subject_of": [_iiif(leaving)],
        "created_by": {
            "type": "Creation",
            "_label": f"machine colorization by {leaving.software}, {leaving.machine}",
            **_when(leaving),
            "influenced_by": [_print(each) for each in leaving.pictures],
        },
    }


def _print(said: Description) -> dict[str, Any]:
    """A sheet that an archive holds."""
    page, made, right = landing(said), _production(said), standard_rights(said)
    return {
        **({"id": page} if page else {}),
        "type": "HumanMadeObject",
        "_label": plain(said.title or said.identifier),
        "classified_as": [_type(_WOODCUT, "woodcuts (prints)")],
        "identified_by": [
            *([_name(said.title)] if said.title else []),
            {"type": "Identifier", "content": plain(said.identifier)},
        ],
        **({"produced_by": made} if made else {}),
        **({"subject_to": [_right(right)]} if right else {}),
        **({"current_owner": [{"type": "Group", "_label": plain(said.holder)}]} if said.holder else {}),
    }


def _production(said: Description) -> dict[str, Any]:
    people = [_person(plain(name), said.addresses(name)) for name in said.artists if plain(name)]
    first = said.year_from if said.year_from is not None else said.year_to
    last = said.year_to if said.year_to is not None else said.year_from
    made: dict[str, Any] = {"carried_out_by": people} if people else {}
    if first is not None and last is not None:
        made["timespan"] = {
            "type": "TimeSpan",
            "begin_of_the_begin": f"{first:04d}-01-01T00:00:00Z",
            "end_of_the_end": f"{last:04d}-12-31T23:59:59Z",
        }
    return {"type": "Production", **made} if made else {}


def _person(name: str, addresses: list[str]) -> dict[str, Any]:
    """By the first authority file that has them; those of the others are the same person."""
    same = [{"id": address, "type": "Person", "_label": name} for address in addresses[1:]]
    known = {"id": addresses[0]} if addresses else {}
    return {**known, "type": "Person", "_label": name, **({"equivalent": same} if same else {})}


def _iiif(leaving: Leaving) -> dict[str, Any]:
    return {
        "type": "LinguisticObject",
        "digitally_carried_by": [
            {
                "type": "DigitalObject",
                "format": "application/ld+json;profile='http://iiif.io/api/presentation/3/context.json'",
                "conforms_to": [{"id": "http://iiif.io/api/presentation/", "type": "InformationObject"}],
                "access_point": [{"id": leaving.address("manifest.json"), "type": "DigitalObject"}],
            }
        ],
    }


def _when(leaving: Leaving) -> dict[str, Any]:
    closed = leaving.entry.attempt.closed_at
    if closed is None:
        return {}
    moment = f"{closed:%Y-%m-%dT%H:%M:%SZ}"
    return {"timespan": {"type": "TimeSpan", "begin_of_the_begin": moment, "end_of_the_end": moment}}


def _type(number: str, label: str) -> dict[str, str]:
    return {"id": f"{_AAT}{number}", "type": "Type", "_label": label}


def _name(title: str) -> dict[str, Any]:
    return {"type": "Name", "classified_as": [_type(_TITLE, "preferred terms")], "content": plain(title)}


def _words(number: str, label: str, content: str) -> dict[str, Any]:
    brief = _type("300418049", "brief texts")
    return {
        "type": "LinguisticObject",
        "classified_as": [_type(number, label) | {"classified_as": [brief]}],
        "content": content,
    }


def _pixels(number: str, label: str, value: int) -> dict[str, Any]:
    unit = {"id": f"{_AAT}{_PIXELS}", "type": "MeasurementUnit", "_label": "pixels"}
    return {"type": "Dimension", "classified_as": [_type(number, label)], "value": value, "unit": unit}


def _right(uri: str) -> dict[str, Any]:
    return {"type": "Right", "classified_as": [{"id": uri, "type": "Type"}]}
