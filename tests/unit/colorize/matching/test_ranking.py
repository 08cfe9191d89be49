from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from colorize.encoders.vgg19 import Encoder
from colorize.images.decode import Pixels
from colorize.images.resize import to_gray
from colorize.matching.embedding import GRID, embed
from colorize.matching.ranking import CENTRE_FROM, Blocks, Portions, Ranked, Vectors, centre_of, cosines, designs, rank
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print

NUMBERS = np.random.default_rng(11)
STYLES: Vectors = NUMBERS.normal(0.5, 1, (41, 12)).astype(np.float32)
IDS: NDArray[np.int64] = NUMBERS.permutation(1000)[:41].astype(np.int64)
QUERIES: Vectors = NUMBERS.normal(0.5, 1, (5, 12)).astype(np.float32)


def blocks_of(size: int, vectors: Vectors = STYLES, ids: NDArray[np.int64] = IDS) -> Blocks:
    def blocks() -> Iterable[tuple[NDArray[np.int64], Vectors]]:
        return ((ids[at : at + size], vectors[at : at + size]) for at in range(0, len(ids), size))

    return blocks


def ids_of(ranked: list[list[Ranked]]) -> list[list[int]]:
    return [[candidate.id for candidate in row] for row in ranked]


def brute_force(k: int, centre: Vectors | None) -> list[list[tuple[int, float]]]:
    """Cosines by numpy in float64, one pair at a time."""
    shift = np.zeros(STYLES.shape[1]) if centre is None else centre.astype(np.float64)
    found = []
    for query in QUERIES - shift:
        pairs = [
            (int(name), float(query @ style / np.linalg.norm(query) / np.linalg.norm(style)))
            for name, style in zip(IDS, STYLES - shift, strict=True)
        ]
        found.append(sorted(pairs, key=lambda pair: -pair[1])[:k])
    return found


@settings(deadline=None, max_examples=30)
@given(size=st.integers(1, 45), k=st.integers(1, 45), centred=st.booleans())
def test_ranking_by_blocks_of_any_size_equals_a_sum_over_all_pairs(size: int, k: int, centred: bool) -> None:
    centre = centre_of(blocks_of(size)) if centred else None
    ranked = rank(QUERIES, blocks_of(size), k, centre)
    expected = brute_force(k, centre)
    assert ids_of(ranked) == [[name for name, _ in row] for row in expected]
    for row, wanted in zip(ranked, expected, strict=True):
        assert [candidate.score for candidate in row] == pytest.approx([score for _, score in wanted], abs=1e-5)


def test_the_centre_is_the_mean_over_all_blocks() -> None:
    centre = centre_of(blocks_of(7))
    assert centre is not None
    assert centre.dtype == np.float32
    assert centre == pytest.approx(STYLES.mean(0), abs=1e-6)


def test_of_too_few_pictures_there_is_no_centre() -> None:
    assert centre_of(blocks_of(3, STYLES[: CENTRE_FROM - 1], IDS[: CENTRE_FROM - 1])) is None
    assert centre_of(blocks_of(3, STYLES[:CENTRE_FROM], IDS[:CENTRE_FROM])) is not None
    assert centre_of(list) is None


def test_centring_takes_away_what_all_pictures_have_in_common() -> None:
    common = np.full(12, 100, dtype=np.float32)
    plain = rank(QUERIES, blocks_of(41), 3, centre_of(blocks_of(41)))
    shifted = blocks_of(41, STYLES + common)
    assert ids_of(rank(QUERIES + common, shifted, 3, centre_of(shifted))) == ids_of(plain)
    uncentred = rank(QUERIES + common, shifted, 41, None)
    assert min(candidate.score for row in uncentred for candidate in row) > 0.99


@pytest.mark.parametrize("size", [1, 2, 5, 16, 64])
@pytest.mark.parametrize("order", [1, -1])
def test_equal_scores_are_ranked_by_id_however_they_are_blocked(size: int, order: int) -> None:
    axes = np.tile(np.eye(3, dtype=np.float32), (11, 1))
    ids = np.arange(100, 133, dtype=np.int64)[::order]
    query = np.array([[3.0, 2.0, 1.0]], dtype=np.float32)
    nearest = sorted(int(name) for name in ids[::3])
    assert ids_of(rank(query, blocks_of(size, axes, ids), 4, None)) == [nearest[:4]]


@pytest.mark.parametrize("size", [1, 3, 7, 50])
def test_copies_of_one_picture_are_ranked_by_id_although_their_products_differ_in_the_last_bits(size: int) -> None:
    many = np.random.default_rng(1).normal(size=(10, 37)).astype(np.float32)
    copies = np.repeat(many, 5, axis=0)
    ids = np.random.default_rng(2).permutation(50).astype(np.int64)
    ranked = rank(many * np.float32(2.7), blocks_of(size, copies, ids), 4, None)
    assert ids_of(ranked) == [sorted(ids[at : at + 5].tolist())[:4] for at in range(0, 50, 5)]


@pytest.mark.parametrize(
    ("memory_mb", "dim", "portions"),
    [(512, 1536, Portions(5208, 4096)), (64, 1536, Portions(651, 1302)), (64, 8192, Portions(122, 244)),
     (0.001, 8192, Portions(1, 1))],
)  # fmt: skip
def test_fewer_vectors_are_ranked_at_a_time_with_less_memory(memory_mb: float, dim: int, portions: Portions) -> None:
    assert Portions.of(memory_mb * 1e6, dim) == portions


def test_more_candidates_than_pictures_gives_every_picture_once() -> None:
    (row,) = rank(QUERIES[:1], blocks_of(6), 1000, None)
    assert sorted(candidate.id for candidate in row) == sorted(IDS.tolist())
    assert rank(QUERIES, list, 3, None) == [[]] * 5


def test_a_score_is_a_cosine_whatever_the_length_of_the_vectors() -> None:
    along = np.stack([STYLES[0] * 1e3, -STYLES[0] * 1e-3, np.zeros(12, dtype=np.float32)])
    (row,) = rank(STYLES[:1], blocks_of(2, along, np.array([1, 2, 3])), 3, None)
    assert ids_of([row]) == [[1, 3, 2]]
    assert [candidate.score for candidate in row] == pytest.approx([1, 0, -1], abs=1e-5)


def test_an_embedding_has_a_grid_of_conv5_4_and_finds_its_own_picture(
    narrow: Encoder, photographs: dict[str, Pixels]
) -> None:
    vectors = np.stack([embed(narrow, picture) for picture in photographs.values()])
    assert vectors.dtype == np.float32
    assert vectors.shape == (3, GRID * GRID * 8)
    ranked = rank(vectors, blocks_of(2, vectors, np.array([0, 1, 2])), 3, None)
    assert [row[0].id for row in ranked] == [0, 1, 2]
    assert all(row[0].score > row[1].score for row in ranked)


def apart(a: Vectors, b: Vectors) -> float:
    return 1 - float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def half_black(picture: Pixels) -> Pixels:
    other = picture.copy()
    other[:, :32] = 0
    return other


def test_an_embedding_ignores_colour(narrow: Encoder, photographs: dict[str, Pixels]) -> None:
    for picture in photographs.values():
        vector = embed(narrow, picture)
        # Enlarged in colour or in gray, the last bit of some pixels differs.
        assert apart(vector, embed(narrow, to_gray(picture))) < apart(vector, embed(narrow, half_black(picture))) / 100
    size = np.tile(photographs["astronaut"], (4, 4, 1))[:224, :224]
    assert (embed(narrow, size) == embed(narrow, to_gray(size))).all(), "at 224 px nothing is resized"


def test_a_small_and_a_large_scan_of_one_picture_embed_alike(narrow: Encoder, photographs: dict[str, Pixels]) -> None:
    for picture in photographs.values():
        vector, (height, width) = embed(narrow, picture), picture.shape[:2]
        large = np.array(Image.fromarray(picture).resize((width * 6, height * 6), Image.Resampling.LANCZOS))
        assert apart(vector, embed(narrow, large)) < apart(vector, embed(narrow, half_black(picture))) / 20


def test_a_print_on_its_mount_embeds_as_the_print_alone(narrow: Encoder) -> None:
    alone = draw_print(design(0), 0).pixels[12:-12, 12:-12]
    mounted = np.pad(alone, ((60, 60), (60, 120), (0, 0)), constant_values=20)
    mounted[200:300, -100:-60] = 240
    assert apart(embed(narrow, alone), embed(narrow, mounted)) < 1e-3


def test_designs_are_told_by_cosines_also_through_others_and_not_without_a_centre() -> None:
    angles = {7: 0.0, 3: 0.8, 5: 1.6, 9: 4.0}
    vectors = {each: np.array([np.cos(angle), np.sin(angle)], np.float32) + 1 for each, angle in angles.items()}
    assert designs(vectors, np.ones(2, np.float32), 0.6) == {3: 3, 5: 3, 7: 3, 9: 9}
    assert designs(vectors, None, 0.6) == {each: each for each in angles}
    assert designs({}, None, 0.6) == {}


def test_cosines_of_one_with_others_are_those_of_the_ranking() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.normal(size=(10, 5)).astype(np.float32)
    centre = centre_of(blocks_of(4, vectors, np.arange(10)))
    (ranked,) = rank(vectors[:1], blocks_of(4, vectors, np.arange(10)), 10, centre)
    found = cosines(vectors[0], list(vectors), centre)
    assert [each.score for each in ranked] == pytest.approx([found[each.id] for each in ranked], abs=1e-5)
    assert cosines(vectors[0], [], centre).shape == (0,)
