"""Pictures whose true colours are known, and the ways to colour their gray versions that a new way must beat.

`tests.benchmarks.colour` measures them. Every arm takes the gray content and the style, uint8 (h, w, 3) at working
size, and gives a picture with the content's own L*; None where it cannot.
"""

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import lab2rgb, rgb2lab
from skimage.feature import SIFT, match_descriptors
from skimage.measure import ransac
from skimage.transform import ProjectiveTransform, warp

from colorize.colorizer import Colorizer
from colorize.encoders.loading import load_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import shipped_weights
from colorize.finish.fullsize import recomposed
from colorize.finish.guided_filter import Guide
from colorize.images.decode import Pixels, decode
from colorize.images.frame import Frame, find_frame
from colorize.images.resize import resized
from colorize.jobs import Job
from colorize.matching.embedding import embed
from colorize.matching.ranking import Vectors, rank
from colorize.methods.neural_style.engine import Operands
from colorize.methods.reinhard import reinhard
from colorize.methods.welsh import welsh
from colorize.recipes.library import recipe_named
from colorize.results import Colorization
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from tests.benchmarks.figures import FOLDER

LONG_EDGE_PX = 512
DRAWN = 6
NEURAL = recipe_named("jadh2016/config3_3_4").changed(iterations=60, long_edge_px=192)
LEAST_INLIERS = 15
OURS = "nishiki/colour"
UNFILTERED = Guide(radius_px=0)

Chroma = NDArray[np.float32]
Arm = Callable[[Pixels, Pixels], Pixels | None]


@dataclass(frozen=True)
class Pair:
    """A print whose colours are known, cut out of its mount, and the print that its gray version is coloured from."""

    kind: str
    """`real` or `drawn`: two impressions of one design; `unrelated`: the best match among other designs."""
    name: str
    truth: Pixels
    style: Pixels

    @cached_property
    def content(self) -> Pixels:
        """Gray of the truth's own L*, so that colours alone are judged."""
        return gray_of(self.truth)


def gray_of(pixels: Pixels) -> Pixels:
    """L* of a picture and no colour, three equal channels."""
    gray = lab2rgb(rgb2lab(pixels) * (1, 0, 0)).mean(2, keepdims=True)  # its channels differ in the fifth digit
    return np.repeat(np.rint(gray * 255).astype(np.uint8), 3, axis=2)


def pairs(prints: Path) -> Iterator[Pair]:
    """All ordered real pairs and unrelated ones where there are real prints; drawn ones always."""
    if prints.is_dir():
        groups = _groups(prints)
        yield from _real(groups)
        yield from _unrelated(groups)
    for seed in range(DRAWN):
        truth, style = (resized(draw_print(design(seed), impression).pixels, LONG_EDGE_PX) for impression in (1, 0))
        yield Pair("drawn", f"drawn {seed}", truth, style)


def _groups(prints: Path) -> dict[str, dict[str, Pixels]]:
    """The colour prints by design, then by file name; each cut out of its mount, at working size."""
    groups: dict[str, dict[str, Pixels]] = {}
    with (prints / "prints.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["group"] == "monochrome original":
                continue
            scan = decode((prints / row["file"]).read_bytes()).pixels
            words = [word for word in row["group"].split() if word.startswith("same:")]
            framed = resized(find_frame(scan).crop(scan), LONG_EDGE_PX)
            groups.setdefault(words[0] if words else row["file"], {})[Path(row["file"]).stem] = framed
    return groups


def _real(groups: dict[str, dict[str, Pixels]]) -> Iterator[Pair]:
    for group in groups.values():
        for one, other in permutations(group, 2):
            yield Pair("real", f"{one} from {other}", group[one], group[other])


def _unrelated(groups: dict[str, dict[str, Pixels]]) -> Iterator[Pair]:
    """The first print of each design with the print of another design that resembles it most."""
    encoder = load_encoder(shipped_weights())
    known = [(of, name, pixels) for of, group in groups.items() for name, pixels in group.items()]
    vectors = np.stack([embed(encoder, pixels) for _, _, pixels in known])
    for group in groups:
        own = np.array([of == group for of, _, _ in known])
        _, name, truth = known[int(np.argmax(own))]
        _, style_name, style = known[_best(vectors, int(np.argmax(own)), np.flatnonzero(~own))]
        yield Pair("unrelated", f"{name} from {style_name}", truth, style)


def _best(vectors: Vectors, place: int, others: NDArray[np.int64]) -> int:
    """Which of the others comes nearest to the print at that place."""
    ((found,),) = rank(vectors[place : place + 1], lambda: [(others, vectors[others])], 1, vectors.mean(0))
    return found.id


def painted(content: Pixels, chroma: Chroma, guide: Guide = UNFILTERED) -> Pixels:
    """The content in these colours at its own L*; chroma may be smaller than it."""
    height, width = content.shape[:2]
    found: Any = recomposed(content, chroma.astype(np.float32), Frame(0, 0, height, width), guide)
    return np.asarray(found, np.uint8)


def left_gray(content: Pixels, _style: Pixels) -> Pixels:
    """The content itself."""
    return content


def tint(content: Pixels, style: Pixels) -> Pixels:
    """The style's mean a*, b* all over."""
    return painted(content, np.broadcast_to(rgb2lab(style)[..., 1:].mean((0, 1)), (*content.shape[:2], 2)))


@dataclass(frozen=True)
class NeuralStyle:
    """A configuration of JADH 2016; results are kept, as each takes seconds."""

    encoder: Encoder

    def raw(self, content: Pixels, style: Pixels) -> Pixels:
        """Its picture, at 192 px, with its own lightness."""
        key = sha256(f"{NEURAL.digest()}{self.encoder.checksum}".encode() + content.tobytes() + style.tobytes())
        path = FOLDER / "neural_style" / f"{key.hexdigest()[:24]}.png"
        if not path.exists():
            (made,) = Colorizer(NEURAL, Operands(self.encoder, "float32")).colorize([Job("pair", content, style)])
            assert isinstance(made, Colorization), made
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(made.picture).save(path)
        return np.asarray(Image.open(path))

    def locked(self, content: Pixels, style: Pixels) -> Pixels:
        """Its a*, b* with the content's L*."""
        return painted(content, rgb2lab(self.raw(content, style))[..., 1:])

    def filtered(self, content: Pixels, style: Pixels) -> Pixels:
        """The same through the guided filter."""
        return painted(content, rgb2lab(self.raw(content, style))[..., 1:], Guide())


def registered(content: Pixels, style: Pixels) -> Pixels | None:
    """The style's own colours laid in place by a homography; outside it its mean. None where no homography is found."""
    found = _homography(content[..., 0], gray_of(style)[..., 0])
    if found is None:
        return None
    colours = rgb2lab(style)[..., 1:]
    warping: Any = warp
    laid = warping(colours, found, output_shape=content.shape[:2], order=1, cval=np.nan)
    return painted(content, np.where(np.isnan(laid), colours.mean((0, 1)), laid))


def _homography(content: NDArray[np.uint8], style: NDArray[np.uint8]) -> Any:
    """From the content's pixels to the style's, by SIFT and RANSAC."""
    detector: Any = SIFT
    sides = []
    for gray in (content, style):
        sift = detector()
        sift.detect_and_extract(gray / 255)
        sides.append(sift)
    matching: Any = match_descriptors
    matches = matching(sides[0].descriptors, sides[1].descriptors, max_ratio=0.8)
    if len(matches) < LEAST_INLIERS:
        return None
    places = tuple(side.keypoints[matches[:, i], ::-1].astype(float) for i, side in enumerate(sides))
    fitting: Any = ransac
    model, inliers = fitting(places, ProjectiveTransform, min_samples=4, residual_threshold=3, max_trials=3000, rng=0)
    return model if model is not None and inliers.sum() >= LEAST_INLIERS else None


def nishiki_colour(encoder: Encoder, content: Pixels, style: Pixels) -> Pixels:
    """The default recipe, through the door that the night goes through."""
    colorizer = Colorizer(recipe_named(OURS), Operands(encoder, "float32"))
    (made,) = colorizer.colorize([Job("pair", content, style)])
    assert isinstance(made, Colorization), made
    return made.picture


def arms(neural_style: NeuralStyle) -> dict[str, Arm]:
    """Every way by name, in the table's order."""
    return {
        "left gray": left_gray,
        "uniform tint": tint,
        "Reinhard": lambda content, style: painted(content, reinhard(content, style)),
        "Welsh": lambda content, style: painted(content, welsh(content, style, 0)),
        "neural style": neural_style.locked,
        "neural style, filtered": neural_style.filtered,
        "registered": registered,
        OURS: partial(nishiki_colour, neural_style.encoder),
    }
