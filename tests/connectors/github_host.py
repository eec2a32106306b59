"""GitHub for tests: the demo's server over a small hand-made world, real git repositories beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from connectors.connector import Context, Item
from connectors.github import GitHubConnector
from connectors.github.options import GitHubOptions
from demo.servers.github import app
from demo.world import (
    Commit,
    Deployment,
    Issue,
    Job,
    Membership,
    Person,
    PullRequest,
    Release,
    Repository,
    Review,
    Run,
    Team,
    World,
)
from tests.connectors.contract import Loaded
from tests.histories import Upstream
from tests.serving import Received, serving

R = TypeVar("R")

TOKEN = "ghp_s3cr3t0123456789"
BEGAN = datetime(2024, 3, 4, 9, tzinfo=UTC)
ADA = Person("ada-l", "Ada Lovelace", "ada@people.example")
GRACE = Person("ghopper", "Grace Hopper", "grace@people.example")
BOT = Person("renovate[bot]", "renovate[bot]", "bot@people.example", is_bot=True)
WORKFLOW = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./local
      - uses: acme/shop/own@main
      - run: make
  deliver:
    uses: acme/ci/.github/workflows/deliver.yml@v2
"""


def at(hours: float) -> datetime:
    """So many hours after the beginning."""
    return BEGAN + timedelta(hours=hours)


def sha(text: object) -> str:
    return hashlib.sha1(str(text).encode()).hexdigest()


def commit(number: int, author: Person = ADA) -> Commit:
    return Commit(sha(f"commit {number}"), author, at(number), at(number), f"change {number}")


def pull_request(number: int, **other: Any) -> PullRequest:
    """Merged, approved by another, its two commits an hour apart."""
    opened = number * 10
    made = PullRequest(
        repository="shop",
        number=number,
        author=ADA,
        title=f"Change {number}",
        base_ref="main",
        head_ref=f"ada/change-{number}",
        head_sha=sha(f"commit {opened + 1}"),
        merge_sha=sha(f"merge {number}"),
        is_draft=False,
        opened_at=at(opened + 2),
        ready_at=at(opened + 3),
        merged_at=at(opened + 6),
        closed_at=at(opened + 6),
        updated_at=at(opened + 6),
        additions=10,
        deletions=2,
        changed_files=3,
        labels=("size/S",),
        commits=(commit(opened), commit(opened + 1)),
        reviews=(
            Review(number * 10, GRACE, "COMMENTED", at(opened + 4)),
            Review(number * 10 + 1, GRACE, "APPROVED", at(opened + 5)),
        ),
    )
    return replace(made, **other)


def run(number: int, attempt: int = 1, **other: Any) -> Run:
    """A successful attempt of five minutes, with one job."""
    started = at(number) + timedelta(minutes=10 * (attempt - 1))
    ended = started + timedelta(minutes=5)
    job = Job(number * 1000 + attempt, "build", ("ubuntu-latest",), started, started, ended, "success")
    made = Run(
        id=5000 + number,
        attempt=attempt,
        repository="shop",
        workflow=".github/workflows/ci.yml",
        number=number,
        event="push",
        branch="main",
        sha=sha(f"merge {number}"),
        created_at=at(number),
        started_at=started,
        updated_at=ended,
        conclusion="success",
        actor=ADA,
        jobs=(job,),
    )
    return replace(made, **other)


def deployment(number: int, *states: str, **other: Any) -> Deployment:
    """To production, its statuses a minute apart; successful unless told otherwise."""
    statuses = [
        (state, at(number) + timedelta(minutes=minute))
        for minute, state in enumerate(states or ("queued", "in_progress", "success"), 1)
    ]
    made = Deployment(
        id=900 + number,
        repository="shop",
        environment="production",
        sha=sha(f"merge {number}"),
        ref="main",
        creator=ADA,
        created_at=at(number),
        updated_at=statuses[-1][1],
        statuses=tuple(statuses),
    )
    return replace(made, **other)


def release(number: int) -> Release:
    return Release(300 + number, "shop", f"v1.0.{number}", sha(f"merge {number}"), ADA, at(number))


def issue(number: int, *labels: str, closed: float | None = None) -> Issue:
    closed_at = None if closed is None else at(closed)
    return Issue("shop", number, ADA, "It is down", labels, at(number), closed_at, closed_at or at(number))


REUSED = "acme/ci/.github/workflows/deliver.yml@v2"


def repository(number: int, name: str, **other: Any) -> Repository:
    made = Repository(number, name, "main", at(0), at(100), at(100))
    for field, value in other.items():
        setattr(made, field, value)
    return made


def small_world() -> World:
    """One repository with something of everything, and an empty one."""
    shop = repository(
        71,
        "shop",
        files={".github/workflows/ci.yml": WORKFLOW, "Dockerfile": "FROM scratch"},
        pull_requests=[pull_request(number) for number in (1, 2, 3)],
        runs=[run(1, reusable=(REUSED,)), run(2, 1, conclusion="failure"), run(2, 2), run(3)],
        deployments=[deployment(1), deployment(2)],
        releases=[release(1), release(2)],
        issues=[issue(50, "incident", closed=60), issue(51, "bug")],
    )
    return World(
        "acme",
        at(200),
        people=[ADA, GRACE],
        teams=[Team("product", "Product", None, "department"), Team("web", "Web", "product", "team")],
        memberships=[Membership("web", "ada-l", at(0)), Membership("web", "ghopper", at(0), at(10))],
        repositories={"shop": shop, "empty": repository(72, "empty", is_empty=True)},
    )


class GitHubHost:
    """The server's address, what it was asked, and ways to meddle with its answers."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        """Of the git repositories."""
        self.upstream = Upstream(folder / "shop.git")
        self.url = ""
        self.received: list[Received] = []
        self.queries: list[tuple[str, dict[str, Any]]] = []
        """GraphQL's queries with their variables."""
        self.token = TOKEN
        self.scopes: list[str] | None = ["read:org", "repo"]
        """Of the token; None for one that has none, as it is fine-grained."""
        self.headers: list[tuple[bytes, bytes]] = []
        """Added to every answer."""
        self._servers: dict[str, Starlette] = {}
        self.before: Callable[[str, Any], tuple[int, Any] | None] = lambda *_: None
        """Path and body → status and body to answer with, instead of the server."""
        self.after: Callable[[str, Any, Any], Any] = lambda *asked: asked[-1]
        """Path, body and the server's answer → what to answer."""

    @property
    def shop(self) -> Repository:
        return self.world.repositories["shop"]

    def git(self, *arguments: str) -> str:
        """What git prints in the repository of `shop`."""
        return self.upstream.git(*arguments)

    def options(self, **other: Any) -> GitHubOptions:
        given = {
            "organization": "acme",
            "url": self.url,
            "token": SecretStr(TOKEN),
            "git": str(self.folder),
            "incident_labels": ["incident"],
            "jobs": 30,
        }
        return GitHubOptions.model_validate(given | other)

    def connector(self, cache: Path, **options: Any) -> GitHubConnector:
        return GitHubConnector("github", self.options(**options), Context(cache, b"key"))

    def read(self, cache: Path, loaded: Loaded | None = None, **options: Any) -> list[Item]:
        """What is new since `loaded`, which then holds it."""
        loaded = loaded or Loaded()
        items = list(self.connector(cache, **options).read(loaded.cursors))
        loaded.load(items)
        return items

    def forget(self) -> None:
        """Of what was asked so far."""
        self.received.clear()
        self.queries.clear()

    def asked(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in each.path for each in self.received)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = await _body(receive)
        asked = json.loads(body) if body else None
        path = scope["raw_path"].decode()
        if path.endswith("/graphql") and asked:
            self.queries.append((asked["query"], asked["variables"]))
        instead = self.before(path, asked)
        if instead is not None:
            status, answer = instead
            await _send(send, status, [(b"content-type", b"application/json")], json.dumps(answer).encode())
            return
        if self.token not in self._servers:
            self._servers[self.token] = app(self.world, self.token, self.scopes or ["read:org", "repo"])
        messages: list[Message] = []
        await self._servers[self.token](scope, _replayed(body), _collected(messages))
        content = b"".join(message.get("body", b"") for message in messages[1:])
        if content and messages[0]["status"] == 200:
            content = json.dumps(self.after(path, asked, json.loads(content))).encode()
        left_out = {b"content-length"} | ({b"x-oauth-scopes"} if self.scopes is None else set())
        headers = [pair for pair in messages[0]["headers"] if pair[0] not in left_out] + self.headers
        await _send(send, messages[0]["status"], headers, content)


@contextmanager
def github(folder: Path, world: World | None = None) -> Iterator[GitHubHost]:
    """GitHub on a free port, with a git repository for `shop`."""
    host = GitHubHost(world or small_world(), folder / "git")
    host.upstream.commit("first")
    host.upstream.tag("v1.0.1", message="a release")
    with serving(host, host.received) as url:
        host.url = url
        yield host


def of(source: Loaded | list[Item], kind: type[R]) -> list[R]:
    """Records of one type, each once."""
    loaded = source if isinstance(source, Loaded) else Loaded(source)
    return [record for record in loaded.records.values() if isinstance(record, kind)]


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


def _replayed(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _collected(messages: list[Message]) -> Send:
    async def send(message: Message) -> None:
        messages.append(message)

    return send


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], content: bytes) -> None:
    length = [(b"content-length", str(len(content)).encode())] if content else []
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": content})
