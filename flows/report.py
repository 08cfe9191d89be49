"""Contact sheet and morning report from the catalogue: a PNG, one self-contained HTML file, a Prefect artifact.

Called after dispatch; reads the catalogue only and may be run again. Every text of an archive is escaped, every
result is labelled machine-colorized, and the encoder's name stands on each page.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from prefect.artifacts import create_table_artifact

from colorize.images.decode import Pixels
from db.catalogue import Catalogue
from db.entries.night import AttemptEntry
from db.files.atomic import write_whole
from db.files.home import HomeFolder
from flows.plan import CataloguePlan, plan_catalogue
from flows.progress import Advance, track
from flows.reports.contact_sheet import Page, page_html, page_name, page_png, row, thumbnail, trust_words
from flows.reports.encoder_note import weights_sentence
from flows.settings import Settings
from flows.under_prefect import stage, tell

WITHHELD = "withheld.json"
"""Beside the sheets: the attempts whose pictures they leave out."""
PAGE = 100
"""Attempts on one page of a contact sheet; a first night may have thousands."""


@dataclass(frozen=True)
class Sheet:
    """Where a batch's contact sheet lies."""

    html: Path
    png: Path
    rows: tuple[dict[str, str], ...]
    """The table: identifier, actor, style, errors, trust, seconds, outcome."""
    encoder: str
    trust: str
    """How many lie in which band of trust; empty where the recipe tells none."""


def sheet_folder(settings: Settings, batch_id: int) -> Path:
    """Where a batch's contact sheet lies, or will."""
    return settings.home / HomeFolder.REPORTS / f"batch-{batch_id:04d}"


def sheets_due(plan: CataloguePlan, worked_on: Iterable[int]) -> list[int]:
    """The batches worked on, the latest one if a crash came between it and its sheet, and those that show too much.

    A sheet shows too much, or too little, when other results are withheld than were when it was written.
    """
    due, latest = {*worked_on, *_outdated(plan)}, plan.catalogue.latest_batch()
    if (
        latest
        and latest.taken
        and not latest.left
        and not (sheet_folder(plan.settings, latest.id) / page_name(0, ".png")).exists()
    ):
        due.add(latest.id)
    return sorted(due)


def _outdated(plan: CataloguePlan) -> Iterator[int]:
    withheld = plan.catalogue.withheld_attempts()
    for folder in sorted((plan.settings.home / HomeFolder.REPORTS).glob("batch-*")):
        number, kept = int(folder.name.removeprefix("batch-")), folder / WITHHELD
        if withheld.get(number, []) != (json.loads(kept.read_text()) if kept.exists() else []):
            yield number


@stage("report")
def report(settings: Settings, batch_id: int) -> Sheet:
    """Write the contact sheet of a batch under HOME/reports, in pages, and leave its table with Prefect."""
    folder = sheet_folder(settings, batch_id)
    folder.mkdir(parents=True, exist_ok=True)
    with plan_catalogue(settings) as plan:
        catalogue = plan.catalogue
        attempts = catalogue.batch_attempts(batch_id)
        encoder = weights_sentence(attempts[0].encoder, attempts[0].recipe)
        count = -(-len(attempts) // PAGE)
        with track("contact sheet", len(attempts), "attempts") as advance:
            # Backwards, so that the first page, which `sheets_due` looks for, comes last.
            for number in reversed(range(count)):
                page = Page(number, count, attempts[number * PAGE : (number + 1) * PAGE], encoder)
                _write_page(
                    folder, page, [_pictures(catalogue, settings, attempt, advance) for attempt in page.attempts]
                )
    write_whole(folder / WITHHELD, json.dumps([each.id for each in attempts if each.withheld]).encode())
    rows = tuple(row(attempt) for attempt in attempts)
    tell(create_table_artifact, key="nishiki-batch", table=list(rows), description=f"Batch {batch_id}. {encoder}")
    return Sheet(folder / page_name(0, ".html"), folder / page_name(0, ".png"), rows, encoder, trust_words(attempts))


def _write_page(folder: Path, page: Page, pictures: Sequence[Sequence[Pixels | None]]) -> None:
    write_whole(folder / page_name(page.number, ".html"), page_html(page, pictures).encode())
    write_whole(folder / page_name(page.number, ".png"), page_png(page.rows, pictures, page.encoder))


def _pictures(catalogue: Catalogue, settings: Settings, attempt: AttemptEntry, advance: Advance) -> list[Pixels | None]:
    """Original, style and result, small; None where there is none, its file is damaged, or it is withheld."""
    advance(1)
    if attempt.withheld:
        return [None, None, None]
    return [
        thumbnail(catalogue, settings, sha256)
        for sha256 in (attempt.content.sha256, attempt.style.sha256 if attempt.style else None, attempt.output_sha256)
    ]
