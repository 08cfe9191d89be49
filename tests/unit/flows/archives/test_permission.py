"""What a written permission changes of a record's rights, and what it leaves."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from flows.archives.record import Derivatives, Record, Rights
from flows.archives.values.permission import PERMITTED, Permission, permitted
from flows.settings import ArchiveSettings

TODAY = date(2026, 11, 27)
GIVEN = Permission(reference="Letter 12", document="letters/12.pdf", given=date(2026, 3, 1), scope="review only")
HELD = Record(
    "arcUP0001", datetime(2026, 1, 1, tzinfo=UTC), Rights(Derivatives.NO, "its terms", text="No editing."), "{}",
    holder="Theatre museum",
)  # fmt: skip


@pytest.mark.parametrize("said", [Derivatives.NO, Derivatives.ASK, Derivatives.UNKNOWN, Derivatives.CONTRADICTORY])
def test_a_permission_allows_and_its_letter_stands_beside_what_the_archive_said(said: Derivatives) -> None:
    found = permitted(replace(HELD, rights=replace(HELD.rights, derivatives=said)), GIVEN, TODAY).rights
    assert found.derivatives is Derivatives.YES
    assert found.text == "No editing."
    for word in (PERMITTED, "Letter 12", "2026-03-01", "letters/12.pdf", "review only", f"{said}: its terms"):
        assert word in found.basis


@pytest.mark.parametrize(
    ("limits", "covered"),
    [
        ({"holders": ("Theatre museum",)}, True),
        ({"holders": ("Another",)}, False),
        ({"identifiers": ("arcUP", "x")}, True),
        ({"identifiers": ("MFA",)}, False),
        ({"given": date(2026, 12, 1)}, False),
        ({"until": TODAY}, True),
        ({"until": date(2026, 11, 26)}, False),
    ],
)
def test_it_allows_no_more_than_it_covers(limits: dict[str, object], covered: bool) -> None:
    found = permitted(HELD, GIVEN.model_copy(update=limits), TODAY)
    assert (found != HELD) is covered


def test_without_one_and_where_all_is_allowed_already_nothing_changes() -> None:
    free = replace(HELD, rights=Rights(Derivatives.YES, "CC0"))
    assert permitted(HELD, None, TODAY) == HELD
    assert permitted(free, GIVEN, TODAY) == free


def test_another_permission_takes_the_place_of_the_first_and_none_leaves_what_was() -> None:
    first = permitted(HELD, GIVEN, TODAY)
    second = GIVEN.model_copy(update={"reference": "Letter 13"})
    assert permitted(first, second, TODAY) == permitted(HELD, second, TODAY)
    assert permitted(first, None, TODAY) == HELD


@pytest.mark.parametrize("basis", [PERMITTED, f"{PERMITTED} Letter 12; without it maybe: x"])
def test_a_permission_that_cannot_be_taken_apart_leaves_nothing_allowed(basis: str) -> None:
    odd = replace(HELD, rights=Rights(Derivatives.YES, basis))
    assert permitted(odd, None, TODAY).rights.derivatives is Derivatives.UNKNOWN


def test_it_stands_in_the_archives_table() -> None:
    table = {"address": "https://a.example/oai", "permission": {**GIVEN.model_dump(mode="json")}}
    assert ArchiveSettings.model_validate(table).permission == GIVEN
