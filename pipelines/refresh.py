"""Model: bring `core` and `marts` in line with `raw.*` and the workspace, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb

from pipelines import lineage, modelling
from pipelines.modelling import Built
from pipelines.workspace import PUSH, TakenFrom, Workspace

_CONFIG = """
create schema if not exists config;
create or replace table config.workspace (
    organisation varchar, timezone varchar, is_demo boolean, built_at timestamptz);
create or replace table config.source (source varchar, kind varchar, releases varchar, position bigint);
create or replace table config.service (service varchar, team varchar);
create or replace table config.service_repository (service varchar, pattern varchar);
create or replace table config.production (environments varchar);
create or replace table config.team (team varchar, parent varchar);
create or replace table config.metric (
    metric varchar, title varchar, unit varchar, definition varchar, better varchar);
create table if not exists config.built (fingerprint varchar);
"""

_NAMED = """
    select id, if(count(*) over (partition by name) > 1, id, name) as name, {columns}
    from raw.{stream} where source = $source
"""
_SERVICES_TAKEN = f"""
    insert into config.service
    with team as ({_NAMED.format(stream="team", columns="parent")}),
    service as ({_NAMED.format(stream="service", columns="team")})
    select s.name, t.name from service as s left join team as t on t.id = s.team
"""
_REPOSITORIES_TAKEN = f"""
    insert into config.service_repository
    select name, unnest(repositories) from ({_NAMED.format(stream="service", columns="repositories")})
"""
_TEAMS_TAKEN = f"""
    insert into config.team
    with team as ({_NAMED.format(stream="team", columns="parent")})
    select t.name, p.name from team as t left join team as p on p.id = t.parent
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
    zone = ZoneInfo(workspace.timezone)
    days = [(source, scope, datetime.fromtimestamp(at, zone).date()) for source, scope, at in covered]
    parts = [repr((version, days)), workspace.fingerprint(), modelling.fingerprint(), duckdb.__version__]
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
    """Rebuild every model; yields each as it is built. Commits after the last one."""
    fingerprint = wanted_fingerprint(connection, workspace)
    connection.execute("set variable timezone = ?", [workspace.timezone])
    connection.execute("begin")
    try:
        _configure(connection, workspace)
        if is_full:
            lineage.reset(connection)
        yield from modelling.run(connection)
        connection.execute("truncate config.built")
        connection.execute("insert into config.built values (?)", [fingerprint])
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _configure(connection: duckdb.DuckDBPyConnection, workspace: Workspace) -> None:
    """Write the workspace down where SQL can read it."""
    metrics = {m.table: m.header.metric for m in modelling.models().values() if m.header.metric}
    services = () if isinstance(workspace.services, TakenFrom) else workspace.services
    teams = () if isinstance(workspace.teams, TakenFrom) else workspace.teams
    connection.execute(_CONFIG)
    tables: dict[str, list[tuple[object, ...]]] = {
        "workspace": [(workspace.organisation, workspace.timezone, workspace.demo, datetime.now(UTC))],
        "source": [
            *(
                (source.name, source.kind, getattr(source.options, "releases", None), position)
                for position, source in enumerate(workspace.sources)
            ),
            (PUSH, PUSH, None, len(workspace.sources)),
        ],
        "service": [(s.name, s.team) for s in services],
        "service_repository": [(s.name, pattern) for s in services for pattern in s.repositories],
        "team": [(t.name, t.parent) for t in teams],
        "production": [(pattern,) for pattern in workspace.production.environments],
        "metric": [(name, m.title, m.unit, m.definition, m.better) for name, m in metrics.items()],
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
