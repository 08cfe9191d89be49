"""The sample archive as the Ukiyo-e Portal of ARC shows its results: pages of run-on captions, for people.

Made up by what others report of the portal, since no page of it was at hand. What a caption has no place for (rights,
a genre, the date in our years) stands beside it in labelled fields. A search finds everything, whatever it asks.
"""

from html import escape

from flows.archives.sample.drawing.collection import HOLDER, Holding
from flows.archives.sample.museums import Query, artist, cast, there
from flows.archives.sample.oai import Shelf

NOTHING = "該当するデータはありません"


def answer(path: str, query: Query, shelf: Shelf) -> bytes | Holding | None:
    """A page of `-max` results of `results-big.php`, the one called `f1` or those after `skip` pages; or a picture."""
    area, _, name = path.partition("/")
    if area in ("image", "th_image"):
        return next((each for each in there(shelf) if f"{each.key}.{each.suffix}" == name), None)
    if path != "results-big.php":
        return None
    said = dict(query)
    size, page = (int(each) if (each := said.get(name, "")).isdecimal() else 0 for name in ("-max", "skip"))
    size = size or shelf.page
    found = [each for each in there(shelf) if said.get("f1", each.key) == each.key]
    return _page(found[size * page : size * (page + 1)])


def _page(found: list[Holding]) -> bytes:
    rows = "".join(f"<tr>{_result(each)}</tr>" for each in found)
    body = f"<table>{rows}</table>" if found else f"<p>{NOTHING}</p>"
    return f'<!doctype html><html lang="ja"><meta charset="utf-8"><title>Sample</title>{body}</html>'.encode()


def _result(holding: Holding) -> str:
    fields = {"年代": holding.date, "ジャンル": holding.genre, "所蔵": HOLDER, "利用条件": holding.licence}
    said = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in fields.items())
    picture = f"th_image/{holding.key}.{holding.suffix}"
    page = f"results-big.php?f1={holding.key}"
    return f'<td><a href="{page}"><img src="{picture}"></a><br>{escape(caption(holding))}<dl>{said}</dl></td>'


def caption(holding: Holding) -> str:
    """What the portal writes below a picture, in one."""
    era = holding.date.partition("年")[0]
    role, _, actor = cast(holding).partition("/")
    played = f"{role}〈〉{actor}" if actor else ""
    return f"{holding.key}{era}・・{artist(holding)}「{holding.title}」{played}"
