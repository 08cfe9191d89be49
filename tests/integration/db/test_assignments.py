"""Views of the queue that a curator is asked to judge, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.desk import DONE_DAYS, MOST_ASSIGNED, NotAssigned
from db.entries.review import Role
from db.queries.base.store import now
from db.tables.review import ViewAssigned


@pytest.fixture
def people(catalogue: Catalogue) -> None:
    for name, role in {"Aoi": Role.CURATOR, "Ren": Role.ADMIN, "Mio": Role.VIEWER, "Ume": Role.CURATOR}.items():
        catalogue.add_curator(name, role, "hash")
    catalogue.disable_curator("Ume")


def _assign(catalogue: Catalogue, curator: str = "Aoi", query: str = "fault=face", by: str = "Ren") -> None:
    assert catalogue.assign_view(curator, query, name="faces", note="by Friday", by=by) is None


@pytest.mark.usefixtures("people")
def test_whoever_can_judge_is_given_a_view_by_several(catalogue: Catalogue) -> None:
    _assign(catalogue)
    _assign(catalogue, " Ren ")
    _assign(catalogue, query="words=x", by="Aoi")
    newest, oldest = catalogue.assigned_to("Aoi")
    assert (oldest.name, oldest.query, oldest.note, oldest.by) == ("faces", "fault=face", "by Friday", "Ren")
    assert (newest.query, newest.by, newest.curator.name) == ("words=x", "Aoi", "Aoi")
    assert [each.curator.name for each in catalogue.assigned_by("Ren")] == ["Ren", "Aoi"]
    assert len(catalogue.assigned_by(None)) == 3


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("name", ["Mio", "Ume", "Nobody", ""])
def test_nobody_else_is_given_one(catalogue: Catalogue, name: str) -> None:
    assert catalogue.assign_view(name, "", name="all", note="", by="Ren") is NotAssigned.NOBODY
    assert catalogue.assigned_by(None) == []


@pytest.mark.usefixtures("people")
def test_a_view_is_given_again_only_when_it_is_done_or_taken_back(catalogue: Catalogue) -> None:
    for end in (catalogue.finish_assignment, catalogue.take_back_assignment):
        _assign(catalogue)
        assert catalogue.assign_view("Aoi", "fault=face", name="x", note="", by="Aoi") is NotAssigned.TWICE
        (held,) = catalogue.assigned_to("Aoi")
        assert end(held.id)
        assert not catalogue.finish_assignment(held.id)
        assert not catalogue.take_back_assignment(held.id)
        assert catalogue.open_assignment(held.id) is None
    (done,) = catalogue.assigned_by("Ren")
    assert done.done_at is not None
    assert catalogue.assigned_by("Aoi") == []


@pytest.mark.usefixtures("people")
def test_two_who_assign_the_same_at_once_assign_it_once(catalogue: Catalogue) -> None:
    with ThreadPoolExecutor(4) as pool:
        given = [pool.submit(catalogue.assign_view, "Aoi", "", name="all", note="", by="Ren") for _ in range(8)]
    assert sorted(str(each.result()) for each in given) == sorted(["None", *["twice"] * 7])


@pytest.mark.usefixtures("people")
def test_there_is_an_end_of_what_one_person_is_given(catalogue: Catalogue) -> None:
    for number in range(MOST_ASSIGNED):
        _assign(catalogue, query=f"batch_id={number}")
    assert catalogue.assign_view("Aoi", "", name="one more", note="", by="Ren") is NotAssigned.FULL
    _assign(catalogue, "Ren")
    catalogue.finish_assignment(catalogue.assigned_to("Aoi")[0].id)
    _assign(catalogue, query="")


@pytest.mark.usefixtures("people")
def test_what_was_done_long_ago_is_told_no_more(catalogue: Catalogue) -> None:
    _assign(catalogue)
    (held,) = catalogue.assigned_to("Aoi")
    catalogue.finish_assignment(held.id)
    long_ago = update(ViewAssigned).values(done_at=now() - timedelta(days=DONE_DAYS, seconds=1))
    with writing(catalogue.engine).begin() as connection:
        connection.execute(long_ago)
    assert catalogue.assigned_by("Ren") == []


@pytest.mark.usefixtures("people")
def test_an_assignment_knows_what_became_of_the_account(catalogue: Catalogue) -> None:
    _assign(catalogue)
    assert catalogue.assigned_by("Ren")[0].curator.may_judge
    catalogue.change_role("Aoi", Role.VIEWER)
    assert not catalogue.assigned_by("Ren")[0].curator.may_judge
    catalogue.disable_curator("Aoi")
    assert catalogue.assigned_by("Ren")[0].curator.disabled_at is not None
