"""GitHub's deployments, each with its whole status history.

New ones are read as pull requests are. Statuses are added to older ones too, so whenever one of
the ten newest is new or changed, those that changed and those still under way are asked for
again. What is added to an ended one that is not among the ten newest is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from pydantic import JsonValue

from connectors.connector import Item, Quarantined
from connectors.github import queries as github_queries
from connectors.github import walk as github_walk
from connectors.github.api import GitHub, Listed, Progress, connection, refuse
from connectors.parsing import Malformed, moment, parsed
from connectors.records import Deployment

STREAM = "deployment"
FURTHER_PAGES = 3
"""Pages of 100 statuses that are read beyond a deployment's first 100."""
MOST_UNDER_WAY = 100
"""How many unfinished deployments of a repository are asked for again: the newest."""

_WALKED = github_walk.Connection(
    STREAM, github_queries.DEPLOYMENTS, github_queries.DEPLOYMENT_TIMES, "databaseId", "createdAt"
)
_IDS_AT_ONCE = 50
_ORDER = {"QUEUED": 0, "PENDING": 0, "WAITING": 0, "IN_PROGRESS": 1}
_REVIEW_APP = re.compile(r"(review|preview|branch|feature|pr)[^/]*/.", re.IGNORECASE).match


def read(github: GitHub, repository: Listed, progress: Progress) -> Iterator[Item]:
    """Yield what is new or changed; raises `HttpError`."""
    state = progress.part(STREAM)
    mark = repository.marks[STREAM]
    under_way = _texts(state.get("under_way"))
    before = _marked(state.get("mark"))
    again = dict.fromkeys(
        [*under_way, *(id_ for id_, at in _marked(mark).items() if before.get(id_, at) != at)]
    )
    if state:
        place = github_walk.Place.of(state)
    else:
        place = github_walk.start(github, repository, _WALKED, github.begins_at)
    for page in github_walk.pages(github, repository, _WALKED, place):
        yield from page.failed
        records, failed = _parsed(github, repository, page.nodes)
        yield from failed
        under_way = [*under_way, *_under_way(page.nodes, records)][-MOST_UNDER_WAY:]
        kept: dict[str, Any] = {"mark": state.get("mark"), "under_way": under_way, **page.place.kept()}
        yield from progress.batches((STREAM, records), deployment=kept)
    place = github_walk.Place.of(progress.part(STREAM))
    nodes = [node for node in _again(github, list(again)) if node]
    records, failed = _parsed(github, repository, nodes)
    yield from failed
    under_way = [id_ for id_ in under_way if id_ not in again] + _under_way(nodes, records)
    kept = {"mark": mark, "under_way": under_way[-MOST_UNDER_WAY:], **place.kept()}
    yield from progress.batches((STREAM, records), deployment=kept)


def _again(github: GitHub, ids: Sequence[str]) -> Iterator[Any]:
    for start in range(0, len(ids), _IDS_AT_ONCE):
        asked: list[JsonValue] = [*ids[start : start + _IDS_AT_ONCE]]
        data, errors = github.graphql(github_queries.DEPLOYMENTS_AGAIN, {"ids": asked}, STREAM)
        # What is not found was deleted.
        refuse([error for error in errors if error.get("type") != "NOT_FOUND"])
        yield from data.get("nodes") or []


def _parsed(
    github: GitHub, repository: Listed, nodes: Sequence[dict[str, Any]]
) -> tuple[list[Deployment], list[Quarantined]]:
    for node in nodes:
        _complete(github, node)

    def deployment(node: Mapping[str, Any]) -> Deployment:
        if not node["environment"]:
            raise Malformed("environment is missing")
        environment = _environment(str(node["environment"]))
        ref = _ref(github, repository, node["ref"])
        status, started_at, finished_at, url = _course(node["statuses"]["nodes"])
        return Deployment(
            id=str(int(node["databaseId"])),
            repository=repository.id,
            repository_url=None,
            service=None,
            environment=environment,
            is_production=None,
            sha=node["commitOid"],
            ref=ref,
            status=status,
            created_at=moment(node["createdAt"]),
            started_at=started_at,
            finished_at=finished_at,
            url=_public(
                url, repository, {node["environment"]: environment, (node["ref"] or {}).get("name"): ref}
            ),
        )

    return parsed(nodes, deployment, STREAM, repository.id, lambda node: node["databaseId"])


def _complete(github: GitHub, node: dict[str, Any]) -> None:
    """Read on where the first page of statuses is not all; raises `HttpError`."""
    first = node.get("statuses")
    if not isinstance(first, dict):
        return
    after = connection(node, "statuses").end
    for _ in range(FURTHER_PAGES):
        if after is None:
            return
        data, errors = github.graphql(
            github_queries.DEPLOYMENT_STATUSES, {"id": node["id"], "after": after}, STREAM
        )
        page = connection(data.get("node"), "statuses", errors)
        first["nodes"] = [*first["nodes"], *page.items]
        after = page.end


def _course(
    statuses: Sequence[Mapping[str, Any]],
) -> tuple[str, datetime | None, datetime | None, str | None]:
    """Result, start, end and where a person can follow it.

    The first success ends it for good: that a later deployment made it inactive is no part of it.
    """
    course = sorted(
        (
            (moment(each["createdAt"]), _ORDER.get(each["state"], 2), str(each["state"]), each["logUrl"])
            for each in statuses
        ),
        key=lambda each: each[:2],
    )
    started_at = next((at for at, _, state, _ in course if state == "IN_PROGRESS"), None)
    for at, _, state, url in course:
        if state == "SUCCESS":
            return "success", started_at, at, url
    active = [each for each in course if each[2] != "INACTIVE"]
    if active and active[-1][2] in {"FAILURE", "ERROR"}:
        at, _, _, url = active[-1]
        return "failed", started_at, at, url
    if len(active) < len(course):
        # It was given up for another one before it came to an end.
        return "cancelled", started_at, course[-1][0], course[-1][3]
    return "running", started_at, None, course[-1][3] if course else None


def _ref(github: GitHub, repository: Listed, ref: Mapping[str, Any] | None) -> str | None:
    """A tag as it is, a branch masked; None where it was deleted."""
    if ref is None:
        return None
    name = str(ref["name"])
    is_tag = ref["prefix"] == "refs/tags/"
    return name if is_tag else github.context.branch(name, repository.default_branch)


def _environment(name: str) -> str:
    """Of an app for one branch without the branch's name, which may be personal."""
    match = _REVIEW_APP(name)
    return f"{match[1]}/*" if match else name


def _public(url: str | None, repository: Listed, shown: Mapping[str | None, str | None]) -> str:
    """Where a person can follow it, unless that names what is masked; `shown` is what names became."""
    masked = [name for name, masked in shown.items() if name and name != masked]
    # Elsewhere, as at a preview's host, the branch may be part of any address.
    is_own = url is not None and url.startswith(
        (f"{repository.url}/actions/", f"{repository.url}/deployments")
    )
    if url is None or not is_own or any(name in unquote(url) for name in masked):
        return f"{repository.url}/deployments"
    return url


def _under_way(nodes: Sequence[Mapping[str, Any]], records: Sequence[Deployment]) -> list[str]:
    running = {record.id for record in records if record.status == "running"}
    return [str(node["id"]) for node in nodes if str(node.get("databaseId")) in running]


def _marked(mark: Any) -> dict[str, str]:
    """Node id → when it last changed, of the ten newest."""
    return {str(each[0]): str(each[1]) for each in mark} if isinstance(mark, list) else {}


def _texts(value: Any) -> list[str]:
    return list(map(str, value)) if isinstance(value, list) else []
