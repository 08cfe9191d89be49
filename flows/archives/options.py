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


AnyOptions = Annotated[AutoOptions | FolderOptions | OaiOptions, Field(discriminator="protocol")]
_EACH: tuple[type[Options], ...] = get_args(get_args(AnyOptions)[0])
OPTIONS: Final[Mapping[str, type[Options]]] = {each.model_fields["protocol"].default: each for each in _EACH}
"""Protocol → its options."""
