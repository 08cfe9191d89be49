"""Several processes at one batch: each takes what nobody has; who stalls or dies loses it, and doubles nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import and_, update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.night import AttemptResult, BatchEntry, Outcome
from db.errors import BatchLost, BatchUnfinished, UnknownEntry
from db.queries.night import leases
from db.settings import CatalogueSettings
from db.tables.night import Attempt, BatchLease

if TYPE_CHECKING:
    from tests.samples import Sample

FAILED = AttemptResult(Outcome.FAILED, "cpu", {}, error_class="Diverged", error_message="no finite iterate")
ELSEWHERE = {"host": "elsewhere", "pid": 1}


@pytest.fixture(autouse=True)
def began(monkeypatch: pytest.MonkeyPatch) -> "Began":
    """The database has been there for long, whenever the tests started it."""
    began = Began()
    monkeypatch.setattr(leases, "_began", lambda _: began.at)
    return began


class Began:
    """When the database was started; None: it has no such moment."""

    at: datetime | None = None


@pytest.fixture
def both(settings: CatalogueSettings, sample: "Sample") -> Iterator[tuple[Catalogue, Catalogue]]:
    with sample.both(settings) as catalogues:
        yield catalogues


def set_lease(catalogue: Catalogue, batch: BatchEntry, **values: Any) -> None:
    with writing(catalogue.engine).begin() as connection:
        connection.execute(update(BatchLease).where(BatchLease.id == batch.lease).values(values))


def silent(seconds: float) -> dict[str, Any]:
    return {"heartbeat_at": datetime.now(UTC) - timedelta(seconds=seconds)}


def joined(catalogue: Catalogue, batch: BatchEntry) -> BatchEntry:
    found = catalogue.join(batch.id)
    assert found is not None
    return found


def free(catalogue: Catalogue, batch: BatchEntry) -> list[int]:
    return [attempt.id for attempt in catalogue.pending_attempts(batch)]


def test_who_stalls_and_then_closes_is_dropped_and_the_others_result_stands(
    both: tuple[Catalogue, Catalogue], sample: "Sample"
) -> None:
    slow, other = both
    sample.pairs(slow, 2)
    stalled = sample.take(slow)
    (first, second) = slow.take_attempts(stalled, free(slow, stalled))
    set_lease(slow, stalled, **silent(121))
    held = joined(other, stalled)
    assert held.lease > stalled.lease
    assert other.take_attempts(held, free(other, held)) == {first: 2, second: 2}
    other.close_attempt(held, first, sample.succeeded(other))
    for attempt in (first, second):  # what was closed meanwhile, and what is in work elsewhere
        with pytest.raises(BatchLost, match="taken over by another process"):
            slow.close_attempt(stalled, attempt, FAILED)
    for late in (slow.keep_alive, slow.close_batch):
        with pytest.raises(BatchLost):
            late(stalled)
    slow.release_batch(stalled)  # hands nothing back that is not ours
    assert free(slow, held) == []
    with pytest.raises(BatchUnfinished, match="1 attempts without an outcome"):
        other.close_batch(held)
    other.close_attempt(held, second, FAILED)
    other.close_batch(held)
    assert [attempt.outcome for attempt in slow.batch_attempts(held.id)] == ["succeeded", "failed"]
    assert slow.unfinished_batches() == []


def test_a_database_that_was_away_has_heard_no_heart_and_takes_nobody_for_dead(
    both: tuple[Catalogue, Catalogue], sample: "Sample", began: Began
) -> None:
    one, other = both
    sample.pairs(one, 1)
    batch = sample.take(one)
    set_lease(one, batch, **ELSEWHERE, **silent(500))
    began.at = datetime.now(UTC) - timedelta(seconds=60)
    joined(other, batch)
    one.keep_alive(batch)
    set_lease(one, batch, **silent(500))
    began.at = datetime.now(UTC) - timedelta(seconds=121)
    joined(other, batch)
    with pytest.raises(BatchLost):
        one.keep_alive(batch)


def test_who_looks_for_work_ends_no_lease_of_its_own(both: tuple[Catalogue, Catalogue], sample: "Sample") -> None:
    one, _ = both
    sample.pairs(one, 1)
    batch = sample.take(one)
    set_lease(one, batch, **silent(500))
    assert len(free(one, batch)) == 1
    one.keep_alive(batch)


def test_without_the_lease_the_same_late_result_is_written(
    both: tuple[Catalogue, Catalogue], sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: it shows that the test above can fail."""
    slow, other = both
    sample.pairs(slow, 1)
    stalled = sample.take(slow)
    (attempt,) = slow.take_attempts(stalled, free(slow, stalled))
    set_lease(slow, stalled, **silent(121))
    held = joined(other, stalled)
    other.take_attempts(held, free(other, held))
    monkeypatch.setattr(leases, "hold", lambda *_: None)
    monkeypatch.setattr(leases, "free", lambda number, *_: and_(Attempt.batch_id == number, Attempt.outcome.is_(None)))
    slow.close_attempt(stalled, attempt, FAILED)
    assert [each.outcome for each in other.batch_attempts(held.id)] == ["failed"]


def test_two_at_one_batch_share_it_and_the_last_closes_it(both: tuple[Catalogue, Catalogue], sample: "Sample") -> None:
    one, other = both
    sample.pairs(one, 3)
    first = sample.take(one)
    assert [batch.id for batch in other.unfinished_batches()] == [first.id]
    second = joined(other, first)
    attempts = free(one, first)
    assert one.take_attempts(first, attempts[:2]) == {attempts[0]: 1, attempts[1]: 1}
    assert other.take_attempts(second, attempts) == {attempts[2]: 1}
    with pytest.raises(UnknownEntry, match="not pending"):
        other.close_attempt(second, attempts[0], FAILED)
    assert other.unfinished_batches() == []
    assert one.join(first.id) is None
    assert [batch.id for batch in other.batches_at_work()] == [first.id]
    for catalogue, batch, numbers in ((one, first, attempts[:2]), (other, second, attempts[2:])):
        for number in numbers:
            catalogue.close_attempt(batch, number, FAILED)
    one.close_batch(first)
    assert [batch.id for batch in other.batches_at_work()] == [first.id], "the other may still open attempts"
    other.close_batch(second)
    assert (other.batches_at_work(), other.unfinished_batches()) == ([], [])
    assert other.join(first.id) is None


def test_two_that_take_at_once_have_nothing_in_common(both: tuple[Catalogue, Catalogue], sample: "Sample") -> None:
    sample.pairs(both[0], 8)
    batch = sample.take(both[0])
    both[0].release_batch(batch)
    start, got = Barrier(2), []

    def take(catalogue: Catalogue) -> None:
        held = joined(catalogue, batch)
        numbers = free(catalogue, held)
        start.wait()
        got.append(list(catalogue.take_attempts(held, numbers)))

    threads = [Thread(target=take, args=(each,)) for each in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([*got[0], *got[1]]) == list(range(1, 9))


def test_a_lost_lease_returns_its_attempts_with_the_try_counted_and_one_put_down_without(
    both: tuple[Catalogue, Catalogue], sample: "Sample"
) -> None:
    one, other = both
    sample.pairs(one, 2)
    batch = sample.take(one)
    kept, died = free(one, batch)
    one.take_attempts(batch, [died])
    set_lease(one, batch, process_start="another boot:1")
    held = joined(other, batch)
    assert [(attempt.id, attempt.tries) for attempt in other.pending_attempts(held)] == [(kept, 0), (died, 1)]
    assert other.take_attempts(held, [kept, died]) == {kept: 1, died: 2}
    other.release_batch(held)
    assert [(attempt.id, attempt.tries) for attempt in other.pending_attempts(held)] == [(kept, 0), (died, 1)]


def test_what_a_worker_died_over_is_anybodys_and_its_try_counts_unless_nothing_was_to_blame(
    both: tuple[Catalogue, Catalogue], sample: "Sample"
) -> None:
    one, other = both
    sample.pairs(one, 3)
    first = sample.take(one)
    second = joined(other, first)
    fatal, innocent, theirs = free(one, first)
    one.take_attempts(first, [fatal, innocent])
    other.take_attempts(second, [theirs])
    one.put_down(first, [fatal, theirs])
    assert other.take_attempts(second, [fatal, innocent]) == {fatal: 2}
    one.put_down(first, [innocent, theirs], blamed=False)
    assert other.take_attempts(second, [innocent, theirs]) == {innocent: 1, theirs: 2}
    one.release_batch(first)
    with pytest.raises(BatchLost):
        one.put_down(first, [fatal])


def test_a_batch_is_closed_though_one_that_had_joined_it_is_dead(
    both: tuple[Catalogue, Catalogue], sample: "Sample"
) -> None:
    one, other = both
    sample.pairs(one, 1)
    first = sample.take(one)
    set_lease(one, joined(other, first), process_start="another boot:1")
    one.close_attempt(first, free(one, first)[0], FAILED)
    one.close_batch(first)
    assert (one.unfinished_batches(), one.join(first.id)) == ([], None)


@pytest.mark.parametrize("owner", [{"process_start": "another boot:1"}, {"pid": 2**22 + 1}])
def test_a_process_that_ended_or_whose_number_is_used_again_is_gone(
    catalogue: Catalogue, sample: "Sample", owner: dict[str, Any]
) -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    catalogue.take_attempts(batch, free(catalogue, batch))
    assert (catalogue.dead_batches(), catalogue.join(batch.id)) == ([], None)
    set_lease(catalogue, batch, **owner)
    assert [each.id for each in catalogue.dead_batches()] == [batch.id]
    assert joined(catalogue, batch).left == 1


@pytest.mark.parametrize(("heard_s_ago", "alive"), [(0, True), (110, True), (130, False), (-110, True), (-3600, False)])
def test_of_a_process_elsewhere_only_the_heartbeat_tells_whichever_way_the_clock_jumps(
    catalogue: Catalogue, sample: "Sample", heard_s_ago: float, alive: bool
) -> None:
    sample.pairs(catalogue, 1)
    batch = sample.take(catalogue)
    catalogue.take_attempts(batch, free(catalogue, batch))
    set_lease(catalogue, batch, **ELSEWHERE, **silent(heard_s_ago))
    assert (catalogue.join(batch.id) is None) is alive


def test_a_heart_that_beats_while_it_is_taken_for_dead_keeps_its_lease(
    both: tuple[Catalogue, Catalogue], sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = both
    if one.engine.dialect.name == "sqlite":  # writers take turns there
        return
    sample.pairs(one, 1)
    batch = sample.take(one)
    set_lease(one, batch, **silent(130))

    def beats_meanwhile(*_: Any) -> bool:
        one.keep_alive(batch)
        return True

    monkeypatch.setattr(leases, "_is_silent", beats_meanwhile)
    other.pending_attempts(batch)
    one.keep_alive(batch)


def test_the_moment_of_a_heartbeat_is_the_databases(
    catalogue: Catalogue, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose clock is wrong is not taken for dead; on SQLite there is no other clock."""
    if catalogue.engine.dialect.name == "sqlite":
        return
    sample.pairs(catalogue, 1)
    monkeypatch.setattr("db.queries.night.leases.now", lambda: datetime.now(UTC) + timedelta(days=1))
    batch = sample.take(catalogue)
    catalogue.take_attempts(batch, free(catalogue, batch))
    set_lease(catalogue, batch, **ELSEWHERE)
    assert catalogue.join(batch.id) is None
