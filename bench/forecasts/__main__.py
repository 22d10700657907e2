"""Runs the forecast benchmark: `python -m bench.forecasts --markdown docs/benchmarks/forecasts.md`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

# CPU is stated per core, and numpy reads its number of threads when it is imported
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

WITH_PEERS = Path(__file__).resolve().parents[2] / ".venv-bench" / "bin" / "python"


def main() -> None:
    """Run in `.venv-bench` if only there is statsforecast, else here."""
    if find_spec("statsforecast") is None and WITH_PEERS.exists():
        os.execv(WITH_PEERS, [str(WITH_PEERS), "-m", "bench.forecasts", *sys.argv[1:]])

    from bench.forecasts import figures, page, run, traces  # noqa: PLC0415 - this process may have been another's

    parser = argparse.ArgumentParser(prog="python -m bench.forecasts", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object per figure of `make bench`")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write everything that was measured as a page")
    parser.add_argument("--traces", type=Path, metavar="DIR", default=traces.BESIDE, help="folder of real traces")
    options = parser.parse_args()
    results = run.run(options.traces)
    if options.markdown is not None:
        options.markdown.parent.mkdir(parents=True, exist_ok=True)
        options.markdown.write_text(page.page(results))
    for figure in figures.figures(results):
        row = dataclasses.asdict(figure)
        print(json.dumps(row) if options.json else f"{figure.name}: {figure.value} {figure.unit}")


if __name__ == "__main__":
    main()
