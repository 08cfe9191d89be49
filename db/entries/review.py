"""The frozen dataclasses of the review: the queue, verdicts and requests, curators and their sessions.

They cross the catalogue's door as those of `db.entries.night` do. Times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.entries.faults import FaultKind
from db.entries.night import (
    LIKELY_SAME_DESIGN,
    AttemptEntry,
    Description,
    Outcome,
    Verdict,
    VerdictEntry,
    is_weak,
)


class Reason(StrEnum):
    """Why a colorization is returned: the faults of colour."""

    WRONG_MATCH = "wrong match"
    COLOUR_BLEEDING = "colour bleeding"
    INK_COLOURED = "ink coloured"
    UNBELIEVABLE = "unbelievable"
    OTHER = "other"


class Role(StrEnum):
    """What a person may do on the review page: look, give verdicts, keep the accounts."""

    VIEWER = "viewer"
    CURATOR = "curator"
    ADMIN = "admin"


class Queue(StrEnum):
    """Which entries: all that wait, those made again since they were returned, those judged two ways, every one."""

    WAITING = "waiting"
    REDONE = "redone"
    CONFLICTS = "conflicts"
    ALL = "all"


class Order(StrEnum):
    """What stands first; an order of a measure leaves out what does not tell it."""

    MATCH = "best match first"
    DOUBTED = "least trusted first"
    TRUSTED = "most trusted first"
    UNLIKE = "least similar design first"
    ALIKE = "most similar design first"
    LARGE_ERROR = "largest error first"
    SMALL_ERROR = "smallest error first"
    NEWEST = "newest first"
    OLDEST = "oldest first"


@dataclass(frozen=True)
class QueueFilter:
    """What a curator wants to see; what is left out does not narrow."""

    queue: Queue = Queue.WAITING
    order: Order = Order.MATCH
    batch_id: int | None = None
    archive: str | None = None
    artist: str | None = None
    """A name as the archive spells it; `words` finds other spellings."""
    actor: str | None = None
    role: str | None = None
    """Of a cast, as the archive spells it."""
    year_from: int | None = None
    year_to: int | None = None
    """Prints whose years touch the period; those without years are left out."""
    recipe: str | None = None
    likeness_from: float | None = None
    likeness_to: float | None = None
    """Of the style print's design to the content's, a cosine, in [-1, 1]."""
    trust_from: float | None = None
    trust_to: float | None = None
    """How far the colours are trusted, in [0, 1]."""
    error_from: float | None = None
    error_to: float | None = None
    """Total relative error, mean, dimensionless."""
    outcome: Outcome | None = None
    verdict: Verdict | None = None
    curator: str | None = None
    """Who gave the standing verdict."""
    fault: FaultKind | None = None
    """Of this kind a curator has marked one, at least."""
    words: str = ""
    """Parts of title, artists, cast or identifier, in any case, with or without macrons; all must be found."""


@dataclass(frozen=True, order=True)
class Place:
    """Where an entry stands in every queue of one order."""

    precedence: float
    """The lower, the earlier: 1 - the match's score for what succeeded, dimensionless; what the machine rejected comes
    after, from 3 on. In an order of a measure the measure itself, or the attempt's number; of an entry that does not
    tell it, beyond any."""
    attempt_id: int


@dataclass(frozen=True)
class Count:
    """How many, counted no further than a bound: `1,000+`."""

    number: int
    more: bool = False


@dataclass(frozen=True)
class Lease:
    """One curator has an entry open; the others leave it to them until then."""

    attempt_id: int
    curator: str
    until: datetime


@dataclass(frozen=True)
class NextEntry:
    """What is looked at next: its attempt, and the sha256 of original, result and, where there is one, style print."""

    attempt_id: int
    pictures: tuple[str, ...]


@dataclass(frozen=True)
class QueueEntry:
    """A line of the queue. `verdict` is the standing one; hidden from the second curator of a blind pair."""

    place: Place
    batch_id: int
    content: Description
    style_sha256: str | None
    """The first style; None where the recipe takes none."""
    output_sha256: str
    recipe: str
    outcome: Outcome
    refusal: str | None
    """Why the machine rejected it; None for what succeeded."""
    likeness: float | None
    """Of the style print's design to the content's, a cosine; None where none was matched."""
    trust: float | None
    """How far its colours are trusted, in [0, 1]; None where the recipe tells none."""
    verdict: VerdictEntry | None
    returned_by: str | None
    """Who returned the content's earlier attempt."""
    conflict: bool
    withheld: bool
    """A picture that it is made of may not be used any more: none of its pictures is shown."""
    lease: Lease | None
    reasons: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Of the match, as the matching keeps them."""

    @property
    def attempt_id(self) -> int:
        """The attempt's number."""
        return self.place.attempt_id

    @property
    def same_design(self) -> bool:
        """The style print is likely another impression of the content's own design."""
        return self.likeness is not None and self.likeness >= LIKELY_SAME_DESIGN

    @property
    def weak(self) -> bool:
        """Little speaks for the style print."""
        return is_weak(self.likeness, self.reasons)

    @property
    def seen(self) -> int | None:
        """The version to hand back with a verdict: the number of the verdict that is shown."""
        return self.verdict.id if self.verdict else None


@dataclass(frozen=True)
class Approved:
    """An entry that may leave the catalogue. Who approved it stays inside."""

    attempt: AttemptEntry
    approved_at: datetime
    changed_at: datetime
    """When what is said of its pictures changed last; not before it was approved."""


@dataclass(frozen=True)
class Provided:
    """What harvesters are told of an entry (OAI-PMH)."""

    attempt_id: int
    archive_id: int
    datestamp: datetime
    """Since when they are told so, in whole seconds."""
    gone: bool
    """It may not leave any more."""


@dataclass(frozen=True)
class Span:
    """Which of the provided entries: of a time, both ends included, and of one archive."""

    since: datetime | None = None
    until: datetime | None = None
    archive_id: int | None = None


@dataclass(frozen=True)
class Choice:
    """What one verdict for many must know of each entry; `seen` as that of `QueueEntry`."""

    attempt_id: int
    seen: int | None
    leased_to: str | None


@dataclass(frozen=True)
class QueuePage:
    """Some neighbouring entries in the queue's order, and whether there are others on either side."""

    entries: tuple[QueueEntry, ...]
    earlier: bool
    later: bool


@dataclass(frozen=True)
class Facet:
    """A value that a filter can take, and how many entries it would leave."""

    value: str
    count: Count


@dataclass(frozen=True)
class Facets:
    """Values by the filter's field; names of artists and actors are the most frequent at the queue's head."""

    total: Count
    values: Mapping[str, tuple[Facet, ...]]


@dataclass(frozen=True)
class Judgement:
    """What a curator says of an entry; a return has a reason, nothing else has."""

    verdict: Verdict
    reason: Reason | None = None
    note: str = ""
    looked_s: float | None = None
    """Seconds for which both pictures stood before the curator; None: not measured."""

    def __post_init__(self) -> None:
        if (self.verdict is Verdict.RETURNED) is not (self.reason is not None):
            raise ValueError(f"a verdict {str(self.verdict)!r} does not go with reason {self.reason!r}")


@dataclass(frozen=True)
class GivenVerdict:
    """A verdict that is kept, and what others said between the curator's look and their word."""

    id: int
    attempt_id: int
    between: tuple[VerdictEntry, ...] = ()
    """Empty for blind pairs: their second curator is told nothing."""
    conflict: bool = False
    already: bool = False
    """Nothing was added: this is a word of theirs that stands, and that their form had not seen."""


@dataclass(frozen=True)
class GivenBulk:
    """Verdicts given in one step, named `bulk`; left out is what another has open or what changed since the look."""

    bulk: str
    given: tuple[GivenVerdict, ...]
    left_out: int = 0
    conflicts: int = 0
    """Of the given, those that contradict what another said without either seeing the other's word."""


@dataclass(frozen=True)
class Undone:
    """What an undo took back: one verdict or a whole bulk."""

    verdict: Verdict
    attempt_ids: tuple[int, ...]
    bulk: str | None


@dataclass(frozen=True)
class Agreement:
    """How far curators agree on blind pairs."""

    alpha: float | None
    """Krippendorff's alpha for nominal words, dimensionless, at most 1; None: too little to compare."""
    pairs: int
    words: Mapping[int, Mapping[str, Verdict]] = field(default_factory=dict)
    """Attempt → curator → word."""


class AuditWord(StrEnum):
    """What an administrator answers for."""

    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    SIGNED_OUT = "signed out"
    ACCOUNT_MADE = "account made"
    ROLE_CHANGED = "role changed"
    PASSWORD_CHANGED = "password changed"  # noqa: S105  # a word, no password
    ACCOUNT_CLOSED = "account closed"
    ACCOUNT_OPENED = "account opened"
    TOKEN_MADE = "token made"  # noqa: S105
    TOKEN_REVOKED = "token revoked"  # noqa: S105
    EXPORTED = "exported"
    CARRIED_ON = "batches carried on"
    RELEASED = "records released"
    HELD_BACK_AGAIN = "records held back again"
    ASSIGNED = "view assigned"
    ASSIGNMENT_DONE = "assignment done"
    ASSIGNMENT_TAKEN_BACK = "assignment taken back"


@dataclass(frozen=True)
class AuditEntry:
    """One thing that happened."""

    id: int
    at: datetime
    event: str
    curator: str | None
    """Whom it concerns; None: nobody with an account."""
    address: str | None
    """Where they were; None: on the command line."""
    detail: str


@dataclass(frozen=True)
class Stamps:
    """Verdicts of a curator whose looks were measured, and those given faster than a look."""

    fast: int
    measured: int


RECIPE_OF_NIGHT = ""
"""What a request names that leaves the recipe to the night."""


@dataclass(frozen=True)
class AttemptRequest:
    """A further attempt that a curator asks for: another style, marks drawn on the picture, or a part of it only."""

    style_id: int | None = None
    """Image number; None: the style of the attempt that they look at."""
    marks_sha256: str | None = None
    """A stored file of marks."""
    mask_sha256: str | None = None
    """A stored picture, white where colour is wanted."""
    recipe: str = RECIPE_OF_NIGHT
    """Name, or RECIPE_OF_NIGHT: the recipe of whichever night takes it. Marks need one that reads them."""

    def __post_init__(self) -> None:
        if (self.marks_sha256 or self.mask_sha256) and not self.recipe:
            raise ValueError("marks and masks need the name of a recipe that reads them, such as 'levin2004'")


class RequestState(StrEnum):
    """A night will make it; something came of it; it failed for now too often; a picture may no longer be used."""

    WAITING = "waiting"
    MADE = "made"
    GIVEN_UP = "given up"
    NOT_ALLOWED = "not allowed"


@dataclass(frozen=True)
class RequestEntry:
    """A request as it is kept; pending until a night has made an attempt of it."""

    id: int
    attempt_id: int
    """The attempt that the curator looked at."""
    curator: str
    content_id: int
    style_id: int | None
    recipe: str
    marks_sha256: str | None
    mask_sha256: str | None
    requested_at: datetime
    made: int | None
    """The newest attempt that came of it, one that failed for now too; None: there is none."""
    state: RequestState


@dataclass(frozen=True)
class ShownPictures:
    """The pictures of an attempt that made one, by sha256: what the page needs tiles of."""

    attempt_id: int
    content: str
    styles: tuple[str, ...]
    output: str
    trust: str | None = None
    """The map of trust, where there is one."""

    @property
    def further(self) -> tuple[str, ...]:
        """Those that are shown as they are, beside the content and the output."""
        return self.styles if self.trust is None else (*self.styles, self.trust)

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return (self.content, self.output, *self.further)


@dataclass(frozen=True)
class CuratorEntry:
    """A person with an account; the password's hash stays inside."""

    id: int
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None

    @property
    def may_judge(self) -> bool:
        """Is it open, and more than view-only?"""
        return self.disabled_at is None and self.role is not Role.VIEWER


@dataclass(frozen=True)
class SessionEntry:
    """An open session; its token is known to the browser alone."""

    curator: CuratorEntry
    opened_at: datetime
    seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class TokenEntry:
    """A token by which a program speaks for a curator; the token itself is known to the program alone."""

    id: int
    curator: CuratorEntry
    role: Role
    """The most that it may, where the account may as much."""
    label: str
    """What it is for."""
    made_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @property
    def allowed(self) -> Role:
        """What it may now: its own role or the account's, whichever is less."""
        ranks = list(Role)
        return min(self.role, self.curator.role, key=ranks.index)
