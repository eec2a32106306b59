"""Charts: pure functions from a frame of `queries` to a plotly figure.

Every mark carries its period's start (ISO date) as `customdata[0]`, which is how a page knows
what was chosen. Colours come from `theme`; text and background are left to the page's theme.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dashboards import words
from dashboards.theme import ABSENT, ACCENT, MEASURED

_TICKS = {
    1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", words.HOUR: "1 h", 6 * words.HOUR: "6 h",
    words.DAY: "1 day", 7 * words.DAY: "1 week", 30 * words.DAY: "30 days", words.YEAR // 2: "½ year",
    2 * words.YEAR: "2 years", 10 * words.YEAR: "10 years", 50 * words.YEAR: "50 years",
}  # fmt: skip
"""Where a logarithmic axis of seconds is labelled."""
_AXIS_UNITS = (
    (words.YEAR, "years"),
    (words.DAY, "days"),
    (words.HOUR, "hours"),
    (60, "minutes"),
    (1, "seconds"),
)
_LOG_FROM = 30
"""Ratio of the largest to the smallest duration from which a linear axis would hide the small ones."""


def frequency(trend: pd.DataFrame, grain: str) -> go.Figure:
    """Bars of a count or frequency by period.

    A period not over yet is hatched, a period without deployments reads `0`, and one without
    data is a grey column, so that neither is taken for the other.
    """
    trend = _placed(trend)
    shown = trend[trend["status"].isin(["ok", "too_few"])]
    figure = _base(trend, grain)
    for partial, name in ((False, "Complete period"), (True, "So far (period not over)")):
        bars = shown[shown["partial"].eq(partial)]
        if bars.empty and partial:
            continue
        figure.add_bar(
            x=bars["middle"],
            y=bars["value"],
            width=bars["width"] * 0.82,
            name=name,
            marker={
                "color": _faded(MEASURED) if partial else MEASURED,
                "line": {"color": MEASURED, "width": 1 if partial else 0},
                "pattern": {"shape": "/" if partial else "", "fgcolor": MEASURED, "size": 6},
            },
            customdata=_starts(bars),
            hovertext=_hover(bars, grain),
            hoverinfo="text",
        )
    zeros = shown[shown["value"].eq(0)]
    if len(zeros):
        figure.add_scatter(
            x=zeros["middle"], y=zeros["value"], mode="markers+text" if len(trend) <= 26 else "markers",
            text="0", textposition="top center", cliponaxis=False,
            marker={"symbol": "line-ew-open", "size": 9, "color": MEASURED, "line": {"width": 2}},
            name="None deployed", customdata=_starts(zeros), hovertext=_hover(zeros, grain), hoverinfo="text",
        )  # fmt: skip
    _mark_absent(figure, trend)
    unit = "Deployments per week" if (trend["unit"] == "per_week").any() else "Deployments"
    figure.update_yaxes(rangemode="tozero", title=unit)
    return figure


def lead_time(trend: pd.DataFrame, grain: str) -> go.Figure:
    """Median lead time by period with its 90 % interval.

    The line joins neighbouring complete periods with enough changes to compare; those with too
    few are hollow and unjoined, as is the period that is not over yet.
    """
    trend = _placed(trend)
    figure = _base(trend, grain)
    size = 8 if len(trend) <= 60 else 4
    joined = trend["status"].eq("ok") & ~trend["partial"]
    banded = joined & trend["low"].notna() & trend["high"].notna()
    for number, run in enumerate(_runs(trend[banded])):
        _interval(figure, run, is_first=number == 0)
    figure.add_scatter(
        x=trend["middle"], y=trend["value"].where(joined), mode="lines+markers", connectgaps=False,
        line={"color": MEASURED, "width": 2}, marker={"size": size, "color": MEASURED}, name="Median",
        customdata=_starts(trend), hovertext=_hover(trend, grain), hoverinfo="text",
    )  # fmt: skip
    few = trend[trend["status"].eq("too_few") & ~trend["partial"]]
    so_far = trend[trend["partial"] & trend["value"].notna()]
    for points, name, symbol in (
        (few, "Too few to compare", "circle-open"),
        (so_far, "So far (period not over)", "diamond-open"),
    ):
        if len(points):
            figure.add_scatter(
                x=points["middle"], y=points["value"], mode="markers", name=name,
                marker={"symbol": symbol, "size": size + 1, "color": MEASURED, "line": {"width": 2}},
                customdata=_starts(points), hovertext=_hover(points, grain), hoverinfo="text",
            )  # fmt: skip
    shown = trend[trend["value"].notna()]
    _duration_axis(figure, pd.concat([shown["value"], shown["low"], shown["high"]]).dropna())
    return figure


def distribution(seconds: pd.Series, median: float, p90: float) -> go.Figure:
    """Share of changes by lead time, on a logarithmic axis, with the median and the 90th percentile."""
    figure = go.Figure()
    values = seconds.to_numpy(dtype=float).clip(min=1)
    edges = np.logspace(
        np.log10(values.min() * 0.999), np.log10(values.max() * 1.001), _bins(len(values)) + 1
    )
    counted, _ = np.histogram(values, edges)
    figure.add_bar(
        x=np.sqrt(edges[:-1] * edges[1:]),
        y=100 * counted / len(values),
        width=np.diff(edges) * 0.96,
        marker={"color": MEASURED},
        hovertext=[
            f"{words.duration(low)} – {words.duration(high)}<br>{words.count(int(n), 'change')}"
            for low, high, n in zip(edges[:-1], edges[1:], counted, strict=True)
        ],
        hoverinfo="text",
        name="Changes",
    )
    for value, name, side in ((median, "50 %", "right"), (p90, "90 %", "left")):
        figure.add_vline(
            x=max(value, 1), line={"color": ACCENT, "width": 2, "dash": "dot"},
            annotation={
                "text": name, "yref": "paper", "y": 1.0, "yanchor": "bottom",
                "xanchor": side, "x": float(np.log10(max(value, 1))),
            },
        )  # fmt: skip
    figure.update_layout(_layout(), showlegend=False)
    figure.update_layout(margin={"t": 40})
    figure.update_xaxes(_logarithmic(edges[0] / 1.3, edges[-1] * 1.3), fixedrange=True)
    figure.update_yaxes(title="Share of changes", ticksuffix=" %", fixedrange=True)
    return figure


def _bins(number: int) -> int:
    return int(np.clip(np.sqrt(number), 8, 40))


_LABELS = {"quarter": {"dtick": "M3", "tickformat": "Q%q %Y"}, "year": {"dtick": "M12", "tickformat": "%Y"}}


def _base(trend: pd.DataFrame, grain: str) -> go.Figure:
    figure = go.Figure()
    figure.update_layout(_layout(), barmode="overlay")
    if len(trend):
        edges = [trend["period_start"].iloc[0], trend["period_end"].iloc[-1]]
        figure.update_xaxes(range=edges)
    figure.update_xaxes(fixedrange=True, showgrid=False, ticklabelmode="period")
    if len(trend) <= 8:
        figure.update_xaxes(_LABELS.get(grain))
    figure.update_yaxes(fixedrange=True)
    return figure


def _layout() -> dict[str, object]:
    return {
        "height": 320,
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "legend": {"orientation": "h", "yanchor": "top", "y": -0.16, "x": 0},
        "hovermode": "closest",
        "dragmode": False,
    }


def _placed(trend: pd.DataFrame) -> pd.DataFrame:
    """With the middle of each period and its length in milliseconds, plotly's unit for a bar's width."""
    length = trend["period_end"] - trend["period_start"]
    return trend.assign(middle=trend["period_start"] + length / 2, width=length.dt.total_seconds() * 1_000)


def _starts(rows: pd.DataFrame) -> list[list[str]]:
    return [[start] for start in rows["period_start"].dt.strftime("%Y-%m-%d")]


def _hover(rows: pd.DataFrame, grain: str) -> list[str]:
    return [_described(row, grain) for row in rows.to_dict("records")]


def _described(row: Mapping[Hashable, Any], grain: str) -> str:
    lines = [f"<b>{words.period(row['period_start'], grain)}</b>", words.figure(row["value"], row["unit"])]
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        low, high = (words.figure(row[bound], row["unit"]) for bound in ("low", "high"))
        lines.append(f"90 % interval {low} – {high}")
    lines.append(f"n = {row['n']:,}")
    if row["status"] == "too_few":
        lines.append("too few to compare")
    if row["partial"]:
        lines.append("period not over")
    return "<br>".join(lines)


def _runs(rows: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Stretches of rows whose periods follow one another without a gap."""
    if rows.empty:
        return
    breaks = rows["period_start"].ne(rows["period_end"].shift()).cumsum()
    for _, run in rows.groupby(breaks):
        yield run


def _interval(figure: go.Figure, run: pd.DataFrame, *, is_first: bool) -> None:
    legend = {"name": "90 % interval", "legendgroup": "interval", "showlegend": is_first, "hoverinfo": "skip"}
    if len(run) == 1:
        figure.add_scatter(
            x=[run["middle"].iloc[0]] * 2, y=[run["low"].iloc[0], run["high"].iloc[0]], mode="lines",
            line={"color": _faded(MEASURED, 0.3), "width": 8}, **legend,
        )  # fmt: skip
        return
    figure.add_scatter(
        x=[*run["middle"], *run["middle"][::-1]], y=[*run["high"], *run["low"][::-1]], mode="lines",
        line={"width": 0}, fill="toself", fillcolor=_faded(MEASURED, 0.22), **legend,
    )  # fmt: skip


def _mark_absent(figure: go.Figure, trend: pd.DataFrame) -> None:
    """Grey columns where there is no data, with one legend entry for all of them."""
    absent = trend[trend["status"].isin(["no_data", "suppressed"])]
    for run in _runs(absent):
        figure.add_vrect(
            x0=run["period_start"].iloc[0], x1=run["period_end"].iloc[-1], layer="below", line_width=0,
            fillcolor=_faded(ABSENT, 0.18),
        )  # fmt: skip
    if len(absent):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name="No data", hoverinfo="skip",
            marker={"symbol": "square", "size": 11, "color": _faded(ABSENT, 0.4)},
        )  # fmt: skip


def _duration_axis(figure: go.Figure, seconds: pd.Series) -> None:
    positive = seconds[seconds > 0]
    if len(positive) and positive.max() / positive.min() > _LOG_FROM and len(positive) == len(seconds):
        figure.update_yaxes(_logarithmic(positive.min() / 1.3, positive.max() * 1.3))
        return
    top = float(seconds.max()) if len(seconds) else words.DAY
    size, name = next(unit for unit in _AXIS_UNITS if top >= 2 * unit[0] or unit[0] == 1)
    step = _round_step(top / size / 5)
    ticks = np.arange(0, top * 1.12 / size + step, step)
    figure.update_yaxes(
        tickvals=ticks * size, ticktext=[f"{tick:.10g}" for tick in ticks], range=[0, top * 1.12],
        title=f"Lead time in {name}",
    )  # fmt: skip


def _logarithmic(low: float, high: float) -> dict[str, object]:
    """An axis of seconds with up to seven labels, so that a phone has room for them."""
    within = [seconds for seconds in _TICKS if low <= seconds <= high]
    labelled = within[:: 1 + len(within) // 8]
    return {
        "type": "log",
        "range": [np.log10(low), np.log10(high)],
        "tickvals": labelled,
        "ticktext": [_TICKS[seconds] for seconds in labelled],
        "title": "Lead time (logarithmic)",
    }


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 5, 10, … that is no smaller."""
    magnitude = 10 ** np.floor(np.log10(max(rough, 1e-3)))
    return float(magnitude * min(digit for digit in (1, 2, 5, 10) if digit * magnitude >= rough * (1 - 1e-9)))


def _faded(colour: str, opacity: float = 0.3) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"
