"""How near the night came to colours that are known: those of the sample archive, which draws its prints itself.

`nishiki demo` prints it. Reads the catalogue only.
"""

from collections.abc import Callable, Iterator, Sequence
from statistics import median

import numpy as np
from PIL import Image

from colorize.images.decode import Pixels, decode
from colorize.measures.quality import truth_distances
from db.catalogue import Catalogue
from db.entries.night import AttemptEntry
from flows.plan import CataloguePlan
from flows.settings import Settings


def truth_lines(plan: CataloguePlan, batch_ids: Sequence[int], truth: Callable[[str], Pixels]) -> Iterator[str]:
    """Mean ΔE00 of a night's results to the true colours, beside that of the photographs left gray.

    Args:
        truth: a record's own colours by its identifier, uint8 (H, W, 3).
    """
    catalogue = plan.catalogue
    attempts = (attempt for number in batch_ids for attempt in catalogue.batch_attempts(number))
    found = [_distances(catalogue, plan.settings, each, truth) for each in attempts if each.output_sha256]
    if not found:
        return
    colour, gray = (median(each) for each in zip(*found, strict=True))
    yield (
        f"Distance to the prints' own colours, which are known here (ΔE00, median of {len(found)}): "
        f"coloured {colour:.1f}, left gray {gray:.1f}."
    )


def _distances(
    catalogue: Catalogue, settings: Settings, attempt: AttemptEntry, truth: Callable[[str], Pixels]
) -> tuple[float, float]:
    """Of the result, and of the photograph."""
    wanted = truth(attempt.content.identifier)
    colour, gray = (
        _delta_e(wanted, decode(catalogue.pictures.read(sha256), max_pixels=settings.max_pixels).pixels)
        for sha256 in (attempt.output_sha256 or "", attempt.content.sha256)
    )
    return colour, gray


def _delta_e(truth: Pixels, picture: Pixels) -> float:
    fitted = np.array(Image.fromarray(picture).resize(truth.shape[1::-1], Image.Resampling.LANCZOS))
    return truth_distances(truth, fitted)["delta_e"]
