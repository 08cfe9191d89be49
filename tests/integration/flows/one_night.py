"""One archive's harvest without Prefect, and days that pass between two of them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.catalogue import Catalogue
from db.tables.night import RecordImage, Window
from flows.archives.errors import ArchiveError
from flows.harvest import HarvestTally, harvest_archive
from flows.plan import plan_catalogue
from flows.settings import Settings


def night(settings: Settings, address: str) -> HarvestTally:
    """What the flow does with one archive in one try."""
    with plan_catalogue(settings, [address]) as plan:
        (planned,) = plan.archives
        tally = HarvestTally(planned.name)
        try:
            harvest_archive.fn(plan.catalogue, settings, planned, tally)
        except ArchiveError as error:
            tally.failure = str(error)
    return tally


def pass_days(settings: Settings, days: float) -> None:
    """As if what is noted of pictures and windows had been noted so long ago."""
    moments = {RecordImage: ("failed_at", "next_try_at"), Window: ("start", "until", "opened_at", "closed_at")}
    with Catalogue.open(settings) as catalogue, Session(catalogue.engine) as session, session.begin():
        for table, names in moments.items():
            for row in session.scalars(select(table)).all():
                moved = {name: _earlier(getattr(row, name), days) for name in names}
                keys = [column == getattr(row, column.key) for column in table.__table__.primary_key]
                session.execute(update(table).where(*keys).values(moved))


def _earlier(moment: Any, days: float) -> Any:
    return moment and moment - timedelta(days=days)


def states(settings: Settings) -> dict[str, int]:
    """How many pictures are held, wanted or broken."""
    with Catalogue.open(settings) as catalogue:
        found = catalogue.status()["pictures"]
    return {state: count for state, count in found.items() if count}
