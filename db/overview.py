"""The catalogue for a look at how it stands: loaded in half the time of the whole, which holds the same queries."""

from db.opening import Opened
from db.queries.night.nights import NightQueries
from db.queries.night.status import StatusQueries


class Overview(StatusQueries, NightQueries, Opened):
    """Counts and nights."""

    NEEDS_HOME = False
