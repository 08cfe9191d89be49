"""What a colorized picture says about its own making, inside its file.

`colorize.output.saving` writes it into every format; whoever meets such a file far from the catalogue (exiftool, a
picture archive's ingest) can tell that a machine coloured it, from what, and how.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from typing import Any, Final, Self
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from colorize.images.decode import header

DIGITAL_SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a picture composed of a captured one and what a trained model added."""

MAP_OF_TRUST: Final = (
    "map of trust, no picture of the print: the stronger the orange, the less the colours there are trusted; gray lies "
    "outside the print. Of the picture "
)
_FIELD: Final = "nishiki"
_NAMESPACE: Final = "urn:nishiki:provenance"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_XMP: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:nishiki="{namespace}">
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">{description}</rdf:li></rdf:Alt></dc:description>
   <dc:source>{source}</dc:source>
   <photoshop:Credit>{credit}</photoshop:Credit>
   <xmp:CreatorTool>{software}</xmp:CreatorTool>
   <xmp:CreateDate>{creation_time}</xmp:CreateDate>
   <Iptc4xmpExt:DigitalSourceType>{kind}</Iptc4xmpExt:DigitalSourceType>
   <nishiki:provenance>{json}</nishiki:provenance>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def _software() -> str:
    return f"nishiki {version('nishiki')}"


@dataclass(frozen=True)
class Source:
    """One of the pictures that a colorization is made of."""

    identifier: str
    """The archive's own."""
    sha256: str
    """Of the file as harvested."""


@dataclass(frozen=True)
class LeftOut:
    """A style image that was given and gave no colours."""

    style: Source
    why: str


@dataclass(frozen=True)
class Provenance:
    """All that is needed to say how a colorized picture came to be, and to make it again."""

    recipe_name: str
    recipe_digest: str
    recipe_data: Mapping[str, Any]
    """JSON values only: what comes back from a file has lists where tuples went in."""
    weights_name: str
    weights_checksum: str
    content: Source
    style: Source | None
    """The first; None where the colours came of no print."""
    created: datetime
    """Aware; written as UTC."""
    marks_sha256: str | None = None
    """Of the file with a curator's marks, where there were any."""
    mask_sha256: str | None = None
    """Of the file that says where colour was asked for; None: everywhere."""
    further_styles: tuple[Source, ...] = ()
    """Behind the first, in the order in which the method took them."""
    left_out: tuple[LeftOut, ...] = ()
    """Style images that gave no colours."""
    credits: tuple[str, ...] = ()
    """Credit lines that the archives ask for, content first."""
    refusal: str | None = None
    """Why the machine rejected it."""
    uncoloured: float | None = None
    """The share of the print that was left in the paper's tone, where the recipe colours only what it trusts."""
    map_of_trust: bool = False
    """The file is no picture of the print, but the map of how far its colours are trusted."""
    software: str = field(default_factory=_software)

    @property
    def styles(self) -> tuple[Source, ...]:
        """All prints that gave colours, in their order."""
        return (self.style, *self.further_styles) if self.style else ()

    def without(self, left_out: Mapping[int, str]) -> Self:
        """The same, where some of its styles gave no colours: their numbers, from 1, with why. One at least did."""
        if not left_out:
            return self
        given = dict(enumerate(self.styles, start=1))
        first, *further = (style for place, style in given.items() if place not in left_out)
        lost = tuple(LeftOut(given[place], why) for place, why in sorted(left_out.items()))
        return replace(self, style=first, further_styles=tuple(further), left_out=lost)

    @property
    def description(self) -> str:
        """One sentence for people, which says so when the encoder was never trained."""
        seeded = " (never trained)" if "random-seeded" in self.weights_name else ""
        colours = " and ".join(style.identifier for style in self.styles)
        return (
            f"{MAP_OF_TRUST if self.map_of_trust else ''}"
            f"machine-colorized: {self.content.identifier}{f' in the colours of {colours}' if colours else ''}, "
            f"by recipe {self.recipe_name} with encoder weights {self.weights_name}{seeded}"
            f"{''.join(f'; {each.style.identifier} gave no colours: {each.why}' for each in self.left_out)}"
            f"{'; coloured only where a mask asks for it' if self.mask_sha256 else ''}"
            f"{f'; {uncoloured_words(self.uncoloured)}' if self.uncoloured else ''}"
            f"{f'; rejected by the machine: {self.refusal}' if self.refusal else ''}"
        )

    def to_json(self) -> str:
        """Keys sorted, times in ISO 8601 UTC, ASCII only: the same text for the same facts."""
        facts = asdict(self) | {"created": self.created.astimezone(UTC).isoformat()}
        return json.dumps(facts, sort_keys=True, ensure_ascii=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The inverse of `to_json`; KeyError, TypeError or ValueError where the text is something else."""
        facts = json.loads(text)
        restored = {
            "content": Source(**facts["content"]),
            "style": facts["style"] and Source(**facts["style"]),
            "further_styles": tuple(Source(**style) for style in facts.get("further_styles", ())),
            "left_out": tuple(LeftOut(Source(**each["style"]), each["why"]) for each in facts.get("left_out", ())),
            "created": datetime.fromisoformat(facts["created"]),
            "credits": tuple(facts["credits"]),
        }
        return cls(**(facts | restored))


def encode_png(pixels: NDArray[np.uint8], provenance: Provenance) -> bytes:
    """A PNG, marked as sRGB, that carries its provenance twice.

    As PNG text fields for any viewer, and as XMP for picture archives. Equal input gives
    equal bytes.

    Args:
        pixels: uint8, (H, W, 3), sRGB in [0, 255].
        provenance: what is written into it.
    """
    notes = PngInfo()
    notes.add(b"sRGB", b"\0")  # perceptual intent
    for keyword, text in texts(provenance).items():
        notes.add_itxt(keyword.title().replace("_", " "), text)
    notes.add_itxt("XML:com.adobe.xmp", xmp(provenance))
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", pnginfo=notes)
    return file.getvalue()


def xmp(provenance: Provenance) -> str:
    """The XMP packet of a colorized picture: IPTC's digital source type for archives, all facts as JSON for us."""
    words = texts(provenance) | {"kind": DIGITAL_SOURCE_TYPE, "json": provenance.to_json()}
    return _XMP.format(namespace=_NAMESPACE, **{name: escape(text) for name, text in words.items()})


def texts(provenance: Provenance) -> dict[str, str]:
    """What people read, by name: title, description, source ...; without characters that XML forbids."""
    what = "map of trust" if provenance.map_of_trust else "machine-colorized"
    texts = {
        "title": f"{provenance.content.identifier}, {what}",
        "description": provenance.description,
        "source": "; ".join(
            [f"content {_cited(provenance.content)}", *(f"style {_cited(style)}" for style in provenance.styles)]
        ),
        "credit": "; ".join(provenance.credits),
        "software": provenance.software,
        "creation_time": provenance.created.astimezone(UTC).isoformat(timespec="seconds"),
    }
    return {name: _NOT_XML.sub("", text) for name, text in texts.items()}


def uncoloured_words(share: float) -> str:
    """What a person is told of a picture that is coloured only where its colours are trusted."""
    return f"{share:.0%} of the print is left in the paper's tone, for no colours are trusted there"


def is_colorization(data: bytes) -> bool:
    """Does this picture file say that nishiki made it, of whatever version? Read without decoding.

    Raises:
        UnreadableImage: as for `header`.
    """
    said = header(data)
    return _FIELD in said or _NAMESPACE in str(said.get("xmp", ""))


def _cited(source: Source) -> str:
    return f"{source.identifier} (sha256 {source.sha256})"
