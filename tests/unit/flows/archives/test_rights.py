"""What words and licence URIs allow, in whatever form they are written."""

import time
from collections.abc import Callable

import pytest

from flows.archives.record import Derivatives, Rights
from flows.archives.values.rights import Statement, canonical_uri, decide, read_rights
from tests.rights_said import SAID

CC = "http://creativecommons.org"
RS = "http://rightsstatements.org/vocab"


def _wide(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


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


def test_silence_is_unknown() -> None:
    assert read_rights([" "], "dc:rights").derivatives == Derivatives.UNKNOWN
    assert read_rights([], "dc:rights") == Rights(Derivatives.UNKNOWN, "nothing in dc:rights")


@pytest.mark.parametrize(("decision", "said"), [(decision, said) for decision in SAID for said in SAID[decision]])
def test_words_and_addresses_come_to_one_decision(decision: str, said: str | tuple[str, ...]) -> None:
    statements = [said] if isinstance(said, str) else said
    rights = read_rights(statements, "dc:rights")
    assert rights.derivatives == decision, rights.basis
    assert "dc:rights" in rights.basis
    assert rights.text == "\n".join(statements)


@pytest.mark.parametrize("letters", [str.upper, str.lower, _wide], ids=["upper", "lower", "full width"])
@pytest.mark.parametrize("decision", [word for word in SAID if word != "yes"])
def test_nothing_is_freed_by_the_form_of_its_letters(decision: str, letters: Callable[[str], str]) -> None:
    for said in SAID[decision]:
        statements = [letters(each) for each in ([said] if isinstance(said, str) else said)]
        assert read_rights(statements, "dc:rights").derivatives != Derivatives.YES, statements


@pytest.mark.parametrize("licence", ["http://creativecommons.org/licenses/by/4.0/", "CC0", "パブリックドメイン。"])
@pytest.mark.parametrize("decision", ["no", "contradictory"])
def test_no_permission_frees_what_is_forbidden_beside_it(decision: str, licence: str) -> None:
    for statement in filter(lambda said: isinstance(said, str), SAID[decision]):
        together, apart = read_rights([f"{licence} {statement}"], "x"), read_rights([licence, str(statement)], "x")
        assert Derivatives.YES not in (together.derivatives, apart.derivatives), statement


def test_the_basis_names_what_decided_and_what_it_prevails_over() -> None:
    rights = read_rights([f"{CC}/publicdomain/zero/1.0/", "改変禁止"], "dc:rights")
    assert rights.basis == f"“改変禁止” in dc:rights; it prevails over {CC}/publicdomain/zero/1.0/ in dc:rights"
    assert rights.uri is None
    strange = read_rights([f"{CC}/licenses/by/4.0/ hands off"], "dc:rights").basis
    assert strange.startswith("words that nishiki does not understand in dc:rights: “hands off”; it prevails over")


def test_of_two_ways_to_say_the_same_the_address_is_kept() -> None:
    assert read_rights(["CC BY 4.0", f"{CC}/licenses/by/4.0/"], "dc:rights").uri == f"{CC}/licenses/by/4.0/"


@pytest.mark.parametrize(
    ("answer", "decision"),
    [
        ("yes", "yes"),
        ("Ｎｏ", "no"),
        ("不可", "no"),
        ("ask", "ask"),
        ("unknown", "unknown"),
        ("perhaps", "ask"),
        ("改変禁止", "no"),
    ],
)
def test_an_operators_own_answer_is_one_statement_among_others(answer: str, decision: str) -> None:
    own = Statement(answer, "column derivatives", is_answer=True)
    assert decide([own]).derivatives == decision
    assert decide([own, Statement(f"{CC}/licenses/by-nd/4.0/", "column rights")]).derivatives == Derivatives.NO
    assert decide([own, Statement("CC0", "column rights")]).derivatives == decision


@pytest.mark.long
def test_an_endless_statement_is_read_in_time() -> None:
    began = time.process_time()
    for part in ("no ", "the ", "改変", "Museum ", "not for ", "a.b ", "© A, ", "http://x.example/ ", "無断 "):
        assert read_rights([part * (5_000 // len(part)), part * 20_000], "dc:rights").derivatives != Derivatives.YES
    assert time.process_time() - began < 20
