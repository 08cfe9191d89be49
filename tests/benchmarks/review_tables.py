"""The drawn shelf as rows of the catalogue's tables, such as its queries would have written, in order of numbers.

`tests/integration/db/test_benchmark_catalogue.py` holds them to the queries. Knows no database.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from db.entries.claim import Inputs, StyleInput, inputs_digest, models_data, models_digest
from db.entries.night import ImageFacts, MatchEntry, Outcome, RecordEntry
from db.entries.review import Reason
from db.queries.base.review_rows import _row, standing
from db.queries.night.dispatch import _RESULT
from db.queries.night.harvest import _COPIED
from db.queries.review.verdicts import in_blind_share
from db.search_terms import VERSION, in_both_scripts, normalised, trigrams
from db.tables.base import Base, PictureState
from db.tables.night import (
    Archive,
    Attempt,
    Batch,
    Image,
    Match,
    Record,
    RecordArtist,
    RecordCast,
    RecordImage,
    Rights,
    VerdictGiven,
)
from db.tables.review import LeaseHeld, Review, SearchText
from tests.benchmarks.review_prints import (
    ARCHIVES,
    BLIND_SHARE,
    CANDIDATES,
    CURATORS,
    ENCODER,
    LEASES,
    MATCHER,
    MODELS,
    Shelf,
    sha256_of,
)

Row = dict[str, Any]
Integers = NDArray[np.int64]
One = tuple[type[Base], Row]
Rows = tuple[type[Base], list[Row]]
NIGHT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""When everything was done; the order of things is in their numbers."""
RECORD_BITS = 22
_SOME = 10_000
_normalised = lru_cache(100_000)(normalised)


@dataclass(frozen=True)
class _Record:
    """What the review repeats of a record."""

    id: int
    archive_id: int
    year_from: int | None
    year_to: int | None


@dataclass(frozen=True)
class _Tried:
    """What the review repeats of an attempt."""

    id: int
    batch_id: int
    recipe_name: str
    outcome: Outcome
    total_error_mean: float | None
    score: float | None
    measures: Mapping[str, float]
    closed_at: datetime = NIGHT


class Tables:
    """All rows but the trigrams, which are in `trigrams` once all else has been read."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._records: dict[int, _Record] = {}
        self._again: list[tuple[int, int, str]] = []
        self._waiting: list[int] = []
        self._attempts = self._verdicts = 0
        self._known: dict[int, int] = {}
        self._trigrams = array("Q")
        """Each trigram's place among the known ones, with its record's number in the last RECORD_BITS."""

    def rows(self) -> Iterator[Rows]:
        """Some thousand rows of a table at a time."""
        archives = [{"name": name, "kind": "oai-pmh", "address": f"https://{name}.example/oai"} for name in ARCHIVES]
        yield Archive, [{"id": number, **archive} for number, archive in enumerate(archives, start=1)]
        yield from _some(range(1, self._shelf.records + 1), self._record)
        yield from _some(enumerate(self._shelf.contents), self._first)
        nights = self._nights(self._attempts)
        yield from _some(enumerate(self._again), lambda one: self._second(one[1], nights + self._nights(one[0] + 1)))
        nights += self._nights(len(self._again))
        yield Batch, [self._batch(number) for number in range(1, nights + 1)]
        until = datetime.now(UTC) + timedelta(minutes=30)
        held = zip(self._waiting, CURATORS * LEASES, strict=False)
        yield LeaseHeld, [{"attempt_id": each, "curator": curator, "until": until} for each, curator in held]

    def trigrams(self) -> tuple[Integers, Integers]:
        """After all rows: the numbers of the trigrams, and each one's record beside it, in the order of their key."""
        known = np.array(list(self._known), np.int64)
        order = np.argsort(known)
        rank = np.empty(len(known), np.uint64)
        rank[order] = np.arange(len(known), dtype=np.uint64)
        packed, bits = np.frombuffer(self._trigrams, np.uint64), np.uint64(RECORD_BITS)
        packed = np.sort(rank[packed >> bits] << bits | packed & np.uint64((1 << RECORD_BITS) - 1))
        return known[order][packed >> bits], (packed & np.uint64((1 << RECORD_BITS) - 1)).astype(np.int64)

    def _record(self, number: int) -> Iterator[One]:
        record, archive = self._shelf.record(number), self._shelf.archive(number)
        self._records[number] = _Record(number, archive, record.year_from, record.year_to)
        said = {key: getattr(record, key) for key in _COPIED}
        yield Record, {"id": number, "archive_id": archive, "digest": sha256_of(record.raw), **said}
        yield Rights, {"record_id": number, **vars(record.rights)}
        for position, name in enumerate(record.artists):
            yield RecordArtist, {"record_id": number, "position": position, "name": name}
        for position, (role, actor) in enumerate(record.cast):
            yield RecordCast, {"record_id": number, "position": position, "role": role, "actor": actor}
        yield Image, _image(number, number, self._shelf.picture(record.identifier, self._shelf.tone(number)))
        yield RecordImage, _link(number, record)
        text = _text(record)
        yield SearchText, {"record_id": number, "text": text, "version": VERSION}
        known = self._known
        self._trigrams.extend([known.setdefault(each, len(known)) << RECORD_BITS | number for each in trigrams(text)])

    def _nights(self, attempts: int) -> int:
        return -(-attempts // self._shelf.per_batch)

    def _first(self, placed: tuple[int, int]) -> Iterator[One]:
        """The chosen match and its attempt, with what was said of it."""
        place, content = placed
        matches, number, batch = self._shelf.matches(content), place * CANDIDATES + 1, self._nights(place + 1)
        matcher = {"matcher_name": MATCHER.name, "matcher_version": MATCHER.version}
        for each, match in enumerate(matches):
            taken = {"inputs_digest": inputs_digest(self._inputs(match))}
            yield (
                Match,
                {"id": number + each, "content_id": content, "made_at": NIGHT, **matcher, **taken, **vars(match)},
            )
        yield from self._attempt(content, number, matches[0], batch)
        voices = self._voices(self._attempts)
        yield from ((VerdictGiven, {key: getattr(each, key) for key in _SPOKEN}) for each in voices)
        review = self._review(content, batch, matches[0], voices)
        yield Review, review
        if review["reason"] == Reason.WRONG_MATCH:
            self._again.append((content, number + 1, review["curator"]))
        elif review["waiting_since"] is not None and len(self._waiting) < LEASES:
            self._waiting.append(self._attempts)

    def _second(self, again: tuple[int, int, str], batch: int) -> Iterator[One]:
        """The attempt for the next candidate of a content whose match a curator returned as wrong."""
        content, match_id, returned_by = again
        match = self._shelf.matches(content)[1]
        yield from self._attempt(content, match_id, match, batch)
        yield Review, self._review(content, batch, match, []) | {"returned_by": returned_by}

    def _attempt(self, content: int, match_id: int, match: MatchEntry, batch: int) -> Iterator[One]:
        self._attempts += 1
        result, recipe = self._shelf.result(self._attempts), self._shelf.recipe(batch)
        assert result.output is not None
        output = self._shelf.records + self._attempts
        yield Image, _image(output, None, result.output)
        row = {key: value for key, value in vars(result).items() if key in _RESULT}
        inputs = self._inputs(match)
        row |= {"id": self._attempts, "batch_id": batch, "match_id": match_id, "number": 1, "tries": 0}
        row |= {"inputs": inputs.data(), "inputs_digest": inputs_digest(inputs), "marks_sha256": None, **_MADE_WITH}
        row |= {"content_sha256": sha256_of(self._shelf.identifier(content))}
        row |= {"style_sha256": inputs.styles[0].sha256}
        row |= {"recipe_name": recipe.name, "recipe_data": recipe.data, "recipe_digest": recipe.digest}
        row |= {"encoder_name": ENCODER.name, "weights_checksum": ENCODER.checksum}
        yield Attempt, row | {"opened_at": NIGHT, "closed_at": NIGHT, "output_image_id": output}

    def _inputs(self, match: MatchEntry) -> Inputs:
        assert match.style_id is not None
        return Inputs((StyleInput(sha256_of(self._shelf.identifier(match.style_id))),))

    def _review(self, content: int, batch: int, match: MatchEntry, voices: list[VerdictGiven]) -> Row:
        result, recipe = self._shelf.result(self._attempts), self._shelf.recipe(batch)
        figures = result.outcome, result.total_error_mean, match.score, result.measures
        tried = _Tried(self._attempts, batch, recipe.name, *figures)
        return _row(tried, self._records[content], standing(voices))

    def _voices(self, attempt: int) -> list[VerdictGiven]:
        blind = in_blind_share(attempt, BLIND_SHARE)
        voices = []
        for said in self._shelf.verdicts(attempt):
            self._verdicts += 1
            word: Row = {"verdict": said.judgement.verdict, "reason": str(said.judgement.reason or "")}
            word |= {"note": said.judgement.note, "curator": said.curator, "given_at": NIGHT, "blind": blind}
            voices.append(VerdictGiven(id=self._verdicts, attempt_id=attempt, **word))
        return voices

    def _batch(self, number: int) -> Row:
        recipe = self._shelf.recipe(number)
        times = {"started_at": NIGHT, "closed_at": NIGHT}
        encoder = {"encoder_name": ENCODER.name, "encoder_checksum": ENCODER.checksum}
        names = {"recipe_name": recipe.name, "recipe_data": recipe.data, "recipe_digest": recipe.digest}
        return {"id": number, "styles": 1, **names, **encoder, **_MADE_WITH, **times}


_MADE_WITH = {"models": models_data(MODELS), "models_digest": models_digest(MODELS)}
_SPOKEN = ("id", "attempt_id", "curator", "verdict", "reason", "note", "given_at", "blind")


def _some(things: Iterable[Any], rows_of_one: Callable[[Any], Iterator[One]]) -> Iterator[Rows]:
    """The rows of some thousand things at once, table by table."""
    waiting: dict[type[Base], list[Row]] = defaultdict(list)
    for place, thing in enumerate(things, start=1):
        for table, row in rows_of_one(thing):
            waiting[table].append(row)
        if place % _SOME == 0:
            yield from waiting.items()
            waiting = defaultdict(list)
    yield from waiting.items()


def _image(number: int, record_id: int | None, facts: ImageFacts) -> Row:
    return {"id": number, "record_id": record_id, "fetched_at": NIGHT, **vars(facts)}


def _link(number: int, record: RecordEntry) -> Row:
    (url,) = record.pictures
    held = {"state": PictureState.HELD, "fetched_at": NIGHT, "tries": 0, "failed_nights": 0}
    return {"record_id": number, "position": 0, "reference": url, "url": url, "etag": '"1"', "image_id": number, **held}


def _text(record: RecordEntry) -> str:
    """As `db.search_terms.search_text`, which would normalise each name a thousand times."""
    cast = [word for pair in record.cast for word in pair]
    fields = (record.title, record.identifier, *record.artists, *cast)
    return in_both_scripts([line for line in map(_normalised, fields) if line])
