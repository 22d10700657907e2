"""Measures KEDA's server beside Go's, prints the figures and writes the page of them: about five minutes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from bench.figures import table
from bench.keda import measured
from bench.keda.page import page


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.keda", description=__doc__)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="where the page is written")
    options = parser.parse_args()
    run = measured()
    if run is None:
        return 2
    if options.markdown is not None:
        options.markdown.write_text(page(run))
    Console().print(table("keda", run.figures()))
    return 1 if any(figure.is_over for figure in run.figures()) else 0


if __name__ == "__main__":
    sys.exit(main())
