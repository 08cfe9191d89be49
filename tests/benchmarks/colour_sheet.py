"""Twelve real prints to look at, side by side: gray, first style, before, now, truth, trust (light: trusted).

`python -m tests.benchmarks.colour_sheet` writes build/benchmarks/colour_sheet.png, four pages of it that show more, and
colour_sheet.json, which says what is on it. The prints were chosen by what they show before any was coloured. "before"
are pictures that a run with `--record` has kept: of the recipe as it stood at commit 42f6fa1, made in its checkout.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from colorize.device import use_one_thread
from colorize.images.decode import Pixels
from tests.benchmarks.colour_arms import Made, made
from tests.benchmarks.colour_measures import measured
from tests.benchmarks.colour_pairs import KEPT, Pair, actors, same
from tests.benchmarks.figures import FOLDER

PRINTS: Mapping[tuple[str, str], str] = {
    ("actors", "fitzkunisada_p-80-1999.jpg"): "a bust",
    ("actors", "fitzkunisada_p-516-1937.jpg"): "a bust on a flat ground",
    ("actors", "fitzkunisada_p-73-1999.jpg"): "a bust, evening",
    ("actors", "portfolio_kiyonobu-1.jpg"): "a full figure on bare paper",
    ("actors", "fitzkunisada_p-490-1937.jpg"): "a full figure",
    ("actors", "fitzkunisada_kunisada-loan-556.jpg"): "three figures",
    ("actors", "fitzkunisada_p-491-1937.jpg"): "two figures",
    ("actors", "keisukeportfolio_012-kunichika-ichikawa-danjuro_orig.jpg"): "aniline colours, 1896",
    ("same", "cockerell_P-512-1937.jpg"): "several actors, another photograph lends",
    ("same", "portfolio_kiyonaga-bathhouse.jpg"): "several figures, another impression lends",
    ("same", "tokaidoorai_15-kanbara_orig.jpg"): "night, another impression lends",
    ("same", "osdwoodblocks_hokusai-33.jpg"): "a landscape, another impression lends",
}
"""Section and file → what it stands for."""
COLUMNS = ("gray", "style", "before", "now", "truth", "trust")
CELL_PX, PAGE_CELL_PX, ROWS_A_PAGE = 256, 480, 3
BEFORE = KEPT / "before"
Picture = Pixels | None


def main(record: bool) -> None:
    """Colour the twelve; keep them as those of before, or lay them out."""
    use_one_thread()
    known = {(pair.section, Path(pair.name).name): pair for pair in chain(actors(), same())}
    pairs = [known[key] for key in PRINTS]
    if record:
        BEFORE.mkdir(parents=True, exist_ok=True)
        for pair in pairs:
            Image.fromarray(made(pair).picture).save(_before(pair))
        return
    found = [(pair, made(pair)) for pair in pairs]
    rows = [_row(*each) for each in found]
    _laid_out(rows, CELL_PX).save(FOLDER / "colour_sheet.png")
    for page in range(0, len(rows), ROWS_A_PAGE):
        path = FOLDER / f"colour_sheet_{page // ROWS_A_PAGE + 1}.png"
        _laid_out(rows[page : page + ROWS_A_PAGE], PAGE_CELL_PX).save(path)
    said = [_said(number, *each) for number, each in enumerate(found, start=1)]
    (FOLDER / "colour_sheet.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _before(pair: Pair) -> Path:
    return BEFORE / f"{pair.section}_{Path(pair.name).stem}.png"


def _seen_before(pair: Pair) -> Picture:
    path = _before(pair)
    return np.asarray(Image.open(path)) if path.exists() else None


def _row(pair: Pair, found: Made) -> list[Picture]:
    trust = None if found.trust is None else np.repeat((found.trust * 255).astype(np.uint8)[..., None], 3, axis=2)
    return [pair.content, pair.style, _seen_before(pair), found.picture, pair.truth, trust]


def _said(number: int, pair: Pair, found: Made) -> dict[str, Any]:
    before = _seen_before(pair)
    return {
        "row": number,
        "print": pair.name,
        "shows": PRINTS[pair.section, Path(pair.name).name],
        "styles": pair.styles,
        "before": None if before is None else measured(pair.truth, before),
        "now": measured(pair.truth, found.picture, found.trust),
        "trust": found.result.measures.get("trust"),
    }


def _laid_out(rows: Sequence[Sequence[Picture]], cell_px: int) -> Image.Image:
    sheet = Image.new("RGB", (len(COLUMNS) * (cell_px + 8), 20 + len(rows) * (cell_px + 8)), "white")
    words = ImageDraw.Draw(sheet)
    for column, word in enumerate(COLUMNS):
        words.text((column * (cell_px + 8) + 4, 4), word, fill="black")
    for row, pictures in enumerate(rows):
        for column, picture in enumerate(pictures):
            if picture is not None:
                sheet.paste(_fitted(picture, cell_px), (column * (cell_px + 8) + 4, 20 + row * (cell_px + 8)))
    return sheet


def _fitted(picture: Pixels, cell_px: int) -> Image.Image:
    """With its long edge at the cell's, small ones enlarged."""
    scale = cell_px / max(picture.shape[:2])
    size = tuple(round(side * scale) for side in picture.shape[1::-1])
    return Image.fromarray(picture).resize((size[0], size[1]), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main(record=sys.argv[1:] == ["--record"])
