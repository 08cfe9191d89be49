"""A written permission that the operator has of a holder: what of its pictures may be colorized after all.

`flows.harvest` lays it over the rights that a record states; it stands in the archive's table of nishiki.toml.
"""

from dataclasses import replace
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from flows.archives.record import Derivatives, Record, Rights

PERMITTED: Final = "written permission"
"""What the basis of such rights begins with."""
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Texts = Annotated[tuple[Text, ...], Field(max_length=1000)]


class Permission(BaseModel):
    """Who allowed what, when, and where it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Text = Field(description="Its number or subject, as the holder writes it.")
    document: Text = Field(description="Where the letter or agreement is kept.")
    given: date = Field(description="Its day.")
    scope: Text = Field(description="What it allows, in a few words.")
    holders: Texts = Field(
        default=(), description="Holders whose records it covers, as they write themselves; none: all."
    )
    identifiers: Texts = Field(default=(), description="Beginnings of the identifiers that it covers; none: all.")

    def covers(self, record: Record, today: date) -> bool:
        """Is the record one of those that it allows today?"""
        return (
            self.given <= today
            and (not self.holders or record.holder in self.holders)
            and (not self.identifiers or record.identifier.startswith(self.identifiers))
        )


def permitted(record: Record, permission: Permission | None, today: date) -> Record:
    """The record with the rights that a permission gives; what the archive itself said stays in their text."""
    if permission is None or record.rights.derivatives is Derivatives.YES or not permission.covers(record, today):
        return record
    basis = (
        f"{PERMITTED} {permission.reference} of {permission.given} ({permission.document}): {permission.scope}; "
        f"without it {record.rights.derivatives}: {record.rights.basis}"
    )
    return replace(record, rights=Rights(Derivatives.YES, basis, record.rights.uri, record.rights.text))
