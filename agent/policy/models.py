"""The forecasters a policy may name, and what `auto` stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

AUTO: Final = "auto"
MODEL_NAMES: Final = ("last-value", "seasonal-naive", "holt-winters", "arima", "harmonic")
AUTO_MODELS: Final = ("last-value", "seasonal-naive", "harmonic")  # those whose fits cost milliseconds
WRITABLE: Final = (AUTO, *MODEL_NAMES, *(f"-{name}" for name in MODEL_NAMES))

# The same as "resolve_models(self.models) is not empty", for the API server.
LEAVES_A_MODEL: Final = (
    f"{list(MODEL_NAMES)}.exists(m, !(('-' + m) in self.models) && "
    f"(m in self.models || ('{AUTO}' in self.models && m in {list(AUTO_MODELS)})))"
)


def resolve_models(written: Sequence[str]) -> tuple[str, ...]:
    """Return the names that `models` of a policy stands for, in the table's order; a leading dash forbids one."""
    wanted = {*written, *(AUTO_MODELS if AUTO in written else ())}
    return tuple(name for name in MODEL_NAMES if name in wanted and f"-{name}" not in wanted)
