"""The sample archive as the Art Institute of Chicago's API answers. Made from https://api.artic.edu/docs/.

The IIIF Image API below it gives each picture as it is, whatever width is asked for.
"""

import json
from collections.abc import Iterator, Mapping

from flows.archives.sample.drawing.collection import Holding
from flows.archives.sample.drawing.designs import PAINTERS
from flows.archives.sample.museums import Query, artist, is_free, number_of, there, written
from flows.archives.sample.oai import Shelf

LICENCE = (
    "The `description` field in this response is licensed under a Creative Commons Attribution 4.0 Generic License "
    "(CC-By) and the Terms and Conditions of artic.edu. All other data in this response is licensed under a Creative "
    "Commons Zero (CC0) 1.0 designation and the Terms and Conditions of artic.edu."
)
AGENTS = tuple(
    {"id": number, "title": f"{painter} (sample)", "ulan_id": f"50099990{number}" if number != 2 else None}
    for number, painter in enumerate(PAINTERS, 1)
)
"""The painters; they are invented, and so are their numbers, which ULAN has not given."""


def answer(path: str, query: Query, shelf: Shelf) -> bytes | Holding | None:
    """JSON for `artworks/search` and `agents`; a picture for `iiif/2/{image_id}/full/{size}/0/default.jpg`."""
    if path == "artworks/search":
        return _found(json.loads(dict(query).get("params", "{}")), shelf)
    if path == "agents":
        wanted_ids = dict(query).get("ids", "").split(",")
        return written({"data": [agent for agent in AGENTS if str(agent["id"]) in wanted_ids]})
    if path.startswith("iiif/2/"):
        wanted = path.split("/")[2]
        return next((holding for holding in there(shelf) if _image_id(holding) == wanted), None)
    return None


def _found(asked: Mapping[str, object], shelf: Shelf) -> bytes:
    bounds = dict(_bounds(asked.get("query")))
    above, since = int(bounds.get("id", "0")), bounds.get("updated_at", "")
    held = [each for each in there(shelf) if number_of(each) > above and each.datestamp.isoformat() >= since]
    most = asked.get("limit", 12)
    page = held[: min(most if isinstance(most, int) else 12, shelf.page)]
    return written(
        {
            "pagination": {"total": len(held), "limit": len(page), "offset": 0, "total_pages": 1, "current_page": 1},
            "data": [_artwork(holding) for holding in page],
            "info": {"license_text": LICENCE, "license_links": [], "version": "1.13"},
            "config": {"iiif_url": f"{shelf.root}/aic/iiif/2", "website_url": shelf.root},
        }
    )


def _bounds(query: object) -> Iterator[tuple[str, str]]:
    """Field and lower bound of each range in a question, wherever it stands."""
    parts = query.values() if isinstance(query, dict) else query if isinstance(query, list) else ()
    if isinstance(query, dict) and isinstance(ranged := query.get("range"), dict):
        yield from ((field, str(next(iter(bound.values())))) for field, bound in ranged.items())
    for part in parts:
        yield from _bounds(part)


def _artwork(holding: Holding) -> dict[str, object]:
    return {
        "id": number_of(holding),
        "title": holding.title,
        "main_reference_number": holding.key,
        "artist_titles": [artist(holding)],
        "artist_ids": [agent["id"] for agent in AGENTS if agent["title"] == artist(holding)],
        "date_display": holding.date,
        "date_start": holding.design.year,
        "date_end": holding.design.year,
        "artwork_type_title": holding.genre or None,
        "classification_titles": [],
        "subject_titles": [],
        "term_titles": [],
        "credit_line": None,
        "copyright_notice": None if is_free(holding) else holding.licence,
        "is_public_domain": is_free(holding),
        "image_id": _image_id(holding),
        "alt_image_ids": [],
        "updated_at": holding.datestamp.isoformat(),
    }


def _image_id(holding: Holding) -> str:
    return f"00000000-0000-4000-8000-{number_of(holding):012}"
