"""`python -m benchmarks [NAME...]`: run every benchmark, or those named, one after the other.

A benchmark is a module of this package with a `main()` that prints what it measured.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def main(names: list[str]) -> None:
    """Run the benchmarks called `names`; all without any."""
    there = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    there.remove("__main__")
    if unknown := set(names) - set(there):
        sys.exit(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(there)}.")
    for name in names or there:
        benchmark = importlib.import_module(f"benchmarks.{name}")
        if hasattr(benchmark, "main"):
            print(f"== {name}", flush=True)
            benchmark.main()


if __name__ == "__main__":
    main(sys.argv[1:])
