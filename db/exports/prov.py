"""How a colorization came to be, as W3C PROV in JSON-LD: the pictures used, the recipe, the models, the program."""

from typing import Any

from db.entries.night import Description
from db.exports.leaving import DIGITAL_SOURCE_TYPE, PROVENANCE, Leaving, landing, plain

_CONTEXT = {
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "dcterms": "http://purl.org/dc/terms/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "nishiki": "urn:nishiki:provenance:",
}


def provenance(leaving: Leaving) -> dict[str, Any]:
    """The graph, with all that is needed to make the picture again."""
    attempt = leaving.entry.attempt
    used = [_print(each) for each in leaving.pictures]
    models = [
        {
            "@id": f"urn:sha256:{each.checksum}",
            "@type": "prov:Entity",
            "rdfs:label": each.name,
            "nishiki:role": each.role,
            "nishiki:checksum": each.checksum,
        }
        for each in attempt.models
    ]
    recipe = {
        "@id": f"urn:nishiki:recipe:{attempt.recipe.digest}",
        "@type": ["prov:Plan", "prov:Entity"],
        "rdfs:label": attempt.recipe.name,
        "nishiki:parameters": {"@type": "@json", "@value": attempt.recipe.data},
    }
    agent = {"@id": "urn:nishiki:software", "@type": "prov:SoftwareAgent", "rdfs:label": leaving.software}
    made = {"@id": leaving.address(f"{PROVENANCE}#colorization"), "@type": "prov:Activity"}
    activity = {
        **made,
        "rdfs:label": "machine colorization",
        "prov:used": [{"@id": each["@id"]} for each in (*used, *models)],
        "prov:qualifiedAssociation": {
            "@type": "prov:Association",
            "prov:agent": {"@id": agent["@id"]},
            "prov:hadPlan": {"@id": recipe["@id"]},
        },
        **_ended(leaving),
    }
    result = {
        "@id": leaving.address(leaving.file),
        "@type": "prov:Entity",
        "rdfs:label": leaving.title,
        "dcterms:format": leaving.format,
        "nishiki:sha256": attempt.output_sha256,
        "Iptc4xmpExt:DigitalSourceType": {"@id": DIGITAL_SOURCE_TYPE},
        "prov:wasGeneratedBy": {"@id": made["@id"]},
        "prov:wasDerivedFrom": [{"@id": each["@id"]} for each in used],
        "nishiki:approvedByCuratorAt": _time(leaving.entry.approved_at.isoformat()),
    }
    return {"@context": _CONTEXT, "@graph": [result, activity, *used, *models, recipe, agent]}


def _print(said: Description) -> dict[str, Any]:
    page = landing(said)
    return {
        "@id": f"urn:sha256:{said.sha256}",
        "@type": "prov:Entity",
        "rdfs:label": plain(said.title or said.identifier),
        "dcterms:identifier": plain(said.identifier),
        "dcterms:publisher": plain(said.holder or said.archive),
        "nishiki:sha256": said.sha256,
        **({"prov:specializationOf": {"@id": page}} if page else {}),
        **({"dcterms:rights": plain(said.rights_uri)} if said.rights_uri else {}),
    }


def _ended(leaving: Leaving) -> dict[str, Any]:
    attempt = leaving.entry.attempt
    told: dict[str, Any] = {"prov:endedAtTime": _time(attempt.closed_at.isoformat())} if attempt.closed_at else {}
    if attempt.result is not None:
        told["nishiki:versions"] = {"@type": "@json", "@value": dict(attempt.result.versions)}
        told["nishiki:seed"] = attempt.result.seed
    return told


def _time(moment: str) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": moment}
