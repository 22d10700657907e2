"""Shapes of charts as SVG that stretches to any width; words stand beside it in HTML, which does not."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from agent.backtest.axis import Axis

WIDTH, HEIGHT = 1000, 100  # of every drawing, stretched to its place


def line(x: NDArray[np.float64], y: NDArray[np.float64], axis: Axis, style: str) -> str:
    """Return a line through points; x in shares of the width; a NaN breaks it."""
    return _path(_moves(_points(x, y, axis)), style)


def steps(x: NDArray[np.float64], y: NDArray[np.float64], axis: Axis, style: str) -> str:
    """Return a line that stands at each value until the next one's place."""
    return line(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], axis, style)


def area(x: NDArray[np.float64], y: NDArray[np.float64], axis: Axis, style: str) -> str:
    """Return the ground under a stepped line without gaps."""
    corners = [point for point in _points(np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1], axis) if point is not None]
    outline = "L".join(f"{place},{down}" for place, down in corners)
    return _path(f"M{corners[0][0]},{HEIGHT}L{outline}L{corners[-1][0]},{HEIGHT}Z", style)


def between(x: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], axis: Axis, style: str) -> str:
    """Return bars from low to high wherever high is above, each as wide as its step; nothing where none is."""
    width = _short(max(WIDTH / max(1, len(x)), 1.0))
    bars = [
        f"M{_short(left * WIDTH)},{_down(top, axis)}h{width}V{_down(bottom, axis)}h-{width}Z"
        for left, bottom, top in zip(x.tolist(), low.tolist(), high.tolist(), strict=True)
        if top > bottom
    ]
    return _path("".join(bars), style) if bars else ""


def _points(x: NDArray[np.float64], y: NDArray[np.float64], axis: Axis) -> list[tuple[str, str] | None]:
    return [
        (_short(place * WIDTH), _down(value, axis)) if value == value else None  # noqa: PLR0124 - NaN is no point
        for place, value in zip(x.tolist(), y.tolist(), strict=True)
    ]


def _moves(points: Iterable[tuple[str, str] | None]) -> str:
    """Return the points as a path, broken at None."""
    text, command = [], "M"
    for point in points:
        if point is not None:
            text.append(f"{command}{point[0]},{point[1]}")
        command = "M" if point is None else "L"
    return "".join(text)


def _down(value: float, axis: Axis) -> str:
    return _short(HEIGHT * (1 - min(max(axis.share(value), 0.0), 1.0)))


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _path(commands: str, style: str) -> str:
    return f'<path class="{style}" d="{commands}"/>'
