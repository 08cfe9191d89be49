"""IIIF Change Discovery 1.0 of a package: what was created, changed and deleted, the oldest first, in pages.

Harvesters read it from the end back to where they were. Each entry has one activity, its newest.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from db.exports.leaving import MANIFEST, Leaving

FOLDER: Final = "changes"
FIRST: Final = "collection.json"
PAGE: Final = 1000
"""Activities of a page."""
_CONTEXT: Final = "http://iiif.io/api/discovery/1/context.json"


def activity(leaving: Leaving) -> dict[str, Any]:
    """How an entry came to be as it is."""
    entry = leaving.entry
    kind = "Create" if entry.changed_at == entry.approved_at else "Update"
    return _activity(kind, leaving.address(MANIFEST), f"{entry.changed_at:%Y-%m-%dT%H:%M:%SZ}")


def deletion(manifest: str, moment: str) -> dict[str, Any]:
    """That an entry is gone."""
    return _activity("Delete", manifest, moment)


def pages(activities: Sequence[dict[str, Any]], address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and content of each file, the collection last.

    Args:
        activities: the oldest first.
        address: of the folder that they lie in, ending with `/`.
    """
    starts = range(0, max(len(activities), 1), PAGE)
    names = [f"page-{number}.json" for number in range(len(starts))]
    whole = {"id": f"{address}{FIRST}", "type": "OrderedCollection"}
    for number, (name, start) in enumerate(zip(names, starts, strict=True)):
        page = {"@context": _CONTEXT, "id": f"{address}{name}", "type": "OrderedCollectionPage", "partOf": whole}
        beside = {"prev": number - 1, "next": number + 1}
        for word, other in beside.items():
            if 0 <= other < len(names):
                page[word] = _page(address, names[other])
        yield name, page | {"startIndex": start, "orderedItems": list(activities[start : start + PAGE])}
    ends = {"first": _page(address, names[0]), "last": _page(address, names[-1])}
    yield FIRST, {"@context": _CONTEXT, **whole, "totalItems": len(activities), **ends}


def _page(address: str, name: str) -> dict[str, str]:
    return {"id": f"{address}{name}", "type": "OrderedCollectionPage"}


def _activity(kind: str, manifest: str, moment: str) -> dict[str, Any]:
    return {"type": kind, "object": {"id": manifest, "type": "Manifest"}, "endTime": moment}
