"""What decides an attempt's result: the models used, the inputs taken, and the digests that claims compare.

A claim is content + recipe digest + models' digest + inputs' digest: of one key one attempt is pending, succeeded or
rejected (`db.tables.night.CLAIM`). Digests are the sha256 (hex) of canonical JSON, and are made here only: UTF-8,
keys sorted, no blanks, null for what is not there, no NaN.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

ENCODER = "encoder"
"""The role of the model that an attempt's relative errors are taken with; every attempt has one."""


@dataclass(frozen=True)
class ModelKey:
    """Trained weights, and what they do for an attempt; the checksum (sha256) tells them apart, the name people."""

    role: str
    name: str
    checksum: str


@dataclass(frozen=True)
class MatcherKey:
    """What found a match; `version` covers its algorithm and the checksums of the models it uses."""

    name: str
    version: str


PINNED = MatcherKey("pin", "1")
"""What a curator decided: no matcher overrides it."""


@dataclass(frozen=True)
class StyleInput:
    """A style image, with what maps it onto the content where the two are of one design."""

    sha256: str
    registration: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Inputs:
    """What an attempt takes besides its content: style images in their order, a curator's marks, a mask."""

    styles: tuple[StyleInput, ...] = ()
    marks_sha256: str | None = None
    mask_sha256: str | None = None

    def data(self) -> dict[str, Any]:
        """As JSON."""
        styles = [{"sha256": style.sha256, "registration": style.registration} for style in self.styles]
        return {"styles": styles, "marks_sha256": self.marks_sha256, "mask_sha256": self.mask_sha256}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        """What `data` gave."""
        return cls(tuple(StyleInput(**style) for style in data["styles"]), data["marks_sha256"], data["mask_sha256"])


def models_data(models: Iterable[ModelKey]) -> list[dict[str, Any]]:
    """As JSON, in one order."""
    return [asdict(model) for model in sorted(models, key=lambda model: (model.role, model.checksum))]


def models_from(data: Iterable[Mapping[str, Any]]) -> tuple[ModelKey, ...]:
    """What `models_data` gave."""
    return tuple(ModelKey(**model) for model in data)


def models_digest(models: Iterable[ModelKey]) -> str:
    """Over roles and checksums: weights under another name are the same weights."""
    return _digest(sorted([model.role, model.checksum] for model in models))


def inputs_digest(inputs: Inputs) -> str:
    """Over everything in the inputs; the order of the styles counts."""
    return _digest(inputs.data())


def _digest(value: Any) -> str:
    canonical = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
