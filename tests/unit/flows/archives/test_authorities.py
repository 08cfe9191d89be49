"""Addresses of people in authority files have one form each, whatever an archive writes."""

import pytest

from flows.archives.values.authorities import authority

ULAN, VIAF, WIKIDATA = (
    "http://vocab.getty.edu/ulan/500063446",
    "http://viaf.org/viaf/69724466",
    "http://www.wikidata.org/entity/Q552021",
)


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("http://vocab.getty.edu/page/ulan/500063446", ULAN),
        (" https://vocab.getty.edu/ulan/500063446\n", ULAN),
        ("https://viaf.org/viaf/69724466/", VIAF),
        ("http://www.viaf.org/viaf/69724466", VIAF),
        ("https://www.wikidata.org/wiki/Q552021", WIKIDATA),
        ("http://wikidata.org/entity/Q552021", WIKIDATA),
        ("http://vocab.getty.edu/page/aat/300041405", ""),
        ("https://www.wikidata.org/wiki/Property:P245", ""),
        ("javascript:alert('http://viaf.org/viaf/1')", ""),
        ("http://viaf.org.example/viaf/1", ""),
        ("http://vocab.getty.edu.evil.example/ulan/500063446", ""),
        ("http://vocab.getty.edu@evil.example/ulan/500063446", ""),
        ("http://vocab.getty.edu/ulan/500063446/../../evil", ""),
        ("http://vocab.getty.edu/ulan/５０００６３４４６", ""),
        ("500063446", ""),
        ("", ""),
    ],
)
def test_an_address_of_a_person_is_known_and_no_other(said: str, address: str) -> None:
    assert authority(said) == address
