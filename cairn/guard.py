"""Ends process groups once whoever named them is gone.

Run by `cairn.processes` as a script of its own, which `kill -9` of the parent leaves alive.
Standard input carries `+ID` when a group starts and `-ID` when it has ended; its end is the sign.
"""

from __future__ import annotations

import os
import signal
import sys
import time

PATIENCE_SECONDS = 5.0


def main() -> None:
    """Read group ids until the input ends; then end the groups that are left."""
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    groups = {group for group in groups if _reached(group, signal.SIGTERM)}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = {group for group in groups if _reached(group, 0)}
    for group in groups:
        _reached(group, signal.SIGKILL)


def _reached(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
