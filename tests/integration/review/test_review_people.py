"""Leases, accounts and sessions on both databases."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text, update

from db.catalogue import Catalogue
from db.engine import writing
from db.entries.night import Verdict
from db.entries.review import Judgement, Lease, QueueFilter, Role
from db.errors import NameTaken, UnknownEntry
from db.settings import CatalogueSettings
from db.tables.review import CuratorSession, LeaseHeld

if TYPE_CHECKING:
    from tests.samples import Sample

HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"


def _set(catalogue: Catalogue, table: type[Any], **values: Any) -> None:
    with writing(catalogue.engine).begin() as connection:
        connection.execute(update(table).values(values))


def _past() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_an_entry_that_one_curator_has_open_is_not_another_ones_next(catalogue: Catalogue, sample: "Sample") -> None:
    first, second = sample.entries(catalogue, 2)
    lease = catalogue.take_lease(first, "Aoi")
    assert timedelta(minutes=29) < lease.until - datetime.now(UTC) <= timedelta(minutes=30)
    assert catalogue.take_lease(first, "Ren") == lease
    for curator, expected in (("Aoi", first), ("Ren", second)):
        entry = catalogue.next_unleased(QueueFilter(), curator)
        assert entry is not None
        assert entry.attempt_id == expected
    place = catalogue.queue_entry(first).place
    assert catalogue.queue_entry(first).lease == lease
    assert catalogue.next_unleased(QueueFilter(), "Aoi", after=catalogue.queue_entry(second).place) is None
    further = catalogue.next_unleased(QueueFilter(), "Aoi", after=place)
    assert further is not None
    assert further.attempt_id == second


def test_a_lease_is_kept_alive_released_and_runs_out(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    lease = catalogue.take_lease(attempt, "Aoi", minutes=1)
    assert catalogue.take_lease(attempt, "Aoi").until > lease.until
    assert catalogue.take_lease(attempt, "Ren").curator == "Aoi"
    catalogue.release_lease(attempt, "Ren")  # not theirs to release
    assert catalogue.take_lease(attempt, "Ren").curator == "Aoi"
    catalogue.release_lease(attempt, "Aoi")
    assert catalogue.take_lease(attempt, "Ren").curator == "Ren"
    assert catalogue.expire_leases() == 0
    _set(catalogue, LeaseHeld, until=_past())
    assert catalogue.queue_entry(attempt).lease is None
    assert catalogue.take_lease(attempt, "Aoi").curator == "Aoi"
    _set(catalogue, LeaseHeld, until=_past())
    assert catalogue.expire_leases() == 1
    with pytest.raises(UnknownEntry, match="no attempt 999"):
        catalogue.take_lease(999, "Aoi")


def test_leases_that_ran_out_are_forgotten_when_another_is_taken(catalogue: Catalogue, sample: "Sample") -> None:
    first, second = sample.entries(catalogue, 2)
    catalogue.take_lease(first, "Aoi")
    _set(catalogue, LeaseHeld, until=_past())
    catalogue.take_lease(second, "Ren")
    assert catalogue.expire_leases() == 0


def test_a_verdict_ends_the_curators_own_lease_only(catalogue: Catalogue, sample: "Sample") -> None:
    (attempt,) = sample.entries(catalogue, 1)
    catalogue.take_lease(attempt, "Aoi")
    catalogue.give_verdict(attempt, "Ren", Judgement(Verdict.APPROVED))
    assert catalogue.queue_entry(attempt).lease is not None
    catalogue.give_verdict(attempt, "Aoi", Judgement(Verdict.APPROVED))
    assert catalogue.queue_entry(attempt).lease is None


def test_of_two_who_open_an_entry_at_once_one_has_it(settings: CatalogueSettings, sample: "Sample") -> None:
    with sample.both(settings) as both:
        attempts = sample.entries(both[0], 3)
        start = Barrier(2)
        leases: list[Lease] = []

        def open_it(catalogue: Catalogue, curator: str) -> None:
            start.wait()
            leases.extend(catalogue.take_lease(attempt, curator) for attempt in attempts)

        threads = [Thread(target=open_it, args=each) for each in zip(both, ("Aoi", "Ren"), strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        holders: dict[int, set[Lease]] = {}
        for lease in leases:
            holders.setdefault(lease.attempt_id, set()).add(lease)
        assert [len({lease.curator for lease in holders[attempt]}) for attempt in attempts] == [1, 1, 1]


def test_an_account_is_added_changed_and_closed(catalogue: Catalogue) -> None:
    aoi = catalogue.add_curator(" Aoi ", Role.CURATOR, HASH)
    assert (aoi.name, aoi.role, aoi.disabled_at) == ("Aoi", Role.CURATOR, None)
    with pytest.raises(NameTaken, match="'Aoi' already"):
        catalogue.add_curator("Aoi", Role.ADMIN, HASH)
    assert catalogue.password_hash("Aoi") == HASH
    assert catalogue.password_hash("Ren") is None
    catalogue.change_role("Aoi", Role.VIEWER)
    catalogue.change_password("Aoi", "another hash")
    assert catalogue.password_hash("Aoi") == "another hash"
    catalogue.disable_curator("Aoi")
    assert catalogue.password_hash("Aoi") is None
    (closed,) = catalogue.curators()
    assert (closed.role, closed.disabled_at is None) == (Role.VIEWER, False)
    with pytest.raises(UnknownEntry, match="closed"):
        catalogue.open_session("Aoi")
    for sentence in (catalogue.disable_curator, catalogue.open_session):
        with pytest.raises(UnknownEntry, match="no curator 'Ren'"):
            sentence("Ren")


def test_a_session_is_opened_seen_and_closed_and_its_token_is_nowhere(catalogue: Catalogue) -> None:
    catalogue.add_curator("Aoi", Role.CURATOR, HASH)
    token, other = catalogue.open_session("Aoi", hours=1), catalogue.open_session("Aoi")
    session = catalogue.session(token)
    assert session is not None
    assert (session.curator.name, session.curator.role) == ("Aoi", Role.CURATOR)
    with catalogue.engine.connect() as connection:
        kept = connection.execute(text("SELECT token_sha256 FROM sessions")).scalars().all()
    assert len(kept) == 2
    assert token not in kept
    assert catalogue.session_seen(token, hours=2)
    later = catalogue.session(token)
    assert later is not None
    assert later.seen_at >= session.seen_at
    assert later.expires_at > session.expires_at
    catalogue.close_session(token)
    assert catalogue.session(token) is None
    assert not catalogue.session_seen(token)
    assert catalogue.session(other) is not None
    assert catalogue.session("guessed") is None


def test_a_session_runs_out(catalogue: Catalogue) -> None:
    catalogue.add_curator("Aoi", Role.CURATOR, HASH)
    token = catalogue.open_session("Aoi")
    assert catalogue.expire_sessions() == 0
    _set(catalogue, CuratorSession, expires_at=_past())
    assert catalogue.session(token) is None
    assert not catalogue.session_seen(token)
    assert catalogue.expire_sessions() == 1


def test_another_password_or_a_closed_account_ends_their_sessions_and_another_role_is_had_at_once(
    catalogue: Catalogue,
) -> None:
    for name in ("Aoi", "Ren"):
        catalogue.add_curator(name, Role.CURATOR, HASH)
    tokens = {name: catalogue.open_session(name) for name in ("Aoi", "Ren")}
    catalogue.change_role("Ren", Role.VIEWER)
    catalogue.change_password("Aoi", "another hash")
    assert catalogue.session(tokens["Aoi"]) is None
    session = catalogue.session(tokens["Ren"])
    assert session is not None
    assert session.curator.role is Role.VIEWER
    catalogue.disable_curator("Ren")
    assert catalogue.session(tokens["Ren"]) is None
