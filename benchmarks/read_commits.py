"""Time to read a history's commits beside `git log --all` printing the same fields.

Both read the same mirror, in turns. Bar: the ratio of the medians is at most 1.3. The histories keep
no more of messages than subjects: they are given bodies, some of which name commits.
"""

from __future__ import annotations

import gzip
import itertools
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from connectors.connector import Batch, Context
from connectors.git import GitConnector, GitOptions
from connectors.git.cli import Git
from connectors.git.locations import locate
from connectors.git.mirror import COMMIT_FIELDS, advertised, log, make_anew, tips
from connectors.git.reading import People, parse
from tests.histories import imported

BAR = 1.3
_RUNS = 11


def main(history: Path) -> bool:
    """Print the times in milliseconds; False where the bar is missed."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.fi.gz")
        told.write_bytes(gzip.compress(_with_bodies(gzip.decompress(history.read_bytes())), 1))
        repository = imported(Path(folder, "source.git"), told)
        return _compare(repository, Path(folder))


def _with_bodies(stream: bytes) -> bytes:
    """A `git fast-export` whose commits have a body each: a tenth are picks, a fiftieth reverts."""
    numbers = itertools.count(1)

    def told(match: re.Match[bytes]) -> bytes:
        number = next(numbers)
        lines = [match[2], b"", *[b"* say in a line what was changed, and in another one why"] * 5]
        if number % 10 == 0:
            lines.append(b"(cherry picked from commit %040x)" % number)
        if number % 50 == 0:
            lines.append(b"This reverts commit %040x." % number)
        message = b"\n".join(lines)
        return b"%sdata %d\n%s\n" % (match[1], len(message), message)

    return re.sub(rb"(committer [^\n]*\n)data \d+\n([^\n]*)\n?", told, stream)


def _compare(repository: Path, folder: Path) -> bool:
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
    for _ in range(_RUNS):
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
    return ratio <= BAR
