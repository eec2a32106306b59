"""The demo's GitHub: its answers fit the official specification and schema, its refusals are GitHub's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from graphql import ExecutionResult, GraphQLResolveInfo, execute, parse

from connectors.github import queries as github_queries
from demo.servers.github import RUNS_CAP, app
from demo.world import Repository, World
from tests.connectors.github_host import TOKEN, at, pull_request, repository, run, small_world
from tests.connectors.github_schema import queries, schema
from tests.serving import serving
from tests.specification import Specification

RUNS = "/repos/acme/shop/actions/runs"


@pytest.fixture(scope="module")
def specification() -> Specification:
    return Specification("github")


def made() -> World:
    made = small_world()
    made.repositories["shop"].pull_requests.append(pull_request(9, author=None, reverts=3, merged_at=None))
    made.repositories["shop"].runs.append(run(4, conclusion=None))
    made.repositories["new"] = repository(73, "new", former_names=("old",))
    return made


class Client:
    """Asks a server, and takes what it answers as it is."""

    def __init__(self, url: str, token: str | None = TOKEN) -> None:
        self.url = url
        self._token = token

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[HTTPResponse, Any]:
        return self._ask("GET", path, headers or {}, None)

    def graphql(self, query: str, path: str = "/graphql", **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables})
        answer: dict[str, Any] = self._ask("POST", path, {}, body)[1]
        return answer

    def _ask(
        self, method: str, path: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[HTTPResponse, Any]:
        address = urlsplit(self.url)
        connection = HTTPConnection(str(address.hostname), address.port or 80)
        known = {"User-Agent": "test", **({"Authorization": f"Bearer {self._token}"} if self._token else {})}
        connection.request(method, path, body, {**known, **headers})
        response = connection.getresponse()
        content = response.read()
        return response, json.loads(content) if content else None


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Of a world that stays as it is."""
    with serving(app(made(), TOKEN)) as url:
        yield Client(url)


class Changing(NamedTuple):
    client: Client
    world: World

    @property
    def shop(self) -> Repository:
        return self.world.repositories["shop"]


@pytest.fixture
def changing() -> Iterator[Changing]:
    world = made()
    with serving(app(world, TOKEN)) as url:
        yield Changing(Client(url), world)


class TestRest:
    @pytest.mark.parametrize(
        "path",
        [
            "/user",
            "/rate_limit",
            "/repos/acme/shop",
            RUNS,
            f"{RUNS}/5002",
            f"{RUNS}/5002/attempts/1",
            f"{RUNS}/5002/attempts/2/jobs",
        ],
    )
    def test_answers_fit_the_specification(
        self, client: Client, specification: Specification, path: str
    ) -> None:
        response, body = client.get(path)
        assert response.status == 200
        specification.response("GET", path, 200, body)

    def test_a_list_of_runs_shows_the_last_attempt_newest_first(self, client: Client) -> None:
        _, body = client.get(RUNS)
        assert [(each["id"], each["run_attempt"]) for each in body["workflow_runs"]] == [
            (5004, 1),
            (5003, 1),
            (5002, 2),
            (5001, 1),
        ]
        assert (body["workflow_runs"][0]["status"], body["workflow_runs"][0]["conclusion"]) == (
            "in_progress",
            None,
        )

    @pytest.mark.parametrize(
        ("created", "numbers"),
        [
            ("2024-03-04T10:00:00Z..2024-03-04T11:00:00Z", [2, 1]),
            (">=2024-03-04T12:00:00Z", [4, 3]),
            (">2024-03-04T12:00:00Z", [4]),
            ("<2024-03-04T11:00:00Z", [1]),
            ("<=2024-03-04T11:00:00Z", [2, 1]),
            ("*..2024-03-04T10:00:00Z", [1]),
            ("2024-03-04", [4, 3, 2, 1]),
            ("2024-03-05", []),
        ],
    )
    def test_runs_are_filtered_by_time(self, client: Client, created: str, numbers: list[int]) -> None:
        _, body = client.get(f"{RUNS}?created={created}")
        assert [each["run_number"] for each in body["workflow_runs"]] == numbers
        assert body["total_count"] == len(numbers)

    def test_no_more_than_a_thousand_runs_of_a_filtered_list_are_given_out(self, changing: Changing) -> None:
        client = changing.client
        moment = datetime(2024, 6, 1, tzinfo=UTC)
        changing.shop.runs = [
            run(number, created_at=moment + timedelta(seconds=number)) for number in range(RUNS_CAP + 50)
        ]
        _, body = client.get(f"{RUNS}?created=>=2024-06-01&per_page=100&page=11")
        assert (body["total_count"], body["workflow_runs"]) == (RUNS_CAP + 50, [])
        response, body = client.get(f"{RUNS}?per_page=100&page=11")
        assert len(body["workflow_runs"]) == 50
        assert 'rel="next"' not in response.headers["Link"]

    def test_pages_are_linked(self, client: Client) -> None:
        response, _ = client.get(f"{RUNS}?per_page=3")
        link = f"<{client.url}{RUNS}?per_page=3&page=2>"
        assert response.headers["Link"] == f'{link}; rel="next", {link}; rel="last"'
        response, body = client.get(f"{RUNS}?per_page=3&page=2")
        assert len(body["workflow_runs"]) == 1
        link = f"<{client.url}{RUNS}?per_page=3&page=1>"
        assert response.headers["Link"] == f'{link}; rel="prev", {link}; rel="first"'

    def test_what_is_as_it_was_is_not_sent_and_not_counted(self, changing: Changing) -> None:
        client = changing.client
        response, _ = client.get(RUNS)
        left = response.headers["X-RateLimit-Remaining"]
        condition = {"If-None-Match": response.headers["ETag"]}
        response, body = client.get(RUNS, condition)
        assert (response.status, body) == (304, None)
        assert response.headers["X-RateLimit-Remaining"] == left
        changing.shop.runs.append(run(7))
        assert client.get(RUNS, condition)[0].status == 200

    def test_a_renamed_repository_is_redirected_to_its_number(self, client: Client) -> None:
        response, _ = client.get("/repos/acme/old/actions/runs?per_page=5")
        assert response.status == 301
        location = response.headers["Location"]
        assert location == f"{client.url}/repositories/73/actions/runs?per_page=5"
        assert client.get(location.removeprefix(client.url))[0].status == 200

    @pytest.mark.parametrize(
        ("token", "path", "status", "message"),
        [
            (None, RUNS, 401, "Requires authentication"),
            ("wrong", RUNS, 401, "Bad credentials"),
            (TOKEN, "/repos/acme/none/actions/runs", 404, "Not Found"),
            (TOKEN, "/repos/other/shop/actions/runs", 404, "Not Found"),
            (TOKEN, f"{RUNS}/1", 404, "Not Found"),
            (TOKEN, f"{RUNS}/5002/attempts/3", 404, "Not Found"),
            (TOKEN, "/nothing/here", 404, "Not Found"),
        ],
    )
    def test_refusals_are_githubs(
        self, client: Client, token: str | None, path: str, status: int, message: str
    ) -> None:
        response, body = Client(client.url, token).get(path)
        assert (response.status, body["message"], body["status"]) == (status, message, str(status))
        assert response.headers["X-GitHub-Request-Id"]

    def test_enterprise_servers_paths_are_served_too(self, client: Client) -> None:
        response, body = client.get(f"/api/v3{RUNS}?per_page=1")
        assert response.headers["Link"].startswith(f"<{client.url}/api/v3{RUNS}?")
        assert body["workflow_runs"][0]["url"] == f"{client.url}/api/v3{RUNS}/5004"
        assert client.graphql("{ viewer { login } }", "/api/graphql")["data"]["viewer"]["login"]


VARIABLES: dict[str, Any] = {
    "owner": "acme",
    "name": "shop",
    "first": 50,
    "after": None,
    "pullRequests": True,
    "deployments": True,
    "releases": True,
    "number": 1,
    "label": "incident",
    "label0": "incident",
    "label1": "bug",
    "slug": "web",
    "ids": ["DE_71_901", "DE_71_902"],
    "id": "DE_71_901",
}


SHOP = '{ repository(owner: "acme", name: "shop") { %s } }'


class TestGraphQL:
    @pytest.mark.parametrize("name", queries())
    def test_answers_fit_the_schema(self, client: Client, name: str) -> None:
        answer = client.graphql(queries()[name], **VARIABLES)
        assert "errors" not in answer
        completed = _completed(queries()[name], answer["data"])
        assert completed.errors is None
        assert completed.data == answer["data"]

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("{ repository(owner: 'x') { name } }", "Syntax Error"),
            ("{ viewer { stars } }", "Field 'stars' doesn't exist on type 'User'"),
            ("{ viewer(size: 1) { login } }", "doesn't accept argument 'size'"),
            ("{ viewer }", "must have selections"),
            (SHOP % "releases { totalCount }", "You must provide a `first`"),
            (SHOP % "releases(first: 101) { totalCount }", "exceeds the limit"),
            (
                SHOP % 'releases(first: 1, after: "x") { totalCount }',
                "`x` does not appear to be a valid cursor",
            ),
            ("query($a: String!) { repositoryOwner(login: $a) { login } }", "Variable $a of type String!"),
            ("{ repositoryOwner(login: $a) { login } }", "Variable $a is used"),
            ("{ ...x }", "Fragment x was used"),
            ("mutation { addStar { id } }", "cannot be changed"),
        ],
    )
    def test_what_github_refuses_is_refused(self, client: Client, query: str, words: str) -> None:
        answer = client.graphql(query)
        assert words in answer["errors"][0]["message"]
        assert "data" not in answer

    def test_fragments_aliases_and_conditions_are_understood(self, client: Client) -> None:
        query = """
            query($owner: String!, $with: Boolean = false) {
              ...theirs
              again: repository(owner: $owner, name: "shop") { called: name id @skip(if: true) }
            }
            fragment theirs on Query {
              repository(owner: $owner, name: "shop") { ... on Repository { name url @include(if: $with) } }
            }"""
        answer = client.graphql(query, owner="acme")
        assert answer == {"data": {"repository": {"name": "shop"}, "again": {"called": "shop"}}}

    @pytest.mark.parametrize("direction", ["ASC", "DESC"])
    def test_a_connection_is_walked_either_way(self, changing: Changing, direction: str) -> None:
        changing.shop.pull_requests = [
            pull_request(number, updated_at=at(number // 3)) for number in range(1, 12)
        ]
        query = """
            query($after: String, $direction: OrderDirection!) {
              repository(owner: "acme", name: "shop") {
                pullRequests(first: 4, after: $after, orderBy: {field: UPDATED_AT, direction: $direction}) {
                  totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes { number }
                }
              }
            }"""
        seen, after = [], None
        for page in range(3):
            answer = changing.client.graphql(query, after=after, direction=direction)
            found = answer["data"]["repository"]["pullRequests"]
            seen += [node["number"] for node in found["nodes"]]
            after = found["pageInfo"]["endCursor"]
            assert found["pageInfo"]["hasNextPage"] is (page < 2)
            assert found["pageInfo"]["hasPreviousPage"] is (page > 0)
            assert found["totalCount"] == 11
        assert seen == sorted(range(1, 12), reverse=direction == "DESC")

    def test_a_cursor_stays_where_it_was_while_items_move(self, changing: Changing) -> None:
        query = """
            query($after: String) {
              repository(owner: "acme", name: "shop") {
                pullRequests(first: 2, after: $after, orderBy: {field: UPDATED_AT, direction: ASC}) {
                  pageInfo { endCursor } nodes { number }
                }
              }
            }"""
        client, shop = changing.client, changing.shop
        shop.pull_requests = [pull_request(number) for number in (1, 2, 3, 4)]
        first = client.graphql(query)["data"]["repository"]["pullRequests"]
        shop.pull_requests[0] = pull_request(1, updated_at=at(100))
        then = client.graphql(query, after=first["pageInfo"]["endCursor"])["data"]["repository"][
            "pullRequests"
        ]
        assert [[node["number"] for node in page["nodes"]] for page in (first, then)] == [[1, 2], [3, 4]]

    def test_what_is_not_there_is_null_with_an_error(self, client: Client) -> None:
        answer = client.graphql('{ repository(owner: "acme", name: "none") { name } }')
        assert answer["data"] == {"repository": None}
        (error,) = answer["errors"]
        assert (error["type"], error["path"]) == ("NOT_FOUND", ["repository"])
        assert error["message"] == "Could not resolve to a Repository with the name 'acme/none'."
        assert client.graphql('{ repositoryOwner(login: "none") { login } }') == {
            "data": {"repositoryOwner": None}
        }

    def test_a_former_name_is_followed(self, client: Client) -> None:
        answer = client.graphql('{ repository(owner: "ACME", name: "Old") { name } }')
        assert answer["data"]["repository"]["name"] == "new"

    def test_teams_need_their_scope(self) -> None:
        with serving(app(made(), TOKEN, scopes=["repo"])) as url:
            answer = Client(url).graphql(github_queries.TEAMS, **VARIABLES)
            response, _ = Client(url).get("/user")
        assert answer["errors"][0]["type"] == "INSUFFICIENT_SCOPES"
        assert response.headers["X-OAuth-Scopes"] == "repo"

    def test_those_who_left_a_team_are_not_in_it(self, client: Client) -> None:
        teams = client.graphql(github_queries.TEAMS, **VARIABLES)["data"]["organization"]["teams"]["nodes"]
        assert {team["slug"]: [each["login"] for each in team["members"]["nodes"]] for team in teams} == {
            "product": [],
            "web": ["ada-l"],
        }


def _completed(query: str, data: dict[str, Any]) -> ExecutionResult:
    """What a server with GitHub's schema makes of `data`: errors where it does not fit."""

    def held(source: Any, info: GraphQLResolveInfo, **_: Any) -> Any:
        return source[info.path.key]

    def kind(value: Any, *_: Any) -> str:
        if "entries" in value:
            return "Tree"
        if "text" in value:
            return "Blob"
        if "statuses" in value:
            return "Deployment"
        if "repositories" in value:
            return str(value["__typename"])
        return str(value.get("__typename", "ReadyForReviewEvent" if "createdAt" in value else "Commit"))

    result = execute(
        schema(),
        parse(query),
        root_value=data,
        variable_values=VARIABLES,
        field_resolver=held,
        type_resolver=kind,
    )
    assert isinstance(result, ExecutionResult)
    return result
