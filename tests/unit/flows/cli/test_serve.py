"""`nishiki serve` begins each night once, as a process of its own, tells how it ended, and ends it in order."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from db.entries.nights import NightEnd, NightEnding, NightEntry
from flows.cli.serve import Nights, began_whole
from flows.schedule import Schedule

ONE = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
AT_ONE = Schedule("0 1 * * *", ZoneInfo("UTC"))
ENDS_WELL = "pass"
PATIENT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
print("ready", flush=True)
signal.pause()
"""
DEAF = PATIENT.replace("sys.exit(143)", "0").replace("signal.pause()", "[signal.pause() for _ in range(9)]")


class Begun:
    """The nights that were begun."""

    def __init__(self, code: str) -> None:
        self.code, self.processes = code, list[subprocess.Popen[bytes]]()
        self.words = list[str]()

    def __call__(self, word: str) -> "subprocess.Popen[bytes]":
        self.words.append(word)
        self.processes.append(subprocess.Popen([sys.executable, "-S", "-c", self.code], stdout=subprocess.PIPE))
        return self.processes[-1]

    def wait(self) -> None:
        for each in self.processes:
            each.wait()
            assert each.stdout is not None
            each.stdout.close()


def kept(begun: Begun, last_began: datetime = ONE - timedelta(days=1)) -> Nights:
    return Nights(AT_ONE, begun, last_began)


def night(ending: NightEnding | None) -> NightEntry:
    end = NightEnd(ending, 0) if ending else None
    return NightEntry(1, "here", 7, ONE, ONE, ONE if ending else None, end, {}, {})


def test_a_night_begins_at_its_time_once_and_its_end_is_told_with_the_next(capsys: pytest.CaptureFixture[str]) -> None:
    begun = Begun(ENDS_WELL)
    nights = kept(begun)
    for seconds in (-2, -1, 0, 1, 2):
        nights.look(ONE + timedelta(seconds=seconds))
        begun.wait()
    assert len(begun.processes) == 1
    said = capsys.readouterr().out
    assert "exit code 0 (done). The next night begins at 2026-03-03 01:00 UTC." in said
    nights.look(ONE + timedelta(days=1))
    begun.wait()
    assert len(begun.processes) == 2


def test_no_night_begins_while_another_is_at_work_and_one_that_was_late_by_it_begins_after() -> None:
    begun = Begun(PATIENT)
    nights = kept(begun)
    nights.look(ONE)
    nights.look(ONE + timedelta(days=1))
    assert len(begun.processes) == 1
    begun.processes[0].kill()
    begun.wait()
    nights.look(ONE + timedelta(days=1, hours=2))
    assert len(begun.processes) == 2
    begun.processes[1].kill()
    begun.wait()


def test_what_is_left_is_carried_on_when_asked_but_not_beside_a_night(capsys: pytest.CaptureFixture[str]) -> None:
    begun = Begun(ENDS_WELL)
    nights = kept(begun)
    noon = ONE - timedelta(hours=13)
    nights.look(noon)
    assert begun.words == []
    assert nights.carry_on()
    assert nights.at_work(), "it is about to be"
    nights.look(noon)
    assert not nights.carry_on(), "it is at work already"
    begun.wait()
    nights.look(noon)
    assert (
        "The work carried on has ended after 0 min with exit code 0 (done). The next night" in capsys.readouterr().out
    )
    assert nights.carry_on()
    nights.look(ONE)
    begun.wait()
    nights.look(ONE)
    assert begun.words == ["resume", "nightly"], "the night, which carries on too, was due"


def test_what_is_carried_on_by_day_makes_way_for_the_night() -> None:
    begun = Begun(PATIENT)
    nights = kept(begun)
    nights.carry_on()
    nights.look(ONE - timedelta(hours=1))
    (resumed,) = begun.processes
    assert resumed.stdout is not None
    assert resumed.stdout.readline() == b"ready\n"
    nights.look(ONE)
    assert resumed.wait() == 143
    nights.look(ONE + timedelta(seconds=1))
    assert begun.words == ["resume", "nightly"]
    begun.processes[1].kill()
    begun.wait()


@pytest.mark.parametrize(
    ("last_began", "after", "count", "told"),
    [
        (ONE - timedelta(days=1), timedelta(hours=3), 1, "03-02 01:00 UTC was missed or broken off; it begins now."),
        (
            ONE - timedelta(days=1),
            timedelta(hours=13),
            0,
            "more than 12 hours ago. The next night begins at 2026-03-03",
        ),
        (ONE + timedelta(minutes=5), timedelta(hours=3), 0, "The next night begins at 2026-03-03 01:00 UTC."),
    ],
)
def test_a_missed_night_begins_at_the_start_or_is_told(
    last_began: datetime, after: timedelta, count: int, told: str
) -> None:
    begun = Begun(ENDS_WELL)
    nights = kept(begun, last_began)
    assert told in nights.told_at_start(ONE + after)[0]
    nights.look(ONE + after)
    begun.wait()
    assert len(begun.processes) == count


@pytest.mark.parametrize(
    ("nights", "again"),
    [
        ([], False),  # a new catalogue has missed none
        ([night(NightEnding.DONE)], False),
        ([night(NightEnding.FAILED)], False),
        ([night(NightEnding.STOPPED)], True),
        ([night(NightEnding.KILLED)], True),
        ([night(None)], True),  # killed, and no other night has said so yet
    ],
)
def test_a_night_that_was_broken_off_counts_as_one_that_never_began(nights: list[NightEntry], again: bool) -> None:
    now = ONE + timedelta(hours=1)
    assert AT_ONE.is_due(now, began_whole(nights) or now) is again


def test_a_night_that_the_system_cannot_start_is_told_and_tried_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []

    def begin(_: str) -> "subprocess.Popen[bytes]":
        tries.append(1)
        raise BlockingIOError(11, "Resource temporarily unavailable")

    nights = Nights(AT_ONE, begin, ONE - timedelta(days=1))
    nights.look(ONE)
    nights.look(ONE + timedelta(seconds=1))
    assert len(tries) == 1
    assert (
        "could not begin (Resource temporarily unavailable); it is tried again in a minute" in capsys.readouterr().out
    )
    monkeypatch.setattr("time.monotonic", lambda: float("inf"))
    nights.look(ONE + timedelta(seconds=62))
    assert len(tries) == 2


def test_a_clock_that_was_put_back_leaves_no_night_out() -> None:
    begun = Begun(ENDS_WELL)
    nights = kept(begun)
    nights.look(ONE)
    begun.wait()
    nights.look(ONE - timedelta(days=2, hours=1))
    nights.look(ONE - timedelta(days=2))
    begun.wait()
    assert len(begun.processes) == 2


@pytest.mark.parametrize(("code", "said"), [(PATIENT, "(terminated)"), (DEAF, "(killed)")])
def test_the_end_of_the_server_ends_the_night_in_order_or_after_its_grace(
    code: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flows.stopping.GRACE_S", -0.5)
    begun = Begun(code)
    nights = kept(begun)
    nights.look(ONE)
    stdout = begun.processes[0].stdout
    assert stdout is not None
    assert stdout.readline() == b"ready\n"
    nights.keep(lambda: True)
    assert said in capsys.readouterr().out
    stdout.close()
