"""Contact sheet and morning report from the catalogue: a PNG, one self-contained HTML file, a Prefect artifact.

Called after dispatch; reads the catalogue only and may be run again. Every text of an archive is escaped, every
result is labelled machine-colorized, and the encoder's name stands on each page.
"""

import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from PIL import Image, ImageDraw, ImageFont
from prefect import flow
from prefect.artifacts import create_table_artifact

from colorize.errors import UnreadableImage
from colorize.images import Pixels, decode, resized
from db.catalogue import Catalogue
from db.entries import AttemptEntry
from db.errors import PictureMissing
from flows.choice import weights_sentence
from flows.files import write_whole
from flows.progress import Advance, track
from flows.settings import Settings

THUMB_PX = 320
"""Long edge of the pictures on a contact sheet."""
CELL_PX, MARGIN_PX, LINE_PX = 200, 12, 17
LABEL = "machine-colorized"
PAGE = 100
"""Attempts on one page of a contact sheet; a first night may have thousands."""
FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
)
"""Where Debian keeps fonts with Japanese letters; without one, labels on the PNG keep to Latin ones."""


@dataclass(frozen=True)
class Sheet:
    """Where a batch's contact sheet lies."""

    html: Path
    png: Path
    rows: tuple[dict[str, str], ...]
    """The table: identifier, actor, style, errors, seconds, outcome."""
    encoder: str


def sheet_folder(settings: Settings, batch_id: int) -> Path:
    """Where a batch's contact sheet lies, or will."""
    return settings.home / "reports" / f"batch-{batch_id:04d}"


def sheets_due(settings: Settings, worked_on: Iterable[int]) -> list[int]:
    """The batches worked on, and the latest one too if a crash came between it and its sheet."""
    due = set(worked_on)
    with Catalogue.open(settings) as catalogue:
        latest = catalogue.latest_batch()
    if (
        latest
        and latest.taken
        and not latest.left
        and not (sheet_folder(settings, latest.id) / page_name(0, ".png")).exists()
    ):
        due.add(latest.id)
    return sorted(due)


@flow(name="report", validate_parameters=False)
def report(settings: Settings, batch_id: int) -> Sheet:
    """Write the contact sheet of a batch under HOME/reports, in pages, and leave its table with Prefect."""
    folder = sheet_folder(settings, batch_id)
    folder.mkdir(parents=True, exist_ok=True)
    with Catalogue.open(settings) as catalogue:
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
    rows = tuple(row(attempt) for attempt in attempts)
    create_table_artifact(key="nishiki-batch", table=list(rows), description=f"Batch {batch_id}. {encoder}")
    return Sheet(folder / page_name(0, ".html"), folder / page_name(0, ".png"), rows, encoder)


@dataclass(frozen=True)
class Page:
    """A part of a batch that fits one file."""

    number: int
    """From 0."""
    count: int
    attempts: Sequence[AttemptEntry]
    encoder: str

    @property
    def rows(self) -> list[dict[str, str]]:
        """The attempts as words."""
        return [row(attempt) for attempt in self.attempts]


def page_name(number: int, suffix: str) -> str:
    """`contact-sheet.html`, `contact-sheet-2.html` ..."""
    return f"contact-sheet{f'-{number + 1}' if number else ''}{suffix}"


def _write_page(folder: Path, page: Page, pictures: Sequence[Sequence[Pixels | None]]) -> None:
    write_whole(folder / page_name(page.number, ".html"), _html(page, pictures).encode())
    write_whole(folder / page_name(page.number, ".png"), _png(page.rows, pictures, page.encoder))


def row(attempt: AttemptEntry) -> dict[str, str]:
    """An attempt as words for a table; errors are means over elements, in [0, 2] each."""
    result = attempt.result

    def figure(name: str, digits: int = 3) -> str:
        value = getattr(result, name, None)
        return "" if value is None else f"{value:.{digits}f}"

    return {
        "attempt": str(attempt.id),
        "record": attempt.content.identifier,
        "actor": ", ".join(actor for _, actor in attempt.content.cast if actor),
        "style": attempt.style.identifier,
        "score": "" if attempt.score is None else f"{attempt.score:.2f}",
        "content error": figure("content_error_mean"),
        "style error": figure("style_error_mean"),
        "total error": figure("total_error_mean"),
        "seconds": figure("seconds", 1),
        "outcome": attempt.outcome or "pending",
        "recipe": attempt.recipe.name,
        "problem": (result and result.error_message) or "",
    }


def _pictures(catalogue: Catalogue, settings: Settings, attempt: AttemptEntry, advance: Advance) -> list[Pixels | None]:
    """Original, style and result, small; None where there is none, or its file is damaged."""
    advance(1)
    return [
        _thumb(catalogue, settings, sha256)
        for sha256 in (attempt.content.sha256, attempt.style.sha256, attempt.output_sha256)
    ]


def _thumb(catalogue: Catalogue, settings: Settings, sha256: str | None) -> Pixels | None:
    if sha256 is None:
        return None
    try:
        pixels = decode(catalogue.pictures.read(sha256), max_pixels=settings.max_pixels).pixels
    except (UnreadableImage, PictureMissing, OSError):
        return None
    return resized(pixels, THUMB_PX, multiple=1)


def _html(page: Page, pictures: Sequence[Sequence[Pixels | None]]) -> str:
    environment = Environment(loader=PackageLoader("flows"), autoescape=select_autoescape(default=True))
    template = environment.get_template("contact_sheet.html.j2")
    sources = [[_data_url(pixels) for pixels in trio] for trio in pictures]
    entries = list(zip(page.attempts, page.rows, sources, strict=True))
    names = [page_name(number, ".html") for number in range(page.count)]
    batch = page.attempts[0].batch_id
    return template.render(entries=entries, page=page, names=names, label=LABEL, batch=batch)


def _data_url(pixels: Pixels | None) -> str | None:
    if pixels is None:
        return None
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88, subsampling=0)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode()


def _png(rows: Sequence[dict[str, str]], pictures: Sequence[Sequence[Pixels | None]], encoder: str) -> bytes:
    """Two attempts a line, three pictures each, figures below."""
    wide, high = 3 * (CELL_PX + MARGIN_PX), CELL_PX + 4 * LINE_PX + MARGIN_PX
    columns = min(2, len(rows))
    lines = -(-len(rows) // columns)
    top = 3 * LINE_PX + MARGIN_PX
    sheet = Image.new("RGB", (columns * wide + MARGIN_PX, top + lines * high), (238, 238, 238))
    draw = ImageDraw.Draw(sheet)
    _text(draw, (MARGIN_PX, MARGIN_PX), f"Original, style print, result ({LABEL}). {encoder}", columns * wide)
    for place, (words, trio) in enumerate(zip(rows, pictures, strict=True)):
        left, up = MARGIN_PX + place % columns * wide, top + place // columns * high
        for position, pixels in enumerate(trio):
            _paste(sheet, pixels, left + position * (CELL_PX + MARGIN_PX), up)
        _text(draw, (left, up + CELL_PX + 2), _caption(words), wide - MARGIN_PX)
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _caption(words: dict[str, str]) -> str:
    if words["problem"]:
        return f"{words['record']}\n{words['outcome']}: {words['problem']}"
    errors = f"content {words['content error']}, style {words['style error']}, {words['seconds']} s"
    return f"{words['record']}, {words['actor']}\nin the colours of {words['style']}\n{errors}"


def _paste(sheet: Image.Image, pixels: Pixels | None, left: int, top: int) -> None:
    if pixels is None:
        pixels = np.full((CELL_PX, CELL_PX, 3), 220, np.uint8)
    scale = CELL_PX / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    cell = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
    sheet.paste(cell, (left + (CELL_PX - cell.width) // 2, top + (CELL_PX - cell.height) // 2))


def _text(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, width_px: int) -> None:
    font, japanese = _font()
    lines = [
        piece
        for line in (text if japanese else romanised(text)).splitlines()
        for piece in _wrapped(line, font, width_px)
    ]
    draw.multiline_text(at, "\n".join(lines[:4]), font=font, fill=(20, 20, 20), spacing=3)


def romanised(text: str) -> str:
    """The text in letters that every font has: ō as o, and words of other scripts left out."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "\n".join(" ".join(line.split()) for line in plain.splitlines())


def _wrapped(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width_px: int) -> Iterable[str]:
    """Broken where it grows too wide: at a space, or between letters where there is none, as in Japanese."""
    start = 0
    for end in range(1, len(line) + 1):
        if font.getlength(line[start:end]) > width_px:
            space = line.rfind(" ", start, end)
            stop = space + 1 if space > start else end - 1
            yield line[start:stop]
            start = stop
    yield line[start:]


@cache
def _font() -> tuple[ImageFont.FreeTypeFont | ImageFont.ImageFont, bool]:
    for path in FONTS:
        if Path(path).exists():
            return ImageFont.truetype(path, 13), True
    return ImageFont.load_default(13), False
