"""What a wave released, as rows: for programs every figure, for spreadsheets a row a group."""

from __future__ import annotations

from typing import Any

from surveys.instruments import Instrument
from surveys.released import Released

WITHHELD = "withheld"
ORGANISATION = "(everybody)"
_COLUMNS = ("table", "group", "parent", "item_id", "statistic", "status", "value", "n", "low", "high")

Row = dict[str, Any]


def long_rows(released: Released) -> list[Row]:
    """A row a figure, as it was released."""
    instrument = released.instrument
    return [
        {
            "wave": released.wave.id,
            **{column: cell[column] for column in _COLUMNS},
            "question": label(instrument, str(cell["item_id"])),
            "compared": (cell["comparison"] or {}).get("says"),
        }
        for cell in _cells(released)
    ]


def wide_rows(released: Released) -> list[Row]:
    """A row a group, a column a question and statistic; where there is no value it says why."""
    instrument, rows = released.instrument, dict[tuple[str, str], Row]()
    cells = _cells(released)
    columns = list(dict.fromkeys(_heading(instrument, cell) for cell in cells))
    for cell in cells:
        group = cell["group"] or ORGANISATION
        empty = {
            "by": cell["table"],
            "group": group,
            "part of": cell["parent"] or "",
            **dict.fromkeys(columns, ""),
        }
        row = rows.setdefault((cell["table"], group), empty)
        row[_heading(instrument, cell)] = _shown(cell)
    return [*rows.values()]


def comment_rows(released: Released) -> list[Row]:
    """The comments, each at its one group."""
    instrument = released.instrument
    return [
        {
            "group": comment["group"] or ORGANISATION,
            "question": label(instrument, str(comment["item_id"])),
            "comment": comment["text"],
        }
        for comment in released.of("comment")
    ]


def label(instrument: Instrument, item_id: str) -> str:
    """What is measured, in short and in the instrument's first language; a theme or rate by its id."""
    language = instrument.languages[0]
    if item := instrument.item(item_id):
        return item.label[language]
    construct = instrument.constructs.get(item_id)
    return construct.title[language] if construct else item_id


def _cells(released: Released) -> list[Row]:
    return [dict(row) for row in released.of("cell")]


def _heading(instrument: Instrument, cell: Row) -> str:
    name = label(instrument, cell["item_id"])
    return name if name == cell["statistic"] else f"{name} ({cell['statistic']})"


def _shown(cell: Row) -> object:
    if cell["status"] == "ok":
        return cell["value"]
    return WITHHELD if cell["status"] == "suppressed" else cell["status"].replace("_", " ")
