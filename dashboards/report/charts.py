"""Charts as SVG: a figure by period with its interval, for paper and mail, where no script draws one.

Text and axes are in `currentColor`, so that they are readable on any background.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import groupby
from typing import Any, NamedTuple

import pandas as pd

from dashboards import words
from dashboards.report.templates import TEMPLATES
from dashboards.theme import ABSENT, ACCENT, MEASURED

_WIDTH, _HEIGHT = 360.0, 100.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 6.0, 8.0, 18.0
_UNITS = (words.DAY, words.HOUR, words.MINUTE, 1)
_EMPTY = {"ratio": 0.1, "seconds": float(words.DAY)}
"""Top of the axis where all figures are 0, or there are none."""


class Mark(NamedTuple):
    """A period's figure, placed."""

    x: float
    y: float
    low: float | None
    high: float | None
    is_whole: bool
    """Its period is over, and there is enough behind it to compare."""


def svg(
    trend: pd.DataFrame,
    changes: pd.DataFrame,
    notes: pd.DataFrame,
    grain: str,
    title: str,
    *,
    font_size: float = 9.5,
) -> str:
    """One chart, from frames as `queries.trend`, `change_points` and `notes` give them; 360 units wide."""
    known = pd.concat([trend["value"], trend["high"]]).dropna()
    unit = str(trend["unit"].iloc[0])
    top = float(known.max()) * 1.08 if len(known) and known.max() > 0 else _EMPTY.get(unit, 1.0)
    step = (_WIDTH - _LEFT - _RIGHT) / len(trend)

    def down(value: float) -> float:
        return round(_HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM), 1)

    def along(day: Any) -> float:
        share: float = (day - first) / (last - first)
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * share, 1)

    across = [round(_LEFT + (place + 0.5) * step, 1) for place in range(len(trend))]
    marks = [_mark(row, x, down) for row, x in zip(trend.itertuples(), across, strict=True)]
    first, last = trend["period_start"].iloc[0], trend["period_end"].iloc[-1]
    return TEMPLATES.get_template("chart.svg.jinja").render(
        width=_WIDTH,
        height=_HEIGHT,
        font_size=font_size,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        top=_TOP,
        floor=_HEIGHT - _BOTTOM,
        title=title,
        told=described(trend, notes, grain),
        ticks=[(down(tick), _tick(tick, unit)) for tick in _ticks(top, unit)],
        periods=[(across[at], _short(trend["period_start"].iloc[at], grain)) for at in _labelled(len(trend))],
        lines=_runs(marks, lambda mark: mark.is_whole),
        bands=_runs(marks, lambda mark: mark.is_whole and mark.low is not None),
        marks=[mark for mark in marks if mark],
        changes=[along(start) for start in changes["period_start"]],
        notes=[(along(day), "; ".join(words.noted(rows))) for day, rows in notes.groupby("date")],
        absent=ABSENT,
        measured=MEASURED,
        accent=ACCENT,
    )


def described(trend: pd.DataFrame, notes: pd.DataFrame, grain: str) -> str:
    """The chart in words: its span, its lowest, highest and latest figure, and what was noted."""
    known = trend[trend["value"].notna()]
    first, last = (words.period(trend["period_start"].iloc[at], grain) for at in (0, -1))
    noted = "".join(f" {each}." for each in words.noted(notes))
    if known.empty:
        return f"{first} to {last}: no data.{noted}"
    unit = str(trend["unit"].iloc[0])
    said = [
        f"{name} {words.figure(row['value'], unit)} ({words.period(row['period_start'], grain)})"
        for name, row in (
            ("lowest", known.sort_values("value").iloc[0]),
            ("highest", known.sort_values("value").iloc[-1]),
            ("latest", known.iloc[-1]),
        )
    ]
    return f"{first} to {last}: {', '.join(said)}.{noted}"


def _mark(row: Any, x: float, down: Callable[[float], float]) -> Mark | None:
    if pd.isna(row.value):
        return None
    low, high = row.low, row.high
    is_sure = pd.notna(low) and pd.notna(high)
    is_whole = row.status == "ok" and not row.partial
    return Mark(x, down(row.value), down(low) if is_sure else None, down(high) if is_sure else None, is_whole)


def _runs(marks: list[Mark | None], is_meant: Callable[[Mark], bool]) -> list[list[Mark]]:
    """Stretches of neighbours that are meant; a period without a figure ends one."""
    kept = [mark if mark and is_meant(mark) else None for mark in marks]
    return [[mark for mark in run if mark] for whole, run in groupby(kept, bool) if whole]


def _ticks(top: float, unit: str) -> list[float]:
    """0 and up to three round figures below `top`."""
    size = next(size for size in _UNITS if top >= 2 * size or size == 1) if unit == "seconds" else 1
    rough = top / size / 3
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = size * magnitude * next(digit for digit in (1, 2, 5, 10) if digit * magnitude >= rough)
    return [number * step for number in range(int(top / step) + 1)]


def _tick(value: float, unit: str) -> str:
    return f"{value:g}" if value == 0 or unit in ("per_week", "count") else words.figure(value, unit)


def _labelled(periods: int) -> list[int]:
    """Places of the first, the middle and the last."""
    return sorted({0, periods // 2, periods - 1})


def _short(start: pd.Timestamp, grain: str) -> str:
    return f"{start:%-d %b}" if grain == "week" else words.period(start, grain)
