"""Prints every figure beside its limit; exit code 1 if one is over."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from importlib import import_module

from rich.console import Console

from bench.figures import Figure, table

# the limits are per core; numpy reads its number of threads when it is imported, and a group does that
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

GROUPS = ("forecasters", "forecasts", "decisions", "history", "agent", "keda")
ON_REQUEST = ("cluster",)  # takes a quarter of an hour


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=(*GROUPS, *ON_REQUEST), action="append", help="a group; may be given again")
    parser.add_argument("--json", action="store_true", help="one JSON object per figure")
    options = parser.parse_args()
    over = False
    for group in options.only or GROUPS:
        figures: list[Figure] = import_module(f"bench.{group}").measure()
        over = over or any(figure.is_over for figure in figures)
        if options.json:
            for figure in figures:
                print(json.dumps({"group": group, **dataclasses.asdict(figure)}), flush=True)
        else:
            Console().print(table(group, figures))
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
