"""Figures as every face reads them: rows of the metrics in a published snapshot."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from pipelines.warehouse import Snapshot

ROW_KEYS = (
    "metric",
    "level",
    "key",
    "grain",
    "period_start",
    "period_end",
    "value",
    "unit",
    "n",
    "low",
    "high",
    "status",
    "partial",
    "excluded",
    "definition",
)
"""Keys of a row, in order. Dates are local to the workspace, `period_end` is exclusive."""


def metric_names(snapshot: Snapshot) -> list[str]:
    """Names of the metrics in the snapshot."""
    return [
        row["metric"] for row in snapshot.rows("select metric from marts.metric_definition order by metric")
    ]


def metric_rows(
    snapshot: Snapshot,
    names: Sequence[str],
    level: str,
    grain: str,
    since: date | None = None,
    until: date | None = None,
) -> list[dict[str, Any]]:
    """Rows of the metrics, one for each key and period that overlaps [since, until).

    `names` must be among `metric_names`; raises `KeyError` otherwise.
    """
    known = metric_names(snapshot)
    rows: list[dict[str, Any]] = []
    for name in names:
        if name not in known:
            raise KeyError(name)
        rows += snapshot.rows(
            f'select {", ".join(ROW_KEYS)} from marts."{name}"'
            " where level = ? and grain = ?"
            " and (? is null or period_end > ?) and (? is null or period_start < ?)"
            " order by key, period_start",
            [level, grain, since, since, until, until],
        )
    return [{**row, "excluded": json.loads(row["excluded"])} for row in rows]


def inert(cell: object) -> object:
    """A cell of a CSV file: text that a spreadsheet would run as a formula begins with an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {*"=+-@\t\r\n"} else cell


def duration(seconds: float) -> str:
    """A duration for people, in the largest unit that gives at least 1, as in `3.2 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} s"
