"""Reads a Jenkins by the connector, time and again: the demo's server, or one that answers by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from connectors.connector import Context, Item
from connectors.jenkins import JenkinsConnector, JenkinsOptions
from connectors.records import Deployment, Job, PipelineRun
from demo.servers import jenkins as server
from demo.world import Build, JenkinsJob, Stage, World
from tests.connectors.contract import Loaded
from tests.serving import Received, serving

R = TypeVar("R", PipelineRun, Job, Deployment)

NOW = datetime(2025, 3, 3, 12, tzinfo=UTC)
T0 = 1_740_000_000_000
SHA = "c83ae02076382670e286ac2474b7a7327fc28cde"
GIT = "git@git.acme.example:acme/shop.git"
STAGES = [
    {"stage": "^deploy$", "job": r"shop/(?P<app>\w+)/main$", "environment": "production", "service": "$app"}
]


def made(number: int, *, branch: str = "main", result: str | None = "SUCCESS", hours: int = 0) -> Build:
    """A build of the demo's kind: a checkout, a test and a deployment."""
    at = NOW + timedelta(hours=number + hours)
    stages = tuple(
        Stage(id_, name, "SUCCESS", at + timedelta(seconds=10 * order), 9_000)
        for order, (id_, name) in enumerate([(6, "test"), (14, "deploy")])
    )
    cause = "jenkins.branch.BranchEventCause"
    return Build(number, at, 2_500, 20_000, result, SHA, branch, GIT, cause, stages if result else ())


def checkout(sha: str, repository: str, ref: str = "refs/remotes/origin/main") -> dict[str, Any]:
    """What the git plugin says of a checkout."""
    url = f"https://ci:s3cret@git.acme.example/{repository}.git"
    return {"lastBuiltRevision": {"SHA1": sha, "branch": [{"name": ref}]}, "remoteUrls": [url]}


class Live:
    """The demo's server over a world that changes."""

    def __init__(self, *jobs: JenkinsJob, user: str | None = None, token: str | None = None) -> None:
        self.world = World("acme", NOW, jenkins=list(jobs))
        self.user = user
        self.token = token
        self.missing: tuple[str, ...] = ()
        """Ends of paths that are not found."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self.missing and scope["path"].endswith(self.missing):
                await HTMLResponse("<title>Error 404</title>", 404)(scope, receive, send)
                return
            await server.app(self.world, user=self.user, token=self.token)(scope, receive, send)


@contextmanager
def reading(host: Any, tmp_path: Path, path: str = "", **options: Any) -> Iterator[Reader]:
    received: list[Received] = []
    with serving(host, received) as url:
        yield Reader(url + path, tmp_path, received, options)


class Reader:
    """Reads what is new each time, and remembers what it requested for that."""

    def __init__(self, url: str, cache: Path, received: list[Received], options: dict[str, Any]) -> None:
        self.url = url
        self.cache = cache
        self.received = received
        self.options = options
        self.loaded = Loaded()
        self.requests: list[str] = []

    def connector(self, **options: Any) -> JenkinsConnector:
        chosen = JenkinsOptions(url=self.url, **{**self.options, **options})
        return JenkinsConnector("jenkins", chosen, Context(self.cache, b"key"))

    def read(self, **options: Any) -> list[Item]:
        self.received.clear()
        items = list(self.connector(**options).read(self.loaded.cursors))
        self.requests = [each.path for each in self.received]
        self.loaded.load(items)
        return items

    def records(self, kind: type[R]) -> list[R]:
        found = [record for record in self.loaded.records.values() if isinstance(record, kind)]
        return sorted(found, key=lambda record: record.id)


def of(items: list[Item], kind: type) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]
