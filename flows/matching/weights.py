"""The weights of the matching rule, checked like settings; docs/matching.md says what they rest on."""

from pydantic import BaseModel, ConfigDict, Field


class MatchWeights(BaseModel):
    """How much each thing counts, in the natural logarithm of ΔE00 over gray's that it is expected to save.

    Fitted on 40 real actor prints coloured from 165 prints of other designs each (docs/matching.md); `role`, `likeness`
    and `composition` said nothing about colours there and are what a curator looks at, as is the size of
    `actor_in_period`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    series: float = Field(default=0.2, ge=0, le=5, description="The same series.")
    play: float = Field(default=0.1, ge=0, le=5, description="The same play.")
    role: float = Field(default=0.03, ge=0, le=5, description="The same role.")
    actor: float = Field(default=0.06, ge=0, le=5, description="The same actor, in any year.")
    actor_in_period: float = Field(
        default=1.5,
        ge=0,
        le=5,
        description="The same actor, more the nearer the years: before all else but the design.",
    )
    artist: float = Field(default=0.02, ge=0, le=5, description="The same artist.")
    time: float = Field(default=0.14, ge=0, le=5, description="The same years; falls to 1/e in 15 years.")
    likeness: float = Field(default=0.3, ge=0, le=5, description="Likeness of what the encoder sees, -1 to 1.")
    composition: float = Field(default=0.05, ge=0, le=5, description="The same composition.")
    tones: float = Field(default=0.56, ge=0, le=5, description="Against lightness that is spread otherwise.")
    spread: float = Field(default=0.011, ge=0, le=5, description="Against each unit of the spread of a style's chroma.")
    cast: float = Field(
        default=0.025, ge=0, le=5, description="Against each unit that a style's mean colour lies off that of all."
    )
