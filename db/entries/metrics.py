"""What a monitor is told of the catalogue; frozen, made by its queries for the page's /metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from db.entries.nights import NightEntry


@dataclass(frozen=True)
class ArchiveMetrics:
    """One archive."""

    name: str
    records: int
    """Those that are not deleted."""
    last_harvest: datetime | None


@dataclass(frozen=True)
class CatalogueMetrics:
    """Counts that the catalogue keeps, or that small tables and indexes tell: cheap at any size."""

    attempts: Mapping[str, int]
    """By outcome, `pending` among them."""
    pictures: Mapping[str, int]
    """By state: `held`, `wanted`, `broken`."""
    entries_waiting: int
    conflicts: int
    workers: int
    """Processes that hold a lease on a batch."""
    archives: tuple[ArchiveMetrics, ...]
    nights: Mapping[str, int]
    """By how they ended."""
    last: NightEntry | None
    """The newest one."""
    last_success: datetime | None


@dataclass(frozen=True)
class BatchMetrics:
    """Attempts of one batch with an outcome."""

    recipe: str
    outcome: str
    attempts: int
    seconds: float
    """That they took together."""
