"""GitLab: what the connector asks, held against GitLab's own API descriptions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from connectors.gitlab.discussions import _QUERY
from tests.connectors.gitlab_host import (
    GitLabHost,
    Project,
    commit,
    deployment,
    issue,
    job,
    merge_request,
    pipeline,
)
from tests.connectors.gitlab_reader import reading
from tests.histories import Upstream
from tests.serving import Received
from tests.specification import Specification

PAGING = {"page", "per_page", "pagination", "cursor", "id_after"}
"""Of every list, and described apart from all of them."""

UNKNOWN = {
    # The full description is a copy of 2020 without these.
    r"/projects/\d+/merge_requests": "lists of merge requests",
    r"/projects/\d+/merge_requests/\d+/commits": "their commits",
    r"/projects/\d+/deployments": "deployments",
    r"/groups/\d+/members": "members",
    r"/personal_access_tokens/self": "from GitLab 15.5 on",
    r"/graphql": "no REST",
}
"""What the descriptions do not hold."""

NEWER = {
    "issues": {"issue_type"},
    "jobs": {"include_retried", "order_by", "sort"},
}
"""End of a path → parameters that came after the descriptions."""


@pytest.fixture(scope="module")
def received(tmp_path_factory: pytest.TempPathFactory) -> list[Received]:
    """All that a reading of everything asks, by GraphQL and by REST, with a group and without."""
    folder = tmp_path_factory.mktemp("gitlab")
    Upstream(folder / "git" / "acme" / "shop.git").commit()
    project = Project(empty_repo=False)
    project.merge_requests = [merge_request(n, n) for n in range(1, 200)]
    project.commits[1] = [commit(n, n) for n in range(700)]
    project.pipelines = [pipeline(n, n) for n in range(1, 4)]
    project.details = {3: {"started_at": None, "finished_at": None}}
    project.jobs = [job(n, n, n) for n in range(1, 3)]
    project.deployments = [deployment(n, n) for n in range(1, 4)]
    project.issues = [issue(1, 1)]
    project.releases = [{"tag_name": "v1", "released_at": None, "commit": None}]
    project.files[".gitlab-ci.yml"] = "{}"
    found: list[Received] = []
    for number, (group, has_graphql, has_keyset) in enumerate([("acme", True, True), (None, False, False)]):
        host = GitLabHost(project)
        host.has_graphql, host.has_keyset = has_graphql, has_keyset or group is None
        cache = folder / str(number)
        with reading(host, cache, group=group, projects=["*"], git=str(folder / "git")) as reader:
            list(reader.connector().check())
            found += reader.received
            for _ in range(2):
                reader.read()
                found += reader.received
            project.pipelines[0] |= {"updated_at": project.merge_requests[-1]["updated_at"]}
            reader.read()
            found += reader.received
    return found


def test_every_request_is_one_that_gitlab_describes(received: list[Received]) -> None:
    described = [Specification("gitlab-v4-full"), Specification("gitlab")]
    checked = set()
    for each in received:
        path = each.path.removeprefix("/api").removeprefix("/v4")
        if any(re.fullmatch(pattern, path) for pattern in UNKNOWN):
            continue
        newer = NEWER.get(path.rpartition("/")[2], set())
        query = [(name, value) for name, value in each.query if name not in PAGING | newer]
        complaints = []
        for specification in described:
            try:
                specification.request(each.method, f"/api/v4{path}", query)
            except AssertionError as error:
                complaints.append(str(error))
        assert len(complaints) < len(described), f"{path}: {complaints[0]}"
        checked.add(re.sub(r"\d+", "1", path))
    assert {
        "/groups/acme",
        "/groups/acme/projects",
        "/projects",
        "/projects/1/issues",
        "/projects/1/jobs",
        "/projects/1/pipelines",
        "/projects/1/pipelines/1",
        "/projects/1/pipelines/1/jobs",
        "/projects/1/releases",
        "/projects/1/environments/1",
        "/projects/1/merge_requests/1/notes",
    } <= {path.replace("shop1", "shop") for path in checked}


def test_what_is_unknown_is_asked_as_documented(received: list[Received]) -> None:
    asked = {
        pattern: [each for each in received if re.search(f"{pattern}$", each.path)] for pattern in UNKNOWN
    }
    assert not [pattern for pattern, found in asked.items() if not found], (
        "list no exception that is not needed"
    )
    lists = asked[r"/projects/\d+/merge_requests"] + asked[r"/projects/\d+/deployments"]
    for each in lists:
        query = dict(each.query)
        # GitLab refuses to filter deployments by a time that they are not ordered by.
        assert query["order_by"] == "updated_at"
        assert int(query["per_page"]) <= 100
        assert "updated_after" not in query or re.fullmatch(
            r"\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z", query["updated_after"]
        )


def test_no_request_shows_the_token(received: list[Received]) -> None:
    for each in received:
        assert GitLabHost.token not in json.dumps([each.path, each.query])
        assert each.headers["private-token"] == GitLabHost.token


def test_the_query_stays_below_gitlabs_limit_of_complexity() -> None:
    """Roughly counted as GitLab does: a point for each field, more where a list of 20 holds it."""
    fields = re.findall(
        r"\b(?!query|MergeRequests|first|path|iids|fullPath)[a-z]\w+\b", _QUERY.split("{", 1)[1]
    )
    assert len(fields) * 1.2 * 2 < 200


def test_the_path_of_a_group_is_one_segment(tmp_path: Path) -> None:
    host = GitLabHost(Project(7, "acme/ops/shop"))
    host.groups = {5: {"id": 5, "full_path": "acme/ops", "name": "Ops", "parent_id": 1}}
    host.members = {5: []}
    with reading(host, tmp_path, group="acme/ops") as reader:
        reader.read()
        assert "/api/v4/groups/acme%2Fops/projects" in [each.path for each in reader.received]
