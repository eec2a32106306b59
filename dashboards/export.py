"""Downloads: CSV that a spreadsheet reads as text and numbers, never as formulas."""

from __future__ import annotations

import csv as writing
import re
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.figures import inert

if TYPE_CHECKING:
    from dashboards.view import View


def csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 CSV with a header; formulas are text."""
    safe = frame.copy()
    for name in safe.select_dtypes(["object", "string"]).columns:
        safe[name] = safe[name].map(inert)
    # RFC 4180's line ends, which also make the writer quote a lone carriage return within a cell.
    return safe.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S%z", lineterminator="\r\n").encode()


def text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The same, of rows that are in no frame."""
    written = StringIO(newline="")
    writer = writing.writer(written)
    writer.writerow(columns)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return written.getvalue().encode()


def file_name(view: View, what: str, since: object, until: object) -> str:
    """`cairn-deployments-shop-2025-01-01-to-2025-04-01.csv`; the second day is excluded."""
    key = re.sub(r"[^A-Za-z0-9._-]+", "-", view.scope.key).strip("-.") or view.scope.level
    return f"cairn-{what}-{key}-{since}-to-{until}.csv"
