"""Prints every figure beside its limit; exit code 1 if one is over."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

from bench.figures import Figure

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
        over = over or any(is_over(figure) for figure in figures)
        if options.json:
            for figure in figures:
                print(json.dumps({"group": group, **dataclasses.asdict(figure)}), flush=True)
        else:
            Console().print(table(group, figures))
    return 1 if over else 0


def is_over(figure: Figure) -> bool:
    return figure.limit is not None and figure.value is not None and figure.value > figure.limit


def table(group: str, figures: list[Figure]) -> Table:
    rows = Table(title=group, title_justify="left", title_style="bold")
    for name, justify in (("figure", "left"), ("value", "right"), ("limit", "right"), ("unit", "left"), ("", "left")):
        rows.add_column(name, justify=justify)  # type: ignore[arg-type]  # rich wants its own literal
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:.4g}"
        value = "" if figure.value is None else f"{figure.value:.4g}"
        rows.add_row(figure.name, value, limit, figure.unit, "over" if is_over(figure) else "")
    return rows


if __name__ == "__main__":
    sys.exit(main())
