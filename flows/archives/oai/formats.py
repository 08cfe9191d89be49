"""How ESE, EDM, MODS and LIDO say what Dublin Core says: a table for each, from our names to places in a description.

Called by `dublin_core.py`, which needs none for oai_dc. A description is known by its outermost element, whatever
prefix an archive gives to it. Sources: the element lists of ESE 3.4 and EDM 5.2.4 (Europeana), MODS 3.7 (Library of
Congress), LIDO 1.1 (ICOM-CIDOC).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from flows.archives.values.authorities import authority

ARTISTS = frozenset(
    {
        "artist",
        "creator",
        "designer",
        "printmaker",
        "painter",
        "draftsman",
        "draughtsman",
        "illustrator",
        "author",
        "attributed",
        "art",
        "cre",
        "dsr",
        "prm",
        "ill",
        "drm",
        "絵師",
        "画工",
        "画家",
        "作者",
    }
)
ACTORS = frozenset({"actor", "performer", "depicted", "act", "prf", "dpc", "役者", "俳優"})
UNNAMED = frozenset([""])


@dataclass(frozen=True)
class Place:
    """Where something stands: local names with `/` between them, `@name` for an attribute, `//` for any depth."""

    path: str
    where: str = ""
    """A place within the last element's beginning, up to `inner`."""
    among: frozenset[str] = frozenset()
    """What must stand there, in small letters."""
    inner: str = ""
    """The rest of the path, below the element that `where` is asked of."""
    between: str | None = None
    """Stands between several parts of one text; None: each is a text of its own."""

    def texts(self, description: Element) -> Iterator[str]:
        """What stands there, in order; a reference to a named thing of the description is its name."""
        path = self.path.partition("@")[0]
        for element in _found(description, path):
            words = {word.strip(".,").casefold() for word in _said(element, self.where, description)} or UNNAMED
            if self.where and not words & self.among:
                continue
            texts = list(_said(element, self.inner or self.path[len(path) :], description))
            yield from texts if self.between is None or not texts else [self.between.join(texts)]


Places = tuple[Place, ...]


@dataclass(frozen=True)
class Format:
    """How one kind of description is read."""

    says: Mapping[str, Places]
    """The name in Dublin Core, or `picture`, `landing`, `thumbnail`, `credit`, `first`, `last` → places that say it."""
    rights: Places
    """All that is said of rights, the strictest of which holds."""
    of_pictures: Places
    """Where rights of the pictures stand: without a word there nothing is known of them."""
    people: Place | None = None
    """Where persons stand, and below each, in `inner`, the name."""

    def authorities(self, description: Element) -> Iterator[tuple[str, str]]:
        """(name, address) of persons in authority files, whichever part of a person's element holds the address."""
        if self.people is None:
            return
        for person in _found(description, self.people.path):
            names = list(_said(person, self.people.inner, description))
            if names and self.people.between is not None:
                names = [self.people.between.join(names)]
            said = (text for part in person.iter() for text in (part.text or "", *part.attrib.values()))
            addresses = dict.fromkeys(filter(None, map(authority, said)))
            yield from ((name, address) for name in names for address in addresses)


def _at(*paths: str) -> Places:
    return tuple(Place(path) for path in paths)


_ESE = Format(
    {
        **{name: _at(name) for name in ("title", "creator", "contributor", "type", "subject", "identifier")},
        "date": _at("created", "date", "issued"),
        "publisher": _at("dataProvider", "provider"),
        "picture": _at("isShownBy"),
        "landing": _at("isShownAt"),
    },
    rights=_at("rights", "license"),
    of_pictures=_at("rights"),
)
_EDM = Format(
    {
        **{name: _at(f"ProvidedCHO/{name}") for name in ("title", "creator", "contributor", "subject", "identifier")},
        "type": _at("ProvidedCHO/hasType", "ProvidedCHO/type"),
        "date": _at("ProvidedCHO/created", "ProvidedCHO/date", "ProvidedCHO/issued"),
        "publisher": _at("Aggregation/dataProvider", "Aggregation/provider"),
        "picture": _at("Aggregation/isShownBy", "Aggregation/hasView"),
        "landing": _at("Aggregation/isShownAt"),
    },
    rights=_at("Aggregation/rights", "WebResource/rights", "WebResource/license", "ProvidedCHO/rights"),
    of_pictures=_at("Aggregation/rights", "WebResource/rights"),
    people=Place("Agent", inner="prefLabel"),
)
_MODS = Format(
    {
        "title": _at("titleInfo/title"),
        "creator": (Place("name", "role/roleTerm", ARTISTS | UNNAMED, "namePart", " "),),
        "contributor": (Place("name", "role/roleTerm", ACTORS, "namePart", " "),),
        "date": tuple(
            Place(f"originInfo/{name}", "@point", UNNAMED) for name in ("dateCreated", "dateIssued", "displayDate")
        ),
        "first": tuple(
            Place(f"originInfo/{name}", "@point", frozenset(["start"])) for name in ("dateCreated", "dateIssued")
        ),
        "last": tuple(
            Place(f"originInfo/{name}", "@point", frozenset(["end"])) for name in ("dateCreated", "dateIssued")
        ),
        "type": _at("genre"),
        "subject": _at("subject/topic", "subject/genre"),
        "identifier": _at("identifier", "location/url"),
        "publisher": _at("location/physicalLocation"),
        "picture": (Place("location/url", "@access", frozenset(["raw object"])),),
        "landing": (Place("location/url", "@access", frozenset(["object in context"])),),
    },
    rights=_at("//accessCondition", "//accessCondition@href"),
    of_pictures=_at("accessCondition", "accessCondition@href"),
    people=Place("name", inner="namePart", between=" "),
)
_EVENT = "//event/eventActor/actorInRole"
_LIDO = Format(
    {
        "title": _at("//titleSet/appellationValue"),
        "creator": (Place(_EVENT, "roleActor/term", ARTISTS | UNNAMED, "actor/nameActorSet/appellationValue"),),
        "contributor": _at("//subjectActor/actor/nameActorSet/appellationValue"),
        "date": _at("//event/eventDate/displayDate"),
        "first": _at("//event/eventDate/date/earliestDate"),
        "last": _at("//event/eventDate/date/latestDate"),
        "type": _at("//objectWorkType/term", "//classification/term"),
        "subject": _at("//subjectConcept/term"),
        "identifier": _at("//repositorySet/workID"),
        "publisher": _at("//repositoryName/legalBodyName/appellationValue"),
        "picture": _at("//resourceRepresentation/linkResource"),
        "landing": _at("//recordInfoLink", "//objectWebResource"),
        "credit": _at("//rightsResource/creditLine", "//rightsWorkSet/creditLine"),
    },
    rights=tuple(
        Place(f"//{wrap}/rightsType/{name}")
        for wrap in ("rightsResource", "rightsWorkSet")
        for name in ("conceptID", "term", "Concept@about")
    ),
    of_pictures=_at(
        "//rightsResource/rightsType/conceptID",
        "//rightsResource/rightsType/term",
        "//rightsResource/rightsType/Concept@about",
    ),
    people=Place("//actor", inner="nameActorSet/appellationValue"),
)
FORMATS: Mapping[str, Format | None] = {
    "dc": None,
    "record": _ESE,
    "RDF": _EDM,
    "mods": _MODS,
    "lido": _LIDO,
}
"""A description's outermost element → how it is read; None for Dublin Core itself."""
_ASIDE = ("date", "termsOfAddress")
"""Kinds of parts of a name that are none."""
_WRAPPERS = ("lidoWrap", "modsCollection", "metadata")
"""What may stand around a description."""


def description_in(metadata: Element | None) -> tuple[Element, Format | None] | None:
    """The description of a record that is understood; None where there is none."""
    held = [] if metadata is None else list(metadata)
    inside = [inner for each in held if local(each) in _WRAPPERS for inner in each]
    return next(((each, FORMATS[local(each)]) for each in (*held, *inside) if local(each) in FORMATS), None)


def local(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def _found(parent: Element, path: str) -> list[Element]:
    steps = "/".join(f"{{*}}{step}" for step in path.removeprefix("//").split("/"))
    return parent.findall(f".//{steps}" if path.startswith("//") else steps)


def _said(parent: Element, path: str, description: Element) -> Iterator[str]:
    """The texts at a place below an element, or the element's own where the path is empty."""
    steps, _, attribute = path.partition("@")
    for element in _found(parent, steps) if steps else [parent]:
        if attribute:
            text = _attribute(element, attribute)
        elif _attribute(element, "type") in _ASIDE:
            continue
        else:
            text = " ".join("".join(element.itertext()).split()) or _referred(element, description)
        if text:
            yield text


def _attribute(element: Element, name: str) -> str:
    values = (value for key, value in element.attrib.items() if key.rpartition("}")[2] == name)
    return " ".join(next(values, "").split())


def _referred(element: Element, description: Element) -> str:
    """What an element without text refers to: the name of a thing that the description names, else its address."""
    address = _attribute(element, "resource") or _attribute(element, "href")
    if not address:
        return ""
    for thing in description:
        if _attribute(thing, "about") == address:
            names = (" ".join((label.text or "").split()) for label in _found(thing, "prefLabel"))
            return next(filter(None, names), address)
    return address
