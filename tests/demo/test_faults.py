"""Faults on purpose: each kind happens, none for ever, and what is asked for is had in the end."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.http import Client, CursorPaging, OffsetPaging, PagePaging, Unauthorized
from demo.faults import Faults
from tests.serving import serving

ITEMS = [{"id": number} for number in range(37)]


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        if self.status == 429:
            return "limit" if "retry-after" in self.headers else "limit of the hour"
        if self.status == 200:
            try:
                json.loads(self.body)
            except ValueError:
                return "truncated"
            return "whole"
        return str(self.status)


def tool() -> Starlette:
    """Lists by page, by offset, by cursor and by GraphQL; and what is no list."""

    async def by_page(request: Request) -> Response:
        page, size = int(request.query_params.get("page", 1)), int(request.query_params.get("per_page", 5))
        return JSONResponse({"total_count": len(ITEMS), "items": ITEMS[(page - 1) * size : page * size]})

    async def by_offset(request: Request) -> Response:
        offset, limit = int(request.query_params.get("offset", 0)), int(request.query_params.get("limit", 5))
        return JSONResponse({"items": ITEMS[offset : offset + limit], "more": offset + limit < len(ITEMS)})

    async def by_cursor(request: Request) -> Response:
        offset = int(request.query_params.get("cursor", 0))
        after = {"nextCursor": str(offset + 5)} if offset + 5 < len(ITEMS) else {}
        return JSONResponse({"items": ITEMS[offset : offset + 5], "pageInfo": after})

    async def graphql(request: Request) -> Response:
        variables = (await request.json())["variables"]
        offset = int(variables.get("after") or 0)
        edges = [{"cursor": str(item["id"]), "node": item} for item in ITEMS[offset : offset + 5]]
        info = {"hasNextPage": offset + 5 < len(ITEMS), "endCursor": str(offset + 5)}
        return JSONResponse(
            {"data": {"repository": {"name": "x", "items": {"pageInfo": info, "edges": edges}}}}
        )

    async def one(request: Request) -> Response:
        return JSONResponse({"id": request.path_params["id"], "labels": ["a", "b"], "owners": []})

    return Starlette(
        routes=[
            Route("/pages", by_page),
            Route("/offsets", by_offset),
            Route("/cursors", by_cursor),
            Route("/graphql", graphql, methods=["POST"]),
            Route("/one/{id:int}", one),
        ]
    )


def ask(app: Faults, path: str, *, method: str = "GET", body: object = None) -> Said:
    """One request, without a network."""
    path, _, query = path.partition("?")
    content = b"" if body is None else json.dumps(body).encode()
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": [],
        "root_path": "", "scheme": "http", "server": ("127.0.0.1", 80),
    }  # fmt: skip
    sent: list[Any] = []
    asked = asyncio.Event()

    async def receive() -> Any:
        if asked.is_set():
            await asyncio.Event().wait()  # nobody hangs up
        asked.set()
        return {"type": "http.request", "body": content}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Said(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))


def faulty(**settings: Any) -> Faults:
    return Faults(tool(), seed=1, **{"share": 1.0, **settings})


def test_every_kind_of_fault_happens_and_passes() -> None:
    app = faulty(silence_seconds=0.01)
    kinds: Counter[str] = Counter()
    for number in range(120):
        said = [ask(app, f"/one/{number}").kind for _ in range(4)]
        assert said[0] != "whole"
        assert said[2:] == ["whole", "whole"]
        kinds.update(said)
    assert kinds.keys() == {"limit", "limit of the hour", "502", "504", "truncated", "whole"}
    assert kinds["504"] == 1
    assert kinds["limit"] == kinds["limit of the hour"] == 8


def test_the_same_seed_makes_the_same_faults() -> None:
    def course(seed: int) -> list[str]:
        app = Faults(tool(), seed=seed, share=0.5)
        return [ask(app, f"/one/{number}").kind for number in range(40)]

    assert course(1) == course(1)
    assert course(1) != course(2)


def test_a_share_of_the_requests_fails() -> None:
    app = faulty(share=0.1)
    failed = sum(ask(app, f"/one/{number}").kind != "whole" for number in range(400))
    assert 20 < failed < 65


def test_a_limit_says_when_it_ends_by_the_clock_that_is_wrong() -> None:
    app = faulty(skew=timedelta(hours=5))
    answers = [ask(app, f"/one/{number}") for number in range(60)]
    for said in answers:
        skew = parsedate_to_datetime(said.headers["date"]) - datetime.now(UTC)
        assert abs(skew - timedelta(hours=5)) < timedelta(minutes=1)
        if said.kind == "limit of the hour":
            date = parsedate_to_datetime(said.headers["date"]).timestamp()
            assert 0 <= int(said.headers["x-ratelimit-reset"]) - date <= 2
            assert said.headers["x-ratelimit-remaining"] == "0"
        if said.kind == "limit":
            assert said.headers["retry-after"] in {"0", "1"}


def test_bodies_have_the_length_that_is_told() -> None:
    app = faulty()
    for number in range(60):
        said = ask(app, f"/one/{number}")
        assert int(said.headers["content-length"]) == len(said.body)


def test_a_silence_ends_when_the_client_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    app = faulty(silence_seconds=60.0)
    monkeypatch.setattr(app, "_fault", lambda _: "silence")
    sent: list[Any] = []
    messages = iter([{"type": "http.request", "body": b""}, {"type": "http.disconnect"}])

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/one/1", "query_string": b"", "headers": []}
    asyncio.run(asyncio.wait_for(app(scope, receive, send), 5))
    assert sent == []


@pytest.mark.parametrize(
    ("path", "pages"),
    [
        ("/pages", [f"/pages?per_page=5&page={page}" for page in range(1, 9)]),
        ("/offsets", [f"/offsets?limit=5&offset={offset}" for offset in range(0, 40, 5)]),
        ("/cursors", ["/cursors", *(f"/cursors?cursor={offset}" for offset in range(5, 40, 5))]),
    ],
)
def test_some_pages_begin_with_what_the_one_before_ended_with(path: str, pages: list[str]) -> None:
    app = faulty(share=0.0)
    listed = [[item["id"] for item in json.loads(ask(app, page).body)["items"]] for page in pages]
    repeated = [now[0] for before, now in pairwise(listed) if now[0] == before[-1]]
    assert 0 < len(repeated) < 7
    assert sorted({id_ for page in listed for id_ in page}) == [item["id"] for item in ITEMS]
    assert sum(map(len, listed)) == len(ITEMS) + len(repeated)


def test_graphql_repeats_itself_too_but_no_other_list() -> None:
    app = faulty(share=0.0)
    query = "query Q($after: String) { repository { items(after: $after) { pageInfo edges } } }"
    seen: list[str] = []
    for after in [None, *map(str, range(5, 40, 5))]:
        said = ask(app, "/graphql", method="POST", body={"query": query, "variables": {"after": after}})
        seen += [edge["cursor"] for edge in json.loads(said.body)["data"]["repository"]["items"]["edges"]]
    assert len(seen) > len(ITEMS)
    assert {int(cursor) for cursor in seen} == {item["id"] for item in ITEMS}
    for number in range(40):
        assert json.loads(ask(app, f"/one/{number}").body)["labels"] == ["a", "b"]


def test_a_token_expires_once(tmp_path: Path) -> None:
    def refused(app: Faults) -> list[int]:
        return [index for index in range(12) if ask(app, f"/one/{index}").status == 401]

    marker = tmp_path / "expired"
    assert refused(faulty(share=0.0, expires_after=5, expired=marker)) == [5]
    assert marker.exists()
    assert refused(faulty(share=0.0, expires_after=5, expired=marker)) == []
    assert refused(faulty(share=0.0, expires_after=3)) == [3]


def test_a_client_gets_everything_all_the_same() -> None:
    """The client of the connectors, over a network."""
    app = Faults(tool(), seed=4, share=0.3, silence_seconds=0.5)
    app._left.update({"limit": -7, "limit of the hour": -7})
    with serving(app, date_header=False) as url, Client(url, timeout_seconds=0.3) as client:
        for path, paging in {
            "/pages": PagePaging(5),
            "/offsets": OffsetPaging(5),
            "/cursors": CursorPaging(read=lambda body: body["pageInfo"].get("nextCursor")),
        }.items():
            answers = list(client.pages(path, stream="x", paging=paging))
            ids = {item["id"] for answer in answers for item in answer.json()["items"]}
            assert ids == {item["id"] for item in ITEMS}
        assert client.requests["x"] > 3 * 8


def test_an_expired_token_ends_a_reading_and_the_next_goes_on() -> None:
    with serving(faulty(share=0.0, expires_after=1), date_header=False) as url, Client(url) as client:
        client.get("/one/1", stream="x")
        with pytest.raises(Unauthorized):
            client.get("/one/2", stream="x")
        assert client.get("/one/2", stream="x").json()["id"] == 2
