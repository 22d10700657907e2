"""Fields of later versions: accepted and validated from the first day, so that no document has to change."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.policy.fields import Duration, Lasting, Quantity, Query, Share, ShareBelow, Word
from agent.policy.part import Part, rule


class HintMode(StrEnum):
    """How far a hint goes."""

    OFF = "Off"
    HINT = "Hint"
    DRY_RUN = "DryRun"
    APPLY = "Apply"


class Objective(Part):
    """What a user of the workload should see: a share of good requests, a bound on a query, or a bound on waiting."""

    name: Word = Field(description="Name, such as latency, ttft or wait.")
    good: Query | None = Field(None, description="PromQL of good requests.")
    total: Query | None = Field(None, description="PromQL of all requests.")
    target: Annotated[Share, ShareBelow(100)] | None = Field(None, description="Share that must be good.")
    window: Annotated[Duration, Lasting("1h", "366d")] = Field(
        timedelta(days=30), description="Time over which the target counts."
    )
    query: Query | None = Field(None, description="PromQL of the time that is bounded.")
    below: Annotated[Duration, Lasting("1ms", "7d")] | None = Field(None, description="Bound of the time.")

    @rule(
        at="",
        message="must have either good, total and target, or below (with a query, or alone for waiting)",
        cel="has(self.below) ? !has(self.good) && !has(self.total) && !has(self.target) "
        ": has(self.good) && has(self.total) && has(self.target) && !has(self.query)",
    )
    def is_a_share_or_a_bound(self) -> bool:
        """Half an objective cannot be judged."""
        shares = [self.good is not None, self.total is not None, self.target is not None]
        if self.below is not None:
            return not any(shares)
        return all(shares) and self.query is None


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
