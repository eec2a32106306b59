"""Time to read a history's commits beside `git log --all` printing the same fields.

    python benchmarks/read_commits.py [HISTORY.fi.gz]

Both read the same mirror, in turns. Bar: the ratio of the medians is at most 1.3.
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from connectors.connector import Batch, Context
from connectors.git import GitConnector, GitOptions, People, parse
from connectors.git_cli import Git
from connectors.git_locations import locate
from connectors.git_mirror import COMMIT_FIELDS, advertised, log, make_anew, tips

BAR = 1.3


def main() -> int:
    """Print the times in milliseconds; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    sample = Path(__file__).parents[1] / "tests" / "data" / "sqlite-utils.fi.gz"
    parser.add_argument("history", nargs="?", type=Path, default=sample, help="a `git fast-export`, gzipped")
    parser.add_argument("--runs", type=int, default=11)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder, "source.git")
        subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True)
        history = gzip.decompress(arguments.history.read_bytes())
        subprocess.run(["git", "fast-import", "--quiet"], cwd=repository, input=history, check=True)
        return _compare(repository, Path(folder), arguments.runs)


def _compare(repository: Path, folder: Path, runs: int) -> int:
    git = Git()
    context = Context(folder / "cache", b"key")
    connector = GitConnector("git", GitOptions(repositories=(str(repository),)), context)
    started = time.perf_counter()
    cursors = {item.scope: item.cursor for item in connector.read({}) if isinstance(item, Batch)}
    first = time.perf_counter() - started
    started = time.perf_counter()
    again = [item for item in connector.read(cursors) if isinstance(item, Batch)]
    second = time.perf_counter() - started
    assert not again, "nothing was new"

    (location,), _ = locate([str(repository)], git)
    said = advertised(location, git)
    mirror = make_anew(location, said, context.cache, git)
    shas = {tip.sha for tip in tips(mirror, said, git).commits}

    def ours() -> int:
        return len(list(parse(log(mirror, shas, (), git), location.id, People(context.person))))

    def theirs() -> int:
        command = ["git", "log", "--all", "--no-mailmap", f"--format={COMMIT_FIELDS}"]
        subprocess.run(command, cwd=mirror.path, stdout=subprocess.DEVNULL, check=True)
        return total

    total = int(subprocess.check_output(["git", "rev-list", "--count", "--all"], cwd=mirror.path))
    times: dict[Callable[[], int], list[float]] = {ours: [], theirs: []}
    for _ in range(runs):
        for read, taken in times.items():
            started = time.perf_counter()
            count = read()
            taken.append(time.perf_counter() - started)
            assert count == total, f"read {count} of {total} commits"
    ours_ms, theirs_ms = (1000 * statistics.median(taken) for taken in times.values())
    ratio = ours_ms / theirs_ms
    print(f"commits                        {total:>8}")
    print(f"git log --all, same fields     {theirs_ms:>8.0f} ms")
    print(f"read into records              {ours_ms:>8.0f} ms   ratio {ratio:.2f} (bar {BAR})")
    print(f"first read, with the mirror    {1000 * first:>8.0f} ms")
    print(f"second read, nothing new       {1000 * second:>8.0f} ms")
    return 0 if ratio <= BAR else 1


if __name__ == "__main__":
    raise SystemExit(main())
