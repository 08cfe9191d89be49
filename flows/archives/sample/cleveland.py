"""The sample archive as Cleveland's Open Access API answers. Made from https://openaccess-api.clevelandart.org/."""

from flows.archives.sample.drawing.collection import Holding
from flows.archives.sample.museums import Query, artist, cast, is_free, number_of, page_url, picture_url, there, written
from flows.archives.sample.oai import Shelf


def answer(path: str, query: Query, shelf: Shelf) -> bytes | Holding | None:
    """JSON for `artworks/`, with `skip` and `limit`."""
    if path.strip("/") != "artworks":
        return None
    said = dict(query)
    skip, most = int(said.get("skip", "0")), min(int(said.get("limit", "1000")), shelf.page)
    held = there(shelf)
    page = [_artwork(holding, shelf) for holding in held[skip : skip + most]]
    return written({"info": {"total": len(held), "parameters": said}, "data": page})


def _artwork(holding: Holding, shelf: Shelf) -> dict[str, object]:
    people = [{"role": "artist", "description": artist(holding)}]
    people += [{"role": "actor", "description": cast(holding)}] if cast(holding) else []
    return {
        "id": number_of(holding),
        "accession_number": holding.key,
        "share_license_status": "CC0" if is_free(holding) else "Copyrighted",
        "copyright": None if is_free(holding) else holding.licence,
        "title": holding.title,
        "creation_date": holding.date,
        "creation_date_earliest": holding.design.year,
        "creation_date_latest": holding.design.year,
        "creators": people,
        "culture": [],
        "technique": None,
        "department": "Japanese Art",
        "type": holding.genre or None,
        "creditline": None,
        "url": page_url(holding, shelf),
        "images": {"web": {"url": picture_url(holding, shelf)}, "print": {"url": picture_url(holding, shelf)}},
        "alternate_images": [],
        "updated_at": holding.datestamp.strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
