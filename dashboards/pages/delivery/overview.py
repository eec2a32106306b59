"""Delivery › Overview: DORA's five figures: how fast changes arrive, and how often they fail."""

from __future__ import annotations

from dashboards import cards, charts, drill, figures, queries, states
from dashboards.definitions import industry
from dashboards.view import View

THROUGHPUT: tuple[queries.Metric, ...] = (
    "deployment_frequency", "change_lead_time", "failed_deployment_recovery_time"
)  # fmt: skip
INSTABILITY: tuple[queries.Metric, ...] = ("change_fail_rate", "rework_rate", "deployments")


def show(view: View) -> None:
    """Cards of the last complete period, the trends, and what is behind them."""
    if not queries.counts(view.source, view.scope, view.since, view.until)["deployments"]:
        states.nothing_in(view)
    cards.row(view, *THROUGHPUT, *INSTABILITY)
    charts.grid(
        view,
        ("deployment_frequency", figures.bars),
        ("change_lead_time", figures.line),
        ("change_fail_rate", figures.line),
        ("failed_deployment_recovery_time", figures.line),
    )
    drill.behind(view, *THROUGHPUT, *INSTABILITY, tables=("deployments", "changes", "faults"))
    industry(view)
