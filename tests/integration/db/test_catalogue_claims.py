"""Two nights at once, over connections of their own that commit for real: nothing is claimed twice."""

from threading import Barrier, Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection, event, text, update

from db.catalogue import Catalogue
from db.engine import writing
from db.settings import CatalogueSettings
from db.tables.night import BatchLease

if TYPE_CHECKING:
    from tests.samples import Sample


def _take_at_once(settings: CatalogueSettings, sample: "Sample", limit: int) -> list[list[str]]:
    """What two nights claim that begin together, each until nothing is due: content sha256s of each."""
    start = Barrier(2)
    claims: list[list[str]] = [[], []]

    def night(catalogue: Catalogue, mine: list[str]) -> None:
        start.wait()
        while batch := catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=limit):
            mine += [each.content.sha256 for each in catalogue.pending_attempts(batch)]

    with sample.both(settings) as both:
        threads = [Thread(target=night, args=pair) for pair in zip(both, claims, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return claims


@pytest.mark.long
def test_two_nights_at_once_never_claim_the_same_match(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 24)
    one, other = _take_at_once(settings, sample, limit=2)
    assert len(one) + len(other) == len({*one, *other}) == 24


@pytest.mark.long
def test_two_nights_that_claim_in_blocks_share_all_there_is(
    settings: CatalogueSettings, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.night.claims.BLOCK", 2)
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 24)
    one, other = _take_at_once(settings, sample, limit=20)
    assert len(one) + len(other) == len({*one, *other}) == 24


@pytest.mark.long
@pytest.mark.parametrize("moment", range(6))
def test_a_night_that_ends_between_two_blocks_loses_nothing_and_doubles_nothing(
    settings: CatalogueSettings, sample: "Sample", monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    monkeypatch.setattr("db.queries.night.claims.BLOCK", 2)
    with sample.both(settings) as (ending, next_night):
        contents = {content for content, _ in sample.pairs(next_night, 7)}
        writes = iter(range(moment))

        @event.listens_for(ending.engine, "begin")
        def killed(connection: Connection) -> None:
            if connection.get_execution_options().get("nishiki_writes") and next(writes, None) is None:
                raise SystemExit

        with pytest.raises(SystemExit):
            sample.take(ending)
        with writing(next_night.engine).begin() as connection:
            connection.execute(update(BatchLease).values(process_start="another boot:1"))  # as after kill -9
        taken = []
        for free in next_night.unfinished_batches():
            batch = next_night.join(free.id)
            assert batch is not None
            taken += next_night.pending_attempts(batch)
        assert len(taken) == min(7, 2 * max(0, moment - 1))
        rest = next_night.take_batch(sample.recipe, sample.models, sample.matcher, limit=None)
        taken += next_night.pending_attempts(rest) if rest else []
        assert len(taken) == 7
        assert {each.content.id for each in taken} == contents


@pytest.mark.long
def test_other_writers_get_their_turn_between_two_blocks(
    settings: CatalogueSettings, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.night.claims.BLOCK", 2)
    with sample.both(settings) as (night, other):
        sample.pairs(night, 6)
        seen: list[int] = []

        @event.listens_for(night.engine, "begin")
        def look(connection: Connection) -> None:
            if connection.get_execution_options().get("nishiki_writes"):
                seen.append(other.status()["attempts"]["pending"])

        sample.take(night)
    assert seen == [0, 0, 2, 4, 6]


@pytest.mark.long
def test_a_limit_holds_over_all_blocks(
    settings: CatalogueSettings, sample: "Sample", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.queries.night.claims.BLOCK", 2)
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 7)
        assert [sample.take(catalogue, limit=5).taken, sample.take(catalogue, limit=5).taken] == [5, 2]
        assert catalogue.take_batch(sample.recipe, sample.models, sample.matcher, limit=5) is None
        assert [batch.taken for batch in catalogue.batches_at_work()] == [5, 2], "no empty batch is left"


def _race_past_the_query(settings: CatalogueSettings, sample: "Sample") -> int:
    """Two nights that both saw the match as due before either claimed it; attempts there are then."""
    with sample.both(settings) as (one, other):
        sample.take(one)
        with writing(other.engine).begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO attempts (batch_id, match_id, content_sha256, style_sha256, recipe_name,"
                    " recipe_data, recipe_digest, encoder_name, weights_checksum, models, models_digest, inputs,"
                    " inputs_digest, number, transient, opened_at) SELECT batch_id, match_id, content_sha256,"
                    " style_sha256, recipe_name, recipe_data, recipe_digest, encoder_name, weights_checksum, models,"
                    " models_digest, inputs, inputs_digest, 2, transient, opened_at FROM attempts WHERE 1 = 1"
                    " ON CONFLICT DO NOTHING"
                )
            )
        return int(one.status()["attempts"]["pending"])


def test_the_index_refuses_a_claim_that_the_query_let_through(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 3)
    assert _race_past_the_query(settings, sample) == 3


def test_without_the_index_the_same_claim_is_made_twice(settings: CatalogueSettings, sample: "Sample") -> None:
    """The broken twin: it shows that the test above can fail."""
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 3)
        with writing(catalogue.engine).begin() as connection:
            connection.execute(text("DROP INDEX uq_attempts_claim"))
    assert _race_past_the_query(settings, sample) == 6


def test_one_of_two_at_once_gets_the_batch_of_which_nothing_but_tiles_is_left(
    settings: CatalogueSettings, sample: "Sample"
) -> None:
    with sample.both(settings) as both:
        sample.pairs(both[0], 1)
        batch = sample.take(both[0])
        both[0].close_attempt(batch, both[0].pending_attempts(batch)[0].id, sample.succeeded(both[0]))
        both[0].release_batch(batch)
        start, got = Barrier(2), []

        def resume(catalogue: Catalogue) -> None:
            start.wait()
            got.append(catalogue.join(batch.id))

        threads = [Thread(target=resume, args=(each,)) for each in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(each is None for each in got) == [False, True]
