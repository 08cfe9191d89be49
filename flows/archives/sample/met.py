"""The sample archive as the Metropolitan Museum's Collection API answers. Made from https://metmuseum.github.io/."""

from flows.archives.sample.drawing.collection import HOLDER, Holding
from flows.archives.sample.museums import Query, artist, cast, is_free, number_of, page_url, picture_url, written
from flows.archives.sample.oai import Shelf


def answer(path: str, query: Query, shelf: Shelf) -> bytes | Holding | None:
    """JSON for `departments`, `objects`, `search` and `objects/{objectID}`; a withdrawn number is listed, and 404."""
    if path == "departments":
        return written({"departments": [{"departmentId": 6, "displayName": "Asian Art"}]})
    if path in ("objects", "search"):
        since = dict(query).get("metadataDate", "")
        numbers = [number_of(each) for each in shelf.holdings if each.datestamp.strftime("%Y-%m-%d") >= since]
        return written({"total": len(numbers), "objectIDs": numbers or None})
    area, _, number = path.partition("/")
    held = (each for each in shelf.holdings if area == "objects" and str(number_of(each)) == number)
    return next((written(_object(holding, shelf)) for holding in held if not holding.deleted), None)


def _object(holding: Holding, shelf: Shelf) -> dict[str, object]:
    people = [{"role": "Artist", "name": artist(holding)}]
    people += [{"role": "Actor", "name": cast(holding)}] if cast(holding) else []
    return {
        "objectID": number_of(holding),
        "accessionNumber": holding.key,
        "isPublicDomain": is_free(holding),
        "rightsAndReproduction": "" if is_free(holding) else holding.licence,
        "primaryImage": picture_url(holding, shelf),
        "primaryImageSmall": picture_url(holding, shelf),
        "additionalImages": [],
        "constituents": people,
        "department": "Asian Art",
        "objectName": "",
        "classification": holding.genre,
        "title": holding.title,
        "artistDisplayName": artist(holding),
        "objectDate": holding.date,
        "objectBeginDate": holding.design.year,
        "objectEndDate": holding.design.year,
        "creditLine": "",
        "metadataDate": holding.datestamp.isoformat().replace("+00:00", "Z"),
        "repository": HOLDER,
        "objectURL": page_url(holding, shelf),
        "tags": None,
    }
