"""The entities of a world's catalogue, as Backstage shows them: with relations both ways."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from demo.world import Component, Person, Team, World

_CATALOG = "https://github.demo.example/{organization}/catalog/tree/main"

Json = dict[str, Any]


def entities(world: World, kind: str | None = None, name: str | None = None) -> Iterator[Json]:
    """All of one kind (in lower case), or all; or the one with this name."""
    makers = {
        "group": lambda: _groups(world),
        "user": lambda: _users(world, name),
        "system": lambda: _systems(world),
        "component": lambda: _components(world),
        "template": lambda: _templates(world),
    }
    for each in [kind] if kind else makers:
        if each in makers:
            yield from makers[each]()


def _groups(world: World) -> Iterator[Json]:
    children: dict[str, list[str]] = defaultdict(list)
    owned: dict[str, list[str]] = defaultdict(list)
    members: dict[str, list[str]] = defaultdict(list)
    for team in world.teams:
        if team.parent:
            children[team.parent].append(team.slug)
    for component in world.components:
        owned[component.owner].append(component.name)
    for login, slugs in _teams_by_login(world).items():
        for slug in slugs:
            members[slug].append(login)
    for team in world.teams:
        yield _group(world, team, children[team.slug], owned[team.slug], members[team.slug])


def _group(
    world: World, team: Team, children: Sequence[str], owned: Sequence[str], members: Sequence[str]
) -> Json:
    relations = [
        *([_relation("childOf", "group", team.parent)] if team.parent else []),
        *(_relation("hasMember", "user", login) for login in sorted(members)),
        *(_relation("ownerOf", "component", name) for name in sorted(owned)),
        *(_relation("parentOf", "group", child) for child in sorted(children)),
    ]
    spec = {
        "type": team.kind,
        "profile": {"displayName": team.name},
        **({"parent": team.parent} if team.parent else {}),
        "children": sorted(children),
    }
    return _entity(world, "Group", team.slug, spec, relations)


def _users(world: World, name: str | None) -> Iterator[Json]:
    people = [each for each in world.people if not each.is_bot and name in {None, each.login}]
    teams = _teams_by_login(world, name)
    for person in people:
        yield _user(world, person, sorted(teams[person.login]))


def _user(world: World, person: Person, teams: Sequence[str]) -> Json:
    spec = {"profile": {"displayName": person.name, "email": person.email}, "memberOf": [*teams]}
    relations = [_relation("memberOf", "group", team) for team in teams]
    annotations = {"github.com/user-login": person.login}
    return _entity(world, "User", person.login, spec, relations, annotations=annotations)


def _systems(world: World) -> Iterator[Json]:
    parts: dict[str, list[Component]] = defaultdict(list)
    for component in world.components:
        parts[component.system].append(component)
    for system in sorted(parts):
        owner = parts[system][0].owner
        relations = [
            *(_relation("hasPart", "component", each.name) for each in parts[system]),
            _relation("ownedBy", "group", owner),
        ]
        yield _entity(world, "System", system, {"owner": f"group:default/{owner}"}, relations)


def _components(world: World) -> Iterator[Json]:
    for component in world.components:
        repository = f"{world.organization}/{component.repository}"
        folder = f"{component.source_path.strip('/')}/" if component.source_path else ""
        annotations = {
            "github.com/project-slug": repository,
            "backstage.io/source-location": f"url:https://github.demo.example/{repository}/tree/main/{folder}",
            **component.annotations,
        }
        spec = {
            "type": component.type,
            "lifecycle": component.lifecycle,
            "owner": f"group:default/{component.owner}",
            "system": component.system,
        }
        relations = [
            _relation("ownedBy", "group", component.owner),
            _relation("partOf", "system", component.system),
        ]
        entity = _entity(world, "Component", component.name, spec, relations, annotations=annotations)
        entity["metadata"] |= {
            "title": component.title,
            "tags": [*component.tags],
            "labels": {"tier": component.tier},
        }
        yield entity


def _templates(world: World) -> Iterator[Json]:
    owner = world.teams[0].slug if world.teams else "platform"
    for template in world.templates:
        spec = {"owner": f"group:default/{owner}", "type": "service", "steps": [], "parameters": []}
        relations = [_relation("ownedBy", "group", owner)]
        yield _entity(world, "Template", template, spec, relations, version="scaffolder.backstage.io/v1beta3")


def _entity(
    world: World,
    kind: str,
    name: str,
    spec: Json,
    relations: Sequence[Json],
    *,
    annotations: dict[str, str] | None = None,
    version: str = "backstage.io/v1alpha1",
) -> Json:
    place = f"url:{_CATALOG.format(organization=world.organization)}/{kind.lower()}s.yaml"
    uid = uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{name}")
    return {
        "metadata": {
            "namespace": "default",
            "annotations": {
                "backstage.io/managed-by-location": place,
                "backstage.io/managed-by-origin-location": place,
                **(annotations or {}),
            },
            "name": name,
            "uid": str(uid),
            "etag": hashlib.sha1(repr((name, spec, relations)).encode(), usedforsecurity=False).hexdigest(),
        },
        "apiVersion": version,
        "kind": kind,
        "spec": spec,
        "relations": [*relations],
    }


def _relation(kind: str, target_kind: str, name: str) -> Json:
    return {"type": kind, "targetRef": f"{target_kind}:default/{name}".lower()}


def _teams_by_login(world: World, login: str | None = None) -> dict[str, set[str]]:
    """Login → slugs of the teams that the person is in now."""
    teams: dict[str, set[str]] = defaultdict(set)
    for each in world.memberships:
        is_now = each.since <= world.now and (each.until is None or world.now < each.until)
        if is_now and login in {None, each.login}:
            teams[each.login].add(each.team)
    return teams
