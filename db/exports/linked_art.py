"""An entry as Linked Art (JSON-LD, CIDOC CRM): a digital object, made by a machine from prints that archives hold.

As the API 1.0 has it: what stands in a record of its own, such as a print, is a reference here.
"""

from typing import Any, Final

from db.entries.night import Description
from db.exports.leaving import LINKED_ART, Leaving, landing, plain

_AAT: Final = "http://vocab.getty.edu/aat/"
_IMAGE, _TITLE, _CODE, _RIGHTS, _SOURCE = "300215302", "300404670", "300312355", "300435434", "300404764"
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
            *([_words(_RIGHTS, "copyright/license statement", leaving.rights)] if leaving.rights else []),
        ],
        "format": leaving.format,
        "dimension": [
            _pixels(_WIDTH, "width", leaving.size.width),
            _pixels(_HEIGHT, "height", leaving.size.height),
        ],
        "access_point": [{"id": leaving.address(leaving.file), "type": "DigitalObject"}],
        "subject_of": [_iiif(leaving)],
        "created_by": {
            "type": "Creation",
            "_label": f"machine colorization by {leaving.software}, {leaving.machine}",
            **_when(leaving),
            "referred_to_by": [_words(_SOURCE, "source statement", _told(each)) for each in leaving.pictures],
            "influenced_by": [
                *(_print(leaving, place) for place in range(len(leaving.pictures))),
                *_people(leaving),
            ],
        },
    }


def _print(leaving: Leaving, place: int) -> dict[str, Any]:
    """A sheet that an archive holds, as a reference: its page there, or a name within this record."""
    said = leaving.pictures[place]
    return {
        "id": landing(said) or leaving.address(f"{LINKED_ART}#print-{place + 1}"),
        "type": "HumanMadeObject",
        "_label": plain(said.title or said.identifier),
    }


def _told(said: Description) -> str:
    """A sheet in words: of people whom no authority file has, the API has no reference."""
    years = "-".join(dict.fromkeys(str(year) for year in (said.year_from, said.year_to) if year is not None))
    words = [said.title, said.identifier, ", ".join(said.artists), years, said.holder]
    return plain("; ".join(word for word in words if word))


def _people(leaving: Leaving) -> list[dict[str, Any]]:
    """Those who made the prints, by every address that an authority file has for them."""
    known = {
        address: {"id": address, "type": "Person", "_label": plain(name)}
        for said in leaving.pictures
        for name in said.artists
        for address in said.addresses(name)
    }
    return list(known.values())


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
