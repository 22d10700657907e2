"""Long series made short enough for a chart: means over buckets, gaps kept."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from forecasters.series import EPOCH, Series


def bucket_means(series: Series, *, start: datetime, step: timedelta, count: int) -> NDArray[np.float64]:
    """Return the mean of what is present in each of `count` buckets [start + i step, start + (i + 1) step), else NaN.

    Shape (count,).
    """
    positions = np.floor((series.seconds() - (start - EPOCH).total_seconds()) / step.total_seconds()).astype(np.int64)
    inside = (positions >= 0) & (positions < count) & np.isfinite(series.values)
    sums = np.bincount(positions[inside], weights=series.values[inside], minlength=count)
    sizes = np.bincount(positions[inside], minlength=count)
    means: NDArray[np.float64] = np.divide(sums, sizes, out=np.full(count, np.nan), where=sizes > 0)
    return means


def thinned(series: Series, *, most: int) -> Series:
    """Return the series itself, or means over equal buckets where it has more than `most` values."""
    if len(series) <= most:
        return series
    factor = -(-len(series) // most)
    step = factor * series.step
    first = EPOCH + ((series.start - EPOCH) // step) * step
    count = (series.end - first) // step + 1
    return Series(first, step, bucket_means(series, start=first, step=step, count=count))
