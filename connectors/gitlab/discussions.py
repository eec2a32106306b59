"""What a list of merge requests does not hold: their commits, comments and sizes.

GraphQL gives them for 20 merge requests at a time (GitLab 15 and later). Where it is not to be had,
REST gives all but the sizes with two requests or more for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import JsonValue

from connectors.gitlab.api import GitLab, Project
from connectors.http import GraphQLError, HttpError, Unauthorized, Unavailable

STREAM = "pull_request"
MOST_PAGES = 5
"""Of 100 commits, and of 100 comments, that are read of one merge request."""

_AT_ONCE = 20
_QUERY = """
query MergeRequests($path: ID!, $iids: [String!]!, $first: Int!) {
  project(fullPath: $path) {
    mergeRequests(iids: $iids, first: $first) {
      nodes {
        iid
        commitCount
        diffStatsSummary { additions deletions fileCount }
        commits(first: 100) { nodes { sha authoredDate } pageInfo { hasNextPage } }
        notes(first: 100) {
          nodes { system createdAt body author { username bot } }
          pageInfo { hasNextPage }
        }
      }
    }
  }
}
"""


class Commit(NamedTuple):
    """A commit of a merge request."""

    sha: str
    authored_at: object
    """As GitLab says it."""


class Note(NamedTuple):
    """A comment, or what GitLab notes of itself."""

    is_system: bool
    created_at: object
    """As GitLab says it."""
    author: Mapping[str, Any] | None
    text: str
    """Personal: looked into and not kept."""


class Details(NamedTuple):
    """Of one merge request."""

    commits: Sequence[Commit] = ()
    """Oldest first."""
    commit_count: int | None = None
    notes: Sequence[Note] = ()
    """Oldest first."""
    additions: int | None = None
    deletions: int | None = None
    files: int | None = None


class Discussions:
    """Reads the details of merge requests of any project; safe in several threads."""

    def __init__(self, gitlab: GitLab) -> None:
        self._gitlab = gitlab
        self._has_graphql = True

    def of(self, project: Project, iids: Sequence[int]) -> dict[int, Details]:
        """Number → details; raises `HttpError`."""
        found: dict[int, Details] = {}
        for start in range(0, len(iids), _AT_ONCE):
            chunk = iids[start : start + _AT_ONCE]
            if self._has_graphql:
                found |= self._by_graphql(project, chunk)
            for iid in chunk:
                if iid not in found:
                    found[iid] = self._by_rest(project, iid)
        return found

    def _by_graphql(self, project: Project, iids: Sequence[int]) -> dict[int, Details]:
        """Of those that it answers for."""
        variables: dict[str, JsonValue] = {
            "path": project.path,
            "iids": [str(iid) for iid in iids],
            "first": len(iids),
        }
        try:
            answer = self._gitlab.client.graphql(_QUERY, variables, stream=STREAM)
        except Unauthorized:
            raise
        except HttpError as error:
            # A query that takes too long may be answered for other merge requests; one that is not
            # understood, or not allowed, never is.
            is_for_good = not isinstance(error, Unavailable | GraphQLError) or _is_misunderstood(error)
            self._has_graphql = self._has_graphql and not is_for_good
            return {}
        try:
            nodes = answer["data"]["project"]["mergeRequests"]["nodes"]
            return {int(node["iid"]): self._details(project, node) for node in nodes}
        except (AttributeError, KeyError, TypeError, ValueError):
            return {}

    def _details(self, project: Project, node: Mapping[str, Any]) -> Details:
        iid = int(node["iid"])
        stats = node["diffStatsSummary"] or {}
        commits = [
            Commit(str(each["sha"]), each["authoredDate"]) for each in reversed(node["commits"]["nodes"])
        ]
        notes = [
            Note(each["system"], each["createdAt"], each["author"], str(each["body"]))
            for each in node["notes"]["nodes"]
        ]
        count = node["commitCount"]
        if node["commits"]["pageInfo"]["hasNextPage"]:
            commits, count = self._commits(project, iid)
        if node["notes"]["pageInfo"]["hasNextPage"]:
            notes = list(self._notes(project, iid))
        return Details(
            commits,
            len(commits) if count is None else count,
            notes,
            stats.get("additions"),
            stats.get("deletions"),
            stats.get("fileCount"),
        )

    def _by_rest(self, project: Project, iid: int) -> Details:
        commits, count = self._commits(project, iid)
        return Details(commits, count, list(self._notes(project, iid)))

    def _commits(self, project: Project, iid: int) -> tuple[list[Commit], int]:
        """The newest of them and the oldest, and how many there are."""
        path = f"/projects/{project.id}/merge_requests/{iid}/commits"
        found: list[Any] = []
        for number, page in enumerate(self._gitlab.pages(path, STREAM), 1):
            found += page.json()
            total = str(page.headers.get("x-total", ""))
            last = str(page.headers.get("x-total-pages", ""))
            if number == MOST_PAGES and last.isdecimal() and int(last) > number:
                found += self._gitlab.get(path, STREAM, {"per_page": 100, "page": last})
                return _oldest_first(found), int(total) if total.isdecimal() else len(found)
        return _oldest_first(found), len(found)

    def _notes(self, project: Project, iid: int) -> Iterator[Note]:
        path = f"/projects/{project.id}/merge_requests/{iid}/notes"
        params = {"order_by": "created_at", "sort": "asc"}
        for each in self._gitlab.listed(path, STREAM, params, MOST_PAGES):
            yield Note(each["system"], each["created_at"], each["author"], str(each["body"]))


def _oldest_first(items: Sequence[Any]) -> list[Commit]:
    return [Commit(str(each["id"]), each["authored_date"]) for each in reversed(items)]


def _is_misunderstood(error: HttpError) -> bool:
    said = str(error).lower()
    return isinstance(error, GraphQLError) and ("doesn't exist" in said or "complexity" in said)
