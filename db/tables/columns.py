"""Column types that behave alike on SQLite and PostgreSQL. Only `db.tables.night` and `db.engine` use them."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Data(TypeDecorator[Any]):
    """JSON, which PostgreSQL can search. Its dialect takes 0.07 s to load, so only its own users load it."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """JSONB on PostgreSQL."""
        if dialect.name != "postgresql":
            return super().load_dialect_impl(dialect)
        from sqlalchemy.dialects.postgresql import JSONB  # noqa: PLC0415  # as above

        return dialect.type_descriptor(JSONB(none_as_null=True))


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. SQLite forgets time zones, so a naive time is refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """To UTC; ValueError for a naive time."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"time {value} has no time zone; give an aware one, such as datetime.now(UTC)")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Aware again, in UTC whatever the server's session says."""
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


class Words(TypeDecorator[str]):
    """Text from anywhere. What PostgreSQL cannot hold becomes U+FFFD, so that no record is lost for it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> str | None:
        """Without NUL and without halves of surrogate pairs."""
        return None if value is None else clean(value)


class Word(TypeDecorator[StrEnum]):
    """One word of an enumeration; the table's check constraint holds the database to it."""

    impl = String(16)
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, _dialect: Dialect) -> str | None:
        """The word; ValueError for one that is not in the enumeration."""
        return None if value is None else str(self.words(value))

    def process_result_value(self, value: str | None, _dialect: Dialect) -> StrEnum | None:
        """The enumeration's member."""
        return None if value is None else self.words(value)


def clean(text: str) -> str:
    """Replace NUL and lone surrogates (undecodable file names) by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def to_json(value: Any) -> str:
    """JSON that PostgreSQL accepts too: clean text, and null where a diverged run left NaN or infinity."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    match value:
        case str():
            return clean(value)
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {clean(str(key)): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value
