"""Draws a batch's contact sheet: original, style print and results side by side, as PNG and as a page."""

import unicodedata
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, select_autoescape
from PIL import Image, ImageDraw, ImageFont

from colorize.errors import UnreadableImage
from colorize.images.decode import Pixels, decode
from colorize.images.resize import resized
from db.catalogue import Catalogue
from db.entries.night import LIKELY_SAME_DESIGN, AttemptEntry
from db.errors import PictureMissing
from flows.settings import Settings
from flows.upkeep.working_copies import read_working_copy

THUMB_PX = 320
"""Long edge of the pictures on a contact sheet."""
CELL_PX, MARGIN_PX, LINE_PX = 200, 12, 17
PLAIN_CELLS = 3
"""Original, style print and one result."""


LABEL = "machine-colorized"
BANDS = (0.25, 0.5, 0.75)
"""Of trust: where the next one begins."""


FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/fonts-japanese-gothic.ttf",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
)
"""Where Debian keeps fonts with Japanese letters; without one, labels on the PNG keep to Latin ones."""


@dataclass(frozen=True)
class Line:
    """An attempt of the batch, and what other recipes came to on the same content."""

    own: AttemptEntry
    beside: tuple[AttemptEntry, ...] = ()

    @property
    def attempts(self) -> tuple[AttemptEntry, ...]:
        """All of them, the batch's own first."""
        return self.own, *self.beside


@dataclass(frozen=True)
class Page:
    """A part of a batch that fits one file."""

    number: int
    """From 0."""
    count: int
    lines: Sequence[Line]
    encoder: str

    @property
    def attempts(self) -> list[AttemptEntry]:
        """The batch's own."""
        return [line.own for line in self.lines]

    @property
    def cells(self) -> int:
        """Pictures of the longest line: original, style print, results."""
        return 2 + max(len(line.attempts) for line in self.lines)

    @property
    def same_design(self) -> int:
        """How many took their colours from a print that is likely of the same design."""
        return sum(each.score is not None and each.score >= LIKELY_SAME_DESIGN for each in self.attempts)

    @property
    def trust(self) -> str:
        """How many lie in which band of trust."""
        return trust_words(self.attempts)


def page_name(number: int, suffix: str) -> str:
    """`contact-sheet.html`, `contact-sheet-2.html` ..."""
    return f"contact-sheet{f'-{number + 1}' if number else ''}{suffix}"


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
        "style": ", ".join(said.identifier for said in attempt.styles),
        "design": design_words(attempt.score),
        "content error": figure("content_error_mean"),
        "style error": figure("style_error_mean"),
        "total error": figure("total_error_mean"),
        "trust": "" if (trust := _trust(attempt)) is None else f"{trust:.2f}",
        "seconds": figure("seconds", 1),
        "outcome": "withheld" if attempt.withheld else attempt.outcome or "pending",
        "recipe": attempt.recipe.name,
        "problem": (result and result.error_message) or "",
    }


def design_words(score: float | None) -> str:
    """What the score of a match says of the two prints' designs; empty where none was matched."""
    if score is None:
        return ""
    same = score >= LIKELY_SAME_DESIGN
    return f"{'likely of the same design' if same else 'of another design'} (score {score:.2f})"


def trust_words(attempts: Iterable[AttemptEntry]) -> str:
    """How many of the results lie in which band of trust, in a sentence; empty where none tells it."""
    told = [trust for each in attempts if (trust := _trust(each)) is not None]
    counted = Counter(sum(trust >= least for least in BANDS) for trust in told)
    words = (f"below {BANDS[0]:g}", *(f"from {least:g}" for least in BANDS))
    bands = (f"{counted[place]} {words[place]}" for place in reversed(range(len(words))) if counted[place])
    return f"Trust in the colours, from 0 to 1: {', '.join(bands)}." if told else ""


def _trust(attempt: AttemptEntry) -> float | None:
    return attempt.result.measures.get("trust") if attempt.result else None


def thumbnail(catalogue: Catalogue, settings: Settings, sha256: str | None) -> Pixels | None:
    """A stored picture at the sheet's size; None where there is none, or it cannot be read."""
    if sha256 is None:
        return None
    try:
        if catalogue.working_copies.has(sha256):  # what was harvested; a result has none
            pixels = read_working_copy(catalogue, sha256, settings.max_pixels).pixels
        else:
            pixels = decode(catalogue.pictures.read(sha256), max_pixels=settings.max_pixels).pixels
    except (UnreadableImage, PictureMissing, OSError):
        return None
    return resized(pixels, THUMB_PX, multiple=1)


def page_html(page: Page, pictures: Sequence[Sequence[Pixels | None]]) -> str:
    """The page as one self-contained HTML file."""
    environment = Environment(loader=PackageLoader("flows.reports"), autoescape=select_autoescape(default=True))
    template = environment.get_template("contact_sheet.html.j2")
    sources = [[_data_url(pixels) for pixels in each] for each in pictures]
    rows = [[row(each) for each in line.attempts] for line in page.lines]
    names = [page_name(number, ".html") for number in range(page.count)]
    batch = page.attempts[0].batch_id
    entries = list(zip(page.lines, rows, sources, strict=True))
    return template.render(entries=entries, page=page, names=names, label=LABEL, batch=batch)


def _data_url(pixels: Pixels | None) -> str | None:
    if pixels is None:
        return None
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=88, subsampling=0)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode()


def page_png(page: Page, pictures: Sequence[Sequence[Pixels | None]]) -> bytes:
    """Two attempts a line, three pictures each, or one with those of all recipes; words below."""
    step = CELL_PX + MARGIN_PX
    wide, high = page.cells * step, CELL_PX + 4 * LINE_PX + MARGIN_PX
    columns = min(2, len(page.lines)) if page.cells == PLAIN_CELLS else 1
    lines = -(-len(page.lines) // columns)
    top = 3 * LINE_PX + MARGIN_PX
    sheet = Image.new("RGB", (columns * wide + MARGIN_PX, top + lines * high), (238, 238, 238))
    draw = ImageDraw.Draw(sheet)
    write_text(draw, (MARGIN_PX, MARGIN_PX), f"Original, style print, result ({LABEL}). {page.encoder}", columns * wide)
    for place, (line, shown) in enumerate(zip(page.lines, pictures, strict=True)):
        left, up = MARGIN_PX + place % columns * wide, top + place // columns * high
        for position, pixels in enumerate(shown):
            paste_cell(sheet, pixels, left + position * step, up)
        words = [row(each) for each in line.attempts]
        write_text(draw, (left, up + CELL_PX + 2), _caption(words[0]), (2 if line.beside else 3) * step - MARGIN_PX)
        for position, each in enumerate(words if line.beside else (), start=2):
            write_text(draw, (left + position * step, up + CELL_PX + 2), _result_words(each), CELL_PX)
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _caption(words: dict[str, str]) -> str:
    if words["problem"]:
        return f"{words['record']}\n{words['outcome']}: {words['problem']}"
    style = f"in the colours of {words['style']}" if words["style"] else "without a style print"
    content = ", ".join(filter(None, (words["record"], words["actor"])))
    return f"{content}\n{style}\n{words['design']}"


def _result_words(words: dict[str, str]) -> str:
    """Below one of several results."""
    trust = f"\ntrust {words['trust']}" if words["trust"] else ""
    return f"{words['recipe']}\n{words['outcome']}{trust}"


def paste_cell(
    sheet: Image.Image, pixels: Pixels | None, left: int, top: int, size: int = CELL_PX
) -> tuple[int, int, int, int]:
    """Lay a picture into the middle of a square cell; gray where there is none. Its left, top, right and bottom."""
    if pixels is None:
        pixels = np.full((size, size, 3), 220, np.uint8)
    scale = size / max(pixels.shape[:2])
    fitted = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    cell = Image.fromarray(pixels).resize(fitted, Image.Resampling.LANCZOS)
    x, y = left + (size - cell.width) // 2, top + (size - cell.height) // 2
    sheet.paste(cell, (x, y))
    return x, y, x + cell.width, y + cell.height


def write_text(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, width_px: int, lines: int = 4) -> None:
    """Text from a place downwards, broken where it grows too wide, in so many lines at most."""
    font, japanese = _font()
    broken = [
        piece
        for line in (text if japanese else romanised(text)).splitlines()
        for piece in _wrapped(line, font, width_px)
    ]
    draw.multiline_text(at, "\n".join(broken[:lines]), font=font, fill=(20, 20, 20), spacing=3)


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
