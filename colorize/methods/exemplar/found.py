"""What colour by style images finds for a picture, and what is told of it; both of its methods give it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from colorize.images.decode import Pixels
from colorize.matching.geometry import Registered, register
from colorize.methods.exemplar.placed import agreed_share
from colorize.methods.exemplar.trusted import only_trusted, trusted_areas
from colorize.methods.work import Measured
from colorize.results import Origins
from colorize.running.prepare import Prepared

Floats = NDArray[np.float32]
Finding = Callable[[Pixels, Sequence[Pixels], Registered | None], "Transfer"]


@dataclass(frozen=True)
class Transfer:
    """Colours that were found, and where they come from."""

    chroma: Floats
    """(h, w, 2), CIELAB a, b."""
    shares: Floats
    """(n, rows, columns) of cells: what part of its colours each style gave, together 1."""
    in_place: Floats
    """(rows, columns) of cells: what part of its colours came from the same place of the print laid on it."""
    trust: Floats
    """(rows, columns) of cells, in [0, 1]: how likely a curator accepts them."""


def by_styles(each: Prepared, find: Finding, least_trust: float) -> Measured:
    """A picture's chroma by its styles; float32, (h, w, 2).

    A print of the same design is the style alone, the best one where there are several: nothing tells more.
    """
    styles = [style.pixels for style in each.styles]
    laid = [(style.registration, place) for place, style in enumerate(each.styles) if style.registration]
    if not laid:
        found = find(each.content, styles, None)
        return _measured(found, _parts(found.shares), range(len(styles)), each.lightness, least_trust)
    registration, place = max(laid, key=lambda one: one[0].correlation)
    there = register(each.content, styles[place], registration)
    found = find(each.content, [styles[place]], there)
    measures = {"in_place": float(agreed_share(there.agrees).mean()), "registration_residual": there.residual_px}
    return _measured(found, measures, [place], each.lightness, least_trust)


def _measured(
    found: Transfer, measures: dict[str, float], places: Sequence[int], lightness: Floats, least: float
) -> Measured:
    trust = np.rint(found.trust * 255).astype(np.uint8)
    measures, chroma = {**measures, "trust": float(trust.mean() / 255)}, found.chroma
    if least:
        kept = trusted_areas(found.trust, least)
        measures, chroma = measures | {"uncoloured": float(1 - kept.mean())}, only_trusted(chroma, lightness, kept)
    return Measured(chroma, measures, _origins(found, places), trust)


def _parts(shares: Floats) -> dict[str, float]:
    """What part each style gave, where there are several."""
    if len(shares) == 1:
        return {}
    return {f"style_{place}": float(share.mean()) for place, share in enumerate(shares, start=1)}


def _origins(found: Transfer, places: Sequence[int]) -> Origins:
    style = np.array(places, np.uint8)[found.shares.argmax(0)] + np.uint8(1)
    return Origins(style, np.rint(found.in_place * 255).astype(np.uint8))
