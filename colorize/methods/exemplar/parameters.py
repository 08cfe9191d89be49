"""What colour by style images is tuned by, by likeness and by blocks; loads nothing heavy."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from colorize.methods.base import Needs, Parameters, out_of_range

MOST_STYLES: Final = 5
"""Style images that colours are chosen from, at most."""


_RANGES_OF_BOTH = {"styles": (1.0, MOST_STYLES), "least_trust": (0.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class ByStyles(Parameters):
    """What both methods have."""

    styles: int = 1
    """Style images that colours are chosen from, at most."""
    least_trust: float = 0.0
    """Areas that are trusted less are left in the tone of the paper."""

    def needs(self, usual: Needs) -> Needs:
        """Styles up to the number of the recipe."""
        return replace(usual, styles=self.styles)


@dataclass(frozen=True, kw_only=True)
class Exemplar(ByStyles):
    """Parameters of the method `exemplar`."""

    colour_layers: tuple[str, ...]
    """Layers that partners are found by."""
    temperature: float = 0.02
    """Of the softmax over the partners' likeness."""
    luminance_weight: float = 0.4
    """Likeness that is lost for each standard deviation of luminance between partners."""
    agreement: float = 20.0
    """How much neighbours count beside a cell's own colours."""
    palette: float = 0.4
    """How far colours are led to the style's distribution: 0 not at all, 1 one whole step."""

    def problems(self) -> Iterator[str]:
        """Values out of range, and no layers."""
        yield from out_of_range(self, _RANGES)
        if not self.colour_layers:
            yield "colour_layers must not be empty"

    @property
    def layers(self) -> tuple[str, ...]:
        """Those that partners are found by."""
        return self.colour_layers


_RANGES = {
    "temperature": (1e-4, 10.0),
    "luminance_weight": (0.0, 100.0),
    "agreement": (0.0, 1e4),
    "palette": (0.0, 1.0),
    **_RANGES_OF_BOTH,
}


@dataclass(frozen=True, kw_only=True)
class Blocks(ByStyles):
    """Parameters of the method `blocks`."""

    prior: str
    """SHA-256 (hex) of the learned prior's weights, `nishiki-prior`: results are another prior's where it changes."""
    prior_weight: float = 0.54
    """How much the prior's word counts."""
    inks_weight: float = 0.5
    """How much it counts which inks the styles have at each lightness."""
    likeness_weight: float = 0.12
    """How much it counts what the styles have in places that look alike."""
    alike_weight: float = 0.5
    """Part that areas which look alike have in an area's voice, where there are any."""
    red_cartouches: float = 0.8
    """Part of seals and title cartouches that are taken to be red; 0: they are areas like others."""
    decision: float = 2.5
    """How far areas choose one pigment: 1 leaves the mean of what is likely."""
    chroma: float = 1.0
    """How much of the chroma that averaging takes is given back: 0 nothing, 1 all."""

    def problems(self) -> Iterator[str]:
        """Values out of range."""
        yield from out_of_range(self, _RANGES_OF_BLOCKS)


_RANGES_OF_BLOCKS = {
    "prior_weight": (0.0, 2.0),
    "inks_weight": (0.0, 2.0),
    "likeness_weight": (0.0, 2.0),
    "alike_weight": (0.0, 1.0),
    "red_cartouches": (0.0, 1.0),
    "decision": (1.0, 10.0),
    "chroma": (0.0, 1.0),
    **_RANGES_OF_BOTH,
}
