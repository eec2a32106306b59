"""Paging: every way of it ends, and leads nowhere else."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import JsonValue, SecretStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.http import (
    Client,
    CursorPaging,
    HttpError,
    KeysetPaging,
    LinkPaging,
    OffsetPaging,
    PagePaging,
    Paging,
    bearer,
    graphql_pages,
)
from tests.connectors.http_script import Reply, Script, error, ok, scripted

ITEMS = [{"id": number} for number in range(1, 8)]


def by_link(request: Request) -> Response:
    page, size = int(request.query_params.get("page", 1)), int(request.query_params.get("per_page", 30))
    has_more = page * size < len(ITEMS)
    address = request.url.include_query_params(page=page + 1)
    headers = {"Link": f'<{address}>; rel="next", <{request.url}>; rel="first"'} if has_more else {}
    return JSONResponse(ITEMS[(page - 1) * size : page * size], headers=headers)


def by_number(request: Request) -> Response:
    page, size = int(request.query_params["page"]), int(request.query_params["per_page"])
    return JSONResponse({"total": len(ITEMS), "runs": ITEMS[(page - 1) * size : page * size]})


def by_number_with_a_cap(request: Request) -> Response:
    """As GitLab does; serves two at most, whatever is asked for."""
    page = int(request.query_params["page"])
    following = str(page + 1) if page * 2 < len(ITEMS) else ""
    return JSONResponse(ITEMS[(page - 1) * 2 : page * 2], headers={"X-Next-Page": following})


def by_offset(request: Request) -> Response:
    offset, limit = int(request.query_params["offset"]), int(request.query_params["limit"])
    return JSONResponse({"incidents": ITEMS[offset : offset + limit], "more": offset + limit < len(ITEMS)})


def by_cursor(request: Request) -> Response:
    begin = int(request.query_params.get("cursor", "c0")[1:])
    following = {"nextCursor": f"c{begin + 3}"} if begin + 3 < len(ITEMS) else {}
    return JSONResponse({"items": ITEMS[begin : begin + 3], "pageInfo": following})


def by_keyset(request: Request) -> Response:
    assert request.query_params["pagination"] == "keyset"
    assert request.query_params["order_by"] == "id"
    after, size = int(request.query_params.get("id_after", 0)), int(request.query_params["per_page"])
    return JSONResponse([item for item in ITEMS if item["id"] > after][:size])


def by_keyset_link(request: Request) -> Response:
    answer = by_keyset(request)
    after = int(request.query_params.get("id_after", 0)) + int(request.query_params["per_page"])
    address = request.url.include_query_params(id_after=after)
    if after < len(ITEMS):
        answer.headers["Link"] = f'<{address}>; rel="next"'
    return answer


def cursor(body: Any) -> str | None:
    found: str | None = body["pageInfo"].get("nextCursor")
    return found


@pytest.mark.parametrize(
    ("reply", "paging", "sizes"),
    [
        (by_link, LinkPaging(), [7]),
        (by_link, LinkPaging(per_page=3), [3, 3, 1]),
        (by_number, PagePaging(per_page=3), [3, 3, 1]),
        (by_number, PagePaging(per_page=7), [7, 0]),
        (by_number_with_a_cap, PagePaging(per_page=100), [2, 2, 2, 1]),
        (by_offset, OffsetPaging(limit=3), [3, 3, 1]),
        (by_offset, OffsetPaging(limit=7), [7]),
        (by_cursor, CursorPaging(read=cursor), [3, 3, 1]),
        (by_keyset, KeysetPaging(per_page=3), [3, 3, 1]),
        (by_keyset_link, KeysetPaging(per_page=3), [3, 3, 1]),
    ],
)
def test_every_item_comes_once(
    script: Script, reply: Callable[[Request], Response], paging: Paging, sizes: list[int]
) -> None:
    with Client(script.answers(reply)) as client:
        answers = list(client.pages("/things", {"state": "all"}, stream="thing", paging=paging))
    pages = [
        next(each for each in body.values() if isinstance(each, list)) if isinstance(body, dict) else body
        for body in (answer.json() for answer in answers)
    ]
    assert [len(page) for page in pages] == sizes
    assert functools.reduce(operator.iadd, pages, []) == ITEMS
    assert client.requests == {"thing": len(sizes)}
    assert {("state", "all")} <= set(script.received[-1].query)


def test_a_page_is_asked_for_when_the_one_before_is_taken(script: Script) -> None:
    with Client(script.answers(by_number)) as client:
        pages = client.pages("/things", stream="thing", paging=PagePaging(per_page=3))
        next(iter(pages))
        assert client.requests == {"thing": 1}


def test_an_unchanged_first_page_is_the_only_one(script: Script) -> None:
    replies = [ok([{"id": 1}], ETag='"a"'), Response(status_code=304)]
    with Client(script.answers(*replies)) as client:
        (first,) = client.pages("/", stream="thing", paging=PagePaging())
        (again,) = client.pages("/", stream="thing", paging=PagePaging(), validator=first.validator)
    assert again.is_unchanged
    assert script.received[1].headers["if-none-match"] == '"a"'


def test_a_validator_is_of_the_first_page_alone(script: Script) -> None:
    with Client(script.answers(by_number)) as client:
        list(client.pages("/", stream="thing", paging=PagePaging(per_page=3), validator={"etag": '"a"'}))
    assert ["if-none-match" in request.headers for request in script.received] == [True, False, False]


@pytest.mark.parametrize(
    ("reply", "paging"),
    [
        (lambda request: ok([{"id": 1}], Link=f'<{request.url}>; rel="next"'), LinkPaging()),
        (ok([{"id": 1}], Link='</?page=2>; rel="next"'), LinkPaging()),
        (ok([{"id": 1}]), PagePaging(per_page=1)),
        (lambda request: ok({"a": [{"id": 1, "at": request.url.query}]}), PagePaging(per_page=1)),
        (lambda request: ok({"a": [], "more": True}, X=request.url.query), OffsetPaging(limit=10**9)),
        (ok({"a": ["x"], "more": True}), OffsetPaging()),
        (ok({"items": [], "pageInfo": {"nextCursor": "c"}}), CursorPaging(read=cursor)),
        (ok([{"id": 5}]), KeysetPaging(per_page=1)),
    ],
)
def test_pages_that_go_round_in_circles_end(script: Script, reply: Reply, paging: Paging) -> None:
    script.answers(reply)
    with Client(script.url, retries=2) as client, pytest.raises(HttpError, match="repeat themselves"):
        list(client.pages("/", stream="thing", paging=paging))
    assert client.requests["thing"] < 120


def test_a_page_that_comes_twice_is_asked_for_again(script: Script) -> None:
    """As from a cache that mixes up two requests: what should have come must not be missed."""
    first, second = ok([{"id": 1}, {"id": 2}]), ok([{"id": 3}])
    with Client(script.answers(first, first, second)) as client:
        pages = client.pages("/", stream="thing", paging=PagePaging(per_page=2))
        assert [item["id"] for answer in pages for item in answer.json()] == [1, 2, 3]


@pytest.mark.parametrize("prefix", ["http://127.0.0.1", "http://localhost", "//127.0.0.1"])
def test_no_page_is_on_another_origin(script: Script, prefix: str) -> None:
    with scripted(ok([])) as elsewhere:
        address = f"{prefix}:{elsewhere.url.rpartition(':')[2]}/?token=abc-123"
        script.answers(ok([{"id": 1}], Link=f'<{address}>; rel="next"'))
        with Client(script.url, auth=bearer(SecretStr("abc-123"))) as client:
            pages = client.pages("/", stream="thing", paging=LinkPaging())
            assert next(pages).json() == [{"id": 1}]
            with pytest.raises(HttpError, match=r"said to go on at http://\S+, which is not") as caught:
                next(pages)
        assert "abc-123" not in str(caught.value)
        assert elsewhere.received == []


def test_a_relative_link_is_followed(script: Script) -> None:
    script.answers(ok([{"id": 1}], Link='<next?page=2>; rel="next"'), ok([{"id": 2}]))
    with Client(f"{script.url}/api") as client:
        answers = list(client.pages("/a/b", stream="thing", paging=LinkPaging()))
    assert len(answers) == 2
    assert script.received[1].path == "/api/a/next"


def test_a_fault_midway_is_waited_out_and_an_error_is_raised(script: Script) -> None:
    first, second = (ok([{"id": n}], Link=f'</?page={n + 1}>; rel="next"') for n in (1, 2))
    script.answers(first, error(502), second, error(404))
    with Client(script.url) as client:
        pages = client.pages("/", stream="thing", paging=LinkPaging())
        assert [next(pages).json(), next(pages).json()] == [[{"id": 1}], [{"id": 2}]]
        with pytest.raises(HttpError):
            next(pages)


def graphql(nodes: list[int], following: str | None) -> Response:
    page = {"hasNextPage": following is not None, "endCursor": following}
    return ok({"data": {"repository": {"pulls": {"nodes": [{"id": n} for n in nodes], "pageInfo": page}}}})


def pulls(data: Any) -> Any:
    return (data["repository"] or {}).get("pulls")


def test_graphql_pages(script: Script) -> None:
    first, last = graphql([1, 2], "a"), graphql([3], None)
    named: dict[str, JsonValue] = {"name": "x"}
    with Client(script.answers(first, first, last)) as client:
        pages = graphql_pages(client, "query", named, connection=pulls, stream="pull", variable="after")
        nodes = [node["id"] for answer in pages for node in pulls(answer["data"])["nodes"]]
    assert nodes == [1, 2, 3]
    assert script.bodies == [
        b'{"query": "query", "variables": {"name": "x"}}',
        b'{"query": "query", "variables": {"name": "x", "after": "a"}}',
        b'{"query": "query", "variables": {"name": "x", "after": "a"}}',
    ]


def test_graphql_pages_of_what_is_not_there(script: Script) -> None:
    gone = {"data": {"repository": None}, "errors": [{"type": "NOT_FOUND"}]}
    with Client(script.answers(ok(gone))) as client:
        assert list(graphql_pages(client, "query", {}, connection=pulls, stream="pull")) == [gone]


@pytest.mark.parametrize("nodes", [[1], [1, 2, 3]])
def test_graphql_pages_end(script: Script, nodes: list[int]) -> None:
    script.answers(*(graphql([node], "a") for node in nodes))
    with Client(script.url, retries=1) as client, pytest.raises(HttpError, match="repeat themselves"):
        list(graphql_pages(client, "query", {}, connection=pulls, stream="pull"))
