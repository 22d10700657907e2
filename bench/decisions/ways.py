"""Ways to decide that lack one part each: what that part buys is what they lose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecasters.past import Outcomes
from forecasters.peak_paths import ANALOG, FAMILIES, HOLD, QUANTILES, REACTIVE, VOLATILITY
from forecasters.usual import Usual, UsualAt, usual_at
from scalers.choice import Answering, choose
from scalers.contest import Contest, Expert
from scalers.ledger import Records

EVERYTHING = "everything"


def lately_alone(outcomes: Outcomes, rows: NDArray[np.int64]) -> Usual:
    """Return what the last hour says, and of days and weeks that nothing is known."""
    usual = usual_at(outcomes, rows)
    return Usual(usual.lately, np.full_like(usual.slow, np.nan), np.full_like(usual.habits, np.nan))


@dataclass(frozen=True, slots=True)
class Way:
    """Which experts may answer, and how."""

    name: str
    lacks: frozenset[str] = frozenset()  # families
    may_pass_tolerance: bool = True
    is_margin_learned: bool = True  # else the quantile that the risk asks for answers, as it was fitted
    usual_of: UsualAt = usual_at

    def allowed(self, contest: Contest) -> NDArray[np.bool_]:
        """Return which experts may answer, shape (experts,)."""
        return np.array([self._allows(expert) for expert in contest.experts])

    def _allows(self, expert: Expert) -> bool:
        return FAMILIES[expert.path] not in self.lacks and (self.may_pass_tolerance or not expert.passes_tolerance)


WAYS = (
    Way(EVERYTHING),
    Way("without the quantile regression", lacks=frozenset({QUANTILES})),
    Way("without holds, analog and volatility", lacks=frozenset({HOLD, ANALOG, VOLATILITY})),
    Way("reactive scaling alone, its margin learned", lacks=frozenset({QUANTILES, HOLD, ANALOG, VOLATILITY})),
    Way("never past the HPA's tolerance", may_pass_tolerance=False),
    Way("without a learned margin", is_margin_learned=False),
    Way("without days and weeks", usual_of=lately_alone),
)


@dataclass(slots=True, eq=False)
class Lane:
    """One way at one risk, and who answers for it now."""

    way: Way
    risk: float
    allowed: NDArray[np.bool_]
    reactive: NDArray[np.bool_]
    lead: int | None = None

    @classmethod
    def of(cls, way: Way, risk: float, contest: Contest) -> Lane:
        reactive = np.array([expert.path == REACTIVE for expert in contest.experts])
        return cls(way, risk, way.allowed(contest), reactive)

    def choose(self, contest: Contest, records: Records) -> Answering:
        """Return whom to ask from now on."""
        if not self.way.is_margin_learned:
            return Answering(np.array([_as_fitted(contest, self.risk)]), np.ones((1, 1)), passes_tolerance=False)
        choice = choose(records, risk=self.risk, allowed=self.allowed, reactive=self.reactive, before=self.lead)
        self.lead = choice.lead
        return Answering.of(records, choice, risk=self.risk, allowed=self.allowed, passing=contest.passing)


def _as_fitted(contest: Contest, risk: float) -> int:
    """Return the quantile nearest to the risk, planned for with all of a replica's capacity."""
    level = min((0.8, 0.9, 0.95, 0.98), key=lambda level: abs(np.log((1 - level) / risk)))
    return contest.experts.index(Expert(f"quantile-{level:g}", 1.0, passes_tolerance=False))
