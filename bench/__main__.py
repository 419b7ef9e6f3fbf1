"""Runs every benchmark: ``python -m bench``, or ``python -m bench guard`` for some of them."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

NAMES = sorted(place.stem[6:] for place in Path(__file__).parent.glob("bench_*.py"))


def main() -> int:
    """Run the benchmarks named on the command line, or all."""
    wanted = sys.argv[1:] or NAMES
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}. Known: {', '.join(NAMES)}.")
        return 2
    for name in wanted:
        importlib.import_module(f"bench.bench_{name}").main()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
