"""The report on a night, on the morning after: an HTML file for every night, and a message where a setting says so.

Written once the night's row is closed, however it ended; `nishiki report` writes it again. Durable: the file, whole or
not at all. A night that was killed gets its report from the next one, and a report whose pictures may not be seen any
more is written anew.
"""

import json
import logging
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

from PIL import Image

from colorize.images.resize import resized
from db.catalogue import Catalogue
from db.entries.morning import Morning
from db.entries.night import AttemptEntry
from db.errors import CatalogueError
from db.files.atomic import write_whole
from db.files.home import HomeFolder
from db.review.view.morning import morning_html, morning_text
from flows.alarm.channels import Message
from flows.alarm.findings import report_channels, tell
from flows.errors import Misused
from flows.logs import masked
from flows.reports.contact_sheet import thumbnail
from flows.settings import Settings

log = logging.getLogger(__name__)
SHOWN = "shown.json"
"""Beside the report: the attempts whose pictures it shows."""
PICTURE_PX = 240
MOST_BYTES = 40_000
"""Of one picture; some twelve of them are in a report."""
_QUALITIES = (85, 60, 35, 15)
LOOKED_BACK = 7
"""Nights that get a report where they have none."""


@dataclass(frozen=True)
class Report:
    """The report on one night."""

    morning: Morning
    language: str
    links: str
    pictures: Mapping[str, bytes]
    """JPEG files by sha256."""

    @cached_property
    def html(self) -> str:
        """The file, with its pictures inside."""
        return self._html("data:image/jpeg;base64,{}", lambda name: b64encode(self.pictures[name]).decode())

    @property
    def message(self) -> Message:
        """What is sent; a letter has its pictures beside the page, since mail programs show no others."""
        subject, lines = morning_text(self.morning, self.language, self.links)
        return Message(subject, lines, self._html("cid:{}", str), self.pictures)

    def _html(self, form: str, of: Callable[[str], str]) -> str:
        def picture(attempt: AttemptEntry, which: str) -> str:
            sha256 = _sha256(attempt, which)
            return form.format(of(sha256)) if sha256 in self.pictures else ""

        return morning_html(self.morning, self.language, self.links, picture)


def report_file(settings: Settings, night_id: int) -> Path:
    """Where the report on a night lies, or will."""
    return settings.home / HomeFolder.REPORTS / f"night-{night_id:04d}" / "morning.html"


def write_report(settings: Settings, catalogue: Catalogue, night_id: int) -> Report:
    """Write the report on a night, again where there is one.

    Raises:
        UnknownEntry: there is no such night.
    """
    morning = catalogue.morning(night_id)
    names = {_sha256(attempt, which) for attempt in morning.shown for which in ("content", "output")}
    found = {name: _small(catalogue, settings, name) for name in sorted(names)}
    pictures = {name: data for name, data in found.items() if data}
    report = Report(morning, settings.report_language, settings.report_links, pictures)
    file = report_file(settings, night_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file.parent / SHOWN, json.dumps([attempt.id for attempt in morning.shown]).encode())
    write_whole(file, report.html.encode())
    return report


def send_report(settings: Settings, report: Report) -> tuple[list[str], list[str]]:
    """Tell it by every way of the alarm, as `flows.alarm.findings.tell`.

    Raises:
        Misused: no way is set.
    """
    return tell(report_channels(settings), report.message)


def tell_morning(settings: Settings, catalogue: Catalogue, night_id: int) -> None:
    """What follows on a night: its report and those that are due besides; what is in the way is only logged."""
    try:
        for due in _due(settings, catalogue, night_id):
            write_report(settings, catalogue, due)
        report = write_report(settings, catalogue, night_id)
        failures = send_report(settings, report)[1] if settings.report_send else []
    except (CatalogueError, OSError, Misused) as error:
        failures = [str(error)]
    for failure in failures:
        log.error("the report on night %d: %s", night_id, masked(failure))


def _due(settings: Settings, catalogue: Catalogue, night_id: int) -> list[int]:
    """Earlier nights without a report, and reports that show what may not be seen any more."""
    missing = [each.id for each in catalogue.nights(LOOKED_BACK, upto=night_id - 1)]
    missing = [each for each in missing if not report_file(settings, each).exists()]
    withheld = {attempt for batch in catalogue.withheld_attempts().values() for attempt in batch}
    files = sorted((settings.home / HomeFolder.REPORTS).glob(f"night-*/{SHOWN}"))
    shown = {int(file.parent.name.removeprefix("night-")): set(json.loads(file.read_text())) for file in files}
    outdated = [each for each, attempts in shown.items() if attempts & withheld]
    return sorted({*missing, *outdated} - {night_id})


def _sha256(attempt: AttemptEntry, which: str) -> str:
    return (attempt.content.sha256 if which == "content" else attempt.output_sha256) or ""


def _small(catalogue: Catalogue, settings: Settings, sha256: str) -> bytes | None:
    """A stored picture as a JPEG of `MOST_BYTES`; None where it cannot be read, or is too large at any quality."""
    pixels = thumbnail(catalogue, settings, sha256 or None)
    if pixels is None:
        return None
    image = Image.fromarray(resized(pixels, PICTURE_PX, multiple=1))
    files = (_jpeg(image, quality) for quality in _QUALITIES)
    return next((data for data in files if len(data) <= MOST_BYTES), None)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
