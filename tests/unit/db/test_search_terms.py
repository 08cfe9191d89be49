"""What the search takes for the same, and the trigrams that it looks up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.search_terms import normalised, search_text, trigrams, trigrams_beginning, trigrams_within


@pytest.mark.parametrize(
    "spelling",
    ["Ichikawa Danjūrō", "ICHIKAWA DANJURO", "Ｉｃｈｉｋａｗａ　Ｄａｎｊｕｒｏ", "ichikawa\tdanju\u0304ro\u0304"],
)
def test_case_width_macrons_and_blanks_make_no_difference(spelling: str) -> None:
    assert normalised(spelling) == "ichikawa danjuro"


def test_a_blank_inside_a_japanese_name_makes_no_difference() -> None:
    assert normalised("歌川 豊国") == normalised("歌川　豊国") == normalised("歌川豊国") == "歌川豊国"
    assert normalised("豊国 Toyokuni") == "豊国 toyokuni"


def test_voiced_kana_stay_other_letters() -> None:
    assert normalised("が") != normalised("か")
    assert normalised("ｶﾞ") == normalised("ガ")


@given(st.text(min_size=1), st.data())
def test_every_part_of_a_text_is_found_by_its_trigrams(text: str, data: st.DataObject) -> None:
    words = search_text([text]).split()
    if not words:
        return
    word = data.draw(st.sampled_from(words))
    begin = data.draw(st.integers(0, len(word) - 1))
    part = word[begin : begin + data.draw(st.integers(1, 5))]
    known = trigrams(search_text([text]))
    assert trigrams_within(part) <= known
    for beginning in (part[:1], part[:2]):
        first, after = trigrams_beginning(beginning)
        assert any(first <= trigram < after for trigram in known)


def test_trigrams_do_not_reach_from_one_word_into_the_next() -> None:
    assert trigrams_within("abc").isdisjoint(trigrams(search_text(["ab", "cd"])))
    assert trigrams_within("bcd").isdisjoint(trigrams(normalised("ab cd")))
    first, after = trigrams_beginning("bc")
    assert not any(first <= trigram < after for trigram in trigrams("ab cd"))
