"""JSON as archives answer it: parsed within bounds, and looked into field by field, since any field may be anything.

The clients of `flows.archives.apis` and `flows.archives.iiif` read with it. A field that is missing or null is empty;
one of another type than expected makes its record unreadable, and names itself.
"""

import json
import re
from typing import TYPE_CHECKING, Final

from flows.addresses import shown
from flows.archives.errors import ArchiveUnavailable, BadRecord, MalformedAnswer, NotAnArchive, TooLarge
from flows.archives.values.formats import looks_like_html

if TYPE_CHECKING:  # it loads what speaks HTTP, and re-judging rights reads with this file
    from flows.archives.web.client import PoliteClient

Json = object
"""What a parsed answer may hold: dict, list, str, int, float, bool, None."""

DEEPEST: Final = 64
"""Levels of lists and objects in each other; answers of archives have about ten."""
LONGEST_PREFIX: Final = 1024
"""Bytes passed over before the first `{` or `[`: byte order marks, blanks, a server's own warnings."""
BROKEN_ANSWERS: Final = 3
"""Answers in a row to one question that are no JSON, after which it is left for later."""
_START = re.compile(rb"[{\[]")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""What is no letter, and what no database takes."""
_NAMES: Final = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


def read_json(data: bytes, address: str) -> Json:
    """Parse an answer, whatever stands before its first bracket; of a key that comes twice the last holds.

    Args:
        data: the answer, UTF-8 with or without a mark.
        address: for messages.

    Raises:
        NotAnArchive: a page for people.
        MalformedAnswer: broken, cut off, or nested too deeply.
    """
    start = _START.search(data, 0, LONGEST_PREFIX)
    if start is None or looks_like_html(data):
        kind = NotAnArchive if looks_like_html(data) else MalformedAnswer
        raise kind(f"{address} answers {'an HTML page' if kind is NotAnArchive else 'no JSON'}; check the address")
    try:
        value: Json = json.loads(data[start.start() :].decode("utf-8"), parse_constant=_refuse)
    except RecursionError:
        raise MalformedAnswer(f"{address} answers JSON nested without end; tell the archive") from None
    except ValueError as error:
        raise MalformedAnswer(f"{address} answers broken JSON ({_short(error)}); tell the archive") from None
    if _deeper_than(value, DEEPEST):
        raise MalformedAnswer(f"{address} answers JSON nested more than {DEEPEST} levels deep; tell the archive")
    return value


def ask_json(client: "PoliteClient", url: str, *, known: bool, needed: bool = True) -> Json:
    """Ask for one answer, again where it comes broken or as a page for people.

    Args:
        client: asks.
        url: the question.
        known: it answered JSON before, so that what is none now is a passing fault.
        needed: as `PoliteClient.get`.

    Raises:
        NotAnArchive, MalformedAnswer: where it is not known: something else lies there.
        ArchiveUnavailable: it is known, and answers nothing that can be read.
        BadRecord: nothing lies there.
    """
    for left in reversed(range(BROKEN_ANSWERS)):
        try:
            answer = client.get(url, limit=client.manners.max_bytes_text, needed=needed)
            assert answer is not None  # nothing was said of a version that is known
            return read_json(answer.data, shown(url))
        except TooLarge as error:
            raise MalformedAnswer(str(error)) from None
        except (NotAnArchive, MalformedAnswer) as error:
            if not left:
                raise (ArchiveUnavailable(f"{error}, or try again later") if known else error) from None
    raise AssertionError("the last try returns or raises")


def raw_text(value: Json) -> str:
    """A record as it came, written again so that a database takes it."""
    return _UNFIT.sub("\ufffd", json.dumps(value, ensure_ascii=False))


def clean(text: str) -> str:
    """The text without what no database takes, its ends without blanks."""
    return _UNFIT.sub("\ufffd", text).strip()


def object_at(value: Json, *path: str) -> dict[str, Json]:
    """The object there; empty where there is none."""
    found = _at(value, path, dict)
    return found if isinstance(found, dict) else {}


def list_at(value: Json, *path: str) -> list[Json]:
    """The list there; empty where there is none."""
    found = _at(value, path, list)
    return found if isinstance(found, list) else []


def text_at(value: Json, *path: str) -> str:
    """The text there; empty where there is none."""
    found = _at(value, path, str)
    return clean(found) if isinstance(found, str) else ""


def texts_at(value: Json, *path: str) -> tuple[str, ...]:
    """The texts of a list there, or the one text in its place, blanks left out."""
    found = _at(value, path, list, str)
    parts = found if isinstance(found, list) else [found]
    texts = [text_at({f"{path[-1]}[{number}]": part}, f"{path[-1]}[{number}]") for number, part in enumerate(parts)]
    return tuple(text for text in texts if text)


def number_at(value: Json, *path: str) -> int | None:
    """The whole number there; None where there is none."""
    found = _at(value, path, int)
    return found if isinstance(found, int) else None


def truth_at(value: Json, *path: str) -> bool | None:
    """The true or false there; None where nothing is said."""
    found = _at(value, path, bool)
    return found if isinstance(found, bool) else None


def _at(value: Json, path: tuple[str, ...], *kinds: type) -> Json:
    """What lies at the path, which is of one of these types or not there.

    Raises:
        BadRecord: it is of another type, or a field on the way is no object.
    """
    for depth, name in enumerate(path):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise BadRecord(_wrong(path[:depth], value, dict))
        value = value.get(name)
    if value is None or type(value) in kinds:
        return value
    raise BadRecord(_wrong(path, value, *kinds))


def _wrong(path: tuple[str, ...], value: Json, *kinds: type) -> str:
    where = f"its field {'.'.join(path)}" if path else "it"
    return f"{where} is {_NAMES[type(value)]} and not {' or '.join(_NAMES[kind] for kind in kinds)}; tell the archive"


def _deeper_than(value: Json, levels: int) -> bool:
    inside = [value]
    for _ in range(levels):
        inside = [
            part
            for each in inside
            if isinstance(each, dict | list)
            for part in (each.values() if isinstance(each, dict) else each)
        ]
        if not inside:
            return False
    return any(isinstance(each, dict | list) for each in inside)


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _short(error: ValueError) -> str:
    return str(error) if isinstance(error, json.JSONDecodeError) else error.__class__.__name__
