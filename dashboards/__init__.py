"""What people look at: the page, later Grafana dashboards and alert rules."""

from __future__ import annotations

from pathlib import Path


def page_directory() -> Path | None:
    """Return the folder of the built page; None where `make page` has not been run."""
    built = Path(__file__).parent / "page" / "dist"
    return built if (built / "index.html").is_file() else None
