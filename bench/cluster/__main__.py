"""Measures agents with 1,000 policies in a cluster, prints the figures and writes the page of them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from bench.cluster import DAYS, POLICIES, measured
from bench.cluster.page import page
from bench.cluster.run import Measured, Setting
from bench.figures import table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    parser.add_argument("--policies", type=int, default=POLICIES, help="how many, each with a Deployment and a series")
    days = f"of past in Prometheus, {DAYS:g} by default; may be given again, for another run"
    parser.add_argument("--days", "--history-days", type=float, action="append", help=days)
    plaintext = "without the certificates that leader, follower and who asks them have else"
    parser.add_argument("--plaintext", action="store_true", help=plaintext)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="where the page is written")
    options = parser.parse_args()
    runs: list[Measured] = []
    for each in options.days or [DAYS]:
        run = measured(Setting(options.policies, each, is_mutual=not options.plaintext))
        if run is None:
            return 2
        runs.append(run)
        if options.markdown is not None:
            options.markdown.write_text(page(runs, options.markdown))
        Console().print(table(f"cluster, {each:g} days of past", run.figures()))
    return 1 if any(figure.is_over for run in runs for figure in run.figures()) else 0


if __name__ == "__main__":
    sys.exit(main())
