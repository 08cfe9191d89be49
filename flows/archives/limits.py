"""Bounds on what one record may say, whatever its archive writes. Called by the archive clients.

An archive's mistake (a whole book in dc:title) must not make every later look at the catalogue slow.
"""

from dataclasses import replace

from flows.archives.errors import BadRecord
from flows.archives.record import Record, Role

LONGEST_IDENTIFIER = 1000
"""Characters; the catalogue and its pages name records by it."""
LONGEST_TEXT = 10_000
"""Characters of one title, name or statement; `raw` keeps the whole."""
MOST_AUTHORITIES = 100


def within_limits(record: Record) -> Record:
    """The record with each text cut to LONGEST_TEXT; its rights were read from the whole.

    Raises:
        BadRecord: its identifier is too long to be one.
    """
    check_identifier(record.identifier)
    return replace(
        record,
        rights=replace(record.rights, text=_cut(record.rights.text)),
        title=_cut(record.title),
        artists=tuple(_cut(artist) for artist in record.artists),
        cast=tuple(Role(_cut(role.role), _cut(role.actor)) for role in record.cast),
        date_text=_cut(record.date_text),
        genre=record.genre and _cut(record.genre),
        holder=_cut(record.holder),
        credit_line=_cut(record.credit_line),
        authorities=tuple((_cut(name), address) for name, address in record.authorities[:MOST_AUTHORITIES]),
    )


def check_identifier(identifier: str) -> None:
    """Look at an identifier's length.

    Raises:
        BadRecord: it is too long.
    """
    if len(identifier) > LONGEST_IDENTIFIER:
        raise BadRecord(
            f"its identifier has {len(identifier):,} characters, more than {LONGEST_IDENTIFIER:,} ({identifier[:40]}…)"
        )


def _cut(text: str) -> str:
    return text[:LONGEST_TEXT]
