"""How often a forecast of a migration holds: back-tested on a thousand simulated ones, by what they are like.

Bar: the day of 85 % holds for 80 to 90 % of them.
"""

from __future__ import annotations

import time
from collections import defaultdict

from benchmarks.migrations import simulated
from benchmarks.organisation import Size
from pipelines.forecast import forecast

LEAST, MOST = 0.80, 0.90
_SHARES = (0.5, 0.85)
_MIGRATIONS = 1_000


def main(_: Size) -> bool:
    """Print the share of migrations over by the days of 50 % and 85 %; False where the bar is missed."""
    held: dict[str, list[tuple[bool, ...]]] = defaultdict(list)
    silent, began = 0, time.perf_counter()
    for number, migration in enumerate(simulated(_MIGRATIONS, seed=1)):
        found = forecast(migration.weekly, migration.remaining, seed=number)
        if found is None:
            silent += 1
            continue
        finishes = [found.finish(share) for share in _SHARES]
        is_held = tuple(weeks is None or weeks >= migration.weeks for weeks in finishes)
        for kind in (migration.kind, f"by a {found.method} forecast", "all"):
            held[kind].append(is_held)
    taken = time.perf_counter() - began
    for kind, found_held in sorted(held.items(), key=lambda item: (item[0] == "all", item[0])):
        half, more = (sum(column) / len(found_held) for column in zip(*found_held, strict=True))
        print(f"{kind:<32} {len(found_held):>6} {half:8.1%} by the 50 % day {more:8.1%} by the 85 % day")
    print(f"{silent} too young to tell; {1000 * taken / _MIGRATIONS:.1f} ms each")
    covered = sum(more for _, more in held["all"]) / len(held["all"])
    print(f"{covered:.1%} by the 85 % day   (bar {LEAST:.0%} to {MOST:.0%})")
    return LEAST <= covered <= MOST
