"""Model: bring `core` and `marts` in line with `raw.*` and the workspace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb

from pipelines import deltas, lineage, modelling, platform_tables, surveys
from pipelines.checks import Built
from pipelines.workspace import PUSH, TakenFrom, Workspace

_CONFIG = """
create schema if not exists config;
create or replace table config.workspace (
    organisation varchar, timezone varchar, is_demo boolean, failure_window_seconds bigint,
    include_bots boolean);
create or replace table config.build (built_at timestamptz);
create or replace table config.source (source varchar, kind varchar, releases varchar, position bigint);
create or replace table config.service (service varchar, source varchar, id varchar);
create or replace table config.service_owner (service varchar, team varchar);
create or replace table config.service_repository (service varchar, pattern varchar, paths varchar[]);
create or replace table config.production (environments varchar);
create or replace table config.production_job (pattern varchar);
create or replace table config.hotfix_label (label varchar);
create or replace table config.team (team varchar, parent varchar, source varchar, id varchar);
create or replace table config.calendar (
    team varchar, timezone varchar, country varchar, subdivision varchar, weekend varchar[]);
create or replace table config.metric (
    metric varchar, title varchar, unit varchar, definition varchar, better varchar, estimate varchar,
    area varchar);
create table if not exists config.built (fingerprint varchar);
"""

_NAMED = """
    select *, if(count(*) over (partition by name) > 1, id, name) as unique_name
    from raw.{stream} where source = $source
"""
_SERVICES_TAKEN = f"""
    insert into config.service
    select unique_name, source, id from ({_NAMED.format(stream="service")})
"""
# A catalogue names the folder that describes a service, too, where the service has all of the repository.
_REPOSITORIES_TAKEN = f"""
    insert into config.service_repository
    select unique_name, repository, if(count(*) over (partition by lower(repository)) > 1, paths, [])
    from (select *, unnest(repositories) as repository from ({_NAMED.format(stream="service")}))
"""
_TEAMS_TAKEN = f"""
    insert into config.team
    with team as ({_NAMED.format(stream="team")})
    select t.unique_name, p.unique_name, t.source, t.id from team as t left join team as p on p.id = t.parent
"""


def wanted_fingerprint(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> str:
    """Hash of all that shapes the marts: data, workspace, models and the local days that are complete."""
    (version,) = connection.execute("from raw.version").fetchall()
    covered = connection.execute(
        """
        select r.source, r.id, epoch(c.covered_until)
        from raw.repository as r
        inner join raw.coverage as c on c.source = r.source and c.scope = r.scope
        order by all
        """
    ).fetchall()
    snapshots = connection.execute(
        "select source, max(taken_on) from raw.snapshot group by source order by all"
    ).fetchall()
    zone = ZoneInfo(workspace.timezone)
    days = [(source, scope, datetime.fromtimestamp(at, zone).date()) for source, scope, at in covered]
    said = f"{(version, days, snapshots)}{settings_fingerprint(workspace)}"
    return hashlib.sha256(said.encode()).hexdigest()


def settings_fingerprint(workspace: Workspace) -> str:
    """Hash of all that shapes the marts beside the data."""
    parts = [workspace.fingerprint(), modelling.fingerprint(), duckdb.__version__]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def built_fingerprint(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Fingerprint of the last build; None before the first."""
    connection.execute("create schema if not exists config")
    connection.execute("create table if not exists config.built (fingerprint varchar)")
    rows = connection.execute("from config.built").fetchall()
    return str(rows[0][0]) if rows else None


def build(
    connection: duckdb.DuckDBPyConnection, workspace: Workspace, *, is_full: bool = False
) -> Iterator[Built]:
    """Rebuild every model; yields each as it is built."""
    fingerprint = wanted_fingerprint(connection, workspace)
    connection.execute("set variable timezone = ?", [workspace.timezone])
    _configure(connection, workspace)
    surveys.prepare(connection)
    # Nothing is built until all of it is. In one transaction DuckDB would know no sizes of the tables
    # made in it, and plan without.
    connection.execute("truncate config.built")
    if is_full:
        lineage.reset(connection)
        deltas.prepare(connection)
        deltas.forget(connection)
    yield from modelling.run(connection, settings=settings_fingerprint(workspace))
    connection.execute("insert into config.built values (?)", [fingerprint])


def _configure(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Write the workspace down where SQL can read it."""
    metrics = {m.table: m.header.metric for m in modelling.models().values() if m.header.metric}
    services = () if isinstance(workspace.services, TakenFrom) else workspace.services
    teams = () if isinstance(workspace.teams, TakenFrom) else workspace.teams
    connection.execute(_CONFIG)
    connection.execute(platform_tables.SCHEMA)
    tables: dict[str, list[tuple[object, ...]]] = {
        "workspace": [
            (
                workspace.organisation,
                workspace.timezone,
                workspace.demo,
                int(workspace.failure_window.total_seconds()),
                workspace.include_bots,
            )
        ],
        "build": [(datetime.now(UTC),)],
        "source": [
            *(
                (source.name, source.kind, getattr(source.options, "releases", None), position)
                for position, source in enumerate(workspace.sources)
            ),
            (PUSH, PUSH, None, len(workspace.sources)),
        ],
        "service": [(s.name, None, None) for s in services],
        "service_owner": [(s.name, team) for s in services for team in s.team],
        "service_repository": [
            (s.name, pattern, list(s.paths)) for s in services for pattern in s.repositories
        ],
        "team": [(t.name, t.parent, None, None) for t in teams],
        "calendar": [
            (team, zone, calendar.country, calendar.subdivision, list(calendar.weekend))
            for team, zone, calendar in [
                (None, workspace.timezone, workspace.calendar),
                *(
                    (t.name, t.timezone or workspace.timezone, t.calendar or workspace.calendar)
                    for t in teams
                ),
            ]
        ],
        "production": [(pattern,) for pattern in workspace.production.environments],
        "production_job": [(pattern,) for pattern in workspace.production.jobs],
        "hotfix_label": [(label,) for label in workspace.hotfix_labels],
        "metric": [
            (name, m.title, m.unit, m.definition, m.better, m.estimate, m.area) for name, m in metrics.items()
        ],
        **platform_tables.rows(workspace.platform),
    }
    for table, rows in tables.items():
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"insert into config.{table} values ({marks})", rows)
    if isinstance(workspace.teams, TakenFrom):
        connection.execute(_TEAMS_TAKEN, {"source": workspace.teams.source})
    if isinstance(workspace.services, TakenFrom):
        connection.execute(_SERVICES_TAKEN, {"source": workspace.services.source})
        connection.execute(_REPOSITORIES_TAKEN, {"source": workspace.services.source})
