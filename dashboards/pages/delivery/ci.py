"""Delivery › CI: how long runs take and wait, and how often they fail for no reason."""

from __future__ import annotations

from dashboards import cards, charts, drill, figures, queries, states
from dashboards.view import View

CARDS: tuple[queries.Metric, ...] = ("ci_duration_p50", "ci_duration_p90", "ci_queue_p50", "ci_flaky_rate")
TRENDS: tuple[queries.Metric, ...] = (*CARDS[:3], "ci_queue_p90", "ci_flaky_rate")


def show(view: View) -> None:
    """Cards, trends and figures; runs themselves are seen in the tool."""
    states.without(view, TRENDS, "CI run", "A source such as `github`, `gitlab` or `jenkins` reads them.")
    cards.row(view, *CARDS)
    charts.grid(view, *((metric, figures.line) for metric in TRENDS))
    drill.behind(view, *TRENDS)
