"""HTTP: health, metrics, the API and the page. It shows what the engine decided and decides nothing."""

from __future__ import annotations

from agent.web.app import create_app
from agent.web.comparison import Comparison, ComparisonBook, Score, Side
from agent.web.readiness import Readiness
from agent.web.server import CannotListen, HttpAddress, HttpServer

__all__ = [
    "CannotListen",
    "Comparison",
    "ComparisonBook",
    "HttpAddress",
    "HttpServer",
    "Readiness",
    "Score",
    "Side",
    "create_app",
]
