"""What licence URIs allow, in whatever form they are written."""

import pytest

from flows.archives.record import Derivatives
from flows.archives.values.rights import canonical_uri, read_rights

CC = "http://creativecommons.org"
RS = "http://rightsstatements.org/vocab"


@pytest.mark.parametrize(
    ("uri", "derivatives"),
    [
        (f"{CC}/publicdomain/zero/1.0/", Derivatives.YES),
        (f"{CC}/publicdomain/mark/1.0/", Derivatives.YES),
        (f"{CC}/licenses/by/4.0/", Derivatives.YES),
        (f"{CC}/licenses/by-sa/3.0/", Derivatives.YES),
        (f"{CC}/licenses/by-nc/4.0/", Derivatives.YES),
        (f"{CC}/licenses/by-nc-sa/4.0/", Derivatives.YES),
        (f"{CC}/licenses/by-nd/4.0/", Derivatives.NO),
        (f"{CC}/licenses/by-nc-nd/2.1/jp/", Derivatives.NO),
        (f"{CC}/licenses/sampling/1.0/", Derivatives.ASK),
        (f"{RS}/NoC-NC/1.0/", Derivatives.YES),
        (f"{RS}/NoC-US/1.0/", Derivatives.ASK),
        (f"{RS}/NoC-OKLR/1.0/", Derivatives.ASK),
        (f"{RS}/NoC-CR/1.0/", Derivatives.ASK),
        (f"{RS}/NKC/1.0/", Derivatives.ASK),
        (f"{RS}/InC/1.0/", Derivatives.NO),
        (f"{RS}/InC-EDU/1.0/", Derivatives.ASK),
        (f"{RS}/CNE/1.0/", Derivatives.UNKNOWN),
        (f"{RS}/UND/1.0/", Derivatives.UNKNOWN),
        ("https://museum.example/terms", Derivatives.ASK),
        ("https://evil.example/creativecommons.org/licenses/by/4.0/", Derivatives.ASK),
    ],
)
def test_a_uri_allows_what_it_allows(uri: str, derivatives: Derivatives) -> None:
    rights = read_rights([uri], "dc:rights")
    assert rights.derivatives == derivatives
    assert rights.uri == uri
    assert "dc:rights" in rights.basis


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("https://creativecommons.org/licenses/by/4.0", f"{CC}/licenses/by/4.0/"),
        ("HTTPS://www.CreativeCommons.org/licenses/BY/4.0/deed.ja", f"{CC}/licenses/by/4.0/"),
        ("https://creativecommons.org/licenses/by/2.1/jp/legalcode", f"{CC}/licenses/by/2.1/jp/"),
        ("http://creativecommons.org/licenses/by-nd", f"{CC}/licenses/by-nd/"),
        ("https://rightsstatements.org/page/inc-edu/1.0/?language=en", f"{RS}/InC-EDU/1.0/"),
        ("http://rightsstatements.org/vocab/NKC/1.0", f"{RS}/NKC/1.0/"),
        ("https://museum.example/terms", "https://museum.example/terms"),
    ],
)
def test_uris_compare_in_one_form(written: str, canonical: str) -> None:
    assert canonical_uri(written) == canonical


def test_a_uri_inside_words_counts_and_the_words_are_kept() -> None:
    words = "Leave it as it is (https://creativecommons.org/licenses/by-nd/4.0/)."
    rights = read_rights([words], "dc:rights")
    assert (rights.derivatives, rights.uri, rights.text) == (Derivatives.NO, f"{CC}/licenses/by-nd/4.0/", words)


def test_of_several_statements_the_strictest_holds() -> None:
    open_, closed = f"{CC}/publicdomain/zero/1.0/", f"{RS}/InC/1.0/"
    assert read_rights([open_, closed], "dc:rights").uri == closed
    assert read_rights([closed, open_], "dc:rights").uri == closed


def test_non_commercial_terms_are_noted_in_the_basis() -> None:
    assert "non-commercial" in read_rights([f"{CC}/licenses/by-nc/4.0/"], "dc:rights").basis


def test_words_alone_are_asked_about_and_silence_is_unknown() -> None:
    assert read_rights(["Public domain"], "dc:rights").derivatives == Derivatives.ASK
    assert read_rights([" "], "dc:rights").derivatives == Derivatives.UNKNOWN
    assert read_rights([], "dc:rights").derivatives == Derivatives.UNKNOWN
