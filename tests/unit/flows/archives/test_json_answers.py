"""JSON of archives: what is tolerated of an answer, and what makes a record unreadable."""

import pytest

from flows.archives.errors import BadRecord, MalformedAnswer, NotAnArchive
from flows.archives.web.json_answers import (
    Json,
    list_at,
    number_at,
    object_at,
    raw_text,
    read_json,
    text_at,
    texts_at,
    truth_at,
)


@pytest.mark.parametrize(
    "data",
    [
        '{"a": "役者"}'.encode(),
        b"\xef\xbb\xbf" + '{"a": "役者"}'.encode(),
        b"\xef\xbb\xbf\r\n\xef\xbb\xbf" + '{"a": "役者"}'.encode(),
        'Warning: slow in x.php\n{"a": "役者"}'.encode(),
        '{"a": 1, "a": "役者"}'.encode(),
    ],
    ids=["plain", "mark", "marks and blanks", "a server's warning", "a key twice"],
)
def test_an_answer_is_read_whatever_stands_before_it(data: bytes) -> None:
    assert read_json(data, "museum") == {"a": "役者"}


@pytest.mark.parametrize(
    ("data", "error", "said"),
    [
        (b"<!doctype html><title>Busy</title>{}", NotAnArchive, "an HTML page"),
        (b"", MalformedAnswer, "no JSON"),
        (b"busy", MalformedAnswer, "no JSON"),
        (b" " * 2000 + b"{}", MalformedAnswer, "no JSON"),
        (b'{"a": [1, 2', MalformedAnswer, "broken JSON"),
        (b'{"a": NaN}', MalformedAnswer, "broken JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", MalformedAnswer, "broken JSON"),
        ('{"a": "役者"}'.encode("cp932"), MalformedAnswer, "broken JSON"),
        (b"[" * 100 + b"]" * 100, MalformedAnswer, "more than 64 levels"),
        (b"[" * 200_000 + b"]" * 200_000, MalformedAnswer, "nested"),
    ],
)
def test_an_answer_that_is_no_json_is_told_by_what_it_is(data: bytes, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=f"museum answers .*{said}"):
        read_json(data, "museum")


SAID: Json = {
    "title": " 市川団十郎\ud83d\x00 ",
    "id": 3,
    "free": True,
    "images": {"web": {"url": "u"}, "all": ["a", None, "", "b"]},
    "one": "x",
    "none": None,
}


def test_fields_are_read_by_their_path_and_what_is_missing_is_empty() -> None:
    assert text_at(SAID, "title") == "市川団十郎\ufffd\ufffd"
    assert text_at(SAID, "images", "web", "url") == "u"
    assert (texts_at(SAID, "images", "all"), texts_at(SAID, "one")) == (("a", "b"), ("x",))
    assert (number_at(SAID, "id"), truth_at(SAID, "free")) == (3, True)
    for name in ("none", "missing"):
        found = (text_at(SAID, name, "x"), texts_at(SAID, name), list_at(SAID, name), object_at(SAID, name))
        assert found == ("", (), [], {})
        assert (number_at(SAID, name), truth_at(SAID, name)) == (None, None)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda: text_at(SAID, "images"), "its field images is an object and not text"),
        (lambda: text_at(SAID, "title", "en"), "its field title is text and not an object"),
        (lambda: texts_at({"a": ["x", 1]}, "a"), r"its field a\[1\] is a number and not text"),
        (lambda: number_at(SAID, "free"), "its field free is true or false and not a number"),
        (lambda: truth_at(SAID, "id"), "its field id is a number and not true or false"),
        (lambda: list_at(SAID, "one"), "its field one is text and not a list"),
        (lambda: object_at([1]), "it is a list and not an object"),
    ],
)
def test_a_field_of_another_type_makes_a_bad_record_that_names_it(read, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadRecord, match=said):
        read()


def test_what_is_kept_of_a_record_can_be_kept_by_every_database() -> None:
    assert raw_text({"a": "役\ud800"}) == '{"a": "役\ufffd"}'
    raw_text(SAID).encode()
