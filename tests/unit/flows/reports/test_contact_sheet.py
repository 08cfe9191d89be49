"""The contact sheet: archives' words are only words on it, and every page says what it shows."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features
from rich.console import Console

from colorize.images.decode import Pixels
from db.entries.claim import Inputs, ModelKey, StyleInput
from db.entries.night import AttemptEntry, AttemptResult, Description, EncoderKey, Outcome, RecipeEntry
from flows.reports import contact_sheet
from flows.reports.contact_sheet import Line, Page
from flows.reports.encoder_note import weights_sentence
from flows.reports.summary import attempts_table

HOSTILE = '"><script src="https://evil.example/x.js"></script><img src=x onerror=alert(1)> & \' {{ 7 * 7 }}'
ENCODER = EncoderKey("vgg19-oxford", "abcdef0123456789")
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def description(image_id: int, name: str) -> Description:
    return Description(
        image_id=image_id, sha256=f"{image_id:064}", archive="theatre", identifier=name, title="役者絵 仮名手本忠臣蔵",
        artists=("国芳",), cast=(("由良之助", "市川団十郎"), ("", "")), year_from=1851, year_to=1851,
        holder="A museum", credit_line="Courtesy of a museum", landing_url=None, rights_uri=None,
    )  # fmt: skip


@pytest.fixture
def attempt() -> AttemptEntry:
    """One that succeeded."""
    result = AttemptResult(
        Outcome.SUCCEEDED, "cpu", {}, seed=0, iterations=60, seconds=12.34,
        content_error_sum=1.0, content_error_mean=0.125, style_error_sum=2.0, style_error_mean=0.25,
        total_error_sum=3.0, total_error_mean=0.375,
    )  # fmt: skip
    return AttemptEntry(
        id=7, number=1, batch_id=3, match_id=5, outcome=Outcome.SUCCEEDED,
        content=description(1, "gray-1"), styles=(description(2, "colour-2"),), inputs=Inputs((StyleInput("2" * 64),)),
        models=(ModelKey("encoder", ENCODER.name, ENCODER.checksum),), score=0.876, reasons={},
        recipe=RecipeEntry("jadh2016/config3_3_4", {"provenance": "reconstructed"}, "d1"), encoder=ENCODER,
        result=result, output_sha256="f" * 64, closed_at=datetime(2026, 1, 2, tzinfo=UTC),
    )  # fmt: skip


@pytest.fixture(params=["without a font", "with a font"])
def fonts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[bool]:
    """A machine without and with a file of Japanese letters (where none is, another stands for it)."""
    found = next((path for path in (*contact_sheet.FONTS, DEJAVU) if Path(path).exists()), None)
    wanted = request.param == "with a font"
    if wanted and found is None:
        pytest.skip("no font file here")
    monkeypatch.setattr(contact_sheet, "FONTS", (found,) if wanted else ())
    contact_sheet._font.cache_clear()
    yield wanted
    contact_sheet._font.cache_clear()


def picture(level: int) -> Pixels:
    """One colour, as no letter on the sheet has."""
    return np.full((40, 30, 3), (level, 90, 0), np.uint8)


def page_of(*lines: Line) -> Page:
    return Page(0, 1, lines, weights_sentence(lines[0].own.encoder))


def page(*attempts: AttemptEntry, pictures: list[Pixels | None] | None = None) -> str:
    trio = [picture(50), picture(120), picture(200)] if pictures is None else pictures
    return contact_sheet.page_html(page_of(*map(Line, attempts)), [trio] * len(attempts))


def sheet(*attempts: AttemptEntry, pictures: list[Pixels | None] | None = None) -> Image.Image:
    trio = [picture(50), picture(120), picture(200)] if pictures is None else pictures
    return opened(contact_sheet.page_png(page_of(*map(Line, attempts)), [trio] * len(attempts)))


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


class Elements(HTMLParser):
    """Every element with its attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(("cast", "line"), [("Danjūrō", "print-1, Danjūrō"), ("", "print-1")])
def test_a_caption_names_the_actor_where_one_is_known(attempt: AttemptEntry, cast: str, line: str) -> None:
    words = contact_sheet.row(attempt) | {"record": "print-1", "actor": cast}
    assert contact_sheet._caption(words).splitlines()[0] == line


def test_the_sheet_counts_its_results_by_bands_of_trust(attempt: AttemptEntry) -> None:
    assert attempt.result is not None
    trusted = [
        replace(attempt, result=replace(attempt.result, measures={"trust": trust})) for trust in (0.1, 0.5, 0.9, 0.62)
    ]
    words = "Trust in the colours, from 0 to 1: 1 from 0.75, 2 from 0.5, 1 below 0.25."
    assert contact_sheet.trust_words([attempt, *trusted]) == words
    assert words in page(attempt, *trusted)
    assert contact_sheet.row(trusted[3])["trust"] == "0.62"
    assert contact_sheet.trust_words([attempt]) == contact_sheet.row(attempt)["trust"] == ""


def test_an_archives_words_never_become_elements(attempt: AttemptEntry) -> None:
    hostile = replace(
        attempt,
        content=replace(
            attempt.content, identifier=HOSTILE, title=HOSTILE, archive=HOSTILE, cast=((HOSTILE, HOSTILE),),
            credit_line=HOSTILE,
        ),
        styles=(replace(attempt.styles[0], identifier=HOSTILE, title=HOSTILE),),
        recipe=RecipeEntry(HOSTILE, {"provenance": HOSTILE}, "d1"),
        encoder=EncoderKey(HOSTILE, "abc"),
        outcome=Outcome.REJECTED,
        result=AttemptResult(Outcome.REJECTED, "cpu", {}, error_message=HOSTILE),
    )  # fmt: skip
    harmless, attacked = Elements(page(attempt)), Elements(page(hostile))
    assert {tag for tag, _ in attacked.found} <= {tag for tag, _ in harmless.found}
    assert [set(attributes) for tag, attributes in attacked.found if tag == "img"] == [{"src", "alt"}] * 3
    assert attacked.text.count(HOSTILE) >= 8


def test_the_page_asks_nothing_of_any_other_place(attempt: AttemptEntry) -> None:
    html = page(attempt)
    elements = Elements(html).found
    policy = next(a for tag, a in elements if tag == "meta" and "http-equiv" in a)
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    sources = [value or "" for _, a in elements for name, value in a.items() if name in ("src", "href", "srcset")]
    assert len(sources) == 3
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    assert not re.search(r"url\(|@import|//", html.partition("<body>")[0].replace("<!doctype html>", ""))
    assert "script" not in {tag for tag, _ in elements}


def test_the_page_says_who_made_the_result_and_with_which_encoder(attempt: AttemptEntry) -> None:
    text = Elements(page(attempt)).text
    assert "result, machine-colorized" in text
    assert "Every result is machine-colorized" in text
    assert "Encoder: vgg19-oxford (abcdef012345)." in text
    assert "encoder vgg19-oxford" in text
    seeded = replace(attempt, encoder=EncoderKey("random-seeded", "abc"))
    assert "random-seeded weights" in Elements(page(seeded)).text


def test_the_page_shows_record_actor_style_errors_and_seconds(attempt: AttemptEntry) -> None:
    text = Elements(page(attempt)).text
    for words in (
        "役者絵 仮名手本忠臣蔵", "gray-1", "市川団十郎", "colour-2", "likely of the same design (score 0.88)",
        "Content 0.125, style 0.250, total 0.375", "1 of 1 on this page took their colours",
        "12.3", "succeeded", "jadh2016/config3_3_4 (reconstructed)", "Courtesy of a museum",
    ):  # fmt: skip
        assert words in text


def test_a_missing_picture_is_shown_as_missing(attempt: AttemptEntry) -> None:
    whole, without = page(attempt), page(attempt, pictures=[picture(50), picture(120), None])
    assert (whole.count("<img "), whole.count('class="none"')) == (3, 0)
    assert (without.count("<img "), without.count('class="none"')) == (2, 1)


def test_a_failed_attempt_stands_there_with_its_reason_and_no_figures(attempt: AttemptEntry) -> None:
    result = AttemptResult(Outcome.FAILED, "cpu", {}, error_message="the file is gone")
    row = contact_sheet.row(replace(attempt, outcome=Outcome.FAILED, result=result, output_sha256=None))
    assert (row["outcome"], row["problem"], row["total error"]) == ("failed", "the file is gone", "")
    pending = contact_sheet.row(replace(attempt, outcome=None, result=None, score=None))
    assert (pending["outcome"], pending["problem"], pending["seconds"], pending["design"]) == ("pending", "", "", "")


@pytest.mark.skipif(not features.check("freetype2"), reason="Pillow without FreeType")
def test_the_png_is_made_for_japanese_names_on_any_machine(attempt: AttemptEntry, fonts: bool) -> None:
    named = replace(attempt, content=replace(attempt.content, identifier="役者絵" * 40))
    assert contact_sheet._font()[1] is fonts
    one, two, three = sheet(named), sheet(named, named), sheet(named, named, named)
    assert two.width > one.width
    assert two.height == one.height
    assert three.height > two.height


def test_the_png_shows_original_style_and_result_side_by_side(attempt: AttemptEntry) -> None:
    shown = {colour for _, colour in sheet(attempt).getcolors(1 << 20) or []}
    assert {(50, 90, 0), (120, 90, 0), (200, 90, 0)} <= shown
    gaps = {colour for _, colour in sheet(attempt, pictures=[picture(50), None, None]).getcolors(1 << 20) or []}
    assert (220, 220, 220) in gaps
    assert (120, 90, 0) not in gaps


def test_a_large_batch_is_told_in_pages_that_lead_to_each_other(attempt: AttemptEntry) -> None:
    second = Page(1, 3, [Line(attempt)], "Encoder: none.")
    text = contact_sheet.page_html(second, [[None, None, None]])
    assert [contact_sheet.page_name(number, ".html") for number in range(3)] == [
        "contact-sheet.html",
        "contact-sheet-2.html",
        "contact-sheet-3.html",
    ]
    assert 'href="contact-sheet.html"' in text
    assert 'href="contact-sheet-3.html"' in text
    assert 'href="contact-sheet-2.html"' not in text


def test_brackets_in_an_identifier_are_letters_in_a_table() -> None:
    row = dict.fromkeys(("record", "actor", "style", "design", "recipe", "trust", "seconds", "outcome"), "")
    printed = StringIO()
    Console(file=printed, width=120).print(attempts_table([row | {"record": "print 12 [recto]", "actor": "[/bold]"}]))
    assert "print 12 [recto]" in printed.getvalue()
    assert "[/bold]" in printed.getvalue()


def test_results_of_other_recipes_stand_in_the_row_of_their_content(attempt: AttemptEntry) -> None:
    assert attempt.result is not None
    learned = replace(
        attempt, id=8, styles=(), recipe=RecipeEntry("cieluv_net/prints", {}, "d2"),
        result=replace(attempt.result, measures={"trust": 0.42}),
    )  # fmt: skip
    missing = replace(
        learned, id=9, recipe=RecipeEntry("mask_gan/prints", {}, "d3"), outcome=Outcome.FAILED, output_sha256=None,
        result=AttemptResult(Outcome.FAILED, "cpu", {}, error_message="no weights"),
    )  # fmt: skip
    shown = page_of(Line(attempt, (learned, missing)), Line(attempt))
    pictures: list[list[Pixels | None]] = [
        [picture(50), picture(120), picture(200), picture(240), None],
        [picture(50)] * 3,
    ]
    html = contact_sheet.page_html(shown, pictures)
    first, second = (re.sub(r"\s+", " ", Elements(part).text) for part in html.split("<article>")[1:])
    assert "cieluv_net/prints, trust 0.42" in first
    assert "mask_gan/prints: failed (no weights)" in first
    assert "jadh2016/config3_3_4" in first
    assert "cieluv_net" not in second
    png = opened(contact_sheet.page_png(shown, pictures))
    assert {(200, 90, 0), (240, 90, 0), (220, 220, 220)} <= {colour for _, colour in png.getcolors(1 << 20) or []}
    rows = [contact_sheet.row(each) for each in shown.lines[0].attempts]
    printed = StringIO()
    Console(file=printed, width=200).print(attempts_table(rows))
    assert "cieluv_net/prints" in printed.getvalue()
