"""What `cairn doctor` says of a GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from connectors.connector import Note, Problem, Quarantined
from connectors.gitlab import projects as gitlab_projects
from connectors.gitlab.api import GitLab, Project
from connectors.gitlab.options import GitLabOptions
from connectors.http import HttpError, Unauthorized
from connectors.patterns import is_wanted

_SOON_DAYS = 14
_MEND = "Make a token with the scopes `read_api` and `read_repository`."


def check(source: str, gitlab: GitLab, options: GitLabOptions) -> Iterator[Problem | Note]:
    """Yield it; raises `HttpError` where GitLab cannot be asked at all."""
    version = gitlab.get("/version", "check")
    yield Note(source, f"GitLab {version.get('version')}" if isinstance(version, dict) else "GitLab")
    yield from _about_token(source, gitlab, options)
    listed = gitlab_projects.listed(gitlab, options)
    projects = [each[0] for each in listed if not isinstance(each, Quarantined)]
    yield from _about_projects(source, projects, options)
    budget = gitlab.client.budget
    if budget is not None:
        yield Note(source, f"{budget.remaining} of {budget.limit} requests are left until the limit resets")


def _about_token(source: str, gitlab: GitLab, options: GitLabOptions) -> Iterator[Problem | Note]:
    try:
        token: Any = gitlab.get("/personal_access_tokens/self", "check")
        scopes = {str(scope) for scope in token["scopes"]}
    except Unauthorized:
        raise
    except (HttpError, KeyError, TypeError):
        # Before GitLab 15.5, a token knows nothing of itself.
        yield Note(source, "GitLab does not say which scopes the token has")
        return
    yield Note(source, f"The token has the scopes {', '.join(sorted(scopes))}")
    if not scopes & {"api", "read_api"}:
        yield Problem(source, "The token lacks the scope read_api: nothing but commits can be read", _MEND)
    if options.git is None and not scopes & {"api", "read_repository", "write_repository"}:
        yield Problem(source, "The token lacks the scope read_repository: no commits can be read", _MEND)
    try:
        expires_on = date.fromisoformat(token["expires_at"])
    except (KeyError, TypeError, ValueError):
        return
    if (expires_on - datetime.now(UTC).date()).days <= _SOON_DAYS:
        yield Note(source, f"The token expires on {expires_on}")


def _about_projects(source: str, projects: list[Project], options: GitLabOptions) -> Iterator[Problem | Note]:
    wanted = [project for project in projects if is_wanted(project.path, options.patterns)]
    taken = [project for project in wanted if gitlab_projects.is_read(project, options, is_known=False)]
    if not projects:
        yield Problem(
            source, "GitLab lists no projects", "Check `group`, and that the token's owner is a member there."
        )
        return
    yield Note(source, f"{len(taken)} of {len(projects)} projects are read")
    archived = sum(project.is_archived for project in wanted)
    forks = sum(project.is_fork for project in wanted)
    if archived and not options.archived:
        yield Note(source, f"{archived} archived ones are skipped, unless read before")
    if forks and not options.forks:
        yield Note(source, f"{forks} forks are skipped")
    personal = sum(project.is_personal for project in wanted)
    if personal:
        yield Note(source, f"{personal} in the namespaces of persons are skipped: their paths name them")
    without = sum("builds" in project.off for project in taken)
    if without:
        yield Note(source, f"{without} have CI switched off: no pipelines and deployments")
    for pattern in options.projects:
        if not any(is_wanted(project.path, [pattern.removeprefix("!")]) for project in projects):
            yield Note(source, f"The pattern {pattern} of `projects` matches no project")
