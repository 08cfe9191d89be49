"""IIIF Presentation 3 of what leaves: a manifest for each entry, collections of them; viewers open both.

Pictures are served by Image API 3 at level 0, tiles that lie as files; without tiles they are plain files to viewers. A
canvas offers a choice of the colorized print and the original, and every manifest says that a machine coloured it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from db.exports.leaving import (
    COLORIZED,
    DUBLIN_CORE,
    LIDO,
    LINKED_ART,
    ORIGINAL,
    PROVENANCE,
    WEB,
    Leaving,
    Size,
    cited,
    landing,
    plain,
    standard_rights,
)

CONTEXT: Final = "http://iiif.io/api/presentation/3/context.json"
_SEE_ALSO: Final = (
    (PROVENANCE, "application/ld+json", "http://www.w3.org/ns/prov#", "Provenance (PROV-O)"),
    (LINKED_ART, "application/ld+json", "https://linked.art/ns/v1/linked-art.json", "Linked Art"),
    (LIDO, "text/xml", "http://www.lido-schema.org", "LIDO"),
    (DUBLIN_CORE, "text/xml", "http://www.openarchives.org/OAI/2.0/oai_dc/", "Dublin Core"),
)


def manifest(leaving: Leaving) -> dict[str, Any]:
    """The entry's manifest."""
    rights, page = leaving.rights, landing(leaving.content)
    return {
        "@context": CONTEXT,
        "id": leaving.address("manifest.json"),
        "type": "Manifest",
        "label": {"none": [leaving.title]},
        "metadata": [*_pairs(leaving)],
        **({"rights": rights} if rights else {}),
        "requiredStatement": {
            "label": {"en": ["Machine-colorized"], "ja": ["自動彩色"]},
            "value": {language: [words] for language, words in leaving.statement.items()},
        },
        **({"homepage": [_page(page, leaving.content.archive)]} if page else {}),
        "thumbnail": [_whole(leaving.address(WEB), web_size(leaving.size))],
        "seeAlso": [
            {"id": leaving.address(name), "type": "Dataset", "format": form, "profile": profile, "label": _en(label)}
            for name, form, profile, label in _SEE_ALSO
        ],
        "rendering": [
            {
                "id": leaving.address(leaving.file),
                "type": "Image",
                "format": leaving.format,
                "label": {"en": ["Colorized, full size"], "ja": ["彩色、原寸"]},
            }
        ],
        "items": [_canvas(leaving)],
    }


def listed(leaving: Leaving) -> dict[str, Any]:
    """The manifest as a collection names it."""
    return {"id": leaving.address("manifest.json"), "type": "Manifest", "label": {"none": [leaving.title]}}


def collection(address: str, label: Mapping[str, str], items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A collection of manifests or of collections."""
    words = {language: [text] for language, text in label.items()}
    return {"@context": CONTEXT, "id": address, "type": "Collection", "label": words, "items": list(items)}


def web_size(size: Size, edge: int = 1280) -> Size:
    """Of a picture whose long edge is brought down to `edge` pixels, as libvips rounds."""
    scale = min(1.0, edge / max(size.width, size.height))
    return Size(max(1, round(size.width * scale)), max(1, round(size.height * scale)))


def _canvas(leaving: Leaving) -> dict[str, Any]:
    at = leaving.address("canvas")
    choice = {
        "type": "Choice",
        "items": [
            _picture(leaving, COLORIZED, leaving.size, {"en": ["Colorized"], "ja": ["彩色"]}),
            _picture(leaving, ORIGINAL, leaving.original, {"en": ["Original"], "ja": ["原図"]}),
        ],
    }
    painting = {"id": f"{at}/painting", "type": "Annotation", "motivation": "painting", "body": choice, "target": at}
    return {
        "id": at,
        "type": "Canvas",
        "label": {"none": [leaving.title]},
        "height": leaving.size.height,
        "width": leaving.size.width,
        "items": [{"id": f"{at}/page", "type": "AnnotationPage", "items": [painting]}],
    }


def _picture(leaving: Leaving, folder: str, size: Size, label: dict[str, list[str]]) -> dict[str, Any]:
    """One choice: the whole picture, and the service that has its tiles, where it has any."""
    picture = {**_whole(leaving.address(f"{folder}.jpg"), web_size(size)), "label": label}
    if not leaving.tiled:
        return picture
    service = {"id": leaving.address(folder), "type": "ImageService3", "profile": "level0"}
    return picture | {"service": [service]}


def _whole(address: str, size: Size) -> dict[str, Any]:
    return {"id": address, "type": "Image", "format": "image/jpeg", "height": size.height, "width": size.width}


def _page(address: str, archive: str) -> dict[str, Any]:
    return {"id": address, "type": "Text", "format": "text/html", "label": {"none": [plain(archive)]}}


def _pairs(leaving: Leaving) -> Iterator[dict[str, Any]]:
    """What is told of the print beside its picture; what is not known is left out."""
    for english, japanese, values in _metadata(leaving):
        if known := [word for word in map(plain, values) if word]:
            yield {"label": {"en": [english], "ja": [japanese]}, "value": {"none": known}}


def _metadata(leaving: Leaving) -> Iterator[tuple[str, str, list[str]]]:
    """English label, Japanese label, values."""
    content = leaving.content
    yield "Identifier", "資料番号", [content.identifier]
    yield "Artist", "絵師", [*content.artists]
    yield "Actor", "役者", [" as ".join(filter(None, (actor, role))) for role, actor in content.cast]
    yield "Date of the print", "年代", [leaving.years.replace("/", "\N{EN DASH}")]
    yield "Holder", "所蔵", [content.holder]
    yield "Colours taken from", "色の参照元", [cited(style) for style in leaving.styles]
    if leaving.corrections:
        yield "Corrected by a curator", "学芸員による訂正", [*leaving.corrections]
    yield "Made by", "作成", [leaving.machine]
    told = {cited(each): standard_rights(each) or each.rights_uri or each.rights_basis for each in leaving.pictures}
    yield "Rights", "権利", [f"{name}: {word}" for name, word in told.items() if word]


def _en(label: str) -> dict[str, list[str]]:
    return {"en": [label]}
