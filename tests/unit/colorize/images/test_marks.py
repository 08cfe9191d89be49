import json
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image
from skimage.color import rgb2lab

from colorize.errors import BadMarks
from colorize.images.marks import MOST_POINTS, PIGMENTS, Mark, Overlay, Strokes, rasterised, read_marks
from colorize.images.resize import resized

SIZE = 640, 480
"""Width and height of the content."""


def listed(*marks: dict[str, Any]) -> bytes:
    return json.dumps({"marks": marks}).encode()


def png(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def overlay(size: tuple[int, int] = SIZE, box: tuple[int, int, int, int] = (10, 20, 40, 60)) -> Image.Image:
    picture = Image.new("RGBA", size)
    picture.paste((200, 30, 30, 255), box)
    return picture


def faults(data: bytes) -> str:
    with pytest.raises(BadMarks) as caught:
        read_marks(data, *SIZE)
    return str(caught.value)


def chroma_of(*colour: int) -> Any:
    return rgb2lab(np.array([[colour]], np.uint8))[0, 0, 1:]


def test_dots_and_strokes_are_read_as_they_are_written() -> None:
    data = listed({"points": [[3, 4.5]], "colour": "#b5402e"}, {"points": [[0, 0], [9, 9]], "width": 2, "colour": "ai"})
    marks = read_marks(data, *SIZE)
    first, second = Mark(((3.0, 4.5),), (0xB5, 0x40, 0x2E)), Mark(((0.0, 0.0), (9.0, 9.0)), (0x34, 0x54, 0x74), 2.0)
    assert marks == Strokes((first, second), *SIZE)


@pytest.mark.parametrize("colour", ["#fff", "steelblue", "rgb(1, 2, 3)", *PIGMENTS])
def test_every_way_to_name_a_colour_is_understood(colour: str) -> None:
    assert isinstance(read_marks(listed({"points": [[1, 1]], "colour": colour}), *SIZE), Strokes)


def test_a_stroke_lies_where_it_was_drawn_in_its_own_chroma() -> None:
    data = listed({"points": [[100, 200], [300, 200]], "width": 9, "colour": "#c03020"})
    marked, colours = rasterised(read_marks(data, *SIZE), (480, 640))
    assert marked[196:205, 100:301].all()
    assert marked.sum() == pytest.approx(9 * 201 + np.pi * 4.5**2, rel=0.02)
    assert np.allclose(colours[marked], chroma_of(0xC0, 0x30, 0x20), atol=1e-3)
    assert not colours[~marked].any()


def test_strokes_shrink_with_the_picture_to_one_pixel_and_no_less() -> None:
    data = listed({"points": [[0, 240], [639.9, 240]], "width": 3, "colour": "beni"})
    marked, colours = rasterised(read_marks(data, *SIZE), (60, 80))
    assert marked.sum() == marked[30].sum() == 80
    assert colours.dtype == np.float32


@pytest.mark.parametrize("point", [(0, 0), (639.99, 479.99), (320, 240)])
def test_a_dot_leaves_a_pixel_at_any_size_in_any_corner(point: tuple[float, float]) -> None:
    marks = Strokes((Mark((point,), (200, 0, 0), 0.5),), *SIZE)
    for shape in ((48, 64), (480, 640), (3, 4)):
        marked, _ = rasterised(marks, shape)
        assert marked.sum() == 1
        assert marked[int(point[1] * shape[0] / 480), int(point[0] * shape[1] / 640)]


def test_a_later_mark_lies_over_an_earlier_one() -> None:
    marks = Strokes((Mark(((5, 5),), (200, 0, 0)), Mark(((5, 5),), (0, 0, 200))), *SIZE)
    marked, colours = rasterised(marks, (480, 640))
    assert np.allclose(colours[marked], chroma_of(0, 0, 200), atol=1e-3)


@pytest.mark.parametrize("size", [SIZE, (320, 240), (160, 112)])
def test_an_overlays_opaque_pixels_are_marks_in_their_own_colour(size: tuple[int, int]) -> None:
    across, down = size
    box = across // 4, down // 4, across // 2, down // 2
    marks = read_marks(png(overlay(size, box)), *SIZE)
    marked, colours = rasterised(marks, (240, 320))
    assert marked.mean() == pytest.approx(1 / 16, rel=0.1)
    assert marked[65:115, 85:155].all()
    assert np.allclose(colours[marked], chroma_of(200, 30, 30), atol=1e-3)


def test_a_hairline_of_an_overlay_does_not_vanish_when_it_is_scaled_down() -> None:
    marks = read_marks(png(overlay(SIZE, (0, 333, 640, 334))), *SIZE)
    marked, _ = rasterised(marks, (60, 80))
    assert marked.sum() == marked[333 * 60 // 480].sum() == 80


def test_faint_pixels_of_an_overlay_are_no_marks() -> None:
    picture = overlay()
    picture.paste((0, 0, 255, 100), (300, 300, 400, 400))
    marked, _ = rasterised(read_marks(png(picture), *SIZE), (480, 640))
    assert marked.sum() == 30 * 40


def test_an_overlay_drawn_on_the_working_picture_is_taken() -> None:
    height, width = resized(np.zeros((480, 640, 3), np.uint8), 200).shape[:2]
    assert isinstance(read_marks(png(overlay((width, height))), *SIZE), Overlay)


def test_every_fault_is_named_with_the_number_of_its_mark() -> None:
    good = {"points": [[1, 1]], "colour": "red"}
    message = faults(
        listed(
            good,
            {"points": [[5, 5], [900, 20]], "colour": "red"},
            {"points": [[1, 1]], "colour": "blau", "width": -3},
            {"points": [], "colour": "red"},
            {"points": [[1, 2, 3]]},
            {"points": [[1, -7]], "colour": 7},
        )
    )
    assert "mark 1 " not in message
    assert "mark 2 lies outside the picture (x 900 of 640)" in message
    assert 'mark 3 has an unknown colour "blau"' in message
    assert "mark 3 has the width -3; give a number above 0, to 160" in message
    assert "mark 4 has no points" in message
    assert "mark 5 has a point [1, 2, 3]; give [x, y]" in message
    assert "mark 5 has no colour" in message
    assert "mark 6 lies outside the picture (y -7 of 480)" in message
    assert "mark 6 has an unknown colour 7" in message


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "neither JSON"),
        (b"\xff\xd8\xff\xe0", "neither JSON"),
        (b"[" * 100_000, "neither JSON"),
        (b"[1, 2]", "no list of marks"),
        (b'{"marks": 3}', "no list of marks"),
        (b'{"marks": []}', "no mark at all"),
        (b'{"marks": [5]}', "mark 1 is 5, no object"),
        (b'{"marks": [{"points": [[NaN, 1]], "colour": "red"}]}', "outside the picture (x NaN of 640)"),
        (b'{"marks": [{"points": [[1e999, 1]], "colour": "red"}]}', "outside the picture (x Infinity of 640)"),
        (b'{"marks": [{"points": [[640, 1]], "colour": "red"}]}', "outside the picture (x 640 of 640)"),
        (b'{"marks": [{"points": [[true, 1]], "colour": "red"}]}', "a point [true, 1]"),
        (b'{"marks": [{"points": [[1, 1]], "colour": "red", "width": "x"}]}', 'the width "x"'),
        (b'{"marks": [{"points": [[' + b"9" * 5000 + b', 1]], "colour": "red"}]}', "neither JSON"),
    ],
)
def test_what_is_no_list_of_marks_is_refused_with_the_reason(data: bytes, word: str) -> None:
    assert word in faults(data)


def test_more_points_or_bytes_than_a_hand_draws_are_refused() -> None:
    assert "over the limit of 20,000" in faults(listed({"points": [[1, 1]] * (MOST_POINTS + 1), "colour": "red"}))
    assert "over the limit of 20,000" in faults(b'{"marks": [' + b"0," * MOST_POINTS + b"0]}")
    assert "bytes long" in faults(b'{"marks": [' + b" " * 9_000_000)


def test_a_thousand_faults_are_counted_and_long_values_cut_short() -> None:
    message = faults(listed(*[{"points": [[1, 1]], "colour": "z" * 1000}] * 1000))
    assert "and 980 faults more" in message
    assert len(message) < 4000


def test_an_overlay_of_another_aspect_or_larger_than_the_picture_is_refused_with_both_sizes() -> None:
    assert "has 480 × 480 px, the picture 640 × 480, of another aspect" in faults(png(overlay((480, 480))))
    assert "has 1280 × 960 px, the picture 640 × 480; an overlay is drawn" in faults(png(overlay((1280, 960))))


def test_an_overlay_without_a_mark_or_without_anything_else_is_refused() -> None:
    assert "no mark at all" in faults(png(Image.new("RGBA", SIZE)))
    assert "marks all" in faults(png(Image.new("RGB", SIZE)))


def test_a_bomb_and_a_damaged_overlay_are_refused() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    start = b"\x89PNG\r\n\x1a\n"
    bomb = start + chunk(b"IHDR", struct.pack(">IIBBBBB", 64_000, 48_000, 8, 6, 0, 0, 0))
    assert "has 64000 × 48000 px" in faults(bomb)
    assert "has 0 × 0 px" in faults(start)
    assert "cannot be read" in faults(png(overlay())[:-200])
