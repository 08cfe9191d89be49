"""What the sample archive's answers have in common over the JSON APIs of museums: numbers, licences, names.

`japan_search`, `met`, `aic` and `cleveland` beside write the answers of one API each, made from its documentation. A
function takes the path below the API's base, its query and a view of the holdings, and gives JSON, a holding whose
picture is meant, or None where nothing lies.
"""

import json
import re
from collections.abc import Callable, Sequence

from flows.archives.sample.drawing.collection import Holding
from flows.archives.sample.oai import Shelf

Query = Sequence[tuple[str, str]]
Answer = Callable[[str, Query, Shelf], bytes | Holding | None]
_MEDIA = "cgk"
"""Last letters of keys."""
_KEY = re.compile(rf"(\d{{4}})[-_]([{_MEDIA}])\b")


def written(value: object) -> bytes:
    """JSON as it is sent."""
    return json.dumps(value, ensure_ascii=False).encode()


def number_of(holding: Holding) -> int:
    """The number that APIs have for a key: 0012-g is 121."""
    digits, _, medium = holding.key.partition("-")
    return 10 * int(digits) + _MEDIA.index(medium)


def key_of(number: str) -> str:
    """The key that a number stands for; empty where it can be none."""
    known = number.isascii() and number.isdecimal() and int(number) % 10 < len(_MEDIA)
    return f"{int(number) // 10:04}-{_MEDIA[int(number) % 10]}" if known else ""


def key_in(identifier: str) -> str:
    """The key of the record that a protocol names so; empty where there can be none."""
    found = _KEY.search(identifier)
    return f"{found[1]}-{found[2]}" if found else key_of(identifier)


def there(shelf: Shelf) -> list[Holding]:
    """What is not withdrawn, by number."""
    return sorted((holding for holding in shelf.holdings if not holding.deleted), key=number_of)


def is_free(holding: Holding) -> bool:
    """May anything be done with it?"""
    return "publicdomain" in holding.licence


def artist(holding: Holding) -> str:
    """As the archive writes it."""
    return f"{holding.design.painter} (sample)"


def cast(holding: Holding) -> str:
    """Role and actor, empty where nobody is shown."""
    actor, role = holding.design.actor, holding.design.role
    shown = holding.design.subject == "actor"
    return f"{role.kanji} {role.name}/{actor.kanji} {actor.name} (sample)" if shown else ""


def picture_url(holding: Holding, shelf: Shelf) -> str:
    """Where its picture lies."""
    return f"{shelf.root}/pictures/{holding.key}.{holding.suffix}"


def page_url(holding: Holding, shelf: Shelf) -> str:
    """Where its page for people lies."""
    return f"{shelf.root}/records/{holding.key}"
