"""What GitHub is asked, held against its own descriptions; its documented answers are understood."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import parse, validate
from graphql.execution.values import get_variable_values
from graphql.language.ast import OperationDefinitionNode

from connectors.connector import Context
from connectors.github import runs as github_runs
from connectors.github.api import Listed
from connectors.parsing import instant, parsed
from connectors.records import Job, PipelineRun
from demo.world import Review
from tests.connectors.contract import Loaded
from tests.connectors.github_host import ADA, GitHubHost, at, commit, deployment, github, pull_request, run
from tests.connectors.github_schema import queries, schema
from tests.specification import Specification


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


@pytest.fixture(scope="module")
def specification() -> Specification:
    return Specification("github")


@pytest.mark.parametrize("name", queries())
def test_every_query_is_valid(name: str) -> None:
    assert not validate(schema(), parse(queries()[name]))


def test_a_wrong_query_is_found_out() -> None:
    """The schema is not so stripped that it lets everything pass."""
    for wrong in ("{ nothing }", "{ repository(owner: 1) { name } }", "{ repository { stars } }"):
        assert validate(schema(), parse(wrong))


def test_every_request_is_one_that_github_describes(
    host: GitHubHost, tmp_path: Path, specification: Specification
) -> None:
    shop = host.shop
    shop.pull_requests = [
        pull_request(1, commits=tuple(map(commit, range(150)))),
        pull_request(2, reviews=tuple(Review(number, ADA, "COMMENTED", at(30)) for number in range(60))),
    ]
    shop.runs = [run(50, conclusion=None), *map(run, range(51, 301))]
    shop.deployments = [deployment(1, "in_progress"), deployment(2, *["in_progress"] * 120)]
    host.world.memberships += [host.world.memberships[0]] * 3
    loaded = Loaded()
    host.read(tmp_path / "cache", loaded, since=at(-48).date())
    shop.deployments.append(deployment(3))
    shop.runs += map(run, range(301, 500))
    host.read(tmp_path / "cache", loaded)
    list(host.connector(tmp_path / "cache").check())

    asked = set()
    for each in host.received:
        if each.method == "GET":
            given = dict(each.query)
            # A range, as its description says; its schema is that of one moment.
            windows = given.pop("created", "2024-03-04T09:00:00Z..2024-03-04T10:00:00Z").split("..")
            assert all(instant(moment) for moment in windows)
            specification.request("GET", each.path, given)
            asked.add(each.path.rpartition("/")[2])
    assert {"runs", "jobs", "5050", "user", "rate_limit"} <= asked

    full = schema()
    names = set()
    for text, variables in host.queries:
        (operation,) = parse(text).definitions
        assert isinstance(operation, OperationDefinitionNode)
        coerced = get_variable_values(full, operation.variable_definitions, variables)
        assert not isinstance(coerced, list), coerced
        assert operation.name
        names.add(operation.name.value)
    assert names == {
        "Repositories",
        "Teams",
        "PullRequests",
        "PullRequestCommits",
        "PullRequestReviews",
        "PullRequestTimes",
        "Deployments",
        "DeploymentTimes",
        "DeploymentsAgain",
        "DeploymentStatuses",
        "Releases",
        "Incidents",
        "Files",
    }


class TestExamples:
    """GitHub's documented answers."""

    @pytest.fixture(autouse=True)
    def full(self, specification: Specification) -> None:
        if not specification.is_full:
            pytest.skip("the examples are in the full description alone")

    @pytest.fixture
    def repository(self) -> Listed:
        return Listed("1", "hello", "o/hello", "https://x", "main", False, False, "", None, {}, frozenset())

    @pytest.mark.parametrize(
        ("path", "field"),
        [
            ("/repos/octo-org/octo-repo/actions/runs", "workflow_runs"),
            ("/repos/octo-org/octo-repo/actions/runs/1", None),
            ("/repos/octo-org/octo-repo/actions/runs/1/attempts/1", None),
        ],
    )
    def test_runs_are_understood(
        self, specification: Specification, repository: Listed, path: str, field: str | None
    ) -> None:
        records = self.understood(
            specification,
            path,
            field,
            lambda item: github_runs.pipeline_run(item, repository, Context(Path(), b"key")),
        )
        for record in records:
            assert isinstance(record, PipelineRun)
            assert record.workflow.startswith(".github/workflows/")
            assert "@" not in record.workflow

    def test_jobs_are_understood(self, specification: Specification, repository: Listed) -> None:
        path = "/repos/octo-org/octo-repo/actions/runs/1/attempts/1/jobs"
        records = self.understood(specification, path, "jobs", lambda item: github_runs.job(item, repository))
        assert all(isinstance(record, Job) and record.runner for record in records)

    def understood(
        self, specification: Specification, path: str, field: str | None, parse: Any
    ) -> list[PipelineRun | Job]:
        examples = specification.examples("GET", path)
        items = [item for each in examples for item in (each[field] if field else [each])]
        assert items
        records, failed = parsed(items, parse, "any", "1", lambda item: item["id"])
        assert not failed
        return records
