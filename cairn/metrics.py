"""`cairn metrics`: rows of the published snapshot, as a table, JSON or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from pipelines import figures, warehouse
from pipelines.home import Home


def run(
    home: Home,
    names: Sequence[str],
    level: str,
    grain: str,
    since: date | None,
    until: date | None,
    output: str,
    console: Console,
) -> int:
    """Print the rows; 2 for an unknown metric, 1 where nothing is published or it cannot be read."""
    try:
        snapshot = warehouse.published(home)
        if snapshot is None:
            console.print("Nothing is published yet: run `cairn sync` first.")
            return 1
        known = figures.metric_names(snapshot)
        if unknown := [name for name in names if name not in known]:
            console.print(f"Unknown metric {escape(', '.join(unknown))}. There are: {', '.join(known)}.")
            return 2
        rows = figures.metric_rows(snapshot, list(dict.fromkeys(names)), level, grain, since, until)
    except warehouse.WarehouseError as error:
        console.print(f"[red]{escape(str(error))}", soft_wrap=True)
        return 1
    _PRINTERS[output](rows)
    return 0


def _print_json(rows: Sequence[Mapping[str, Any]]) -> None:
    json.dump(rows, sys.stdout, default=date.isoformat, ensure_ascii=False, indent=1)
    print()


def _print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    keys = max((tuple(row) for row in rows), key=len, default=figures.ROW_KEYS)
    writer = csv.DictWriter(sys.stdout, keys, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {key: figures.inert(value) for key, value in row.items()}
        writer.writerow({**cells, "excluded": json.dumps(row["excluded"])})


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    # What is piped has no width to fit into.
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
    if not rows:
        out.print("No rows: nothing happened in that time, or there is nothing at that level.")
    for metric, group in groupby(rows, key=itemgetter("metric")):
        table = Table(title=metric, title_justify="left", box=None, pad_edge=False)
        told = [*group]
        is_adoption = "capability" in told[0]
        for heading, justify in (_CAPABILITY, *_COLUMNS) if is_adoption else _COLUMNS:
            table.add_column(heading, justify=justify, no_wrap=True)
        for row in told:
            unit = row["unit"]
            table.add_row(
                *([escape(row["capability"] or "any")] if is_adoption else ()),
                escape(row["key"]),
                row["period_start"].isoformat(),
                _figure(row["value"], unit),
                "" if row["low"] is None else f"{_figure(row['low'], unit)} – {_figure(row['high'], unit)}",
                "–" if row["n"] is None else f"{row['n']:,}",
                f"{sum(row['excluded'].values()):,}" if row["excluded"] else "",
                row["status"] + (", partial" if row["partial"] else ""),
            )
        out.print(table)


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "seconds":
        return figures.duration(value)
    if unit == "ratio":
        return f"{100 * value:.1f} %"
    # A median of counts may lie between two.
    return f"{value:,.1f}".removesuffix(".0") if unit == "count" else f"{value:,.2f}"


_CAPABILITY: tuple[str, JustifyMethod] = ("capability", "left")
_COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("key", "left"),
    ("period", "left"),
    ("value", "right"),
    ("90 % interval", "right"),
    ("n", "right"),
    ("left out", "right"),
    ("status", "left"),
)
_PRINTERS = {"json": _print_json, "csv": _print_csv, "table": _print_table}
