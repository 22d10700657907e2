"""Measures agents with 1,000 policies in a cluster, prints the figures and writes the page of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from bench.__main__ import is_over, table
from bench.cluster import POLICIES, measured
from bench.cluster.page import page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--policies", type=int, default=POLICIES, help="how many, each with a Deployment and a series")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="where the page is written")
    options = parser.parse_args()
    run = measured(options.policies)
    if run is None:
        return 2
    if options.markdown is not None:
        options.markdown.write_text(page(run))
    Console().print(table("cluster", run.figures()))
    return 1 if any(map(is_over, run.figures())) else 0


if __name__ == "__main__":
    sys.exit(main())
