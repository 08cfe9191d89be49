"""Spellings of one name meet, and the rule orders styles as a curator would: tables of records and of names."""

import time
from dataclasses import replace

import pytest

from db.entries.night import LIKELY_SAME_DESIGN, PINNED_BY, Description, is_weak
from db.review.view.match_words import in_words
from flows.matching.choosing import Limits, Unmatched, choose
from flows.matching.known import known
from flows.matching.names import UNSAID, people, stage_names
from flows.matching.pool import Index
from flows.matching.rule import Scored, score
from flows.matching.shared import PictureLikeness
from flows.matching.weights import MatchWeights

UNSEEN = PictureLikeness()
LAID = {"inliers": 40, "correlation": 0.5}
WEIGHTS = MatchWeights()


def said(number: int, actor: str = "", role: str = "", year: int | None = None, **more: object) -> Description:
    """A record of an actor print."""
    cast = ((role, actor),) if actor or role else ()
    bare = Description(
        number, f"{number:064}", "theatre", f"print-{number}", "", (), cast, year, year, "", "", None, None
    )
    return replace(bare, **more)  # type: ignore[arg-type]


SEVENTH = [
    "市川 団十郎〈7〉", "市川団十郎〈７〉", "〈7〉市川団十郎", "七代目市川団十郎", "７代目 市川團十郎",
    "七世 市川団十郎",
    "市川団十郎 (七代目)", "市川団十郎（７代）", "Ichikawa Danjūrō VII", "Danjuro Ichikawa VII", "ICHIKAWA DANJURO VII",
    "Ichikawa Danjuro (VII)", "Ichikawa Danjuro 7th", "The Seventh Ichikawa Danjuro", "the 7th Ichikawa Danjūrō",
    "Danjuro VII", "団十郎 七代", "市川団十郎 Ichikawa Danjuro 〈7〉", "Ichikawa Ebizo V (formerly Danjuro VII)",
    "いちかわ だんじゅうろう 7",
]  # fmt: skip
OPEN = [
    "市川團十郎",
    "Ichikawa Danjūrō",
    "Danjuro Ichikawa",
    "イチカワ　ダンジュウロウ",
    "市川団十郎 Ichikawa Danjuro (sample)",
]
OTHERS = [
    "八代目市川団十郎", "Ichikawa Danjuro VIII", "市川団十郎〈9〉", "Ichikawa Ebizo V", "尾上菊五郎〈7〉", "", "?",
    "Ichikawa Danzo VII", "שחקן", "ممثل",
]  # fmt: skip
PAIRS = [
    ("尾上 菊五郎〈3〉", "Onoe Kikugorō III"), ("三代目尾上菊五郎", "3rd Onoe Kikugoro"),
    ("嵐𠮷三郎", "Arashi Kichisaburo"),
    ("坂東しうか", "Bando Shuka"), ("澤村田之助〈3〉", "Sawamura Tanosuke III"),
    ("瀬川菊之丞〈5〉", "五代目瀬川菊之丞"),
    ("中村芝翫〈2〉", "Nakamura Shikan II (later Utaemon IV)"), ("十二代目市村羽左衛門", "Ichimura Uzaemon XII"),
    ("坂東三津五郎", "Mitsugoro Bando"), ("岩井半四郎", "岩井 半四郎"), ("嵐龍蔵", "嵐竜藏"),
    ("Katsukawa Shun’ei", "勝川春英"),
    ("三代歌川豊国", "Utagawa Kunisada"), ("Utagawa Kunisada (Toyokuni III)", "歌川国貞"),
    ("一勇斎国芳画", "Utagawa Kuniyoshi"),
]  # fmt: skip
STAGE = [
    ("梅王丸", "Umeo-maru"), ("曽我五郎", "Soga no Gorō"), ("曾我の五郎", "Soga no Goro"), ("仁木弾正", "Nikki Danjō"),
    ("Shimbei", "Shinbei"), ("仮名手本忠臣蔵", "Kanadehon Chūshingura"),
    ("菅原傳授手習鑑", "Sugawara denju tenarai kagami"),
    ("佐藤忠信 実は 源九郎狐", "Sato Tadanobu"), ("the monk Shunkan", "Monk Shunkan"),
]  # fmt: skip


def agreement(one: str, other: str) -> float:
    """The best of all whom two texts name."""
    return max((a.agreement(b) for a in people(one) for b in people(other)), default=0.0)


@pytest.mark.parametrize("spelling", SEVENTH)
def test_every_spelling_of_a_name_with_its_generation_is_one_person(spelling: str) -> None:
    assert agreement(SEVENTH[0], spelling) == 1


@pytest.mark.parametrize("spelling", OPEN)
def test_a_name_without_generation_agrees_less(spelling: str) -> None:
    assert agreement(SEVENTH[0], spelling) == UNSAID


@pytest.mark.parametrize("spelling", OTHERS)
def test_another_generation_or_name_is_another_person(spelling: str) -> None:
    assert agreement(SEVENTH[0], spelling) == 0


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_names_of_both_scripts_and_of_old_and_new_characters_meet(one: str, other: str) -> None:
    assert agreement(one, other) > 0


@pytest.mark.parametrize(("one", "other"), STAGE)
def test_roles_and_plays_of_both_scripts_meet(one: str, other: str) -> None:
    assert stage_names(one) & stage_names(other)


@pytest.mark.parametrize("spelling", SEVENTH + OPEN)
def test_the_same_actor_of_the_period_comes_before_all_others(spelling: str) -> None:
    """Among records that share play, role, artist or the very year instead."""
    content = known(said(1, SEVENTH[0], "Soga no Goro", 1832, artists=("歌川国貞",)))
    same = known(said(2, spelling, "", 1829))
    others = [
        known(said(10 + place, name, "曽我五郎", 1832, artists=("Utagawa Kunisada",)))
        for place, name in enumerate([*OTHERS, "市川団十郎〈4〉", "Onoe Kikugoro III"])
    ]
    late = known(said(3, SEVENTH[0], "", 1890))
    ranked = sorted(
        (score(content, each, UNSEEN, WEIGHTS) for each in (same, late, *others)), key=lambda each: -each.score
    )
    assert ranked[0].style_id == 2
    assert Index.of([same, late, *others]).pool(content)[:1] != []


@pytest.mark.parametrize(
    "title",
    [
        "Ichikawa Danjuro VII as Soga no Goro in _Yanone_ c. 1823",
        "The Actor Ichikawa Danjūrō VII as Soga no Gorō",
        "七代目市川団十郎の曽我五郎",
        "曽我五郎　市川団十郎",
    ],
)
def test_without_a_cast_the_title_is_read(title: str) -> None:
    made = score(known(said(1, "市川団十郎〈7〉", "曽我五郎", 1823)), known(said(2, title=title)), UNSEEN, WEIGHTS)
    assert made.reasons["same_actor"] >= UNSAID
    assert made.reasons["same_role"] == 1


def test_role_generation_actor_in_one_string_is_read() -> None:
    found = known(said(1, "助六.7.市川団十郎"))
    assert [name.generation for name in found.actors] == [7]
    assert found.roles == stage_names("Sukeroku")


@pytest.mark.parametrize(
    "odd",
    [
        said(1),
        said(1, "市川団十郎〈7〉", year=99999),
        said(1, year=-5),
        said(1, year_from=1, year_to=2026),
        said(1, title="あ" * 10_000),
        said(1, title="Ichikawa Danjuro VII as " * 500),
        said(1, title="A a " * 3000 + "(" * 3000, artists=("(" * 10_000,)),
        said(1, title="ממשל عربي \u202e title", artists=("رسام",)),
        said(1, "\0\ud800" + "x" * 10_000, "〈" * 5000),
    ],
)
def test_odd_records_are_matched_on_what_there_is_and_fast(odd: Description) -> None:
    begun = time.perf_counter()
    made = score(known(odd), known(replace(odd, image_id=2)), PictureLikeness(cosine=0.3), WEIGHTS)
    assert time.perf_counter() - begun < 1
    assert 0 < made.score < LIKELY_SAME_DESIGN
    assert "years" not in made.reasons


def test_the_order_is_design_then_series_then_actor_then_the_rest_and_another_genre_last() -> None:
    content = known(said(1, "市川団十郎〈7〉", year=1832, title="x [series: Tosei oshi-e]", genre="役者絵"))
    rows = [
        score(content, known(said(2)), PictureLikeness(0.7, registration=LAID), WEIGHTS),
        score(content, known(said(3, "市川団十郎〈7〉", year=1832, title="y [series: Tosei oshi-e]")), UNSEEN, WEIGHTS),
        score(content, known(said(4, "市川団十郎〈7〉", year=1833)), UNSEEN, WEIGHTS),
        score(content, known(said(5, "尾上菊五郎〈3〉", year=1832)), UNSEEN, WEIGHTS),
        score(content, known(said(6, year=1890, genre="Actor print")), UNSEEN, WEIGHTS),
        score(content, known(said(7, "市川団十郎〈7〉", year=1832, genre="名所絵")), UNSEEN, WEIGHTS),
    ]
    assert [each.style_id for each in sorted(rows, key=lambda each: -each.score)] == [2, 3, 4, 5, 6, 7]
    assert all(0 <= each.score <= 1 for each in rows)


def test_a_match_is_weak_where_more_speaks_against_it_than_for_it_and_nobody_chose_it() -> None:
    content = known(said(1, year=1850, genre="役者絵"))
    strange = score(content, known(said(2)), PictureLikeness(cosine=-0.1), WEIGHTS)
    near = score(content, known(said(3, year=1852)), PictureLikeness(cosine=0.2), WEIGHTS)
    beauty = score(content, known(said(4, year=1850, genre="美人画")), PictureLikeness(cosine=0.9), WEIGHTS)
    assert [is_weak(each.score, each.reasons) for each in (strange, near, beauty)] == [True, False, True]
    assert not is_weak(strange.score, {**strange.reasons, PINNED_BY: "Aoi"})
    assert not is_weak(None, {})


def test_weights_move_the_order_and_less_colour_spread_is_better() -> None:
    content = known(said(1, "市川団十郎〈7〉", "助六", 1832))
    actor, role = known(said(2, "市川団十郎〈7〉", year=1832)), known(said(3, "", "助六"))
    by_role = MatchWeights(role=5)
    assert score(content, actor, UNSEEN, WEIGHTS).score > score(content, role, UNSEEN, WEIGHTS).score
    assert score(content, actor, UNSEEN, by_role).score < score(content, role, UNSEEN, by_role).score
    loud, calm = (score(content, actor, PictureLikeness(spread=spread), WEIGHTS).score for spread in (20.0, 5.0))
    assert calm > loud


def test_candidates_differ_and_no_print_serves_more_than_its_share_but_for_its_own_design() -> None:
    rows = {content: [Scored(1, 0.8), Scored(2, 0.79), Scored(3, 0.5), Scored(4, 0.4)] for content in range(40)}
    rows[40] = [Scored(1, 0.95, registration=LAID), Scored(3, 0.1)]
    found = choose(rows, Limits(candidates=3, style_share=0.4), {1: "fuji", 2: "fuji"})
    first = [row[0] for row in found.values() if not isinstance(row, Unmatched)]
    assert sum(each.style_id == 1 for each in first) == 18
    assert first[40].style_id == 1
    assert all(not {1, 2} <= {each.style_id for each in row} for row in found.values() if isinstance(row, tuple))
    assert {len(row) for row in found.values() if isinstance(row, tuple)} == {2, 3}


def test_genres_are_told_by_what_archives_words_for_them_hold_or_by_an_actor_and_else_unknown() -> None:
    for genre, kind in [
        ("役者絵", "actor"), ("Ｙａｋｕｓｈａ-e ", "actor"), ("Theatre sheet", "actor"), ("名所絵", "landscape"),
        ("Bijin-ga", "beauty"), ("Woodblock print", ""), ("", ""),
    ]:  # fmt: skip
        assert known(said(1, genre=genre), ["theatre sheet"]).genre == kind
    assert known(said(1, "市川団十郎")).genre == "actor"
    assert known(said(1, "市川団十郎", genre="名所絵")).genre == "landscape"


def test_only_what_has_nothing_of_its_kind_has_no_match() -> None:
    rows = {1: [], 2: [Scored(1, 0.04, other_genre=True)], 3: [Scored(1, 0.001)]}
    found = choose(rows)
    assert found[1] == Unmatched("there are no colour pictures that may be used")
    assert found[2] == Unmatched("all colour pictures are of another genre", 0.04)
    assert found[3] == (Scored(1, 0.001),)


def test_the_pool_holds_those_of_the_same_things_that_are_nearest_in_time_and_never_more_than_asked() -> None:
    styles = [known(said(number, "市川団十郎", year=1700 + number % 200)) for number in range(2, 3000)]
    found = Index.of(styles).pool(known(said(1, "Ichikawa Danjuro VII", year=1832)), 40)
    assert len(found) == 40
    assert all(abs(number % 200 - 132) < 10 for number in found)
    assert Index.of(styles).pool(known(said(1))) == []


def test_the_reasons_are_one_sentence_in_both_languages() -> None:
    content = known(said(1, "市川団十郎〈7〉", year=1852, title="in Yanone"))
    style = known(said(2, "Ichikawa Danjuro VII", year=1855, title="矢の根"))
    reasons = score(content, style, PictureLikeness(0.4, 0.83), WEIGHTS).reasons
    assert in_words(reasons) == "same actor, same play, 1852 and 1855; composition .83"
    assert in_words(reasons, "ja") == "同じ役者、同じ演目、1852年と1855年、構図の近さ .83"
    assert in_words({"same_design": True, "years": [1852, 1852]}) == "same design, both of 1852"
    assert in_words({"same_actor": 0.75}, "ja") == "同じ役者（代数不明）"
    assert in_words({}) == "the records share nothing"
