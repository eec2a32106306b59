"""The settings `platform` as tables `config.*`, where SQL can read them."""

from __future__ import annotations

from pipelines.platform_settings import PlatformConfig, ReleasesOf, ServiceFilter

SCHEMA = """
create or replace table config.capability (
    capability varchar, title varchar, owner varchar, kind varchar, cadence_days bigint, introduced_on date,
    retired_on date, is_golden boolean, creates varchar[], versions_from varchar, scope_id varchar,
    position bigint);
create or replace table config.capability_name (capability varchar, name varchar);
create or replace table config.capability_rule (
    rule_id varchar, capability varchar, kind varchar, pattern varchar, example varchar);
create or replace table config.capability_mandate (
    mandate_id varchar, capability varchar, since date, mandated_by varchar, scope_id varchar);
create or replace table config.capability_version (capability varchar, version varchar, ordinal bigint);
create or replace table config.service_scope (
    scope_id varchar, kinds varchar[], tiers varchar[], lifecycles varchar[], teams varchar[],
    services varchar[]);
create or replace table config.platform_check (
    platform_check varchar, title varchar, weight double, capability varchar, is_current boolean,
    scope_id varchar, position bigint);
create or replace table config.migration (
    migration varchar, title varchar, from_capability varchar, to_capability varchar, started_on date,
    scope_id varchar, position bigint);
create or replace table config.platform_repository (pattern varchar);
"""

Rows = list[tuple[object, ...]]


def rows(platform: PlatformConfig) -> dict[str, Rows]:
    """Table of `SCHEMA`, without its schema → rows."""
    tables: dict[str, Rows] = {
        "platform_repository": [(pattern.lower(),) for pattern in platform.repositories],
        "capability_rule": [
            (f"{of}/{rule.kind}:{rule.pattern}", of, rule.kind, rule.pattern, rule.example)
            for of, (_, rule) in platform.rules()
        ],
    }
    scopes: dict[str, ServiceFilter] = {}
    for add in (_capabilities, _checks, _migrations):
        tables |= add(platform, scopes)
    tables["service_scope"] = [
        (scope_id, *([word.lower() for word in words] for words in _words(one)))
        for scope_id, one in scopes.items()
    ]
    return tables


def _words(one: ServiceFilter) -> tuple[tuple[str, ...], ...]:
    return one.kinds, one.tiers, one.lifecycles, one.teams, one.services


def _capabilities(platform: PlatformConfig, scopes: dict[str, ServiceFilter]) -> dict[str, Rows]:
    capabilities: Rows = []
    mandates: Rows = []
    for position, one in enumerate(platform.capabilities):
        scope_id = f"eligible:{one.name}"
        scopes[scope_id] = one.eligible
        capabilities.append(
            (
                one.name,
                one.title or one.name,
                one.owner,
                one.kind,
                one.cadence.days,
                one.introduced_at,
                one.retired_at,
                bool(one.creates),
                [f"template:{name if '/' in name else f'default/{name}'}".lower() for name in one.creates],
                one.versions.repository if isinstance(one.versions, ReleasesOf) else None,
                scope_id,
                position,
            )
        )
        if one.mandated_at:
            mandates.append((f"{one.name}/0", one.name, one.mandated_at, None, scope_id))
        for number, mandate in enumerate(one.mandates, 1):
            mandate_id = f"{one.name}/{number}"
            scopes[f"mandate:{mandate_id}"] = mandate
            mandates.append((mandate_id, one.name, mandate.since, mandate.by, f"mandate:{mandate_id}"))
    return {
        "capability": capabilities,
        "capability_mandate": mandates,
        "capability_name": [
            (one.name, name) for one in platform.capabilities for name in (one.name, *one.formerly)
        ],
        "capability_version": [
            (one.name, version, ordinal)
            for one in platform.capabilities
            if not isinstance(one.versions, ReleasesOf)
            for ordinal, version in enumerate(one.versions, 1)
        ],
    }


def _checks(platform: PlatformConfig, scopes: dict[str, ServiceFilter]) -> dict[str, Rows]:
    eligible = {one.name: one.eligible for one in platform.capabilities}
    checks: Rows = []
    for position, one in enumerate(platform.checks):
        capability = one.capability or f"check:{one.name}"
        scope_id = f"check:{one.name}"
        scopes[scope_id] = one.eligible or eligible.get(capability, ServiceFilter())
        checks.append(
            (one.name, one.title or one.name, one.weight, capability, one.current, scope_id, position)
        )
    return {"platform_check": checks}


def _migrations(platform: PlatformConfig, scopes: dict[str, ServiceFilter]) -> dict[str, Rows]:
    migrations: Rows = []
    for position, one in enumerate(platform.migrations):
        scope_id = f"migration:{one.name}"
        scopes[scope_id] = one.scope
        migrations.append(
            (one.name, one.title or one.name, one.leaves, one.to, one.started_at, scope_id, position)
        )
    return {"migration": migrations}
