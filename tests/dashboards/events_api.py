"""A client of the push API, and what it sends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from openapi_schema_validator import OAS31Validator

from dashboards import api as served_api
from dashboards.api import openapi, problems
from pipelines import credentials, ingest, warehouse
from pipelines.credentials import May
from pipelines.home import Home
from tests.serving import serving

SHA = "b" * 40
DEPLOYMENT = {
    "id": "d-1", "service": "shop", "environment": "production", "sha": SHA, "status": "success",
    "created_at": "2026-03-01T12:00:00Z", "finished_at": "2026-03-01T13:05:00+01:00",
}  # fmt: skip
COMMITS = [
    {"repository_url": f"https://git.acme.example/acme/{name}", "sha": sha}
    for name, sha in (("shop", SHA), ("cart", "c" * 40))
]
ROLLOUT = {key: value for key, value in DEPLOYMENT.items() if key != "sha"} | {"commits": COMMITS}
INCIDENT = {"id": "i-1", "service": "shop", "status": "open", "opened_at": "2026-03-01T12:00:00Z"}
ADOPTION = {
    "id": "a-1", "capability": "template:x", "subject_kind": "person", "subject": "Eve@acme.example",
    "happened_at": "2026-03-01T12:00:00Z",
}  # fmt: skip


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: Any


class Api:
    """A client of the API with a token."""

    def __init__(self, url: str, token: str) -> None:
        self._url = urlsplit(url)
        self.token = token

    def send(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Reply:
        """`body` is sent as it is where it is bytes or an iterator of them, else as JSON."""
        given = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {self.token}",
            **(headers or {}),
        }
        is_raw = isinstance(body, bytes | Iterator)
        connection = HTTPConnection(self._url.netloc, timeout=30)
        try:
            connection.request(
                method,
                self._url.path + path,
                body if is_raw else json.dumps(body).encode(),  # type: ignore[arg-type]
                {name: value for name, value in given.items() if value},
                encode_chunked=isinstance(body, Iterator),
            )
            response = connection.getresponse()
            content = response.read()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, named, json.loads(content) if content else None)
        finally:
            connection.close()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("CAIRN_HOME", str(tmp_path / "home"))
    return Home.from_env()


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with serving(served_api.build()) as url:
        yield url


@pytest.fixture
def api(home: Home, served: str) -> Api:
    return Api(served, credentials.new_token(home, "ci", {May.events}))


def rows(home: Home, stream: str, columns: str = "id") -> list[tuple[Any, ...]]:
    with warehouse.writing(home) as connection:
        ingest.load(connection, home.landing, {})
        return connection.execute(f"select {columns} from raw.{stream} order by id").fetchall()


def is_problem(reply: Reply, status: int) -> bool:
    """Whether it refuses as described, and says nothing of what was sent."""
    assert reply.headers["content-type"] == "application/problem+json"
    assert (reply.status, reply.body["status"], reply.body["type"]) == (status, status, "about:blank")
    assert reply.body["title"] == problems.TITLES[status]
    OAS31Validator(openapi.PROBLEM).validate(reply.body)
    return bool(reply.body["detail"])


def without(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key != name}
