"""From changes to the deployment that shipped each first: 20 000 pull requests, 10 000 deployments.

What is timed is the labelling of every commit in every line of deployments, and the models between the
labels and the shipments. Bar: 0.5 s.
"""

from __future__ import annotations

import time

from benchmarks import organisation, warehouses
from benchmarks.organisation import SIZES, Size
from pipelines import lineage, modelling, refresh, warehouse

BAR_SECONDS = 0.5
_REPOSITORIES = 10
_TIMED = ("core.change_label", "core.shipment")
_RUNS = 5


def main(_: Size) -> bool:
    """Print the times in milliseconds, the median of some runs; False where the bar is missed."""
    with warehouses.generated(SIZES["S"], _REPOSITORIES) as home, warehouse.writing(home) as connection:
        for _built in refresh.build(connection, organisation.workspace()):
            pass
        connection.execute((modelling.MODELS / "macros.sql").read_text())
        models = modelling.models()
        taken: dict[str, list[float]] = {}
        for _run in range(_RUNS):
            lineage.reset(connection)
            for name in ("lineage.label", *_TIMED):
                began = time.perf_counter()
                if name in models:
                    connection.execute(f"create or replace table {name} as\n{models[name].sql}")
                else:
                    lineage.label(connection)
                taken.setdefault(name, []).append(time.perf_counter() - began)
        counts = {
            name: connection.execute(f"select count(*) from {name}").fetchall()[0][0]
            for name in ("core.commit", "core.change", "core.deployment", "core.shipment")
        }
    medians = {name: sorted(seconds)[_RUNS // 2] for name, seconds in taken.items()}
    total = sum(medians.values())
    print(", ".join(f"{count:,} {name.removeprefix('core.')}s" for name, count in counts.items()))
    for name, seconds in medians.items():
        print(f"{name:<44} {1000 * seconds:8.0f} ms")
    print(f"{'from changes to their first deployments':<44} {1000 * total:8.0f} ms   (bar {BAR_SECONDS} s)")
    return total <= BAR_SECONDS
