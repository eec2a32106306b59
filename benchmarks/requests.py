"""Requests to GitHub for 1 000 pull requests with reviews and commits, and for repositories without news.

Counted as the server receives them. Bars: 25 for the pull requests; 1 for each repository without
news, beside those for the list of repositories and the teams.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import JsonValue, SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.connector import Batch, Context, Problem, Quarantined
from connectors.github import GitHubConnector
from connectors.github.options import GitHubOptions
from connectors.records import PullRequest
from demo import world as demo
from demo.servers.github import app
from tests.histories import Upstream
from tests.serving import serving

PULL_REQUEST_BAR = 25
UNCHANGED_BAR = 1

_PULL_REQUESTS = 1000
_UNCHANGED = 20
_TOKEN = "benchmark-token"
_BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
_ADA = demo.Person("ada", "Ada", "ada@people.example")
_GRACE = demo.Person("grace", "Grace", "grace@people.example")


def main(_: Path) -> bool:
    """Print the requests; False where a bar is missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        world = _world()
        for repository in world.repositories:
            Upstream(folder / "git" / f"{repository}.git").commit()
        counted = _Counted(app(world, _TOKEN))
        with serving(counted) as url:
            options = GitHubOptions(
                organization="acme", url=url, token=SecretStr(_TOKEN), git=str(folder / "git"), jobs=0
            )
            connector = GitHubConnector("github", options, Context(folder / "cache", b"key"))
            cursors: dict[str, JsonValue] = {}
            read = _read(connector, cursors)
            first, counted.asked = counted.asked, Counter()
            assert read == _PULL_REQUESTS, "all are read"
            read = _read(connector, cursors)
            again = counted.asked
            assert read == 0, "nothing was new"
    pull_requests = sum(number for what, number in first.items() if what.startswith("PullRequest"))
    shared = again["Repositories"] + again["Teams"]
    unchanged = max(number for what, number in again.items() if what.startswith("/repos/"))
    assert again.total() <= shared + unchanged * len(world.repositories), again
    for what, number, bar in (
        (f"{_PULL_REQUESTS} pull requests with 2 reviews and 3 commits", pull_requests, PULL_REQUEST_BAR),
        (f"first reading of {len(world.repositories)} repositories, all in all", first.total(), None),
        ("list of repositories and teams, without news", shared, None),
        ("each repository, without news", unchanged, UNCHANGED_BAR),
    ):
        print(f"{what:<50} {number:5} requests{f'   (bar {bar})' if bar else ''}")
    return pull_requests <= PULL_REQUEST_BAR and unchanged <= UNCHANGED_BAR


def _read(connector: GitHubConnector, cursors: dict[str, JsonValue]) -> int:
    """How many pull requests are yielded; moves the cursors."""
    found = 0
    for item in connector.read(cursors):
        assert not isinstance(item, Problem | Quarantined), item
        if isinstance(item, Batch):
            found += sum(isinstance(record, PullRequest) for record in item.records)
            if item.cursor is not None:
                cursors[item.scope] = item.cursor
    return found


@dataclass
class _Counted:
    """Counts what a server is asked: by the name of the query, or the path."""

    served: ASGIApp
    asked: Counter[str] = field(default_factory=Counter)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        content = b""
        while True:
            message = await receive()
            content += bytes(message.get("body", b""))
            if not message.get("more_body"):
                break
        query = json.loads(content)["query"] if content else ""
        self.asked[query.partition("query ")[2].partition("(")[0] or scope["path"]] += 1

        async def again() -> Message:
            return {"type": "http.request", "body": content, "more_body": False}

        await self.served(scope, again, send)


def _world() -> demo.World:
    """One busy repository and others with a little of everything."""
    repositories = [_repository(1, "busy", _PULL_REQUESTS)]
    repositories += [_repository(number + 2, f"quiet-{number}", 0) for number in range(_UNCHANGED)]
    return demo.World(
        "acme",
        _at(100_000),
        people=[_ADA, _GRACE],
        teams=[demo.Team("web", "Web", None, "team")],
        memberships=[demo.Membership("web", "ada", _BEGAN)],
        repositories={each.name: each for each in repositories},
    )


def _repository(number: int, name: str, pull_requests: int) -> demo.Repository:
    job = demo.Job(number, "build", ("ubuntu",), _at(1), _at(1), _at(2), "success")
    return demo.Repository(
        number,
        name,
        "main",
        _BEGAN,
        _at(50_000),
        _at(50_000),
        pull_requests=[_pull_request(name, each) for each in range(1, pull_requests + 1)],
        runs=[_run(number, name, job)],
        deployments=[_deployment(number, name)],
        releases=[demo.Release(number, name, "v1.0.0", f"{number:040x}", _ADA, _at(5))],
    )


def _run(number: int, repository: str, job: demo.Job) -> demo.Run:
    return demo.Run(
        id=number,
        attempt=1,
        repository=repository,
        workflow=".github/workflows/ci.yml",
        number=1,
        event="push",
        branch="main",
        sha=f"{number:040x}",
        created_at=_at(1),
        started_at=_at(1),
        updated_at=_at(2),
        conclusion="success",
        actor=_ADA,
        jobs=(job,),
    )


def _deployment(number: int, repository: str) -> demo.Deployment:
    return demo.Deployment(
        id=number,
        repository=repository,
        environment="production",
        sha=f"{number:040x}",
        ref="main",
        creator=_ADA,
        created_at=_at(3),
        updated_at=_at(4),
        statuses=(("success", _at(4)),),
    )


def _pull_request(repository: str, number: int) -> demo.PullRequest:
    opened = number * 40
    commits = [
        demo.Commit(f"{number * 3 + each:040x}", _ADA, _at(opened + each), _at(opened + each), "a change")
        for each in range(3)
    ]
    return demo.PullRequest(
        repository=repository,
        number=number,
        author=_ADA,
        title="A change",
        base_ref="main",
        head_ref=f"change-{number}",
        head_sha=commits[-1].sha,
        merge_sha=f"{number:040x}",
        is_draft=False,
        opened_at=_at(opened + 3),
        ready_at=None,
        merged_at=_at(opened + 9),
        closed_at=_at(opened + 9),
        updated_at=_at(opened + 9),
        additions=1,
        deletions=1,
        changed_files=1,
        labels=(),
        commits=tuple(commits),
        reviews=(
            demo.Review(number * 2, _GRACE, "COMMENTED", _at(opened + 5)),
            demo.Review(number * 2 + 1, _GRACE, "APPROVED", _at(opened + 7)),
        ),
    )


def _at(minutes: int) -> datetime:
    return _BEGAN + timedelta(minutes=minutes)
