"""What the search takes for the same, and the triples of letters that it looks up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.search_terms import folded, search_text, triples, triples_beginning, triples_within


@pytest.mark.parametrize(
    "spelling",
    ["Ichikawa Danjūrō", "ICHIKAWA DANJURO", "Ｉｃｈｉｋａｗａ　Ｄａｎｊｕｒｏ", "ichikawa\tdanju\u0304ro\u0304"],
)
def test_case_width_macrons_and_blanks_make_no_difference(spelling: str) -> None:
    assert folded(spelling) == "ichikawa danjuro"


def test_a_blank_inside_a_japanese_name_makes_no_difference() -> None:
    assert folded("歌川 豊国") == folded("歌川　豊国") == folded("歌川豊国") == "歌川豊国"
    assert folded("豊国 Toyokuni") == "豊国 toyokuni"


def test_voiced_kana_stay_other_letters() -> None:
    assert folded("が") != folded("か")
    assert folded("ｶﾞ") == folded("ガ")


@given(st.text(min_size=1), st.data())
def test_every_part_of_a_text_is_found_by_its_triples(text: str, data: st.DataObject) -> None:
    words = search_text([text]).split()
    if not words:
        return
    word = data.draw(st.sampled_from(words))
    begin = data.draw(st.integers(0, len(word) - 1))
    part = word[begin : begin + data.draw(st.integers(1, 5))]
    known = triples(search_text([text]))
    assert triples_within(part) <= known
    for beginning in (part[:1], part[:2]):
        first, after = triples_beginning(beginning)
        assert any(first <= triple < after for triple in known)


def test_triples_do_not_reach_from_one_word_into_the_next() -> None:
    assert triples_within("abc").isdisjoint(triples(search_text(["ab", "cd"])))
    assert triples_within("bcd").isdisjoint(triples(folded("ab cd")))
    first, after = triples_beginning("bc")
    assert not any(first <= triple < after for triple in triples("ab cd"))
