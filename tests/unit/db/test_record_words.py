"""A record's words as curators write them, and back."""

import pytest

from db.entries.corrections import Correctable, attributes, value_of
from db.record_words import in_line, understood, written
from tests.samples import Sample

GENRE, ARTISTS, CAST, YEARS = Correctable.GENRE, Correctable.ARTISTS, Correctable.CAST, Correctable.YEARS


@pytest.mark.parametrize(
    ("field", "text", "value", "line"),
    [
        (GENRE, " 役者絵 ", ["役者絵"], "役者絵"),
        (GENRE, "", [], "–"),
        (ARTISTS, "Kunisada\r\n\r\n Kuniyoshi ", ["Kunisada", "Kuniyoshi"], "Kunisada, Kuniyoshi"),
        (CAST, "Gorō / Danjūrō VII", [["Gorō", "Danjūrō VII"]], "Danjūrō VII as Gorō"),
        (CAST, "助六／市川団十郎\n岩井半四郎\n揚巻 /", [["助六", "市川団十郎"], ["", "岩井半四郎"], ["揚巻", ""]],
         "市川団十郎 as 助六, 岩井半四郎, 揚巻"),
        (YEARS, "1852", [1852, 1852], "1852"),
        (YEARS, "1850 - 1852", [1850, 1852], "1850–1852"),
        (YEARS, "1850〜", [1850, None], "1850–"),
        (YEARS, "–1852", [None, 1852], "–1852"),
        (YEARS, "  ", [None, None], "–"),
        (Correctable.TONE, "toned", ["toned"], "toned"),
    ],
)  # fmt: skip
def test_what_is_written_is_understood_and_written_again(
    field: Correctable, text: str, value: list[object], line: str
) -> None:
    assert understood(text, field) == value
    assert understood(written(value, field), field) == value
    assert in_line(value, field) == line


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (GENRE, "one\nanother"),
        (GENRE, "x" * 201),
        (ARTISTS, "x\n" * 41),
        (YEARS, "Kaei 3"),
        (YEARS, "1852-1850"),
        (YEARS, "0"),
        (YEARS, "2101"),
        (YEARS, "1850-1851-1852"),
        (Correctable.TONE, "unsure"),
        (Correctable.TONE, ""),
        (Correctable.TONE, "toned\ncolour"),
    ],
)
def test_what_no_record_can_say_is_refused(field: Correctable, text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        understood(text, field)


def test_fields_are_those_of_a_records_entry() -> None:
    record = Sample().record("r1")
    values = {field: value_of(record, field) for field in (GENRE, ARTISTS, CAST, YEARS)}
    assert all(getattr(record, name) == said for name, said in attributes(values).items())
    assert attributes({GENRE: []}) == {"genre": None}
    with pytest.raises(ValueError, match="no tone"):
        value_of(record, Correctable.TONE)
