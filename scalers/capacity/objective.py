"""What a user of the service should see, as one number with a limit."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Sense(Enum):
    """On which side of the limit the objective is kept."""

    AT_MOST = auto()  # such as a latency
    AT_LEAST = auto()  # such as the share of good requests


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of an objective, in the objective's own unit."""

    value: float
    sense: Sense = Sense.AT_MOST

    def is_kept(self, observed: float) -> bool:
        """Return whether an observed value is on the right side; the limit itself is."""
        return observed <= self.value if self.sense is Sense.AT_MOST else observed >= self.value
