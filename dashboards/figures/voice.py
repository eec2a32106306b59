"""What surveys say: answers with their intervals, groups side by side, waves one after the other, drivers.

Labels are other people's text: `literal` keeps plotly from reading markup in them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from pandas.io.formats.style import Styler

from dashboards import words
from dashboards.figures.base import faded, layout
from dashboards.theme import ABSENT, ACCENT, MEASURED

UNSHOWN = {
    "suppressed": "withheld: too few answers",
    "too_few": "not shown under 20 answers",
    "no_data": "no data",
}
"""Why a cell has no value, by its status: never more, since that would tell of the withheld."""
_CELLS = {"suppressed": "withheld", "too_few": "withheld", "no_data": "no data"}
EVERYBODY = "Everybody"

INDENT = "\u2003"
"""What sets a group off from the one above it: a space that no reader of tables takes away."""

_SCALES = {"nps": (-100, 100), "mean": (0, 100), "umux_lite": (0, 100)}


def group_name(group: str) -> str:
    """A group as a person calls it."""
    return group or EVERYBODY


def score(value: float, statistic: str) -> str:
    """A value of a cell in its statistic's words: `64 %`, `−12`, `71`."""
    if statistic in _SCALES:
        return f"{value:+.0f}".replace("-", "−") if statistic == "nps" else f"{value:.0f}"
    return f"{100 * value:.0f} %"


def literal(text: object) -> str:
    """Text that plotly shows as it is."""
    return escape(str(text), quote=False)


def answers(rows: pd.DataFrame) -> go.Figure:
    """Share of favourable answers by question with its interval; withheld questions keep their row."""
    figure = go.Figure()
    places = list(range(len(rows)))
    shown = rows.assign(place=places)
    known = shown[shown["status"].eq("ok")]
    changed = known["is_change"].eq(True)
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        figure.add_annotation(
            x=0, y=place - 0.36, xanchor="left", yanchor="middle", showarrow=False, text=literal(row["label"])
        )
        figure.add_annotation(
            x=1, y=place - 0.36, xanchor="right", yanchor="middle", showarrow=False, text=_said(row)
        )
        figure.add_shape(
            type="line", x0=0, x1=1, y0=place, y1=place, layer="below",
            line={"color": faded(ABSENT, 0.25), "width": 8},
        )  # fmt: skip
    ends = [end for row in known.to_dict("records") for end in (row["low"], row["high"], None)]
    figure.add_scatter(
        x=ends, y=[place for place in known["place"] for _ in range(3)], mode="lines", hoverinfo="skip",
        line={"color": faded(MEASURED, 0.45), "width": 8}, name="90 % interval", connectgaps=False,
    )  # fmt: skip
    for some, name, colour, symbol in (
        (known[~changed], "Favourable answers", MEASURED, "circle"),
        (known[changed], "Changed since the wave before", ACCENT, "diamond"),
    ):
        if len(some):
            figure.add_scatter(
                x=some["value"], y=some["place"], mode="markers", name=name, cliponaxis=False,
                marker={"size": 13, "color": colour, "symbol": symbol},
                hovertext=[_hover(row, "top2", row["text"]) for row in some.to_dict("records")],
                hoverinfo="text",
            )  # fmt: skip
    figure.update_layout(layout(), height=int(96 + 46 * len(rows)))
    figure.update_layout(legend={"y": -0.9 / max(len(rows), 1)}, margin={"l": 16, "r": 24})
    figure.update_xaxes(
        fixedrange=True, range=[0, 1], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".0%", showgrid=False,
        zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(
        fixedrange=True, range=[len(rows) - 0.6, -0.75], showticklabels=False, showgrid=False, zeroline=False
    )
    return figure


def waves(rows: pd.DataFrame, statistic: str) -> go.Figure:
    """A question over waves; where another took its place the line ends, and a mark says so."""
    figure = go.Figure()
    labels = {row["wave"]: literal(row["wave"]) for row in rows.to_dict("records")}
    items = list(dict.fromkeys(rows["item_id"]))
    for number, item in enumerate(items):
        asked = rows[rows["item_id"].eq(item)]
        known = asked["status"].eq("ok")
        is_present = item == items[-1]
        figure.add_scatter(
            x=asked["wave"].map(labels), y=asked["value"].where(known), mode="lines+markers",
            connectgaps=False, cliponaxis=False, name=literal(asked["label"].iloc[-1]),
            line={"color": MEASURED if is_present else ABSENT, "width": 2},
            marker={"size": 9, "symbol": "circle" if is_present else "square"},
            error_y={
                "type": "data", "symmetric": False, "array": asked["high"] - asked["value"],
                "arrayminus": asked["value"] - asked["low"], "thickness": 1.5, "width": 4,
            },
            hovertext=[_hover(row, statistic, row["label"]) for row in asked.to_dict("records")],
            hoverinfo="text",
        )  # fmt: skip
        if number:
            figure.add_vline(
                x=list(labels).index(asked["wave"].iloc[0]) - 0.5,
                line={"color": ACCENT, "width": 1.5, "dash": "dash"},
                annotation={"text": "new question", "yanchor": "bottom", "y": 1},
            )
    low, high = _SCALES.get(statistic, (0, 1))
    blank = rows[rows["status"].ne("ok")]
    if len(blank):
        figure.add_scatter(
            x=blank["wave"].map(labels), y=[low] * len(blank), mode="markers", name="Withheld or no data",
            marker={"symbol": "x-thin", "size": 9, "line": {"width": 2, "color": ABSENT}}, cliponaxis=False,
            hovertext=[f"<b>{labels[row['wave']]}</b><br>{UNSHOWN[row['status']]}"
                       for row in blank.to_dict("records")],
            hoverinfo="text",
        )  # fmt: skip
    figure.update_layout(layout(), showlegend=True)
    figure.update_layout(margin={"t": 28})
    figure.update_xaxes(
        fixedrange=True, type="category", categoryorder="array", categoryarray=list(labels.values()),
        range=[-0.5, len(labels) - 0.5], showgrid=False,
    )  # fmt: skip
    figure.update_yaxes(
        fixedrange=True, range=[low, high], tickformat=None if statistic in _SCALES else ".0%"
    )
    return figure


def heat(rows: pd.DataFrame) -> Styler:
    """A table of groups by question: shares on blue, all withheld cells alike.

    Groups are indented by their depth; the second column names what a withheld one is counted in.
    """
    indented = [
        f"{INDENT * depth}{group_name(group)}"
        for group, depth in zip(rows["group_name"], rows["depth"], strict=True)
    ]
    named = rows.assign(Group=indented)
    named["said"] = [
        score(value, "top2") if status == "ok" else _CELLS[status]
        for value, status in zip(rows["value"], rows["status"], strict=True)
    ]
    named["shade"] = list(map(_shade, rows["value"], rows["status"]))
    above = (
        named[named["status"].eq("suppressed")]
        .dropna(subset="rolls_up_to")
        .groupby("Group")["rolls_up_to"]
        .agg(lambda groups: ", ".join(map(group_name, dict.fromkeys(groups))))
    )
    said, shades = _wide(named, "said"), _wide(named, "shade")
    said.insert(0, "If withheld, see", [above.get(group, "") for group in said.index])
    shades.insert(0, "If withheld, see", "")
    return said.style.apply(lambda _: shades, axis=None)


def drivers(rows: pd.DataFrame) -> go.Figure:
    """Bars of each construct's share of the explained variance, largest on top: `title, share, direction`."""
    said = [f"{words.share(row['share'])}, {row['direction']} with it" for row in rows.to_dict("records")]
    figure = _bars(rows["share"], rows["title"], said)
    figure.add_vline(
        x=float(rows["threshold"].iloc[0]), line={"color": ABSENT, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    figure.update_xaxes(tickformat=".0%", title="Share of the differences between people that goes with it")
    return figure


def themes(rows: pd.DataFrame) -> go.Figure:
    """Bars of how many people's comments touch a theme, most on top: `theme, mentioned, n, share`."""
    said = [f"{row['mentioned']:,} of {row['n']:,} people" for row in rows.to_dict("records")]
    figure = _bars(rows["mentioned"], rows["theme"].map(theme_name), said)
    figure.update_xaxes(tickformat=",d", title="People whose comments are about it")
    return figure


def theme_name(theme: str) -> str:
    """`technical-debt` is `Technical debt`."""
    return theme.replace("-", " ").replace("_", " ").capitalize()


def _bars(values: pd.Series, names: pd.Series, said: list[str]) -> go.Figure:
    figure = go.Figure()
    figure.add_bar(
        x=values, y=[literal(name) for name in names], orientation="h", marker={"color": MEASURED}, text=said,
        textposition="auto", cliponaxis=False, hovertext=said, hoverinfo="text",
    )  # fmt: skip
    figure.update_layout(layout(), showlegend=False, height=int(96 + 34 * len(values)))
    figure.update_xaxes(fixedrange=True, rangemode="tozero")
    figure.update_yaxes(fixedrange=True, autorange="reversed", type="category", automargin=True)
    return figure


def _said(row: Mapping[Hashable, Any]) -> str:
    """What stands at the end of a question's row."""
    if row["status"] != "ok":
        return f"<i>{UNSHOWN[row['status']]}</i>"
    change = ""
    if pd.notna(row["is_change"]) and row["is_change"]:
        change = f" {'▲' if row['change'] > 0 else '▼'} {abs(100 * row['change']):.0f}"
    return f"<b>{score(row['value'], 'top2')}</b>{change} · n = {row['n']:,.0f}"


def _hover(row: Mapping[Hashable, Any], statistic: str, heading: str) -> str:
    lines = [f"<b>{literal(heading)}</b>"]
    if row["status"] == "ok":
        value, low, high = (score(row[name], statistic) for name in ("value", "low", "high"))
        lines += [value, f"90 % interval {low} – {high}", f"n = {row['n']:,.0f}"]
    else:
        lines.append(UNSHOWN[row["status"]])
    if isinstance(row["change_says"], str):
        lines.append(literal(row["change_says"]))
    return "<br>".join(lines)


def _wide(rows: pd.DataFrame, values: str) -> pd.DataFrame:
    """Groups by questions, both in the order of the rows."""
    wide = rows.pivot(index="Group", columns="label", values=values).fillna("")
    ordered = wide.loc[list(dict.fromkeys(rows["Group"])), list(dict.fromkeys(rows["label"]))]
    return ordered.rename_axis(columns=None)


def _shade(value: Any, status: str) -> str:
    if status == "suppressed":
        return f"background-color: {faded(ABSENT, 0.22)}"
    return "" if pd.isna(value) else f"background-color: {faded(MEASURED, round(0.05 + 0.5 * value, 2))}"
