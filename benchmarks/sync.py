"""A first `cairn sync` of a history and one with nothing new, with `git log`'s own time beside them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.histories import imported

FIRST_BAR_SECONDS = 15.0
SECOND_BAR_SECONDS = 5.0
"""Beyond starting Python."""
_RUNS = 3


def main(history: Path) -> bool:
    """Print the times in seconds; False where a bar is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        repository = imported(folder / "history.git", history)
        (folder / "cairn.yaml").write_text(
            "organisation: Bench\nsources:\n  - {kind: git, repositories: [history.git]}\n"
        )
        sync = [sys.executable, "-m", "cairn", "sync"]
        log = _seconds(["git", "log", "--all", "--format=%H %P %an %ae %at %ct %s"], repository)
        python = _seconds([sys.executable, "-c", "pass"], folder)
        first = _seconds(sync, folder, runs=1)
        second = _seconds(sync, folder) - python
    print(f"git log --all                       {log:8.2f} s")
    for name, taken, bar in (
        ("first sync", first, FIRST_BAR_SECONDS),
        ("nothing new, beyond starting Python", second, SECOND_BAR_SECONDS),
    ):
        print(f"{name:<35} {taken:8.2f} s   {taken / log:6.0f} × git log   (bar {bar:.0f} s)")
    return first <= FIRST_BAR_SECONDS and second <= SECOND_BAR_SECONDS


def _seconds(command: Sequence[str], folder: Path, runs: int = _RUNS) -> float:
    """Median wall time of a command."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CAIRN_")}
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)
