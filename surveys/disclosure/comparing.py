"""Cells against the latest earlier wave that shows the same, from released figures alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from surveys.disclosure.cells import RESPONSE
from surveys.disclosure.records import Cell, Comparison, Group, Released
from surveys.statistics import CONFIDENCE, Change, Estimate, holm, nps_change, two_proportions, welch


def compared(cells: Sequence[Cell], earlier: Sequence[Released]) -> list[Cell]:
    """The same cells with their comparisons; p-values are adjusted within each group and earlier wave."""
    before = {
        (cell.item_id, cell.statistic, *cell.where): cell
        for wave in earlier
        for cell in wave.cells
        if cell.status == "ok" and cell.statistic != RESPONSE
    }
    families: dict[tuple[Group, str], list[tuple[int, Change]]] = defaultdict(list)
    for index, cell in enumerate(cells):
        was = before.get((cell.item_id, cell.statistic, *cell.where))
        if cell.status == "ok" and was is not None:
            families[cell.where, was.wave].append((index, _change(was, cell)))
    result = list(cells)
    for (_, wave), family in families.items():
        adjusted = holm([change.p_value for _, change in family])
        for (index, change), p_holm in zip(family, adjusted, strict=True):
            result[index] = replace(
                result[index], comparison=_comparison(wave, result[index], change, p_holm)
            )
    return result


def _change(was: Cell, now: Cell) -> Change:
    if now.counts is None:
        return welch(_estimate(was), _estimate(now))
    if now.statistic == "nps":
        return nps_change(_three(was), _three(now))
    return two_proportions(_two(was), _two(now))


def _two(cell: Cell) -> tuple[int, int]:
    counts = dict(cell.counts or {})
    other = counts.pop("other")
    (counted,) = counts.values()
    return counted, counted + other


def _three(cell: Cell) -> tuple[int, int, int]:
    counts = cell.counts or {}
    return counts["promoters"], counts["passives"], counts["detractors"]


def _estimate(cell: Cell) -> Estimate:
    if cell.value is None or cell.n is None or cell.low is None or cell.high is None:
        raise ValueError(f"A cell that is {cell.status} has nothing to compare.")
    return Estimate(cell.value, cell.n, cell.low, cell.high, cell.deviation)


def _comparison(wave: str, cell: Cell, change: Change, p_holm: float) -> Comparison:
    is_change = p_holm < 1 - CONFIDENCE
    points = 100 if cell.statistic in ("top2", "theme") else 1
    if is_change:
        direction = "Up" if change.value > 0 else "Down"
        says = f"{direction} by {abs(change.value) * points:.0f} points since {wave}."
    else:
        says = (
            f"No detectable change since {wave}: with this many answers, a difference of about "
            f"{change.detectable * points:.0f} points would have shown."
        )
    return Comparison(
        wave,
        change.value,
        change.low,
        change.high,
        change.p_value,
        p_holm,
        is_change,
        change.detectable,
        says,
    )
