"""The catalogue: the one way in. Every method is a verb of the glossary and one transaction.

`flows` and the review page open it and speak in the entries of `db.entries.night`. Its queries stand in
`db/queries`, a class for each subject.
"""

from db.opening import Opened
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
from db.queries.review.assignments import AssignmentQueries
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
    AssignmentQueries,
    DistributionQueries,
    LeaseQueries,
    WithheldQueries,
    RequestQueries,
    CuratorQueries,
    TokenQueries,
    AuditQueries,
    Opened,
):
    """What we keep: records, images, matches, attempts and verdicts, with the picture files beside."""


class CatalogueDatabase(Catalogue):
    """The same for what asks its database alone, from a machine that may have no home."""

    NEEDS_HOME = False
