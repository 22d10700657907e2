"""From a policy to what the experts of one of its signals are simulated under."""

from __future__ import annotations

import math
from datetime import timedelta

from scalers.contest import Setting
from scalers.hpa_rules import MOST_REPLICAS, HpaRules
from scalers.policy import ScalingPolicy, SignalPolicy

# What a query that names no window is taken to average over: most scrape and record once a minute.
_USUAL_WINDOW = timedelta(minutes=1)


def step_of(policy: ScalingPolicy, signal: SignalPolicy, row: timedelta) -> timedelta:
    """Return the time between two steps of a signal's experts: a sync of the HPA, where samples and rows allow for it.

    A row has a whole number of steps, or is the step.
    """
    step = max(signal.step, policy.sync)
    return row if row % step else step


def rows_ahead(policy: ScalingPolicy, signal: SignalPolicy, row: timedelta) -> int:
    """Return the rows after which all is seen that demand does within the look-ahead: a query averages, and is late."""
    return math.ceil((policy.look_ahead(signal) + (signal.window or _USUAL_WINDOW) + signal.step) / row)


def setting_of(policy: ScalingPolicy, signal: SignalPolicy, step: timedelta) -> Setting:
    """Return what a signal's experts are simulated under, `step` apart."""
    syncs = max(1, step // policy.sync) if policy.sync else 1
    late = (signal.window or _USUAL_WINDOW) / 2 + signal.delay + signal.step
    maximum = min(policy.bounds.maximum, MOST_REPLICAS)
    return Setting(
        capacity=signal.capacity,
        step=step,
        start_up=policy.lead_time,
        late=max(1, round(late / step)),
        rules=HpaRules(
            minimum=min(max(1, policy.bounds.minimum), maximum),
            maximum=maximum,
            tolerance_up=policy.tolerance,
            tolerance_down=policy.tolerance,
            stabilization=policy.stabilization,
            up_percent=100.0 * (2 ** min(syncs, 10) - 1),
            up_pods=4 * syncs,
        ),
        gang=policy.bounds.gang,
    )
