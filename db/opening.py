"""How a catalogue is opened: its place looked at, its schema compared, its connections released again."""

from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from sqlalchemy import Engine, select

from db.engine import (
    check_writable,
    connect,
    database_file,
    holds_catalogue,
    make_private,
    prepare,
    reading,
    revision,
    shown,
    understood,
)
from db.errors import CatalogueMisfit, NoCatalogue
from db.files.atomic import write_whole
from db.files.bucket import Bucket
from db.files.home import IDENTITY, PRIVATE, HomeFolder
from db.files.pictures import PictureStore
from db.files.working_copies import WorkingCopies
from db.queries.base.store import Store
from db.settings import CatalogueSettings
from db.tables.identity import Identity


class Opened(Store):
    """Queries of an open catalogue.

    Threads may share one; a process that forks opens its own.
    """

    NEEDS_HOME: ClassVar[bool] = True
    """Is the home needed besides the database, where that does not lie in it?"""

    @classmethod
    def open(cls, settings: CatalogueSettings, *, create: bool = True) -> Self:
        """Open the catalogue of these settings, and make it when there is none.

        Raises:
            NoCatalogue: there is none and `create` is off, or the place holds something else.
            CatalogueBehind, CatalogueAhead: its schema is of another version than this program.
            CatalogueUnreachable: the database has not answered for `database_wait_s`, or does not let us in.
        """
        engine = engine_at(settings, create=create, needs_home=cls.NEEDS_HOME)
        with ExitStack() as on_failure:
            on_failure.callback(engine.dispose)
            prepare(engine, create=create)
            _take_home(settings.home, whose(settings.home, engine))
            on_failure.pop_all()
        return cls(engine, pictures_of(settings), WorkingCopies(settings.home / HomeFolder.WORKING_COPIES))

    def close(self) -> None:
        """Release the connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def pictures_of(settings: CatalogueSettings) -> PictureStore:
    """Where these settings keep pictures; nothing is asked yet."""
    url = settings.picture_store
    bucket = None if url is None else Bucket(url, settings.database_wait_s)
    return PictureStore(settings.home / HomeFolder.PICTURES, bucket)


def look_at(settings: CatalogueSettings, *, create: bool) -> bool:
    """Could the catalogue of these settings be opened, and written? Nothing is made, and its home may be missing.

    Args:
        settings: where it lies.
        create: may one be made where there is none yet?

    Returns:
        Is there one?

    Raises:
        As `Opened.open`; CatalogueReadOnly besides.
    """
    engine = connect(settings.url)
    try:
        file = database_file(engine)
        if file is not None and settings.database_url is not None:
            _check_folder(file.parent)
        if file is not None:
            _check_file(file)
        there = not _is_new(engine) and holds_catalogue(engine)
        if there:
            check_writable(engine)
            whose(settings.home, engine)
        elif create:
            _check_uninhabited(settings.home, engine)
    finally:
        engine.dispose()
    if not (there or create):
        raise NoCatalogue(_nothing_at(settings, file))
    return there


def identity(engine: Engine) -> str:
    """Which catalogue this is; empty in one that is damaged, or of an older schema."""
    try:
        with understood(engine), reading(engine).connect() as connection:
            return connection.execute(select(Identity.name)).scalar_one_or_none() or ""
    except CatalogueMisfit:
        return ""


def engine_at(settings: CatalogueSettings, *, create: bool, needs_home: bool = True) -> Engine:
    """An engine for the catalogue's place, whatever the schema of what lies there; home and file are made if asked.

    Raises:
        NoCatalogue: nothing lies there and `create` is off, or what does can be no home or no catalogue.
    """
    engine, home = connect(settings.url, settings.database_wait_s), settings.home
    file = database_file(engine)
    if needs_home:
        _check_folder(home)
    if file is not None:
        _check_folder(file.parent)
        _check_file(file)
    if not create:
        if file is not None and not file.exists():
            raise NoCatalogue(_nothing_at(settings, file))
        if needs_home and not home.is_dir():
            raise NoCatalogue(
                f"the home {home} is not there, where pictures and work in hand lie beside the database; "
                f"give the right one (NISHIKI_HOME, or --home), or make the folder {home}"
            )
        return engine
    if _is_new(engine):
        _check_uninhabited(home, engine)
    home.mkdir(PRIVATE, parents=True, exist_ok=True)
    if file is not None and not file.exists():
        file.parent.mkdir(PRIVATE, parents=True, exist_ok=True)
        make_private(file)
    return engine


def _nothing_at(settings: CatalogueSettings, file: Path | None) -> str:
    named = file is not None and settings.database_url is not None
    return f"there is no catalogue {f'at {file}' if named else f'in {settings.home}'} yet; run `nishiki harvest` first"


def _is_new(engine: Engine) -> bool:
    """Is there nothing yet where the catalogue is to be?"""
    file = database_file(engine)
    return (file is not None and not file.exists()) or revision(engine) is None


def _written(home: Path) -> str:
    """The catalogue that the files in a home belong to; empty where that was not written yet."""
    mark = home / IDENTITY
    return mark.read_text(encoding="utf-8").strip() if mark.is_file() else ""


def whose(home: Path, engine: Engine) -> str:
    """Which catalogue this is, whose files lie in its home.

    Raises:
        NoCatalogue: they are another's; its night would make all anew, and a doctor delete what that one made.
    """
    own, theirs = identity(engine), _written(home)
    if own and theirs and own != theirs:
        raise NoCatalogue(
            f"the files in {home} belong to another catalogue than the one at {shown(engine)}; name the right "
            f"database_url, or another home (if this one took their place on purpose, remove {home / IDENTITY})"
        )
    return own


def _take_home(home: Path, own: str) -> None:
    """Write whose the files in this home are, from the first command on."""
    if own and not _written(home):
        with suppress(OSError):  # one that can only be read
            write_whole(home / IDENTITY, own.encode())


def _check_uninhabited(home: Path, engine: Engine) -> None:
    """May a new catalogue be made?

    Raises:
        NoCatalogue: its home holds the pictures of one that is elsewhere, or lost.
    """
    if _written(home) or next(PictureStore(home / HomeFolder.PICTURES).kept(), None):
        raise NoCatalogue(
            f"there is no catalogue at {shown(engine)}, and {home} holds the pictures of one; name its database_url, "
            "bring it back from a backup, or give another home"
        )


def _check_file(file: Path) -> None:
    """Can this be a file?

    Raises:
        NoCatalogue: it is a folder.
    """
    if file.is_dir():
        raise NoCatalogue(f"{file} is a folder, and the catalogue a file; give another home or database")


def _check_folder(folder: Path) -> None:
    """Can this be a folder?

    Raises:
        NoCatalogue: it, or a part of its path, is a file.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise NoCatalogue(f"{there} is a file, and the catalogue's home is a folder; give another home")
