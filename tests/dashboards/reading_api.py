"""A client of the reading API, and a served one over a snapshot made by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import duckdb
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from dashboards import api
from dashboards.api import monitoring
from dashboards.gate import Gate
from pipelines.home import Home
from tests.dashboards import snapshot, survey_tables
from tests.dashboards.snapshot import Plan
from tests.serving import serving

FORMULA = "=cmd|' /C calc'!A0"
PLAN = Plan(
    services={"shop": "Payments", "cart": "Payments", FORMULA: "Search"},
    first_on=date(2025, 10, 6),
    every_days=20,
)

Query = Mapping[str, str | Sequence[str]] | str


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    """By name in lower case."""
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def rows(self) -> list[dict[str, Any]]:
        assert self.status == 200, self.text
        rows: list[dict[str, Any]] = self.body["rows"]
        return rows


class Reader:
    """Asks as whoever `headers` make it."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self._headers = headers or {}

    def get(self, path: str, query: Query = "", method: str = "GET", **headers: str) -> Answer:
        """`path` is one below `/api/v1`, or one of the server; of `headers`, `_` is `-`."""
        place = path if path.startswith("/") else f"/api/v1/{path}"
        asked = query if isinstance(query, str) else urlencode(query, doseq=True)
        given = {**self._headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, f"{place}?{asked}" if asked else place, headers=given)
            response = connection.getresponse()
            text = response.read().decode()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, text)
        finally:
            connection.close()

    def pages(self, path: str, query: Mapping[str, str]) -> Iterator[Answer]:
        """From the first to the last, by `next`."""
        asked: str | None = urlencode(query)
        while asked is not None:
            answer = self.get(path, asked.removeprefix("?"))
            yield answer
            asked = answer.body["next"]


def app() -> ASGIApp:
    """The API and `/metrics` behind the gate, as they are served to this machine."""
    return Gate(Starlette(routes=[Mount("/api/v1", api.build()), Route("/metrics", monitoring.show)]), None)


def publish(home: Home, snapshot_id: str) -> None:
    """A snapshot with delivery, adoption and surveys."""
    home.create()
    (home.published / f"{snapshot_id}.duckdb").write_bytes(_built())
    (home.published / "CURRENT").write_text(snapshot_id)


@cache
def _built() -> bytes:
    with TemporaryDirectory() as folder:
        snapshot.publish(Home(Path(folder)), PLAN, "made")
        path = Path(folder, "published", "made.duckdb")
        with duckdb.connect(path) as connection:
            survey_tables.add(connection)
        return path.read_bytes()


@contextmanager
def reading(home: Home) -> Iterator[Reader]:
    with pytest.MonkeyPatch.context() as patch, serving(app()) as url:
        patch.setenv("CAIRN_HOME", str(home.root))
        yield Reader(url)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home"))
    publish(home, "first")
    return home


@pytest.fixture(scope="module")
def reader(home: Home) -> Iterator[Reader]:
    with reading(home) as reader:
        yield reader


def refused(answer: Answer, status: int = 422) -> list[dict[str, str]]:
    """The errors of a problem with this status."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status, answer.body["status"]) == (status, status)
    errors: list[dict[str, str]] = answer.body.get("errors", [])
    return errors
