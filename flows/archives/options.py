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

    model_config = ConfigDict(frozen=True, extra="forbid")


class AutoOptions(Options):
    """None: what may be told depends on the protocol."""

    protocol: Literal["auto"] = "auto"


class FolderOptions(Options):
    """A folder's."""

    protocol: Literal["folder"] = "folder"


class OaiOptions(Options):
    """OAI-PMH's."""

    protocol: Literal["oai-pmh"] = "oai-pmh"


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


AnyOptions = Annotated[
    AutoOptions | FolderOptions | OaiOptions | JapanSearchOptions | MetOptions | AicOptions | ClevelandOptions,
    Field(discriminator="protocol"),
]
_EACH: tuple[type[Options], ...] = get_args(get_args(AnyOptions)[0])
OPTIONS: Final[Mapping[str, type[Options]]] = {each.model_fields["protocol"].default: each for each in _EACH}
"""Protocol → its options."""
