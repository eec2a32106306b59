"""What the pages read: one function per question, from a published snapshot to a frame.

Each takes anything with a snapshot's `frame(sql, params)`. Days are those of the workspace's
time zone, `until` is exclusive, durations are in seconds.
"""

from dashboards.queries.metrics import Metric, change_points, definition, industry, trend
from dashboards.queries.quality import data_quality, environments, quarantine, unmapped
from dashboards.queries.scope import (
    Frames,
    Scope,
    committed,
    coverage,
    covered_on,
    extent,
    scopes,
    services,
    workspace,
)  # fmt: skip
from dashboards.queries.things import (
    changes,
    counts,
    deployments,
    distribution,
    evidence,
    faults,
    latest_deployment,
    lead_times,
    unattributed,
    waiting,
)  # fmt: skip

__all__ = [
    "Frames", "Metric", "Scope", "change_points", "changes", "committed", "counts", "coverage", "covered_on",
    "data_quality", "definition", "deployments", "distribution", "environments", "evidence", "extent",
    "faults", "industry", "latest_deployment", "lead_times", "quarantine", "scopes", "services", "trend",
    "unattributed", "unmapped", "waiting", "workspace",
]  # fmt: skip
