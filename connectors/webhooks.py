"""Webhooks: what GitHub and GitLab send when a deployment changes, as records.

Such an event tells of one moment; `followed` puts together what several told of one deployment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.connector import Context
from connectors.parsing import Malformed, moment
from connectors.records import Deployment

_GITHUB_RESULTS = {
    "error": "failed",
    "failure": "failed",
    "in_progress": "running",
    "pending": "running",
    "queued": "running",
    "success": "success",
    "waiting": "running",
}
_GITLAB_RESULTS = {
    "blocked": "running",
    "canceled": "cancelled",
    "created": "running",
    "failed": "failed",
    "running": "running",
    "skipped": "skipped",
    "success": "success",
}
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?").fullmatch
_GITLAB_TIME = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:UTC|([+-]\d\d):?(\d\d))").fullmatch
_REVIEW_APP = re.compile(r"(review|preview|branch|feature|pr)[^/]*/.", re.IGNORECASE).match


def github_deployment(payload: Mapping[str, Any], context: Context) -> Deployment | None:
    """The deployment that a `deployment` or `deployment_status` event tells of; None where it is no news.

    Raises `KeyError`, `TypeError`, `ValueError` or `AttributeError` for what is no such event.
    """
    deployment, repository = payload["deployment"], payload["repository"]
    created_at = moment(deployment["created_at"])
    status: Mapping[str, Any] = payload.get("deployment_status") or {"state": "queued"}
    if status["state"] == "inactive":
        return None
    result = _GITHUB_RESULTS.get(status["state"], "unknown")
    at = moment(status["created_at"]) if "created_at" in status else created_at
    home = _address(repository["html_url"])
    environment = environment_name(deployment["environment"])
    return Deployment(
        id=f"{urlsplit(home).netloc}/{int(deployment['id'])}",
        repository=None,
        repository_url=home,
        service=None,
        environment=environment,
        # False is what GitHub fills in for every name but `production`.
        is_production=True if deployment.get("production_environment") is True else None,
        sha=_sha(deployment["sha"]),
        ref=_ref(deployment["ref"], repository.get("default_branch"), context),
        status=result,
        created_at=created_at,
        started_at=at if status["state"] == "in_progress" else None,
        finished_at=None if result == "running" else at,
        # What the event links to may have the branch in its address.
        url=f"{home}/deployments/{quote(environment, safe='')}",
    )


def gitlab_deployment(payload: Mapping[str, Any], context: Context) -> Deployment | None:
    """The deployment that a `Deployment Hook` tells of; None for an approval, which changes nothing of it.

    Raises as `github_deployment` does.
    """
    result = _GITLAB_RESULTS.get(payload["status"])
    if result is None:
        return None
    project = payload["project"]
    home = _address(project["web_url"])
    at = moment(_gitlab_time(payload["status_changed_at"]))
    tier = payload.get("environment_tier")
    return Deployment(
        id=f"{urlsplit(home).netloc}/{int(payload['deployment_id'])}",
        repository=None,
        repository_url=home,
        service=None,
        environment=environment_name(payload["environment"]),
        is_production=tier == "production" if isinstance(tier, str) and tier != "other" else None,
        sha=_sha(str(payload.get("commit_url")).rpartition("/")[2]),
        ref=_ref(payload["ref"], project.get("default_branch"), context),
        status=result,
        created_at=at,
        started_at=at if payload["status"] == "running" else None,
        finished_at=None if result == "running" else at,
        url=_link(payload.get("deployable_url")),
    )


def followed(known: Deployment, told: Deployment) -> Deployment:
    """What is known of a deployment after another event, in whatever order the events come.

    The first success ends it for good; another end holds until it is known to have started again.
    """
    is_late = known.status == "success" or (
        told.status == "running"
        and known.finished_at is not None
        and (told.started_at is None or told.started_at <= known.finished_at)
    )
    first, last = (told, known) if is_late else (known, told)
    return last._replace(
        created_at=min(known.created_at, told.created_at), started_at=last.started_at or first.started_at
    )


def environment_name(name: Any) -> str:
    """The name of an environment; of an app for one branch without the branch's, which may be personal."""
    if not isinstance(name, str) or not name.strip():
        raise Malformed("environment is missing")
    match = _REVIEW_APP(name)
    return f"{match[1]}/*" if match else name


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise Malformed("is no web address", url)
    return url.rstrip("/")


def _link(url: Any) -> str | None:
    try:
        return _address(url) if url else None
    except (AttributeError, TypeError, ValueError):
        return None


def _sha(text: str) -> str | None:
    return text.lower() if _SHA(text.lower()) else None


def _ref(name: str | None, default_branch: str | None, context: Context) -> str | None:
    """A ref that may be a branch, a tag or a commit: the event does not say which."""
    return None if not name or _SHA(name) else context.branch(name, default_branch)


def _gitlab_time(text: str) -> str:
    """`2021-04-28 21:50:00 +0200`, as GitLab writes times in its hooks, in ISO 8601."""
    match = _GITLAB_TIME(text)
    if match is None:
        return text
    offset = f"{match[3]}:{match[4]}" if match[3] else "+00:00"
    return f"{match[1]}T{match[2]}{offset}"
