"""Adoption: who comes and goes, how far services get, who stays, and when a migration will be done."""

from __future__ import annotations

from html import escape

import pandas as pd
import plotly.graph_objects as go

from dashboards import words
from dashboards.figures.base import faded, layout
from dashboards.theme import ABSENT, ACCENT, MEASURED

STEPS = {
    "eligible": "Could use it", "touched": "Ever tried it", "used": "Ever used it", "using": "Use it",
    "kept": "Use it since 90 days or more",
}  # fmt: skip
"""Steps of the funnel in words."""

_PALE = "#DDEBF7"
"""`MEASURED` as faint as a cell may be, opaque so that its text is readable on either background."""


def comings(changes: pd.DataFrame, grain: str) -> go.Figure:
    """Services that came (up) and left (down), by period: `changed_on, change` of each."""
    figure = go.Figure()
    figure.update_layout(layout(), barmode="relative", bargap=0.2)
    period = pd.to_datetime(changes["changed_on"]).dt.to_period(words.GRAINS[grain])
    for names, said, colour, sign in (
        (("adopted", "returned"), "Came", MEASURED, 1),
        (("left",), "Left", ACCENT, -1),
    ):
        counted = period[changes["change"].isin(names)].value_counts().sort_index()
        starts = pd.PeriodIndex(counted.index).start_time
        figure.add_bar(
            x=starts,
            y=sign * counted,
            name=said,
            marker={"color": colour},
            hovertext=[
                f"<b>{words.period(start, grain)}</b><br>{words.count(int(number), 'service')} {said.lower()}"
                for start, number in zip(starts, counted, strict=True)
            ],
            hoverinfo="text",
        )
    figure.update_xaxes(fixedrange=True, showgrid=False)
    figure.update_yaxes(fixedrange=True, title="Services", tickformat=",d", zeroline=True)
    return figure


def funnel(steps: pd.DataFrame) -> go.Figure:
    """How many services came how far: `step, services` in order; withheld numbers are left open."""
    figure = go.Figure()
    first = steps["services"].iloc[0]
    said = [
        "withheld"
        if pd.isna(number)
        else f"{number:,}" + (f" ({words.share(number / first)})" if first > 0 else "")
        for number in steps["services"]
    ]
    figure.add_bar(
        x=steps["services"].fillna(0).astype(float),
        y=[STEPS[step] for step in steps["step"]],
        orientation="h",
        marker={"color": [faded(ABSENT, 0.5), *[MEASURED] * (len(steps) - 1)]},
        text=said,
        textposition="outside",
        cliponaxis=False,
        hovertext=said,
        hoverinfo="text",
    )
    figure.update_layout(layout(), showlegend=False, height=260)
    most = 1.4 * max(1, int(steps["services"].max()))
    figure.update_xaxes(fixedrange=True, range=[0, most], title="Services", tickformat=",d")
    figure.update_yaxes(fixedrange=True, autorange="reversed")
    return figure


def cohorts(rows: pd.DataFrame) -> go.Figure:
    """Retention heat map: a row for each month of first use, a column for each 30 days since."""
    shares = rows.assign(share=rows["retained"] / rows["services"].where(rows["services"] > 0))
    table = shares.pivot(index="cohort_month", columns="month_number", values="share").astype(float)
    numbers = shares.pivot(index="cohort_month", columns="month_number", values="services").astype(float)
    text = (100 * table).round().astype("Int64").astype("string").fillna("")
    figure = go.Figure(
        go.Heatmap(
            z=table.to_numpy(), x=[str(number) for number in table.columns],
            y=[f"{month:%b %Y}" for month in table.index], zmin=0, zmax=1, xgap=2, ygap=2,
            colorscale=[[0, _PALE], [1, MEASURED]],
            colorbar={"tickformat": ".0%", "thickness": 12},
            text=text.to_numpy() if table.size <= 240 else None, texttemplate="%{text}",
            customdata=numbers.to_numpy(), hoverongaps=False,
            hovertemplate="<b>%{y}</b>, %{x} × 30 days on<br>%{z:.0%} of %{customdata:,} services"
            "<extra></extra>",
        )
    )  # fmt: skip
    figure.update_layout(layout(), height=int(90 + 26 * len(table)))
    figure.update_xaxes(title="Times 30 days since the first use", fixedrange=True, showgrid=False)
    figure.update_yaxes(autorange="reversed", fixedrange=True, showgrid=False)
    return figure


def shares(rows: pd.DataFrame) -> go.Figure:
    """Bars of shares from 0 to 1: `name, share, said`, the first on top."""
    figure = go.Figure()
    figure.add_bar(
        x=rows["share"], y=rows["name"].map(escape), orientation="h", marker={"color": MEASURED},
        text=rows["said"], textposition="auto", cliponaxis=False, hovertext=rows["said"], hoverinfo="text",
    )  # fmt: skip
    figure.update_layout(layout(), showlegend=False, height=int(90 + 30 * len(rows)))
    figure.update_xaxes(fixedrange=True, range=[0, 1], tickformat=".0%")
    figure.update_yaxes(fixedrange=True, autorange="reversed")
    return figure


def burn_up(weeks: pd.DataFrame) -> go.Figure:
    """What is done of a migration by the end of each week, its scope, and the fan of what is likely."""
    ends = weeks.assign(week_end=pd.to_datetime(weeks["week_start"]) + pd.Timedelta(days=7))
    known, likely = ends[~ends["is_forecast"]], ends[ends["is_forecast"]]
    figure = go.Figure()
    # The fan opens at the last week known.
    opened = known.tail(1).assign(
        **{name: known["done"].tail(1) for name in ("done_low", "done_middle", "done_high")}
    )
    fan = pd.concat([opened, likely]) if len(likely) else likely
    if len(fan):
        figure.add_scatter(
            x=fan["week_end"], y=fan["done_high"], mode="lines", line={"width": 0}, showlegend=False,
            hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=fan["week_end"], y=fan["done_low"], mode="lines", line={"width": 0}, fill="tonexty",
            fillcolor=faded(ACCENT, 0.2), name="15 % – 85 % of what is likely", hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=fan["week_end"], y=fan["done_middle"], mode="lines", name="Half of what is likely",
            line={"color": ACCENT, "width": 2, "dash": "dot"},
        )  # fmt: skip
    figure.add_scatter(
        x=ends["week_end"], y=ends["scope"], mode="lines", name="In scope",
        line={"color": ABSENT, "width": 2, "shape": "hv"},
    )  # fmt: skip
    figure.add_scatter(
        x=known["week_end"], y=known["done"], mode="lines", name="Done",
        line={"color": MEASURED, "width": 3, "shape": "hv"},
    )  # fmt: skip
    figure.update_traces(hovertemplate="%{x|%-d %b %Y}: %{y:,} services", selector={"hoverinfo": None})
    figure.update_layout(layout())
    figure.update_xaxes(fixedrange=True, showgrid=False)
    figure.update_yaxes(fixedrange=True, rangemode="tozero", title="Services", tickformat=",d")
    return figure
