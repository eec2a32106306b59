"""The list of an account's repositories, with what tells whether there is news in each.

| news of | shows in |
|---|---|
| commits, refs, workflow files | when anything was last pushed, the default branch and its commit |
| pull requests | the five that changed last |
| deployments | the ten newest, and when each and its last status changed |
| releases | how many there are, the ten newest, and when each changed |
| incidents | per label how many there are, and the five that changed last |

A branch or tag that is deleted shows with the next push. Actions runs have no such mark: their
list is asked for on condition that it changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import JsonValue

from connectors.connector import Problem, Quarantined
from connectors.github import queries as github_queries
from connectors.github.api import Found, GitHub, Listed, connection, failure, message_of, out_of_bounds
from connectors.github.walk import is_too_much
from connectors.http import HttpError, NotFound
from connectors.parsing import instant, moment, parsed
from connectors.snapshot import digest

LARGEST_PAGE = 50

_PARTS = {"pullRequests": "pull_request", "deployments": "deployment", "releases": "release"}
"""Field → part of a repository; those of incidents are `issues0` and so on."""


class Listing:
    """One walk through the list."""

    def __init__(self, github: GitHub, source: str, owner: str, labels: Sequence[str]) -> None:
        self.is_organization = False
        """Known from the first page on."""
        self._github = github
        self._source = source
        self._owner = owner
        self._labels = labels
        self._size = LARGEST_PAGE
        self._parts = {*_PARTS.values(), *(["incident"] if labels else [])}

    def repositories(self) -> Iterator[Listed | Problem | Quarantined]:
        """Yield each, and what the credentials may not see; raises `HttpError`."""
        after: str | None = None
        while True:
            page, problems = self._page(after)
            yield from problems
            listed, failed = parsed(
                [node for node in page.items if node is not None],
                self._listed,
                "repository",
                self._source,
                lambda node: node["databaseId"],
            )
            yield from failed
            yield from listed
            if page.end is None or page.end == after:
                return
            after = page.end

    def _page(self, after: str | None) -> tuple[Found, list[Problem]]:
        problems: list[Problem] = []
        while True:
            try:
                data, errors = self._ask(after)
            except HttpError as error:
                if self._size == 1 or not is_too_much(error):
                    raise
                self._size //= 2
                continue
            owner = data.get("repositoryOwner")
            if owner is None:
                raise failure(errors) or NotFound(
                    f"GitHub knows no account {self._owner}, or does not show it",
                    "Check `organization` and what the credentials may see.",
                )
            forbidden = {part: message_of(error) for error in errors if (part := self._forbidden(error))}
            problems += [out_of_bounds(self._source, part, said) for part, said in forbidden.items()]
            if forbidden:
                # One field without permission takes the whole repository with it: ask without.
                self._parts -= forbidden.keys()
                continue
            self.is_organization = owner.get("__typename") == "Organization"
            problems += [
                Problem(
                    self._source, f"GitHub does not show a repository: {message_of(error)}", "Sync again."
                )
                for error in errors
            ]
            return connection(owner, "repositories", errors), problems

    def _ask(self, after: str | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        labels = self._labels if "incident" in self._parts else ()
        variables: dict[str, JsonValue] = {
            "owner": self._owner,
            "first": self._size,
            "after": after,
            **{field: part in self._parts for field, part in _PARTS.items()},
            **{f"label{number}": label for number, label in enumerate(labels)},
        }
        return self._github.graphql(github_queries.repositories(len(labels)), variables, "repository")

    def _forbidden(self, error: Mapping[str, Any]) -> str | None:
        """The part of repositories that an error says may not be seen."""
        path = error.get("path") or []
        field = str(path[4]) if len(path) > 4 else ""
        part = "incident" if field.startswith("issues") else _PARTS.get(field)
        is_forbidden = error.get("type") in {"FORBIDDEN", "INSUFFICIENT_SCOPES"}
        return part if is_forbidden and part in self._parts else None

    def _listed(self, node: Mapping[str, Any]) -> Listed:
        branch = node["defaultBranchRef"]
        instant(node["pushedAt"])
        moment(node["createdAt"])
        return Listed(
            id=str(int(node["databaseId"])),
            name=str(node["name"]),
            full_name=str(node["nameWithOwner"]),
            url=str(node["url"]),
            default_branch=None if branch is None else str(branch["name"]),
            is_archived=bool(node["isArchived"]),
            is_fork=bool(node["isFork"]),
            created_at=node["createdAt"],
            pushed_at=node["pushedAt"],
            marks=self._marks(node),
            without=self._without(node),
        )

    def _without(self, node: Mapping[str, Any]) -> frozenset[str]:
        """Parts of which there is nothing."""
        without = {part for field, part in _PARTS.items() if part in self._parts and not node[field]["nodes"]}
        if "incident" in self._parts and not any(
            node[f"issues{number}"]["totalCount"] for number in range(len(self._labels))
        ):
            without.add("incident")
        if node["pushedAt"] is None:
            without.add("commit")
        return frozenset(without)

    def _marks(self, node: Mapping[str, Any]) -> dict[str, JsonValue]:
        branch = node["defaultBranchRef"]
        head = None if branch is None or branch["target"] is None else branch["target"]["oid"]
        pushed = digest([node["pushedAt"], branch and branch["name"], head])
        marks: dict[str, JsonValue] = {"commit": pushed, "pipeline_run": None}
        if "pull_request" in self._parts:
            marks["pull_request"] = digest(
                (each["number"], each["updatedAt"]) for each in node["pullRequests"]["nodes"]
            )
        if "deployment" in self._parts:
            # In full, as it tells which of them to ask for again.
            marks["deployment"] = [
                [each["id"], f"{each['updatedAt']} {(each['latestStatus'] or {}).get('updatedAt')}"]
                for each in node["deployments"]["nodes"]
            ]
        if "release" in self._parts:
            marks["release"] = _counted(node["releases"], "databaseId")
        if "incident" in self._parts:
            issues = [node[f"issues{number}"] for number in range(len(self._labels))]
            marks["incident"] = digest(
                f"{label} {_counted(each, 'number')}"
                for label, each in zip(self._labels, issues, strict=True)
            )
        return marks


def _counted(connection: Mapping[str, Any], id_: str) -> str:
    nodes = [(each[id_], each["updatedAt"]) for each in connection["nodes"]]
    return digest([connection["totalCount"], *nodes])
