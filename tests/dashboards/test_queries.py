from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, get_args

import duckdb
import numpy as np
import pandas as pd
import pytest

from dashboards import queries
from dashboards.queries import Scope
from pipelines import modelling
from pipelines.home import Home
from pipelines.warehouse import Snapshot, published
from tests.dashboards import snapshot
from tests.dashboards.snapshot import Plan

SINCE, UNTIL = date(2025, 1, 1), date(2027, 1, 1)
SHOP = Scope("service", "shop")
TEAMS = Plan(
    services={"shop": "Payments", "till": "Commerce", "maps": None},
    parents={"Payments": "Commerce", "Idle": None},
    every_days=20,
)


def read(folder: Path, plan: Plan) -> Snapshot:
    home = Home(folder)
    snapshot.publish(home, plan, "queried")
    current = published(home)
    assert current is not None
    return current


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    pause = (date(2025, 4, 1), date(2025, 6, 1))
    return read(tmp_path_factory.mktemp("shop"), Plan(every_days=8, pauses=[pause]))


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return read(tmp_path_factory.mktemp("teams"), TEAMS)


def test_the_only_service_is_what_is_shown(shop: Snapshot, teams: Snapshot) -> None:
    assert queries.scopes(shop) == [SHOP]
    assert [scope.label for scope in queries.scopes(teams)] == [
        "All services", "Team: Commerce", "Team: Idle", "Team: Payments", "maps", "shop", "till"
    ]  # fmt: skip


def test_a_trend_has_every_period_once(shop: Snapshot) -> None:
    trend = queries.trend(shop, "deployments", SHOP, "month", date(2024, 11, 1), date(2027, 2, 1))
    starts = list(pd.date_range("2024-11-01", "2027-01-01", freq="MS"))
    assert list(trend["period_start"]) == starts
    status = trend.set_index("period_start")["status"]
    assert status["2024-12-01"] == status["2026-12-01"] == "no_data"
    assert status["2025-04-01"] == "ok"
    values = trend.set_index("period_start")["value"]
    assert values["2025-04-01"] == 0
    assert pd.isna(values["2024-12-01"])


def test_a_period_that_the_data_does_not_reach_the_end_of_is_partial(shop: Snapshot) -> None:
    trend = queries.trend(shop, "change_lead_time", SHOP, "month", date(2026, 9, 1), date(2027, 1, 1))
    assert list(trend["partial"]) == [False, False, True, True]


def test_deployments_and_changes_add_up_to_the_figures(shop: Snapshot) -> None:
    trend = queries.trend(shop, "deployments", SHOP, "month", SINCE, UNTIL)
    found = queries.counts(shop, SHOP, SINCE, UNTIL)
    assert found["deployments"] == trend["value"].sum() == len(queries.deployments(shop, SHOP, SINCE, UNTIL))
    lead_times = queries.lead_times(shop, SHOP, SINCE, UNTIL)
    assert found["changes"] == len(queries.changes(shop, SHOP, SINCE, UNTIL))
    assert found["changes"] == lead_times["changes"] + sum(lead_times["left_out"].values())
    n = queries.trend(shop, "change_lead_time", SHOP, "month", SINCE, UNTIL)["n"].sum()
    assert n == lead_times["changes"]
    assert set(lead_times["left_out"]) == {"baseline", "bot", "negative"}


def test_until_is_exclusive(shop: Snapshot) -> None:
    day = queries.deployments(shop, SHOP, SINCE, UNTIL)["finished_at"].iloc[0].date()
    assert day not in set(queries.deployments(shop, SHOP, SINCE, day)["finished_at"].dt.date)
    assert set(queries.deployments(shop, SHOP, day, UNTIL)["finished_at"].dt.date) == {day}


def test_the_slowest_come_first_and_count(shop: Snapshot) -> None:
    slowest = queries.changes(shop, SHOP, SINCE, UNTIL, 5, slowest_first=True)
    every = counted(shop)
    assert list(slowest["lead_time_seconds"]) == sorted(every, reverse=True)[:5]
    assert slowest["left_out"].isna().all()


@pytest.mark.parametrize("limit", [1, 7, 60])
@pytest.mark.parametrize(
    "query",
    [
        queries.deployments,
        queries.changes,
        partial(queries.changes, slowest_first=True),
        queries.faults,
        queries.evidence,
        queries.unattributed,
    ],
)
def test_a_limit_keeps_what_comes_first(teams: Snapshot, query: Any, limit: int) -> None:
    for scope in (Scope("organisation", "Acme"), Scope("team", "Commerce"), SHOP):
        every, first = query(teams, scope, SINCE, UNTIL), query(teams, scope, SINCE, UNTIL, limit)
        pd.testing.assert_frame_equal(first, every.head(limit))


def counted(source: Snapshot) -> pd.Series:
    return queries.changes(source, SHOP, SINCE, UNTIL)["lead_time_seconds"].dropna()


def test_percentiles_are_linear_to_within_a_percent(shop: Snapshot) -> None:
    every, found = counted(shop), queries.lead_times(shop, SHOP, SINCE, UNTIL)
    assert found["median"] == pytest.approx(every.quantile(0.5), rel=0.01)
    assert found["p90"] == pytest.approx(every.quantile(0.9), rel=0.01)


def test_a_distribution_has_every_change_once(shop: Snapshot) -> None:
    every = counted(shop)
    bins = queries.distribution(shop, SHOP, SINCE, UNTIL)
    expected, _ = np.histogram(every, [*bins["low"], bins["high"].iloc[-1]])
    assert bins["changes"].tolist() == expected.tolist()
    assert bins["changes"].sum() == len(every) > 100


@pytest.mark.parametrize("step", [0, 161, 2073])
def test_one_change_is_a_distribution_too(step: int) -> None:
    shared = Shared()
    shared.run(f"update marts.change set lead_time_step = {step}, left_out = null")
    scope, period = Scope("organisation", "Acme"), (date(2026, 1, 1), date(2026, 2, 1))
    assert queries.distribution(shared, scope, *period)["changes"].sum() == 1


def test_only_web_addresses_become_links(shop: Snapshot) -> None:
    urls = queries.deployments(shop, SHOP, SINCE, UNTIL)["url"]
    assert urls.isna().sum() == 1
    assert urls.dropna().str.startswith("https://").all()


def test_a_team_has_what_the_teams_below_it_have(teams: Snapshot) -> None:
    def deployed(scope: Scope) -> set[str]:
        return set(queries.deployments(teams, scope, SINCE, UNTIL)["service"])

    assert deployed(Scope("team", "Payments")) == {"shop"}
    assert deployed(Scope("team", "Commerce")) == {"shop", "till"}
    assert deployed(Scope("team", "Idle")) == set()
    assert deployed(Scope("organisation", "Acme")) == {"shop", "till", "maps"}


def test_names_are_parameters(teams: Snapshot) -> None:
    assert queries.deployments(teams, Scope("service", "' or true --"), SINCE, UNTIL).empty


def test_what_awaits_a_deployment_is_counted_in_scope(teams: Snapshot) -> None:
    assert queries.waiting(teams, Scope("organisation", "Acme")) == 3 * queries.waiting(teams, SHOP) == 21
    assert queries.waiting(teams, Scope("team", "Idle")) == 0


def test_days_are_the_workspace_s(tmp_path: Path) -> None:
    late = Plan(covered_until=datetime(2026, 11, 12, 23, 30, tzinfo=UTC), every_days=60)
    assert queries.covered_on(read(tmp_path, late)) == date(2026, 11, 13)


def test_no_deployment_has_no_extent(tmp_path: Path) -> None:
    empty = read(tmp_path, Plan(last_on=date(2000, 1, 1)))
    assert queries.extent(empty) is None
    assert queries.latest_deployment(empty, SHOP) is None
    assert queries.coverage(empty)["commits"].sum() == 2400


def test_a_team_s_things_are_those_of_its_time() -> None:
    moved = Shared()
    moved.run(
        """
        update marts.tenure set valid_until = '2026-01-05' where service = 'web';
        insert into marts.tenure
        select service, subject_key, 'back', '2026-01-05', 'infinity' from marts.service where service = 'web'
        """
    )
    period = (date(2026, 1, 1), date(2026, 2, 1))
    found = {
        team: queries.counts(moved, Scope("team", team), *period)[["faults", "incidents"]].tolist()
        for team in ("front", "back")
    }
    assert found == {"front": [1, 0], "back": [1, 1]}
    assert [queries.services(moved, Scope("team", team)) for team in ("front", "back")] == [1, 1]


def test_faults_come_with_rule_evidence_and_links(shop: Snapshot) -> None:
    faults = queries.faults(shop, SHOP, SINCE, UNTIL)
    assert len(faults) == queries.counts(shop, SHOP, SINCE, UNTIL)["faults"] > 0
    assert set(faults["rule"]) <= {"named", "rollback", "revert", "incident"}
    assert set(faults["evidence"]) == {"incident, rollback"}
    assert faults["evidence_url"].str.startswith("https://pager.example/").all()
    assert faults["is_open"].equals(faults["recovered_at"].isna())
    assert faults["is_open"].sum() == queries.counts(shop, SHOP, SINCE, UNTIL)["open_faults"] > 0
    evidence = queries.evidence(shop, SHOP, SINCE, UNTIL)
    assert len(evidence) == queries.counts(shop, SHOP, SINCE, UNTIL)["evidence"] == 2 * len(faults)
    assert set(zip(evidence["kind"], evidence["url"].notna(), strict=True)) == {
        ("incident", True), ("rollback", False)
    }  # fmt: skip


def test_an_unattributed_incident_of_no_service_is_the_organisation_s(teams: Snapshot) -> None:
    whole = Scope("organisation", "Acme")
    listed = queries.unattributed(teams, whole, SINCE, UNTIL)
    assert listed["service"].isna().all()
    assert len(listed) == queries.counts(teams, whole, SINCE, UNTIL)["unattributed"] > 0
    for scope in (Scope("team", "Payments"), SHOP):
        assert queries.counts(teams, scope, SINCE, UNTIL)["unattributed"] == 0


@pytest.mark.parametrize("metric", get_args(queries.Metric))
def test_every_metric_has_a_trend_and_a_definition(teams: Snapshot, metric: queries.Metric) -> None:
    rows = queries.trend(teams, metric, SHOP, "month", SINCE, UNTIL)
    assert rows["value"].notna().any()
    assert set(rows["estimate"]) == {queries.definition(teams, metric)["estimate"]}
    assert all(isinstance(json.loads(text), dict) for text in rows["excluded"])


def test_the_pages_metrics_are_those_of_the_models() -> None:
    shown_by_a_list = {f"marts.migration_{name}" for name in ("done", "time_left_p50", "time_left_p85")}
    assert {f"marts.{name}" for name in get_args(queries.Metric)} | shown_by_a_list == {
        name for name, model in modelling.models().items() if model.header.metric
    }


def test_changes_of_level_are_the_scope_s_and_the_period_s(teams: Snapshot) -> None:
    changes = queries.change_points(teams, "ci_duration_p50", SHOP, SINCE, UNTIL)
    assert changes[["before", "after"]].to_numpy().tolist() == [[500, 900]]
    start = changes["period_start"].iloc[0].date()
    assert queries.change_points(teams, "ci_duration_p50", SHOP, SINCE, start).empty
    assert queries.change_points(teams, "ci_duration_p90", SHOP, SINCE, UNTIL).empty


def test_industry_s_answers_are_scores_or_shares_and_cited(teams: Snapshot) -> None:
    every = queries.industry(teams)
    assert list(every["year"]) == sorted(every["year"], reverse=True)
    assert set(every["licence"]) == {"CC BY 4.0"}
    assert every["source"].str.contains("DORA").all()
    seconds = every[every["metric"].map(lambda name: queries.definition(teams, name)["unit"]).ne("ratio")]
    assert set(seconds["unit"]) == {"score"}
    (latest, *_) = queries.industry(teams, "change_fail_rate").to_dict("records")
    assert (latest["year"], latest["mean"], latest["unit"]) == (2025, 0.19, "ratio")


class Shared:
    """One deployment of one change, of a repository that two services are made of."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(
            """
            create schema marts;
            create table marts.service as
                select
                    unnest(['api', 'web']) as service, md5_number_lower('service:' || service) as subject_key,
                    ['shop'] as repositories;
            create table marts.tenure as
                select service, subject_key, 'front' as team, timestamptz '-infinity' as valid_from,
                    timestamptz 'infinity' as valid_until
                from marts.service;
            create table marts.coverage as select 'shop' as repository, 7 as commits_not_deployed;
            create table marts.deployment as
                select 'd' as deployment_id, service, subject_key, row_number() over () as shared_rank,
                    if(service = 'web', ['front'], null) as repeats_for,
                    date '2026-01-05' as finished_on,
                    timestamptz '2026-01-05' as finished_at
                from marts.service;
            create table marts.change as
                select 'c' as change_id, service, subject_key, row_number() over () as shared_rank,
                    if(service = 'web', ['front'], null) as repeats_for,
                    date '2026-01-05' as deployed_on, 'bot' as left_out,
                    -2::smallint as lead_time_step,
                    timestamptz '2026-01-05' as deployed_at
                from marts.service;
            create table marts.fault as
                select 'f' || service as fault_id, service, subject_key, [1, 2] as evidence,
                    date '2026-01-05' as deployed_on,
                    timestamptz '2026-01-05' as deployed_at, null as recovered_at
                from marts.service;
            create table marts.incident as
                select 'i' as incident_id, service, subject_key, date '2026-01-05' as opened_on,
                    null as rule, timestamptz '2026-01-05' as opened_at
                from marts.service where service = 'web'
            """
        )

    def run(self, sql: str) -> None:
        self._connection.execute(sql)

    def frame(self, sql: str, params: Any = ()) -> pd.DataFrame:
        return self._connection.execute(sql, params).df()


@pytest.mark.parametrize(
    "scope", [Scope("organisation", "Acme"), Scope("team", "front"), Scope("service", "web")], ids=str
)
def test_what_two_services_share_counts_once(scope: Scope) -> None:
    shared = Shared()
    period = (date(2026, 1, 1), date(2026, 2, 1))
    found = queries.counts(shared, scope, *period)
    assert found[["deployments", "changes", "incidents", "unattributed"]].tolist() == [1, 1, 1, 1]
    # Services fail one by one.
    services = 1 if scope.level == "service" else 2
    assert found[["faults", "open_faults", "evidence"]].tolist() == [services, services, 2 * services]
    assert queries.lead_times(shared, scope, *period)["left_out"] == {"bot": 1}
    assert queries.waiting(shared, scope) == 7
