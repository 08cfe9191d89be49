"""Copies a catalogue while it is at work, and brings one back: the database as it was at one moment, and its pictures.

`nishiki backup` and `nishiki restore` call it. What is durable when: the database's copy first, then every picture that
it names, then the manifest, which makes it a backup; the one before it holds until then. Pictures lie by their sha256,
so that each is copied once, and what a copy that was cut off has brought is there for the next. A restored database
appears last, whole. Working copies, tiles and reports are made again from pictures and catalogue, and are left out.
"""

import errno
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final

from sqlalchemy import Connection, Engine, inspect, text

from db.engine import (
    HEAD,
    connect,
    database_file,
    known_revisions,
    make_private,
    revision,
    revision_upgradable,
    taken_for_still,
    understood,
)
from db.errors import (
    BackupUnusable,
    CatalogueAhead,
    CatalogueError,
    CatalogueFull,
    HomeNotEmpty,
    PictureAltered,
    PictureMissing,
)
from db.files.atomic import fsync_folder, make_folder, room_for, write_whole
from db.files.bucket import Kept
from db.files.home import PRIVATE, HomeFolder
from db.files.lock import held_alone
from db.files.pictures import PictureStore
from db.opening import engine_at, pictures_of, whose
from db.settings import CatalogueSettings

MANIFEST: Final = "nishiki-backup.json"
"""Written last: what it names is a whole backup."""
VERSION: Final = 1
_LOCK, _DATABASES, _LISTS = "backup.lock", "databases", "lists"
_RESTORING: Final = "restore-unfinished"
"""In a home whose restore was cut off: the sha256 of the manifest that it was restored from."""
_NAMED: Final = (
    ("images", "sha256"),
    ("wishes", "marks_sha256"),
    ("requests", "marks_sha256"),
    ("requests", "mask_sha256"),
    ("attempts", "trust_sha256"),
)
"""Tables and columns of every file that a row names; wishes are schema 0004's requests."""
_TOOLS: Final = (
    "{0} is not among this machine's programs; install PostgreSQL's client, of the server's version or newer "
    "(postgresql-client)"
)
Advance = Callable[[int, int], object]
"""Hears how many pictures of how many are there."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds."""

    version: int
    made_at: str
    kind: str
    """sqlite or postgresql."""
    schema: str
    database: str
    """Its copy's file, named by its sha256."""
    list: str
    """The file that names its pictures, by the list's sha256: a name and its bytes a line."""
    rows: Mapping[str, int]
    """By table."""
    pictures: int
    picture_bytes: int
    lost: Sequence[str]
    """Pictures that rows name and that were damaged or gone when it was made."""
    identity: str = ""
    """Whose backup it is; empty where an older program made it."""


@dataclass(frozen=True)
class Copied:
    """What a backup or a restore came to."""

    manifest: Manifest
    copied: int
    """Pictures brought now; all others were there."""
    lost: Sequence[str]
    """Pictures (sha256) that rows name and that are not whole there now."""


def back_up(
    settings: CatalogueSettings,
    target: Path,
    *,
    verify: bool = False,
    advance: Advance = lambda *_: 0,
) -> Copied:
    """Copy a catalogue into a folder, beside whatever works on it; one of an older schema as it is.

    Args:
        target: made where there is none; an earlier backup in it is brought up to date.
        verify: read every picture that lies there already, too.

    Raises:
        NoCatalogue: there is none.
        CatalogueAhead: its schema is newer than this program.
        NightRunning: another backup is being written into the folder.
        BackupUnusable: the folder holds something else, such as the backup of another catalogue.
        CatalogueFull: no room left; the earlier backup stays whole, and the next one goes on.
        CatalogueError: the database could not be copied.
    """
    _check_target(target, settings.home)
    engine, source = engine_at(settings, create=False), pictures_of(settings)
    with closing(_Disposed(engine)), _room(target), _alone(target):
        schema = revision_upgradable(engine)
        own = whose(settings.home, engine)
        _check_whose(target, own)
        for folder in (_DATABASES, _LISTS):
            make_folder(target / folder)
            for path in (target / folder).glob(".*"):  # what was cut off
                path.unlink()
        store = PictureStore(target / HomeFolder.PICTURES)
        database, rows, names = _COPIED[engine.dialect.name](engine, target / _DATABASES)
        lost, copied = [], 0
        kept = {each.sha256: each for each in source.kept()}
        for place, sha256 in enumerate(names):
            try:
                copied += _picture(source, kept.get(sha256), store, sha256, verify=verify)
            except PictureMissing:
                lost.append(sha256)
            advance(place + 1, len(names))
        files = {sha256: store.path(sha256) for sha256 in names if sha256 not in set(lost)}
        sizes = {path.name: path.stat().st_size for path in files.values()}
        manifest = Manifest(
            version=VERSION,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            kind=engine.dialect.name,
            schema=schema,
            database=database,
            list=_listed(target / _LISTS, sizes),
            rows=rows,
            pictures=len(sizes),
            picture_bytes=sum(sizes.values()),
            lost=lost,
            identity=own,
        )
        write_whole(target / MANIFEST, json.dumps(asdict(manifest), indent=1).encode())
        _forget_others(target, manifest)
    return Copied(manifest, copied, lost)


def read_manifest(source: Path) -> Manifest:
    """What the backup in a folder holds.

    Raises:
        BackupUnusable: there is none, or it was cut off before it was whole, or of a later program.
    """
    path = source / MANIFEST
    if not path.is_file():
        begun = (source / _DATABASES).is_dir()
        why = "was cut off before it was whole; run `nishiki backup` again, which carries it on" if begun else ""
        raise BackupUnusable(f"the backup in {source} {why}" if begun else f"there is no backup of nishiki in {source}")
    try:
        manifest = Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BackupUnusable(f"{path} cannot be read ({error}); use another backup, or a newer nishiki") from error
    if manifest.version > VERSION:
        raise BackupUnusable(f"{path} was written by a newer nishiki; restore it with that")
    return manifest


def restore(settings: CatalogueSettings, source: Path, *, advance: Advance = lambda *_: 0) -> Copied:
    """Bring a backup back into an empty home and an empty database; each file is held to its sha256, rows are counted.

    A restore that was cut off goes on. A picture that is damaged or gone in the backup is left out: the rest may be all
    that is left of the catalogue.

    Raises:
        BackupUnusable: there is no whole backup, its database is damaged or gone, or it is of another kind of database.
        HomeNotEmpty: the home or the database holds something.
        CatalogueAhead: its schema is newer than this program.
        CatalogueFull: no room left.
    """
    manifest = read_manifest(source)
    mark = hashlib.sha256((source / MANIFEST).read_bytes()).hexdigest()
    kept = PictureStore(source / HomeFolder.PICTURES)
    engine = _empty_place(settings, manifest, mark, source)
    with closing(_Disposed(engine)), _room(settings.home):
        database = _sound(source / _DATABASES / manifest.database)
        names = [line.split()[0] for line in _sound(source / _LISTS / manifest.list).read_text().splitlines()]
        write_whole(settings.home / _RESTORING, mark.encode())
        store, copied, lost = pictures_of(settings), 0, [*manifest.lost]
        for place, name in enumerate(names):
            try:
                copied += _brought_back(kept, store, name)
            except PictureMissing:
                lost.append(name.split(".")[0])
            advance(place + 1, len(names))
        if not _is_there(engine):
            _BROUGHT_BACK[manifest.kind](engine, database, manifest)
        with understood(engine), engine.connect() as connection:
            _check_rows(connection, manifest)
        (settings.home / _RESTORING).unlink()
    return Copied(manifest, copied, lost)


def _check_target(target: Path, home: Path) -> None:
    if target.exists() and not target.is_dir():
        raise BackupUnusable(f"{target} is a file, and a backup is a folder; give another")
    if target.resolve().is_relative_to(home.resolve()):
        raise BackupUnusable(f"{target} lies in the home that it would be a copy of; give a folder on another disk")
    ours = {MANIFEST, _LOCK, _DATABASES, _LISTS, str(HomeFolder.PICTURES)}
    if target.is_dir() and (others := sorted({path.name for path in target.iterdir()} - ours)):
        raise BackupUnusable(f"{target} holds other things ({others[0]}); give an empty folder, or one of a backup")


def _check_whose(target: Path, own: str) -> None:
    """Is the backup that lies there of this catalogue? Its database would give way to this one's."""
    if (target / MANIFEST).is_file() and (theirs := read_manifest(target)).identity not in ("", own):
        raise BackupUnusable(
            f"{target} holds the backup of another catalogue ({theirs.rows.get('records', 0):,} records, made "
            f"{theirs.made_at}); give another folder, or name the right home and database_url"
        )


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """In the folder, made where there is none; made for nothing, it goes again."""
    new = False
    with suppress(FileExistsError):
        target.mkdir(PRIVATE, parents=True)
        new = True
    with held_alone(target / _LOCK, "another backup is being written into"):
        try:
            yield
        except BaseException:
            if new and not (target / HomeFolder.PICTURES).exists():  # pictures are there for the next, which goes on
                shutil.rmtree(target)
            raise


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """Say which disk is full, whoever notices."""
    try:
        with room_for(folder):
            yield
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise CatalogueFull(f"no room left in {folder}; free some space and run this again") from error
        raise CatalogueError(f"the database could not be copied ({error}); run this again") from error


def _picture(source: PictureStore, kept: Kept | None, target: PictureStore, sha256: str, *, verify: bool) -> bool:
    """Is it copied? One that is there stays, with the same bytes as when it was stored, or with as many as here.

    Raises:
        PictureMissing: neither place has it whole.
    """
    try:
        there = target.path(sha256)
    except PictureMissing:
        if kept is None:
            raise
        target.add(_read(source, sha256), PurePosixPath(kept.name).suffix)
        return True
    alike = not verify and (kept is None or there.stat().st_size == kept.size)  # gone here: what lies there is all
    if not alike and not target.verify(sha256):
        target.add(_read(source, sha256), there.suffix)
        return True
    return False


def _of_sqlite(engine: Engine, folder: Path) -> tuple[str, dict[str, int], list[str]]:
    """All pages in one step: a moment of the database, while others write.

    Raises:
        CatalogueError: it was written while it was taken for still, and the copy would be of no moment.
    """
    file, copy = database_file(engine), folder / ".copy.db"
    assert file is not None
    make_private(copy)
    still, before = taken_for_still(file), file.stat()
    engine.dispose()  # what was opened before that
    with understood(engine), engine.connect() as source, closing(sqlite3.connect(copy)) as target:
        source.connection.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
    after = file.stat()
    if still and (after.st_mtime_ns, after.st_size) != (before.st_mtime_ns, before.st_size):
        copy.unlink()
        raise CatalogueError(f"{file} was written while it was copied by one who may only read it; run this again")
    own = connect(f"sqlite:///{copy}")
    try:
        with own.connect() as connection:
            rows, names = _counted(connection), _named(connection)
    finally:
        own.dispose()
    return _kept(copy, ".db"), rows, names


def _of_postgresql(engine: Engine, folder: Path) -> tuple[str, dict[str, int], list[str]]:
    """By pg_dump, of the moment that the counts are of."""
    copy = folder / ".copy.dump"
    make_private(copy)
    with understood(engine), engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()
        rows, names = _counted(connection), _named(connection)
        _run(engine, "pg_dump", "--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges",
             f"--file={copy}")  # fmt: skip
    return _kept(copy, ".dump"), rows, names


def _run(engine: Engine, tool: str, *options: str) -> None:
    """A tool of PostgreSQL's client; the password is none of its arguments, which others see.

    Raises:
        CatalogueFull: no room left.
        CatalogueError: it is not here, or fails.
    """
    if shutil.which(tool) is None:
        raise CatalogueError(_TOOLS.format(tool))
    given: dict[str, Any] = dict(engine.dialect.create_connect_args(engine.url)[1])
    password = given.pop("password", None)
    place = " ".join(f"{key}='{_escaped(str(value))}'" for key, value in given.items() if isinstance(value, str | int))
    told = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    done = subprocess.run(  # noqa: S603  # our own words
        [tool, *options, f"--dbname={place}"], env=told, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or "no reason given").splitlines()
        if "No space left" in done.stderr:
            raise CatalogueFull(f"no room left ({said[-1]}); free some space and run this again")
        raise CatalogueError(f"{tool} failed: {'; '.join(said[:3])}")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")


def _counted(connection: Connection, tables: Collection[str] | None = None) -> dict[str, int]:
    """Rows of each table."""
    names = sorted(inspect(connection).get_table_names() if tables is None else tables)
    return {
        name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()  # noqa: S608  # names of its own
        for name in names
    }


def _named(connection: Connection) -> list[str]:
    """What an older schema has no column for yet, it names none of."""
    look, names = inspect(connection), set[str]()
    for table, column in _NAMED:
        if look.has_table(table) and column in {each["name"] for each in look.get_columns(table)}:
            named = f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"  # noqa: S608  # of our own
            names.update(connection.execute(text(named)).scalars())
    return sorted(names)


def _kept(copy: Path, suffix: str) -> str:
    """Give a whole copy its name, and see to it that it stays."""
    name = f"{_sha256(copy)}{suffix}"
    with copy.open("rb") as file:
        os.fsync(file.fileno())
    copy.replace(copy.with_name(name))
    fsync_folder(copy.parent)
    return name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listed(folder: Path, sizes: Mapping[str, int]) -> str:
    lines = "".join(f"{name} {size}\n" for name, size in sorted(sizes.items())).encode()
    name = f"{hashlib.sha256(lines).hexdigest()}.txt"
    write_whole(folder / name, lines)
    return name


def _forget_others(target: Path, manifest: Manifest) -> None:
    """Databases and lists of earlier backups; pictures stay, which may be another's one day."""
    for folder, kept in ((_DATABASES, manifest.database), (_LISTS, manifest.list)):
        for path in (target / folder).iterdir():
            if path.name != kept:
                path.unlink()


def _sound(path: Path) -> Path:
    if not path.is_file() or _sha256(path) != path.stem:
        raise BackupUnusable(f"{path} is damaged or gone; use another backup")
    return path


class _Disposed:
    """An engine that is given back at the end."""

    def __init__(self, engine: Engine) -> None:
        self.close = engine.dispose


def _empty_place(settings: CatalogueSettings, manifest: Manifest, mark: str, source: Path) -> Engine:
    """The database to restore into."""
    home = settings.home
    kind = "sqlite" if settings.url.startswith("sqlite") else "postgresql"
    if kind != manifest.kind:
        raise BackupUnusable(
            f"the backup in {source} is of {manifest.kind}, and NISHIKI_DATABASE_URL names {kind}; give one of its kind"
        )
    if manifest.schema not in known_revisions():
        raise CatalogueAhead(f"the backup in {source} has schema {manifest.schema}, newer than this program's {HEAD}")
    begun = home / _RESTORING
    carries_on = begun.is_file() and begun.read_text() == mark
    if home.is_dir() and not carries_on and (others := sorted(path.name for path in home.iterdir())):
        raise HomeNotEmpty(f"{home} is not empty (there is {others[0]}); a backup is restored into an empty home")
    if home.exists() and not home.is_dir():
        raise HomeNotEmpty(f"{home} is a file; give an empty folder, or none that is there")
    engine = connect(settings.url, settings.database_wait_s)
    if _is_there(engine) and not carries_on:
        engine.dispose()
        raise HomeNotEmpty("the database is not empty; a backup is restored into an empty one")
    home.mkdir(PRIVATE, parents=True, exist_ok=True)
    return engine


def _is_there(engine: Engine) -> bool:
    """Is there a database by this name that holds something?"""
    file = database_file(engine)
    return file.exists() if file is not None else revision(engine) is not None


def _brought_back(kept: PictureStore, store: PictureStore, name: str) -> bool:
    sha256, suffix = name.split(".", 1)
    with suppress(PictureMissing):
        if store.verify(sha256):
            return False
    store.add(_read(kept, sha256), suffix)
    return True


def _read(store: PictureStore, sha256: str) -> bytes:
    """A picture on a bad spot of its disk is damaged like others, and the rest is not lost with it.

    Raises:
        PictureMissing: it is damaged or gone.
    """
    try:
        return store.read(sha256)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        raise PictureAltered(f"picture {sha256} cannot be read ({error})") from error


def _into_sqlite(engine: Engine, database: Path, manifest: Manifest) -> None:
    """Beside its place first, where its rows are counted."""
    file = database_file(engine)
    assert file is not None
    file.parent.mkdir(PRIVATE, parents=True, exist_ok=True)
    copy = file.with_name(f".{file.name}.restored")
    copy.unlink(missing_ok=True)
    make_private(copy)
    shutil.copyfile(database, copy)
    own = connect(f"sqlite:///{copy}")
    try:
        with own.connect() as connection:
            _check_rows(connection, manifest)
    finally:
        own.dispose()
    with closing(sqlite3.connect(copy)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
    with copy.open("rb") as restored:
        os.fsync(restored.fileno())
    copy.replace(file)
    fsync_folder(file.parent)


def _into_postgresql(engine: Engine, database: Path, _manifest: Manifest) -> None:
    """All of it or nothing."""
    whole = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run(engine, "pg_restore", *whole, str(database))


def _check_rows(connection: Connection, manifest: Manifest) -> None:
    found = _counted(connection, manifest.rows)
    if off := [name for name, number in manifest.rows.items() if found[name] != number]:
        raise BackupUnusable(
            f"table {off[0]} has {found[off[0]]:,} rows after the restore, and had {manifest.rows[off[0]]:,}; "
            "use another backup"
        )


_COPIED = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}
_BROUGHT_BACK = {"sqlite": _into_sqlite, "postgresql": _into_postgresql}
