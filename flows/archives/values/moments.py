"""Dates and times as protocols write them; called by the archive clients."""

from datetime import UTC, datetime

from flows.archives.errors import BadRecord


def read_moment(text: str, name: str) -> datetime:
    """A date, or a date and time, in ISO 8601, aware UTC; without a zone it is UTC.

    Args:
        text: as it was written.
        name: what it is, for the message: "datestamp".

    Raises:
        BadRecord: it is none.
    """
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRecord(f"its {name} {text[:40]!r} is no date; tell the archive") from None
