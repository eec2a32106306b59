"""What hangs on a repository, as GitHub's GraphQL schema has it: pull requests, deployments and the rest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from demo.servers.github_graphql import Connection, Field, Values
from demo.servers.github_rest import WEB, iso, number_of
from demo.world import Commit, Deployment, Person, PullRequest, Repository, World

PAGED = frozenset({"first", "last", "after", "before"})
ORDERED = PAGED | {"orderBy"}
GITHUB = Person("web-flow", "GitHub", "noreply@github.demo.example", is_bot=True)
"""Who does what GitHub does itself."""

_VERSION = re.compile(r"v?\d+\.\d+").match


class In(NamedTuple):
    """Something of a repository."""

    repository: Repository
    it: Any


class Ref(NamedTuple):
    """A branch or tag."""

    prefix: str
    name: str
    target: Commit


class Entry(NamedTuple):
    """A file in a folder."""

    name: str
    text: str


class Tree(NamedTuple):
    """A folder without folders in it."""

    entries: list[Entry]


class Status(NamedTuple):
    """What became of a deployment."""

    deployment: In
    number: int
    state: str
    at: datetime


def item_types(world: World) -> dict[str, dict[str, Field]]:
    """Type → field → how it is resolved."""
    return {
        "PullRequest": _pull_request(world),
        "PullRequestReview": _review(),
        "PullRequestCommit": {"commit": plain(lambda commit: commit, "Commit")},
        "ReadyForReviewEvent": {"createdAt": plain(iso)},
        "Commit": _commit(),
        "GitActor": _git_actor(),
        "Deployment": _deployment(),
        "DeploymentStatus": _status(world),
        "Release": _release(world),
        "Issue": _issue(world),
        "Label": {"name": plain(str)},
        "Ref": _ref(),
        "Tree": {"entries": plain(lambda tree: tree.entries, "TreeEntry")},
        "TreeEntry": _entry(),
        "Blob": _blob(),
        "User": _account(),
        "Bot": _account(),
    }


def plain(resolve: Callable[[Any], Any], type_: str | None = None) -> Field:
    """A field without arguments."""
    return Field(lambda each, _: resolve(each), type_)


def listed(items: Iterable[Any]) -> Connection:
    """A connection in the order of `items`."""
    each = list(items)
    return Connection(each, [[number] for number in range(len(each))])


def ordered(
    items: Iterable[Any],
    fields: dict[str, Callable[[Any], Any]],
    given: Values,
    id_: Callable[[Any], Any],
    wrapped: Callable[[Any], Any] | None = None,
) -> Connection:
    """A connection in the order asked for: by one of `fields`, and then by `id_`."""
    order = given.get("orderBy") or {}
    key: Callable[[Any], Any] = fields.get(str(order.get("field")), _nowhere)
    found = sorted(items, key=lambda each: (key(each), id_(each)))
    return Connection(
        [wrapped(each) for each in found] if wrapped else found,
        [[key(each), id_(each)] for each in found],
        is_descending=order.get("direction") == "DESC",
    )


def _nowhere(_: Any) -> str:
    return ""


def sha_of(text: str) -> str:
    """A stable object id for what the world knows by its text alone."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _pull_request(world: World) -> dict[str, Field]:
    def url(each: In) -> str:
        return f"{WEB}/{world.organization}/{each.repository.name}/pull/{each.it.number}"

    def body(each: In) -> str:
        reverts = each.it.reverts
        return f"Reverts {world.organization}/{each.repository.name}#{reverts}" if reverts else ""

    def state(each: In) -> str:
        return "MERGED" if each.it.merged_at else "CLOSED" if each.it.closed_at else "OPEN"

    def merge_commit(each: In) -> Commit | None:
        request: PullRequest = each.it
        if request.merge_sha is None or request.merged_at is None:
            return None
        return Commit(request.merge_sha, request.author or GITHUB, request.merged_at, request.merged_at, "")

    def timeline(each: In, _: Values) -> Connection:
        return listed([each.it.ready_at] if each.it.ready_at else [])

    return {
        "id": plain(lambda each: f"PR_{each.repository.id}_{each.it.number}"),
        "number": plain(lambda each: each.it.number),
        "url": plain(url),
        "title": plain(lambda each: each.it.title),
        "body": plain(body),
        "state": plain(state),
        "isDraft": plain(lambda each: each.it.is_draft),
        "merged": plain(lambda each: each.it.merged_at is not None),
        "createdAt": plain(lambda each: iso(each.it.opened_at)),
        "updatedAt": plain(lambda each: iso(each.it.updated_at)),
        "mergedAt": plain(lambda each: _iso(each.it.merged_at)),
        "closedAt": plain(lambda each: _iso(each.it.closed_at)),
        "additions": plain(lambda each: each.it.additions),
        "deletions": plain(lambda each: each.it.deletions),
        "changedFiles": plain(lambda each: each.it.changed_files),
        "baseRefName": plain(lambda each: each.it.base_ref),
        "headRefName": plain(lambda each: each.it.head_ref),
        "headRefOid": plain(lambda each: each.it.head_sha),
        "author": plain(lambda each: each.it.author, "Actor"),
        "mergeCommit": plain(merge_commit, "Commit"),
        "labels": Field(lambda each, _: listed(each.it.labels), "LabelConnection", ORDERED),
        "commits": Field(lambda each, _: listed(each.it.commits), "PullRequestCommitConnection", PAGED),
        "reviews": Field(lambda each, _: listed(each.it.reviews), "PullRequestReviewConnection", PAGED),
        "timelineItems": Field(timeline, "PullRequestTimelineItemsConnection", PAGED | {"itemTypes"}),
    }


def _review() -> dict[str, Field]:
    return {
        "author": plain(lambda each: each.author, "Actor"),
        "state": plain(lambda each: each.state),
        "submittedAt": plain(lambda each: iso(each.submitted_at)),
        "createdAt": plain(lambda each: iso(each.submitted_at)),
    }


def _commit() -> dict[str, Field]:
    return {
        "oid": plain(lambda commit: commit.sha),
        "authoredDate": plain(lambda commit: iso(commit.authored_at)),
        "committedDate": plain(lambda commit: iso(commit.committed_at)),
        "messageHeadline": plain(lambda commit: commit.subject),
        "author": plain(lambda commit: commit.author, "GitActor"),
    }


def _git_actor() -> dict[str, Field]:
    return {
        "name": plain(lambda person: person.name),
        "email": plain(lambda person: person.email),
        "user": plain(lambda person: None if person.is_bot else person, "User"),
    }


def _account() -> dict[str, Field]:
    return {
        "id": plain(lambda person: f"U_{number_of(person.login)}"),
        "databaseId": plain(lambda person: number_of(person.login)),
        # Of a bot GraphQL gives the login without what REST adds to it.
        "login": plain(lambda person: person.login.removesuffix("[bot]")),
        "url": plain(lambda person: f"{WEB}/{person.login}"),
        "name": plain(lambda person: person.name),
        # Nobody shows theirs to everybody; all are on the organisation's domain.
        "email": plain(lambda _: ""),
        "organizationVerifiedDomainEmails": Field(
            lambda person, _: [person.email], None, frozenset({"login"})
        ),
    }


def _deployment() -> dict[str, Field]:
    def statuses(each: In) -> list[Status]:
        return [
            Status(each, number, state.upper(), at) for number, (state, at) in enumerate(each.it.statuses)
        ]

    def ref(each: In) -> Ref:
        deployment: Deployment = each.it
        is_tag = _VERSION(deployment.ref) or any(
            release.tag == deployment.ref for release in each.repository.releases
        )
        at = deployment.created_at
        commit = Commit(deployment.sha, GITHUB, at, at, "")
        return Ref("refs/tags/" if is_tag else "refs/heads/", deployment.ref, commit)

    return {
        "id": plain(lambda each: f"DE_{each.repository.id}_{each.it.id}"),
        "databaseId": plain(lambda each: each.it.id),
        "createdAt": plain(lambda each: iso(each.it.created_at)),
        "updatedAt": plain(lambda each: iso(each.it.updated_at)),
        "environment": plain(lambda each: each.it.environment),
        "commitOid": plain(lambda each: each.it.sha),
        "ref": plain(ref, "Ref"),
        "creator": plain(lambda each: each.it.creator, "Actor"),
        "latestStatus": plain(lambda each: next(iter(statuses(each)[-1:]), None), "DeploymentStatus"),
        "statuses": Field(
            lambda each, _: listed(reversed(statuses(each))), "DeploymentStatusConnection", PAGED
        ),
    }


def _status(world: World) -> dict[str, Field]:
    def log_url(status: Status) -> str:
        repository = status.deployment.repository.name
        return f"{WEB}/{world.organization}/{repository}/deployments/{status.deployment.it.environment}"

    return {
        "id": plain(lambda status: f"DES_{status.deployment.it.id}_{status.number}"),
        "state": plain(lambda status: status.state),
        "createdAt": plain(lambda status: iso(status.at)),
        "updatedAt": plain(lambda status: iso(status.at)),
        "logUrl": plain(log_url),
    }


def _release(world: World) -> dict[str, Field]:
    def url(each: In) -> str:
        return f"{WEB}/{world.organization}/{each.repository.name}/releases/tag/{each.it.tag}"

    def commit(each: In) -> Commit:
        release = each.it
        return Commit(release.sha, release.author, release.published_at, release.published_at, "")

    return {
        "id": plain(lambda each: f"RE_{each.it.id}"),
        "databaseId": plain(lambda each: each.it.id),
        "tagName": plain(lambda each: each.it.tag),
        "tagCommit": plain(commit, "Commit"),
        "isDraft": plain(lambda _: False),
        "isPrerelease": plain(lambda each: each.it.is_prerelease),
        "createdAt": plain(lambda each: iso(each.it.published_at)),
        "publishedAt": plain(lambda each: iso(each.it.published_at)),
        "updatedAt": plain(lambda each: iso(each.it.published_at)),
        "url": plain(url),
    }


def _issue(world: World) -> dict[str, Field]:
    def url(each: In) -> str:
        return f"{WEB}/{world.organization}/{each.repository.name}/issues/{each.it.number}"

    return {
        "id": plain(lambda each: f"I_{each.repository.id}_{each.it.number}"),
        "databaseId": plain(lambda each: number_of(f"{each.repository.id}/{each.it.number}")),
        "number": plain(lambda each: each.it.number),
        "title": plain(lambda each: each.it.title),
        "state": plain(lambda each: "CLOSED" if each.it.closed_at else "OPEN"),
        "createdAt": plain(lambda each: iso(each.it.opened_at)),
        "closedAt": plain(lambda each: _iso(each.it.closed_at)),
        "updatedAt": plain(lambda each: iso(each.it.updated_at)),
        "url": plain(url),
        "author": plain(lambda each: each.it.author, "Actor"),
        "labels": Field(lambda each, _: listed(each.it.labels), "LabelConnection", ORDERED),
    }


def _ref() -> dict[str, Field]:
    return {
        "name": plain(lambda ref: ref.name),
        "prefix": plain(lambda ref: ref.prefix),
        "target": plain(lambda ref: ref.target, "GitObject"),
    }


def _entry() -> dict[str, Field]:
    return {
        "name": plain(lambda entry: entry.name),
        "type": plain(lambda _: "blob"),
        "oid": plain(lambda entry: sha_of(entry.text)),
        "object": plain(lambda entry: entry, "GitObject"),
    }


def _blob() -> dict[str, Field]:
    return {
        "oid": plain(lambda entry: sha_of(entry.text)),
        "text": plain(lambda entry: entry.text),
        "byteSize": plain(lambda entry: len(entry.text.encode())),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
