"""What a decision must respect: bounds, risk, times. Parsed once from the policy document, frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class Mode(StrEnum):
    """Whether KEDA gets the recommendation (Active) or the raw need (Shadow)."""

    SHADOW = "Shadow"
    ACTIVE = "Active"


class WhenUnknown(StrEnum):
    """What to tell KEDA about a target at zero replicas whose demand is not known."""

    WAKE = "Wake"
    STAY = "Stay"


@dataclass(frozen=True, slots=True, order=True)
class PolicyKey:
    """Namespace and name of a policy."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """Inclusive replica bounds in whole gangs."""

    minimum: int  # 0 allows scale to zero
    maximum: int
    gang: int = 1  # replicas that are useful only together

    def __post_init__(self) -> None:
        if not 0 <= self.minimum <= self.maximum or self.maximum < 1 or self.gang < 1:
            raise ValueError(f"bounds must be 0 <= min <= max, max >= 1 and gang >= 1, got {self}")
        if self.minimum % self.gang or self.maximum % self.gang:
            raise ValueError(f"min {self.minimum} and max {self.maximum} must be multiples of gang {self.gang}")


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """One demand signal: how it is sampled and what one replica can carry of it."""

    name: str
    step: timedelta  # spacing of the samples
    delay: timedelta  # how late the source is
    window: timedelta  # over which the query averages, so a rise shows this much later
    capacity: float  # demand units that one replica serves within its objective, above 0
    meaning: str = ""  # fingerprint of what is asked of the source; another meaning is another history


@dataclass(frozen=True, slots=True)
class Override:
    """A floor that a person set for a time."""

    replicas: int
    since: datetime
    until: datetime
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """Local days of one kind that are unlike others: the public holidays of a country, or spans."""

    country: str | None = None  # ISO 3166, two letters
    subdivision: str | None = None  # as the country's own code for it
    spans: tuple[tuple[date, date], ...] = ()  # first and last day of each, both included
    is_yearly: bool = False  # whether the spans come back each year


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """Everything of a ForecastPolicy that a decision reads."""

    key: PolicyKey
    mode: Mode
    signals: tuple[SignalPolicy, ...]
    bounds: Bounds
    risk: float  # share of time demand may exceed ready capacity, in (0, 1)
    lead_time: timedelta  # start-up of a replica, created to Ready
    sync: timedelta  # the HPA's period
    tolerance: float  # the HPA's, a ratio
    stabilization: timedelta  # the HPA's scale-down window
    activation: float  # demand at or below it counts as idle
    when_unknown: WhenUnknown
    stale_forecast: timedelta  # age after which a forecast no longer raises the answer
    stale_data: timedelta  # age of the data after which KEDA gets an error
    horizon: timedelta  # how far the forecast reaches
    history: timedelta  # how much of the past is used
    models: tuple[str, ...]  # names of forecasters, resolved from `auto`
    families: tuple[str, ...] = ()  # of decision experts that may answer beside reactive ones, likewise
    overrides: tuple[Override, ...] = ()
    time_zone: str = "UTC"  # IANA name: whose time of day the demand follows
    calendar: tuple[SpecialDays, ...] = ()  # of a day that several name, the first counts
    lead_time_from: int | None = None  # start-ups that the lead time was measured from; None where it is declared
    warm_up: timedelta = timedelta(0)  # after Ready, until a replica serves its whole capacity

    def look_ahead(self, signal: SignalPolicy) -> timedelta:
        """Return how far ahead a decision on a signal must read: start-up, warm-up, the HPA's sync, the data's age.

        A replica counts from the moment at which it serves its whole capacity. To count on a share of it earlier would
        leave demand unserved while it warms up.
        """
        return self.lead_time + self.warm_up + self.sync + signal.step + signal.delay
