"""How a catalogue is opened: its place looked at, its schema compared, its connections released again."""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from sqlalchemy import Engine

from db.engine import check_writable, connect, database_file, holds_catalogue, make_private, prepare
from db.errors import NoCatalogue
from db.files.bucket import Bucket
from db.files.home import PRIVATE, HomeFolder
from db.files.pictures import PictureStore
from db.files.working_copies import WorkingCopies
from db.queries.base.store import Store
from db.settings import CatalogueSettings


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


def look_at(settings: CatalogueSettings, *, create: bool) -> None:
    """Could the catalogue of these settings be opened, and written? Nothing is made; its home is not looked at.

    Args:
        settings: where it lies.
        create: may one be made where there is none yet?

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
        there = (file is None or file.exists()) and holds_catalogue(engine)
        if there:
            check_writable(engine)
    finally:
        engine.dispose()
    if not (there or create):
        raise NoCatalogue(_nothing_at(settings, file))


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
    home.mkdir(PRIVATE, parents=True, exist_ok=True)
    if file is not None and not file.exists():
        file.parent.mkdir(PRIVATE, parents=True, exist_ok=True)
        make_private(file)
    return engine


def _nothing_at(settings: CatalogueSettings, file: Path | None) -> str:
    named = file is not None and settings.database_url is not None
    return f"there is no catalogue {f'at {file}' if named else f'in {settings.home}'} yet; run `nishiki harvest` first"


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
