"""The queue on both databases: its order, its pages, its filters, its search, its facets."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text, update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.night import Derivatives, Outcome, Tone, Verdict
from db.entries.review import Count, Facet, Judgement, Order, Place, Queue, QueueFilter, Reason
from db.errors import UnknownEntry
from db.queries.review.queue import PageOf
from db.tables.review import Review

if TYPE_CHECKING:
    from tests.samples import Sample

APPROVED = Judgement(Verdict.APPROVED)
WRONG_COLOUR = Judgement(Verdict.RETURNED, Reason.UNBELIEVABLE)


def _ids(catalogue: Catalogue, wanted: QueueFilter = QueueFilter(), page: PageOf = PageOf()) -> list[int]:  # noqa: B008
    return [entry.attempt_id for entry in catalogue.queue(wanted, page).entries]


def _names(catalogue: Catalogue, wanted: QueueFilter) -> list[str]:
    return [entry.content.identifier for entry in catalogue.queue(wanted).entries]


@pytest.fixture
def shelf(catalogue: Catalogue, sample: "Sample") -> dict[str, int]:
    """Three entries that differ in everything a filter asks for: identifier → attempt."""
    toyokuni = sample.record(
        "one", title="仮名手本忠臣蔵", artists=("歌川 豊国",), cast=(("由良之助", "Ichikawa Danjūrō"),), year_from=1800,
        year_to=1805,
    )  # fmt: skip
    kunisada = sample.record(
        "two", title="Sukeroku 100%", artists=("国貞",), cast=(("", "Onoe Kikugorō"),), year_from=1806, year_to=None
    )
    undated = sample.record("three", title="Shibaraku", artists=("豊原国周",), cast=(), year_from=None, year_to=None)
    return {
        "one": sample.entry(catalogue, toyokuni, 0.5, total_error_mean=0.1),
        "two": sample.entry(catalogue, kunisada, 0.8, total_error_mean=0.2, archive="another"),
        "three": sample.entry(catalogue, undated, 0.9, outcome=Outcome.REJECTED, total_error_mean=None),
    }


def test_the_surest_match_comes_first_and_what_the_machine_rejected_last(
    catalogue: Catalogue, shelf: dict[str, int]
) -> None:
    assert _names(catalogue, QueueFilter()) == ["two", "one", "three"]
    first = catalogue.queue(QueueFilter()).entries[0]
    assert first.place == Place(1 - 0.8, shelf["two"])
    assert (first.likeness, first.outcome, first.verdict, first.lease) == (0.8, Outcome.SUCCEEDED, None, None)
    assert first.output_sha256 == catalogue.attempt(shelf["two"]).output_sha256
    assert catalogue.queue_entry(shelf["two"]) == first


def test_what_an_earlier_version_normalised_is_found_after_the_next_harvest(
    catalogue: Catalogue, shelf: dict[str, int]
) -> None:
    with catalogue.engine.begin() as connection:
        connection.execute(text("UPDATE search_texts SET text = 'earlier', version = 0"))
        connection.execute(text("DELETE FROM search_trigrams"))
    assert _names(catalogue, QueueFilter(words="toyokuni")) == []
    assert catalogue.index_again() == 6  # each with its style print
    assert _names(catalogue, QueueFilter(words="toyokuni")) == ["one"]
    assert _names(catalogue, QueueFilter(words="onoe")) == ["two"]
    assert catalogue.index_again() == 0


def test_pages_forth_and_back_hold_every_entry_once_at_any_depth(catalogue: Catalogue, sample: "Sample") -> None:
    attempts = sample.entries(catalogue, 7)
    forth, page = [], catalogue.queue(QueueFilter(), PageOf(limit=3))
    assert not page.earlier
    while True:
        forth.append([entry.attempt_id for entry in page.entries])
        if not page.later:
            break
        page = catalogue.queue(QueueFilter(), PageOf(after=page.entries[-1].place, limit=3))
        assert page.earlier
    assert forth == [attempts[:3], attempts[3:6], attempts[6:]]
    page = catalogue.queue(QueueFilter(), PageOf(before=page.entries[0].place, limit=3))
    assert ([entry.attempt_id for entry in page.entries], page.earlier, page.later) == (attempts[3:6], True, True)
    page = catalogue.queue(QueueFilter(), PageOf(before=page.entries[0].place, limit=3))
    assert ([entry.attempt_id for entry in page.entries], page.earlier, page.later) == (attempts[:3], False, True)
    jumped = catalogue.queue(QueueFilter(), PageOf(position=4, limit=2))
    assert ([entry.attempt_id for entry in jumped.entries], jumped.earlier, jumped.later) == (attempts[4:6], True, True)


def test_the_least_or_most_trusted_come_first_page_by_page_and_what_tells_no_trust_is_left_out(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    trusts = (0.5, 0.9, 0.5, 0.1)
    made = [sample.entry(catalogue, sample.record(f"t{n}"), measures={"trust": each}) for n, each in enumerate(trusts)]
    untold = sample.entry(catalogue, sample.record("untold"))
    doubted = [made[3], made[0], made[2], made[1]]
    for order, expected in ((Order.DOUBTED, doubted), (Order.TRUSTED, doubted[::-1])):
        wanted = QueueFilter(order=order)
        first = catalogue.queue(wanted, PageOf(limit=2))
        second = catalogue.queue(wanted, PageOf(after=first.entries[-1].place, limit=2))
        assert [each.attempt_id for each in (*first.entries, *second.entries)] == expected
        assert (first.earlier, first.later, second.earlier, second.later) == (False, True, True, False)
        assert _ids(catalogue, wanted, PageOf(before=second.entries[0].place, limit=2)) == expected[:2]
        assert catalogue.queue_numbers(wanted, 10) == expected
        assert catalogue.queue_count(wanted).number == 4
        middle = catalogue.queue_entry(expected[1], order).place
        assert catalogue.place_before(wanted, middle).attempt_id == expected[0]  # type: ignore[union-attr]
        assert catalogue.next_unleased(wanted, "Aoi", after=middle).attempt_id == expected[2]  # type: ignore[union-attr]
        assert catalogue.queue_entry(untold, order).trust is None
    assert sorted(_ids(catalogue, QueueFilter(trust_from=0.5))) == sorted(made[:3])


def test_every_measure_puts_the_queue_in_its_order(catalogue: Catalogue, sample: "Sample") -> None:
    one, two, three = sample.entries(catalogue, 3)
    figures = {one: (0.2, 0.9), two: (0.5, 0.4), three: (0.2, 0.6)}
    with writing(catalogue.engine).begin() as connection:
        for attempt, (error, likeness) in figures.items():
            changed = update(Review).where(Review.attempt_id == attempt)
            connection.execute(changed.values(error=error, likeness=likeness))
    orders = {
        Order.SMALL_ERROR: [one, three, two],
        Order.ALIKE: [one, three, two],
        Order.OLDEST: [one, two, three],
    }
    falling = {Order.SMALL_ERROR: Order.LARGE_ERROR, Order.ALIKE: Order.UNLIKE, Order.OLDEST: Order.NEWEST}
    for order, expected in orders.items():
        for each, those in ((order, expected), (falling[order], expected[::-1])):
            wanted = QueueFilter(order=each)
            assert catalogue.queue_numbers(wanted, 9) == those
            place = catalogue.queue_entry(those[1], each).place
            assert _ids(catalogue, wanted, PageOf(after=place)) == those[2:]
            assert _ids(catalogue, wanted, PageOf(before=place)) == those[:1]


def test_entries_that_leave_the_queue_shift_no_page(catalogue: Catalogue, sample: "Sample") -> None:
    attempts = sample.entries(catalogue, 6)
    page = catalogue.queue(QueueFilter(), PageOf(limit=3))
    for attempt in attempts[:3]:
        catalogue.give_verdict(attempt, "curator", APPROVED)
    assert _ids(catalogue, page=PageOf(after=page.entries[-1].place, limit=3)) == attempts[3:]


LEAVES: list[tuple[QueueFilter, list[str]]] = [
    (QueueFilter(archive="another"), ["two"]),
    (QueueFilter(archive="nobody's"), []),
    (QueueFilter(batch_id=1), ["one"]),
    (QueueFilter(artist="国貞"), ["two"]),
    (QueueFilter(actor="Ichikawa Danjūrō"), ["one"]),
    (QueueFilter(year_to=1799), []),
    (QueueFilter(year_from=1805, year_to=1805), ["one"]),
    (QueueFilter(year_from=1806), ["two"]),
    (QueueFilter(recipe="jadh2016/config3_3_4"), ["two", "one", "three"]),
    (QueueFilter(recipe="another"), []),
    (QueueFilter(likeness_from=0.6), ["two", "three"]),
    (QueueFilter(likeness_to=0.6), ["one"]),
    (QueueFilter(likeness_from=0.6, likeness_to=0.85), ["two"]),
    (QueueFilter(error_from=0.15, error_to=0.2), ["two"]),
    (QueueFilter(outcome=Outcome.REJECTED), ["three"]),
    (QueueFilter(words="豊国"), ["one"]),
    (QueueFilter(words="歌川豊国"), ["one"]),
    (QueueFilter(words="忠臣蔵 豊国"), ["one"]),
    (QueueFilter(words="国"), ["two", "one", "three"]),
    (QueueFilter(words="周"), ["three"]),
    (QueueFilter(words="DANJURO 忠臣"), ["one"]),
    (QueueFilter(words="kikugorō danjuro"), []),
    (QueueFilter(words="歌川豐國"), ["one"]),
    (QueueFilter(words="utagawa toyokuni"), ["one"]),
    (QueueFilter(words="とよくに 團十郎"), ["one"]),
    (QueueFilter(words="尾上菊五郎"), ["two"]),
    (QueueFilter(words="100%"), ["two"]),
    (QueueFilter(words="1%0"), []),
    (QueueFilter(words="国貞 two", archive="another"), ["two"]),
    (QueueFilter(queue=Queue.REDONE), []),
    (QueueFilter(queue=Queue.ALL, verdict=Verdict.APPROVED), []),
]


@pytest.mark.parametrize("rare", [5000, 0], ids=["looked up", "tested one by one"])
def test_each_filter_leaves_what_it_says(
    catalogue: Catalogue, shelf: dict[str, int], rare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.base.search.RARE", rare)
    monkeypatch.setattr("db.queries.review.filter.RARE", rare)
    assert [(wanted, _names(catalogue, wanted)) for wanted, _ in LEAVES] == LEAVES


def test_a_record_that_changes_is_found_by_its_new_words_and_years_only(
    catalogue: Catalogue, sample: "Sample", shelf: dict[str, int]
) -> None:
    changed = sample.record("two", title="暫", artists=("国貞",), year_from=1860, year_to=1861)
    catalogue.add_record(sample.archive(catalogue, "another"), changed)
    assert _names(catalogue, QueueFilter(words="Sukeroku")) == []
    assert _names(catalogue, QueueFilter(words="暫", year_from=1860)) == ["two"]


def test_a_title_that_no_database_holds_is_found_by_the_rest_of_it(catalogue: Catalogue, sample: "Sample") -> None:
    for title in ("暫\ud800 one\0", "暫\ud800 two\0"):
        record = sample.record("odd", title=title)
        if title.endswith("one\0"):
            sample.entry(catalogue, record)
        else:
            catalogue.add_record(sample.archive(catalogue), record)
    assert _names(catalogue, QueueFilter(words="暫 two")) == ["odd"]
    assert _names(catalogue, QueueFilter(words="暫 one")) == []


def test_verdicts_and_curators_are_found_among_all(catalogue: Catalogue, shelf: dict[str, int]) -> None:
    catalogue.give_verdict(shelf["one"], "Aoi", APPROVED)
    catalogue.give_verdict(shelf["two"], "Ren", WRONG_COLOUR)
    assert _names(catalogue, QueueFilter()) == ["three"]
    assert _names(catalogue, QueueFilter(queue=Queue.ALL, verdict=Verdict.APPROVED)) == ["one"]
    assert _names(catalogue, QueueFilter(queue=Queue.ALL, curator="Ren")) == ["two"]
    assert len(_names(catalogue, QueueFilter(queue=Queue.ALL))) == 3


def test_facets_count_what_each_value_would_leave(catalogue: Catalogue, shelf: dict[str, int]) -> None:
    catalogue.give_verdict(shelf["one"], "Aoi", APPROVED)
    facets = catalogue.facets(QueueFilter(archive="another"))
    assert facets.total == Count(1)
    assert sorted(facets.values["archive"], key=str) == [Facet("another", Count(1)), Facet("sample", Count(1))]
    assert facets.values["outcome"] == (Facet("succeeded", Count(1)),)
    assert facets.values["artist"] == (Facet("国貞", Count(1)),)
    assert "verdict" not in facets.values
    judged = catalogue.facets(QueueFilter(queue=Queue.ALL)).values
    assert (judged["verdict"], judged["curator"]) == ((Facet("approved", Count(1)),), (Facet("Aoi", Count(1)),))


def test_what_has_to_be_tested_entry_by_entry_is_counted_at_the_head_of_the_queue(
    catalogue: Catalogue, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.review.filter.RARE", 0)
    sample.entries(catalogue, 4)
    assert catalogue.queue_count(QueueFilter(words="print")) == Count(4)
    monkeypatch.setattr("db.queries.review.filter.TESTED", 3)
    monkeypatch.setattr("db.queries.review.filter.HEAD", 3)
    assert catalogue.queue_count(QueueFilter(words="print")) == Count(3, more=True)
    assert catalogue.queue_count(QueueFilter(words="print", archive="nobody's")) == Count(0)
    facets = catalogue.facets(QueueFilter(words="print"))
    assert (facets.total, facets.values["outcome"]) == (Count(3, more=True), (Facet("succeeded", Count(3, more=True)),))
    assert len(_ids(catalogue, QueueFilter(words="print"))) == 4


def test_what_was_rejected_is_offered_though_it_stands_behind_the_head_of_the_queue(
    catalogue: Catalogue, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.review.facets.HEAD", 1)
    sample.entries(catalogue, 2)
    sample.entry(catalogue, sample.record("poor"), outcome=Outcome.REJECTED)
    outcomes = catalogue.facets(QueueFilter()).values["outcome"]
    assert outcomes == (Facet("succeeded", Count(2)), Facet("rejected", Count(1)))


def test_every_queue_is_counted_at_once_and_only_those_with_judged_entries_by_verdict(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    first, *_ = sample.entries(catalogue, 3)
    catalogue.give_verdict(first, "Aoi", APPROVED)
    wanted = QueueFilter(verdict=Verdict.APPROVED)
    numbers = {queue: count.number for queue, count in catalogue.queue_counts(wanted).items()}
    assert numbers == {Queue.WAITING: 2, Queue.REDONE: 0, Queue.CONFLICTS: 0, Queue.ALL: 1}


@pytest.mark.parametrize("head", [1, 100], ids=["longer than its head", "counted one by one"])
def test_counts_stop_at_their_bound_and_say_so(
    catalogue: Catalogue, sample: "Sample", head: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.review.filter.CAP", 2)
    monkeypatch.setattr("db.queries.review.facets.HEAD", head)
    sample.entries(catalogue, 2)
    assert catalogue.queue_count(QueueFilter()) == Count(2)
    sample.entry(catalogue, sample.record("third"))
    assert catalogue.queue_count(QueueFilter()) == Count(2, more=True)
    assert catalogue.facets(QueueFilter()).values["archive"] == (Facet("sample", Count(2, more=True)),)


def test_an_entry_made_again_after_a_return_waits_for_whoever_returned_it(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    record = sample.record("gray")
    first = sample.entry(catalogue, record)
    catalogue.give_verdict(first, "Aoi", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    content = catalogue.attempt(first).content.image_id
    sample.recipe = type(sample.recipe)("another recipe", {}, "a1b2")
    style = catalogue.find_styles("colour")[0].image_id
    catalogue.pair_up([content], [style], sample.matcher)
    batch = catalogue.take_pairs(sample.recipe, sample.models, [catalogue.attempt(first).match_id or 0])
    assert batch is not None
    (pending,) = catalogue.pending_attempts(batch)
    catalogue.close_attempt(batch, pending.id, sample.succeeded(catalogue, "again"))
    redone = QueueFilter(queue=Queue.REDONE)
    assert [each.attempt_id for each in catalogue.queue(redone, reader="Aoi").entries] == [pending.id]
    assert catalogue.queue(redone, reader="Aoi").entries[0].returned_by == "Aoi"
    assert catalogue.queue(redone, reader="Ren").entries == ()
    catalogue.undo_verdict("Aoi")
    assert catalogue.queue(redone, reader="Aoi").entries == ()


def test_only_what_was_begun_after_a_return_is_redone(catalogue: Catalogue, sample: "Sample") -> None:
    first = sample.entry(catalogue, sample.record("gray"))
    sample.recipe = type(sample.recipe)("another recipe", {}, "a1b2")
    (second,) = sample.night(catalogue)
    catalogue.give_verdict(first, "Aoi", WRONG_COLOUR)
    assert catalogue.queue_entry(second).returned_by is None
    sample.recipe = type(sample.recipe)("a third", {}, "c3d4")
    (third,) = sample.night(catalogue)
    assert catalogue.queue_entry(third).returned_by == "Aoi"


def test_a_record_that_comes_to_speak_for_a_print_is_what_the_queue_finds_it_by(
    catalogue: Catalogue, sample: "Sample"
) -> None:
    attempt = sample.entry(catalogue, sample.record("gray"))
    sample.store(
        catalogue, sample.record("twin", year_from=1900, year_to=1900), Tone.GRAYSCALE, archive="another", data=b"gray"
    )
    assert _ids(catalogue, QueueFilter(archive="another")) == []
    catalogue.add_record(sample.archive(catalogue), sample.record("gray", derivatives=Derivatives.ASK))
    assert _ids(catalogue, QueueFilter(archive="another", year_from=1900)) == [attempt]
    catalogue.withdraw_unlisted(sample.archive(catalogue, "another"), [])
    assert catalogue.queue_entry(attempt).withheld  # by the record that speaks now
    catalogue.add_record(sample.archive(catalogue), sample.record("gray"))
    assert _ids(catalogue, QueueFilter(archive="sample", year_to=1852)) == [attempt]


def test_a_match_found_anew_with_another_score_takes_another_place(catalogue: Catalogue, sample: "Sample") -> None:
    content = sample.store(catalogue, sample.record("gray"), Tone.GRAYSCALE)
    styles = [sample.store(catalogue, sample.record(f"colour {n}"), Tone.COLOUR) for n in range(2)]
    sample.match(catalogue, content, styles[0], score=0.9)
    (attempt,) = sample.night(catalogue)
    catalogue.add_record(sample.archive(catalogue), sample.record("colour 0", derivatives=Derivatives.NO))
    sample.match(catalogue, content, styles[1], styles[0], score=0.8)
    assert catalogue.queue_entry(attempt).place.precedence == pytest.approx(0.6)


def test_a_failed_attempt_has_nothing_to_judge(catalogue: Catalogue, sample: "Sample") -> None:
    failed = sample.entry(catalogue, sample.record("r1"), outcome=Outcome.FAILED, output=None)
    assert _ids(catalogue, QueueFilter(queue=Queue.ALL)) == []
    with pytest.raises(UnknownEntry, match="with a picture"):
        catalogue.queue_entry(failed)
    with pytest.raises(UnknownEntry, match="with a picture"):
        catalogue.give_verdict(failed, "Aoi", APPROVED)


@pytest.mark.parametrize("queue", Queue)
@pytest.mark.parametrize(
    "wanted",
    [
        QueueFilter(),
        QueueFilter(order=Order.LARGE_ERROR),
        QueueFilter(words="sukeroku"),
        QueueFilter(artist="歌川 豊国", verdict=Verdict.APPROVED),
    ],
)
def test_a_page_with_its_counts_is_each_by_itself(
    catalogue: Catalogue, shelf: dict[str, int], queue: Queue, wanted: QueueFilter
) -> None:
    catalogue.give_verdict(shelf["one"], "Aoi", APPROVED)
    asked, page = replace(wanted, queue=queue), PageOf(limit=2)
    assert catalogue.queue_with_counts(asked, page, reader="Aoi") == (
        catalogue.queue(asked, page, reader="Aoi"),
        catalogue.queue_counts(asked, reader="Aoi"),
    )
