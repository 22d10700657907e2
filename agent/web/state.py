"""The five states that a policy is shown in, each with a shape and a word on the page."""

from __future__ import annotations

from enum import StrEnum

from agent.snapshot import Condition, PolicySnapshot
from agent.surroundings import FIGHTS
from scalers.decision import Basis, Decision


class PolicyState(StrEnum):
    """What an operator must know of a policy first."""

    CONFLICT = "Conflict"  # another scaler acts on the same target: the raw need is answered
    HOLDING = "Holding"  # no fresh data, or demand fell away: replicas stay, or KEDA gets an error
    REACTIVE = "Reactive"  # no forecast has cost less: the demand of now decides, with the margin that keeps the risk
    LEARNING = "Learning"  # too little history yet: raw need
    TRUSTED = "Trusted"  # a forecast decides


_STATE_OF_BASIS = {
    Basis.FORECAST: PolicyState.TRUSTED,
    Basis.REACTIVE: PolicyState.REACTIVE,
    Basis.LEARNING: PolicyState.LEARNING,
    Basis.HELD: PolicyState.HOLDING,
    Basis.WAKING: PolicyState.HOLDING,
    Basis.REFUSED: PolicyState.HOLDING,
}

_CONDITION_OF_STATE = {
    PolicyState.CONFLICT: "Conflict",
    PolicyState.HOLDING: "DataFresh",
    PolicyState.REACTIVE: "ForecastTrusted",
    PolicyState.LEARNING: "ForecastTrusted",
    PolicyState.TRUSTED: "ForecastTrusted",
}


def policy_state(snapshot: PolicySnapshot) -> PolicyState:
    """Return the state of a policy; one that has not decided yet gives KEDA nothing, so it is holding."""
    conflict = _condition(snapshot, "Conflict")
    if conflict is not None and conflict.status and conflict.reason in FIGHTS:
        return PolicyState.CONFLICT
    if snapshot.decision is None:
        return PolicyState.HOLDING
    return _STATE_OF_BASIS.get(snapshot.decision.basis) or _under_override(snapshot.decision)


def state_condition(snapshot: PolicySnapshot, state: PolicyState) -> Condition | None:
    """Return the condition that says since when and why the policy is in its state."""
    return _condition(snapshot, _CONDITION_OF_STATE[state])


def _under_override(decision: Decision) -> PolicyState:
    """A person's floor hides the basis; what the forecast is worth is still known."""
    if any(known.peak is not None and not known.peak.is_reactive for known in decision.signals):
        return PolicyState.TRUSTED
    return PolicyState.LEARNING if any(known.is_learning for known in decision.signals) else PolicyState.REACTIVE


def _condition(snapshot: PolicySnapshot, kind: str) -> Condition | None:
    return next((condition for condition in snapshot.conditions if condition.type == kind), None)
