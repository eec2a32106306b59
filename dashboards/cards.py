"""The card of a metric: its last complete period, and what changed since the one before."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import date
from html import escape
from typing import NamedTuple

import pandas as pd
import streamlit as st

from dashboards import queries, verdicts, words
from dashboards.comparing import CENSUS, Change, compared, last_two, latest
from dashboards.definitions import explain
from dashboards.notes import of as noted
from dashboards.report.charts import described, svg
from dashboards.theme import MUTED
from dashboards.view import View

BASIS = {
    "batch_size": "deployment", "change_fail_rate": "deployment", "change_lead_time": "change",
    "ci_duration_p50": "run", "ci_duration_p90": "run", "ci_flaky_rate": "tested commit",
    "ci_queue_p50": "run", "ci_queue_p90": "run", "ci_wait": "pull request", "deployment_days": "week",
    "deployment_frequency": "deployment", "deployment_success_rate": "attempt", "deployments": "deployment",
    "failed_deployment_recovery_time": "fault", "rework_rate": "deployment", "time_to_restore": "incident",
}  # fmt: skip
"""What a service's figure rests on; those of pull requests are left out."""

ADOPTION_BASIS = {
    "activation": "team", "developer_reach": "developer", "first_deployment_p50": "team",
    "first_deployment_p75": "team", "outside_contribution": "pull request", "self_service_share": "request",
    "template_success": "run", "template_time": "run",
}  # fmt: skip
"""What a figure of adoption rests on, at every level, where that is not services."""


_ABREAST = 4
"""Cards beside one another at most; more of them stand in rows of three."""


class _Shown(NamedTuple):
    """A metric with what its card is about."""

    metric: queries.Metric
    known: pd.DataFrame
    """Complete periods up to the last with data, as `comparing.latest` finds them."""
    missing: date | None
    pair: tuple[pd.Series, pd.Series] | None


def row(view: View, *metrics: queries.Metric, with_trend: bool = False) -> None:
    """Cards beside one another; which of them changed is judged over all of them together."""
    shown = []
    for metric in metrics:
        known, missing = latest(recent(view, metric))
        shown.append(_Shown(metric, known, missing, last_two(known)))
    judged = verdicts.judged(view, [each.pair for each in shown])
    abreast = len(metrics) if len(metrics) <= _ABREAST else 3
    for first in range(0, len(shown), abreast):
        columns = st.columns(abreast)
        for column, each, found in zip(columns, shown[first:], judged[first:], strict=False):
            with column.container(border=True, height="stretch", key=f"card-{each.metric}"):
                _card(view, each, found.is_detectable, with_trend=with_trend)


def _card(view: View, each: _Shown, is_detectable: bool | None, *, with_trend: bool) -> None:
    told = queries.definition(view.source, each.metric)
    title = str(told["title"])
    if each.known.empty:
        st.metric(title, "No data")
        st.caption(f"Nothing in {words.span(view.since, view.until)}")
    else:
        shown = each.known.iloc[-1]
        change = None
        if each.pair:
            better = str(told["better"] or "")
            change = compared(*each.pair, better, view.grain, is_detectable=is_detectable)
        st.metric(
            title,
            _value(shown),
            change.text if change else None,
            delta_color=change.colour if change else "off",
            delta_arrow="off" if change and change.text.startswith("unchanged") else "auto",
        )
        # Not in the caption, which is too pale for it.
        if badges := caution(shown):
            st.markdown(" ".join(f":orange-badge[{badge}]" for badge in badges))
        lines = [f"**{words.period(shown['period_start'], view.grain)}**"]
        lines += notes(shown, view.scope, change)
        if each.missing is not None:
            lines.append(f"The latest there is: no data in {words.period(each.missing, view.grain)}")
        st.caption("  \n".join(lines))
        if with_trend:
            _trend(view, each.metric, title)
    st.space("stretch")
    explain(view, each.metric, key=f"card-{each.metric}")


def _trend(view: View, metric: queries.Metric, title: str) -> None:
    """The figure over time in small, as an image, which no script has to draw."""
    rows = view.trend(metric)
    changes = queries.change_points(view.source, metric, view.scope, view.since, view.until)
    happened = noted(view, metric)
    drawn = svg(rows, changes, happened, view.grain, title, font_size=13)
    drawn = drawn.replace("<svg ", f'<svg font-family="sans-serif" color="{MUTED}" ', 1)
    alt = escape(f"{title}, {described(rows, happened, view.grain)}")
    st.html(f'<img src="data:image/svg+xml;base64,{b64encode(drawn.encode()).decode()}" alt="{alt}">')


def _value(shown: pd.Series) -> str:
    if pd.notna(shown["value"]):
        return words.figure(shown["value"], shown["unit"])
    return "Withheld" if shown["status"] == "suppressed" else "Not reached"


def last(view: View, metric: queries.Metric) -> pd.Series | None:
    """What the metric's card shows, where it is a figure that may be compared."""
    known, _ = latest(recent(view, metric))
    return known.iloc[-1] if len(known) and known["status"].iloc[-1] == "ok" else None


def recent(view: View, metric: queries.Metric) -> pd.DataFrame:
    """The trend, begun two periods early so that there is a complete one and one before it."""
    return view.trend(metric, (pd.Period(view.since, words.GRAINS[view.grain]) - 2).start_time.date())


def caution(shown: pd.Series) -> list[str]:
    """Why not to compare the figure with anything."""
    if shown["status"] == "suppressed":
        return []
    reasons = {"Too few to compare": shown["status"] == "too_few", "Period not over": shown["partial"]}
    return [reason for reason, holds in reasons.items() if holds]


def notes(shown: pd.Series, scope: queries.Scope, change: Change | None) -> list[str]:
    """The lines below the figure: interval, what it rests on, what is left out, and what to make of it."""
    if shown["status"] == "suppressed":
        return ["Fewer than three people work on it, or on what is beside it"]
    lines: list[str] = []
    is_sum = shown["estimate"] == "count"
    is_adoption = shown["area"] == "adoption"
    if is_adoption:
        noun = ADOPTION_BASIS.get(shown["metric"], "service")
    else:
        noun = BASIS.get(shown["metric"], "pull request") if scope.level == "service" or is_sum else "service"
    if pd.notna(shown["low"]) and pd.notna(shown["high"]):
        lines.append(f"90 % interval {words.between(shown['low'], shown['high'], shown['unit'])}")
    elif shown["estimate"] not in CENSUS:
        is_clustered = shown["estimate"] == "clustered_median" and scope.level == "service"
        lines.append(f"No interval: too few {'deployment' if is_clustered else noun}s")
    if shown["metric"] == "deployment_frequency" and shown["value"] > 0:
        lines.append(words.rhythm(shown["value"]))
    if pd.isna(shown["value"]):
        lines.append("Fewer than half are over")
    lines.append(f"n = {words.count(int(shown['n']), noun)}")
    if shown["estimate"] == "rate" and not is_adoption and noun == "service" and shown["value"] in (0, 1):
        lines.append(
            f"At least half of the services are at {words.share(shown['value'])}: see a longer grain"
        )
    if change and change.is_detectable is False:
        lines.append("No detectable change")
    if excluded := json.loads(shown["excluded"]):
        lines.append(f"Left out: {words.left_out(excluded)}")
    return lines
