"""Which style shows a content's design, by the working copies of drawn prints."""

from collections import Counter

import pytest

from colorize.images.resize import to_gray
from colorize.images.working_copy import WorkingCopy, working_copy
from db.errors import PictureMissing
from flows.archives.sample.drawing.designs import design
from flows.archives.sample.drawing.prints import draw_print
from flows.matching.drawings import Drawings

COPIES = {f"style {seed}": working_copy(draw_print(design(seed), 0).pixels) for seed in range(3)}
COPIES["content"] = working_copy(to_gray(draw_print(design(2), 1).pixels))


@pytest.fixture
def asked() -> Counter[str]:
    return Counter()


@pytest.fixture
def drawings(asked: Counter[str]) -> Drawings:
    def read(sha256: str) -> WorkingCopy:
        asked[sha256] += 1
        if sha256 not in COPIES:
            raise PictureMissing(f"{sha256} is gone")
        return COPIES[sha256]

    return Drawings(read)


def test_the_first_style_of_the_contents_design_is_found_behind_others_and_lost_ones(drawings: Drawings) -> None:
    found = drawings.first_of_design("content", [(7, "gone"), (0, "style 0"), (2, "style 2"), (1, "style 1")])
    assert found is not None
    assert found[0] == 2
    assert found[1].inliers > 14


def test_styles_of_other_designs_and_a_lost_content_give_none(drawings: Drawings) -> None:
    assert drawings.first_of_design("content", [(0, "style 0"), (1, "style 1")]) is None
    assert drawings.first_of_design("gone", [(2, "style 2")]) is None


def test_a_picture_is_read_once(drawings: Drawings, asked: Counter[str]) -> None:
    for _ in range(2):
        assert drawings.first_of_design("content", [(0, "gone"), (1, "style 1")]) is None
    assert set(asked.values()) == {1}
