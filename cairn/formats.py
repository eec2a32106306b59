"""How rows are printed."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """Of every command that prints rows."""

    table = "table"
    json = "json"
    csv = "csv"
