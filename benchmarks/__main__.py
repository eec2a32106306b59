"""`python -m benchmarks [NAME...] [--size S|M|L] [--history FILE]`: run every benchmark, or those named.

A benchmark is a module of this package with a `main` that prints what it measured and returns whether its
bar was held. It is given what it has a parameter for: a history (`Path`) or the size of an organisation
(`Size`).
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import typing
from pathlib import Path

from benchmarks.organisation import SIZES, Size

ROOT = Path(__file__).parents[1]
# The larger history lies beside a development checkout; the smaller one is part of the project.
HISTORIES = (
    ROOT.parent / "shared" / "histories" / "argo-cd.fi.gz",
    ROOT / "tests" / "data" / "sqlite-utils.fi.gz",
)


def main() -> int:
    """Run the benchmarks; 1 where a bar was missed."""
    modules = {module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])}
    there = sorted(modules - {"__main__", "migrations", "organisation", "warehouses"})
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(there)}; all without any"
    )
    parser.add_argument("--history", type=Path, help="a `git fast-export`, gzipped")
    parser.add_argument("--size", choices=SIZES, default="M", help="of the organisation (default: M)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(there):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(there)}")
    history = arguments.history or next(path for path in HISTORIES if path.exists())
    given = {Path: history, Size: SIZES[arguments.size]}
    said = {Path: history.name, Size: f"size {arguments.size}"}
    held = True
    for name in arguments.names or there:
        benchmark = importlib.import_module(f"benchmarks.{name}").main
        (wanted,) = (hint for of, hint in typing.get_type_hints(benchmark).items() if of != "return")
        print(f"== {name} ({said[wanted]})", flush=True)
        held &= benchmark(given[wanted])
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
