"""A death or a failing disk at every durable system call of a dispatch: `python -m tests.benchmarks.operations_faults`.

`nishiki dispatch` colours a drawn print and closes the attempt, in a process that strace watches; what a colorizing
process answers it is known. Each call that changes its home is a point. The command is run once for each and killed
before it, and for every third it is run once more and told EIO or ENOSPC instead. At once all rows must name whole
files; the next night carries on, the doctor mends, and nothing may be missing, made twice or left over. A twin that
writes the row before the files has to fail. `--points N`: so many points only, which chance picks. Then a byte is
flipped in each of 100 stored pictures of 1,100, and the doctor must name these and no other. Needs strace.
"""

import argparse
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from unittest.mock import patch

from PIL import Image

from db.catalogue import Catalogue
from db.files.home import HomeFolder, checkpoint_path
from db.files.pictures import PictureStore
from flows.cli.app import app
from flows.harvest import harvest
from flows.settings import Settings
from flows.under_prefect import of_one_command
from flows.workers.messages import Event, Finished, Minibatch
from flows.workers.processes import DeviceProcess
from flows.workers.tiles import make_missing
from tests.benchmarks.figures import Figure, publish
from tests.benchmarks.one_batch import dispatched, examined, left, matched, not_whole
from tests.forked import FORK

PICTURES = 1
KILLS, ERRORS, FLIPPED, UNTOUCHED = 140, 90, 100, 1_000
ERRORS_EVERY, TWIN_POINTS = 3, 12
RESULTS = 40
PATIENCE_S = 120.0
REMAKE = "`nishiki tiles` tries again"

_OPENS = ("openat", "open", "creat")
_MAKES = (*_OPENS, "mkdir", "mkdirat", "link", "linkat", "symlink", "symlinkat", "rename", "renameat", "renameat2")
_WRITES = ("write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "fallocate")
_REMOVES = ("unlink", "unlinkat", "rmdir", "ftruncate", "truncate", "utimensat", "chmod", "fchmod", "fchmodat")
_SYNCS = ("fsync", "fdatasync", "sync_file_range", "msync")
DURABLE = (*_MAKES, *_WRITES, *_REMOVES, *_SYNCS)
FILLS = {*_MAKES, *_WRITES, "fsync", "fdatasync"}
"""What a full disk can refuse."""

_CALL = re.compile(r"(\d+) +(\w+)\((.*)")
_PATH = re.compile(r'"(/[^"]*)"|<(/[^>]*)>')

_OWN_NAMES = re.compile(r"/[0-9a-f]{2}(/[0-9a-f]{2}(/.*?(?=:))?)?\b|[0-9a-f]{64}[^ :]*")

Told = Mapping[str, Finished]
Twin = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Point:
    """A system call: the Nth of its name by one thread at a path inside the home."""

    call: str
    path: str
    number: int


@dataclass
class Swept:
    """What came of one kind of fault at many points."""

    points: Counter[str] = field(default_factory=Counter)
    """Those that were met, by their call."""
    missed: int = 0
    """Those that were not: libvips writes a file with several threads, by turns of chance."""
    violations: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    said: Counter[str] = field(default_factory=Counter)
    """Last lines of commands that were told an error."""

    def figures(self, name: str, least: int) -> Iterator[Figure]:
        """Of each call, and how many there were."""
        for call, number in sorted(self.points.items()):
            wrong = self.violations[call]
            yield Figure(f"{name} {call}: violations", len(wrong), f"of {number}", "0", not wrong, "; ".join(wrong[:2]))
        total = self.points.total()
        yield Figure(f"{name}: points", total, "", f"≥ {least}", total >= least, f"{self.missed} more were not met")


def main() -> None:
    """Have calls fail, flip bytes, and publish what was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, help="so many calls only")
    parser.add_argument("--stored", type=int, default=FLIPPED + UNTOUCHED, help="pictures of which some are altered")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if shutil.which("strace") is None:
        sys.stdout.write("strace is not installed, without which no system call can be made to fail\n")
        return
    FORK.set_forkserver_preload(
        ["flows.dispatch", "flows.report", "flows.reports.contact_sheet", "tests.benchmarks.one_batch"]
    )
    dice = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="nishiki-faults-") as name:
        folder = Path(name).resolve()
        figures = chain(_faults(folder, options.points, dice), _flipped(folder, options.stored, dice))
        publish("operations-faults", figures)


def _faults(folder: Path, most: int | None, dice: random.Random) -> Iterator[Figure]:
    with _prepared(folder) as sweep:
        points = sweep.points()
        some = points if most is None else dice.sample(points, most)
        killed = sweep.swept(some, _kill)
        yield from killed.figures("killed before", KILLS)
        told = sweep.swept(some[:: ERRORS_EVERY if most is None else 1], _no_room_or_io)
        yield from told.figures("EIO or ENOSPC for", ERRORS)
        yield from (Figure(f"said: {sentence}", number, "times") for sentence, number in told.said.most_common())
        early = [each for each in sweep.points(rows_before_files) if "pictures" in each.path]
        twin = sweep.swept(dice.sample(early, min(TWIN_POINTS, len(early))), _kill, rows_before_files)
        seen, example = sum(map(len, twin.violations.values())), next(chain(*twin.violations.values()), "")
        yield Figure("the broken twin: violations", seen, f"of {twin.points.total()}", "> 0", seen > 0, example)


def _flipped(folder: Path, stored: int, dice: random.Random) -> Iterator[Figure]:
    """Originals, results and their maps of trust; one bit of one byte."""
    settings = Settings(home=folder / "stored")
    matched(settings, RESULTS)
    dispatched(settings)
    with Catalogue.open(settings) as catalogue:
        _draw(folder / "scans", stored - len(catalogue.picture_names()), dice)
        with of_one_command(gone=True):
            harvest(settings, [str(folder / "scans")])
        files, originals = list(catalogue.pictures.files()), catalogue.harvested_names()
        before = _named(settings)
        altered = dice.sample(files, FLIPPED)
        for file in altered:
            data = bytearray(file.read_bytes())
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            file.write_bytes(data)
        of_results = sum(file.stem not in originals for file in altered)
    named, right = _named(settings), {file.stem for file in altered}
    untouched = len(files) - len(altered)
    found, false = len(named & right), len((named - right) | before)
    note = f"{of_results} of them results and their maps of trust"
    yield Figure(
        "flipped bytes: pictures that the doctor names", found, f"of {FLIPPED}", str(FLIPPED), named >= right, note
    )
    yield Figure("pictures that it names falsely", false, f"of {untouched}", "0", not false)


def _draw(folder: Path, pictures: int, dice: random.Random) -> None:
    folder.mkdir()
    for number in range(pictures):
        Image.frombytes("RGB", (40, 60), dice.randbytes(40 * 60 * 3)).save(folder / f"{number:04}.png")


def _named(settings: Settings) -> set[str]:
    return set(re.findall(r"^(?:altered|missing) picture (\w+)", examined(settings), re.MULTILINE))


def _settings(home: Path) -> Settings:
    return Settings(home=home, cpu_processes=1, minibatch_size=1)


@contextmanager
def _prepared(folder: Path) -> Iterator["Sweep"]:
    """A home whose matches are due, and what a worker's process answers for them; here, too, from now on."""
    settings, told = _settings(folder / "matched"), dict[str, Finished]()
    matched(settings, PICTURES)
    colorize = DeviceProcess.colorize

    def noted(process: DeviceProcess, minibatch: Minibatch) -> Iterator[Event]:
        for event in colorize(process, minibatch):
            if isinstance(event, Finished):
                told[event.key] = event
            yield event

    real = shutil.copytree(settings.home, folder / "real")
    with patch.object(DeviceProcess, "colorize", noted):
        assert dispatched(_settings(real))["succeeded"] == PICTURES
    for key in told:  # to be removed with its attempt's end
        checkpoint = checkpoint_path(settings.home, f"attempt-{key}")
        checkpoint.parent.mkdir(exist_ok=True)
        checkpoint.write_bytes(b"half done")
    with _answering(told):
        yield Sweep(folder, told, _tiles(real))


def _answering(told: Told) -> AbstractContextManager[object]:
    """Inside it, a worker's process answers at once what it is known to answer."""

    def answer(_: DeviceProcess, minibatch: Minibatch) -> Iterator[Event]:
        yield from (told[job.key] for job in minibatch.jobs)

    return patch.object(DeviceProcess, "colorize", answer)


@dataclass(frozen=True)
class Sweep:
    """Runs the command again and again over copies of one home, each time with another fault."""

    folder: Path
    told: Told
    tiles: Mapping[str, bytes]
    """As an undisturbed run makes them."""

    @property
    def home(self) -> Path:
        """Always the same, so that paths are."""
        return self.folder / "home"

    def points(self, twin: Twin = nullcontext) -> list[Point]:
        """Every durable call at the home's paths, seen without a fault; paths that vary from run to run have none."""
        self._run(["-y", "-s", "0", "-e", f"trace={','.join(f'?{call}' for call in DURABLE)}"], twin)
        lines = (self.folder / "strace").read_text(encoding="utf-8").splitlines()
        return list(dict.fromkeys(_points(lines, self.home)))

    def swept(self, points: Sequence[Point], faults: Callable[[Point], str], twin: Twin = nullcontext) -> Swept:
        """Have each point fail, and look at what is left."""
        swept = Swept()
        for point in points:
            code = self._run([*_watch(point), "-e", f"inject={point.call}:{faults(point)}:when={point.number}"], twin)
            if code != -signal.SIGKILL and "(INJECTED)" not in (self.folder / "strace").read_text(encoding="utf-8"):
                swept.missed += 1
                continue
            swept.points[point.call] += 1
            said = (self.folder / "said").read_text(encoding="utf-8")
            ended = [] if faults is _kill else [*_unclear(code, said)]
            if faults is not _kill:
                swept.said[_sentence(code, said, self.home)] += 1
            if wrong := [*ended, *self._wrong(REMAKE in said)]:
                swept.violations[point.call].append(f"{_inside(point, self.home)}: {', '.join(wrong)}")
        return swept

    def _run(self, watching: list[str], twin: Twin) -> int:
        """The command over a fresh copy of the home, under strace's eyes; its exit code."""
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.copytree(self.folder / "matched", self.home)
        (self.folder / "said").unlink(missing_ok=True)
        process = FORK.Process(target=_command, args=(self.home, self.folder / "said", self.told, twin))
        process.start()
        command = ["strace", "-f", "-o", str(self.folder / "strace"), *watching, "-p", str(process.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
            process.join(PATIENCE_S)
            process.kill()  # one that hangs
            _, why = strace.communicate(timeout=PATIENCE_S)
        assert (self.folder / "said").exists(), f"strace could not watch: {why}"
        return process.exitcode or 0

    def _wrong(self, remake: bool) -> Iterator[str]:
        settings = _settings(self.home)
        with Catalogue.open(settings, create=False) as catalogue:
            if lost := not_whole(catalogue, catalogue.picture_names()):
                yield f"at once: {len(lost)} rows whose file is not whole"
        try:
            if remake:  # as the command said
                make_missing(settings)
            figure = left(settings, "", PICTURES)
        except Exception as error:  # noqa: BLE001  # whatever it is, the night after the fault must not fail
            yield f"the next night fails: {error!r}"
            return
        if not figure.holds:
            yield figure.note
        if _tiles(self.home) != self.tiles:
            yield "tiles have other bytes than those of a run without faults"


def _tiles(home: Path) -> dict[str, bytes]:
    folder = home / HomeFolder.TILES
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _command(home: Path, said: Path, told: Told, twin: Twin) -> None:
    """The process under strace: `nishiki dispatch` as soon as it is watched, without a server of Prefect's.

    Names of temporary files are the same in each run.
    """
    while "TracerPid:\t0\n" in Path("/proc/self/status").read_text(encoding="ascii"):
        time.sleep(0.001)
    os.environ.update(NISHIKI_CPU_PROCESSES="1", NISHIKI_MINIBATCH_SIZE="1")
    handle = os.open(said, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    with ExitStack() as stack:
        for each in (
            patch("secrets.token_hex", lambda length: "0" * 2 * length),
            patch("flows.cli.app.prefect", lambda _: of_one_command(gone=True)),
            _answering(told),
            twin(),
        ):
            stack.enter_context(each)
        app(["dispatch", "--home", str(home)])


def _points(lines: Sequence[str], home: Path) -> Iterator[Point]:
    """As strace counts calls: for each thread, and of those alone that name the path, a rename by its old one."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        if (found := _CALL.match(line)) is None:
            continue
        thread, call, given = found.groups()
        paths = (quoted or held for quoted, held in _PATH.findall(given))
        path = next((each for each in paths if Path(each).is_relative_to(home)), None)
        if path is None:
            continue
        seen[thread, call, path] += 1
        if call not in _OPENS or "O_CREAT" in given:
            yield Point(call, path, seen[thread, call, path])


def _inside(point: Point, home: Path) -> str:
    return f"{Path(point.path).relative_to(home)} ({point.number})"


def _watch(point: Point) -> list[str]:
    return ["-P", point.path, "-e", f"trace={point.call}"]


def _kill(_: Point) -> str:
    """Before the call, which does not happen."""
    return "error=EIO:signal=SIGKILL"


def _no_room_or_io(point: Point) -> str:
    """In turn; what a full disk does not hinder has the other."""
    full = hashlib.sha256(repr(point).encode()).digest()[0] % 2
    return "error=ENOSPC" if full and point.call in FILLS else "error=EIO"


def _unclear(code: int, said: str) -> Iterator[str]:
    """A command that was told an error goes on, or ends by itself and says why in a sentence."""
    if code < 0:
        yield f"ended by signal {-code}"
    if "Traceback" in said:
        yield f"a traceback: {_last_line(said)}"
    if code > 0 and not said.strip():
        yield f"ended with {code} and said nothing"


def _sentence(code: int, said: str, home: Path) -> str:
    """Without what differs from home to home; of a command that went on, that it did."""
    return (
        f"ends with {code}: {re.sub(_OWN_NAMES, '…', _last_line(said).replace(str(home), 'HOME'))}"
        if code
        else "goes on"
    )


def _last_line(said: str) -> str:
    return next(reversed(said.strip().splitlines()), "")


@contextmanager
def rows_before_files() -> Iterator[None]:
    """The broken twin: an attempt's row is written first, then its files."""
    add, close, late = PictureStore.add, Catalogue.close_attempt, list[Callable[[], object]]()

    def add_later(store: PictureStore, data: bytes, suffix: str) -> str:
        late.append(partial(add, store, data, suffix))
        return hashlib.sha256(data).hexdigest()

    def close_first(catalogue: Catalogue, *given: Any) -> Any:
        closed = close(catalogue, *given)
        while late:
            late.pop(0)()
        return closed

    with patch.object(PictureStore, "add", add_later), patch.object(Catalogue, "close_attempt", close_first):
        yield


if __name__ == "__main__":
    main()
