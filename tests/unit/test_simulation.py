"""The simulation of nights: exact where all goes well, no hole where machines are lost, bound by what is shared."""

import pytest

from tests.benchmarks.simulate import Fleet, Work, simulated

EVEN = Work("even", 2.0, 1, spread=0.0, read_mb=0.0, written_mb=0.0)


def _calm(gpus: int, catalogue_s: float = 0.0) -> Fleet:
    return Fleet(gpus, catalogue_s, catalogue_s, start_s=0.0, between_losses_s=1e12, slow_share=0.0)


def test_without_losses_and_waiting_work_is_shared_out() -> None:
    night = simulated(EVEN, _calm(4), 100)
    assert (night.done, night.losses) == (100, 0)
    assert night.seconds == pytest.approx(50)


def test_no_night_is_shorter_than_the_catalogues_work() -> None:
    night = simulated(EVEN, _calm(64, 0.05), 1000)
    assert night.seconds >= 99.9
    assert night.share(night.catalogue_s, _calm(64)) > 0.5, "most of the time is waiting"


def test_what_lost_machines_held_is_made_by_others() -> None:
    fleet = Fleet(8, 0.0, 0.0, start_s=1.0, between_losses_s=60.0, replaced_s=30.0, slow_share=0.5)
    night = simulated(EVEN, fleet, 400)
    assert night.done == 400
    assert night.losses > 5
    assert night.made_twice == night.losses
    assert night.seconds > simulated(EVEN, _calm(8), 400).seconds
