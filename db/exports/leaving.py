"""An approved entry as it leaves: what is said of it in every form, and the addresses of its files.

The forms (`iiif`, `linked_art`, `lido`, `dublin_core`, `prov`) take a `Leaving`, or what is `Described` of it, and know
nothing else; `package` writes them, `oai` hands them to harvesters. Whoever made or approved it on the page is named in
none: curators are nobody's metadata.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any, Final

from pydantic import TypeAdapter

from db.entries.corrections import Correctable
from db.entries.night import Description
from db.entries.review import Approved
from db.record_words import in_line

MANIFEST: Final = "manifest.json"
PROVENANCE: Final = "provenance.json"
LINKED_ART: Final = "linked-art.json"
LIDO: Final = "lido.xml"
DUBLIN_CORE: Final = "dublin-core.xml"
WEB: Final = "colorized.jpg"
"""The whole colorized picture at the size that a web page shows."""
COLORIZED, ORIGINAL = "colorized", "original"
"""Folders of IIIF tiles."""
DIGITAL_SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's term, as `colorize.output.provenance` writes it into the picture itself."""
_STANDARD: Final = re.compile(
    r"https?://(?:www\.)?(creativecommons\.org/(?:licenses|publicdomain)|rightsstatements\.org/vocab)/\S+"
)
_FREE: Final = ("creativecommons.org/publicdomain/",)
"""Nothing is asked of whoever uses it."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Size:
    """Of a picture, in pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Described:
    """An entry and where it will be found: all that needs no look at its pictures."""

    entry: Approved
    at: str
    """Address of its folder, ending with `/`."""
    file: str
    """Name of the full-size picture in its folder; empty where the picture is lost."""

    @property
    def content(self) -> Description:
        """The print."""
        return self.entry.attempt.content

    @property
    def styles(self) -> tuple[Description, ...]:
        """The prints that lent their colours."""
        return self.entry.attempt.styles

    @property
    def pictures(self) -> tuple[Description, ...]:
        """All that it is made of, the print first."""
        return (self.content, *self.styles)

    @cached_property
    def title(self) -> str:
        """The print's, or its identifier."""
        return plain(self.content.title or self.content.identifier)

    @property
    def format(self) -> str:
        """Media type of the full-size picture; empty where it is lost."""
        known = {".png": "image/png", ".tif": "image/tiff", ".tiff": "image/tiff", ".jp2": "image/jp2", "": ""}
        return known.get(PurePath(self.file).suffix, "application/octet-stream")

    @property
    def years(self) -> str:
        """Of the print: `1850`, `1850/1852`, or nothing."""
        first, last = self.content.year_from, self.content.year_to
        known = [f"{year:04d}" for year in (first, last) if year is not None]
        return "/".join(dict.fromkeys(known))

    @cached_property
    def machine(self) -> str:
        """Which recipe and models made it."""
        attempt = self.entry.attempt
        models = "; ".join(f"{each.role} {each.name} ({each.checksum[:12]})" for each in attempt.models)
        return plain(f"recipe {attempt.recipe.name} ({attempt.recipe.digest[:12]}), {models}")

    @cached_property
    def software(self) -> str:
        """The program that made it, by its version where that is known."""
        result = self.entry.attempt.result
        return " ".join(filter(None, ("nishiki", (result.versions if result else {}).get("nishiki"))))

    @cached_property
    def statement(self) -> Mapping[str, str]:
        """What must stand beside the picture wherever it is shown, by language."""
        colours, day = " / ".join(map(cited, self.styles)), f"{self.entry.approved_at:%Y-%m-%d}"
        credit = " / ".join(self.credits)
        return {
            "en": f"Machine-colorized by {self.software}: {cited(self.content)}"
            f"{f', in the colours of {colours}' if colours else ''}, by {self.machine}. The colours are a proposal "
            f"of a machine, not a record of the print; approved by a curator on {day}.{f' {credit}' if credit else ''}",
            "ja": f"{self.software} による自動彩色: {cited(self.content)}"
            f"{f'、色の参照元 {colours}' if colours else ''}、{self.machine}。色は機械による提案であり、"
            f"作品の色の記録ではありません。{day} に審査担当者が承認。{credit}",
        }

    @property
    def credits(self) -> tuple[str, ...]:
        """The lines that the holders ask for, each once."""
        return tuple(dict.fromkeys(plain(each.credit_line) for each in self.pictures if each.credit_line))

    @cached_property
    def rights(self) -> str | None:
        """The one licence or statement that holds for the whole; None where the pictures' differ: all are told then.

        What asks nothing of anybody gives way to what does.
        """
        told = [standard_rights(each) for each in self.pictures]
        asking = {uri for uri in told if uri is None or not any(free in uri for free in _FREE)}
        if not asking:
            return told[0]
        return asking.pop() if len(asking) == 1 else None

    @cached_property
    def corrections(self) -> tuple[str, ...]:
        """What curators put right in the archives' words on its pictures, a sentence for each picture."""
        return tuple(f"{cited(each)}: {words}" for each in self.pictures if (words := put_right(each)))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the files that are the picture itself."""
        return tuple(filter(None, (self.file, WEB)))

    def address(self, name: str) -> str:
        """Of a file in its folder."""
        return self.at + name


@dataclass(frozen=True)
class Leaving(Described):
    """With the pictures' sizes, for what shows them."""

    size: Size
    """Of the colorized picture."""
    original: Size
    """Of the print as it was harvested."""
    tiled: bool = True
    """Do tiles leave with it, or the whole pictures alone?"""


def cited(said: Description) -> str:
    """A print in one line: title, identifier, holder."""
    words = [said.title, said.identifier, said.holder or said.archive]
    return plain(", ".join(dict.fromkeys(word for word in words if word)))


def put_right(said: Description) -> str:
    """What a curator put right in the record, with the archive's own words; empty: nothing."""
    words = {Correctable(field): value for field, value in sorted(said.archive_words.items())}
    return plain("; ".join(f"{each} corrected, the archive says: {in_line(words[each], each)}" for each in words))


def standard_rights(said: Description) -> str | None:
    """The picture's licence or statement as Creative Commons or rightsstatements.org spell it; None for any other."""
    found = _STANDARD.fullmatch((said.rights_uri or "").strip())
    if found is None:
        return None
    return f"http://{found[0].partition('://')[2].removeprefix('www.')}"


def landing(said: Description) -> str | None:
    """The print's page at its archive, where it is an address of the web."""
    return said.landing_url if (said.landing_url or "").startswith(("https://", "http://")) else None


def plain(text: str) -> str:
    """On one line, and without what XML cannot hold."""
    return " ".join(_NOT_XML.sub("", text).split())


_ANY: Final[TypeAdapter[Any]] = TypeAdapter(Any)
"""Writes JSON several times as fast as `json`, which indents in Python."""


def as_json(value: Any) -> bytes:
    """Equal bytes for equal values, readable by people."""
    return _ANY.dump_json(value, indent=1) + b"\n"
