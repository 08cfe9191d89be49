"""Section `composition` of `tests.benchmarks.match`: of the five prints composed most alike, how many have its label.

`compositions.csv` says of 143 prints of actors and beauties, one of each design, what a person saw on sheets of small
pictures: bust, half or full figure; one, two, three or more figures; of a single figure, where its head is.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colorize.encoders.loading import load_encoder
from colorize.encoders.weights import shipped_weights
from colorize.images.decode import decode
from colorize.matching.composition import composition, likeness
from colorize.matching.embedding import embed
from tests.benchmarks.figures import Figure
from tests.shared import SHARED

LABELS = Path(__file__).with_name("compositions.csv")
NAMES = {
    "extent": "bust, half or full figure",
    "figures": "one, two, three or more figures",
    "head": "place of the only head",
}
Floats = NDArray[np.floating]


def compositions() -> Iterator[Figure]:
    """By the composition, and for comparison by the embedding."""
    folder = SHARED / "ukiyoe"
    if not folder.is_dir():
        return
    with LABELS.open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    prints = [decode((folder / row["file"]).read_bytes()).pixels for row in rows]
    encoder = load_encoder(shipped_weights())
    vectors = np.stack([composition(each) for each in prints])
    embedded = np.stack([embed(encoder, each) for each in prints])
    centred = embedded - embedded.mean(0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    alike = np.stack([likeness(each, vectors, vectors.mean(0)) for each in vectors])
    for column, name in NAMES.items():
        labels = np.array([row[column] for row in rows])
        chance = _share(np.random.default_rng(0).random(alike.shape), labels)
        share = _share(alike, labels)
        yield Figure(f"{name}: same among the 5 nearest", share, "share", f"> {chance:.2f}", share > chance)
        yield Figure(f"{name}: the same by the embedding", _share(unit @ unit.T, labels), "share")


def _share(alike: Floats, labels: NDArray[np.str_]) -> float:
    """Of those with a label, each asked of the others."""
    known = labels != ""
    among, names = alike[known][:, known].copy(), labels[known]
    np.fill_diagonal(among, -np.inf)
    nearest = np.argsort(-among, axis=1)[:, :5]
    return float((names[nearest] == names[:, None]).mean())
