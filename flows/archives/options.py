"""What each protocol may be told besides its address: one model a protocol, checked when settings are read.

In `nishiki.toml` these stand in an archive's own table. `flows.settings` picks the model by the protocol's name, and
`Access` brings it to the client. Knows no client.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Texts = Annotated[tuple[Text, ...], Field(max_length=1000)]


class Options(BaseModel):
    """What every protocol's options have: the protocol's name, by which they are told apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class AutoOptions(Options):
    """None: what may be told depends on the protocol."""

    protocol: Literal["auto"] = "auto"


class FolderOptions(Options):
    """A folder's."""

    protocol: Literal["folder"] = "folder"


class OaiOptions(Options):
    """OAI-PMH's: what of the archive is read, and in which form."""

    protocol: Literal["oai-pmh"] = "oai-pmh"
    sets: Texts = Field(default=(), description="Sets by their `setSpec`; their records are read. None: all records.")
    metadata_prefixes: Annotated[tuple[Text, ...], Field(min_length=1, max_length=20)] = Field(
        default=("oai_dc",),
        description="Forms of description by the archive's own prefixes; the first that it offers is read. Understood "
        "are oai_dc, ESE, EDM, MODS and LIDO, whatever their prefixes.",
    )


class IiifPictures(Options):
    """How pictures over IIIF are asked for."""

    long_edge_px: int = Field(
        default=0, ge=0, le=100_000, description="Pictures no larger than that; 0: as large as the archive allows."
    )
    image_rights: bool = Field(
        default=True,
        description="Is a picture left whose own info.json forbids derivatives, whatever its manifest says? "
        "false where a permission of the holder covers it.",
    )


class IiifOptions(IiifPictures):
    """IIIF's."""

    protocol: Literal["iiif"] = "iiif"


class IiifChangeOptions(IiifPictures):
    """IIIF Change Discovery's."""

    protocol: Literal["iiif-change"] = "iiif-change"


class JapanSearchOptions(Options):
    """Japan Search's: which of its databases are read, and what of them."""

    protocol: Literal["japan-search"] = "japan-search"
    databases: Annotated[tuple[Text, ...], Field(min_length=1, max_length=1000)] = Field(
        default=("arc_nishikie",),
        description="Databases by their ids; `arc_nishikie` are the prints of the portal of ARC.",
    )
    keywords: Texts = Field(default=(), description="Words that a record must have, all of them; `-word` must not be.")
    large_pictures: dict[Text, Text] = Field(
        default={"/archive01/theater/th_image/": "/archive01/theater/image/"},
        max_length=100,
        description="Where a record names only a thumbnail: part of its address → what stands there in the picture's.",
    )


class MetOptions(Options):
    """The Metropolitan Museum of Art's: which departments are read, and what of them."""

    protocol: Literal["met"] = "met"
    departments: Annotated[tuple[int, ...], Field(max_length=100)] = Field(
        default=(6,), description="Departments by their numbers; 6 is Asian Art. None: all."
    )
    keyword: str = Field(
        default="", max_length=1000, description="Word that the museum's search ranks by; it filters nothing reliably."
    )


class AicOptions(Options):
    """The Art Institute of Chicago's: what of its artworks is read, and in which size."""

    protocol: Literal["aic"] = "aic"
    types: Texts = Field(default=("Print",), description="Kinds of work (`artwork_type_title`). None: all.")
    places: Texts = Field(default=("Japan",), description="Places of origin (`place_of_origin`). None: all.")
    keyword: str = Field(default="", max_length=1000, description="Word that the museum's search ranks by.")
    picture_width: int = Field(
        default=843,
        ge=200,
        le=3000,
        description="Pixels; 843 is what the museum asks for and keeps ready, 1686 its largest.",
    )


class ClevelandOptions(Options):
    """The Cleveland Museum of Art's: what of its artworks is read, and in which size."""

    protocol: Literal["cleveland"] = "cleveland"
    department: str = Field(default="Japanese Art", max_length=1000, description="Department. Empty: all.")
    type: str = Field(default="Print", max_length=1000, description="Kind of work. Empty: all.")
    keyword: str = Field(default="", max_length=1000, description="Word that the museum's search looks for.")
    picture: Literal["print", "web", "full"] = Field(
        default="print", description="Size of the pictures; `full` are TIFFs of up to some hundred megabytes."
    )


class Markup(BaseModel):
    """Where the parts of a result stand on a page: CSS selectors, `css@attribute` for an attribute's value."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    item: Text = Field(default="td:has(img)", description="One result.")
    caption: str = Field(default="", max_length=1000, description="Its caption within it; empty: all its text.")
    picture: str = Field(default="img@src", max_length=1000, description="Its picture.")
    page: str = Field(default="a@href", max_length=1000, description="Its page for people.")
    label: Text = Field(
        default="dt",
        description="Labels beside the caption, such as those of rights; what is said stands in the next element.",
    )
    large: tuple[Text, str] = Field(
        default=("/th_image/", "/image/"),
        description="What leads from a small picture's address to the large one's; the first place alone is changed.",
    )
    nothing_found: Text = Field(
        default="該当するデータはありません", description="What a page says that finds nothing."
    )


class ArcOptions(Options):
    """Those of the Ukiyo-e Portal of ARC: what is asked, and how a page of results is read."""

    protocol: Literal["arc"] = "arc"
    list_path: Text = Field(default="results-big.php", description="Where lists are, from the archive's address.")
    query: dict[Text, str] = Field(
        default={"f44[]": "役者絵", "f9[]": "1", "f11[]": "1", "f69[]": "=", "-format": "resultsp.htm",
                 "enter": "portal", "lang": "ja"},
        description="Parameters of the search; f44[] is the genre, f23[] the artist, f49 the holder.",
    )  # fmt: skip
    genre_found: str = Field(default="役者絵", max_length=1000, description="Genre of all that the search finds.")
    size_parameter: Text = Field(default="-max", description="Parameter for the results of a page.")
    page_parameter: Text = Field(default="skip", description="Parameter for the page, from 0 on.")
    page_size: int = Field(default=100, ge=1, le=1000, description="Results of a page.")
    markup: Markup = Field(default=Markup(), description="How a page is read.")
    own_hosts: Texts = Field(
        default=("www.arc.ritsumei.ac.jp",), description="Hosts that hold pictures of ARC itself, among others' ones."
    )
    own_paths: Texts = Field(default=("/PB/arc/",), description="Parts of an address that tell ARC's own pictures.")


AnyOptions = Annotated[
    AutoOptions
    | FolderOptions
    | OaiOptions
    | IiifOptions
    | IiifChangeOptions
    | JapanSearchOptions
    | MetOptions
    | AicOptions
    | ClevelandOptions
    | ArcOptions,
    Field(discriminator="protocol"),
]
_EACH: tuple[type[Options], ...] = get_args(get_args(AnyOptions)[0])
OPTIONS: Final[Mapping[str, type[Options]]] = {each.model_fields["protocol"].default: each for each in _EACH}
"""Protocol → its options."""
