"""GitLab's merge requests: the unit of change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from connectors.connector import Context, Item
from connectors.gitlab.api import GitLab, Marker, Progress, Project, is_bot, login
from connectors.gitlab.discussions import STREAM, Details, Discussions, Note
from connectors.parsing import Malformed, instant, kind_of_change, moment, parsed
from connectors.records import PullRequest

_DRAFT = re.compile(r"\s*(?:\[?(?:draft|wip)\]?:?|\(draft\))\s*", re.IGNORECASE)
_READY = re.compile(
    r"marked this merge request as \*\*ready\*\*"
    r"|unmarked (?:this merge request )?as (?:a )?\W*(?:work in progress|draft|wip)",
    re.IGNORECASE,
).match
_APPROVED = re.compile(r"approved this merge request").match
_REVERTED = re.compile(
    r"^This reverts merge request (?P<path>[\w./-]*)!(?P<number>\d{1,9})\b", re.MULTILINE
).search


def read(
    gitlab: GitLab, project: Project, progress: Progress, discussions: Discussions, is_hotfix: re.Pattern[str]
) -> Iterator[Item]:
    """Yield those that changed, oldest change first; raises `HttpError`."""
    marker = Marker.of(progress.state.get("merge_requests"))
    path = f"/projects/{project.id}/merge_requests"
    for items, reached in gitlab.changes(path, STREAM, marker, {"state": "all", "scope": "all"}):
        details = discussions.of(project, [item["iid"] for item in items if _has_number(item)])
        parser = _Parser(gitlab.context, project, details, is_hotfix)
        records, failed = parsed(items, parser.pull_request, STREAM, project.id, lambda item: item["iid"])
        yield from failed
        yield progress.batch(STREAM, records, merge_requests=reached.kept())


def _has_number(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("iid"), int)


class _Reviews(NamedTuple):
    first_at: datetime | None
    approved_at: datetime | None
    number: int


class _Parser:
    def __init__(
        self,
        context: Context,
        project: Project,
        details: Mapping[int, Details],
        is_hotfix: re.Pattern[str],
    ) -> None:
        self._context = context
        self._project = project
        self._details = details
        self._is_hotfix = is_hotfix

    def pull_request(self, item: Mapping[str, Any]) -> PullRequest:
        details = self._details[item["iid"]]
        author = login(item["author"])
        reviews = _reviews(details.notes, author)
        merged_at, closed_at = instant(item["merged_at"]), instant(item["closed_at"])
        is_merged = item["state"] == "merged"
        if is_merged and merged_at is None:
            raise Malformed("was merged at a time that GitLab does not say")
        is_draft = not is_merged and (item.get("draft") or item.get("work_in_progress"))
        ready = [
            moment(str(note.created_at)) for note in details.notes if note.is_system and _READY(note.text)
        ]
        authored = [_date(commit.authored_at) for commit in details.commits]
        return PullRequest(
            repository=self._project.id,
            number=int(item["iid"]),
            url=str(item["web_url"]),
            author=None if author is None else self._context.person(author),
            is_bot=is_bot(item["author"]),
            kind=kind_of_change(_DRAFT.sub("", item["title"], count=1)),
            is_hotfix=self._is_hotfix.search(item["source_branch"]) is not None,
            base_ref=self._context.branch(item["target_branch"], self._project.default_branch),
            head_sha=item["sha"],
            merge_sha=_merge_sha(item) if is_merged else None,
            first_commit_at=min(filter(None, authored), default=None),
            opened_at=moment(item["created_at"]),
            ready_at=max(ready) if ready and not is_draft else None,
            first_review_at=reviews.first_at,
            approved_at=reviews.approved_at,
            merged_at=merged_at,
            closed_at=merged_at if is_merged else closed_at,
            additions=details.additions,
            deletions=details.deletions,
            changed_files=details.files,
            commits=details.commit_count,
            reviews=reviews.number,
            labels=tuple(map(str, item.get("labels") or ())),
            reverts=_reverts(item.get("description") or "", self._project.path),
            commit_shas=tuple(commit.sha for commit in details.commits),
        )


def _merge_sha(item: Mapping[str, Any]) -> str | None:
    """The merge commit; else the squashed one, else, after a fast-forward, the last."""
    shas: list[str | None] = [item.get("merge_commit_sha"), item.get("squash_commit_sha"), item["sha"]]
    return next(filter(None, shas), None)


def _reviews(notes: Sequence[Note], author: str | None) -> _Reviews:
    """Comments and approvals by humans other than the author; what one writes in a row is one review."""
    times: list[datetime] = []
    approved: list[datetime] = []
    count = 0
    last: str | None = ""
    for note in sorted(notes, key=lambda note: str(note.created_at)):
        who = login(note.author)
        is_approval = note.is_system and _APPROVED(note.text) is not None
        if who != author and not is_bot(note.author) and (is_approval or not note.is_system):
            at = moment(str(note.created_at))
            times.append(at)
            approved += [at] if is_approval else []
            count += who != last
        last = who
    return _Reviews(min(times, default=None), min(approved, default=None), count)


def _date(said: object) -> datetime | None:
    """When a commit was authored; git takes dates that no calendar holds."""
    try:
        return instant(said if isinstance(said, str) else None)
    except Malformed:
        return None


def _reverts(description: str, path: str) -> int | None:
    """The number that GitLab's button writes into the description."""
    match = _REVERTED(description)
    return int(match["number"]) if match and match["path"].casefold() in {"", path.casefold()} else None
