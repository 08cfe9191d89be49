"""The catalogue: the one way in. Every method is a verb of the glossary and one transaction.

`flows` and the review page open it and speak in the entries of `db.entries.night`. Its queries stand in
`db/queries`, a class for each subject.
"""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from db.engine import connect, database_file, make_private, prepare
from db.errors import NoCatalogue
from db.files.home import PRIVATE, HomeFolder
from db.files.pictures import PictureStore
from db.files.working_copies import WorkingCopies
from db.queries.base.describe import DescribeQueries
from db.queries.base.tallies import TallyQueries
from db.queries.night.dispatch import DispatchQueries
from db.queries.night.harvest import HarvestQueries
from db.queries.night.history import HistoryQueries
from db.queries.night.match import MatchQueries
from db.queries.night.measure import MeasureQueries
from db.queries.night.metrics import MetricQueries
from db.queries.night.models import ModelQueries
from db.queries.night.mornings import MorningQueries
from db.queries.night.redo import RedoQueries
from db.queries.night.refits import RefitQueries
from db.queries.night.requests import RequestQueries
from db.queries.night.rights import RightsQueries
from db.queries.night.scope import ScopeQueries
from db.queries.night.status import StatusQueries
from db.queries.night.sweep import SweepQueries
from db.queries.night.tones import ToneQueries
from db.queries.review.accounts import CuratorQueries
from db.queries.review.audit import AuditQueries
from db.queries.review.comparisons import ComparisonQueries
from db.queries.review.corrections import CorrectionQueries
from db.queries.review.desk import DeskQueries
from db.queries.review.distribution import DistributionQueries
from db.queries.review.facets import FacetQueries
from db.queries.review.faults import FaultQueries
from db.queries.review.leases import LeaseQueries
from db.queries.review.other_prints import OtherPrintQueries
from db.queries.review.provided import ProvidedQueries
from db.queries.review.queue import QueueQueries
from db.queries.review.tokens import TokenQueries
from db.queries.review.verdicts import VerdictQueries
from db.queries.review.withheld import WithheldQueries
from db.settings import CatalogueSettings


class Catalogue(
    OtherPrintQueries,
    ProvidedQueries,
    ComparisonQueries,
    MorningQueries,
    MetricQueries,
    HarvestQueries,
    HistoryQueries,
    RightsQueries,
    ScopeQueries,
    MatchQueries,
    ModelQueries,
    RefitQueries,
    RedoQueries,
    DispatchQueries,
    DescribeQueries,
    SweepQueries,
    ToneQueries,
    MeasureQueries,
    StatusQueries,
    TallyQueries,
    QueueQueries,
    FacetQueries,
    FaultQueries,
    VerdictQueries,
    CorrectionQueries,
    DeskQueries,
    DistributionQueries,
    LeaseQueries,
    WithheldQueries,
    RequestQueries,
    CuratorQueries,
    TokenQueries,
    AuditQueries,
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
        engine = engine_at(settings, create=create)
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


def engine_at(settings: CatalogueSettings, *, create: bool) -> Engine:
    """An engine for the catalogue's place, whatever the schema of what lies there; home and file are made if asked.

    Raises:
        NoCatalogue: nothing lies there and `create` is off, or what does can be no home or no catalogue.
    """
    engine, home = connect(settings.url), settings.home
    file = database_file(engine)
    _check_folder(home)
    if file is not None:
        _check_folder(file.parent)
        if file.is_dir():
            raise NoCatalogue(f"{file} is a folder, and the catalogue a file; give another home or database")
    if not create:
        if not home.is_dir() or (file is not None and not file.exists()):
            raise NoCatalogue(f"there is no catalogue in {home} yet; run `nishiki harvest` first")
        return engine
    home.mkdir(PRIVATE, parents=True, exist_ok=True)
    if file is not None and not file.exists():
        file.parent.mkdir(PRIVATE, parents=True, exist_ok=True)
        make_private(file)
    return engine


def _check_folder(folder: Path) -> None:
    """Can this be a folder?

    Raises:
        NoCatalogue: it, or a part of its path, is a file.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not there.is_dir():
        raise NoCatalogue(f"{there} is a file, and the catalogue's home is a folder; give another home")
