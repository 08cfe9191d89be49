"""A catalogue as a curator finds it in the morning, with pictures to look at: drawn, small, and known to the last bit.

Neither Prefect nor torch: what a night would have found is written into the catalogue by its own queries.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import lab2rgb, rgb2lab

from db.catalogue import Catalogue
from db.entries.night import ImageFacts, RecordEntry, Tone
from db.entries.nights import NightEnd, NightEnding
from flows.archives.sample.drawing.collection import Holding, colour_truth, holdings
from flows.settings import Settings
from flows.workers.tiles import make_missing
from tests.samples import Sample

Pixels = NDArray[np.uint8]
SIZE = (720, 1060)
"""Width and height of every picture: several tiles of 512 pixels."""
MEASURES = {
    "lightness_ssim": 0.999,
    "lightness_difference_mean": 0.012,
    "lightness_difference_p99": 0.06,
    "ink_chroma": 4.2,
    "trust": 0.62,
}
TRACE = tuple(
    {"iteration": n, "content": 1.0 / (n + 1), "style": 5.0 / (n + 2), "tv": 0.0, "total": 6.0 / (n + 1)}
    for n in range(12)
)


@dataclass(frozen=True)
class Drawn:
    """A gray print, a colour print of another impression, and the gray one in colour."""

    holding: Holding
    gray: bytes
    style: bytes
    output: bytes


class DrawnSample(Sample):
    """A sample whose pictures are pictures."""

    def facts(self, data: bytes, tone: Tone) -> ImageFacts:
        """What decoding tells."""
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
        return replace(super().facts(data, tone), width=width, height=height)


def fill(home: Path, count: int = 6) -> None:
    """Make a catalogue in `home` with so many entries that wait for a verdict, best first, and all their tiles."""
    settings = Settings(home=home)
    with Catalogue.open(settings) as catalogue:
        sample = DrawnSample()
        night = catalogue.begin_night()
        for place, drawn in enumerate(drawings()[:count]):
            colorize(sample, catalogue, drawn, score=0.9 - place / 100)
        catalogue.end_night(night, NightEnd(NightEnding.DONE, 0), {"dispatch": 95.0}, {"pictures": 2 * count})
    made = make_missing(settings)
    assert made.problems == []


def colorize(sample: Sample, catalogue: Catalogue, drawn: Drawn, score: float) -> int:
    """Harvest, match and colorize one drawn print; the attempt that waits for a verdict."""
    record = described(sample, drawn.holding)
    content = sample.store(catalogue, record, Tone.GRAYSCALE, data=drawn.gray)
    colour = replace(record, identifier=record.identifier.replace("-g", "-c"), title=f"{record.title}, in colour")
    colour = replace(colour, pictures=(f"{record.pictures[0]}-colour.png",))
    style = sample.store(catalogue, colour, Tone.COLOUR, data=drawn.style)
    sample.match(catalogue, content, style, score=score)
    return close(sample, catalogue, drawn.output)


def close(sample: Sample, catalogue: Catalogue, output: bytes, **result: Any) -> int:
    """Colorize the one match that is due, into this picture; the attempt."""
    trust = catalogue.pictures.add(trust_map(), ".png")
    done = replace(sample.succeeded(catalogue, data=output), measures=MEASURES, trace=TRACE, **result)
    done = replace(done, trust_sha256=trust)
    batch = sample.take(catalogue)
    (attempt,) = (each.id for each in catalogue.pending_attempts(batch))
    catalogue.close_attempt(batch, attempt, done)
    catalogue.close_batch(batch)
    return attempt


@cache
def trust_map() -> bytes:
    """Trusted above, doubted below."""
    drawn = np.full((512, 348, 3), 255, np.uint8)
    drawn[256:] = (226, 92, 0)
    Image.fromarray(drawn).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def described(sample: Sample, holding: Holding) -> RecordEntry:
    """The words that stand beside it, in Japanese and Roman letters."""
    actor, role = holding.design.actor, holding.design.role
    return sample.record(
        f"print-{holding.key}",
        title=holding.title,
        artists=(holding.design.painter,),
        cast=((f"{role.kanji} {role.name}", f"{actor.kanji} {actor.name}"),),
        year_from=holding.design.year,
        year_to=holding.design.year,
        credit_line="Sample holder, drawn by nishiki",
        landing_url=f"https://archive.example/records/{holding.key}",
    )


@cache
def drawings() -> Sequence[Drawn]:
    """Six prints, drawn once for each process."""
    grays = [holding for holding in holdings(6, 6, 7) if holding.medium == "gray" and holding.key <= "0006-g"]
    colours = [_resized(colour_truth(holding)) for holding in grays]
    styles = [*colours[1:], colours[0]]
    return [_drawn(*each) for each in zip(grays, colours, styles, strict=True)]


def _drawn(holding: Holding, colours: Pixels, style: Pixels) -> Drawn:
    lab = rgb2lab(colours)
    gray = np.rint(lab2rgb(lab * (1.0, 0.0, 0.0)) * 255).astype(np.uint8)
    output = np.rint(lab2rgb(lab * (1.0, 0.7, 0.7)) * 255).astype(np.uint8)
    return Drawn(holding, _png(gray[..., 0]), _png(style), _png(output))


def _resized(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize(SIZE, Image.Resampling.LANCZOS))


def _png(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
