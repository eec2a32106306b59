"""GitHub's pull requests, each with its reviews, commits and way out of draft, 50 to a request.

The first reading goes from the one longest untouched to the latest, and every later one goes on
from there, so that a reading cut short loses nothing. Whatever happens to a pull request (a push,
a review, a label, the merge) moves it to the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.connector import Item
from connectors.github import queries as github_queries
from connectors.github import walk as github_walk
from connectors.github.api import GitHub, Listed, Progress, connection
from connectors.parsing import Malformed, instant, kind_of_change, moment, parsed
from connectors.records import Identity, PullRequest

STREAM = "pull_request"
FURTHER_PAGES = 3
"""Pages of 100 commits, and of 100 reviews, that are read beyond a pull request's first 100 and 50."""

_WALKED = github_walk.Connection(
    STREAM, github_queries.PULL_REQUESTS, github_queries.PULL_REQUEST_TIMES, "number", "updatedAt"
)
_REVERTED = re.compile(r"^\s*Reverts (?:([\w.-]+/[\w.-]+))?#(\d{1,9})\b", re.MULTILINE).search
_REVERTING_BRANCH = re.compile(r"revert-(\d{1,9})-").match


def read(
    github: GitHub, repository: Listed, progress: Progress, is_hotfix: re.Pattern[str]
) -> Iterator[Item]:
    """Yield what is new; raises `HttpError`."""
    state = progress.part(STREAM)
    if state:
        place = github_walk.Place.of(state)
    else:
        place = github_walk.start(github, repository, _WALKED, github.begins_at)
    parser = _Parser(github, repository, is_hotfix)
    for page in github_walk.pages(github, repository, _WALKED, place):
        yield from page.failed
        for node in page.nodes:
            _complete(github, repository, node)
        records, failed = parsed(
            page.nodes, parser.pull_request, STREAM, repository.id, lambda node: node["number"]
        )
        yield from failed
        yield from progress.batches(
            (STREAM, records),
            ("identity", parser.new_identities(page.nodes)),
            pull_request={"mark": repository.marks[STREAM] if page.is_last else None, **page.place.kept()},
        )


class _Parser:
    def __init__(self, github: GitHub, repository: Listed, is_hotfix: re.Pattern[str]) -> None:
        self._context = github.context
        self._repository = repository
        self._is_hotfix = is_hotfix
        self._identities: set[Identity] = set()

    def pull_request(self, node: Mapping[str, Any]) -> PullRequest:
        author, is_bot = _account(node["author"])
        commits = [each["commit"] for each in node["commits"]["nodes"]]
        # A review without a time is pending: only who writes it sees it.
        reviews = sorted(
            (moment(each["submittedAt"]), each["state"])
            for each in node["reviews"]["nodes"]
            if each["submittedAt"] and _is_other_human(each["author"], author)
        )
        ready = [moment(each["createdAt"]) for each in node["timelineItems"]["nodes"]]
        head = node["headRefName"]
        return PullRequest(
            repository=self._repository.id,
            number=int(node["number"]),
            url=str(node["url"]),
            author=None if author is None else self._context.person(author),
            is_bot=is_bot,
            kind=kind_of_change(node["title"]),
            is_hotfix=self._is_hotfix.search(head) is not None,
            base_ref=self._context.branch(node["baseRefName"], self._repository.default_branch),
            head_sha=node["headRefOid"],
            merge_sha=node["mergeCommit"]["oid"] if node["mergeCommit"] and node["mergedAt"] else None,
            first_commit_at=min(filter(None, (_date(each) for each in commits)), default=None),
            opened_at=moment(node["createdAt"]),
            ready_at=ready[-1] if ready and not node["isDraft"] else None,
            first_review_at=min((at for at, _ in reviews), default=None),
            approved_at=min((at for at, state in reviews if state == "APPROVED"), default=None),
            merged_at=instant(node["mergedAt"]),
            closed_at=instant(node["closedAt"]),
            additions=node["additions"],
            deletions=node["deletions"],
            changed_files=node["changedFiles"],
            commits=int(node["commits"]["totalCount"]),
            reviews=len(reviews),
            labels=tuple(each["name"] for each in node["labels"]["nodes"]) if node["labels"] else (),
            reverts=_reverts(node["body"] or "", head, self._repository.full_name),
            commit_shas=tuple(str(each["oid"]) for each in commits),
        )

    def new_identities(self, nodes: Iterable[Mapping[str, Any]]) -> list[Identity]:
        """Addresses in commits that GitHub says are an account's, as far as not yet yielded."""
        found = {
            Identity(self._context.person(address), self._context.person(login))
            for node in nodes
            for address, login in _authors(node)
        }
        new = sorted(found - self._identities)
        self._identities |= found
        return new


def _complete(github: GitHub, repository: Listed, node: dict[str, Any]) -> None:
    """Read on where the first page of commits or reviews is not all; raises `HttpError`."""
    for field, query in (
        ("commits", github_queries.PULL_REQUEST_COMMITS),
        ("reviews", github_queries.PULL_REQUEST_REVIEWS),
    ):
        first = node.get(field)
        if not isinstance(first, dict):
            continue
        after = connection(node, field).end
        for _ in range(FURTHER_PAGES):
            if after is None:
                break
            found, errors = github.repository(query, repository, STREAM, number=node["number"], after=after)
            page = connection(found["pullRequest"], field, errors)
            first["nodes"] = [*first["nodes"], *page.items]
            after = page.end


def _account(actor: Mapping[str, Any] | None) -> tuple[str | None, bool]:
    """Login, and whether it is a bot's; no login where the account is gone."""
    if actor is None:
        return None, False
    login = str(actor["login"])
    return login, actor["__typename"] == "Bot" or login.endswith("[bot]")


def _is_other_human(reviewer: Mapping[str, Any] | None, author: str | None) -> bool:
    login, is_bot = _account(reviewer)
    return not is_bot and login != author


def _date(commit: Mapping[str, Any]) -> datetime | None:
    """When a commit was authored; git takes dates that no calendar holds."""
    try:
        return instant(commit["authoredDate"])
    except Malformed:
        return None


def _reverts(body: str, branch: str, full_name: str) -> int | None:
    """The number that GitHub's button writes into the description, and into the branch's name."""
    match = _REVERTED(body)
    if match and (match[1] or full_name).casefold() == full_name.casefold():
        return int(match[2])
    branched = _REVERTING_BRANCH(branch)
    return int(branched[1]) if branched else None


def _authors(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(address, login) of the commits of a pull request, and of the one it became."""
    try:
        commits = [each["commit"] for each in node["commits"]["nodes"]]
        for commit in [*commits, *filter(None, [node["mergeCommit"]])]:
            author = commit["author"]
            if author and author["email"] and author["user"]:
                yield author["email"], author["user"]["login"]
    except (KeyError, TypeError):
        # The pull request is quarantined for it.
        return
