"""How the databases answer what a claim asks: by look-ups, so that it takes no longer in a large catalogue."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Select, and_, not_

from db.catalogue import Catalogue
from db.entries.night import Verdict
from db.entries.review import Judgement, Reason
from db.queries.night import claims
from db.queries.night.claims import approved, chosen_match, is_for_nights, next_candidate
from db.tables.night import Batch

if TYPE_CHECKING:
    from tests.samples import Sample

PLACES = {"place": 0, "some": [1, 2, 3], "most": 500}
LARGE = {"attempts", "images", "matches", "reviews"}
RETURNED = "ix_reviews_wrong_match"
"""What is read whole: few are returned as a wrong match."""


def _read_whole(catalogue: Catalogue, asked: Select[Any]) -> set[str]:
    """Large tables that the database would read from end to end, however few rows there are today."""
    said = str(asked.params(PLACES).compile(catalogue.engine, compile_kwargs={"literal_binds": True}))
    with catalogue.engine.connect() as connection:
        if catalogue.engine.dialect.name == "sqlite":
            lines = [row.detail.split() for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {said}")]
            return {
                line[1].rstrip("_0123456789") for line in lines if line[0] == "SCAN" and RETURNED not in line
            } & LARGE
        for way in ("seqscan", "hashjoin", "mergejoin", "bitmapscan"):  # which win where there are few rows
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        (plan,) = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {said}").scalars()
    return set(_scans(plan[0]["Plan"])) & LARGE


def _scans(node: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in node and "Index Cond" not in node and node.get("Index Name") != RETURNED:
        yield node["Relation Name"]
    for below in node.get("Plans", ()):
        yield from _scans(below)


@pytest.mark.parametrize("chosen", [next_candidate, chosen_match])
def test_a_claim_looks_up_what_it_asks_for(catalogue: Catalogue, sample: "Sample", chosen: Any) -> None:
    for attempt in sample.entries(catalogue, 3):
        catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.RETURNED, Reason.WRONG_MATCH))
    kind = claims.matches(chosen(), sample.matcher, and_(is_for_nights(), not_(approved(sample.recipe.name))))
    batch = Batch(recipe_digest="another", models_digest="c0ffee", styles=1)
    for asked in (kind.next_ones(), kind.due(batch)):
        assert _read_whole(catalogue, asked) == set()
