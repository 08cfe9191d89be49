"""Working copies: small, lossless, with the frame of the original."""

from hashlib import sha256

import numpy as np
import pytest
from PIL import Image

from colorize.encoders.vgg19 import Encoder
from colorize.errors import UnreadableImage
from colorize.images.decode import Pixels
from colorize.images.frame import find_frame
from colorize.images.resize import to_gray
from colorize.images.working_copy import DECODED_PX, LONG_EDGE_PX, from_png, to_png, working_copy
from colorize.matching.embedding import embed
from db.files.working_copies import VERSION
from tests.unit.colorize.images.test_frame import drawn, mounted, overlap
from tests.unit.colorize.matching.test_ranking import apart


def scanned(scale: int) -> Pixels:
    """A print on a board with a colour chart: 416 × 608 px, times the scale."""
    board = Image.fromarray(mounted(drawn(0), 205, chart=0.5))
    return np.array(board.resize((board.width * scale, board.height * scale), Image.Resampling.BICUBIC))


def test_a_large_scan_comes_down_to_1024_px_with_the_frame_that_it_has_at_full_size() -> None:
    scan = scanned(4)
    copy = working_copy(scan)
    assert copy.pixels.shape == (LONG_EDGE_PX, 747, 3)
    assert overlap(copy.frame, find_frame(scan).scaled(scan.shape, copy.pixels.shape)) == 1
    assert copy.framed.shape[0] < 0.9 * LONG_EDGE_PX


def test_a_small_scan_is_never_enlarged_or_changed() -> None:
    scan = scanned(1)
    copy = working_copy(scan)
    assert (copy.pixels == scan).all()
    assert copy.frame == find_frame(scan)


@pytest.mark.parametrize("gray", [False, True])
def test_the_file_gives_back_every_pixel_and_the_frame(gray: bool) -> None:
    copy = working_copy(to_gray(scanned(2)) if gray else scanned(2))
    again = from_png(to_png(copy))
    assert (again.pixels == copy.pixels).all()
    assert again.frame == copy.frame


def test_a_damaged_file_and_one_without_a_frame_are_found_out() -> None:
    data = bytearray(to_png(working_copy(scanned(1))))
    data[len(data) // 2] ^= 1
    with pytest.raises(UnreadableImage, match="damaged"):
        from_png(bytes(data))
    bare = to_png(working_copy(scanned(1))).replace(b"nishiki frame", b"another frame")
    with pytest.raises(UnreadableImage):
        from_png(bare)


def test_matching_sees_the_same_print_in_the_copy_as_in_the_original(narrow: Encoder) -> None:
    scan = scanned(4)
    copy, own = working_copy(scan), working_copy(scanned(1))
    original, same, another = (
        embed(narrow, scan),
        embed(narrow, copy.pixels, copy.frame),
        embed(narrow, drawn(2)),
    )
    assert apart(original, same) < apart(original, another) / 20
    assert (embed(narrow, own.pixels, own.frame) == embed(narrow, scanned(1))).all()


def test_whoever_changes_what_is_made_raises_the_version() -> None:
    copy = working_copy(scanned(4))
    made = sha256(copy.pixels.tobytes() + repr((copy.frame, DECODED_PX)).encode()).hexdigest()
    assert (VERSION, made[:16]) == ("2", "4c65b77eaba6adf8")
