from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from colorize.images.decode import decode
from colorize.output.provenance import DIGITAL_SOURCE_TYPE, Provenance, Source, encode_png
from tests.provenance import read_provenance

PIXELS = np.random.default_rng(3).integers(0, 256, (32, 48, 3), dtype=np.uint8)
MADE = Provenance(
    recipe_name="jadh2016/config3_3_4",
    recipe_digest="ab12",
    recipe_data={"layers": ["conv4_2"], "style_weight": 1e3, "note": "錦"},
    weights_name="vgg19",
    weights_checksum="cd34",
    content=Source("arcUP2451 <&\"'>", "0" * 64),
    style=Source("役者絵 7", "1" * 64),
    created=datetime(2026, 11, 21, 3, 4, 5, 678, tzinfo=UTC),
    credits=("A & B Library", "C <Museum>"),
)


def test_what_is_written_is_read_back() -> None:
    data = encode_png(PIXELS, MADE)
    assert read_provenance(data) == MADE
    assert (decode(data).pixels == PIXELS).all()


def test_equal_input_gives_equal_bytes_whatever_the_order_of_keys_or_zone() -> None:
    elsewhere = replace(
        MADE,
        recipe_data=dict(reversed(list(MADE.recipe_data.items()))),
        created=MADE.created.astimezone(timezone(timedelta(hours=9))),
    )
    assert encode_png(PIXELS, elsewhere) == encode_png(PIXELS, MADE)


def test_the_file_says_in_xmp_and_text_that_a_machine_coloured_it() -> None:
    image = Image.open(BytesIO(encode_png(PIXELS, MADE)))
    said = image.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert said["DigitalSourceType"] == DIGITAL_SOURCE_TYPE
    assert said["description"]["Alt"]["li"]["text"] == MADE.description == image.info["Description"]
    assert MADE.description.startswith("machine-colorized")
    assert said["Credit"] == "A & B Library; C <Museum>"
    assert said["CreatorTool"] == image.info["Software"] == MADE.software
    assert MADE.content.identifier in said["source"]
    assert image.info["srgb"] == 0


def test_characters_that_xml_forbids_do_not_spoil_the_file() -> None:
    odd = replace(MADE, content=Source("a\x00b\x07\ud800c", "0" * 64))
    data = encode_png(PIXELS, odd)
    assert read_provenance(data) == odd
    xmp = Image.open(BytesIO(data)).getxmp()
    assert "abc, machine-colorized" in str(xmp)


def test_random_seeded_weights_are_owned_up_to() -> None:
    assert "never trained" in replace(MADE, weights_name="random-seeded/7").description
    assert "never trained" not in MADE.description


@pytest.mark.parametrize("note", ["", "null", "[]", "{}", '{"content": 1}', "not json"])
def test_a_field_of_another_program_is_no_provenance(note: str) -> None:
    file, info = BytesIO(), PngInfo()
    info.add_text("nishiki", note)
    Image.fromarray(PIXELS).save(file, "PNG", pnginfo=info)
    assert read_provenance(file.getvalue()) is None


def test_pictures_that_tell_it_in_a_text_field_alone_are_read_too() -> None:
    file, info = BytesIO(), PngInfo()
    info.add_itxt("nishiki", MADE.to_json())
    Image.fromarray(PIXELS).save(file, "PNG", pnginfo=info)
    assert read_provenance(file.getvalue()) == MADE


@pytest.mark.parametrize("packet", [b"", b"<x/>", b"<x", b'<!DOCTYPE x [<!ENTITY e "e">]><x>&e;</x>', b"\xff\0"])
def test_xmp_of_another_program_is_no_provenance(packet: bytes) -> None:
    for format_ in ("JPEG", "TIFF"):
        file = BytesIO()
        Image.fromarray(PIXELS).save(file, format_, xmp=packet)
        assert read_provenance(file.getvalue()) is None


def test_other_bytes_have_no_provenance() -> None:
    plain = BytesIO()
    Image.fromarray(PIXELS).save(plain, "PNG")
    whole = encode_png(PIXELS, MADE)
    for data in (b"", b"<html>", plain.getvalue(), whole[:20], whole[:300]):
        assert read_provenance(data) is None
