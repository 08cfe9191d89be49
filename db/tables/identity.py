"""Which catalogue this is, wherever it lies."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base


class Identity(Base):
    """Made with the catalogue, in one row, and the same in every copy of it: whose a home and a backup are."""

    __tablename__ = "identity"
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
