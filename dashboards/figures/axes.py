"""Axes that are labelled in the units they are read in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboards import words

_TICKS = {
    1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", words.HOUR: "1 h", 6 * words.HOUR: "6 h",
    words.DAY: "1 day", 7 * words.DAY: "1 week", 30 * words.DAY: "30 days", words.YEAR // 2: "½ year",
    2 * words.YEAR: "2 years", 10 * words.YEAR: "10 years", 50 * words.YEAR: "50 years",
}  # fmt: skip
"""Where a logarithmic axis of seconds is labelled."""
_UNITS = ((words.YEAR, "Years"), (words.DAY, "Days"), (words.HOUR, "Hours"), (60, "Minutes"), (1, "Seconds"))
_LOG_FROM = 30
"""Ratio of the largest to the smallest duration from which a linear axis would hide the small ones."""
_TITLES = {"per_week": "Per week", "count": "Number", "ratio": "Share"}


def titled(trend: pd.DataFrame) -> str:
    """What the axis of a count, frequency or share is called."""
    return _TITLES.get(str(trend["unit"].iloc[0]), "") if len(trend) else ""


def fit(figure: go.Figure, trend: pd.DataFrame) -> None:
    """Fit the vertical axis to the figures shown and their intervals."""
    shown = trend[trend["value"].notna()]
    values = pd.concat([shown["value"], shown["low"], shown["high"]]).dropna()
    unit = trend["unit"].iloc[0] if len(trend) else "seconds"
    if unit == "seconds":
        _durations(figure, values)
    elif unit == "ratio":
        top = min(1.0, 1.12 * float(values.max())) if len(values) and values.max() > 0 else 0.1
        form = ".0%" if top >= 0.04 else ".1%"
        figure.update_yaxes(range=[0, top], tickformat=form, title=titled(trend))
    else:
        figure.update_yaxes(rangemode="tozero", title=titled(trend))


def logarithmic(low: float, high: float) -> dict[str, object]:
    """An axis of seconds with up to seven labels, so that a phone has room for them."""
    within = [seconds for seconds in _TICKS if low <= seconds <= high]
    labelled = within[:: 1 + len(within) // 8]
    return {
        "type": "log",
        "range": [np.log10(low), np.log10(high)],
        "tickvals": labelled,
        "ticktext": [_TICKS[seconds] for seconds in labelled],
        "title": "Time (logarithmic)",
    }


def linear(top: float) -> dict[str, object]:
    """An axis of seconds from 0, in the largest unit that `top` has two of."""
    size, name = next(unit for unit in _UNITS if top >= 2 * unit[0] or unit[0] == 1)
    step = _round_step(top / size / 5)
    ticks = np.arange(0, top * 1.12 / size + step, step)
    return {
        "tickvals": ticks * size,
        "ticktext": [f"{tick:.10g}" for tick in ticks],
        "range": [0, top * 1.12],
        "title": name,
    }


def is_wide(seconds: pd.Series) -> bool:
    """The durations are too far apart for a linear axis, and none is 0."""
    return len(seconds) > 0 and seconds.min() > 0 and seconds.max() / seconds.min() > _LOG_FROM


def _durations(figure: go.Figure, seconds: pd.Series) -> None:
    if is_wide(seconds):
        figure.update_yaxes(logarithmic(seconds.min() / 1.3, seconds.max() * 1.3))
    else:
        figure.update_yaxes(linear(float(seconds.max()) if len(seconds) else words.DAY))


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 5, 10, … that is no smaller."""
    magnitude = 10 ** np.floor(np.log10(max(rough, 1e-3)))
    return float(magnitude * min(digit for digit in (1, 2, 5, 10) if digit * magnitude >= rough * (1 - 1e-9)))
