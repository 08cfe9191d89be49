"""A written permission that the operator has of a holder: what of its pictures may be colorized after all.

`flows.harvest` lays it over the rights that a record states, and takes it back from kept ones where it has ended; it
stands in the archive's table of nishiki.toml.
"""

from dataclasses import replace
from datetime import date
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from flows.archives.record import Derivatives, Record, Rights

PERMITTED: Final = "written permission"
"""What the basis of such rights begins with."""
_WITHOUT: Final = "; without it "
Text = Annotated[str, Field(min_length=1, max_length=1000)]
Texts = Annotated[tuple[Text, ...], Field(max_length=1000)]


class Permission(BaseModel):
    """Who allowed what, when, and where it is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Text = Field(description="Its number or subject, as the holder writes it.")
    document: Text = Field(description="Where the letter or agreement is kept.")
    given: date = Field(description="Its day.")
    until: date | None = Field(default=None, description="Its last day; left out: it has no end.")
    scope: Text = Field(description="What it allows, in a few words.")
    holders: Texts = Field(
        default=(), description="Holders whose records it covers, as they write themselves; none: all."
    )
    identifiers: Texts = Field(default=(), description="Beginnings of the identifiers that it covers; none: all.")

    def holds(self, today: date) -> bool:
        """Has it begun, and not ended?"""
        return self.given <= today and (self.until is None or today <= self.until)

    def covers(self, identifier: str, holder: str, today: date) -> bool:
        """Is a record one of those that it allows today?"""
        return (
            self.holds(today)
            and (not self.holders or holder in self.holders)
            and (not self.identifiers or identifier.startswith(self.identifiers))
        )


def permitted(record: Record, permission: Permission | None, today: date) -> Record:
    """The record with the rights that a permission gives; what the archive itself said stays in their text."""
    covered = permission is not None and permission.covers(record.identifier, record.holder, today)
    return replace(record, rights=with_permission(record.rights, permission if covered else None))


def with_permission(rights: Rights, permission: Permission | None) -> Rights:
    """Rights as they are with this permission alone, or with none; an earlier one no longer counts."""
    rights = _without(rights)
    if permission is None or rights.derivatives is Derivatives.YES:
        return rights
    basis = (
        f"{PERMITTED} {permission.reference} of {permission.given} ({permission.document}): {permission.scope}"
        f"{_WITHOUT}{rights.derivatives}: {rights.basis}"
    )
    return replace(rights, derivatives=Derivatives.YES, basis=basis)


def _without(rights: Rights) -> Rights:
    """What they would be without any permission, as their basis says."""
    if not rights.basis.startswith(PERMITTED):
        return rights
    word, _, basis = rights.basis.partition(_WITHOUT)[2].partition(": ")
    if word not in {*Derivatives}:
        return replace(rights, derivatives=Derivatives.UNKNOWN, basis="a written permission that has ended")
    return replace(rights, derivatives=Derivatives(word), basis=basis)
