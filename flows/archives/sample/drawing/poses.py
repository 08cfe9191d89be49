"""What a stance of the figure consists of: head, cloth, hands and crests on the sheet, facing left.

The stances themselves are data in `poses_half` and `poses_full`; `figure` draws them.
"""

from dataclasses import dataclass

from flows.archives.sample.drawing.curves import Path, Place


@dataclass(frozen=True)
class Part:
    """One piece of cloth (or a bare limb): its block, outline, lean of the pattern, and folds in ink."""

    block: str
    path: Path
    angle: float = 0.0
    folds: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Neck:
    """Where collars run, from the neck (which follows the head) to where they cross, and on to the sash."""

    crossing: tuple[float, float]
    end: tuple[float, float]
    width: float
    """Of one collar, in sheet units."""


@dataclass(frozen=True)
class Hand:
    """A hand and whether it holds the design's prop."""

    kind: str
    place: Place
    holds: bool = False


@dataclass(frozen=True)
class Pose:
    """A whole figure, back to front."""

    head: Place
    neck: Neck
    signature: tuple[float, float]
    """Where the painter's column fits."""
    behind: tuple[Part, ...]
    """Up to the collars."""
    body: tuple[Part, ...]
    """Over the collars, under the head."""
    front: tuple[Part, ...] = ()
    """Over the head."""
    hands: tuple[Hand, ...] = ()
    crests: tuple[Place, ...] = ()
    front_crests: tuple[Place, ...] = ()
