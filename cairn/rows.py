"""Rows as a table for people, JSON or CSV for programs."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.figures import inert

Row = Mapping[str, Any]


def print_rows(rows: Sequence[Row], output: str, *, empty: str) -> None:
    """Print rows that all have the same keys; a table of none says `empty`."""
    if output == "json":
        json.dump(rows, sys.stdout, default=_plain, ensure_ascii=False, indent=1)
        print()
    elif output == "csv":
        write_csv(rows, sys.stdout)
    else:
        _print_table(rows, empty)


def write_csv(rows: Sequence[Row], out: TextIO) -> None:
    """CSV in which neither a cell nor a heading is a formula to a spreadsheet."""
    writer = csv.writer(out, lineterminator="\n")
    if rows:
        writer.writerow([inert(key) for key in rows[0]])
        writer.writerows([inert(value) for value in row.values()] for row in rows)


def _print_table(rows: Sequence[Row], empty: str) -> None:
    # What is piped has no width to fit into.
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 240)
    if not rows:
        out.print(empty)
        return
    table = Table(box=None, pad_edge=False)
    for key in rows[0]:
        is_number = any(isinstance(row[key], int | float) for row in rows)
        table.add_column(escape(key.replace("_", " ")), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(escape(_shown(value)) for value in row.values()))
    out.print(table)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
