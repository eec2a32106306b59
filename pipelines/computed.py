"""Tables that Python makes between two models."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb

from pipelines import (
    ancestry,
    change_points,
    first_deployment,
    lineage,
    migration_forecast,
    working_time,
)
from pipelines.deltas import Deltas

COMPUTED: Mapping[str, tuple[tuple[str, ...], Callable[[duckdb.DuckDBPyConnection], object]]] = {
    "lineage.label": (("core.commit", "core.line"), lineage.label),
    "lineage.ancestor": (
        ("core.commit", "core.chain", "core.environment_rollout", "lineage.label"),
        ancestry.compare,
    ),
    "analysis.change_point": (
        ("core.figure_subject", *(f"marts.{metric}" for metric in change_points.METRICS)),
        change_points.update,
    ),
    "analysis.first_deployment": (
        ("core.onboarding", "core.adoption_member", "core.repository"),
        first_deployment.update,
    ),
    "analysis.migration_forecast": (
        ("marts.migration_done", "marts.adoption_period"),
        migration_forecast.update,
    ),
    "analysis.migration_fan": (("analysis.migration_forecast",), migration_forecast.update_fan),
    "calendar.day": (
        ("core.calendar", "core.change", "core.shipment", "raw.pull_request"),
        working_time.update,
    ),
}
"""Table → what it is made of, and how it is made anew."""


def build(connection: duckdb.DuckDBPyConnection, name: str, changes: Deltas) -> None:
    """Make a table, and note what of it changed."""
    make = COMPUTED[name][1]
    if name == "lineage.label":
        _label(connection, changes)
    elif name == "lineage.ancestor":
        _compare(connection, changes)
    elif changes.is_known:
        connection.execute(f"create or replace temp table was as from {name}")
        make(connection)
        changes.compare(connection, name, "was", name)
    else:
        make(connection)


def _label(connection: duckdb.DuckDBPyConnection, changes: Deltas) -> None:
    """Labels are kept from build to build, but where commits may have become others."""
    commits, lines = "core.commit", "core.line"
    read = {
        commits: {"commit_key", "parent_keys"},
        lines: {"line_id", "source", "repository_id", "sequence", "sha"},
    }
    if any(changes.rows(name, read[name]) is None for name in changes.of(read, read.get)):
        lineage.reset(connection)
        lineage.label(connection)
    else:
        lineage.label(
            connection,
            changes.rows(lines, read[lines]) or f"from {lines} limit 0",
            changes.rows(commits, read[commits], only="gone"),
            changes.rows(commits, read[commits], only="come"),
        )
    if changes.is_known:
        changes.told(connection, "lineage.label", "changed_label")


def _compare(connection: duckdb.DuckDBPyConnection, changes: Deltas) -> None:
    """Compare versions; those that the last build compared stay as they are."""
    if not changes.is_known:
        ancestry.compare(connection)
        return
    name = "core.environment_rollout"
    rollouts = changes.rows(name) if changes.of([name]) else f"from {name} limit 0"
    connection.execute("create or replace temp table was as from lineage.ancestor")
    ancestry.compare(connection, None if changes.of(["core.chain"]) else rollouts)
    changes.compare(connection, "lineage.ancestor", "was", "lineage.ancestor")
