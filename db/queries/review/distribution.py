"""What stands beside an attempt: the others of its content, and the figures of its like.

The review page asks. Figures are read batch by batch, the newest first, and no further than `LATEST`: quick at any
size of the catalogue.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select

from db.entries.night import Description, EncoderKey, ImageEntry
from db.errors import UnknownEntry
from db.queries.base.describe import describe
from db.queries.base.store import Store, image_entry
from db.tables.night import Attempt, Batch, Image, Match

LATEST = 1000
"""Attempts that a figure is compared with."""
BATCHES = 200
"""Batches that are looked through for them: requests make small ones."""
ERRORS = ("total_error_mean", "content_error_mean", "style_error_mean")
_MOST_OF_CONTENT = 24


def _rank() -> Any:
    # of tables, as in `describe`: every entry that is opened asks
    match, attempt = Match.__table__, Attempt.__table__
    ranked = match.alias()
    same = and_(*(ranked.c[name] == match.c[name] for name in ("content_id", "matcher_name", "matcher_version")))
    found = select(match.c.rank, func.count(ranked.c.id)).join(attempt, attempt.c.match_id == match.c.id)
    found = found.outerjoin(ranked, and_(same, ranked.c.rank.is_not(None)))
    return found.where(attempt.c.id == bindparam("attempt_id")).group_by(match.c.rank)


_RANK = _rank()


def _other() -> Select[int]:
    made, other = Attempt.__table__, Attempt.__table__.alias()
    same = and_(other.c.content_sha256 == made.c.content_sha256, other.c.id != made.c.id)
    found = select(other.c.id).join_from(made, other, same).where(made.c.id == bindparam("attempt_id"))
    return found.where(other.c.output_image_id.is_not(None)).limit(1)


_OTHER = _other()


@dataclass(frozen=True)
class Distribution:
    """Figures of the latest attempts of one recipe by one encoder."""

    attempts: int
    figures: Mapping[str, tuple[float, ...]]
    """Name of an error or measure → every known figure, ascending."""


@dataclass(frozen=True)
class ContentAttempt:
    """One of the attempts with a picture of the same content."""

    attempt_id: int
    style: Description | None
    """The first; None where the recipe takes none."""
    encoder: EncoderKey
    """Its error compares with those of this encoder only."""


class DistributionQueries(Store):
    """What a curator compares an attempt with."""

    def distribution(self, recipe_digest: str, encoder: EncoderKey) -> Distribution:
        """The figures of the latest attempts with a picture of this recipe by this encoder."""
        batches = (
            select(Batch.id)
            .where(Batch.recipe_digest == recipe_digest, Batch.encoder_name == encoder.name)
            .where(Batch.encoder_checksum == encoder.checksum)
            .order_by(Batch.id.desc())
            .limit(BATCHES)
        )
        rows: list[Any] = []
        with self._reading() as session:
            for batch_id in session.scalars(batches).all():
                rows += session.execute(_figures_of(batch_id).limit(LATEST - len(rows))).all()
                if len(rows) == LATEST:
                    break
        return Distribution(len(rows), _by_name(rows))

    def attempts_of_content(self, attempt_id: int) -> tuple[ContentAttempt, ...]:
        """The attempts with a picture of the same content, this one among them; the newest first, 24 at most."""
        content = select(Attempt.content_sha256).where(Attempt.id == attempt_id).scalar_subquery()
        found = (
            select(Attempt.id, Image.id.label("style_id"), Attempt.encoder_name, Attempt.weights_checksum)
            .outerjoin(Image, Image.sha256 == Attempt.style_sha256)
            .where(Attempt.content_sha256 == content, Attempt.output_image_id.is_not(None))
            .order_by(Attempt.id.desc())
            .limit(_MOST_OF_CONTENT)
        )
        with self._reading() as session:
            rows = session.execute(found).all()
            said = describe(session, {row.style_id for row in rows if row.style_id})
            return tuple(
                ContentAttempt(row.id, said.get(row.style_id), EncoderKey(row.encoder_name, row.weights_checksum))
                for row in rows
            )

    def is_only_attempt(self, attempt_id: int) -> bool:
        """Has nothing else made a picture of its content?"""
        with self._reading() as session:
            return session.execute(_OTHER, {"attempt_id": attempt_id}).first() is None

    def rank_of_match(self, attempt_id: int) -> tuple[int | None, int]:
        """The rank of the attempt's style (None: it has none any more, or never had), and how many styles have one."""
        with self._reading() as session:
            rank, of = session.execute(_RANK, {"attempt_id": attempt_id}).one_or_none() or (None, 0)
            return rank, of

    def image(self, image_id: int) -> ImageEntry:
        """The image of this number.

        Raises:
            UnknownEntry: there is none.
        """
        with self._reading() as session:
            found = session.get(Image, image_id)
            if found is None:
                raise UnknownEntry(f"there is no image {image_id}; `nishiki export` lists what attempts are made of")
            return image_entry(found)


def _figures_of(batch_id: int) -> Any:
    columns = [getattr(Attempt, name) for name in ERRORS]
    made = select(*columns, Attempt.measures).where(Attempt.batch_id == batch_id, Attempt.output_image_id.is_not(None))
    return made.order_by(Attempt.id.desc())


def _by_name(rows: list[Any]) -> Mapping[str, tuple[float, ...]]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for *errors, measures in rows:
        for name, value in [*zip(ERRORS, errors, strict=True), *(measures or {}).items()]:
            if value is not None:
                found[name].append(value)
    return {name: tuple(sorted(values)) for name, values in found.items()}
