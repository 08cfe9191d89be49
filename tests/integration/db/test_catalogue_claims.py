"""Two nights at once, over connections of their own that commit for real: nothing is claimed twice."""

from threading import Barrier, Thread
from typing import TYPE_CHECKING

from sqlalchemy import text

from db.catalogue import Catalogue
from db.engine import writing
from db.settings import CatalogueSettings

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


def test_two_nights_at_once_never_claim_the_same_match(settings: CatalogueSettings, sample: "Sample") -> None:
    with Catalogue.open(settings) as catalogue:
        sample.pairs(catalogue, 24)
    one, other = _take_at_once(settings, sample, limit=2)
    assert len(one) + len(other) == len({*one, *other}) == 24


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


def test_one_of_two_that_resume_at_once_gets_the_batch(settings: CatalogueSettings, sample: "Sample") -> None:
    with sample.both(settings) as both:
        sample.pairs(both[0], 1)
        batch = sample.take(both[0])
        both[0].release_batch(batch)
        start, got = Barrier(2), []

        def resume(catalogue: Catalogue) -> None:
            start.wait()
            got.append(catalogue.take_over(batch.id))

        threads = [Thread(target=resume, args=(each,)) for each in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(each is None for each in got) == [False, True]
