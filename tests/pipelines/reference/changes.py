"""Changes: pull requests that own commits, and non-merge commits that no pull request owns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from connectors.records import Commit, PullRequest
from tests.pipelines.reference.given import Given
from tests.pipelines.reference.repositories import Key, Known, Part

Graph = Mapping[str, Commit]
"""Sha → commit, of one repository."""

SHORTEST_SHA = 7


@dataclass(eq=False)
class Change:
    """A unit of change and the commits it owns."""

    repository: Key
    pull_request: PullRequest | None
    commits: list[str] = field(default_factory=list)
    """Owned ones; a cherry-pick is not owned but listed under its origin."""
    picks: dict[str, list[str]] = field(default_factory=dict)
    """Owned commit, or the merge commit that merged it → its cherry-picks."""
    kind: str = "change"
    is_bot: bool = False
    is_hotfix: bool = False
    first_authored_at: datetime | None = None
    reverts: Change | None = None

    @property
    def id(self) -> str:
        name = f"#{self.pull_request.number}" if self.pull_request else f"@{self.commits[0]}"
        return ":".join(self.repository) + name

    @property
    def shas(self) -> set[str]:
        """Everything in the graph, or not, that is of this change."""
        pull = self.pull_request
        ends = {sha for sha in (pull.merge_sha, pull.head_sha) if sha} if pull else set()
        return {*self.commits, *ends, *(pick for picks in self.picks.values() for pick in picks)}


def graphs(given: Given, known: dict[Key, Known]) -> dict[Key, dict[str, Commit]]:
    found: dict[Key, dict[str, Commit]] = {key: {} for key in known}
    for source, commit in given.all(Commit):
        if (source, commit.repository) in known:
            found[source, commit.repository][commit.sha] = commit
    return found


def is_merge(commit: Commit) -> bool:
    return len(commit.parents) > 1


def origin(graph: Graph, sha: str) -> str:
    """What a commit was first picked from, itself where from nothing known."""
    named = graph[sha].picked_from
    if named is None:
        return sha
    if named in graph:
        found = [named]
    else:
        found = [other for other in graph if len(named) >= SHORTEST_SHA and other.startswith(named)]
    return origin(graph, found[0]) if len(found) == 1 else sha


def _rebased(pull: PullRequest, graph: Graph, merges: set[str]) -> set[str]:
    """The commits that a rebase put on the base: as many as it has, ending in its `merge_sha`."""
    line: list[str] = []
    sha = pull.merge_sha
    while len(line) < (pull.commits or 0):
        commit = graph.get(sha or "")
        if commit is None or is_merge(commit) or (line and commit.sha in merges):
            return set()
        line.append(commit.sha)
        sha = commit.parents[0] if commit.parents else None
    dates = [at for sha in line if (at := graph[sha].authored_at)]
    return set(line) if dates and min(dates) == pull.first_commit_at else set()


def claims(pulls: list[PullRequest], graph: Graph) -> dict[int, set[str]]:
    """Number of a merged pull request → the non-merge commits of the graph that it says are its own."""
    merged = [pull for pull in pulls if pull.merged_at]
    merges = {pull.merge_sha for pull in merged if pull.merge_sha}
    found = {}
    for pull in merged:
        named = {sha for sha, c in graph.items() if c.change_number == pull.number and c.kind != "revert"}
        claimed = {*pull.commit_shas, pull.merge_sha or "", *named, *_rebased(pull, graph, merges)}
        found[pull.number] = {sha for sha in claimed & graph.keys() if not is_merge(graph[sha])}
    return found


def changes(given: Given, known: dict[Key, Known]) -> list[Change]:
    """Every change, shipped or not."""
    pulls: dict[Key, list[PullRequest]] = defaultdict(list)
    for source, pull in given.all(PullRequest):
        pulls[source, pull.repository].append(pull)
    found: list[Change] = []
    for key, graph in graphs(given, known).items():
        found += _of_repository(given, key, graph, pulls[key])
    return found


def _of_repository(given: Given, key: Key, graph: Graph, pulls: list[PullRequest]) -> list[Change]:
    """A merged pull request is a change where it owns a commit, or where none is known that it brought."""
    claimed = claims(pulls, graph)
    owner: dict[str, PullRequest] = {}
    for pull in sorted((p for p in pulls if p.merged_at), key=lambda p: (p.merged_at, p.number)):
        for sha in claimed[pull.number]:
            owner.setdefault(sha, pull)
    labels = {label.lower() for label in given.hotfix_labels}
    found: list[Change] = []
    for pull in pulls:
        own = [sha for sha in sorted(graph) if owner.get(sha) is pull and origin(graph, sha) == sha]
        if pull.merged_at and (own or not claimed[pull.number]):
            is_hotfix = pull.is_hotfix or any(label.lower() in labels for label in pull.labels)
            found.append(Change(key, pull, own, {}, pull.kind, pull.is_bot, is_hotfix))
    for sha, commit in graph.items():
        if sha not in owner and not is_merge(commit) and origin(graph, sha) == sha:
            found.append(Change(key, None, [sha], {}, commit.kind, commit.is_bot))
    for change in found:
        merge = graph.get((change.pull_request and change.pull_request.merge_sha) or "")
        picked = {*change.commits, *([merge.sha] if merge and is_merge(merge) else [])}
        for sha in graph:
            first = origin(graph, sha)
            if first != sha and first in picked:
                change.picks.setdefault(first, []).append(sha)
        dates = [at for sha in change.commits if (at := graph[sha].authored_at)]
        known_first = change.pull_request.first_commit_at if change.pull_request else None
        change.first_authored_at = known_first or min(dates, default=None)
    for change in found:
        change.reverts = reverted(change, found, graph)
    return found


def reverted(change: Change, others: list[Change], graph: Graph) -> Change | None:
    """What it reverts: the pull request it names, else what has the commit that one of its own names."""
    number = change.pull_request.reverts if change.pull_request else None
    for other in others:
        if number is not None and other.pull_request and other.pull_request.number == number:
            return other
    own = {*change.commits, *(pick for sha in change.commits for pick in change.picks.get(sha, ()))}
    named = [text for sha in own if (text := graph[sha].reverts) and len(text) >= SHORTEST_SHA]
    found = [
        other
        for other in others
        if other is not change
        and any(sha.startswith(text) for sha in other.shas & graph.keys() for text in named)
    ]
    return min(found, key=lambda other: other.id, default=None)


def in_part(commit: Commit, part: Part) -> bool:
    """Whether a commit is of a service's part of the repository, by the folders it touches.

    A part without paths is all of the repository; of one with them are no commits whose folders nobody read.
    """
    return not part.paths or any(
        folder == path or folder.startswith(path + "/")
        for folder in commit.folders or ()
        for path in part.paths
    )


def touches(change: Change, part: Part, graph: Graph) -> bool:
    """Whether a change counts for a service's part of the repository: any of its commits does."""
    return not part.paths or any(in_part(graph[sha], part) for sha in change.shas & graph.keys())
