"""Plays every way to decide on every load, and writes the page: `--markdown docs/benchmarks/decisions.md`."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# one thread each: the processes share the cores, and numpy reads its number of threads when it is imported
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"


def main() -> None:
    """Play, and write or print the page."""
    from bench.decisions.page import page  # noqa: PLC0415 - after the environment has been set
    from bench.decisions.run import run  # noqa: PLC0415
    from bench.forecasts.traces import BESIDE  # noqa: PLC0415

    parser = argparse.ArgumentParser(prog="python -m bench.decisions", description=__doc__)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="where the page is written; else it is printed")
    parser.add_argument("--traces", type=Path, metavar="DIR", default=BESIDE, help="folder of real traces")
    options = parser.parse_args()
    text = page(run(options.traces))
    if options.markdown is None:
        print(text)
    else:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
