"""A night over work pools on real parts, told with its times: `python -m tests.benchmarks.operations_pools`.

Prefect's server on PostgreSQL, two workers as two machines would have them, `prefect deploy` of deploy/prefect.yaml, a
night that its schedule begins, kill -9 of the worker that runs it with all that it started, the automation that
notices, and the night that begins again by itself. Changed for it: the schedule's time, the folder, the ten minutes
after a crash. It needs a PostgreSQL with the extension pg_trgm, which that of the tests lacks: its server's URL, of a
role that may make databases, is NISHIKI_TEST_POSTGRES_URL. Two databases are made there, and dropped.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
import requests
from pydantic import SecretStr
from sqlalchemy import URL, make_url

from db.catalogue import Catalogue
from db.entries.nights import NightEnding
from db.errors import CatalogueError
from db.settings import CatalogueSettings
from flows.archives.sample.server import serve_sample
from tests.benchmarks.figures import Figure, publish
from tests.conftest import ROOT, _narrow_weights

GRAYS = 12
PORT = 4299
API = f"http://127.0.0.1:{PORT}/api"
SERVER_URL: Final = make_url(os.environ.get("NISHIKI_TEST_POSTGRES_URL", "postgresql://postgres@localhost/postgres"))
PATIENCE_S = 900.0
BEFORE_S = 120
"""Between `prefect deploy` and the scheduled night, at least."""
SETTINGS: Mapping[str, str] = {
    "NISHIKI_ENCODER": "random-seeded", "NISHIKI_CPU_PROCESSES": "1", "NISHIKI_DEVICE": "cpu",
    "NISHIKI_RECIPE": "jadh2016/config1_1_1", "NISHIKI_SIZE": "48", "NISHIKI_ITERATIONS": "800",
    "NISHIKI_MINIBATCH_SIZE": "1", "NISHIKI_EXECUTOR": "work-pool", "NISHIKI_SHARDS": '{"shard/cpu": 2}',
    "PREFECT_API_URL": API, "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30", "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
}  # fmt: skip
SERVER: Mapping[str, str] = {
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_SERVER_API_PORT": str(PORT), "PREFECT_SERVER_UI_ENABLED": "false",
}  # fmt: skip


@dataclass
class Trial:
    """A folder with all that runs in it, and what is told of it."""

    folder: Path
    environment: dict[str, str]
    began: float = field(default_factory=time.monotonic)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def tell(self, sentence: str) -> None:
        """A line of the transcript."""
        sys.stdout.write(f"{datetime.now(UTC):%H:%M:%S} {time.monotonic() - self.began:7.1f} s  {sentence}\n")
        sys.stdout.flush()

    def prefect(self, *words: str) -> None:
        """Run a command of Prefect's to its end, as an operator does."""
        command = [sys.executable, "-m", "prefect", "--no-prompt", *words]
        subprocess.run(command, env=self.environment, cwd=self.folder, check=True, capture_output=True)
        self.tell(f"$ prefect {' '.join(words)}")

    def start(self, name: str, *words: str, **more: str) -> "subprocess.Popen[bytes]":
        """Begin one that stays; what it says goes into a file."""
        log = (self.folder / f"{name}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *words], env={**self.environment, "NISHIKI_TEST_MARK": name, **more},
            cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        log.close()
        self.started.append(process)
        return process

    def catalogue(self) -> Catalogue:
        """The one that all share."""
        url = SecretStr(self.environment["NISHIKI_DATABASE_URL"])
        return Catalogue.open(CatalogueSettings(home=self.folder / "home", database_url=url), create=False)

    def closed(self) -> int:
        """Attempts that have succeeded so far."""
        try:
            with self.catalogue() as catalogue:
                return int(catalogue.status()["attempts"]["succeeded"])
        except CatalogueError:
            return 0

    def end(self) -> None:
        """End what was started and lives, with what it has started."""
        for name in ("server", "worker-a", "worker-b"):
            kill(marked(NISHIKI_TEST_MARK=name, PREFECT_HOME=str(self.folder / "prefect")))
        for process in self.started:
            process.wait()


def main() -> None:
    """Run it and publish its figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nishiki-pools-")))
        databases = stack.enter_context(two_databases(SERVER_URL))
        archive = stack.enter_context(serve_sample(designs=4, grays=GRAYS))
        trial = prepared(folder, databases, archive.base_url)
        stack.callback(trial.end)
        publish("operations-pools", list(tried(trial)))


@contextmanager
def two_databases(server: URL) -> Iterator[dict[str, URL]]:
    """For Prefect and for the catalogue."""
    names = {each: f"{each}_{os.getpid()}" for each in ("prefect", "nishiki")}
    with connect(server) as connection:
        for name in names.values():
            connection.execute(f"CREATE DATABASE {name}".encode())
    try:
        yield {each: server.set(database=name) for each, name in names.items()}
    finally:
        with connect(server) as connection:
            for name in names.values():
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def connect(server: URL) -> "psycopg.Connection[Any]":
    """As who makes databases."""
    return psycopg.connect(server.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True)


def prepared(folder: Path, databases: Mapping[str, URL], archive: str) -> Trial:
    """Weights, settings, and copies of what deploy/ holds."""
    _narrow_weights(folder / "weights")
    (folder / "nishiki.toml").write_text(f'[archives.sample]\naddress = "{archive}"\nprotocol = "oai-pmh"\n')
    (folder / "cache").mkdir()
    for name in ("prefect.yaml", "automations/runs.yaml"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "deploy" / name, folder / name)
    changed(folder / "automations" / "runs.yaml", {"schedule_after: 600": "schedule_after: 5"})
    own = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), "LANG": "C.UTF-8"}
    places = {
        "NISHIKI_HOME": str(folder / "home"), "NISHIKI_WEIGHTS_DIR": str(folder / "weights"),
        "NISHIKI_DATABASE_URL": spelt(databases["nishiki"], "psycopg"),
        "PREFECT_HOME": str(folder / "prefect"), "XDG_CACHE_HOME": str(folder / "cache"),
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": spelt(databases["prefect"], "asyncpg"),
    }  # fmt: skip
    return Trial(folder, {**own, **SETTINGS, **places})


def spelt(url: URL, driver: str) -> str:
    """An address as settings take it."""
    return url.set(drivername=f"postgresql+{driver}").render_as_string(hide_password=False)


def tried(trial: Trial) -> Iterator[Figure]:
    """The transcript, and the figures at its end."""
    trial.start("server", "server", "start", **SERVER)
    wait(server_is_there)
    trial.tell("Prefect's server is there, on PostgreSQL")
    for pool in ("cpu", "gpu"):
        trial.prefect("work-pool", "create", "--type", "process", pool)
    due = (datetime.now(UTC) + timedelta(seconds=BEFORE_S + 60)).replace(second=0, microsecond=0)
    there = due.astimezone(ZoneInfo("Asia/Tokyo"))
    cron = f"{there.minute} {there.hour} * * *"
    changed(trial.folder / "prefect.yaml", {"/etc/nishiki": str(trial.folder), "0 1 * * *": cron})
    trial.prefect("deploy", "--all", "--prefect-file", "prefect.yaml")
    trial.prefect("automation", "create", "--from-file", "automations/runs.yaml")
    for name in ("worker-a", "worker-b"):
        trial.start(name, "worker", "start", "--pool", "cpu", "--name", name)
    trial.tell(f"two workers were started; the night is due at {there:%H:%M} in Tokyo ({due:%H:%M:%S} UTC)")

    wait(lambda: runs_of("nightly", "RUNNING"))
    (night,) = runs_of("nightly", "RUNNING")
    late_s = (datetime.fromisoformat(night["start_time"]) - due).total_seconds()
    trial.tell(f"the night has begun by itself, {late_s:.0f} s after its time")
    wait(lambda: trial.closed() >= 2)
    trial.tell(f"{trial.closed()} of {GRAYS} pictures are coloured, by {len(runs_of('shard', 'RUNNING'))} shards")

    name = environment_of(marked(PREFECT__FLOW_RUN_ID=night["id"])[0])["NISHIKI_TEST_MARK"]
    dead = marked(NISHIKI_TEST_MARK=name, PREFECT_HOME=str(trial.folder / "prefect"))
    kill(dead)
    killed = time.monotonic()
    done = trial.closed()
    trial.tell(f"kill -9 of {name}, which ran the night, and of all that it had started: {len(dead)} processes")
    wait(lambda: run(night["id"])["state_type"] == "CRASHED")
    crashed_s = time.monotonic() - killed
    trial.tell(f"the automation has turned the night into Crashed: {run(night['id'])['state']['message']}")
    wait(lambda: [each for each in runs_of("nightly", "RUNNING", "COMPLETED") if each["id"] != night["id"]])
    again_s = time.monotonic() - killed
    trial.tell(f"a night has begun again by itself; {trial.closed()} pictures are coloured ({done} when it was killed)")
    wait(lambda: runs_of("nightly", "COMPLETED"))
    done_s = time.monotonic() - killed
    trial.tell("that night is Completed")
    yield Figure("the scheduled night begins after its time", late_s, "s")
    yield Figure("from kill -9 of its machine to Crashed", crashed_s, "s", "≤ 150", crashed_s <= 150)
    yield Figure("from kill -9 to the next night", again_s, "s")
    yield Figure("from kill -9 to its end", done_s, "s")
    yield from kept(trial)


def kept(trial: Trial) -> Iterator[Figure]:
    """What the catalogue holds at the end."""
    with trial.catalogue() as catalogue:
        attempts = list(catalogue.attempts())
        nights = [night.end and night.end.ending for night in catalogue.nights()]
        unfinished = catalogue.unfinished_batches()
    outcomes = Counter(str(each.outcome) for each in attempts)
    twice = len(attempts) - len({each.match_id for each in attempts})
    trial.tell(f"nights, newest first: {', '.join(str(each) for each in nights)}")
    yield Figure("pictures that succeeded", outcomes["succeeded"], "", str(GRAYS), outcomes == {"succeeded": GRAYS})
    yield Figure("attempts made twice", twice, "", "0", twice == 0)
    yield Figure("batches left unfinished", len(unfinished), "", "0", not unfinished)
    ended = [NightEnding.DONE, NightEnding.KILLED]
    yield Figure("nights in the history, one killed and one done", len(nights), "", "2", nights == ended)


def server_is_there() -> bool:
    """Does it answer?"""
    try:
        return requests.get(f"{API}/health", timeout=5).ok
    except requests.RequestException:
        return False


def runs_of(flow: str, *states: str) -> list[Any]:
    """Runs of a flow that are in one of these states, as Prefect's server tells them."""
    asked = {"flows": {"name": {"any_": [flow]}}, "flow_runs": {"state": {"type": {"any_": states}}}}
    return list(requests.post(f"{API}/flow_runs/filter", json=asked, timeout=30).json())


def run(number: str) -> Any:
    """A run as Prefect's server tells it."""
    return requests.get(f"{API}/flow_runs/{number}", timeout=30).json()


def wait(reached: Callable[[], object]) -> None:
    """Until it has come so far; what fails by the way, as a server that is busy, is asked again."""
    end = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < end, "it did not come so far"
        time.sleep(0.5)


def environment_of(pid: int) -> dict[str, str]:
    """What a process was started with; empty where it is gone."""
    try:
        words = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return {}
    return dict(word.partition("=")[::2] for word in words if "=" in word)


def marked(**variables: str) -> list[int]:
    """Processes that were started with these."""
    pids = sorted(int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return [pid for pid in pids if variables.items() <= environment_of(pid).items()]


def kill(pids: list[int]) -> None:
    """As a machine that loses its power does."""
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def changed(file: Path, words: Mapping[str, str]) -> None:
    """Write other words in the place of some that must be there."""
    text = file.read_text(encoding="utf-8")
    for old, new in words.items():
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
