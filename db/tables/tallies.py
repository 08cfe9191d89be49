"""What the catalogue keeps of its own size and changes: written by the database's triggers, read by queries."""

from datetime import datetime

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class Tally(Base):
    """A part of a count: its rows of one subject and word add up to it.

    The subject is a table and the word what is counted of its rows; or `changes`, and the word a table: how often rows
    of it have been written, ever.
    """

    __tablename__ = "tallies"
    __table_args__ = (Index("ix_tallies_subject", "subject", "word"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    word: Mapped[str]
    number: Mapped[int] = mapped_column(BigInteger)


class Answer(Base):
    """What a question to the catalogue came to, while the changes of its tables added up to `state`."""

    __tablename__ = "answers"
    question: Mapped[str] = mapped_column(primary_key=True)
    """Digest of the statement and its values."""
    state: Mapped[int] = mapped_column(BigInteger)
    answer: Mapped[str]
    """JSON."""
    given_at: Mapped[datetime]
