"""What the report, the export and the page ask: attempts with all that stands beside them, and verdicts."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, replace
from itertools import chain
from typing import TypeVar

from sqlalchemy import ColumnElement, false, func, select

from db.entries.claim import Inputs, models_from
from db.entries.night import (
    AttemptEntry,
    AttemptResult,
    BatchEntry,
    Description,
    EncoderKey,
    ImageFacts,
    Outcome,
    RecipeEntry,
    VerdictEntry,
)
from db.entries.review import ShownPictures
from db.errors import UnknownEntry
from db.queries.base.describe import describe_files
from db.queries.base.review_rows import hidden, style_names, words_on
from db.queries.base.store import CHUNK, Store, chunks
from db.queries.night.batches import batch_entry
from db.tables.night import Attempt, Batch, Image, Match, VerdictGiven
from db.tables.review import Review

PAGE = 200
"""Attempts read at once; each carries its trace."""
_Entry = TypeVar("_Entry", ImageFacts, VerdictEntry)
_FIGURES = {each.name for each in fields(AttemptResult)} - {
    "outcome",
    "versions",
    "measures",
    "trace",
    "output",
}


class AttemptQueries(Store):
    """What is read from the catalogue in the morning."""

    def batch_attempts(self, batch_id: int) -> list[AttemptEntry]:
        """The batch's attempts in the order of the claim, pending ones too."""
        return list(self._attempts(Attempt.batch_id == batch_id))

    def beside_batch(self, batch_id: int) -> dict[str, list[AttemptEntry]]:
        """By the sha256 of each of its contents, the latest closed attempt at the whole by each other recipe's name."""
        batch, own = select(Batch.recipe_name).where(Batch.id == batch_id), Attempt.batch_id == batch_id
        latest = (
            select(func.max(Attempt.id))
            .where(Attempt.content_sha256.in_(select(Attempt.content_sha256).where(own)))
            .where(Attempt.recipe_name != batch.scalar_subquery(), Attempt.outcome.is_not(None))
            .where(Attempt.mask_sha256.is_(None))
            .group_by(Attempt.content_sha256, Attempt.recipe_name)
        )
        found: dict[str, list[AttemptEntry]] = {}
        for each in self._attempts(Attempt.id.in_(latest)):
            found.setdefault(each.content.sha256, []).append(each)
        return found

    def attempts(self) -> Iterator[AttemptEntry]:
        """Every attempt, oldest first, page by page: a catalogue of any size fits."""
        return self._attempts(Attempt.id > 0)

    def attempt(self, attempt_id: int) -> AttemptEntry:
        """The attempt of this number, a pending one too.

        Raises:
            UnknownEntry: there is no such attempt.
        """
        for found in self._attempts(Attempt.id == attempt_id):
            return found
        with self._reading() as session:
            count = session.execute(select(func.count()).select_from(Attempt)).scalar_one()
        remedy = f"there are {count}, and `nishiki export` lists them all" if count else "`nishiki dispatch` makes some"
        raise UnknownEntry(f"there is no attempt {attempt_id}; {remedy}")

    def tiles_due(self) -> Iterator[list[str]]:
        """The pictures of each attempt whose batch is closed: the output, the content, the first style, the trust map.

        What a million of them lack is asked at once, without reading their inputs for the styles behind the first.
        """
        columns = (Image.sha256, Attempt.content_sha256, Attempt.style_sha256, Attempt.trust_sha256)
        due = (
            select(*columns)
            .join(Attempt, Attempt.output_image_id == Image.id)
            .join(Batch, Batch.id == Attempt.batch_id)
            .where(Attempt.outcome.is_not(None), Batch.closed_at.is_not(None))
            .execution_options(yield_per=CHUNK)
        )
        with self._reading(stream=True) as session:
            for row in session.execute(due):
                yield list(filter(None, row))

    def pictures_shown(self, batch_id: int | None = None) -> Iterator[ShownPictures]:
        """The pictures of every attempt that made one, of a batch or of all; oldest first, page by page."""
        page = (
            select(Attempt.id, Attempt.content_sha256, Attempt.inputs, Image.sha256, Attempt.trust_sha256)
            .join(Image, Image.id == Attempt.output_image_id)
            .where(Attempt.outcome.is_not(None), *([] if batch_id is None else [Attempt.batch_id == batch_id]))
            .order_by(Attempt.id)
            .limit(CHUNK)
        )
        last = 0
        while True:
            with self._reading() as session:
                shown = [
                    ShownPictures(attempt_id, content, style_names(inputs), output, trust)
                    for attempt_id, content, inputs, output, trust in session.execute(page.where(Attempt.id > last))
                ]
            yield from shown
            if len(shown) < CHUNK:
                return
            last = shown[-1].attempt_id

    def batch(self, batch_id: int) -> BatchEntry:
        """The batch of this number, whoever is at it.

        Raises:
            UnknownEntry: there is no such batch.
        """
        with self._reading() as session:
            if session.get(Batch, batch_id) is not None:
                return batch_entry(session, batch_id)
        raise UnknownEntry(f"there is no batch {batch_id}; `nishiki status` tells the latest")

    def latest_batch(self) -> BatchEntry | None:
        """The batch that was taken last, whoever holds it."""
        with self._reading() as session:
            latest = session.execute(select(func.max(Batch.id))).scalar()
            return None if latest is None else batch_entry(session, latest)

    def verdicts(self, attempt_ids: Collection[int]) -> dict[int, VerdictEntry]:
        """The latest word on each attempt that nobody took back; those without one, or a hidden one, are left out."""
        latest: dict[int, VerdictEntry] = {}
        with self._reading() as session:
            for some in chunks(attempt_ids):
                blind = set(session.scalars(select(Review.attempt_id).where(Review.attempt_id.in_(some), hidden())))
                words = words_on(session, set(some) - blind)
                latest |= {attempt: verdict_entry(voices[-1]) for attempt, voices in words.items()}
        return latest

    def _attempts(self, chosen: ColumnElement[bool]) -> Iterator[AttemptEntry]:
        page = (
            select(Attempt, Match, Image, func.coalesce(Review.withheld, false()))
            .outerjoin(Match, Match.id == Attempt.match_id)
            .outerjoin(Image, Image.id == Attempt.output_image_id)
            .outerjoin(Review, Review.attempt_id == Attempt.id)
            .where(chosen)
            .order_by(Attempt.id)
            .limit(PAGE)
        )
        last = 0
        while True:
            with self._reading() as session:
                rows = session.execute(page.where(Attempt.id > last)).all()
                taken = [(attempt.content_sha256, *style_names(attempt.inputs)) for attempt, *_ in rows]
                said = describe_files(session, set(chain.from_iterable(taken)))
                entries = [
                    replace(_entry(attempt, match, output, said), withheld=bool(withheld))
                    for attempt, match, output, withheld in rows
                ]
            yield from entries
            if len(entries) < PAGE:
                return
            last = entries[-1].id


def verdict_entry(row: VerdictGiven) -> VerdictEntry:
    """The row as callers see it."""
    return _same(VerdictEntry, row)


def _entry(
    attempt: Attempt, match: Match | None, output: Image | None, said: Mapping[str, Description]
) -> AttemptEntry:  # fmt: skip
    return AttemptEntry(
        id=attempt.id,
        number=attempt.number,
        batch_id=attempt.batch_id,
        match_id=attempt.match_id,
        outcome=attempt.outcome,
        content=said[attempt.content_sha256],
        styles=tuple(said[sha256] for sha256 in style_names(attempt.inputs)),
        inputs=Inputs.from_data(attempt.inputs),
        score=match.score if match else None,
        reasons=match.reasons if match else {},
        recipe=RecipeEntry(
            attempt.recipe_name, attempt.recipe_data, attempt.recipe_digest, len(style_names(attempt.inputs))
        ),
        encoder=EncoderKey(attempt.encoder_name, attempt.weights_checksum),
        models=models_from(attempt.models),
        result=None if attempt.outcome is None else _result(attempt, attempt.outcome, output),
        output_sha256=output.sha256 if output else None,
        closed_at=attempt.closed_at,
    )


def _result(attempt: Attempt, outcome: Outcome, output: Image | None) -> AttemptResult:
    return AttemptResult(
        outcome=outcome,
        versions=attempt.versions or {},
        measures=attempt.measures or {},
        trace=tuple(attempt.trace or ()),
        output=replace(_same(ImageFacts, output), notes=tuple(output.notes or ())) if output else None,
        **{key: getattr(attempt, key) for key in _FIGURES},
    )


def _same(entry: type[_Entry], row: Image | VerdictGiven) -> _Entry:
    """The entry whose fields are named as the row's columns."""
    return entry(**{each.name: getattr(row, each.name) for each in fields(entry)})
