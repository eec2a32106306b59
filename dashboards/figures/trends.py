"""A metric over time: bars of what is counted, a line of what is estimated."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import plotly.graph_objects as go

from dashboards import words
from dashboards.figures import axes
from dashboards.figures.base import base, faded, hover, placed, starts
from dashboards.theme import ABSENT, ACCENT, MEASURED

_NAMES = {"rate": "Share", "rate_as_of": "Share", "p90": "90th percentile"}


def bars(trend: pd.DataFrame, grain: str, marks: pd.DataFrame | None = None) -> go.Figure:
    """Bars of a count or frequency by period.

    A period not over yet is hatched, a period in which nothing happened reads `0`, and one without
    data is a grey column, so that neither is taken for the other.
    """
    trend = placed(trend)
    shown = trend[trend["status"].isin(["ok", "too_few"])]
    figure = base(trend, grain)
    for partial, name in ((False, "Complete period"), (True, "So far (period not over)")):
        drawn = shown[shown["partial"].eq(partial)]
        if drawn.empty:
            continue
        figure.add_bar(
            x=drawn["middle"],
            y=drawn["value"],
            width=drawn["width"] * 0.82,
            name=name,
            marker={
                "color": faded(MEASURED) if partial else MEASURED,
                "line": {"color": MEASURED, "width": 1 if partial else 0},
                "pattern": {"shape": "/" if partial else "", "fgcolor": MEASURED, "size": 6},
            },
            customdata=starts(drawn),
            hovertext=hover(drawn, grain),
            hoverinfo="text",
        )
    zeros = shown[shown["value"].eq(0)]
    if len(zeros):
        figure.add_scatter(
            x=zeros["middle"], y=zeros["value"], mode="markers+text" if len(trend) <= 26 else "markers",
            text="0", textposition="top center", cliponaxis=False,
            marker={"symbol": "line-ew-open", "size": 9, "color": MEASURED, "line": {"width": 2}},
            name="None", customdata=starts(zeros), hovertext=hover(zeros, grain), hoverinfo="text",
        )  # fmt: skip
    _mark_absent(figure, trend)
    _mark_changes(figure, marks, trend)
    figure.update_yaxes(rangemode="tozero", title=axes.titled(trend))
    return figure


def line(trend: pd.DataFrame, grain: str, marks: pd.DataFrame | None = None) -> go.Figure:
    """An estimated figure by period with its 90 % interval.

    The line joins neighbouring complete periods with enough behind them to compare; those with too
    few are hollow and unjoined, as is the period that is not over yet.
    """
    trend = placed(trend)
    figure = base(trend, grain)
    size = 8 if len(trend) <= 60 else 4
    joined = trend["status"].eq("ok") & ~trend["partial"]
    banded = joined & trend["low"].notna() & trend["high"].notna()
    for number, run in enumerate(_runs(trend[banded])):
        _interval(figure, run, is_first=number == 0)
    figure.add_scatter(
        x=trend["middle"], y=trend["value"].where(joined), mode="lines+markers", connectgaps=False,
        line={"color": MEASURED, "width": 2}, marker={"size": size, "color": MEASURED},
        name=_NAMES.get(trend["estimate"].iloc[0], "Median") if len(trend) else "Median", cliponaxis=False,
        customdata=starts(trend), hovertext=hover(trend, grain), hoverinfo="text",
    )  # fmt: skip
    few = trend[trend["status"].eq("too_few") & ~trend["partial"]]
    so_far = trend[trend["partial"] & trend["value"].notna()]
    for points, name, symbol in (
        (few, "Too few to compare", "circle-open"),
        (so_far, "So far (period not over)", "diamond-open"),
    ):
        if len(points):
            figure.add_scatter(
                x=points["middle"], y=points["value"], mode="markers", name=name, cliponaxis=False,
                marker={"symbol": symbol, "size": size + 1, "color": MEASURED, "line": {"width": 2}},
                customdata=starts(points), hovertext=hover(points, grain), hoverinfo="text",
            )  # fmt: skip
    _mark_changes(figure, marks, trend)
    axes.fit(figure, trend)
    return figure


def _mark_changes(figure: go.Figure, marks: pd.DataFrame | None, trend: pd.DataFrame) -> None:
    """A dashed line where the level changed, and a triangle that says from what to what."""
    if marks is None or marks.empty:
        return
    unit = trend["unit"].iloc[0]
    for start in marks["period_start"]:
        figure.add_vline(x=start, line={"color": ACCENT, "width": 1.5, "dash": "dash"})
    rises = marks["after"] > marks["before"]
    figure.add_scatter(
        x=marks["period_start"], y=marks["after"], mode="markers", name="Change of level",
        marker={
            "symbol": ["triangle-up" if rise else "triangle-down" for rise in rises],
            "size": 12, "color": ACCENT,
        },
        hovertext=[
            f"<b>From the week of {words.day(mark['period_start'])} on</b><br>"
            f"{words.figure(mark['before'], unit)} → {words.figure(mark['after'], unit)} (medians of weeks)"
            f"<br>p = {mark['p_value']:.2g}<br>{mark['method']}"
            for mark in marks.to_dict("records")
        ],
        hoverinfo="text",
    )  # fmt: skip


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
            line={"color": faded(MEASURED, 0.3), "width": 8}, **legend,
        )  # fmt: skip
        return
    figure.add_scatter(
        x=[*run["middle"], *run["middle"][::-1]], y=[*run["high"], *run["low"][::-1]], mode="lines",
        line={"width": 0}, fill="toself", fillcolor=faded(MEASURED, 0.22), **legend,
    )  # fmt: skip


def _mark_absent(figure: go.Figure, trend: pd.DataFrame) -> None:
    """Grey columns where there is no data, with one legend entry for all of them."""
    absent = trend[trend["status"].isin(["no_data", "suppressed"])]
    for run in _runs(absent):
        figure.add_vrect(
            x0=run["period_start"].iloc[0], x1=run["period_end"].iloc[-1], layer="below", line_width=0,
            fillcolor=faded(ABSENT, 0.18),
        )  # fmt: skip
    if len(absent):
        figure.add_scatter(
            x=[None], y=[None], mode="markers", name="No data", hoverinfo="skip",
            marker={"symbol": "square", "size": 11, "color": faded(ABSENT, 0.4)},
        )  # fmt: skip
