"""The demo's Backstage: its walks, its refusals, its answers held against specification and recordings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.connectors.backstage_portal import TOKEN, Portal, component, task
from tests.recorded import BOTH
from tests.serving import serving
from tests.specification import Specification

CATALOG, TASKS = "/api/catalog", "/api/scaffolder/v2/tasks"
BY_QUERY = f"{CATALOG}/entities/by-query"


@pytest.fixture(scope="module")
def portal() -> Portal:
    made = Portal()
    made.world.components += [component(f"part-{number}", tags=("python",)) for number in range(9)]
    made.world.tasks.append(task(3, at=3, status="processing"))
    return made


@pytest.fixture(scope="module")
def url(portal: Portal) -> Iterator[str]:
    with serving(portal.server) as url:
        yield url


def get(url: str, path: str, query: Any = (), token: str | None = TOKEN) -> tuple[int, Any]:
    """Status and body."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    connection.request("GET", f"{path}?{urlencode(query, doseq=True)}", headers=headers)
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body


def specification(path: str) -> Specification:
    return Specification("backstage-catalog" if path.startswith(CATALOG) else "backstage-scaffolder")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (BY_QUERY, {"limit": "500"}),
        (BY_QUERY, {"filter": ["kind=group", "kind=user"], "limit": "1"}),
        (f"{CATALOG}/entities", {"filter": "kind=component,spec.type=website"}),
        (f"{CATALOG}/entities/by-name/component/default/cart", {}),
        (f"{CATALOG}/entity-facets", {"facet": ["kind", "spec.type"]}),
        (TASKS, {"limit": "2", "offset": "1", "order": "asc:created_at"}),
        (f"{TASKS}/{task(1, at=0).id}", {}),
        (f"{TASKS}/{task(1, at=0).id}/events", {}),
        (f"{TASKS}/{task(2, at=0).id}/events", {"after": "12"}),
        (f"{TASKS}/{task(3, at=0).id}/events", {}),
    ],
)
def test_answers_are_as_specified(url: str, path: str, query: dict[str, Any]) -> None:
    listed = [
        (name, v) for name, value in query.items() for v in ([value] if isinstance(value, str) else value)
    ]
    specification(path).request("GET", path, listed)
    status, body = get(url, path, query)
    assert status == 200
    specification(path).response("GET", path, 200, body)


@pytest.mark.parametrize(
    ("path", "query", "status", "name"),
    [
        (BY_QUERY, {"cursor": "nonsense"}, 400, "InputError"),
        (BY_QUERY, {"limit": "many"}, 400, "InputError"),
        (f"{CATALOG}/entity-facets", {}, 400, "InputError"),
        (TASKS, {"since": "2025-01-01"}, 400, "InputError"),
        (TASKS, {"order": "newest"}, 400, "InputError"),
        (f"{CATALOG}/entities/by-name/component/default/none", {}, 404, "NotFoundError"),
        (f"{TASKS}/none", {}, 404, "NotFoundError"),
        ("/api/nothing", {}, 404, "NotFoundError"),
    ],
)
def test_refusals_are_in_backstages_words(
    url: str, path: str, query: dict[str, str], status: int, name: str
) -> None:
    said, body = get(url, path, query)
    assert (said, body["error"]["name"], body["response"]) == (status, name, {"statusCode": status})
    if status == 400:
        specification(path).response("GET", path, 400, body)


@BOTH
def test_a_wrong_token_is_refused_as_recorded(url: str, recordings: Path) -> None:
    theirs = loaded(recordings, "unauthorized")
    assert get(url, BY_QUERY, token="another") == (401, theirs)
    assert get(url, BY_QUERY, token=None)[1]["error"]["message"] == "Missing credentials"


def test_a_walk_reaches_everything_once_both_ways(url: str) -> None:
    found: list[str] = []
    query: dict[str, str] | None = {"filter": "kind=component", "limit": "4"}
    before = None
    while query:
        is_first = not found
        _, body = get(url, BY_QUERY, query)
        found += [each["metadata"]["name"] for each in body["items"]]
        assert body["totalItems"] == 11
        assert ("prevCursor" in body["pageInfo"]) != is_first
        before = body["pageInfo"].get("prevCursor")
        following = body["pageInfo"].get("nextCursor")
        query = {"cursor": following, "limit": "4"} if following else None
    assert len(found) == len(set(found)) == 11
    assert before
    assert len(get(url, BY_QUERY, {"cursor": before, "limit": "4"})[1]["items"]) == 4


def test_fields_and_filters_are_paths(url: str) -> None:
    fields = "metadata.name,metadata.annotations.github.com/project-slug,spec.owner"
    _, body = get(url, BY_QUERY, {"filter": "kind=component,metadata.name=CART", "fields": fields})
    assert body["items"] == [
        {
            "metadata": {"name": "cart", "annotations": {"github.com/project-slug": "acme/cart"}},
            "spec": {"owner": "group:default/pay"},
        }
    ]
    owned = {"filter": "relations.ownedBy=group:default/web"}
    assert [each["metadata"]["name"] for each in get(url, BY_QUERY, owned)[1]["items"]] == ["site"]
    lacking = {"filter": "kind=component", "orderField": "spec.nothing,asc"}
    assert get(url, BY_QUERY, lacking)[1]["items"] == []
    ordered = get(url, BY_QUERY, {"filter": "kind=user", "orderField": "metadata.name,desc"})[1]["items"]
    assert [each["metadata"]["name"] for each in ordered] == ["cy", "bo", "ada"]


def test_tasks_come_newest_first_and_are_filtered(url: str) -> None:
    def ids(**query: str) -> list[str]:
        return [each["id"][-1] for each in get(url, TASKS, query)[1]["tasks"]]

    assert ids() == ["3", "2", "1"]
    assert ids(order="asc:created_at", limit="2") == ["1", "2"]
    assert ids(status="failed") == ["2"]
    assert ids(createdBy="user:default/bo") == []


def test_relations_go_both_ways(url: str) -> None:
    _, group = get(url, f"{CATALOG}/entities/by-name/group/default/web")
    assert {(each["type"], each["targetRef"]) for each in group["relations"]} == {
        ("childOf", "group:default/shop"),
        ("hasMember", "user:default/cy"),
        ("ownerOf", "component:default/site"),
    }
    _, user = get(url, f"{CATALOG}/entities/by-name/user/default/cy")
    assert user["relations"] == [{"type": "memberOf", "targetRef": "group:default/web"}]


def loaded(recordings: Path, name: str) -> Any:
    file = recordings / "backstage" / f"{name}.json"
    if not file.exists():
        pytest.skip(f"no recordings of backstage in {recordings}")
    return json.loads(file.read_text())


def shape(value: Any, depth: int = 3) -> Any:
    """Names and types, as deep as entities are alike."""
    if isinstance(value, dict) and depth:
        return {key: shape(value[key], depth - 1) for key in sorted(value)}
    return type(value).__name__


@BOTH
def test_answers_are_shaped_like_recorded_ones(url: str, recordings: Path) -> None:
    theirs = loaded(recordings, "entity_svc-01")
    _, ours = get(url, f"{CATALOG}/entities/by-name/component/default/part-1")
    assert set(theirs) == set(ours)
    assert set(theirs["spec"]) == set(ours["spec"])
    assert set(theirs["metadata"]) - set(ours["metadata"]) == {"description"}
    assert {each["type"] for each in theirs["relations"]} == {each["type"] for each in ours["relations"]}
    people = [each for each in loaded(recordings, "by_query_walk_p7")["items"] if each["kind"] == "User"]
    _, user = get(url, f"{CATALOG}/entities/by-name/user/default/ada")
    assert shape(people[0]["spec"]) == shape(user["spec"])
    tasks = {each["status"]: each for each in loaded(recordings, "scaffolder_tasks_user_token")["tasks"]}
    _, run = get(url, f"{TASKS}/{task(1, at=0).id}")
    assert set(tasks["completed"]) == set(run)
    assert set(tasks["completed"]["spec"]) == set(run["spec"])
    for number, name in ((1, "completed"), (2, "failed")):
        _, events = get(url, f"{TASKS}/{task(number, at=0).id}/events")
        recorded = loaded(recordings, f"scaffolder_task_events_{name}")
        assert set(recorded[-1]) == set(events[-1])
        assert set(recorded[-1]["body"]) == set(events[-1]["body"])
        assert recorded[-1]["type"] == events[-1]["type"] == "completion"
