"""Finds damage to a catalogue, and mends what is safe to mend, when asked.

`nishiki doctor` calls it. It opens the catalogue by itself, so that it can also speak of one whose schema
this program does not read. Looking changes nothing.
"""

import random
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from glob import escape
from itertools import chain
from math import inf
from pathlib import Path

from sqlalchemy import Engine, inspect

from db.catalogue import Catalogue
from db.engine import HEAD, database_file, upgrade
from db.entries.night import JudgedAgain
from db.errors import CatalogueAhead, CatalogueBehind, CatalogueError, CatalogueMisfit
from db.files.bucket import Kept
from db.files.home import HomeFolder, open_to_others, written_by_nishiki
from db.files.tiles import TileStore
from db.opening import engine_at
from db.queries.night.rights import Judge
from db.settings import CatalogueSettings
from db.soundness import Tell, unsound
from db.tables.base import Base

YOUNG_S = 3600
"""A file younger than this may be that of a process at work, whose row is yet to come."""
LOOK_S = 60.0
"""How long pictures are read and compared with their sha256, unless more or less is asked for."""


_CHECKPOINT, _UNFINISHED, _SINGLE = "attempt-*.safetensors", "*.tmp", "single-*.safetensors"
"""Their names, while they are being written, and those of `nishiki colorize`, which no catalogue knows of."""
_SINGLE_OLD_S = 30 * 86_400.0


class Damage(StrEnum):
    """What can be wrong."""

    DATABASE = "damaged database"
    SCHEMA = "schema"
    MISSING = "missing picture"
    ALTERED = "altered picture"
    UNREFERENCED = "unreferenced file"
    LEFTOVER = "leftover file"
    STRAY = "stray file"
    """Among the pictures, and by its name none of nishiki's: left alone."""
    CHECKPOINT = "leftover checkpoint"
    TILES = "leftover tiles"
    LOST_TILES = "lost tiles"
    LOST_COPIES = "lost working copies"
    COPY = "leftover working copy"
    READ = "pictures read long ago"
    """Before brightness, transparency and page were judged by the picture."""
    RIGHTS = "rights"
    """Judged by rules that were milder, or understood less."""
    TONES = "tones"
    """Found and mended by `flows.upkeep.toning`, which judges pictures."""
    DEAD_BATCH = "dead batch"
    WAITING = "waiting batch"
    """Found by `flows.upkeep.waiting`, which knows the weights that there are."""
    OPEN = "open to others"
    COUNTS = "counts"
    """That the database keeps of its own rows."""


_MENDABLE = set(Damage) - {Damage.DATABASE, Damage.SCHEMA, Damage.STRAY, Damage.WAITING}

_COPY = "bring the file back from a copy of the pictures"
_ASK = "nishiki doctor --mend (asks its archive for it), or bring the file back from a copy of the pictures"
_AGAIN = "nishiki doctor --mend (the next dispatch makes it again), or bring the file back from a copy of the pictures"
_FORGET = "nishiki doctor --mend (the result stays, without its map of trust), or bring the file back from a copy"
_UNDER_WAY = "nishiki resume (makes it again)"
_BACK = {
    "sqlite": "put the file aside and bring it back from a copy; `sqlite3 FILE .recover` saves what can be read",
    "postgresql": "bring it back from a copy (pg_restore); REINDEX mends an index",
}

_FILES = (Damage.MISSING, Damage.ALTERED)


@dataclass(frozen=True)
class Rules:
    """By which rights are judged; the catalogue knows none."""

    version: int
    judge: Judge
    words: Callable[[JudgedAgain], str]
    """What became of a record's rights, for a person."""


@dataclass(frozen=True)
class Remedies:
    """What only the night can do, which the doctor does not know."""

    remake: Callable[[Catalogue, Collection[str]], object]
    """Make the working copies of these pictures (sha256), as far as it goes."""
    fetch_again: Callable[[Collection[str]], Mapping[str, str | None]]
    """Ask the archives for these pictures and put them back: each with why it could not be; None: it is back."""
    rules: Rules | None = None
    """By which rights are judged again."""
    make_tiles: Callable[[], object] = lambda: None
    """Make the tiles that are missing, as far as it goes."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, in words for a person."""

    damage: Damage
    subject: str
    """A file's path inside the picture store, a checkpoint's, tiles' or a copy's inside the home, an image's sha256, a
    batch's number."""
    problem: str
    remedy: str

    @property
    def mendable(self) -> bool:
        """Can `mend` do it without losing anything?"""
        return self.damage in _MENDABLE

    @property
    def left(self) -> str:
        """What is left to do once `mend` could not do it; empty: nothing that is known, beside what it told."""
        return {_ASK: _COPY, "nishiki doctor --mend": ""}.get(self.remedy, self.remedy)


def examine(
    settings: CatalogueSettings,
    *,
    look_s: float = LOOK_S,
    young_s: float = YOUNG_S,
    tell: Tell = lambda _: None,
    rules: int = 0,
) -> list[Finding]:
    """Look for damage.

    Args:
        settings: where the catalogue lies.
        look_s: seconds for which pictures are read and compared with their sha256; infinite: until all are.
        young_s: age in seconds under which a file without a row is left alone.
        tell: hears, in a sentence each, what was not looked at and how it can be.
        rules: version of the rules for rights; what older ones judged is found.

    Raises:
        NoCatalogue: there is none.
    """
    try:
        with Catalogue.open(settings, create=False) as catalogue:
            # of a damaged database, or one of other tables, nothing else can be asked
            if unfit := [*_unfit(catalogue.engine)] or [*_damaged(catalogue.engine, tell, look_s)]:
                return unfit
            return [
                *_counts(catalogue),
                *_pictures(catalogue, look_s, tell),
                *_files(catalogue, young_s, tell),
                *_checkpoints(catalogue, settings.home, young_s),
                *_tiles(catalogue, settings.home, young_s),
                *_lost_tiles(catalogue, settings.home, tell),
                *_working_copies(catalogue, settings.home, young_s),
                *_dead_batches(catalogue),
                *_open_to_others(catalogue.engine, settings.home, tell),
                *_older_rights(catalogue, rules),
            ]
    except CatalogueBehind as error:
        return [Finding(Damage.SCHEMA, "schema", str(error), "nishiki doctor --upgrade")]
    except CatalogueAhead as error:
        return [Finding(Damage.SCHEMA, "schema", str(error), "use the version of nishiki that made it, or a newer one")]
    except CatalogueMisfit as error:
        return [Finding(Damage.SCHEMA, "schema", str(error), "bring the catalogue back from a copy")]


def _damaged(engine: Engine, tell: Tell, look_s: float) -> Iterator[Finding]:
    for problem in unsound(engine, tell, whole=look_s == inf):
        yield Finding(Damage.DATABASE, str(database_file(engine) or engine.url.database), problem, _BACK[engine.name])


def _unfit(engine: Engine) -> Iterator[Finding]:
    """Tables and columns that this program needs and the catalogue has not, whatever its schema's number says."""
    found = inspect(engine)
    here = set(found.get_table_names())
    for table in Base.metadata.sorted_tables:
        if table.name not in here:
            yield _misfit(f"table {table.name}")
            continue
        columns = {column["name"] for column in found.get_columns(table.name)}
        yield from (_misfit(f"column {each}") for each in table.columns if each.name not in columns)


def _misfit(missing: str) -> Finding:
    remedy = "bring the catalogue back from a copy, or use the version of nishiki that made it"
    return Finding(Damage.SCHEMA, missing, f"it is missing, though the schema calls itself {HEAD}", remedy)


def mend(settings: CatalogueSettings, findings: Sequence[Finding], remedies: Remedies, tell: Tell) -> list[Finding]:
    """Mend what can be mended without loss, each by itself; returns what was done.

    What no row names and no attempt needs is deleted, originals are fetched again, lost results begun again, lost
    copies and tiles made, dead batches given free, others shut out; rights are judged again, and what is not allowed
    any more is withheld. What has healed or come to life since it was found is left alone. What cannot be mended stops
    nothing.

    Args:
        tell: hears which finding could not be mended, and why.
    """
    with Catalogue.open(settings, create=False) as catalogue:
        mending = _Mending(catalogue, settings.home, catalogue.picture_names(), remedies, tell)
        mending.fetch(findings)
        return [each for each in findings if mending.tried(each)]


def upgrade_schema(settings: CatalogueSettings) -> Path | None:
    """Bring the schema and the search up to date; the copy that was made of a SQLite catalogue, if any."""
    engine = engine_at(settings, create=False)
    try:
        copy = upgrade(engine)
    finally:
        engine.dispose()
    with Catalogue.open(settings, create=False) as catalogue:
        catalogue.index_again()
    return copy


def _counts(catalogue: Catalogue) -> Iterator[Finding]:
    if wrong := catalogue.wrong_counts():
        problem = "the rows themselves say otherwise; `nishiki status` tells them wrong"
        yield Finding(Damage.COUNTS, "; ".join(wrong), problem, "nishiki doctor --mend")


def _pictures(catalogue: Catalogue, look_s: float, tell: Tell) -> Iterator[Finding]:
    kept = list(catalogue.pictures.kept())
    here, named = {each.sha256: each for each in kept}, catalogue.picture_names()
    remedies = dict.fromkeys(catalogue.harvested_names(), _ASK)
    remedies |= dict.fromkeys(catalogue.result_names(pending=False), _AGAIN)
    remedies |= dict.fromkeys(catalogue.result_names(pending=True), _UNDER_WAY)
    remedies |= dict.fromkeys(catalogue.trust_names(), _FORGET)
    strays = [each.name for each in kept if not each.is_picture]
    for name in [*(str(path.relative_to(catalogue.pictures.root)) for path in catalogue.pictures.above()), *strays]:
        problem = f"it lies in {catalogue.pictures.root}, and nishiki has not put it there"
        yield Finding(Damage.STRAY, name, problem, "move it elsewhere")
    gone = sorted(named - set(here))
    altered = _altered(catalogue, [here[sha256] for sha256 in named & set(here)], look_s, tell)
    of = {
        each.sha256: f" (record {each.identifier} of {each.archive})" for each in catalogue.stored_from(gone + altered)
    }
    for sha256 in gone:
        problem = f"the catalogue names it{of.get(sha256, '')}, the file is gone"
        yield Finding(Damage.MISSING, sha256, problem, remedies.get(sha256, _COPY))
    for sha256 in altered:
        problem = (
            f"{catalogue.pictures.place(here[sha256])}{of.get(sha256, '')} has other bytes than when it was stored"
        )
        yield Finding(Damage.ALTERED, sha256, problem, remedies.get(sha256, _COPY))


def _altered(catalogue: Catalogue, files: list[Kept], look_s: float, tell: Tell) -> list[str]:
    """Read pictures as long as there is time, in an order of chance, so that each has its turn on some day."""
    random.shuffle(files)
    begun, altered, read = time.monotonic(), [], 0
    while read < len(files) and time.monotonic() - begun < look_s:
        if not catalogue.pictures.verify(files[read].sha256):
            altered.append(files[read].sha256)
        read += 1
    if left := files[read:]:
        gigabytes = sum(each.size for each in left) / 1e9
        tell(
            f"{len(left):,} of {len(files):,} pictures ({gigabytes:.1f} GB) were not read and compared with their "
            "sha256: nishiki doctor --deep reads all."
        )
    return sorted(altered)


def _files(catalogue: Catalogue, young_s: float, tell: Tell) -> Iterator[Finding]:
    pictures, now = catalogue.pictures, datetime.now(UTC)
    old = [each for each in pictures.kept() if (now - each.changed_at).total_seconds() >= young_s]
    named = catalogue.picture_names()  # after the list: a row may have come meanwhile, never gone
    unnamed = [each for each in old if each.is_picture and each.sha256 not in named]
    if pictures.shared and unnamed:  # another catalogue's, for all that is known here
        tell(
            f"{len(unnamed):,} pictures in object storage are named by no row of this catalogue, such as "
            f"{pictures.place(unnamed[0])}: crashes between file and row, or another catalogue's. They are left alone."
        )
    for each in [] if pictures.shared else unnamed:
        problem = "no row names it, as after a crash between file and row"
        yield Finding(Damage.UNREFERENCED, each.name, problem, "nishiki doctor --mend")
    for path in pictures.leftovers():
        if _age_s(path) >= young_s:
            problem = "it was never finished: a crash while writing"
            yield Finding(Damage.LEFTOVER, str(path.relative_to(pictures.root)), problem, "nishiki doctor --mend")


def _checkpoints(catalogue: Catalogue, home: Path, young_s: float) -> Iterator[Finding]:
    """No pending attempt, no need of a checkpoint; while there is one, only old unfinished files are left over."""
    folder = home / HomeFolder.CHECKPOINTS
    finished, unfinished = sorted(folder.glob(_CHECKPOINT)), sorted(folder.glob(_UNFINISHED))
    idle = not catalogue.pending()  # after the lists: a batch that begins now is not taken for idle
    for path in finished if idle else []:
        yield _leftover(path, home, "no attempt is pending: a crash between result and clearing up")
    for path in sorted(folder.glob(_SINGLE)):
        if _age_s(path) >= _SINGLE_OLD_S:
            yield _leftover(path, home, "a picture that nobody went on with for a month")
    for path in unfinished:
        if idle or _age_s(path) >= young_s:
            yield _leftover(path, home, "it was never finished: a crash while writing")


def _tiles(catalogue: Catalogue, home: Path, young_s: float) -> Iterator[Finding]:
    """Folders that show nothing."""
    store = TileStore(home / HomeFolder.TILES)
    old = [path for path in store.folders() if _age_s(path) >= young_s]
    named = catalogue.picture_names()  # after the list, as for files
    for path in old:
        if path.name not in named:
            yield _leftover(path, home, "no row names their picture", Damage.TILES)
    for path in store.leftovers():
        if _age_s(path) >= young_s:
            yield _leftover(path, home, "they were never finished: a crash while writing", Damage.TILES)


def _lost_tiles(catalogue: Catalogue, home: Path, tell: Tell) -> Iterator[Finding]:
    """Machines with a home each need tiles only where the page is served."""
    if not (lost := _without_tiles(catalogue, home)):
        return
    if catalogue.pictures.shared:
        tell(f"{lost:,} results have no tiles in {home}; where the page is served, nishiki tiles makes them.")
        return
    problem = "so many results have none; the review page cannot show them"
    yield Finding(Damage.LOST_TILES, f"({lost:,})", problem, "nishiki tiles")


def _without_tiles(catalogue: Catalogue, home: Path) -> int:
    """How many results of closed batches lack tiles and could have them, their pictures being here."""
    store = TileStore(home / HomeFolder.TILES)
    given_up, made = store.given_up(), {path.name for path in store.folders()}
    lost = (shown for shown in catalogue.tiles_due() if not made.issuperset(shown) and shown[0] not in given_up)
    if (first := next(lost, None)) is None:
        return 0
    here = {each.sha256 for each in catalogue.pictures.kept()}
    return sum(here.issuperset(shown) for shown in chain([first], lost))


def _working_copies(catalogue: Catalogue, home: Path, young_s: float) -> Iterator[Finding]:
    """Lost ones in one finding, for a catalogue that is older than working copies has none at all."""
    store = catalogue.working_copies
    old = [path for path in store.files() if _age_s(path) >= young_s]
    named = catalogue.harvested_names()  # after the list, as for files
    for path in old:
        if path.stem not in named or not store.is_current(path):
            why = "no row names its picture" if store.is_current(path) else "it is of an earlier version"
            yield _leftover(path, home, why, Damage.COPY)
    for path in store.leftovers():
        if _age_s(path) >= young_s:
            yield _leftover(path, home, "it was never finished: a crash while writing", Damage.COPY)
    if lost := _without_copy(catalogue):
        problem = "so many pictures have none; matching makes each that it needs, which takes it longer"
        yield Finding(Damage.LOST_COPIES, f"({len(lost):,})", problem, "nishiki doctor --mend")
    if old_ones := _read_long_ago(catalogue):
        problem = "so many were read before brightness, transparency and page were judged by the picture itself"
        yield Finding(Damage.READ, f"({len(old_ones):,})", problem, "nishiki doctor --mend")


def _read_long_ago(catalogue: Catalogue) -> list[str]:
    """Harvested pictures that may be read otherwise now, and whose file is here; JPEG is read as it was."""
    read = {each.sha256 for each in catalogue.pictures.kept() if not each.name.endswith(".jpg")}
    return sorted(read & catalogue.read_otherwise())


def _without_copy(catalogue: Catalogue) -> list[str]:
    """Harvested pictures whose file is here and whose working copy is not."""
    here = {each.sha256 for each in catalogue.pictures.kept()}
    return sorted(each for each in catalogue.harvested_names() & here if not catalogue.working_copies.has(each))


def _leftover(path: Path, home: Path, problem: str, damage: Damage = Damage.CHECKPOINT) -> Finding:
    return Finding(damage, str(path.relative_to(home)), problem, "nishiki doctor --mend")


def _dead_batches(catalogue: Catalogue) -> Iterator[Finding]:
    for batch in catalogue.dead_batches():
        problem = f"its process is gone, {batch.left} of {batch.taken} attempts are left"
        yield Finding(Damage.DEAD_BATCH, str(batch.id), problem, "nishiki resume")


def _open_to_others(engine: Engine, home: Path, tell: Tell) -> Iterator[Finding]:
    """The catalogue's file, which holds the accounts, and a home in which nothing else lies."""
    file = database_file(engine)
    files = [] if file is None else sorted(file.parent.glob(f"{escape(file.name)}*"))
    ours = all(written_by_nishiki(path, home) for path in home.iterdir())
    for path in [home, *files] if ours else files:
        closed, shared = open_to_others(path)
        if closed != stat.S_IMODE(path.stat().st_mode):
            problem = "everybody on this machine may look into it"
            yield Finding(Damage.OPEN, str(path), problem, "nishiki doctor --mend")
        elif shared:
            tell(f"{path} is open to its group; it stays so (chmod g-rwx closes it).")


def _older_rights(catalogue: Catalogue, rules: int) -> Iterator[Finding]:
    if count := catalogue.judged_by_older(rules):
        problem = "so many records' rights were judged by older rules; the next match or dispatch judges them again"
        yield Finding(Damage.RIGHTS, f"({count:,})", problem, "nishiki doctor --mend")


@dataclass(frozen=True)
class _Mending:
    """Mends one finding after the other."""

    catalogue: Catalogue
    home: Path
    named: Collection[str]
    """Pictures that a row names."""
    remedies: Remedies
    tell: Tell
    answers: dict[str, str | None] = field(default_factory=dict)
    """Pictures that came back, and why others did not: of copies here, and of asking archives for originals."""

    def fetch(self, findings: Sequence[Finding]) -> None:
        """Ask for all originals at once, archive by archive; a table of theirs is read once.

        What object storage lost and this machine has a copy of needs no archive.
        """
        lost = {each.subject for each in findings if each.damage in _FILES}
        self.answers.update(dict.fromkeys(filter(self.catalogue.pictures.bring_back, lost)))
        if lost := (lost - self.answers.keys()) & self.catalogue.harvested_names():
            self.answers.update(self.remedies.fetch_again(lost))

    def tried(self, finding: Finding) -> bool:
        """Is it mended now? What hinders it is told."""
        try:
            return self._mended(finding)
        except (OSError, CatalogueError) as error:
            return self._not(finding, str(error))

    def _not(self, finding: Finding, why: str) -> bool:
        self.tell(f"{finding.damage} {finding.subject} could not be mended: {why}")
        return False

    def _mended(self, finding: Finding) -> bool:
        match finding.damage:
            case Damage.MISSING | Damage.ALTERED:
                return self._picture_back(finding)
            case Damage.LOST_COPIES | Damage.READ:
                due = _without_copy if finding.damage is Damage.LOST_COPIES else _read_long_ago
                self.remedies.remake(self.catalogue, due(self.catalogue))
                return not due(self.catalogue)
            case Damage.LOST_TILES:
                self.remedies.make_tiles()
                return not _without_tiles(self.catalogue, self.home)
            case Damage.RIGHTS if self.remedies.rules is not None:
                rules = self.remedies.rules
                for moved in self.catalogue.judge_again(rules.judge, rules.version):
                    self.tell(f"record {moved.identifier} of {moved.archive}: {rules.words(moved)}")
                return True
            case Damage.COUNTS | Damage.DEAD_BATCH | Damage.OPEN:
                return _MENDED_BY[finding.damage](self.catalogue, finding.subject)
            case Damage.LEFTOVER | Damage.UNREFERENCED:
                path = self.catalogue.pictures.root / finding.subject
            case _:
                path = self.home / finding.subject
        return finding.mendable and not self._needed(finding.damage, path) and _gone(path)

    def _picture_back(self, finding: Finding) -> bool:
        sha256 = finding.subject
        if sha256 in self.answers:
            why = self.answers[sha256]
            return why is None or self._not(finding, why)
        if sha256 in self.catalogue.result_names(pending=False):
            if not self.catalogue.make_again(sha256):
                return self._not(finding, "a night is at work on it")
            self.tell(f"{finding.damage} {sha256}: it is in the queue again; the next dispatch makes it anew")
            return True
        return self.catalogue.forget_trust(sha256)

    def _needed(self, damage: Damage, path: Path) -> bool:
        """Has what was found come to life since?"""
        match damage:
            case Damage.CHECKPOINT:
                return path.match(_CHECKPOINT) and bool(self.catalogue.pending())
            case Damage.COPY:
                return self.catalogue.working_copies.is_current(path) and path.stem in self.named
            case Damage.TILES:
                return path.name in self.named
        return path.stem in self.named


def _counted_again(catalogue: Catalogue, _: str) -> bool:
    catalogue.count_again()
    return not catalogue.wrong_counts()


def _gone(path: Path) -> bool:
    if not path.exists():
        return False
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    return True


def _closed(_: Catalogue, subject: str) -> bool:
    path = Path(subject)
    if path.exists():  # SQLite's journals come and go
        path.chmod(open_to_others(path)[0])
    return True


def _released(catalogue: Catalogue, batch_id: str) -> bool:
    held = catalogue.join(int(batch_id))
    if held is None:
        return False
    catalogue.release_batch(held)
    return True


_MENDED_BY: Mapping[Damage, Callable[[Catalogue, str], bool]] = {
    Damage.COUNTS: _counted_again,
    Damage.DEAD_BATCH: _released,
    Damage.OPEN: _closed,
}
"""What a finding's subject alone tells how to mend."""


def _age_s(path: Path) -> float:
    """Seconds since the file was last touched; none for one that is gone by now."""
    return time.time() - path.stat().st_mtime if path.exists() else 0.0
