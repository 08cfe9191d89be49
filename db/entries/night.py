"""The frozen dataclasses that cross the catalogue's door, in and out, and its enumerations.

Callers build and read these; ORM objects never leave `db`. Times are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from db.entries.claim import Inputs, ModelKey


class Derivatives(StrEnum):
    """May a derivative be made of a record's pictures?"""

    YES = "yes"
    NO = "no"
    ASK = "ask"
    UNKNOWN = "unknown"
    CONTRADICTORY = "contradictory"


class Tone(StrEnum):
    """Grayscale, toned (ink on coloured paper), colour, or unsure."""

    GRAYSCALE = "grayscale"
    TONED = "toned"
    COLOUR = "colour"
    UNSURE = "unsure"


class WindowState(StrEnum):
    """How far a window's harvest went."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


class Change(StrEnum):
    """What `add_record` found."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


LIKELY_SAME_DESIGN = 0.6
"""Score of a match from which on two prints are taken for impressions of one design, as their drawings show."""


WEAK_MATCH = 0.3
"""Score of a match below which more speaks against it than for it."""


class MatchOutcome(StrEnum):
    """The chosen pair, a style image under consideration, or none above the floor."""

    MATCHED = "matched"
    CANDIDATE = "candidate"
    NO_MATCH = "no match"


class Outcome(StrEnum):
    """The machine's word on an attempt; a pending attempt has none yet."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    FAILED = "failed"


class Verdict(StrEnum):
    """The curator's word."""

    APPROVED = "approved"
    RETURNED = "returned"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class RightsEntry:
    """What may be done with a record's pictures, and on what basis."""

    derivatives: Derivatives
    basis: str
    uri: str | None = None
    text: str = ""
    rules: int = 0
    """Version of the rules that judged it."""


@dataclass(frozen=True)
class KeptRights:
    """A record's rights with all that they can be judged from again."""

    record_id: int
    archive: str
    kind: str
    """The archive's protocol, by which `raw` can be read."""
    identifier: str
    raw: str
    rights: RightsEntry
    row_missing: bool = False
    """Of a folder: it has a table, whose rows describe other records."""


@dataclass(frozen=True)
class Release:
    """A person's word that a record may be used, which its rights leave open."""

    curator: str
    note: str
    given_at: datetime


@dataclass(frozen=True)
class HeldBack:
    """A record that the night does not take, or could not read, with the reason."""

    archive: str
    identifier: str
    reason: str
    """As the night's report counts it: "rights: ask", "picture: broken", "unreadable"."""
    why: str
    """For a person: the basis of its rights, what went wrong."""
    record_id: int | None
    """None: it could not be read."""
    derivatives: Derivatives | None

    @property
    def is_open(self) -> bool:
        """May a person release it? What is forbidden, or stands back for another reason, nobody can."""
        return self.derivatives in (Derivatives.ASK, Derivatives.UNKNOWN, Derivatives.CONTRADICTORY)


@dataclass(frozen=True)
class HeldFilter:
    """Which of what is held back; what is left out does not narrow."""

    reason: str | None = None
    """A whole one, or either half: "rights: ask", "rights", "ask"."""
    archive: str | None = None
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class JudgedAgain:
    """What newer rules make of a record's rights."""

    archive: str
    identifier: str
    before: RightsEntry
    after: RightsEntry


@dataclass(frozen=True)
class RecordEntry:
    """One description as the archive gave it; `cast` holds (role, actor) in the archive's order."""

    identifier: str
    datestamp: datetime
    rights: RightsEntry
    raw: str
    title: str = ""
    artists: tuple[str, ...] = ()
    cast: tuple[tuple[str, str], ...] = ()
    date_text: str = ""
    year_from: int | None = None
    year_to: int | None = None
    genre: str | None = None
    holder: str = ""
    credit_line: str = ""
    landing_url: str | None = None
    pictures: tuple[str, ...] = ()
    deleted: bool = False
    authorities: tuple[tuple[str, str], ...] = ()
    """(name, address) of artists and actors in authority files: ULAN, VIAF, Wikidata."""


@dataclass(frozen=True)
class FormerRecord:
    """What a record said until it changed."""

    archive: str
    identifier: str
    datestamp: datetime
    replaced_at: datetime
    """When a harvest brought something else."""
    deleted_at: datetime | None
    """Its archive had deleted it, before it named it again."""
    rights: RightsEntry
    """As they were judged then."""
    raw: str


@dataclass(frozen=True)
class WantedPicture:
    """A picture that a record names and the catalogue does not hold in its newest version yet."""

    record_id: int
    identifier: str
    position: int
    reference: str
    etag: str | None
    last_modified: str | None
    failed_nights: int = 0
    """Nights on which it could not be had."""


@dataclass(frozen=True)
class Patience:
    """How a picture that could not be had is asked for again, in nights."""

    lasting: int = 5
    """Failed nights from which on it is called broken."""
    longest: int = 30
    """Longest pause between two tries."""

    def pause_nights(self, failed: int) -> int:
        """After so many failed nights: 1, 2, 4, 8 ..., up to the longest."""
        return min(1 << min(failed - 1, 30), self.longest)


@dataclass(frozen=True)
class PictureSource:
    """Whence a picture came: final URL (or path) and the answer's validators, verbatim."""

    url: str
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class StoredFrom:
    """Where a stored picture can be asked for again."""

    sha256: str
    archive: str
    address: str
    """The archive's."""
    reference: str
    """The picture's, in the archive's words."""
    identifier: str
    """The record's."""


@dataclass(frozen=True)
class ImageFacts:
    """What decoding told of stored bytes."""

    sha256: str
    width: int
    height: int
    mode: str
    """Pillow's name of the stored pixels: `L`, `RGB`, `CMYK` ..."""
    bytes: int
    tone: Tone
    tone_measures: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What decoding corrected or left aside, a sentence each."""


@dataclass(frozen=True)
class ImageEntry:
    """An image that the catalogue holds."""

    id: int
    sha256: str
    width: int
    height: int
    tone: Tone


@dataclass(frozen=True)
class ContentScope:
    """Which harvested pictures the night may colorize."""

    tones: frozenset[Tone]
    genres: Mapping[str, tuple[str, ...] | None]
    """Archive name to the genres taken, whatever their case; None takes all. Others are out of scope."""


@dataclass(frozen=True)
class Prospects:
    """What the catalogue holds for a night to work on, in pictures."""

    contents: int
    """That may be coloured: of the scope's tones and genres, with rights that allow it."""
    styles: int
    """Colour pictures that may lend their colours."""
    done: int
    """Contents with a result, kept or rejected."""
    failed: int
    """Contents whose every attempt failed."""


@dataclass(frozen=True)
class Description:
    """What is said about an image: the words of a record that names it."""

    image_id: int
    sha256: str
    archive: str
    identifier: str
    title: str
    artists: tuple[str, ...]
    cast: tuple[tuple[str, str], ...]
    year_from: int | None
    year_to: int | None
    holder: str
    credit_line: str
    landing_url: str | None
    rights_uri: str | None
    derivatives: Derivatives = Derivatives.UNKNOWN
    rights_basis: str = ""
    notes: tuple[str, ...] = ()
    """What decoding its file corrected or left aside."""
    genre: str | None = None
    archive_words: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """What the archive says where a curator put the record right, by `db.entries.corrections.Correctable`."""
    authorities: tuple[tuple[str, str], ...] = ()
    """As those of `RecordEntry`."""

    def addresses(self, name: str) -> list[str]:
        """Of a person in authority files."""
        return [address for person, address in self.authorities if person == name]


@dataclass(frozen=True)
class EncoderKey:
    """The encoder that vectors and figures belong to; they compare within one only."""

    name: str
    checksum: str


TONES, COMPOSITION = EncoderKey("tones", "tones/1"), EncoderKey("composition", "composition/1")
"""What `colorize.matching.tones` and `composition` see of a picture is kept under these, beside encoders' vectors."""


PINNED_BY = "pinned_by"
"""Among a match's reasons: the curator who chose it."""


def is_weak(score: float | None, reasons: Mapping[str, Any]) -> bool:
    """Does little speak for a match, which no curator chose?"""
    return score is not None and score < WEAK_MATCH and PINNED_BY not in reasons


@dataclass(frozen=True)
class MatchEntry:
    """One ranked style image of a content image; `style_id` is None where the outcome is "no match"."""

    outcome: MatchOutcome
    style_id: int | None = None
    rank: int | None = None
    score: float | None = None
    reasons: Mapping[str, Any] = field(default_factory=dict)
    registration: Mapping[str, Any] | None = None
    """What maps the style onto the content, where both are of one design."""


@dataclass(frozen=True)
class RecipeEntry:
    """A recipe as full data, and what of it decides the result, hashed."""

    name: str
    data: Mapping[str, Any]
    digest: str
    styles: int = 1
    """How many style images it takes at most: one at least, or none at all."""


@dataclass(frozen=True)
class BatchEntry:
    """A batch, on which this process has a lease."""

    id: int
    lease: int
    """The lease's number, which fences off whoever it was taken from; 0: this process has none."""
    recipe: RecipeEntry
    encoder: EncoderKey
    models: tuple[ModelKey, ...]
    started_at: datetime
    taken: int
    """Attempts in the batch."""
    left: int
    """Attempts without an outcome."""


@dataclass(frozen=True)
class PendingAttempt:
    """One colorization to be tried."""

    id: int
    number: int
    match_id: int | None
    content: ImageEntry
    styles: tuple[ImageEntry, ...]
    """In the order of the inputs."""
    content_identifier: str
    style_identifiers: tuple[str, ...]
    inputs: Inputs
    tries: int
    """How often it was taken by somebody who died over it, or died meanwhile."""
    opened_at: datetime
    """Stays what it was where a lost result is made again, and so do the bytes that name it."""


@dataclass(frozen=True)
class AttemptResult:
    """What a colorization came to; figures are those of docs' "relative error", sums and means."""

    outcome: Outcome
    device: str
    versions: Mapping[str, str]
    seed: int | None = None
    iterations: int = 0
    seconds: float = 0.0
    content_error_sum: float | None = None
    content_error_mean: float | None = None
    style_error_sum: float | None = None
    style_error_mean: float | None = None
    total_error_sum: float | None = None
    total_error_mean: float | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    trace: tuple[Mapping[str, float], ...] = ()
    output: ImageFacts | None = None
    trust_sha256: str | None = None
    """Of the stored picture that shows where its colours are trusted; None where the recipe tells no trust."""
    error_class: str | None = None
    error_message: str | None = None
    transient: bool = False
    """A failed attempt worth another number in a later batch."""


@dataclass(frozen=True)
class AttemptEntry:
    """An attempt with all that stands beside it: for the report, the export and the page."""

    id: int
    number: int
    batch_id: int
    match_id: int | None
    outcome: Outcome | None
    content: Description
    styles: tuple[Description, ...]
    """In the order of the inputs; empty where the recipe takes none."""
    inputs: Inputs
    score: float | None
    """Of the match; None where there is none, or it has no score."""
    reasons: Mapping[str, Any]
    recipe: RecipeEntry
    encoder: EncoderKey
    models: tuple[ModelKey, ...]
    result: AttemptResult | None
    output_sha256: str | None
    closed_at: datetime | None
    withheld: bool = False
    """A picture that it is made of may not be used any more: it is kept, and shown to nobody."""

    @property
    def style(self) -> Description | None:
        """The first style."""
        return self.styles[0] if self.styles else None


@dataclass(frozen=True)
class VerdictEntry:
    """A curator's word on an attempt; a later one stands above it, and nothing replaces it."""

    id: int
    attempt_id: int
    curator: str
    verdict: Verdict
    reason: str
    note: str
    given_at: datetime
