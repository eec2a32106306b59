"""Backstage's catalogue: its entities, walked whole, and what they say of teams, people and services.

Entities carry no times: what is read is how things are now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from connectors.backstage.references import Reference, reference, sources
from connectors.connector import Contact, Note, Quarantined
from connectors.http import Answer, Client, CursorPaging, HttpError, Params, Refused
from connectors.parsing import Malformed, parsed
from connectors.records import Identity, Membership, Service, Team
from connectors.snapshot import Seen

_LIMIT = 500
_PATH = "/api/catalog/entities/by-query"
_NAMED = ("kind", "metadata.name", "metadata.namespace", "metadata.uid", "relations")
_FIELDS: dict[str, tuple[str, ...]] = {
    "group": (*_NAMED, "metadata.title", "spec.type", "spec.parent", "spec.profile.displayName"),
    # Of people no more than is hashed.
    "user": (
        *_NAMED,
        "metadata.annotations.github.com/user-login",
        "metadata.annotations.gitlab.com/user-login",
        "spec.profile.email",
        "spec.memberOf",
    ),
    "component": (
        *_NAMED,
        "metadata.annotations",
        "metadata.labels",
        "spec.type",
        "spec.lifecycle",
        "spec.owner",
        "spec.system",
        "spec.tier",
    ),
}
"""Kind → the fields asked for."""
_LOGINS = ("github.com/user-login", "gitlab.com/user-login")
_CONTACT = (
    *_NAMED,
    *(f"metadata.annotations.{each}" for each in _LOGINS),
    "spec.profile.email",
    "spec.profile.displayName",
)
"""Of people who are written to."""
_ALIASES = {
    "pagerduty.com/service-id": "pagerduty",
    "jenkins.io/job-full-name": "jenkins",
    "jenkins.io/github-folder": "jenkins",
    "argocd/app-name": "argocd",
    "backstage.io/kubernetes-id": "kubernetes",
    "sonarqube.org/project-key": "sonarqube",
}
"""Annotation → the tool that calls the service so."""


class _WalkPaging(CursorPaging):
    """The cursor knows the filter, and stands in its place."""

    def next(self, answer: Answer, params: Params) -> Params | None:
        return super().next(answer, {name: params[name] for name in params if name != "filter"})


class Choice(NamedTuple):
    """Which entities to read, and how."""

    namespaces: tuple[str, ...] = ()
    """Empty for all."""
    filter: str | None = None
    """Backstage's own filter for components."""
    tier: str | None = None
    """Path of the field that holds a component's tier."""


class Entity(NamedTuple):
    """An entity, and what names it."""

    reference: Reference
    raw: Mapping[str, Any]

    def annotations(self) -> Mapping[str, Any]:
        return _mapping(self.raw["metadata"], "annotations")

    def labels(self) -> Mapping[str, Any]:
        return _mapping(self.raw["metadata"], "labels")

    def spec(self) -> Mapping[str, Any]:
        return _mapping(self.raw, "spec")

    def related(self, relation: str, kind: str) -> list[Reference]:
        """What it is in this relation to, of this kind alone."""
        targets = (
            reference(each["targetRef"], kind, self.reference.namespace)
            for each in self.raw.get("relations") or []
            if each["type"] == relation
        )
        return [target for target in targets if target and target.kind == kind]


class Catalog:
    """One reading of the catalogue."""

    def __init__(self, client: Client, scope: str, choice: Choice, person: Callable[[str], str]) -> None:
        self._client = client
        self._scope = scope
        self._choice = choice
        self._person = person
        self.notes: list[Note] = []
        """What a person may want to know, once read."""
        self.components: list[Entity] = []
        self._people: set[str] = set()

    def read(self) -> Iterator[Seen]:
        """Teams, memberships, identities and services, in this order; raises `HttpError`."""
        groups, bad_groups = self._entities("group", "team")
        users, bad_users = self._entities("user", "membership")
        self.components, bad_components = self._entities("component", "service")
        self._people = {user.reference.name for user in users}

        known = {group.reference for group in groups}
        parents = Counter[str]()
        teams, bad_teams = self._parsed(groups, lambda one: self._team(one, known, parents), "team")
        yield Seen("team", teams, [*bad_groups, *bad_teams])

        ids = {team.id for team in teams}
        strangers = Counter[str]()
        ofs, bad_ofs = self._parsed(users, lambda one: self._memberships(one, ids, strangers), "membership")
        haves, _ = self._parsed(groups, lambda one: self._members(one, ids), "membership")
        members = dict.fromkeys(each for some in [*ofs, *haves] for each in some)
        yield Seen("membership", [*members], [*bad_users, *bad_ofs])

        identities, bad_identities = self._parsed(users, self._identities, "identity")
        yield Seen("identity", [*dict.fromkeys(each for some in identities for each in some)], bad_identities)

        owners = Counter[str]()
        services, bad_services = self._parsed(
            self.components, lambda one: self._service(one, ids, owners), "service"
        )
        yield Seen("service", services, [*bad_components, *bad_services])
        self._note("components have an owner that is no group of the catalogue", owners)
        self._note("groups have a parent that is no group of the catalogue", parents)
        self._note("memberships are of no group of the catalogue", strangers)

    def contacts(self) -> Iterator[Contact]:
        """How the catalogue's people are reached, of which `read` asks nothing; raises `HttpError`."""
        users = [each for each in self._walk("user", _CONTACT) if not _is_other(each, "user")]
        found, _ = parsed(users, self._contact, "membership", self._scope, self._id)
        yield from {contact.person: contact for contact in found}.values()

    def _contact(self, raw: Any) -> Contact:
        user = _entity(raw)
        profile, annotations = _mapping(user.spec(), "profile"), user.annotations()
        said = [profile.get("displayName"), user.reference.name, *(annotations.get(each) for each in _LOGINS)]
        names = tuple(dict.fromkeys(name for name in map(_text, said) if name))
        return Contact(self._person(user.reference.name), _text(profile.get("email")), names)

    def _entities(self, kind: str, stream: str) -> tuple[list[Entity], list[Quarantined]]:
        raw = [each for each in self._walk(kind) if not _is_other(each, kind)]
        found, failed = parsed(raw, _entity, stream, self._scope, self._id)
        # An entity may move to a later page while the walk goes on.
        return [*{entity.reference: entity for entity in found}.values()], failed

    def _walk(self, kind: str, wanted: tuple[str, ...] | None = None) -> list[Any]:
        """Every entity of a kind. A walk that loses its place, or comes out short, is begun anew, once."""
        try:
            found, total = self._pages(kind, wanted)
            if total is None or len(found) >= total:
                return found
        except Refused as error:
            if error.status != 400:
                raise
        found, total = self._pages(kind, wanted)
        if total is not None and len(found) < total:
            missing = total - len(found)
            self.notes.append(
                Note(self._scope, f"{missing} of {total} entities of kind {kind} were not listed")
            )
        return found

    def _pages(self, kind: str, wanted: tuple[str, ...] | None) -> tuple[list[Any], int | None]:
        conditions = f"kind={kind}"
        if kind == "component" and self._choice.filter:
            conditions += f",{self._choice.filter}"
        sets = [f"{conditions},metadata.namespace={each}" for each in self._choice.namespaces] or [conditions]
        wanted = wanted or _FIELDS[kind]
        if kind == "component" and self._choice.tier:
            wanted = (*wanted, self._choice.tier)
        params: Params = {"filter": sets, "fields": ",".join(wanted), "limit": _LIMIT}
        found: list[Any] = []
        total = None
        for answer in self._client.pages(_PATH, params, stream=kind, paging=_WalkPaging(_next_cursor)):
            body = answer.json()
            held = body.get("items") if isinstance(body, dict) else None
            if not isinstance(held, list):
                raise HttpError(
                    "The catalogue's answer holds no items", "Check that the address is that of Backstage."
                )
            found += held
            total = body["totalItems"] if isinstance(body.get("totalItems"), int) else total
        return found, total

    def _parsed(
        self, entities: Sequence[Entity], parse: Callable[[Entity], Any], stream: str
    ) -> tuple[list[Any], list[Quarantined]]:
        return parsed(entities, parse, stream, self._scope, lambda entity: self._id(entity.raw))

    def _id(self, raw: Any) -> str:
        """What names an entity in messages: its reference; of a user the tool's own id, else a hash."""
        metadata = raw["metadata"]
        uid = metadata.get("uid")
        if str(raw.get("kind")).lower() == "user":
            return str(uid) if isinstance(uid, str) else f"user:{self._person(str(metadata['name']))}"
        named = _named(raw) if isinstance(metadata.get("name"), str) else None
        return str(named or uid or "without a name")

    def _team(self, group: Entity, known: set[Reference], unknown: Counter[str]) -> Team:
        spec = group.spec()
        said = reference(spec.get("parent"), "group", group.reference.namespace)
        parent = next(iter(group.related("childOf", "group")), said)
        if parent and parent not in known:
            unknown[self._shown(parent)] += 1
            parent = None
        profile = _mapping(spec, "profile")
        name = _text(profile.get("displayName")) or _text(group.raw["metadata"].get("title"))
        return Team(
            id=str(group.reference),
            name=name or group.raw["metadata"]["name"],
            parent=str(parent) if parent else None,
            kind=_text(spec.get("type")) or "group",
        )

    def _memberships(self, user: Entity, teams: set[str], unknown: Counter[str]) -> list[Membership]:
        said = [
            reference(each, "group", user.reference.namespace) for each in user.spec().get("memberOf") or []
        ]
        of = {str(each) for each in [*said, *user.related("memberOf", "group")] if each}
        unknown.update(of - teams)
        return [
            Membership(team, self._person(user.reference.name), None, None) for team in sorted(of & teams)
        ]

    def _members(self, group: Entity, teams: set[str]) -> list[Membership]:
        team = str(group.reference)
        members = group.related("hasMember", "user") if team in teams else []
        return [Membership(team, self._person(member.name), None, None) for member in members]

    def _identities(self, user: Entity) -> list[Identity]:
        """The user's address and accounts elsewhere are the user's."""
        annotations = user.annotations()
        known = [_mapping(user.spec(), "profile").get("email"), *(annotations.get(each) for each in _LOGINS)]
        person = self._person(user.reference.name)
        aliases = dict.fromkeys(self._person(each) for each in map(_text, known) if each)
        return [Identity(alias, person) for alias in aliases if alias != person]

    def _service(self, component: Entity, teams: set[str], unknown: Counter[str]) -> Service:
        annotations, spec = component.annotations(), component.spec()
        namespace = component.reference.namespace
        owner = next(
            iter(component.related("ownedBy", "group")), reference(spec.get("owner"), "group", namespace)
        )
        if owner and str(owner) not in teams:
            unknown[self._shown(owner)] += 1
            owner = None
        system = next(
            iter(component.related("partOf", "system")), reference(spec.get("system"), "system", namespace)
        )
        repositories, paths = sources(annotations)
        kind = _text(spec.get("type"))
        if kind is None:
            raise Malformed("spec.type is missing")
        return Service(
            id=str(component.reference),
            name=component.raw["metadata"]["name"],
            team=str(owner) if owner else None,
            system=_short(system) if system else None,
            kind=kind,
            tier=self._tier(component),
            lifecycle=_text(spec.get("lifecycle")),
            repositories=repositories,
            paths=paths,
            aliases=(*dict.fromkeys(_aliases(annotations)),),
        )

    def _tier(self, component: Entity) -> str | None:
        if self._choice.tier:
            values = [_at(component.raw, self._choice.tier)]
        else:
            labels = component.labels()
            labelled = [labels[label] for label in sorted(labels) if label.rpartition("/")[2] == "tier"]
            values = [*labelled, component.spec().get("tier")]
        return next((str(value) for value in values if isinstance(value, str | int) and str(value)), None)

    def _shown(self, target: Reference) -> str:
        """A reference as a note may show it: that of a person is no more than counted."""
        is_person = target.kind == "user" or target.name in self._people
        return "a person" if is_person else str(target)

    def _note(self, what: str, references: Counter[str]) -> None:
        if references:
            names = sorted(references)
            shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
            self.notes.append(Note(self._scope, f"{references.total()} {what}: {shown}"))


def _next_cursor(body: Any) -> str | None:
    page = body.get("pageInfo") if isinstance(body, dict) else None
    return page.get("nextCursor") if isinstance(page, dict) else None


def _is_other(raw: Any, kind: str) -> bool:
    """Whether an entity is of another kind than was asked for."""
    said = raw.get("kind") if isinstance(raw, dict) else None
    return isinstance(said, str) and said.lower() != kind


def _entity(raw: Any) -> Entity:
    named = _named(raw)
    if named is None:
        raise Malformed("metadata.name is no name")
    entity = Entity(named, raw)
    # Where one of these is no object, that is found here, once, and not by each that reads it.
    _ = entity.annotations(), entity.labels(), entity.spec()
    return entity


def _named(raw: Any) -> Reference | None:
    metadata = raw["metadata"]
    name, namespace = metadata["name"], metadata.get("namespace") or "default"
    return reference(f"{raw['kind']}:{namespace}/{name}", "") if isinstance(name, str) else None


def _aliases(annotations: Mapping[str, Any]) -> Iterator[str]:
    for annotation, tool in _ALIASES.items():
        value = _text(annotations.get(annotation))
        if value:
            # Of several Jenkins one may be named before the job: `default:shop/deploy`.
            yield f"{tool}:{value.rpartition(':')[2] if tool == 'jenkins' else value}"


def _mapping(holder: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = holder.get(field)
    if value is not None and not isinstance(value, dict):
        raise Malformed(f"{field} is no object")
    return value or {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _short(target: Reference) -> str:
    return target.name if target.namespace == "default" else f"{target.namespace}/{target.name}"


def _at(raw: Any, path: str) -> Any:
    """The value at a path of names with dots between them, which may themselves hold dots."""
    if not path:
        return raw
    if isinstance(raw, dict):
        for key in raw:
            if path == key or path.startswith(f"{key}."):
                found = _at(raw[key], path[len(key) + 1 :])
                if found is not None:
                    return found
    return None
