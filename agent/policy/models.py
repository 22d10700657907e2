"""The forecasters and families of decision experts that a policy may name, and what `auto` stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

AUTO: Final = "auto"
MODEL_NAMES: Final = ("last-value", "seasonal-naive", "holt-winters", "arima", "harmonic")
FAMILIES: Final = ("quantile-regression", "hold", "analog", "volatility")  # reactive is always among the experts
AUTO_MODELS: Final = ("harmonic",)  # draws the fan; what decides are the families
_NAMES: Final = (*FAMILIES, *MODEL_NAMES)
_AUTO: Final = (*FAMILIES, *AUTO_MODELS)
WRITABLE: Final = (AUTO, *_NAMES, *(f"-{name}" for name in _NAMES))

# The same as "something is left", for the API server.
LEAVES_A_MODEL: Final = (
    f"{list(_NAMES)}.exists(m, !(('-' + m) in self.models) && "
    f"(m in self.models || ('{AUTO}' in self.models && m in {list(_AUTO)})))"
)


def resolve_models(written: Sequence[str]) -> tuple[str, ...]:
    """Return the forecasters that `models` of a policy stands for, in the table's order; a leading dash forbids one."""
    return _resolved(written, MODEL_NAMES)


def resolve_families(written: Sequence[str]) -> tuple[str, ...]:
    """Return the families of experts that `models` of a policy stands for; a leading dash forbids one."""
    return _resolved(written, FAMILIES)


def _resolved(written: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    wanted = {*written, *(_AUTO if AUTO in written else ())}
    return tuple(name for name in names if name in wanted and f"-{name}" not in wanted)
