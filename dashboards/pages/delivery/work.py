"""Delivery › Work: how much is begun at a time, how old it gets, and in what portions it ships."""

from __future__ import annotations

from dashboards import cards, charts, drill, figures, queries
from dashboards.view import View

METRICS: tuple[queries.Metric, ...] = ("wip", "wip_age", "batch_size", "deployment_days")


def show(view: View) -> None:
    """Cards, trends and what is behind them."""
    cards.row(view, *METRICS)
    charts.grid(
        view,
        ("wip", figures.bars),
        ("wip_age", figures.line),
        ("batch_size", figures.line),
        ("deployment_days", figures.bars),
    )
    drill.behind(view, *METRICS, tables=("deployments", "changes"))
