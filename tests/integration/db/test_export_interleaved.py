"""Withholding while an export is at work, wherever it comes between: what is withheld does not leave.

A hundred interleavings, drawn from seeds. A step is a statement that the exporter sends to the database or a change
that it makes to files; before any of them another process withholds an entry or lets it go, a curator changes their
mind, or the export is killed. Exporters that are broken on purpose are found out by the same hundred.
"""

import json
import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Engine, event

from db.catalogue import Catalogue
from db.entries.night import Derivatives, Verdict
from db.entries.review import Judgement, QueueFilter, Reason
from db.errors import NothingApproved
from db.exports import changes, entry_files, package
from db.exports.entry_files import Sources, folder_of
from db.exports.package import ENTRIES, WITHDRAWN, Order, export
from db.queries.review import approved
from db.settings import CatalogueSettings
from tests.integration.db.test_export import assert_is_a_bag, files, packed
from tests.samples import Sample

pytestmark = pytest.mark.long

INTERLEAVINGS: Final = {"sqlite": 100, "postgresql": 20}
"""Every statement of the exporter runs on both databases; when it runs is the same."""
ENTRIES_MADE: Final = 3
_ORDER: Final = Order("https://prints.example/", QueueFilter())
_CHANGES: Final = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")
"""What the interpreter tells of files, but for looks."""
_TAGS: Final = "tagmanifest-sha256.txt"


class Killed(BaseException):
    """What ends an export as kill -9 would."""


@dataclass
class World:
    """The other process: what it has said of each entry, and since which step."""

    catalogue: Catalogue
    sample: Sample
    numbers: list[int]
    forbidden: dict[int, int] = field(default_factory=dict)
    """Entries whose archive forbids them, with the step."""
    returned: dict[int, int] = field(default_factory=dict)
    step: int = 0

    def withhold(self, number: int) -> None:
        """Its archive forbids derivatives from now on."""
        if number not in self.forbidden:
            self._record(number, Derivatives.NO)
            self.forbidden[number] = self.step

    def permit(self, number: int) -> None:
        """Its archive allows them again, where it did not."""
        if self.forbidden.pop(number, None) is not None:
            self._record(number, Derivatives.YES)

    def send_back(self, number: int) -> None:
        """A curator changes their mind."""
        if number not in self.returned:
            self._judge(number, Judgement(Verdict.RETURNED, Reason.OTHER))
            self.returned[number] = self.step

    def approve(self, number: int) -> None:
        """And again."""
        if self.returned.pop(number, None) is not None:
            self._judge(number, Judgement(Verdict.APPROVED))

    def leave(self, _: int) -> None:
        """Nothing happens."""

    def kill(self, _: int) -> None:
        """The exporter's process ends here."""
        raise Killed

    def out_since(self, step: int) -> set[int]:
        """Entries that must not leave, and have not been allowed to at any moment since."""
        return {number for out in (self.forbidden, self.returned) for number, since in out.items() if since < step}

    def allowed(self) -> list[int]:
        """Entries that may leave now."""
        return [number for number in self.numbers if number not in self.forbidden and number not in self.returned]

    def _record(self, number: int, derivatives: Derivatives) -> None:
        identifier = f"r{self.numbers.index(number)}"
        self.catalogue.add_record(
            self.sample.archive(self.catalogue), self.sample.record(identifier, derivatives=derivatives)
        )

    def _judge(self, number: int, judgement: Judgement) -> None:
        self.catalogue.give_verdict(number, "curator", judgement, seen=self.catalogue.queue_entry(number).seen)


@dataclass
class Meddler:
    """Watches an export step by step, and lets the world do what was drawn for a step."""

    world: World
    target: Path
    plan: dict[int, Callable[[], None]]
    steps: int = 0
    began: dict[int, int] = field(default_factory=dict)
    """When the writing of an entry's folder began last."""
    seen: set[str] = field(default_factory=set)
    closed: int = 0
    """When the package last became a bag."""

    def step(self) -> None:
        """One step more."""
        self.steps += 1
        self.world.step += 1
        self._look()
        if act := self.plan.pop(self.steps, None):
            act()

    @contextmanager
    def at_work(self, engine: Engine) -> Iterator[None]:
        """While this is open, steps are counted."""
        self.seen = _names(self.target)
        event.listen(engine, "before_cursor_execute", _statement)
        _WATCHING.append(self)
        try:
            yield
        finally:
            _WATCHING.clear()
            event.remove(engine, "before_cursor_execute", _statement)

    def wrote(self, number: int) -> None:
        """The writing of its folder begins."""
        self.began[number] = self.world.step

    def _look(self) -> None:
        """Nothing comes to lie in the package that was withheld before it was even written."""
        now = _names(self.target)
        for name in now - self.seen:
            number = int(name)
            assert number not in self.world.out_since(self.began.get(number, 0)), f"{number} came in"
        self.seen = now
        if not (self.target / _TAGS).exists():
            self.closed = 0
        elif not self.closed:
            self.closed = self.world.step


_WATCHING: Final[list[Meddler]] = []


def _step() -> None:
    """What the world does, and what is looked at meanwhile, is no step."""
    if _WATCHING:
        meddler = _WATCHING.pop()
        meddler.step()
        _WATCHING.append(meddler)


def _statement(*_: object) -> None:
    _step()


def _change(name: str, _: object) -> None:
    if _WATCHING and name in _CHANGES:
        _step()


@pytest.fixture(scope="module", autouse=True)
def _audited() -> None:
    """The interpreter tells of changes for good; outside of an export nobody listens."""
    sys.addaudithook(_change)


@pytest.fixture
def world(catalogue: Catalogue, settings: CatalogueSettings, sample: Sample) -> Iterator[World]:
    """Another process's catalogue, in which five entries are approved."""
    numbers = sample.entries(catalogue, ENTRIES_MADE)
    with Catalogue.open(settings) as other:
        for number in numbers:
            other.give_verdict(number, "curator", Judgement(Verdict.APPROVED))
        yield World(other, sample, numbers)


@pytest.fixture
def sources(catalogue: Catalogue, settings: CatalogueSettings, monkeypatch: pytest.MonkeyPatch) -> Sources:
    """The exporter's own, which reads and writes two entries at a time."""
    monkeypatch.setattr(approved, "PAGE", 2)
    for module in (entry_files, package):
        monkeypatch.setattr(module, "SHARD", 2)
    return packed(catalogue, settings)


def test_a_hundred_interleavings_of_withholding_and_export_let_nothing_withheld_out(
    world: World, sources: Sources, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = INTERLEAVINGS[database]
    ended = interleave(world, sources, tmp_path, monkeypatch, count)
    assert ended["killed"] > count / 20
    assert ended["withdrawn"] > count / 10


class Broken:
    """Ways to make an exporter that lets withheld entries out, or forgets that they were there."""

    @staticmethod
    def looks_no_more_once_the_bag_is_made(patch: pytest.MonkeyPatch) -> None:
        """What was withheld during the export's end stays."""
        withdraw, looked = package._Package.withdraw, set[int]()

        def once(self: Any) -> bool:
            if id(self.done) in looked:
                return False
            looked.add(id(self.done))
            kept.append(self.done)
            return withdraw(self)

        kept: list[Any] = []  # or numbers of objects come again
        patch.setattr(package._Package, "withdraw", once)

    @staticmethod
    def puts_what_it_has_written_without_another_look(patch: pytest.MonkeyPatch) -> None:
        """What was withheld while its page was being written comes in for a while."""
        add, look, adding = package._Package.add, Catalogue.still_approved, list[bool]()

        def hurried(self: Any, page: Any) -> None:
            adding.append(True)
            add(self, page)
            adding.pop()

        def looks(self: Catalogue, numbers: Any, wanted: QueueFilter) -> set[int]:
            return set(numbers) if adding else look(self, numbers, wanted)

        patch.setattr(package._Package, "add", hurried)
        patch.setattr(Catalogue, "still_approved", looks)

    @staticmethod
    def takes_out_without_a_tombstone(patch: pytest.MonkeyPatch) -> None:
        """Harvesters are never told."""
        take_out = package._Package._take_out

        def silently(self: Any, number: int) -> None:
            take_out(self, number)
            self._tombstone(number).unlink()

        patch.setattr(package._Package, "_take_out", silently)

    @staticmethod
    def leaves_the_manifest_while_it_changes_entries(patch: pytest.MonkeyPatch) -> None:
        """Killed, it leaves what looks like a package."""
        patch.setattr(package._Package, "_unfinish", lambda _: None)


@pytest.mark.parametrize("broken", [name for name in vars(Broken) if not name.startswith("_")])
def test_the_same_hundred_find_out_a_broken_exporter(
    broken: str, world: World, sources: Sources, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database != "sqlite":
        pytest.skip("what is broken is no statement")
    getattr(Broken, broken)(monkeypatch)
    with pytest.raises(AssertionError):
        interleave(world, sources, tmp_path, monkeypatch, INTERLEAVINGS[database])


def interleave(
    world: World, sources: Sources, folder: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> dict[str, int]:
    """Run so many, each on a new package or on the one before; how often something happened.

    Raises:
        AssertionError: something left that was withheld, or a package is none.
    """
    write = entry_files.EntryFiles.write
    watching: list[Meddler] = []

    def told(self: entry_files.EntryFiles, place: Path) -> None:
        watching[-1].wrote(self.leaving.entry.attempt.id)
        write(self, place)

    monkeypatch.setattr(entry_files.EntryFiles, "write", told)
    happened, lengths, target = {"killed": 0, "withdrawn": 0}, {True: 200, False: 60}, folder / "bag-0"
    ever = set[int]()
    for seed in range(count):
        drawn = random.Random(seed)
        if is_new := drawn.random() < 0.4 or not seed:
            target, ever = folder / f"bag-{seed}", set()
        for number in world.numbers:
            drawn.choice((world.permit, world.permit, world.approve, world.leave))(number)
        watching.append(meddler := Meddler(world, target, _plan(drawn, world, lengths[is_new])))
        killed = _exported(sources, meddler)
        if not killed:
            lengths[is_new] = meddler.steps
        _assert_nothing_leaked(meddler, killed)
        ever |= {int(name) for name in (*_names(target), *_stones(target))}
        if killed or seed % 3 == 0:
            ever = _assert_settled(world, sources, target, ever)
        happened["killed"] += killed
        happened["withdrawn"] += len(ever - set(world.allowed()))
    return happened


def _plan(drawn: random.Random, world: World, length: int) -> dict[int, Callable[[], None]]:
    """What happens at which step."""
    acts = (*[world.withhold] * 5, *[world.permit] * 2, world.send_back, world.approve, *[world.kill] * 2)

    def one() -> Callable[[], None]:
        act, number = drawn.choice(acts), drawn.choice(world.numbers)
        return lambda: act(number)

    return {drawn.randrange(1, length): one() for _ in range(drawn.randint(1, 4))}


def _exported(sources: Sources, meddler: Meddler) -> bool:
    """Was it killed?"""
    try:
        with meddler.at_work(sources.catalogue.engine):
            export(sources, meddler.target, _ORDER)
    except Killed:
        return True
    except NothingApproved:
        assert not meddler.target.exists()
    return False


def _assert_nothing_leaked(meddler: Meddler, killed: bool) -> None:
    """Of what was withheld before the package became a bag nothing is in it when the export has ended."""
    target, world = meddler.target, meddler.world
    if (target / _TAGS).exists():  # also of a killed one: then it is the bag that was there, or its own whole one
        assert_is_a_bag(target)
    if target.exists() and not killed:
        assert (target / _TAGS).exists()
        assert not {int(name) for name in _names(target)} & world.out_since(meddler.closed)


def _assert_settled(world: World, sources: Sources, target: Path, ever: set[int]) -> set[int]:
    """An undisturbed export leaves just what may leave, and tombstones of all else that ever left; all of both."""
    allowed = world.allowed()
    try:
        export(sources, target, _ORDER)
    except NothingApproved:
        assert not allowed
        return ever
    assert sorted(map(int, _names(target))) == allowed
    assert set(map(int, _stones(target))) == ever - set(allowed)
    assert_is_a_bag(target)
    gone = [folder_of(number) for number in world.numbers if number not in allowed]
    for name, data in files(target).items():
        if not name.startswith((f"data/{WITHDRAWN}/", f"data/{changes.FOLDER}/")):
            assert not [each for each in gone if f"{each}/".encode() in data or f"{each}/" in name], name
    told = json.loads((target / f"data/{changes.FOLDER}/page-0.json").read_bytes())["orderedItems"]
    kinds = {each["object"]["id"].split("/")[-2]: each["type"] for each in told}
    assert {int(number) for number, kind in kinds.items() if kind != "Delete"} == set(allowed)
    assert len(kinds) == len(told)
    return ever | set(allowed)


def _names(target: Path) -> set[str]:
    """Entries that a web server would hand out."""
    try:
        shards = [each.path for each in os.scandir(target / "data" / ENTRIES)]
    except FileNotFoundError:
        return set()
    names = chain.from_iterable(map(os.listdir, shards))  # at every step: no paths are made
    return {name for name in names if name.isdecimal()}


def _stones(target: Path) -> set[str]:
    return {path.stem for path in target.glob(f"data/{WITHDRAWN}/*.json")}
