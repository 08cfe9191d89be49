"""Nights as a person and a program read them, made of the catalogue's rows alone; their table is in `summary`."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from db.entries.nights import NightEntry


def night_told(night: NightEntry) -> dict[str, Any]:
    """A night for JSON; `seconds_in_all` is None while it is at work."""
    row = asdict(replace(night, end=None))
    told = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
    del told["end"]
    end = asdict(night.end) if night.end else {"ending": None, "exit_code": None, "reason": ""}
    took = night.ended_at and (night.ended_at - night.began_at).total_seconds()
    return {**told, **end, "seconds_in_all": took, "summary": summary(night)}


def summary(night: NightEntry) -> str:
    """When it began, and how it ended."""
    began = f"began {night.began_at:%Y-%m-%d %H:%M} UTC"
    if night.silent:
        return f"{began} and was last heard of at {night.seen_at:%Y-%m-%d %H:%M} UTC ({night.who})"
    if night.end is None or night.ended_at is None:
        return f"{began} and has not ended ({night.who})"
    code = "" if night.end.exit_code is None else f", exit code {night.end.exit_code}"
    return f"{began}, {night.end.ending} after {span(night.ended_at - night.began_at)}{code}"


def counted(counts: Mapping[str, int]) -> str:
    """Those that there are, by name."""
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)


def span(took: timedelta) -> str:
    """Hours and minutes, or seconds where it was shorter than a minute."""
    minutes = int(took.total_seconds() // 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes else f"{took.total_seconds():.0f} s"
