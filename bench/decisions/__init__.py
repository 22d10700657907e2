"""Decisions: what they cost, and what each part of them buys."""

from __future__ import annotations

from bench.decisions.cost import measure

__all__ = ["measure"]
