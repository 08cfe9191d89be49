"""The holdings of the sample archive: which records there are, what they say, and their pictures' bytes.

`flows.archives.sample.server` serves them. Nothing here knows HTTP or OAI-PMH.
"""

import io
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
from PIL import Image

from flows.archives.sample.drawing.designs import Design, design, landscape
from flows.archives.sample.drawing.photograph import photograph
from flows.archives.sample.drawing.press import Pixels
from flows.archives.sample.drawing.prints import draw_ink_print, draw_print

FIRST_DAY = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)
CC0 = "http://creativecommons.org/publicdomain/zero/1.0/"
NO_DERIVATIVES = "http://creativecommons.org/licenses/by-nc-nd/4.0/"
ACTOR_PRINT = "役者絵"
VIEW = "名所絵"
HOLDER = "Sample archive (drawn by nishiki)"

ERAS: tuple[tuple[int, str], ...] = (
    (1865, "慶応"), (1864, "元治"), (1861, "文久"), (1860, "万延"), (1854, "安政"), (1848, "嘉永"), (1844, "弘化"),
)  # fmt: skip
"""First year and name, latest first."""


@dataclass(frozen=True)
class Holding:
    """One record of the sample archive and how its picture is made."""

    key: str
    """The identifier's last part, such as 0001-c."""
    design: Design
    impression: int
    datestamp: datetime
    medium: str = "colour"
    """`colour`, `gray` (a photograph) or `ink` (a key-block print on toned paper)."""
    genre: str = ACTOR_PRINT
    """Empty: the archive names none."""
    licence: str = CC0
    suffix: str = "jpg"
    deleted: bool = False
    damaged: bool = False
    """The picture file breaks off half way."""

    @property
    def title(self) -> str:
        """As the archive writes it."""
        if self.design.subject == "landscape":
            return "富士の見える浦 A bay with a mountain (sample)"
        return f"{self.design.role.kanji} {self.design.role.name} (sample)"

    @property
    def date(self) -> str:
        """The year in its era, and in ours."""
        start, era = next((start, era) for start, era in ERAS if self.design.year >= start)
        year = self.design.year - start + 1
        return f"{era}{'元' if year == 1 else year}年 ({self.design.year})"


def holdings(designs: int, grays: int, seed: int) -> list[Holding]:
    """A colour record of each design, gray ones of other impressions, and one of each difficulty; by datestamp."""
    plain = [_colour(number, seed) for number in range(1, designs + 1)]
    plain += [_gray(number, designs, seed) for number in range(1, grays + 1)]
    plain.sort(key=lambda holding: holding.key)
    odd = _difficult(max(designs, grays) + 1, seed)
    step = max(1, len(plain) // len(odd))
    for position, holding in enumerate(odd):
        plain.insert((position + 1) * step + position, holding)
    # Four records a day; a large set is crowded into a year, since datestamps never lie ahead of the clock.
    pace_s = 86400 // max(4, len(plain) // 365)
    return [
        replace(holding, datestamp=FIRST_DAY + timedelta(seconds=position * pace_s))
        for position, holding in enumerate(plain)
    ]


def _colour(number: int, seed: int) -> Holding:
    return Holding(
        f"{number:04}-c", design(seed + number - 1), 0, FIRST_DAY, suffix="png" if number % 4 == 0 else "jpg"
    )


def _gray(number: int, designs: int, seed: int) -> Holding:
    """Where more gray records are asked for than designs, further impressions are photographed."""
    turn, which = divmod(number - 1, designs)
    return Holding(
        f"{number:04}-g",
        design(seed + which),
        1 + turn,
        FIRST_DAY,
        "gray",
        suffix="png" if number % 5 == 0 else "jpg",
    )


def _difficult(first: int, seed: int) -> list[Holding]:
    """One record of each kind that must not be colorized, or cannot."""
    base = [Holding(f"{first + i:04}-g", design(seed + first + i - 1), 1, FIRST_DAY, "gray") for i in range(6)]
    return [
        replace(base[0], deleted=True),
        replace(base[1], licence=NO_DERIVATIVES),
        replace(base[2], design=landscape(base[2].design.seed), genre=VIEW),
        replace(base[3], key=base[3].key.replace("g", "k"), medium="ink"),
        replace(base[4], damaged=True),
        replace(base[5], genre=""),
    ]


def added(key: str, seed: int, now: datetime) -> Holding:
    """A record that was not there before: `key` like 0031-c or 0031-g."""
    number, _, medium = key.partition("-")
    if not number.isdecimal() or medium not in ("c", "g"):
        raise ValueError(f"The sample archive cannot add {key!r}: give four digits and -c or -g, such as 0031-g.")
    if medium == "c":
        return replace(_colour(int(number), seed), datestamp=now)
    return Holding(key, design(seed + int(number) - 1), 1, now, "gray")


def colour_truth(holding: Holding) -> Pixels:
    """The impression as the eye sees it: uint8, (H, W, 3), sRGB."""
    draw = draw_ink_print if holding.medium == "ink" else draw_print
    return draw(holding.design, holding.impression).pixels


@lru_cache(maxsize=256)
def picture(holding: Holding) -> bytes:
    """The bytes of the picture file; the same holding always gives the same bytes."""
    pixels = colour_truth(holding)
    if holding.medium == "gray":
        pixels = photograph(pixels, np.random.default_rng((holding.design.seed, 5, holding.impression)))
        # A third of the files hold gray in three equal channels, as many archives store them.
        pixels = np.repeat(pixels[..., None], 3, axis=2) if holding.design.seed % 3 == 2 else pixels
    buffer = io.BytesIO()
    if holding.suffix == "png":
        Image.fromarray(pixels).save(buffer, "PNG")
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=92, subsampling=0)
    data = buffer.getvalue()
    return data[: len(data) // 2] if holding.damaged else data
