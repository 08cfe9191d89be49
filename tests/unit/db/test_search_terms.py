"""What the search takes for the same, and the trigrams that it looks up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.search_terms import normalised, search_text, trigrams, trigrams_beginning, trigrams_within, wanted_words


@pytest.mark.parametrize(
    "spelling",
    ["Ichikawa Danjūrō", "ICHIKAWA DANJURO", "Ｉｃｈｉｋａｗａ　Ｄａｎｊｕｒｏ", "ichikawa\tdanju\u0304ro\u0304"],
)
def test_case_width_macrons_and_blanks_make_no_difference(spelling: str) -> None:
    assert normalised(spelling) == "ichikawa danjuro"


def test_a_blank_inside_a_japanese_name_makes_no_difference() -> None:
    assert normalised("歌川 豊国") == normalised("歌川　豊国") == normalised("歌川豊国")
    assert " " not in normalised("歌川 豊国")
    assert normalised("豊国 Toyokuni").split() == [normalised("豊国"), "toyokuni"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("豐國", "豊国"), ("冨嶽", "富嶽"), ("團十郎", "団十郎"), ("瀧澤", "滝沢"), ("廣重", "広重"), ("國貞", "国貞"),
        ("藝", "芸"), ("壽", "寿"), ("櫻", "桜"), ("齋藤", "斎藤"), ("斉藤", "斎藤"), ("山﨑", "山崎"),
        ("靍屋", "鶴屋"),
        ("𠮷田", "吉田"), ("渡邊", "渡辺"), ("柳々居", "柳柳居"), ("ほくさい", "ホクサイ"), ("ほくさい", "Hokusai"),
        ("だんじゅうろう", "Danjūrō"), ("しゅんえい", "Shun'ei"), ("Shun’ei", "Shunei"), ("おおたに", "Ōtani"),
        ("いのうえ", "Inoue"), ("すゞめ", "すずめ"), ("（国芳）", "国芳"), ("〔国芳〕", "国芳"), ("国芳?", "国芳"),
    ],
)  # fmt: skip
def test_old_and_new_characters_kana_and_letters_are_one_spelling(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(("one", "other"), [("豊国", "豊広"), ("国貞", "国芳"), ("菊五郎", "菊之丞"), ("は", "ほ")])
def test_different_names_stay_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(
    "words", ["葛飾北斎", "北斎", "北齋", "hokusai", "Katsushika", "ほくさい", "Hokusai Katsushika"]
)
@pytest.mark.parametrize("written", ["葛飾北斎", "葛飾 北齋", "Katsushika Hokusai", "Hokusai, Katsushika"])
def test_an_artist_is_found_in_each_script_by_each(written: str, words: str) -> None:
    text = search_text(["A title", written])
    assert all(word in text for word in wanted_words(words))


def test_an_actor_is_found_by_part_of_the_name_and_no_other_is() -> None:
    text = search_text(["三代目市川團十郎"])
    assert all(word in text for word in wanted_words("ichikawa danjuro"))
    assert not any(word in text for word in wanted_words("kikugoro ebizo hokusai"))


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
