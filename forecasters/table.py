"""Every forecaster by name. A new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from forecasters.arima import Arima
from forecasters.forecaster import Forecaster
from forecasters.harmonic import Harmonic
from forecasters.holt_winters import HoltWinters
from forecasters.last_value import LastValue
from forecasters.seasonal_naive import SeasonalNaive

FORECASTERS: Mapping[str, Forecaster] = MappingProxyType(
    {
        forecaster.name: forecaster
        for forecaster in (
            LastValue(),
            SeasonalNaive(),
            HoltWinters(),
            Arima(),
            Harmonic(),
        )
    }
)
