"""Published snapshots made by hand: the shape that the models publish, with figures that suit a test."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from pipelines.home import Home

DEFINITIONS = (
    ("deployments", "Deployments", "count", "Number of deployments to production.", None),
    ("deployment_frequency", "Deployment frequency", "per_week", "Deployments per week.", "higher"),
    ("change_lead_time", "Change lead time", "seconds", "Median time from writing to deployment.", "lower"),
)
RELEASES = r"^v?\d+\.\d+\.\d+$"
GRAINS = {"day": "1 day", "week": "7 days", "month": "1 month", "quarter": "3 months", "year": "1 year"}


@dataclass(frozen=True)
class Plan:
    """What a snapshot should hold."""

    services: Mapping[str, str | None] = field(default_factory=lambda: {"shop": None})
    """Service → team."""
    parents: Mapping[str, str | None] = field(default_factory=dict)
    """Team → the team it is part of."""
    first_on: date = date(2025, 1, 6)
    last_on: date = date(2026, 10, 28)
    covered_until: datetime = datetime(2026, 11, 12, 9, 30, tzinfo=UTC)
    every_days: float = 3.0
    changes: int = 3
    """Changes per deployment, on average."""
    pauses: Sequence[tuple[date, date]] = ()
    """Spans without a deployment."""
    tags: int = 120
    is_demo: bool = False
    organisation: str = "Acme"
    timezone: str = "Europe/Berlin"


def publish(home: Home, plan: Plan, snapshot_id: str) -> None:
    """Write the snapshot and make it current."""
    home.create()
    (home.published / f"{snapshot_id}.duckdb").write_bytes(_built(plan))
    (home.published / "CURRENT").write_text(snapshot_id)


_BUILT: dict[str, bytes] = {}


def _built(plan: Plan) -> bytes:
    """The snapshot's file, made once for a plan."""
    if repr(plan) not in _BUILT:
        with TemporaryDirectory() as folder:
            path = Path(folder, "snapshot.duckdb")
            with duckdb.connect(path) as connection:
                connection.execute("set TimeZone = 'UTC'; create schema marts")
                _facts(connection, plan)
                for metric, _, unit, definition, _ in DEFINITIONS:
                    _figures(connection, metric, unit, definition)
            _BUILT[repr(plan)] = path.read_bytes()
    return _BUILT[repr(plan)]


def _facts(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    connection.execute(_TABLES)
    shipped = list(_shipped(plan))
    _insert(connection, "deployment", [deployment for deployment, _ in shipped])
    _insert(connection, "change", [change for _, changes in shipped for change in changes])
    for service, team in plan.services.items():
        connection.execute("insert into marts.service values (?, ?, ?)", [service, team, [service]])
        connection.execute(
            "insert into marts.coverage values"
            " ('git', $service, '/srv/git', $service, 2400, $tags, $n, 7, $releases, $until)",
            {
                "service": service,
                "tags": plan.tags,
                "n": len(shipped),
                "releases": RELEASES,
                "until": plan.covered_until,
            },
        )
    parents = {team: None for team in plan.services.values() if team} | dict(plan.parents)
    for team, parent in parents.items():
        connection.execute("insert into marts.team values (?, ?, 1)", [team, parent])
    connection.executemany("insert into marts.metric_definition values (?, ?, ?, ?, ?)", DEFINITIONS)
    connection.execute(
        "insert into marts.workspace values (?, ?, ?, ?, ?)",
        [plan.organisation, plan.timezone, plan.covered_until, plan.covered_until, plan.is_demo],
    )
    connection.execute(_SUBJECTS)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, object]]) -> None:
    if rows:
        text = json.dumps(rows, default=str)
        connection.execute(
            f"insert into marts.{table} by name"
            " select unnest(from_json(?, json_structure(?)), max_depth := 2)",
            [text, text],
        )


def _shipped(plan: Plan) -> Iterator[tuple[dict[str, object], list[dict[str, object]]]]:
    """Deployments with the changes they shipped, the same for the same plan."""
    chance = random.Random(7)
    for service, team in plan.services.items():
        at = datetime(plan.first_on.year, plan.first_on.month, plan.first_on.day, 10, tzinfo=UTC)
        number = 0
        while at.date() <= plan.last_on:
            if not any(since <= at.date() < until for since, until in plan.pauses):
                yield _deployment(plan, chance, service, team, number, at)
                number += 1
            at += timedelta(days=plan.every_days * chance.uniform(0.3, 1.7))


def _deployment(
    plan: Plan, chance: random.Random, service: str, team: str | None, number: int, at: datetime
) -> tuple[dict[str, object], list[dict[str, object]]]:
    ref = f"v1.{number}.0"
    shipped = chance.randint(0, 2 * plan.changes)
    changes: list[dict[str, object]] = []
    for _ in range(shipped):
        sha = f"{chance.getrandbits(160):040x}"
        reason = "baseline" if number == 0 else chance.choices((None, "bot", "negative"), (90, 9, 1))[0]
        seconds = chance.lognormvariate(11.5, 1.4)
        changes.append(
            {
                "change_id": f"git:{service}@{sha}", "service": service, "repository": service, "team": team,
                "sha": sha, "number": chance.choice((None, chance.randint(1, 4000))), "kind": "change",
                "is_bot": reason == "bot", "first_authored_at": at - timedelta(seconds=seconds),
                "deployment_id": f"git:{service}@{ref}", "ref": ref, "deployed_at": at,
                "deployed_on": at.date(), "lead_time_seconds": None if reason else seconds,
                "left_out": reason,
                "url": f"https://git.example/{service}/commit/{sha}",
            }
        )  # fmt: skip
    deployment: dict[str, object] = {
        "deployment_id": f"git:{service}@{ref}", "service": service, "repository": service, "team": team,
        "environment": "production", "ref": ref, "sha": f"{chance.getrandbits(160):040x}", "finished_at": at,
        "finished_on": at.date(), "is_baseline": number == 0, "changes": shipped,
        "url": "javascript:alert(1)" if number == 1 else f"https://git.example/{service}/releases/{ref}",
    }  # fmt: skip
    return deployment, changes


_TABLES = """
    create table marts.deployment (
        deployment_id varchar, service varchar, repository varchar, team varchar, environment varchar,
        ref varchar, sha varchar, finished_at timestamptz, finished_on date, is_baseline boolean,
        changes bigint, url varchar);
    create table marts.change (
        change_id varchar, service varchar, repository varchar, team varchar, sha varchar, number bigint,
        kind varchar, is_bot boolean, first_authored_at timestamptz, deployment_id varchar, ref varchar,
        deployed_at timestamptz, deployed_on date, lead_time_seconds double, left_out varchar, url varchar);
    create table marts.service (service varchar, team varchar, repositories varchar[]);
    create table marts.team (team varchar, parent varchar, services bigint);
    create table marts.coverage (
        source varchar, repository varchar, url varchar, service varchar, commits bigint, tags bigint,
        release_tags bigint, commits_not_deployed bigint, releases varchar, covered_until timestamptz);
    create table marts.metric_definition (
        metric varchar, title varchar, unit varchar, definition varchar, better varchar);
    create table marts.workspace (
        organisation varchar, timezone varchar, published_at timestamptz, covered_until timestamptz,
        is_demo boolean);
"""

_SUBJECTS = f"""
    create temp table member as
        with recursive above as (
            select service, team as key from marts.service where team is not null
            union select a.service, t.parent
            from above as a inner join marts.team as t on t.team = a.key where t.parent is not null)
        select 'service' as level, service as key, service from marts.service
        union all select 'organisation', organisation, service from marts.service cross join marts.workspace
        union all select 'team', key, service from above;
    create temp table bucket as
        select service, grain, unnest(generate_series(
            date_trunc(grain, first_on)::timestamp, last_on::timestamp, step::interval
        ))::date as period_start,
            step::interval as step, (select covered_until::date from marts.workspace) as covered_on
        from (select service, min(finished_on) as first_on, max(finished_on) as last_on
              from marts.deployment group by service)
        cross join (values {", ".join(str(item) for item in GRAINS.items())}) as grains(grain, step);
"""

_OWN = "level = 'service'"
_SECONDS = "flatten(list(seconds) filter (seconds is not null))"
_WEEKLY = "7.0 * shipped / ((period_start + step)::date - period_start)"
_COLUMNS = {
    "deployments": "sum(shipped) as value, sum(shipped) as n, null as low, null as high",
    "deployment_frequency": f"""
        median({_WEEKLY}) as value, case when {_OWN} then sum(shipped) else count(*) end as n,
        null as low, null as high""",
    "change_lead_time": f"""
        case when {_OWN} then list_median({_SECONDS}) else median(list_median(seconds)) end as value,
        case when {_OWN} then len({_SECONDS}) else count(list_median(seconds)) end as n,
        case when {_OWN} and sum(shipped) >= 10
            then list_sort({_SECONDS})[(0.4 * len({_SECONDS}))::int + 1] end as low,
        case when {_OWN} and sum(shipped) >= 10
            then list_sort({_SECONDS})[(0.6 * len({_SECONDS}))::int] end as high""",
}


def _figures(connection: duckdb.DuckDBPyConnection, metric: str, unit: str, definition: str) -> None:
    """A metric's table; plain medians, and bounds that only look like an interval."""
    connection.execute(f"""
        create table marts.{metric} as
        with shipped as (
            select b.*, count(distinct d.deployment_id) as shipped,
                list(c.lead_time_seconds) filter (c.left_out is null and c.change_id is not null) as seconds
            from bucket as b
            left join marts.deployment as d
                on d.service = b.service and date_trunc(b.grain, d.finished_on) = b.period_start
            left join marts.change as c on c.deployment_id = d.deployment_id
            group by all
        ),
        figure as (
            select level, key, grain, period_start, (period_start + any_value(step))::date as period_end,
                bool_or(period_start + step > covered_on) as partial, {_COLUMNS[metric]}
            from member inner join shipped using (service)
            group by level, key, grain, period_start
        )
        select '{metric}' as metric, level, key, grain, period_start, period_end, value::double as value,
            '{unit}' as unit, coalesce(n, 0)::bigint as n, low::double as low, high::double as high,
            case when value is null then 'no_data'
                when n < 5 and ('{unit}' = 'seconds' or ('{unit}' = 'per_week' and level <> 'service'))
                    then 'too_few'
                else 'ok' end as status,
            partial, '{{}}'::json as excluded, '{definition}' as definition
        from figure
    """)
