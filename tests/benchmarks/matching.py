"""Does matching find the other impression of a design, and the same painter? On drawn designs always, on real prints
and faces when they lie beside the project (`../shared`, or NISHIKI_SHARED)."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from colorize.encoders.loading import load_encoder, random_encoder
from colorize.encoders.vgg19 import Encoder
from colorize.encoders.weights import available_weights
from colorize.images.decode import decode
from colorize.images.resize import to_gray
from colorize.matching.embedding import embed
from colorize.matching.ranking import Vectors, centre_of, rank
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.settings import Settings
from tests.benchmarks.figures import Figure, publish
from tests.shared import SHARED

DESIGNS = 24
PAIRS = ("kirifuri", "mannen")


def main() -> None:
    """Shares of queries whose first hit is right, with random-seeded weights and with all that are there."""
    figures = _figures("random-seeded", random_encoder())
    own = SHARED / "weights" if (SHARED / "weights").is_dir() else None
    for weights in available_weights(own, Settings().cache_dir):
        figures += _figures(weights.name, load_encoder(weights))
    publish("matching", figures)


def _figures(name: str, encoder: Encoder) -> list[Figure]:
    share = _drawn(encoder)
    figures = [Figure(f"{name}: drawn designs, other impression first", share, "share", "≥ 0.9", share >= 0.9)]
    if (SHARED / "prints").is_dir():
        share = first_hits(encoder, SHARED / "prints")
        target = {"vgg19-oxford": 1.0, "nishiki-small": 1.0}.get(name)
        holds = None if target is None else share >= target
        figures.append(
            Figure(f"{name}: real pairs, same design first", share, "share", f"≥ {target}" if target else "", holds)
        )
    if (SHARED / "faces").is_dir():
        precision = _painters(encoder, SHARED / "faces")
        figures.append(
            Figure(f"{name}: faces, painter precision@5 (chance .10)", precision, "share", "> .10", precision > 0.1)
        )
    return figures


def _drawn(encoder: Encoder) -> float:
    styles = [embed(encoder, draw_print(design(seed), 0).pixels) for seed in range(DESIGNS)]
    queries = [embed(encoder, to_gray(draw_print(design(seed), 1).pixels)) for seed in range(DESIGNS)]
    ranked = _ranked(np.stack(queries), np.stack(styles), 1)
    return float(np.mean([row[0] == seed for seed, row in enumerate(ranked)]))


def first_hits(encoder: Encoder, folder: Path) -> float:
    """Each impression of a pair against all prints but itself."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".jpg", ".png"))
    vectors = np.stack([embed(encoder, decode(path.read_bytes()).pixels) for path in paths])
    hits = []
    for place, path in enumerate(paths):
        design_name = next((name for name in PAIRS if name in path.name), None)
        if design_name is not None:
            others = [other for other in range(len(paths)) if other != place]
            (best,) = _ranked(vectors[place : place + 1], vectors[others], 1)
            hits.append(design_name in paths[others[best[0]]].name)
    return float(np.mean(hits))


def _painters(encoder: Encoder, folder: Path) -> float:
    with (folder / "faces.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    vectors = np.stack([embed(encoder, decode((folder / Path(row["file"]).name).read_bytes()).pixels) for row in rows])
    ranked = _ranked(vectors, vectors, 6)
    hits = [
        rows[other]["painter"] == rows[place]["painter"]
        for place, found in enumerate(ranked)
        for other in [other for other in found if other != place][:5]
    ]
    return float(np.mean(hits))


def _ranked(queries: Vectors, styles: Vectors, k: int) -> Sequence[list[int]]:
    def blocks() -> list[tuple[np.ndarray, Vectors]]:
        return [(np.arange(len(styles)), styles)]

    return [[each.id for each in row] for row in rank(queries, blocks, k, centre_of(blocks))]


if __name__ == "__main__":
    main()
