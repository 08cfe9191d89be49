"""Descriptions of entries held to the published schemas, whatever archives have written."""

from dataclasses import replace
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring

from db.catalogue import Catalogue
from db.entries.night import Derivatives, RightsEntry, Verdict
from db.entries.review import Judgement, QueueFilter
from db.exports.dublin_core import as_xml, dublin_core
from db.exports.iiif import collection, listed, manifest
from db.exports.leaving import Leaving, Size
from db.exports.lido import lido
from db.exports.linked_art import linked_art
from tests.described_rules import LIDO, broken_in_dublin_core, broken_in_iiif, broken_in_lido, broken_in_linked_art
from tests.samples import Sample

DATABASES = ("sqlite",)
"""What is said of an entry is the subject."""
AT = "https://prints.example/entries/000000/1/"
FREE = "https://creativecommons.org/publicdomain/mark/1.0/"
RECORDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "bare": {"title": "", "artists": (), "cast": (), "year_from": None, "year_to": None, "holder": ""},
    "one year": {"year_from": 1852, "year_to": None},
    "before year 1000": {"year_from": 794, "year_to": 795},
    "odd": {"title": '=1+1 <b>&\x0b"', "artists": ("", " 豊国〈3〉 ", "\n"), "cast": (("", ""), ("Gorō", ""))},
    "free": {"rights": RightsEntry(Derivatives.YES, "licence", FREE), "credit_line": "By courtesy of the museum"},
    "known artist": {
        "authorities": (("Another", "http://viaf.org/viaf/7"), ("Another", "http://vocab.getty.edu/ulan/5"))
    },
    "with a page": {"landing_url": "https://archive.example/prints/1"},
    "with no address for a page": {"landing_url": "urn:x"},
}


def told(catalogue: Catalogue, sample: Sample, said: dict[str, Any]) -> Leaving:
    """An approved entry of such a record, as it leaves."""
    number = sample.entry(catalogue, sample.record("r-1", **said))
    catalogue.give_verdict(number, "curator", Judgement(Verdict.APPROVED))
    ((entry,),) = catalogue.approved(QueueFilter())
    return Leaving(entry, AT, "full-size.png", Size(800, 1200), Size(1600, 2400))


@pytest.mark.parametrize("said", RECORDS.values(), ids=list(RECORDS))
def test_every_description_keeps_the_rules_of_its_schema(
    catalogue: Catalogue, sample: Sample, said: dict[str, Any]
) -> None:
    leaving = told(catalogue, sample, said)
    assert broken_in_lido(fromstring(as_xml(lido(leaving)))) == []
    assert broken_in_dublin_core(fromstring(as_xml(dublin_core(leaving)))) == []
    assert broken_in_linked_art(linked_art(leaving)) == []
    for each in (leaving, replace(leaving, tiled=False)):
        assert broken_in_iiif(manifest(each)) == []
    whole = collection(f"{AT}collection.json", {"en": "All", "ja": "すべて"}, [listed(leaving)])
    assert broken_in_iiif(whole) == []


def test_the_rules_find_what_is_wrong(catalogue: Catalogue, sample: Sample) -> None:
    leaving = told(catalogue, sample, {})
    described = lido(leaving)
    described.append(described[0])
    assert broken_in_lido(described) != []
    for place in (
        "descriptiveMetadata/objectIdentificationWrap/titleWrap/titleSet",
        "administrativeMetadata/recordWrap",
    ):
        described = lido(leaving)
        parent = described.find("/".join(f"{LIDO}{name}" for name in place.split("/")))
        assert parent is not None
        parent.remove(parent[0])
        assert len(broken_in_lido(described)) == 1
    described = dublin_core(leaving)
    described[0].tag = "{http://purl.org/dc/terms/}title"
    assert len(broken_in_dublin_core(described)) == 1
    made = manifest(leaving)
    assert len(broken_in_iiif(made | {"rights": "https://example.org/free"})) == 1
    assert len(broken_in_iiif(made | {"label": {"en": "Print"}})) == 1
    made["items"][0].pop("width")
    assert broken_in_iiif(made) == ["Manifest.items has no width"]
    record = linked_art(leaving)
    wrong: list[dict[str, Any]] = [
        {"subject_to": [{"type": "Right"}]},
        {"created_by": [record["created_by"]]},
        {"dimension": [{"type": "Dimension", "value": 1}]},
        {"access_point": [{"type": "DigitalObject"}]},
    ]
    for change in wrong:
        assert broken_in_linked_art(record | change) != [], change
