"""Cells as they are released: the figures of the groups that may be shown, and blanks that all look alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surveys.disclosure.isolation import Ints
from surveys.disclosure.measures import Measure
from surveys.disclosure.question import SECONDARY_GROUP, Question, Shown
from surveys.disclosure.records import Cell, Group, Status
from surveys.disclosure.tables import Tables
from surveys.statistics import Estimate, mean_score, nps, wilson

RESPONSE = "response"


def response_cells(wave: str, tables: Tables, invited: Ints, answered: Ints, ok: set[int]) -> list[Cell]:
    """Response rates; `invited` and `answered` are by group, `ok` the groups that may be shown."""
    cells = []
    for index, group in enumerate(tables.groups):
        names = wave, tables, group, RESPONSE, RESPONSE, RESPONSE
        asked, came = int(invited[index]), int(answered[index])
        if index in ok:
            counts = {"answered": came, "invited": asked}
            cells.append(_cell(*names, "ok", **_figures(wilson(came, asked)), counts=counts))
        else:
            cells.append(_cell(*names, "suppressed" if asked else "no_data"))
    return cells


def cells_of(wave: str, question: Question, shown: Shown, empty: set[int], dont_know: Ints) -> list[Cell]:
    """The cells of one measure; `empty` are groups of which nobody answered, `dont_know` is by group."""
    measure, tables = question.measure, question.tables
    cells = []
    for index, group in enumerate(tables.groups):
        counts = [int(count) for count in tables.members[index] @ question.answers]
        for statistic, ok in ((measure.primary, shown.primary), (measure.secondary, shown.secondary)):
            if statistic is None or not is_tabled(measure, group):
                continue
            names = wave, tables, group, measure.id, measure.construct, statistic
            if index in ok:
                figures = _estimated(measure, statistic, counts)
                cells.append(_cell(*names, "ok", **figures, dont_know=int(dont_know[index])))
            elif index in empty:
                cells.append(_cell(*names, "no_data"))
            else:
                is_small = index in shown.primary and sum(counts) < SECONDARY_GROUP
                cells.append(_cell(*names, "too_few" if is_small else "suppressed"))
    return cells


def is_tabled(measure: Measure, group: Group) -> bool:
    """Whether a measure has a cell for a group: themes follow the comments, which are shown by team."""
    return measure.kind != "theme" or group[0] == "team"


def rolled_up(cells: Iterable[Cell], tables: Tables) -> list[Cell]:
    """The same, those without a figure with the nearest group above that shows it."""
    cells = list(cells)
    ok = {(cell.item_id, cell.statistic, *cell.where) for cell in cells if cell.status == "ok"}

    def shown_above(cell: Cell) -> str | None:
        above = tables.above(cell.where)
        return next(
            (name for table, name in above if (cell.item_id, cell.statistic, table, name) in ok), None
        )

    return [replace(cell, rolls_up_to=shown_above(cell)) if cell.status != "ok" else cell for cell in cells]


def _cell(
    wave: str,
    tables: Tables,
    group: Group,
    item_id: str,
    construct: str,
    statistic: str,
    status: Status,
    **figures: Any,
) -> Cell:
    table, name = group
    parent, depth = tables.parent(group), tables.depth(group)
    return Cell(wave, item_id, construct, statistic, table, name, parent, depth, status, **figures)


def _estimated(measure: Measure, statistic: str, counts: Sequence[int]) -> dict[str, Any]:
    """The figures of one group from its answers by category."""
    n = sum(counts)
    if statistic == measure.primary:
        counted = int(np.dot(counts, measure.favourable))
        return {**_figures(wilson(counted, n)), "counts": {measure.counted: counted, "other": n - counted}}
    if statistic == "nps":
        detractors, passives, promoters = counts
        named = {"promoters": promoters, "passives": passives, "detractors": detractors}
        return {**_figures(nps(promoters, passives, detractors)), "counts": named}
    answers = np.repeat(np.arange(measure.categories), counts).tolist()
    return _figures(mean_score(answers, 0, measure.categories - 1))


def _figures(estimate: Estimate) -> dict[str, Any]:
    return {
        "value": estimate.value,
        "n": estimate.n,
        "low": estimate.low,
        "high": estimate.high,
        "deviation": estimate.deviation,
    }
