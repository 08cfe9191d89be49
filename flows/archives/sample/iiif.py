"""The sample archive over IIIF: a collection of manifests, an image service for each, and a stream of its changes.

Made from the specifications (Presentation 3.0, Image 3.0, Change Discovery 1.0); the contract is that of `museums.py`.
"""

from flows.archives.sample.drawing.collection import HOLDER, Holding
from flows.archives.sample.drawing.prints import SIZE
from flows.archives.sample.museums import Query, artist, cast, page_url, there, written
from flows.archives.sample.oai import Shelf

PAGE = 5
"""Activities on a page of the stream."""
_CONTEXT = "http://iiif.io/api/presentation/3/context.json"


def answer(path: str, _query: Query, shelf: Shelf) -> bytes | Holding | None:
    """The collection at the base, `KEY/manifest.json`, and `KEY/image/…` as an image service."""
    if not path:
        return written(_collection(shelf))
    key, _, rest = path.partition("/")
    holding = next((each for each in shelf.holdings if each.key == key and not each.deleted), None)
    if holding is None:
        return None
    if rest == "manifest.json":
        return written(_manifest(holding, shelf))
    if rest == "image/info.json":
        return written(_info(holding, shelf))
    return holding if rest == "image/full/max/0/default.jpg" else None


def changes(path: str, _query: Query, shelf: Shelf) -> bytes | None:
    """The stream at the base, and its pages by number from 0 on."""
    base, last = f"{shelf.root}/iiif-change", max(0, len(shelf.holdings) - 1) // PAGE
    context = "http://iiif.io/api/discovery/1/context.json"
    if not path:
        ends = {name: {"id": f"{base}/{page}", "type": "OrderedCollectionPage"} for name, page in
                (("first", 0), ("last", last))}  # fmt: skip
        top = {"@context": context, "id": base, "type": "OrderedCollection", "totalItems": len(shelf.holdings)}
        return written(top | ends)
    if not path.isdecimal() or int(path) > last:
        return None
    number = int(path)
    listed = shelf.holdings[number * PAGE : (number + 1) * PAGE]
    page = {
        "@context": context,
        "id": f"{base}/{number}",
        "type": "OrderedCollectionPage",
        "startIndex": number * PAGE,
        "orderedItems": [_activity(each, shelf) for each in listed],
    }
    around = {"prev": number - 1, "next": number + 1}
    return written(
        page
        | {
            name: {"id": f"{base}/{other}", "type": "OrderedCollectionPage"}
            for name, other in around.items()
            if 0 <= other <= last
        }
    )


def _activity(holding: Holding, shelf: Shelf) -> dict[str, object]:
    return {
        "type": "Delete" if holding.deleted else "Update",
        "endTime": holding.datestamp.isoformat().replace("+00:00", "Z"),
        "object": {"id": _address(holding, shelf), "type": "Manifest"},
    }


def _address(holding: Holding, shelf: Shelf) -> str:
    return f"{shelf.root}/iiif/{holding.key}/manifest.json"


def _collection(shelf: Shelf) -> dict[str, object]:
    return {
        "@context": _CONTEXT,
        "id": f"{shelf.root}/iiif",
        "type": "Collection",
        "label": {"en": [HOLDER]},
        "items": [
            {"id": _address(each, shelf), "type": "Manifest", "label": {"none": [each.title]}} for each in there(shelf)
        ],
    }


def _manifest(holding: Holding, shelf: Shelf) -> dict[str, object]:
    said = {"絵師": artist(holding), "年代": holding.date, "ジャンル": holding.genre, "役名・役者": cast(holding),
            "資料番号": holding.key}  # fmt: skip
    width, height = SIZE
    service = {"id": f"{shelf.root}/iiif/{holding.key}/image", "type": "ImageService3", "profile": "level0"}
    body = {"id": f"{service['id']}/full/max/0/default.jpg", "type": "Image", "format": "image/jpeg", "width": width,
            "height": height, "service": [service]}  # fmt: skip
    canvas = f"{_address(holding, shelf)}#canvas"
    annotation = {"id": f"{canvas}-1", "type": "Annotation", "motivation": "painting", "body": body, "target": canvas}
    page = {"id": f"{canvas}-page", "type": "AnnotationPage", "items": [annotation]}
    return {
        "@context": _CONTEXT,
        "id": _address(holding, shelf),
        "type": "Manifest",
        "label": {"none": [holding.title]},
        "metadata": [{"label": {"ja": [name]}, "value": {"none": [text]}} for name, text in said.items() if text],
        "rights": holding.licence,
        "provider": [{"id": shelf.root, "type": "Agent", "label": {"en": [HOLDER]}}],
        "homepage": [{"id": page_url(holding, shelf), "type": "Text", "label": {"en": ["Record"]}}],
        "items": [{"id": canvas, "type": "Canvas", "width": width, "height": height, "items": [page]}],
    }


def _info(holding: Holding, shelf: Shelf) -> dict[str, object]:
    width, height = SIZE
    return {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": f"{shelf.root}/iiif/{holding.key}/image",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level0",
        "width": width,
        "height": height,
        "sizes": [{"width": width, "height": height}],
    }
