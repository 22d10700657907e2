"""ARIMA(2,1,2), fitted by statsmodels in the fit pool and carried on by numpy alone.

The serving process sees three coefficient arrays and a state vector; it never imports statsmodels. The recursion is
the innovations form of the state-space model (Durbin & Koopman, Time Series Analysis by State Space Methods, 2nd ed.,
section 4.3.4) with the gain it settles at. As the process is observed without noise, the last observation leaves
nothing in doubt, so the spread h steps ahead comes from the psi weights alone and is exact over gaps as well.
"""

from __future__ import annotations

import warnings
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.forecast import Forecast
from forecasters.forecaster import ModelState, fitted_state, require_history, up_to_last_value
from forecasters.series import Series
from forecasters.spread import check_request, moving_average_deviation, normal_forecast

_ROWS = 2016  # what a fit sees: its cost grows with them, and short memory is all it has to learn
_FEWEST_ROWS = 120
_ORDER = (2, 1, 2)
_PLAINER_ORDER = (1, 1, 1)  # has one optimum, where the first choice may not converge
_ITERATIONS = 50
_DIGITS = 9  # values are rounded to it after scaling, so that a change of unit leads the optimiser along the same path
_SLOWEST = 0.99  # bound on the MA roots: a start is forgotten within a few hundred steps
_LONGEST_GAP = 512  # steps whose uncertainty is summed for the gain after a gap; beyond it the gain no longer moves


class Arima:
    """Short memory around a level that drifts; knows no season."""

    name = "arima"

    def grid(self, step: timedelta) -> timedelta:
        """Return the step as it is."""
        return step

    def fit(self, history: Series) -> ModelState:
        """Estimate on at most the last 2,016 rows; gaps are bridged by straight lines there, and left out of the state.

        Raises:
            TooLittleHistory: fewer than 120 values.
        """
        recent = history.last(_ROWS)
        require_history(recent, _FEWEST_ROWS * history.step)
        known = up_to_last_value(recent)
        phi, theta, variance = _estimate(np.diff(known.filled()))
        arrays = {**_system(phi, theta), "variance": np.array([variance])}
        values = known.values[int(np.argmax(np.isfinite(known.values))) :]
        first = Series(history.start, history.step, values[:1])
        arrays["state"] = np.array([float(values[0])] + [0.0] * (len(arrays["impact"]) - 1))
        state = fitted_state(self.name, first, arrays)
        for value in values[1:].tolist():
            state = self.update(state, value)
        return fitted_state(self.name, history, state.arrays)

    def update(self, state: ModelState, value: float) -> ModelState:
        """Take in the next grid point."""
        if not np.isfinite(value):
            return state.after_gap()
        transition, impact = state.arrays["transition"], state.arrays["impact"]
        expected = transition @ state.arrays["state"]
        gain = impact
        if state.gaps:
            expected = np.linalg.matrix_power(transition, state.gaps) @ expected
            gain = _gain_after(state.gaps, transition, impact)
        arrays = {**state.arrays, "state": expected + gain * (value - _observed(expected))}
        return state.after(value, arrays)

    def forecast(self, state: ModelState, steps: int, levels: tuple[float, ...]) -> Forecast:
        """Return the expected path and the spread that the psi weights give."""
        check_request(steps, levels)
        transition = state.arrays["transition"]
        reach = state.gaps + steps
        both = np.column_stack((transition @ state.arrays["state"], state.arrays["impact"]))
        ahead = np.empty((reach, 2))  # the path, the psi weights
        for step in range(reach):
            ahead[step] = both[0] + both[1]
            both = transition @ both
        deviation = moving_average_deviation(float(state.arrays["variance"][0]), ahead[:, 1].tolist())
        return normal_forecast(state, ahead[:, 0], deviation, levels)


def _estimate(changes: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return AR coefficients, MA coefficients and innovation variance of the step-to-step changes."""
    scale = float(np.sqrt(np.mean(np.square(changes))))
    if not scale > 0.0:
        return np.zeros(1), np.zeros(1), 0.0
    # imported here because only the fit pool may pay for it: 200 MiB and two seconds
    from statsmodels.tools.sm_exceptions import ConvergenceWarning  # noqa: PLC0415
    from statsmodels.tsa.arima.model import ARIMA  # noqa: PLC0415

    scaled = np.round(changes / scale, _DIGITS)
    for order in (_ORDER, _PLAINER_ORDER):
        model = ARIMA(scaled, order=(order[0], 0, order[2]), trend="n")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # iterations are bounded on purpose
            warnings.simplefilter("ignore", UserWarning)  # about starting values, which it then replaces itself
            try:
                result = model.fit(
                    method="innovations_mle",
                    cov_type="none",
                    method_kwargs={"minimize_kwargs": {"options": {"maxiter": _ITERATIONS}}},
                )
            except (ValueError, ArithmeticError):  # numpy's LinAlgError among them
                continue
        found = np.asarray(result.params, dtype=np.float64)
        if np.isfinite(found).all():
            return found[: order[0]], _forgetful(found[order[0] : -1]), float(found[-1]) * scale**2
    return np.zeros(1), np.zeros(1), scale**2  # neither converges: a random walk


def _forgetful(theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return MA coefficients with their roots drawn inside the bound, so that the start of the history is forgotten.

    Where a series returns to its mean, differencing it leaves a root at 1, with which the gain never settles.
    """
    slowest = float(np.abs(np.roots(np.concatenate(([1.0], theta)))).max(initial=0.0))
    shrink = min(1.0, _SLOWEST / slowest) if slowest > 0.0 else 1.0
    forgetful: NDArray[np.float64] = theta * shrink ** np.arange(1, len(theta) + 1)
    return forgetful


def _system(phi: NDArray[np.float64], theta: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return transition matrix and impact of an innovation of the level followed by the ARMA part in Harvey's form.

    The state is (level before this step, change, ...); what is observed is the sum of the first two.
    """
    size = max(len(phi), len(theta) + 1)
    transition = np.zeros((size + 1, size + 1))
    transition[0, :2] = 1.0
    transition[1 : 1 + len(phi), 1] = phi
    transition[1:size, 2:] += np.eye(size - 1)
    impact = np.concatenate(([0.0, 1.0], theta, np.zeros(size - 1 - len(theta))))
    return {"transition": transition, "impact": impact}


def _observed(state: NDArray[np.float64]) -> float:
    return float(state[0] + state[1])


def _gain_after(gaps: int, transition: NDArray[np.float64], impact: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the Kalman gain of the first observation after a gap, from the innovations that nobody saw."""
    covariance = np.outer(impact, impact)
    effect = impact
    for _ in range(min(gaps, _LONGEST_GAP)):
        effect = transition @ effect
        covariance += np.outer(effect, effect)
    seen = covariance[:, 0] + covariance[:, 1]
    gain: NDArray[np.float64] = seen / (seen[0] + seen[1])
    return gain
