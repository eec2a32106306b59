"""Downloads: CSV that a spreadsheet reads as text and numbers, never as formulas."""

from __future__ import annotations

import re

import pandas as pd

from dashboards.view import View
from pipelines.figures import inert


def csv(frame: pd.DataFrame) -> bytes:
    """UTF-8 CSV with a header; formulas are text."""
    safe = frame.copy()
    for name in safe.select_dtypes(["object", "string"]).columns:
        safe[name] = safe[name].map(inert)
    # RFC 4180's line ends, which also make the writer quote a lone carriage return within a cell.
    return safe.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%S%z", lineterminator="\r\n").encode()


def file_name(view: View, what: str, since: object, until: object) -> str:
    """`cairn-deployments-shop-2025-01-01-to-2025-04-01.csv`; the second day is excluded."""
    key = re.sub(r"[^A-Za-z0-9._-]+", "-", view.scope.key).strip("-.") or view.scope.level
    return f"cairn-{what}-{key}-{since}-to-{until}.csv"
