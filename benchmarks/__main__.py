"""`python -m benchmarks [NAME...] [--history FILE]`: run every benchmark, or those named, in turn.

A benchmark is a module of this package with a `main(history)` that prints what it measured and
returns whether its bar was held.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The larger history lies beside a development checkout; the smaller one is part of the project.
HISTORIES = (
    ROOT.parent / "shared" / "histories" / "argo-cd.fi.gz",
    ROOT / "tests" / "data" / "sqlite-utils.fi.gz",
)


def main() -> int:
    """Run the benchmarks; 1 where a bar was missed."""
    there = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    there.remove("__main__")
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(there)}; all without any"
    )
    parser.add_argument("--history", type=Path, help="a `git fast-export`, gzipped")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(there):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(there)}")
    history = arguments.history or next(path for path in HISTORIES if path.exists())
    held = True
    for name in arguments.names or there:
        print(f"== {name} ({history.name})", flush=True)
        held &= importlib.import_module(f"benchmarks.{name}").main(history)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
