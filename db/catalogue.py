"""The catalogue: the one way in. Every method is a verb of the glossary and one transaction.

`flows` and the review page open it and speak in the entries of `db.entries.night`. Its queries stand in
`db/queries`, a class for each subject.
"""

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from db.engine import connect, database_file, prepare
from db.errors import NoCatalogue
from db.files.home import HomeFolder
from db.files.pictures import PictureStore
from db.files.working_copies import WorkingCopies
from db.queries.base.describe import DescribeQueries
from db.queries.night.dispatch import DispatchQueries
from db.queries.night.harvest import HarvestQueries
from db.queries.night.match import MatchQueries
from db.queries.night.measure import MeasureQueries
from db.queries.night.requests import RequestQueries
from db.queries.night.scope import ScopeQueries
from db.queries.night.status import StatusQueries
from db.queries.night.sweep import SweepQueries
from db.queries.review.accounts import CuratorQueries
from db.queries.review.distribution import DistributionQueries
from db.queries.review.facets import FacetQueries
from db.queries.review.leases import LeaseQueries
from db.queries.review.queue import QueueQueries
from db.queries.review.verdicts import VerdictQueries
from db.settings import CatalogueSettings


class Catalogue(
    HarvestQueries,
    ScopeQueries,
    MatchQueries,
    DispatchQueries,
    DescribeQueries,
    SweepQueries,
    MeasureQueries,
    StatusQueries,
    QueueQueries,
    FacetQueries,
    VerdictQueries,
    DistributionQueries,
    LeaseQueries,
    RequestQueries,
    CuratorQueries,
):
    """What we keep: records, images, matches, attempts and verdicts, with the picture files beside.

    Threads may share one; a process that forks opens its own.
    """

    @classmethod
    def open(cls, settings: CatalogueSettings, *, create: bool = True) -> Self:
        """Open the catalogue of these settings, and make it when there is none.

        Raises:
            NoCatalogue: there is none and `create` is off, or the place holds something else.
            CatalogueBehind, CatalogueAhead: its schema is of another version than this program.
            CatalogueUnreachable: the database does not answer.
        """
        engine = connect(settings.url)
        file = database_file(engine)
        if not create and not (settings.home.is_dir() and (file is None or file.is_file())):
            raise NoCatalogue(f"there is no catalogue in {settings.home} yet; run `nishiki harvest` first")
        if create:
            settings.home.mkdir(parents=True, exist_ok=True)
        if create and file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as on_failure:
            on_failure.callback(engine.dispose)
            prepare(engine, create=create)
            on_failure.pop_all()
        home = settings.home
        return cls(engine, PictureStore(home / HomeFolder.PICTURES), WorkingCopies(home / HomeFolder.WORKING_COPIES))

    def close(self) -> None:
        """Release the connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
