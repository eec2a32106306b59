"""What the pages read: one function per question, from a published snapshot to a frame.

Each takes anything with a snapshot's `frame(sql, params)`. Days are those of the workspace's
time zone, `until` is exclusive, durations are in seconds.
"""

from dashboards.queries.adoption import (
    adopters,
    burn_up,
    capabilities,
    checks,
    cohorts,
    funnel,
    migrations,
    service_changes,
    team_changes,
    versions,
)
from dashboards.queries.ci import ci_wait, ci_waits
from dashboards.queries.metrics import Metric, change_points, definition, industry, new_levels, trend
from dashboards.queries.notes import launches, notes
from dashboards.queries.peers import peers, traits
from dashboards.queries.quality import data_quality, environments, quarantine, source_streams, unmapped
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
from dashboards.queries.voice import (
    Grouping,
    survey_actions,
    survey_changes,
    survey_comment_groups,
    survey_comments,
    survey_drivers,
    survey_groups,
    survey_heat,
    survey_measures,
    survey_results,
    survey_scores,
    survey_themes,
    survey_trend,
    survey_waves,
)

__all__ = [
    "Frames", "Grouping", "Metric", "Scope", "adopters", "burn_up", "capabilities", "change_points",
    "changes", "checks", "ci_wait", "ci_waits", "cohorts", "committed", "counts", "coverage", "covered_on",
    "data_quality", "definition", "deployments", "distribution", "environments", "evidence", "extent",
    "faults", "funnel", "industry", "latest_deployment", "launches", "lead_times", "migrations",
    "new_levels", "notes", "peers", "quarantine", "scopes", "service_changes", "services", "source_streams",
    "survey_actions", "survey_changes", "survey_comment_groups", "survey_comments", "survey_drivers",
    "survey_groups", "survey_heat", "survey_measures", "survey_results", "survey_scores", "survey_themes",
    "survey_trend", "survey_waves", "team_changes", "traits", "trend", "unattributed", "unmapped",
    "versions", "waiting", "workspace",
]  # fmt: skip
