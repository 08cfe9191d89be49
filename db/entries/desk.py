"""What curators keep for themselves and say to each other: views of the queue, comments on entries, who judges what."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from db.entries.review import CuratorEntry

MOST_VIEWS: Final = 50
"""Of one curator."""
MOST_ASSIGNED: Final = 20
"""To one curator, not yet done: each is counted when their desk is shown."""
DONE_DAYS: Final = 30
"""For so long whoever assigned a view is told that it was done."""


@dataclass(frozen=True)
class SavedView:
    """A view of the queue under a name of its curator's."""

    id: int
    name: str
    query: str
    """As the address holds it."""


@dataclass(frozen=True)
class Comment:
    """What one curator says to the others on an entry; no verdict."""

    id: int
    attempt_id: int
    curator: str
    text: str
    said_at: datetime


class NotAssigned(StrEnum):
    """Why a view was not assigned."""

    NOBODY = "nobody"
    """No open account of this name may judge."""
    NOTHING = "nothing"
    """The view shows them no entry."""
    TWICE = "twice"
    """They have it already, and have not marked it as done."""
    FULL = "full"
    """They have MOST_ASSIGNED others."""


@dataclass(frozen=True)
class Assignment:
    """A view that somebody is asked to judge."""

    id: int
    curator: CuratorEntry
    """Who is asked, as their account is now."""
    name: str
    query: str
    """As the address held it when it was assigned."""
    note: str
    by: str
    assigned_at: datetime
    done_at: datetime | None
