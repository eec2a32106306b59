"""The cost of waiting for CI: whose hours these are, and each pull request once."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pandas as pd
import pytest

from dashboards import queries
from dashboards.queries import Scope

HOUR = 3600.0
JANUARY = date(2026, 1, 1), date(2026, 2, 1)
ACME, FRONT, WEB = Scope("organisation", "Acme"), Scope("team", "front"), Scope("service", "web")


class Waits:
    """Pull requests of `api` and `web`, of one repository and one team, and of `till`, of another."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(
            """
            set TimeZone = 'UTC';
            create schema marts;
            create table marts.tenure as
                select
                    unnest(['api', 'web']) as service, md5_number_lower('service:' || service) as subject_key,
                    'front' as team, timestamptz '-infinity' as valid_from,
                    timestamptz 'infinity' as valid_until;
            create table marts.pull_request as
                select 'git' as source, *, md5_number_lower('service:' || service) as subject_key,
                    if(shared_rank > 1, ['front'], null) as repeats_for,
                    merged_at - interval 10 hour as opened_at, merged_at::date as merged_on,
                    3600::double * wait as ci_wait_seconds, 3600::double * queue as ci_queue_seconds,
                    3600::double * rerun as ci_rerun_seconds, 'https://git.example.invalid/' || number as url
                from (values
                    ('shop', 1, 'api', 1, timestamptz '2026-01-05 12:00', 4, 1, 2, null),
                    ('shop', 1, 'web', 2, timestamptz '2026-01-05 12:00', 4, 1, 2, null),
                    ('shop', 2, 'web', null, timestamptz '2026-01-06 12:00', 1, null, 0, null),
                    ('shop', 3, 'web', null, timestamptz '2026-01-07 12:00', null, null, null, 'no_run'),
                    ('shop', 4, 'web', null, timestamptz '2026-02-01 00:00', 9, 9, 9, null),
                    ('till', 1, 'till', null, timestamptz '2026-01-31 23:00', 0, 0, 0, null),
                    ('attic', 1, null, null, timestamptz '2026-01-05 12:00', 9, 9, 9, null)
                ) as t (repository, number, service, shared_rank, merged_at, wait, queue, rerun, ci_left_out)
            """
        )

    def frame(self, sql: str, params: Any = ()) -> pd.DataFrame:
        return self._connection.execute(sql, params).df()


@pytest.mark.parametrize(
    ("scope", "changes", "told"), [(ACME, 3, 2), (FRONT, 2, 1), (WEB, 2, 1)], ids=["all", "team", "service"]
)
def test_each_pull_request_counts_once_in_the_hours_of_its_scope(
    scope: Scope, changes: int, told: int
) -> None:
    found = queries.ci_wait(Waits(), scope, *JANUARY)
    assert found[["changes", "queue_told"]].tolist() == [changes, told]
    assert found["share"] == pytest.approx(5 / (changes * 10))
    assert found[["waited", "queued", "reruns"]].tolist() == [5 * HOUR, HOUR, 2 * HOUR]
    assert found["left_out"] == {"no_run": 1}


def test_of_nothing_merged_nothing_is_known() -> None:
    found = queries.ci_wait(Waits(), WEB, date(2025, 1, 1), date(2025, 2, 1))
    assert (found["changes"], found["left_out"]) == (0, {})
    assert found[["waited", "share", "queued", "reruns"]].isna().all()


@pytest.mark.parametrize("limit", [None, 2])
def test_the_longest_waits_come_first(limit: int | None) -> None:
    rows = queries.ci_waits(Waits(), ACME, *JANUARY, limit)
    assert rows["change"].tolist() == ["#1", "#2", "#1"][:limit]
    assert rows["wait_seconds"].tolist() == [4 * HOUR, HOUR, 0][:limit]
