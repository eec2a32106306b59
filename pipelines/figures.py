"""Figures as every face reads them: rows of the metrics in a published snapshot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

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
ADOPTION_ROW_KEYS = (*ROW_KEYS, "capability")
"""Keys of a row of a metric of adoption; without a capability it is about the platform as a whole."""


CAPABILITY = "capability"
"""Not a level of its own: the figures that the organisation has of each capability."""


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

    Those of adoption are of every capability, at the level `capability` of the organisation's figures alone.
    `names` must be among `metric_names`; raises `KeyError` otherwise.
    """
    known = metric_names(snapshot)
    of_adoption = _adoption_metrics(snapshot)
    rows: list[dict[str, Any]] = []
    for name in names:
        if name not in known:
            raise KeyError(name)
        is_adoption = name in of_adoption
        is_of_each = is_adoption and level == CAPABILITY
        rows += snapshot.rows(
            f'select {", ".join(ADOPTION_ROW_KEYS if is_adoption else ROW_KEYS)} from marts."{name}"'
            " where level = ? and grain = ?"
            " and (? is null or period_end > ?) and (? is null or period_start < ?)"
            f"{' and capability is not null' if is_of_each else ''}"
            f" order by {'capability nulls first, ' if is_adoption else ''}key, period_start",
            ["organisation" if is_of_each else level, grain, since, since, until, until],
        )
    return [{**row, "excluded": json.loads(row["excluded"])} for row in rows]


def _adoption_metrics(snapshot: Snapshot) -> set[str]:
    """Metrics whose rows are of capabilities, too."""
    columns = snapshot.rows(
        "select table_name from information_schema.columns"
        " where table_schema = 'marts' and column_name = 'capability'"
    )
    return {row["table_name"] for row in columns}


@cache
def described(model: str) -> Mapping[str, Mapping[str, Any]]:
    """Columns of a table as the header of its file says: `type`, `description`, `nullable`, `accepted`."""
    text = (Path(__file__).with_name("models") / f"{model}.sql").read_text()
    header, _, _ = text.removeprefix("/*").partition("*/")
    columns: Mapping[str, Mapping[str, Any]] = yaml.safe_load(header)["columns"]
    return columns


def inert(cell: object) -> object:
    """A cell of a CSV file: text that a spreadsheet would run as a formula begins with an apostrophe."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in {*"=+-@\t\r\n"} else cell


def duration(seconds: float) -> str:
    """A duration for people, in the largest unit that gives at least 1, as in `3.2 d`."""
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:.0f} s"
