"""The part of GitHub's GraphQL schema that the demo organisation answers, over a `World`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from demo.servers.github_graphql import (
    PAGE_INFO,
    Abstract,
    Connection,
    Failed,
    Field,
    Types,
    Values,
    connection_type,
    edge_type,
)
from demo.servers.github_items import (
    GITHUB,
    ORDERED,
    PAGED,
    Entry,
    In,
    Ref,
    Tree,
    item_types,
    listed,
    ordered,
    plain,
    sha_of,
)
from demo.servers.github_rest import WEB, iso, number_of
from demo.world import Commit, Issue, Membership, Person, PullRequest, Repository, Team, World

_CONNECTED = (
    "Repository",
    "PullRequest",
    "PullRequestCommit",
    "PullRequestReview",
    "PullRequestTimelineItems",
    "Deployment",
    "DeploymentStatus",
    "Release",
    "Issue",
    "Label",
    "Team",
    "User",
)


def types(world: World, scopes: Sequence[str]) -> Types:
    """Type → field → how it is resolved, for a token with these scopes."""
    defined = {
        "Query": _query(world),
        "RateLimit": _rate_limit(),
        "Organization": _organization(world, scopes),
        "Team": _team(world),
        "Repository": _repository(world),
        **item_types(world),
        "PageInfo": PAGE_INFO,
    }
    for item in _CONNECTED:
        defined |= {f"{item}Connection": connection_type(item), f"{item}Edge": edge_type(item)}
    defined["OrganizationMemberConnection"] = connection_type("User")
    return defined


def abstract() -> Abstract:
    """Interface or union → which type an object of it has."""

    def owner(_: Any) -> str:
        return "Organization"

    def git_object(value: Any) -> str:
        return "Commit" if isinstance(value, Commit) else "Tree" if isinstance(value, Tree) else "Blob"

    def node(_: Any) -> str:
        return "Deployment"

    def actor(person: Person) -> str:
        return "Bot" if person.is_bot else "User"

    def event(_: Any) -> str:
        return "ReadyForReviewEvent"

    return {
        "RepositoryOwner": owner,
        "GitObject": git_object,
        "Node": node,
        "Actor": actor,
        "PullRequestTimelineItems": event,
    }


def named(world: World, name: str) -> Repository | None:
    """The repository that is, or once was, called so."""
    wanted = name.casefold()
    for repository in world.repositories.values():
        if repository.name.casefold() == wanted:
            return repository
    formers = (each for each in world.repositories.values() if wanted in map(str.casefold, each.former_names))
    return next(formers, None)


def _is_organization(world: World, login: object) -> bool:
    return str(login).casefold() == world.organization.casefold()


def _query(world: World) -> dict[str, Field]:
    def owner(_: Any, given: Values) -> World | None:
        return world if _is_organization(world, given["login"]) else None

    def organization(_: Any, given: Values) -> World:
        if not _is_organization(world, given["login"]):
            said = f"Could not resolve to an Organization with the login of '{given['login']}'."
            raise Failed("NOT_FOUND", said)
        return world

    def repository(_: Any, given: Values) -> Repository:
        found = named(world, str(given["name"])) if _is_organization(world, given["owner"]) else None
        if found is None:
            full_name = f"{given['owner']}/{given['name']}"
            raise Failed("NOT_FOUND", f"Could not resolve to a Repository with the name '{full_name}'.")
        return found

    def node(_: Any, given: Values) -> In:
        found = _deployment_of(world, str(given["id"]))
        if found is None:
            raise Failed("NOT_FOUND", f"Could not resolve to a node with the global id of '{given['id']}'")
        return found

    return {
        "repositoryOwner": Field(owner, "RepositoryOwner", frozenset({"login"})),
        "organization": Field(organization, "Organization", frozenset({"login"})),
        "repository": Field(repository, "Repository", frozenset({"owner", "name", "followRenames"})),
        "node": Field(node, "Node", frozenset({"id"})),
        "nodes": Field(
            lambda _, given: [_deployment_of(world, str(id_)) for id_ in given["ids"]],
            "Node",
            frozenset({"ids"}),
        ),
        "viewer": plain(lambda _: GITHUB, "User"),
        "rateLimit": plain(lambda _: world, "RateLimit"),
    }


def _rate_limit() -> dict[str, Field]:
    return {
        "cost": plain(lambda _: 1),
        "limit": plain(lambda _: 10_000),
        "remaining": plain(lambda _: 9_999),
        "resetAt": plain(lambda _: iso(datetime.now(UTC).replace(minute=59, second=59))),
    }


def _deployment_of(world: World, node_id: str) -> In | None:
    _, repository_id, id_ = [*node_id.split("_"), "", ""][:3]
    for repository in world.repositories.values():
        if str(repository.id) == repository_id:
            found = (each for each in repository.deployments if str(each.id) == id_)
            return next((In(repository, each) for each in found), None)
    return None


def _organization(world: World, scopes: Sequence[str]) -> dict[str, Field]:
    def check() -> None:
        if not {"read:org", "write:org", "admin:org"} & set(scopes):
            raise Failed(
                "INSUFFICIENT_SCOPES",
                "Your token has not been granted the required scopes to execute this query. The 'teams' "
                "field requires one of the following scopes: ['read:org'], but your token has only been "
                f"granted the: {[*scopes]} scopes.",
            )

    def repositories(_: Any, given: Values) -> Connection:
        keys: dict[str, Callable[[Repository], Any]] = {
            "CREATED_AT": lambda each: iso(each.created_at),
            "NAME": lambda each: each.name.casefold(),
            "PUSHED_AT": lambda each: iso(each.pushed_at),
            "UPDATED_AT": lambda each: iso(each.updated_at),
        }
        return ordered(world.repositories.values(), keys, given, lambda each: each.id)

    def teams(_: Any, given: Values) -> Connection:
        check()
        return ordered(
            world.teams, {"NAME": lambda each: each.name.casefold()}, given, lambda each: each.slug
        )

    def members(_: Any, __: Values) -> Connection:
        check()
        return listed(sorted((each for each in world.people if not each.is_bot), key=lambda each: each.login))

    def team(_: Any, given: Values) -> Team | None:
        check()
        return next((each for each in world.teams if each.slug == given["slug"]), None)

    return {
        "id": plain(lambda _: f"O_{number_of(world.organization)}"),
        "databaseId": plain(lambda _: number_of(world.organization)),
        "login": plain(lambda _: world.organization),
        "repositories": Field(repositories, "RepositoryConnection", ORDERED | {"ownerAffiliations"}),
        "teams": Field(teams, "TeamConnection", ORDERED),
        "team": Field(team, "Team", frozenset({"slug"})),
        "membersWithRole": Field(members, "OrganizationMemberConnection", PAGED),
    }


def _team(world: World) -> dict[str, Field]:
    def members(team: Team, _: Values) -> Connection:
        logins = {each.login for each in world.memberships if each.team == team.slug and _is_now(world, each)}
        people = [each for each in world.people if each.login in logins]
        return listed(sorted(people, key=lambda each: each.login))

    return {
        "id": plain(lambda team: f"T_{number_of(team.slug)}"),
        "databaseId": plain(lambda team: number_of(team.slug)),
        "slug": plain(lambda team: team.slug),
        "name": plain(lambda team: team.name),
        "parentTeam": Field(
            lambda team, _: next((each for each in world.teams if each.slug == team.parent), None), "Team"
        ),
        "members": Field(members, "UserConnection", PAGED | {"membership"}),
    }


def _is_now(world: World, membership: Membership) -> bool:
    return membership.since <= world.now and (membership.until is None or membership.until > world.now)


def _repository(world: World) -> dict[str, Field]:
    def full_name(repository: Repository) -> str:
        return f"{world.organization}/{repository.name}"

    def inside(repository: Repository) -> Callable[[Any], In]:
        return lambda each: In(repository, each)

    def pull_requests(repository: Repository, given: Values) -> Connection:
        keys: dict[str, Callable[[PullRequest], Any]] = {
            "UPDATED_AT": lambda each: iso(each.updated_at),
            "CREATED_AT": lambda each: iso(each.opened_at),
        }
        return ordered(repository.pull_requests, keys, given, lambda each: each.number, inside(repository))

    def deployments(repository: Repository, given: Values) -> Connection:
        keys = {"CREATED_AT": lambda each: iso(each.created_at)}
        return ordered(repository.deployments, keys, given, lambda each: each.id, inside(repository))

    def releases(repository: Repository, given: Values) -> Connection:
        keys = {"CREATED_AT": lambda each: iso(each.published_at), "NAME": lambda each: each.tag}
        return ordered(repository.releases, keys, given, lambda each: each.id, inside(repository))

    def issues(repository: Repository, given: Values) -> Connection:
        labels = set(given.get("labels") or ())
        wanted = [each for each in repository.issues if not labels or labels & set(each.labels)]
        keys: dict[str, Callable[[Issue], Any]] = {
            "UPDATED_AT": lambda each: iso(each.updated_at),
            "CREATED_AT": lambda each: iso(each.opened_at),
        }
        return ordered(wanted, keys, given, lambda each: each.number, inside(repository))

    def pull_request(repository: Repository, given: Values) -> In:
        for each in repository.pull_requests:
            if each.number == given["number"]:
                return In(repository, each)
        said = f"Could not resolve to a PullRequest with the number of {given['number']}."
        raise Failed("NOT_FOUND", said)

    def git_object(repository: Repository, given: Values) -> Any:
        path = str(given["expression"]).removeprefix("HEAD:").strip("/")
        if path in repository.files:
            return Entry(path.rpartition("/")[2], repository.files[path])
        entries = [
            Entry(name.rpartition("/")[2], text)
            for name, text in sorted(repository.files.items())
            if name.rpartition("/")[0] == path
        ]
        return Tree(entries) if entries else None

    def default_branch(repository: Repository, _: Values) -> Ref | None:
        if repository.is_empty:
            return None
        merged = [each for each in repository.pull_requests if each.merged_at and each.merge_sha]
        last = max(merged, key=lambda each: (each.merged_at, each.number), default=None)
        sha = last.merge_sha if last else None
        at = repository.pushed_at
        head = Commit(sha or sha_of(f"{repository.id} {at}"), GITHUB, at, at, "")
        return Ref("refs/heads/", repository.default_branch, head)

    return {
        "id": plain(lambda each: f"R_{each.id}"),
        "databaseId": plain(lambda each: each.id),
        "name": plain(lambda each: each.name),
        "nameWithOwner": plain(full_name),
        "url": plain(lambda each: f"{WEB}/{full_name(each)}"),
        "isArchived": plain(lambda each: each.archived),
        "isFork": plain(lambda each: each.fork),
        "isEmpty": plain(lambda each: each.is_empty),
        "isPrivate": plain(lambda _: True),
        "createdAt": plain(lambda each: iso(each.created_at)),
        "pushedAt": plain(lambda each: None if each.is_empty else iso(each.pushed_at)),
        "updatedAt": plain(lambda each: iso(each.updated_at)),
        "defaultBranchRef": Field(default_branch, "Ref"),
        "object": Field(git_object, "GitObject", frozenset({"expression"})),
        "pullRequest": Field(pull_request, "PullRequest", frozenset({"number"})),
        "pullRequests": Field(pull_requests, "PullRequestConnection", ORDERED),
        "deployments": Field(deployments, "DeploymentConnection", ORDERED),
        "releases": Field(releases, "ReleaseConnection", ORDERED),
        "issues": Field(issues, "IssueConnection", ORDERED | {"labels"}),
    }
