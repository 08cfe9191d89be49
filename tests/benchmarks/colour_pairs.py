"""Prints whose own colours are known, and the styles that their gray versions take colours from, as a night has them.

Sections: `actors`, the 120 actor prints of ../shared/ukiyoe, each with the rule's five best styles of other designs;
`same`, one of each two impressions of a design with the other and four further; `pairs`, those of ../shared/prints; and
`drawn`. Styles are the colour prints that are no squashed thumbnails. Knows no recipe.
"""

import csv
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from hashlib import sha256
from itertools import permutations
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorize.encoders.loading import load_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import Pixels, decode
from colorize.images.frame import Frame, find_frame
from colorize.images.resize import resized
from colorize.images.tone import Tone, judge_tone
from colorize.jobs import Job, Style
from colorize.matching import composition, tones
from colorize.matching.embedding import embed
from colorize.matching.geometry import SameDesign, features, same_design
from colorize.matching.ranking import Vectors, cosines
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.matching.choosing import Unmatched, choose
from flows.matching.known import Known
from flows.matching.rule import Scored, score
from flows.matching.shared import PictureLikeness
from flows.matching.weights import MatchWeights
from tests.benchmarks.colour_measures import gray_of
from tests.benchmarks.figures import FOLDER
from tests.benchmarks.match import prints, sets
from tests.benchmarks.match_rule import record
from tests.shared import SHARED

LONG_EDGE_PX = 512
DRAWN = 6
STEP, STEPS = 5, 20
"""Of L*, that the mean colours of other prints are told by."""
KEPT = FOLDER / "colour"
Floats = NDArray[np.float32]
Each = TypeVar("Each")


@dataclass(frozen=True)
class Pair:
    """A print whose colours are known, and those that its gray version is coloured from."""

    section: str
    name: str
    """Of the content's picture, see `picture`."""
    styles: tuple[str, ...]
    """Names of pictures, the best first."""
    laid: bool = False
    """Whether the first style is tried in place, as another impression."""
    usual: Floats | None = field(default=None, repr=False)
    """(STEPS, 2): mean a, b by L* of all real prints of other designs."""

    @property
    def title(self) -> str:
        """What it is called among those of its section."""
        return self.name if len(self.styles) > 1 else f"{self.name} from {self.styles[0]}"

    @cached_property
    def truth(self) -> Pixels:
        """The print without its mount, at working size."""
        return picture(self.name)

    @cached_property
    def content(self) -> Pixels:
        """Gray of the truth's own L*, so that colours alone are judged."""
        return gray_of(self.truth)

    @property
    def style(self) -> Pixels:
        """The first."""
        return picture(self.styles[0])

    @cached_property
    def one_design(self) -> SameDesign | None:
        """How the first style lies on the content."""
        return same_design(features(self.content), features(self.style))

    def job(self) -> Job:
        """What the night hands to the recipe."""
        found = self.one_design if self.laid else None
        _, *further = (Style(picture(each)) for each in self.styles)
        laid = found.data() if found else None
        return Job(self.name, self.content, self.style, registration=laid, further=tuple(further))


@lru_cache(16)
def picture(name: str) -> Pixels:
    """A real print by its path in ../shared, or `drawn/SEED/IMPRESSION`; without its mount, at working size."""
    if name.startswith("drawn/"):
        seed, impression = map(int, name.split("/")[1:])
        return resized(draw_print(design(seed), impression).pixels, LONG_EDGE_PX)
    scan = decode((SHARED / name).read_bytes()).pixels
    return resized(find_frame(scan).crop(scan), LONG_EDGE_PX)


def actors(number: int | None = None) -> Iterator[Pair]:
    """Actor prints without any of their own design; `number`: as many, evenly taken, the same ones each time."""
    if not (SHARED / "ukiyoe").is_dir():
        return
    contents = [name for name, row in _rows().items() if row["kind"] == "actor"]
    chosen = _chosen(contents)  # among all, whatever the number: styles serve so many contents and no more
    for content in _evenly(contents, number):
        yield Pair("actors", f"ukiyoe/{content}", _paths(chosen[content]), usual=_seen().usual(content))


def same(number: int | None = None) -> Iterator[Pair]:
    """One of each two impressions of a design, with the other and further styles of other designs."""
    known = prints()
    if known is None:
        return
    pairs = sets(known)
    chosen = _chosen([content for content, _ in pairs])
    for content, style in _evenly(pairs, number):
        styles = _paths([style, *chosen[content][:-1]])
        yield Pair("same", f"ukiyoe/{content}", styles, laid=True, usual=_seen().usual(content))


def pairs(number: int | None = None) -> Iterator[Pair]:
    """Both ways of each two impressions in ../shared/prints: the other one as the only style, by likeness alone, then
    in place."""
    folder = SHARED / "prints"
    if not folder.is_dir():
        return
    with (folder / "prints.csv").open(encoding="utf-8") as stream:
        rows = [(row["file"], row["group"].split()[0]) for row in csv.DictReader(stream) if "same:" in row["group"]]
    both = [(one, other) for (one, group), (other, of) in permutations(rows, 2) if group == of]
    usual = _seen().usual("") if (SHARED / "ukiyoe").is_dir() else None
    for content, style in _evenly(both, number):
        for section, laid in (("pairs by likeness", False), ("pairs", True)):
            yield Pair(section, f"prints/{content}", (f"prints/{style}",), laid, usual)


def drawn(number: int | None = None) -> Iterator[Pair]:
    """Two impressions of drawn designs, by likeness alone."""
    for seed in _evenly(range(DRAWN), number):
        yield Pair("drawn", f"drawn/{seed}/1", (f"drawn/{seed}/0",))


SECTIONS: Mapping[str, Callable[[int | None], Iterator[Pair]]] = {
    "actors": actors,
    "same": same,
    "pairs": pairs,
    "drawn": drawn,
}


def _evenly(of: Sequence[Each], number: int | None) -> list[Each]:
    taken = len(of) if number is None else min(number, len(of))
    return [of[place * len(of) // taken] for place in range(taken)]


def _paths(files: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"ukiyoe/{file}" for file in files)


@cache
def _rows() -> dict[str, dict[str, str]]:
    with (SHARED / "ukiyoe" / "prints.csv").open(encoding="utf-8") as stream:
        return {row["file"]: row for row in csv.DictReader(stream) if row["tone"] in ("colour", "toned")}


def _design(file: str) -> str:
    return _rows()[file]["group"] or file


@dataclass(frozen=True)
class Seen:
    """What is known of every real print by its picture; arrays have a row for each file."""

    files: list[str]
    features: Vectors
    composition: Vectors
    tones: Vectors
    sums: Floats
    """(n, STEPS, 3): sums of a, of b, and pixels, by L*."""
    lends: NDArray[np.bool_]
    """Whether it is a colour print whose colours may be lent."""

    def usual(self, content: str) -> Floats:
        """Mean a, b by L* of the prints that lend and are of other designs, (STEPS, 2); 0 where none has that L*."""
        design = _design(content) if content else ""
        others = self.lends & np.array([_design(file) != design for file in self.files])
        sums = self.sums[others].sum(0)
        return np.asarray(sums[:, :2] / np.maximum(1, sums[:, 2:]), np.float32)


@cache
def _seen() -> Seen:
    """Kept between runs."""
    files = sorted(_rows())
    parts = (_seen_one, embed, composition, tones, find_frame)
    text = "".join(inspect.getsource(part) for part in parts)  # what the vectors depend on
    path = KEPT / f"prints_{sha256((text + ''.join(files)).encode()).hexdigest()[:16]}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, *(np.stack(column) for column in zip(*map(_seen_one, files), strict=True)))
    with np.load(path) as kept:
        return Seen(files, *(kept[f"arr_{place}"] for place in range(5)))


def _seen_one(file: str) -> tuple[Vectors, Vectors, Vectors, Floats, NDArray[np.bool_]]:
    framed = picture(f"ukiyoe/{file}")
    lab = rgb2lab(framed).reshape(-1, 3)
    steps = np.minimum(lab[:, 0] // STEP, STEPS - 1).astype(int)
    sums = np.stack([np.bincount(steps, part, STEPS) for part in (lab[:, 1], lab[:, 2], np.ones(len(lab)))], axis=1)
    lends = judge_tone(framed).tone is Tone.COLOUR and not file.startswith("wikiart")
    whole = Frame(0, 0, *framed.shape[:2])
    seen = (embed(encoder(), framed, whole), composition.composition(framed, whole), tones.tones(framed, whole))
    return *seen, sums.astype(np.float32), np.array(lends)


@cache
def encoder() -> Encoder:
    """The shipped one."""
    return load_encoder(shipped_weights())


def _chosen(contents: Sequence[str]) -> dict[str, list[str]]:
    """The match and the candidates of each content as a night chooses them, none of its own design."""
    seen = _seen()
    records = [record(number, _rows()[file]) for number, file in enumerate(seen.files)]
    lenders = np.flatnonzero(seen.lends).tolist()
    middles = tuple(each[lenders].mean(0) for each in (seen.features, seen.composition))
    usual = np.median(seen.tones[lenders], axis=0)
    designs = {place: _design(seen.files[place]) for place in lenders}
    rows = {}
    for content in contents:
        place = seen.files.index(content)
        others = [each for each in lenders if designs[each] != _design(content)]
        rows[place] = _scored(place, others, seen, records, (*middles, usual))
    chosen = choose(rows, design_of=designs)
    found = {}
    for place, row in chosen.items():
        assert not isinstance(row, Unmatched), row
        found[seen.files[place]] = [seen.files[each.style_id] for each in row]
    return found


def _scored(
    place: int, others: Sequence[int], seen: Seen, records: Sequence[Known], middles: tuple[Vectors, ...]
) -> list[Scored]:
    by_features, by_composition, usual = middles
    alike = zip(
        cosines(seen.features[place], list(seen.features[others]), by_features),
        composition.likeness(seen.composition[place], seen.composition[others], by_composition),
        tones.distance(seen.tones[place], seen.tones[others]),
        tones.spread(seen.tones[others]),
        tones.cast(seen.tones[others], usual),
        strict=True,
    )
    likenesses = (
        PictureLikeness(cosine, composed, None, *suited)
        for cosine, composed, *suited in (map(float, row) for row in alike)
    )
    pairs = zip(others, likenesses, strict=True)
    return [score(records[place], records[other], likeness, MatchWeights()) for other, likeness in pairs]
