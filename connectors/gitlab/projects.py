"""Which projects there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.connector import Quarantined
from connectors.gitlab.api import GitLab, Project, told_at
from connectors.gitlab.options import GitLabOptions
from connectors.parsing import Malformed, instant, parsed
from connectors.patterns import is_wanted

_FEATURES = {
    "repository": None,
    "merge_requests": "merge_requests_enabled",
    "issues": "issues_enabled",
    "builds": "jobs_enabled",
    "environments": None,
    "releases": None,
}
"""What can be switched off → its field before GitLab 13."""


def listed(gitlab: GitLab, options: GitLabOptions) -> Iterator[tuple[Project, datetime] | Quarantined]:
    """Every project that the options' group or the account has, with GitLab's clock; raises `HttpError`."""
    params = {"order_by": "id", "sort": "asc"}
    if options.group is None:
        path, more = "/projects", {"membership": "true", "pagination": "keyset"}
    else:
        path = f"/groups/{quote(options.group, safe='')}/projects"
        more = {"include_subgroups": "true", "with_shared": "false"}
    for answer in gitlab.pages(path, "repository", {**params, **more}):
        records, failed = parsed(
            answer.json(),
            lambda item: _project(item, options),
            "repository",
            "projects",
            lambda item: item["id"],
        )
        yield from failed
        for project in records:
            yield project, told_at(answer)


def is_read(project: Project, options: GitLabOptions, *, is_known: bool) -> bool:
    """Whether the options want it; what is known is read on when it is archived.

    One in the namespace of a person is never read: its path names that person.
    """
    if project.is_personal or not is_wanted(project.path, options.patterns):
        return False
    return (options.archived or is_known or not project.is_archived) and (
        options.forks or not project.is_fork
    )


def _project(item: Mapping[str, Any], options: GitLabOptions) -> Project:
    path = str(item["path_with_namespace"])
    prefix = f"{options.group}/" if options.group else ""
    url = item.get("web_url")
    is_whole = (
        isinstance(url, str) and urlsplit(url).scheme in {"http", "https"} and "@" not in urlsplit(url).netloc
    )
    return Project(
        id=str(int(item["id"])),
        path=path,
        name=path[len(prefix) :] if path.casefold().startswith(prefix.casefold()) else path,
        url=str(url) if is_whole else f"{options.url}/{path}",
        default_branch=item.get("default_branch") or None,
        is_archived=item.get("archived") is True,
        is_fork=bool(item.get("forked_from_project")),
        is_personal=(item.get("namespace") or {}).get("kind") == "user",
        is_empty=item.get("empty_repo") is True,
        is_mirror=item.get("mirror") is True,
        ci_path=str(item.get("ci_config_path") or ".gitlab-ci.yml"),
        active_at=_time(item.get("last_activity_at")),
        off=frozenset(feature for feature, old in _FEATURES.items() if _is_off(item, feature, old)),
    )


def _is_off(item: Mapping[str, Any], feature: str, old: str | None) -> bool:
    level = item.get(f"{feature}_access_level")
    return level == "disabled" or (level is None and old is not None and item.get(old) is False)


def _time(said: object) -> datetime | None:
    try:
        return instant(said if isinstance(said, str) else None)
    except Malformed:
        return None
