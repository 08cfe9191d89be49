"""Why a picture takes the colours that it takes: as lines, as JSON, and as a sheet of the prints side by side."""

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from textwrap import shorten
from typing import Any

from PIL import Image, ImageDraw

from colorize.errors import UnreadableImage
from colorize.images.resize import to_gray
from colorize.images.working_copy import WorkingCopy
from colorize.matching.geometry import SameDesign, features, lines
from db.entries.night import Description, MatchEntry
from db.errors import PictureMissing
from db.review.view.match_words import in_words
from flows.match import Explanation
from flows.reports.contact_sheet import CELL_PX, LINE_PX, MARGIN_PX, paste_cell, write_text

_LARGE_PX = 480
_TITLE = 100
"""Letters of a title that are told."""
_LINES = 40
"""Of the points that lie on one another, so many are joined."""
_JOINED = (0, 120, 215)


def explanation_lines(shown: Explanation) -> Iterator[str]:
    """For a person."""
    yield f"{_called(shown.content)} {_state(shown)}"
    for style, entry in shown.ranked:
        yield f"{entry.rank}. {_called(style)}, score {entry.score:.2f}: {in_words(entry.reasons)}{_points(entry)}"


def _state(shown: Explanation) -> str:
    if not shown.ranked:
        return f"has no match: {shown.why_none}."
    if shown.pinned_by:
        return f"takes the colours that {shown.pinned_by} pinned:"
    return "takes the colours of the first of these:" if shown.kept else "is not matched yet; a night would find:"


def _called(said: Description) -> str:
    title = f" ({shorten(said.title, _TITLE)})" if said.title else ""
    return f"{said.identifier}, picture {said.image_id}{title}"


def _points(entry: MatchEntry) -> str:
    return f"; {entry.registration['inliers']} points lie on one another" if entry.registration else ""


def explanation_json(shown: Explanation) -> str:
    """For a program: the content, and the candidates in order."""
    return json.dumps(
        {
            "content": _named(shown.content),
            "outcome": "matched" if shown.ranked else "no match",
            "why": shown.why_none,
            "kept": shown.kept,
            "pinned_by": shown.pinned_by,
            "candidates": [
                {
                    **_named(style),
                    "rank": entry.rank,
                    "score": entry.score,
                    "same_design": entry.registration is not None,
                    "inliers": entry.registration["inliers"] if entry.registration else None,
                    "homography": entry.registration["homography"] if entry.registration else None,
                    "reasons": dict(entry.reasons),
                    "words": in_words(entry.reasons),
                }
                for style, entry in shown.ranked
            ],
        },
        ensure_ascii=False,
    )


def _named(said: Description) -> dict[str, Any]:
    return {"identifier": said.identifier, "archive": said.archive, "image": said.image_id, "title": said.title}


def explanation_png(shown: Explanation, read: Callable[[str], WorkingCopy]) -> bytes:
    """Content and match large, with lines between points that lie on one another; the other candidates below.

    Args:
        read: the working copy of a stored picture, by its sha256.
    """
    others = shown.ranked[1:]
    wide = max(2, -(-len(others) * (CELL_PX + MARGIN_PX) // (_LARGE_PX + MARGIN_PX))) * (_LARGE_PX + MARGIN_PX)
    below = MARGIN_PX + _LARGE_PX + 4 * LINE_PX + MARGIN_PX
    high = below + (CELL_PX + 7 * LINE_PX if others else 0)
    sheet = Image.new("RGB", (wide + MARGIN_PX, high), (238, 238, 238))
    draw = ImageDraw.Draw(sheet)
    content = _copy(read, shown.content)
    ours = _paste(sheet, content, (MARGIN_PX, MARGIN_PX), _LARGE_PX, gray=True)
    write_text(draw, (MARGIN_PX, MARGIN_PX + _LARGE_PX + 4), f"{_called(shown.content)}\n{_state(shown)}", _LARGE_PX)
    for place, (style, entry) in enumerate(shown.ranked):
        if place == 0:
            left, top, size = 2 * MARGIN_PX + _LARGE_PX, MARGIN_PX, _LARGE_PX
        else:
            left, top, size = MARGIN_PX + (place - 1) * (CELL_PX + MARGIN_PX), below, CELL_PX
        copy = _copy(read, style)
        theirs = _paste(sheet, copy, (left, top), size)
        caption = f"{entry.rank}. Score {entry.score:.2f}: {in_words(entry.reasons)}{_points(entry)}\n{_called(style)}"
        write_text(draw, (left, top + size + 4), caption, size, lines=4 if place == 0 else 6)
        if place == 0 and content and copy and entry.registration:
            _join(draw, (content, ours), (copy, theirs), SameDesign.from_data(entry.registration))
    buffer = BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


Box = tuple[int, int, int, int]


def _copy(read: Callable[[str], WorkingCopy], said: Description) -> WorkingCopy | None:
    try:
        return read(said.sha256)
    except (UnreadableImage, PictureMissing, OSError):
        return None


def _paste(sheet: Image.Image, copy: WorkingCopy | None, at: tuple[int, int], size: int, *, gray: bool = False) -> Box:
    """Where the picture came to lie; what cannot be read is an empty cell."""
    pixels = None if copy is None else to_gray(copy.pixels) if gray else copy.pixels
    return paste_cell(sheet, pixels, *at, size)


def _join(
    draw: ImageDraw.ImageDraw, content: tuple[WorkingCopy, Box], style: tuple[WorkingCopy, Box], found: SameDesign
) -> None:
    (ours, here), (theirs, there) = content, style
    seen = lines(features(ours.pixels, ours.frame), features(theirs.pixels, theirs.frame), found)
    for pair in seen[:: max(1, len(seen) // _LINES)]:
        ends = [
            (left + x * (right - left), top + y * (bottom - top))
            for (x, y), (left, top, right, bottom) in zip(pair, (here, there), strict=True)
        ]
        draw.line(ends, fill=_JOINED, width=1)
        for x, y in ends:
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), outline=_JOINED)
