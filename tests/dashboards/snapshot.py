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
from tests.dashboards import adoption_tables

INDUSTRY = Path(__file__).parents[2] / "pipelines" / "models" / "marts" / "industry.sql"
DEFINITIONS = (
    ("deployments", "Deployments", "count", "Number of deployments to production.", None, "count"),
    (
        "deployment_frequency", "Deployment frequency", "per_week", "Deployments per week.", "higher",
        "frequency",
    ),
    (
        "change_lead_time", "Change lead time", "seconds", "Median time from writing to deployment.", "lower",
        "clustered_median",
    ),
)  # fmt: skip
MADE_UP = {
    "batch_size": ("count", "median", 4.0), "change_fail_rate": ("ratio", "rate", 0.12),
    "ci_duration_p50": ("seconds", "median", 600.0), "ci_duration_p90": ("seconds", "p90", 1500.0),
    "ci_flaky_rate": ("ratio", "rate", 0.02), "ci_queue_p50": ("seconds", "median", 20.0),
    "ci_queue_p90": ("seconds", "p90", 90.0), "ci_wait": ("seconds", "median", 900.0),
    "deployment_days": ("per_week", "given", 3.0),
    "deployment_success_rate": ("ratio", "rate", 0.7),
    "failed_deployment_recovery_time": ("seconds", "survival", 9000.0),
    "pr_coding": ("seconds", "median", 90_000.0), "pr_coding_working": ("seconds", "median", 60_000.0),
    "pr_pickup": ("seconds", "median", 20_000.0), "pr_pickup_working": ("seconds", "median", 9_000.0),
    "pr_release": ("seconds", "clustered_median", 200_000.0),
    "pr_release_working": ("seconds", "clustered_median", 150_000.0),
    "pr_review": ("seconds", "median", 50_000.0), "pr_review_working": ("seconds", "median", 30_000.0),
    "rework_rate": ("ratio", "rate", 0.08), "time_to_restore": ("seconds", "survival", 7000.0),
    "wip": ("count", "given", 7.0), "wip_age": ("seconds", "median", 300_000.0),
}  # fmt: skip
"""Other metrics: unit, estimate, and a value that theirs lie about."""
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
    has_runs: bool = True
    """Some tool tells of CI runs."""
    organisation: str = "Acme"
    timezone: str = "Europe/Berlin"


def publish(home: Home, plan: Plan, snapshot_id: str, without: str | None = None) -> None:
    """Write the snapshot, one table of it left empty if so wanted, and make it current."""
    home.create()
    path = home.published / f"{snapshot_id}.duckdb"
    path.write_bytes(_built(plan))
    if without:
        with duckdb.connect(path) as connection:
            connection.execute(f"truncate marts.{without}")
    (home.published / "CURRENT").write_text(snapshot_id)


_BUILT: dict[str, bytes] = {}


def _built(plan: Plan) -> bytes:
    """The snapshot's file, made once for a plan."""
    if repr(plan) not in _BUILT:
        with TemporaryDirectory() as folder:
            path = Path(folder, "snapshot.duckdb")
            with duckdb.connect(path) as connection:
                connection.execute("set TimeZone = 'UTC'; set threads = 1; create schema marts")
                _facts(connection, plan)
                for metric, _, unit, definition, *_ in DEFINITIONS:
                    _figures(connection, metric, unit, definition)
                for metric, made_up in MADE_UP.items():
                    connection.execute(_MADE_UP.format(metric), [metric, *made_up])
                    if metric.startswith("ci_") and not plan.has_runs:
                        connection.execute(f"truncate marts.{metric}")
                for metric, made_up in adoption_tables.METRICS.items():
                    connection.execute(_MADE_UP.format(metric), [metric, *made_up])
                    adoption_tables.by_capability(connection, metric)
                _, _, industry = INDUSTRY.read_text().partition("*/")
                connection.execute(f"create table marts.industry as {industry}")
            _BUILT[repr(plan)] = path.read_bytes()
    return _BUILT[repr(plan)]


def _facts(connection: duckdb.DuckDBPyConnection, plan: Plan) -> None:
    connection.execute(_TABLES)
    shipped = list(_shipped(plan))
    _insert(connection, "deployment", [deployment for deployment, _ in shipped])
    _insert(connection, "change", [change for _, changes in shipped for change in changes])
    for service, team in plan.services.items():
        connection.execute(
            "insert into marts.service values (?, ?, ?, 'service', 'tier-1')", [service, team, [service]]
        )
        connection.execute(
            "insert into marts.coverage values"
            " ('git', $service, '/srv/git', $service, 2400, $tags, $n, $n, 7, $releases,"
            " $first, $until, $until)",
            {
                "service": service,
                "tags": plan.tags,
                "n": len(shipped),
                "releases": RELEASES,
                "first": plan.first_on,
                "until": plan.covered_until,
            },
        )
    parents = {team: None for team in plan.services.values() if team} | dict(plan.parents)
    for team, parent in parents.items():
        connection.execute("insert into marts.team values (?, ?, 1)", [team, parent])
    titles = [
        (metric, metric.replace("_", " ").capitalize(), unit, f"What {metric} is.", "lower", estimate)
        for metric, (unit, estimate, _) in [*MADE_UP.items(), *adoption_tables.METRICS.items()]
    ]
    connection.executemany(
        "insert into marts.metric_definition values (?, ?, ?, ?, ?, ?, ?)",
        [
            (*each, "adoption" if each[0] in adoption_tables.METRICS else "delivery")
            for each in [*DEFINITIONS, *titles]
        ],
    )
    connection.execute(
        "insert into marts.workspace values (?, ?, ?, ?, ?)",
        [plan.organisation, plan.timezone, plan.covered_until, plan.covered_until, plan.is_demo],
    )
    connection.execute(_SUBJECTS)
    connection.execute(_STABILITY)
    connection.execute(_PULL_REQUESTS, [plan.has_runs])
    connection.execute(_QUALITY)
    adoption_tables.add(connection)


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
        shared_rank bigint, repeats_for varchar[], changes bigint, url varchar,
        subject_key ubigint as (md5_number_lower('service:' || service)));
    create table marts.change (
        change_id varchar, service varchar, repository varchar, team varchar, sha varchar, number bigint,
        kind varchar, is_bot boolean, first_authored_at timestamptz, deployment_id varchar, ref varchar,
        shared_rank bigint, repeats_for varchar[], deployed_at timestamptz, deployed_on date,
        lead_time_seconds double,
        left_out varchar, url varchar,
        subject_key ubigint as (md5_number_lower('service:' || service)),
        lead_time_step smallint as (coalesce(
            -list_position(['baseline', 'bot', 'undated', 'negative'], left_out),
            ceil(100 * ln(greatest(lead_time_seconds, 1))))::smallint));
    create table marts.service (
        service varchar, team varchar, repositories varchar[], kind varchar, tier varchar);
    create table marts.team (team varchar, parent varchar, services bigint);
    create table marts.coverage (
        source varchar, repository varchar, url varchar, service varchar, commits bigint, tags bigint,
        release_tags bigint, deployments bigint, commits_not_deployed bigint, releases varchar,
        first_commit_at timestamptz, last_commit_at timestamptz, covered_until timestamptz);
    create table marts.metric_definition (
        metric varchar, title varchar, unit varchar, definition varchar, better varchar, estimate varchar,
        area varchar);
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
    create table marts.tenure as
        select service, md5_number_lower('service:' || service) as subject_key, key as team,
            '-infinity'::timestamptz as valid_from,
            'infinity'::timestamptz as valid_until
        from member where level = 'team';
    create temp table bucket as
        select service, grain, unnest(generate_series(
            date_trunc(grain, first_on)::timestamp, last_on::timestamp, step::interval
        ))::date as period_start,
            step::interval as step, (select covered_until::date from marts.workspace) as covered_on
        from (select service, min(finished_on) as first_on, max(finished_on) as last_on
              from marts.deployment group by service)
        cross join (values {", ".join(str(item) for item in GRAINS.items())}) as grains(grain, step);
"""

_STABILITY = """
    create table marts.fault as
        select deployment_id || '!' as fault_id, deployment_id, service, subject_key, ref,
            ['named', 'rollback', 'revert', 'incident'][1 + number % 4] as rule,
            finished_at as deployed_at, finished_on as deployed_on, finished_at as began_at,
            case when number % 5 <> 0 then finished_at + interval 3 hour end as recovered_at,
            case when recovered_at is null then 32400 else 10800 end::double as recovery_seconds,
            [
                {
                    'kind': 'incident', 'rule': 'incident', 'at': finished_at + interval 1 hour,
                    'url': 'https://pager.example/' || number
                },
                {'kind': 'rollback', 'rule': 'rollback', 'at': finished_at + interval 3 hour, 'url': null}
            ] as evidence, url
        from (
            select *, row_number() over (order by finished_at, deployment_id) as number from marts.deployment
        )
        where number % 9 = 0;
    create table marts.incident as
        select fault_id as incident_id, service, subject_key, 'SEV2' as severity, 'resolved' as status,
            began_at as opened_at, deployed_on as opened_on, recovered_at as resolved_at,
            recovery_seconds as restore_seconds,
            'incident' as rule, deployment_id, url
        from marts.fault
        union all
        select 'nobody' || epoch(finished_at), null, null, 'SEV1', 'resolved', finished_at, finished_on,
            finished_at + interval 2 hour, 7200, null, null, 'https://pager.example/x'
        from marts.deployment where changes = 0;
    create table marts.change_point as
        select 'ci_duration_p50' as metric, level, key, 'week' as grain,
            date_trunc('week', (select covered_until::date - 100 from marts.workspace))::date as period_start,
            500.0 as before, 900.0 as after, 0.004 as p_value, 'PELT' as method
        from (select distinct level, key from member);
"""

_PULL_REQUESTS = """
    create table marts.pull_request as
        select 'git' as source, repository, number, service, subject_key, shared_rank, repeats_for,
            deployed_at - interval 2 day as opened_at, deployed_at as merged_at, deployed_on as merged_on,
            case when is_bot then 'bot' when not $1 then 'no_run' end as ci_left_out,
            case when ci_left_out is null then 600::double + number end as ci_wait_seconds,
            case when ci_left_out is null and number % 2 = 0 then 60::double end as ci_queue_seconds,
            case when ci_left_out is null then if(number % 5 = 0, 300::double, 0) end as ci_rerun_seconds, url
        from marts.change
        where number is not null;
"""

_QUALITY = """
    create table marts.unmapped as
        select 'repository_without_service' as kind, 'git' as source, 'attic' as name,
            'deployments' as affects, 1 as things, 12 as affected;
    create table marts.data_quality as
        from (values
            ('repository_without_service', 'deployments', 'Nobody counts them.', 1, 40, 12, 400, 0.03),
            ('service_without_owner', 'deployments', 'No team has them.', 0, 39, 0, 400, 0.0)
        ) as t(kind, affects, meaning, things, of_things, affected, of_affected, share);
    create table marts.quarantine as
        select 'git' as source, 'commit' as stream, 'no date' as reason, 2 as records, 'abc' as example;
    create table marts.source_stream as
        select source, 'git' as kind, 'commit' as stream, sum(commits)::bigint as records, 2 as quarantined
        from marts.coverage group by all;
    create table marts.environment as
        select 'git' as source, 'staging' as environment, 9 as deployments, false as is_production;
"""

_SUBJECT_KEY = "md5_number_lower(level || ':' || key) as subject_key"
_MADE_UP = """
    create table marts.{0} as
    with period as (
        select distinct level, key, grain, period_start, (period_start + step)::date as period_end,
            covered_on, hash(key || period_start::varchar || $1) % 1000 / 1000.0 as chance
        from member inner join bucket using (service) where grain <> 'day'
    )
    select $1 as metric, level, key, md5_number_lower(level || ':' || key) as subject_key, grain,
        period_start, period_end,
        round($4 * (0.6 + 0.8 * chance), case $3 when 'given' then 0 else 6 end)::double as value,
        $2 as unit, (2 + 30 * chance)::bigint as n,
        case when $3 <> 'given' then 0.8 * value end as low,
        case when $3 <> 'given' then 1.1 * value end as high,
        case when n < 5 and $3 <> 'given' then 'too_few' else 'ok' end as status,
        period_end > covered_on as partial, '{{"bot": 3}}'::json as excluded, 'What it is.' as definition
    from period
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
        select '{metric}' as metric, level, key, {_SUBJECT_KEY}, grain, period_start, period_end,
            value::double as value, '{unit}' as unit, coalesce(n, 0)::bigint as n,
            low::double as low, high::double as high,
            case when value is null then 'no_data'
                when n < 5 and ('{unit}' = 'seconds' or ('{unit}' = 'per_week' and level <> 'service'))
                    then 'too_few'
                else 'ok' end as status,
            partial, '{{}}'::json as excluded, '{definition}' as definition
        from figure
    """)
