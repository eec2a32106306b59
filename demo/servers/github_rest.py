"""Bodies of GitHub's REST answers, as JSON text: much of each is the same for a whole repository."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from demo.world import Job, Person, Repository, Run, World

WEB = "https://github.demo.example"
"""Where people would open it."""

_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
    "url": "",
}
_USER_LINKS = {
    "events_url": "/events{/privacy}",
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "organizations_url": "/orgs",
    "received_events_url": "/received_events",
    "repos_url": "/repos",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "url": "",
}


def iso(at: datetime) -> str:
    """A time as GitHub writes it."""
    return f"{at.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"


def number_of(name: str) -> int:
    """A stable number for what the world knows by name alone."""
    return zlib.crc32(name.encode()) % 90_000_000 + 1_000_000


class Bodies:
    """What one request is answered with; links lead to `base`, the address it came in at."""

    def __init__(self, world: World, base: str) -> None:
        self._world = world
        self._base = base
        self._users: dict[str, str] = {}
        self._repositories: dict[int, str] = {}

    def user(self, login: str, kind: str = "User") -> dict[str, Any]:
        """A `simple-user`."""
        return {
            "login": login,
            "id": number_of(login),
            "node_id": f"U_{number_of(login)}",
            "avatar_url": f"{WEB}/avatars/{number_of(login)}",
            "gravatar_id": "",
            "html_url": f"{WEB}/{login}",
            "type": kind,
            "site_admin": False,
            **{name: f"{self._base}/users/{login}{link}" for name, link in _USER_LINKS.items()},
        }

    def repository(self, repository: Repository) -> dict[str, Any]:
        """A `minimal-repository`."""
        full_name = f"{self._world.organization}/{repository.name}"
        return {
            "id": repository.id,
            "node_id": f"R_{repository.id}",
            "name": repository.name,
            "full_name": full_name,
            "owner": self.user(self._world.organization, "Organization"),
            "private": True,
            "html_url": f"{WEB}/{full_name}",
            "description": None,
            "fork": repository.fork,
            **{name: f"{self._base}/repos/{full_name}{link}" for name, link in _REPOSITORY_LINKS.items()},
        }

    def full_repository(self, repository: Repository) -> str:
        """What `GET /repos/{owner}/{repo}` says."""
        full_name = f"{self._world.organization}/{repository.name}"
        return json.dumps(
            {
                **self.repository(repository),
                **dict.fromkeys(
                    ("forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count"),
                    0,
                ),
                **dict.fromkeys(("watchers", "watchers_count", "network_count", "subscribers_count"), 0),
                **dict.fromkeys(("has_issues", "has_projects", "has_wiki"), True),
                **dict.fromkeys(("has_pages", "has_discussions", "disabled"), False),
                **dict.fromkeys(("homepage", "language", "mirror_url", "license"), None),
                "clone_url": f"{WEB}/{full_name}.git",
                "git_url": f"git:{WEB.removeprefix('https:')}/{full_name}.git",
                "ssh_url": f"git@{WEB.removeprefix('https://')}:{full_name}.git",
                "svn_url": f"{WEB}/{full_name}",
                "default_branch": repository.default_branch,
                "archived": repository.archived,
                "topics": list(repository.topics),
                "created_at": iso(repository.created_at),
                "updated_at": iso(repository.updated_at),
                "pushed_at": iso(repository.pushed_at),
            }
        )

    def runs(self, repository: Repository, runs: Iterable[Run], total: int) -> str:
        """A page of runs."""
        listed = ",".join(self.run(repository, run) for run in runs)
        return f'{{"total_count":{total},"workflow_runs":[{listed}]}}'

    def run(self, repository: Repository, run: Run) -> str:
        """One attempt of a run."""
        full_name = f"{self._world.organization}/{repository.name}"
        url = f"{self._base}/repos/{full_name}/actions/runs/{run.id}"
        earlier = f"{url}/attempts/{run.attempt - 1}" if run.attempt > 1 else None
        workflow = number_of(full_name + run.workflow)
        own = {
            "id": run.id,
            "name": run.workflow.rpartition("/")[2].partition(".")[0],
            "node_id": f"WFR_{run.id}",
            "check_suite_id": run.id + 1,
            "check_suite_node_id": f"CS_{run.id + 1}",
            "head_branch": run.branch,
            "head_sha": run.sha,
            "path": run.workflow,
            "run_number": run.number,
            "run_attempt": run.attempt,
            "event": run.event,
            "display_title": run.workflow,
            "status": "completed" if run.conclusion else "in_progress",
            "conclusion": run.conclusion,
            "workflow_id": workflow,
            "url": url,
            "html_url": f"{WEB}/{full_name}/actions/runs/{run.id}",
            "pull_requests": [],
            "created_at": iso(run.created_at),
            "updated_at": iso(run.updated_at),
            "run_started_at": iso(run.started_at),
            "referenced_workflows": [_referenced(path) for path in run.reusable],
            "jobs_url": f"{url}/jobs",
            "logs_url": f"{url}/logs",
            "check_suite_url": f"{self._base}/repos/{full_name}/check-suites/{run.id + 1}",
            "artifacts_url": f"{url}/artifacts",
            "cancel_url": f"{url}/cancel",
            "rerun_url": f"{url}/rerun",
            "previous_attempt_url": earlier,
            "workflow_url": f"{self._base}/repos/{full_name}/actions/workflows/{workflow}",
            "head_commit": {
                "id": run.sha,
                "tree_id": hashlib.sha1(run.sha.encode(), usedforsecurity=False).hexdigest(),
                "message": "",
                "timestamp": iso(run.created_at),
                "author": {"name": run.actor.name, "email": run.actor.email},
                "committer": {"name": "GitHub", "email": "noreply@github.demo.example"},
            },
        }
        actor, place = self._user_text(run.actor), self._repository_text(repository)
        return (
            f'{json.dumps(own)[:-1]},"actor":{actor},"triggering_actor":{actor},'
            f'"repository":{place},"head_repository":{place}}}'
        )

    def jobs(self, repository: Repository, run: Run, jobs: Iterable[Job], total: int) -> str:
        """A page of the jobs of an attempt."""
        full_name = f"{self._world.organization}/{repository.name}"
        base = f"{self._base}/repos/{full_name}"
        listed = [
            {
                "id": job.id,
                "run_id": run.id,
                "workflow_name": run.workflow,
                "head_branch": run.branch,
                "run_url": f"{base}/actions/runs/{run.id}",
                "run_attempt": run.attempt,
                "node_id": f"CR_{job.id}",
                "head_sha": run.sha,
                "url": f"{base}/actions/jobs/{job.id}",
                "html_url": f"{WEB}/{full_name}/actions/runs/{run.id}/job/{job.id}",
                "status": "completed",
                "conclusion": job.conclusion,
                "created_at": iso(job.created_at),
                "started_at": iso(job.started_at),
                "completed_at": iso(job.completed_at),
                "name": job.name,
                "steps": [],
                "check_run_url": f"{base}/check-runs/{job.id}",
                "labels": list(job.labels),
                "runner_id": 1,
                "runner_name": "runner-1",
                "runner_group_id": 1,
                "runner_group_name": "Default",
            }
            for job in jobs
        ]
        return json.dumps({"total_count": total, "jobs": listed})

    def _user_text(self, person: Person) -> str:
        if person.login not in self._users:
            self._users[person.login] = json.dumps(
                self.user(person.login, "Bot" if person.is_bot else "User")
            )
        return self._users[person.login]

    def _repository_text(self, repository: Repository) -> str:
        if repository.id not in self._repositories:
            self._repositories[repository.id] = json.dumps(self.repository(repository))
        return self._repositories[repository.id]


def _referenced(path: str) -> dict[str, str]:
    version = path.partition("@")[2]
    kind = "tags" if version[:1] == "v" and version[1:2].isdigit() else "heads"
    sha = hashlib.sha1(path.encode(), usedforsecurity=False).hexdigest()
    return {"path": path, "sha": sha, "ref": f"refs/{kind}/{version}"}
