"""Sections of `tests.benchmarks.match` on what a night finds: another impression of the design, by pictures alone."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from colorize.encoders.loading import load_encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import Pixels, decode
from colorize.images.resize import to_gray
from colorize.images.working_copy import WorkingCopy, working_copy
from colorize.matching.composition import composition
from colorize.matching.embedding import embed
from colorize.matching.ranking import Vectors, centre_of, rank
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.matching.candidates import BY_FEATURES, short_list
from flows.matching.drawings import Drawings
from tests.benchmarks.figures import Figure
from tests.shared import SHARED

DRAWN = 24


def found_first(
    copies: Mapping[str, WorkingCopy], contents: Sequence[str], styles: Sequence[str]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Of each content the styles most alike by features, and the first of the short list that is of its design."""
    encoder = load_encoder(shipped_weights())
    nearest = _nearest(
        {name: embed(encoder, copy.pixels, copy.frame) for name, copy in copies.items()}, contents, styles
    )
    composed = _nearest({name: composition(copy.pixels, copy.frame) for name, copy in copies.items()}, contents, styles)
    drawings, first = Drawings(lambda name: copies[name]), {}
    for content in contents:
        compared = short_list(composed[content], nearest[content], ())
        if laid := drawings.first_of_design(content, [(place, styles[place]) for place in compared]):
            first[content] = styles[laid[0]]
    return {content: [styles[place] for place in row] for content, row in nearest.items()}, first


def _nearest(vectors: Mapping[str, Vectors], contents: Sequence[str], styles: Sequence[str]) -> dict[str, list[int]]:
    """Of each content the places of the styles most alike, but its own picture."""

    def blocks() -> list[tuple[np.ndarray, Vectors]]:
        return [(np.arange(len(styles)), np.stack([vectors[name] for name in styles]))]

    ranked = rank(np.stack([vectors[name] for name in contents]), blocks, BY_FEATURES + 1, centre_of(blocks))
    pairs = zip(contents, ranked, strict=True)
    return {content: [each.id for each in row if styles[each.id] != content] for content, row in pairs}


def recall(groups: Mapping[str, str], others: frozenset[str], unmarked: frozenset[tuple[str, str]]) -> Iterator[Figure]:
    """Real prints that have another impression among all: whose match is one; by pictures alone, as in a night."""
    copies = {name: working_copy(decode((SHARED / "ukiyoe" / name).read_bytes()).pixels) for name in groups}
    named = [name for name in groups if groups[name] and name not in others]
    contents = [name for name in named if sum(groups[other] == groups[name] for other in named) > 1]
    _, first = found_first(copies, contents, sorted(groups))
    missed = [name for name in contents if name not in first]
    wrong = [
        (name, style) for name, style in first.items()
        if groups[style] != groups[name] and tuple(sorted((name, style))) not in unmarked
    ]  # fmt: skip
    share = 1 - (len(missed) + len(wrong)) / len(contents)
    yield Figure(
        f"another impression is the match, {len(contents)} prints among {len(groups)}",
        share, "share", "1", share == 1, f"{missed or ''} {wrong or ''}".strip(),
    )  # fmt: skip


def drawn() -> Iterator[Figure]:
    """Prints of the sample archive: another impression among the three most alike, and as the match."""
    colours = {f"style {seed}": draw_print(design(seed), 0).pixels for seed in range(DRAWN)}
    grays: dict[str, Pixels] = {f"content {seed}": to_gray(draw_print(design(seed), 1).pixels) for seed in range(DRAWN)}
    copies = {name: working_copy(pixels) for name, pixels in (colours | grays).items()}
    nearest, first = found_first(copies, list(grays), list(colours))
    top = float(np.mean([name.replace("content", "style") in nearest[name][:3] for name in grays]))
    match = float(np.mean([first.get(name) == name.replace("content", "style") for name in grays]))
    yield Figure(f"sample archive, {DRAWN} designs: among the three most alike", top, "share", "≥ 0.95", top >= 0.95)
    yield Figure(f"sample archive, {DRAWN} designs: the match", match, "share", "≥ 0.95", match >= 0.95)
