"""What curators keep for themselves and say to each other: views of the queue, comments on entries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

MOST_VIEWS: Final = 50
"""Of one curator."""


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
