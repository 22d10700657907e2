"""Fields of later versions: accepted and validated from the first day, so that no document has to change."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.policy.fields import Duration, Lasting, Quantity, Word
from agent.policy.part import Part


class HintMode(StrEnum):
    """How far a hint goes."""

    OFF = "Off"
    HINT = "Hint"
    DRY_RUN = "DryRun"
    APPLY = "Apply"


class Drain(Part):
    """How soon a backlog must be gone."""

    within: Annotated[Duration, Lasting("1s", "7d")] = Field(
        description="Time in which the backlog must be worked off."
    )


class Hints(Part):
    """What Foretide tells node autoscalers and VPA."""

    nodes: HintMode = Field(HintMode.OFF, description="Hints to the node autoscaler.")
    vertical: HintMode = Field(HintMode.OFF, description="Hints to VPA.")
    budget: Annotated[dict[Word, Quantity], Field(max_length=16)] = Field(
        default_factory=dict, description="Most of each resource that hints may ask for, such as nvidia.com/gpu: 8."
    )
