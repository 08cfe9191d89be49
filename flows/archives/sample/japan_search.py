"""The sample archive as a database of Japan Search: search, scroll and an institution's name.

Made from the guide, https://jpsearch.go.jp/static/developer/webapi/; a scroll gives as many as a page of the sample.
"""

from flows.archives.sample.drawing.collection import HOLDER, Holding
from flows.archives.sample.museums import Query, artist, cast, is_free, number_of, page_url, picture_url, there, written
from flows.archives.sample.oai import Shelf

DATABASE = "sample"
_SCROLL = "after-"


def answer(path: str, query: Query, shelf: Shelf) -> bytes | Holding | None:
    """JSON for `item/search/jps-cross`, `item/scroll/jps-cross` and `organization/{id}`."""
    said = dict(query)
    if path == f"organization/{DATABASE}":
        return written({"id": DATABASE, "name": {"ja": HOLDER, "en": HOLDER}})
    if path == "item/search/jps-cross":
        return _listed(shelf, 0, int(said.get("size", "20")), scrolls=False)
    if path == "item/scroll/jps-cross":
        place = said.get("scrollId", f"{_SCROLL}0").removeprefix(_SCROLL)
        return _listed(shelf, int(place), shelf.page, scrolls=True) if place.isdecimal() else None
    return None


def _listed(shelf: Shelf, after: int, most: int, *, scrolls: bool) -> bytes:
    held = there(shelf)
    rest = [holding for holding in held if number_of(holding) > after]
    page = rest[:most]
    said: dict[str, object] = {"list": [_item(each, shelf) for each in page], "hit": len(held), "from": 0, "facets": []}
    if scrolls and len(rest) > len(page):
        said["scrollId"] = f"{_SCROLL}{number_of(page[-1])}"
    return written(said)


def _item(holding: Holding, shelf: Shelf) -> dict[str, object]:
    identifier = f"{DATABASE}-{holding.key.replace('-', '_')}"
    people = [f"絵師:{artist(holding)}", *([f"役者:{cast(holding)}"] if cast(holding) else [])]
    common = {
        "id": identifier,
        "title": holding.title,
        "lastUpdatedDate": int(holding.datestamp.timestamp() * 1000),
        "linkUrl": page_url(holding, shelf),
        "contentsUrl": [picture_url(holding, shelf)],
        "thumbnailUrl": [picture_url(holding, shelf)],
        "contentsType": "image",
        "contentsAccess": "internet",
        "contentsRightsType": "cc0" if is_free(holding) else "ccbyncnd",
        "category": [holding.genre] if holding.genre else [],
        "contributor": people,
        "temporal": [holding.date],
        "provider": DATABASE,
        "ownerOrg": DATABASE,
        "database": DATABASE,
        "access": "PUBLIC",
    }
    return {"id": identifier, "common": common, f"{DATABASE}-0-s": holding.key}
