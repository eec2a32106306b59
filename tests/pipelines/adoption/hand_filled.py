"""The tables that the models of adoption read, filled by hand, and the models run upon them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from pipelines import adoption, modelling, statistics
from pipelines.checks import checked
from pipelines.computed import COMPUTED
from pipelines.figures import ROW_KEYS
from pipelines.model import Model, adoption_queries
from tests.pipelines.adoption.given import ORGANISATION, TIMEZONE, Evidence, Given, at

Row = dict[str, Any]
Place = tuple[str, str | None, str, str, str, date]
"""(metric, capability, level, key, grain, first day)."""

GIVEN = ("core.service_work",)
"""Models whose tables are filled by hand, too."""

_TABLES = """
create schema config; create schema core; create schema marts; create schema figures; create schema raw;
create schema history;
create table config.source (source varchar);
create table config.workspace (organisation varchar);
create table config.capability (
    capability varchar, title varchar, owner varchar, kind varchar, cadence_days bigint, introduced_on date,
    retired_on date, is_golden boolean, creates varchar[], scope_id varchar, position bigint);
create table config.capability_rule (rule_id varchar, kind varchar);
create table config.capability_mandate (capability varchar, since date, scope_id varchar);
create table config.service_scope (scope_id varchar);
create table config.platform_check (
    platform_check varchar, title varchar, weight double, capability varchar, is_current boolean,
    scope_id varchar, position bigint);
create table config.migration (
    migration varchar, title varchar, from_capability varchar, to_capability varchar, started_on date,
    scope_id varchar, position bigint);
create table config.platform_repository (pattern varchar);
create table core.service_scope (scope_id varchar, service varchar);
create table core.service (service varchar);
create table core.service_trait (service varchar, kind varchar, tier varchar, is_archived boolean);
create table core.service_repository (service varchar, source varchar, repository_id varchar);
create table core.repository (
    source varchar, repository_id varchar, repository varchar, url varchar, covered_until timestamptz);
create table core.team (team varchar, source varchar, id varchar);
create table core.team_version (
    team varchar, parent varchar, valid_from timestamptz, valid_until timestamptz);
create table core.ownership (service varchar, team varchar, valid_from timestamptz, valid_until timestamptz);
create table core.tenure (service varchar, team varchar, valid_from timestamptz, valid_until timestamptz);
create table core.service_work (service varchar, day date, author varchar, work varchar);
create table core.subject (level varchar, key varchar, chain_id varchar);
create table core.chain_deployment (
    chain_id varchar, deployment_id varchar, finished_at timestamptz, finished_on date);
create table core.capability_version (capability varchar, version varchar, ordinal bigint, released_on date);
create table core.capability_evidence (
    evidence_id varchar, capability varchar, rule_id varchar, source varchar, scope varchar,
    subject_kind varchar, subject varchar, service varchar, team varchar, kind varchar,
    observed_at timestamptz, observed_on date, ended_at timestamptz, ended_on date,
    confirmed_until timestamptz, is_start_unknown boolean, result varchar, finished_at timestamptz,
    version varchar, version_ordinal bigint, url varchar);
create table raw.coverage (source varchar, scope varchar, covered_until timestamptz);
create table raw.identity (alias varchar, person varchar);
create table raw.pull_request (
    source varchar, repository varchar, number bigint, author varchar, is_bot boolean, merged_at timestamptz);
create table history.membership (
    source varchar, team varchar, person varchar, valid_from timestamptz, valid_to timestamptz,
    seen_until timestamptz);
create table history.repository (
    source varchar, id varchar, archived boolean, seen_from timestamptz, seen_until timestamptz);
"""


def fill(given: Given) -> duckdb.DuckDBPyConnection:
    """A database with what was given, and no model built."""
    connection = duckdb.connect()
    connection.execute(f"set TimeZone = 'UTC'; set threads = 1; set variable timezone = '{TIMEZONE}'")
    connection.execute(_TABLES)
    for table, rows in _rows(given).items():
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            connection.executemany(f"insert into {table} values ({marks})", rows)
    statistics.register(connection)
    connection.execute((modelling.MODELS / "macros.sql").read_text())
    return connection


def build(connection: duckdb.DuckDBPyConnection, wanted: Iterable[str]) -> None:
    """Build these tables, and what they rest on unless it is there; each keeps what its header promises."""
    known = _adoption()
    ((there,),) = connection.execute(
        "select list(table_schema || '.' || table_name) from information_schema.tables"
    ).fetchall()
    needed: dict[str, Model] = {}
    waiting = [*wanted]
    while waiting:
        name = waiting.pop()
        if name in there or name in needed:
            continue
        if name in known:
            needed[name] = known[name]
            waiting += known[name].reads
        elif name in COMPUTED:
            waiting += COMPUTED[name][0]
    for name in modelling._order(needed):
        if name not in needed:
            COMPUTED[name][1](connection)
            continue
        model = needed[name]
        if metric := model.header.metric:
            made = adoption_queries(model.table, metric)
            adoption.build(connection, model.table, model.sql, made)
        else:
            connection.execute(f"create or replace table {name} as\n{model.sql}")
        assert (name, checked(connection, model).broken) == (name, {})


def _adoption() -> dict[str, Model]:
    return {
        name: model
        for name, model in modelling.models().items()
        if (model.header.needs or name == "core.owner") and name not in GIVEN
    }


def _rows(given: Given) -> dict[str, list[tuple[object, ...]]]:
    """Table → its rows."""
    covered = _midnight(given.last_day + timedelta(days=1))
    scopes = _scopes(given)
    owned = [
        (service.name, team, _noon(since, "-infinity"), _noon(until, "infinity"))
        for service in given.services
        for team, since, until in service.owners
    ]
    rules = {(e.capability, e.rule) for e in given.evidence}
    deployed = [
        (f"chain:{service}", f"{service}@{n}", day) for n, (service, day) in enumerate(given.deployments)
    ]
    return {
        "config.source": [("test",)],
        "config.workspace": [(ORGANISATION,)],
        "config.capability": [
            (
                c.name,
                c.name,
                given.platform_owner,
                c.kind,
                c.cadence,
                c.introduced_on,
                c.retired_on,
                bool(c.creates),
                [*c.creates],
                f"eligible:{c.name}",
                n,
            )
            for n, c in enumerate(given.capabilities)
        ],
        "config.capability_rule": [(f"{capability}/{kind}", kind) for capability, kind in sorted(rules)],
        "config.capability_mandate": [
            (capability, since, f"mandate:{n}") for n, (capability, since, _) in enumerate(given.mandates)
        ],
        "config.service_scope": [(scope,) for scope in scopes],
        "config.platform_check": [
            (k.name, k.name, k.weight, k.capability, k.is_current, f"check:{k.name}", n)
            for n, k in enumerate(given.checks)
        ],
        "config.migration": [
            (m.name, m.name, m.leaves, m.to, m.started_on, f"migration:{m.name}", n)
            for n, m in enumerate(given.migrations)
        ],
        "config.platform_repository": [("platform-*",)],
        "core.service_scope": [
            (scope, service) for scope, within in scopes.items() for service in sorted(within)
        ],
        "core.service": [(s.name,) for s in given.services],
        "core.service_trait": [(s.name, s.kind, s.tier, s.archived_on is not None) for s in given.services],
        "core.service_repository": [(s.name, "test", s.name) for s in given.services],
        "core.repository": [
            ("test", name, name, f"https://host.example/acme/{name}", covered)
            for name in [*(s.name for s in given.services), "platform-ci"]
        ],
        "core.team": [(team, "test", team) for team in given.teams],
        "core.team_version": [
            (team, parent, "-infinity", "infinity") for team, parent in given.teams.items()
        ],
        "core.ownership": [*owned],
        "core.tenure": [
            (service, above, since, until)
            for service, team, since, until in owned
            for above in lineage(given, team)
        ],
        "core.service_work": [
            *(
                (service, day, author, "commit")
                for service, day, author in sorted(set(given.commits), key=str)
            ),
            *((service, day, author, "merged_change") for service, day, author in sorted(set(given.merges))),
        ],
        "core.subject": [("service", s.name, f"chain:{s.name}") for s in given.services],
        "core.chain_deployment": [(chain, id_, at(day, 12), day) for chain, id_, day in deployed],
        "core.capability_version": [
            (capability, f"{n}.0", n, released)
            for capability, days in given.versions.items()
            for n, released in enumerate(days, 1)
        ],
        "core.capability_evidence": [_evidence(n, e, covered) for n, e in enumerate(given.evidence)],
        "raw.coverage": [("test", "all", covered)],
        "raw.pull_request": [
            ("test", "platform-ci", n, p.author, p.is_bot, at(p.day)) for n, p in enumerate(given.pulls)
        ],
        "history.membership": [
            ("test", team, person, None, None, None) for person, team in given.members.items()
        ],
        "history.repository": [
            ("test", s.name, True, at(s.archived_on), None) for s in given.services if s.archived_on
        ],
    }


def _scopes(given: Given) -> dict[str, frozenset[str]]:
    return {
        **{f"eligible:{c.name}": c.eligible for c in given.capabilities},
        **{f"mandate:{n}": within for n, (_, _, within) in enumerate(given.mandates)},
        **{f"check:{k.name}": k.asked_of for k in given.checks},
        **{f"migration:{m.name}": m.scope for m in given.migrations},
    }


def lineage(given: Given, team: str | None) -> list[str]:
    """A team and those above it."""
    return [] if team is None else [team, *lineage(given, given.teams[team])]


def _evidence(n: int, e: Evidence, covered: datetime) -> tuple[object, ...]:
    seen = at(e.day, e.hour)
    kind = "person" if e.person else "team" if e.team else "service"
    return (
        f"{n}|{e.capability}/{e.rule}", e.capability, f"{e.capability}/{e.rule}", "test", "all",
        kind, e.person or e.team or e.service, e.service, e.team,
        "present" if e.is_state else "used", seen, e.day, at(e.ended_on) if e.ended_on else None, e.ended_on,
        covered if e.is_state else None, e.is_start_unknown, e.result,
        None if e.seconds is None else seen + timedelta(seconds=e.seconds),
        None if e.ordinal is None else f"{e.ordinal}.0", e.ordinal, None,
    )  # fmt: skip


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(TIMEZONE)).astimezone(UTC)


def _noon(day: date | None, otherwise: str) -> datetime | str:
    return at(day, 12) if day else otherwise


def rows(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> dict[Place, Row]:
    """Every row of these metrics."""
    names = [*names]
    build(connection, [f"marts.{name}" for name in names])
    keys = (*ROW_KEYS, "capability")
    found: dict[Place, Row] = {}
    for name in names:
        for values in connection.execute(f"select {', '.join(keys)} from marts.{name}").fetchall():
            row = dict(zip(keys, values, strict=True))
            row["excluded"] = json.loads(row["excluded"])
            place = (name, row["capability"], row["level"], row["key"], row["grain"], row["period_start"])
            found[place] = row
    return found
