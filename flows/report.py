"""Contact sheet and morning report from the catalogue: a PNG, one self-contained HTML file, a Prefect artifact.

Called after dispatch; reads the catalogue only and may be run again. Every text of an archive is escaped, every
result is labelled machine-colorized, and the encoder's name stands on each page.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from prefect.artifacts import create_table_artifact

from colorize.images.decode import Pixels
from db.catalogue import Catalogue
from db.files.atomic import write_whole
from db.files.home import HomeFolder
from flows.plan import CataloguePlan, plan_catalogue
from flows.progress import Advance, track
from flows.reports.contact_sheet import Line, Page, page_html, page_name, page_png, row, thumbnail, trust_words
from flows.reports.encoder_note import weights_sentence
from flows.settings import Settings
from flows.under_prefect import stage, tell

WITHHELD, BESIDE = "withheld.json", "beside.json"
"""Beside the sheets: the attempts whose pictures they leave out, and those of other batches that they show."""
MOST_BESIDE = 6
"""Other recipes in one row, at most: the latest."""
PAGE = 100
"""Attempts on one page of a contact sheet; a first night may have thousands."""


@dataclass(frozen=True)
class Sheet:
    """Where a batch's contact sheet lies."""

    html: Path
    png: Path
    rows: tuple[dict[str, str], ...]
    """The table: identifier, actor, style, recipe, errors, trust, seconds, outcome."""
    encoder: str
    trust: str
    """How many lie in which band of trust; empty where the recipe tells none."""


def sheet_folder(settings: Settings, batch_id: int) -> Path:
    """Where a batch's contact sheet lies, or will."""
    return settings.home / HomeFolder.REPORTS / f"batch-{batch_id:04d}"


def sheets_due(plan: CataloguePlan, worked_on: Iterable[int]) -> list[int]:
    """The batches worked on, the latest one if a crash came between it and its sheet, and those that show too much.

    A sheet shows too much, or too little, when other results are withheld than were when it was written. A batch of
    which every result stands in another's rows, as a recipe's to compare with does, has none of its own.
    """
    fresh, latest = list(dict.fromkeys(worked_on)), plan.catalogue.latest_batch()
    due = {*_alone(plan.catalogue, fresh), *_outdated(plan)}
    if (
        latest
        and latest.id not in fresh
        and latest.taken
        and not latest.left
        and not (sheet_folder(plan.settings, latest.id) / page_name(0, ".png")).exists()
        and not _told_elsewhere(plan, latest.id)
    ):
        due.add(latest.id)
    return sorted(due)


def _alone(catalogue: Catalogue, numbers: Sequence[int]) -> Iterator[int]:
    """Those of the batches whose results do not all stand in an earlier one's rows."""
    told = Counter[int]()
    for number in numbers:
        if told[number] and told[number] == catalogue.batch(number).taken:
            continue
        yield number
        if number != numbers[-1]:
            told.update(each.batch_id for each in chain.from_iterable(catalogue.beside_batch(number).values()))


def _told_elsewhere(plan: CataloguePlan, number: int) -> bool:
    shown = {each for folder in _folders(plan) for each in _listed(folder / BESIDE)}
    return bool(shown) and shown.issuperset(each.id for each in plan.catalogue.batch_attempts(number))


def _outdated(plan: CataloguePlan) -> Iterator[int]:
    withheld = plan.catalogue.withheld_attempts()
    everywhere = set(chain.from_iterable(withheld.values()))
    for folder in _folders(plan):
        number = int(folder.name.removeprefix("batch-"))
        if {*withheld.get(number, []), *everywhere.intersection(_listed(folder / BESIDE))} != _listed(
            folder / WITHHELD
        ):
            yield number


def _folders(plan: CataloguePlan) -> list[Path]:
    return sorted((plan.settings.home / HomeFolder.REPORTS).glob("batch-*"))


def _listed(file: Path) -> set[int]:
    """The attempts that a file beside a sheet lists."""
    return set(json.loads(file.read_text())) if file.exists() else set()


@stage("report")
def report(settings: Settings, batch_id: int) -> Sheet:
    """Write the contact sheet of a batch under HOME/reports, in pages, and leave its table with Prefect."""
    folder = sheet_folder(settings, batch_id)
    folder.mkdir(parents=True, exist_ok=True)
    with plan_catalogue(settings) as plan:
        catalogue = plan.catalogue
        attempts, others = catalogue.batch_attempts(batch_id), catalogue.beside_batch(batch_id)
        lines = [Line(each, tuple(others.get(each.content.sha256, ())[-MOST_BESIDE:])) for each in attempts]
        encoder = weights_sentence(attempts[0].encoder, attempts[0].recipe)
        count = -(-len(lines) // PAGE)
        with track("contact sheet", len(lines), "attempts") as advance:
            # Backwards, so that the first page, which `sheets_due` looks for, comes last.
            for number in reversed(range(count)):
                page = Page(number, count, lines[number * PAGE : (number + 1) * PAGE], encoder)
                _write_page(folder, page, [_pictures(catalogue, settings, line, advance) for line in page.lines])
    beside = [each for line in lines for each in line.beside]
    write_whole(folder / BESIDE, json.dumps(sorted({each.id for each in beside})).encode())
    left_out = {each.id for each in (*attempts, *beside) if each.withheld}
    write_whole(folder / WITHHELD, json.dumps(sorted(left_out)).encode())
    rows = tuple(row(each) for line in lines for each in line.attempts)
    tell(create_table_artifact, key="nishiki-batch", table=list(rows), description=f"Batch {batch_id}. {encoder}")
    return Sheet(folder / page_name(0, ".html"), folder / page_name(0, ".png"), rows, encoder, trust_words(attempts))


def _write_page(folder: Path, page: Page, pictures: Sequence[Sequence[Pixels | None]]) -> None:
    write_whole(folder / page_name(page.number, ".html"), page_html(page, pictures).encode())
    write_whole(folder / page_name(page.number, ".png"), page_png(page, pictures))


def _pictures(catalogue: Catalogue, settings: Settings, line: Line, advance: Advance) -> list[Pixels | None]:
    """Original, style and results, small; None where there is none, its file is damaged, or it is withheld."""
    advance(1)
    own = line.own
    prints = [None, None] if own.withheld else [own.content.sha256, own.style.sha256 if own.style else None]
    results = [None if each.withheld else each.output_sha256 for each in line.attempts]
    return [thumbnail(catalogue, settings, sha256) for sha256 in (*prints, *results)]
