"""Figures of the metrics, what they mean and what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import pandas as pd

from dashboards.queries.scope import STORED_BY, Frames, Scope, covered_on
from dashboards.words import GRAINS

Metric = Literal[
    "batch_size", "change_fail_rate", "change_lead_time", "ci_duration_p50", "ci_duration_p90",
    "ci_flaky_rate", "ci_queue_p50", "ci_queue_p90", "ci_wait", "deployment_days",
    "deployment_frequency", "deployment_success_rate", "deployments", "failed_deployment_recovery_time",
    "pr_coding", "pr_coding_working", "pr_pickup", "pr_pickup_working", "pr_release", "pr_release_working",
    "pr_review", "pr_review_working", "rework_rate", "time_to_restore", "wip", "wip_age",
    "activation", "breadth", "churn", "conformance", "currency", "depth", "developer_reach", "drift",
    "first_deployment_p50", "first_deployment_p75", "new_software_share",
    "outside_contribution", "quick_ratio", "reach", "retention", "self_service_share", "template_success",
    "template_time", "voluntary_share",
]  # fmt: skip
"""Metrics that pages show."""

_TOGETHER: tuple[tuple[Metric, ...], ...] = (
    ("deployment_frequency", "deployments", "change_fail_rate", "rework_rate",
     "failed_deployment_recovery_time"),
    ("deployment_success_rate", "time_to_restore"),
    ("ci_duration_p50", "ci_duration_p90", "ci_queue_p50", "ci_queue_p90", "ci_flaky_rate", "ci_wait"),
    ("pr_coding", "pr_coding_working", "pr_pickup", "pr_pickup_working",
     "pr_review", "pr_review_working", "pr_release", "pr_release_working"),
    ("wip", "wip_age", "batch_size", "deployment_days"),
)  # fmt: skip
"""Metrics that a page shows beside each other: one query for all of these takes half the time."""


def definition(source: Frames, metric: Metric) -> pd.Series:
    """The metric's row of `marts.metric_definition`."""
    told = source.frame("from marts.metric_definition")
    return told[told["metric"] == metric].iloc[0]


def trend(source: Frames, metric: Metric, scope: Scope, grain: str, since: date, until: date) -> pd.DataFrame:
    """The metric's rows, one for every period from `since` to `until`, which bound whole periods.

    A period the snapshot has no row for comes as `no_data`, and as `partial` where it ends after the data.
    """
    # All periods there are, so that whatever is asked of the metric next finds them in the cache.
    told = definition(source, metric)
    is_adoption = told["area"] == "adoption"
    together = next((each for each in _TOGETHER if metric in each), (metric,))
    rows = source.frame(
        " union all ".join(
            f"""
            select '{one}' as metric, period_start, value, n, low, high, status, partial, excluded
            from marts.{one}
            where level = $level and key = $key and grain = $grain
                and {"capability is not distinct from $capability" if is_adoption else STORED_BY}
            """
            for one in together
        ),
        {"level": scope.level, "key": scope.key, "grain": grain}
        | ({"capability": scope.capability} if is_adoption else {}),
    )
    rows = rows[rows["metric"] == metric].drop(columns="metric")
    spans = pd.period_range(since, until, freq=GRAINS[grain])
    starts = pd.DataFrame({"period_start": spans.start_time, "period_end": (spans + 1).start_time})
    starts = starts[starts["period_start"] < pd.Timestamp(until)].astype("datetime64[us]")
    filled = starts.merge(rows, on="period_start", how="left")
    ends_later = filled["period_end"] > pd.Timestamp(covered_on(source) or date.min)
    return filled.assign(
        metric=metric,
        unit=told["unit"],
        estimate=told["estimate"],
        area=told["area"],
        status=filled["status"].fillna("no_data"),
        partial=filled["partial"].where(filled["partial"].notna(), ends_later).astype(bool),
        n=filled["n"].fillna(0).astype("int64"),
        excluded=filled["excluded"].fillna("{}"),
    )


def change_points(source: Frames, metric: Metric, scope: Scope, since: date, until: date) -> pd.DataFrame:
    """Weeks from which on the metric's figures are at another level, in order of time."""
    # Of all metrics at once: a page shows some.
    rows = source.frame(
        """
        select metric, period_start, before, after, p_value, method
        from marts.change_point
        where level = $level and key = $key
        order by period_start
        """,
        {"level": scope.level, "key": scope.key},
    )
    is_within = (rows["period_start"] >= pd.Timestamp(since)) & (rows["period_start"] < pd.Timestamp(until))
    return rows[(rows["metric"] == metric) & is_within].drop(columns="metric").reset_index(drop=True)


def new_levels(source: Frames, levels: Sequence[str], since: date) -> pd.DataFrame:
    """Changes of level since a day, of every metric and key at these levels; the largest first."""
    return source.frame(
        """
        select c.*, d.title, d.unit, d.better
        from marts.change_point as c
        inner join marts.metric_definition as d using (metric)
        where list_contains($levels, c.level) and c.period_start >= $since
        order by list_position($levels, c.level), abs(ln(after / nullif(before, 0))) desc nulls last,
            c.metric, c.key, c.period_start
        """,
        {"levels": list(levels), "since": since},
    )


def industry(source: Frames, metric: Metric | None = None) -> pd.DataFrame:
    """DORA's published answers, the latest year first; of one metric, or of all."""
    rows = source.frame(
        """
        select d.title, i.*
        from marts.industry as i
        inner join marts.metric_definition as d using (metric)
        order by year desc, d.title
        """
    )
    return rows if metric is None else rows[rows["metric"] == metric].reset_index(drop=True)
