"""Whether figures are where they are to be: surely, surely not, or not to be told."""

from __future__ import annotations

import json
from datetime import date
from typing import Literal, NamedTuple, cast

import pandas as pd

from dashboards import queries, words
from dashboards.comparing import CENSUS
from dashboards.queries import Frames, Metric, Scope
from dashboards.report.period import Period
from pipelines.message_settings import GoalConfig

_BACK = 6
"""Periods in which the last figure is looked for: those of failures are complete later than others."""


class Judged(NamedTuple):
    """A goal against the last period that is over."""

    id: str
    """The same for the same goal."""
    state: Literal["missed", "met", "open", "unknown"]
    """`open` where the interval holds the goal, `unknown` without a figure."""
    says: str
    """The state as a sentence."""


def judge(source: Frames, goal: GoalConfig, covered: date) -> Judged:
    """Hold a goal against the figure and its interval; `covered` is the last day read."""
    name = json.dumps(["goal", *goal.model_dump(exclude_defaults=True).items()])
    metric = cast(Metric, goal.metric)
    scope, known = _scope(source, goal), queries.scopes(source)
    told = queries.definition(source, metric)
    bound = f"at most {words.figure(goal.at_most, told['unit'])}"
    if goal.at_least is not None:
        bound = f"at least {words.figure(goal.at_least, told['unit'])}"
    title = f"{told['title']} of {_who(scope)}"
    is_there = scope._replace(capability=None) in known or scope.level == "organisation"
    last = Period.around(covered, goal.grain)
    rows = queries.trend(source, metric, scope, goal.grain, last.back(_BACK).since, last.until)
    complete = rows[~rows["partial"]]
    if not is_there or complete.empty or complete["status"].iloc[-1] != "ok":
        return Judged(name, "unknown", f"{title}, to be {bound}: there is no figure to hold against it.")
    row = complete.iloc[-1]
    state = _state(goal, row)
    sure = ""
    if pd.notna(row["low"]) and pd.notna(row["high"]):
        sure = f"90 % interval {words.between(row['low'], row['high'], row['unit'])}, "
    begin = {"missed": "Goal missed", "met": "Goal met", "open": "Goal open"}[state]
    return Judged(
        name,
        state,
        f"{begin}: {title} was {words.figure(row['value'], row['unit'])} in"
        f" {words.period(row['period_start'], goal.grain)} ({sure}n = {row['n']:,}), and is to be {bound}.",
    )


def _state(goal: GoalConfig, row: pd.Series) -> Literal["missed", "met", "open"]:
    low, high = row["low"], row["high"]
    if pd.isna(low) or pd.isna(high):
        if row["estimate"] not in CENSUS or pd.isna(row["value"]):
            return "open"
        low = high = row["value"]
    if goal.at_most is not None:
        return "missed" if low > goal.at_most else "met" if high <= goal.at_most else "open"
    assert goal.at_least is not None
    return "missed" if high < goal.at_least else "met" if low >= goal.at_least else "open"


def _scope(source: Frames, goal: GoalConfig) -> Scope:
    if goal.service is not None:
        return Scope("service", goal.service, goal.capability)
    if goal.team is not None:
        return Scope("team", goal.team, goal.capability)
    return Scope("organisation", str(queries.workspace(source)["organisation"]), goal.capability)


def _who(scope: Scope) -> str:
    who = {"organisation": "all services", "team": f"team {scope.key}"}.get(scope.level, scope.key)
    return f"{scope.capability}, {who}" if scope.capability else who
