"""Settings of the review page. `flows.settings.Settings` extends these; importing loads no web framework."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from db.exports.addresses import folder_address
from db.settings import CatalogueSettings


def _network(address: str) -> str:
    ip_network(address)
    return address


HostName = Annotated[str, Field(pattern=r"^(\*\.)?[A-Za-z0-9._-]+$|^\[[0-9A-Fa-f:.]+\]$")]
"""No pattern that fits every host: pages of other sites would come in by a name of their own (DNS rebinding)."""


class ReviewSettings(CatalogueSettings):
    """How the review page is reached, who is trusted, and how curators work together."""

    review_host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address that the review page listens on; any but this machine's own needs accounts.",
    )
    review_port: int = Field(default=8377, ge=0, le=65_535, description="Its port; 0: any that is free.")
    review_names: tuple[HostName, ...] = Field(
        default=(),
        description="Host names by which browsers reach the page, beside the address itself.",
        examples=[("prints.museum.example",)],
    )
    review_user_header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] | None = Field(
        default=None,
        description="Header in which a proxy that signs people in (OIDC) gives the curator's name, "
        "such as `X-Forwarded-User`.",
    )
    review_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        description="Addresses or networks of proxies whose headers are believed: user, scheme, the browser's address.",
        examples=[("10.0.0.0/8",)],
    )
    review_connections_each: int = Field(
        default=100, ge=6, le=500, description="Connections that one address may have at once; a browser takes 6."
    )
    review_read_only: bool = Field(
        default=False, description="Everybody only looks, and nothing is written: a reading database role is enough."
    )
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = Field(
        default=None,
        description="What a monitor must show to read /metrics (Authorization: Bearer TOKEN), 16 letters and more; "
        "left out: only this machine reads it; secret.",
    )
    api_per_minute: int = Field(
        default=300,
        ge=1,
        le=100_000,
        description="Requests to the API in a minute, of one token, or of one address without a token.",
    )
    oai_address: Annotated[str, AfterValidator(folder_address)] | None = Field(
        default=None,
        description="The --address of the package that `nishiki export --to` makes; given, /oai tells harvesters of "
        "its entries (OAI-PMH), whoever they are; left out, there is no /oai.",
    )
    oai_email: Annotated[str, Field(pattern=r"^[^@\s<>&]+@[^@\s<>&]+$", max_length=254)] | None = Field(
        default=None, description="Mail address of whoever keeps /oai, which tells it to harvesters."
    )
    export_dir: Annotated[Path, AfterValidator(Path.expanduser)] | None = Field(
        default=None,
        description="Folder that admins export into from the page, a folder in it for each filter; left out: the page "
        "exports nothing.",
    )
    export_address: Annotated[str, AfterValidator(folder_address)] = Field(
        default="http://localhost:8000/",
        description="Where a web server serves that folder; all ids in its packages begin with it.",
    )
    export_tiles: bool = Field(
        default=True,
        description="Tiles for zooming leave with a package, most of its files; false: whole pictures alone, unless "
        "an export asks for them.",
    )
    session_hours: float = Field(
        default=12.0, gt=0, le=168, description="Hours after which an idle curator signs in again."
    )
    lease_minutes: float = Field(
        default=30.0, gt=0, le=1440, description="Minutes for which an entry that a curator opened is left to them."
    )
    blind_share: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Share of entries that two curators judge without seeing each other's verdict; "
        "counts where there are two.",
    )
    audit_days: int = Field(
        default=365,
        ge=1,
        le=36_500,
        description="Days for which sign-ins, changes of accounts and exports are on record.",
    )
    look_s: float = Field(
        default=2.0, ge=0, le=600, description="Seconds under which a look is too short: such verdicts are counted."
    )

    @model_validator(mode="after")
    def _provider_has_a_keeper(self) -> Self:
        """OAI-PMH wants an address of mail."""
        if self.oai_address is not None and self.oai_email is None:
            raise ValueError("oai_address needs oai_email, which harvesters are told")
        return self
