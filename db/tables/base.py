"""What every table of `db.tables.night` is built on: its naming of constraints, its column types, its enumerations."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, MetaData
from sqlalchemy.orm import DeclarativeBase

from db.entries.corrections import Correctable
from db.entries.faults import FaultKind
from db.entries.night import Derivatives, MatchOutcome, Outcome, Tone, Verdict, WindowState
from db.entries.nights import NightEnding
from db.entries.review import Role
from db.tables.columns import Data, UtcTime, Word, Words


class PictureState(StrEnum):
    """Is a record's picture still to be fetched, held, or not to be had?"""

    WANTED = "wanted"
    HELD = "held"
    BROKEN = "broken"


ENUMERATIONS = (
    Correctable,
    Derivatives,
    FaultKind,
    MatchOutcome,
    NightEnding,
    Outcome,
    PictureState,
    Role,
    Tone,
    Verdict,
    WindowState,
)


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can speak of it on either database."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcTime,
        str: Words,
        dict[str, Any]: Data,
        list[Any]: Data,
        **{words: Word(words) for words in ENUMERATIONS},
    }


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """Hold a column to an enumeration, in the database too."""
    return CheckConstraint(f"{column} IN ({', '.join(repr(str(word)) for word in words)})", name=column)


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of some rows alone: which, a test holds to the migrations.

    Options of the dialects would say it, too, but load each of them: PostgreSQL's for a look at a SQLite file.
    """
    return Index(name, *columns, unique=unique, info={"where": where})
