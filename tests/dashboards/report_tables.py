"""A snapshot in which nothing changes: figures of services, always the same, until a test amends it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import pandas as pd

from dashboards.queries import Frames
from pipelines.home import Home
from pipelines.warehouse import Snapshot, published
from tests.dashboards import snapshot, survey_tables
from tests.dashboards.snapshot import Plan

FIGURES = {
    "deployment_frequency": (2.0, 1.6, 2.4), "change_lead_time": (36_000.0, 32_400.0, 39_600.0),
    "change_fail_rate": (0.10, 0.06, 0.16), "failed_deployment_recovery_time": (7_200.0, 5_400.0, 9_000.0),
    "rework_rate": (0.05, 0.03, 0.09),
}  # fmt: skip
"""Metric → value, and its interval."""
PLAN = Plan(
    services={"service-1": "Payments", "service-2": "Payments"}, first_on=date(2025, 9, 1), every_days=9
)
"""Everything of October 2026 is known."""
_STILL = """
    update marts.{0} set value = {1}, low = {2}, high = {3}, n = 6, status = 'ok', excluded = '{{}}'
    where level = 'organisation' and grain in ('month', 'week', 'quarter', 'year');
"""


def figure(metric: str, value: float, low: float, high: float, month: str = "2026-10-01") -> str:
    """SQL that gives the organisation another figure in a month."""
    return f"""
        update marts.{metric} set value = {value}, low = {low}, high = {high}
        where level = 'organisation' and grain = 'month' and period_start = date '{month}';
    """


def level(metric: str, since: str, before: float, after: float, who: str = "organisation") -> str:
    """SQL that has the organisation's weeks, or a team's, find a new level."""
    return f"""
        insert into marts.change_point
        select '{metric}', '{who}', if('{who}' = 'team', 'Payments', organisation), 'week', date '{since}',
            {before}, {after}, 0.004, 'PELT'
        from marts.workspace;
    """


def publish(home: Home, snapshot_id: str, amend: str = "", plan: Plan = PLAN) -> Snapshot:
    """Write it, make it current and open it."""
    snapshot.publish(home, plan, snapshot_id)
    with duckdb.connect(home.published / f"{snapshot_id}.duckdb") as connection:
        survey_tables.add(connection)
        connection.execute("update marts.survey_cell set is_change = false")
        connection.execute("truncate marts.change_point; truncate marts.adoption_change")
        for metric, still in FIGURES.items():
            connection.execute(_STILL.format(metric, *still))
        connection.execute(amend)
    opened = published(home)
    assert opened
    return opened


class Amendable:
    """The snapshot for many tests, each of which amends it for itself."""

    def __init__(self, home: Home) -> None:
        publish(home, "amendable")
        (written,) = home.published.glob("*.duckdb")
        copy = written.rename(home.root / "amendable.duckdb")
        self._connection = duckdb.connect(copy)

    def frame(self, sql: str, params: Any = ()) -> pd.DataFrame:
        """As a snapshot's."""
        return self._connection.execute(sql, params).df()

    @contextmanager
    def amended(self, sql: str) -> Iterator[Frames]:
        """It with what the SQL changes, for as long as the context lasts."""
        self._connection.execute("begin")
        try:
            if sql:
                self._connection.execute(sql)
            yield self
        finally:
            self._connection.execute("rollback")
