"""Jenkins, read from the demo's server and from one that answers by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydantic import ValidationError
from starlette.responses import HTMLResponse
from starlette.types import Receive, Scope, Send

from connectors.connector import (
    Batch,
    Connector,
    Context,
    Covered,
    Item,
    Note,
    Problem,
    Retained,
    SourceError,
)
from connectors.jenkins import JenkinsConnector, JenkinsOptions
from connectors.jenkins.builds import page_of
from connectors.records import Deployment, Job, PipelineRun
from demo.servers import jenkins as server
from demo.world import Build, JenkinsJob, Stage, World
from tests.connectors.contract import ConnectorContract, Loaded, Tool
from tests.connectors.jenkins_host import JenkinsHost, build, folder, job
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


class JenkinsTool(Tool):
    """Two branches and a job of the demo's server, behind an account."""

    secret = "11d9b6c0f3a84c6e"

    def __init__(self, live: Live, url: str) -> None:
        self.live = live
        self.url = url
        self.live.user, self.live.token = "reader", self.secret

    def connector(self, cache: Path) -> Connector:
        options = {"url": self.url, "user": "reader", "token": self.secret, "deployments": STAGES}
        return JenkinsConnector("ci", JenkinsOptions.model_validate(options), Context(cache, b"key"))

    def grow(self) -> None:
        main, topic, _ = self.live.world.jenkins
        main.builds.append(made(len(main.builds) + 1))
        topic.builds[-1] = replace(topic.builds[-1], result="FAILURE", stages=made(1).stages)

    def spoil(self) -> str:
        builds = self.live.world.jenkins[0].builds
        builds.append(replace(made(len(builds) + 1), remote_url=7))  # type: ignore[arg-type]
        return f"shop/api/main#{len(builds)}"

    def refuse(self) -> None:
        self.live.token = "another"


class TestContract(ConnectorContract):
    @pytest.fixture
    def tool(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tool]:
        monkeypatch.setattr("connectors.jenkins.reading._BATCH_SIZE", 2)
        monkeypatch.setattr("connectors.jenkins.reading._CHUNK", 1)
        live = Live(
            JenkinsJob(("shop", "api", "main"), is_branch=True, builds=[made(1), made(2), made(3)]),
            JenkinsJob(
                ("shop", "api", "ada%2Ftopic"),
                is_branch=True,
                builds=[made(1, branch="x"), made(2, result=None)],
            ),
            JenkinsJob(("nightly",), is_branch=False, builds=[made(1)]),
        )
        with serving(live) as url:
            yield JenkinsTool(live, url)


class TestBuilds:
    def test_a_build_of_a_branch_with_its_stages_and_deployment(self, tmp_path: Path) -> None:
        live = Live(JenkinsJob(("shop", "api", "main"), is_branch=True, builds=[made(1)]))
        with reading(live, tmp_path, deployments=STAGES) as reader:
            reader.read()
        at = NOW + timedelta(hours=1)
        (run,) = reader.records(PipelineRun)
        id_ = f"shop/api/main#1@{round(at.timestamp() * 1000)}"
        assert run == PipelineRun(
            id=id_,
            attempt=1,
            repository=None,
            repository_url="https://git.acme.example/acme/shop",
            workflow="shop/api",
            branch="main",
            event="BranchEventCause",
            sha=SHA,
            queued_at=at - timedelta(milliseconds=2_500),
            started_at=at,
            finished_at=at + timedelta(seconds=20),
            result="success",
            url="https://jenkins.demo.example/job/shop/job/api/job/main/1/",
        )
        deploy, test = reader.records(Job)
        assert (deploy.id, deploy.name, deploy.result) == (f"{id_}/14", "deploy", "success")
        assert (test.run, test.attempt, test.name, test.runner) == (id_, 1, "test", None)
        assert (test.started_at, test.finished_at) == (at, at + timedelta(seconds=9))
        (deployment,) = reader.records(Deployment)
        assert deployment == Deployment(
            id=f"{id_}/14:production:api",
            repository=None,
            repository_url="https://git.acme.example/acme/shop",
            service="api",
            environment="production",
            is_production=None,
            sha=SHA,
            ref="main",
            status="success",
            created_at=at + timedelta(seconds=10),
            started_at=at + timedelta(seconds=10),
            finished_at=at + timedelta(seconds=19),
            url=run.url,
        )

    def test_the_names_of_branches_and_people_do_not_land(self, tmp_path: Path) -> None:
        builds = [made(1, branch="ada-lovelace/fix")]
        live = Live(JenkinsJob(("shop", "api", "ada-lovelace%2Ffix"), is_branch=True, builds=builds))
        rule = {"job": "shop/api/(?P<branch>.+)", "environment": "$branch"}
        with reading(live, tmp_path, deployments=[rule]) as reader:
            items = reader.read()
        (run,) = reader.records(PipelineRun)
        assert run.workflow == "shop/api"
        assert run.branch == Context(tmp_path, b"key").branch("ada-lovelace/fix")
        assert run.url == "https://jenkins.demo.example/job/shop/job/api/"
        assert "/job/shop/job/api/job/ada-lovelace%252Ffix/api/json" in reader.requests
        assert len(reader.records(Deployment)) == 1
        assert "lovelace" not in repr(items)

    def test_who_started_a_build_is_not_even_asked_for(self, tmp_path: Path) -> None:
        cause = {"_class": "hudson.model.Cause$UserIdCause", "shortDescription": "by Ada", "userId": "ada"}
        host = JenkinsHost(job("nightly", 1, T0), nightly=[build(1, T0, {"causes": [cause]})])
        with reading(host, tmp_path) as reader:
            items = reader.read()
        assert [run.event for run in reader.records(PipelineRun)] == ["UserIdCause"]
        assert "Ada" not in repr(items)
        assert not [query for each in reader.received for _, query in each.query if "userId" in query]

    @pytest.mark.parametrize(
        ("result", "is_building", "expected"),
        [
            ("SUCCESS", False, "success"),
            ("UNSTABLE", False, "failed"),
            ("FAILURE", False, "failed"),
            ("ABORTED", False, "cancelled"),
            ("NOT_BUILT", False, "skipped"),
            ("SOMETHING", False, "unknown"),
            (None, False, "unknown"),
            (None, True, "running"),
            ("SUCCESS", True, "running"),
        ],
    )
    def test_results(self, tmp_path: Path, result: str | None, is_building: bool, expected: str) -> None:
        made_so = build(1, T0, result=result, building=is_building)
        with reading(JenkinsHost(job("nightly", 1, T0), nightly=[made_so]), tmp_path) as reader:
            reader.read()
        (run,) = reader.records(PipelineRun)
        assert run.result == expected
        assert (run.finished_at is None) == is_building
        assert run.queued_at is None

    def test_of_several_checkouts_the_one_that_is_no_library_counts(self, tmp_path: Path) -> None:
        def checkout(sha: str, branch: str, url: str) -> dict[str, Any]:
            return {"lastBuiltRevision": {"SHA1": sha, "branch": [{"name": branch}]}, "remoteUrls": [url]}

        library = checkout(
            "a" * 40, "refs/remotes/origin/main", "https://ci:s3cret@git.acme.example/ci/library.git"
        )
        own = checkout("b" * 40, "refs/remotes/origin/main", "https://git.acme.example/acme/Shop.git")
        other = checkout("c" * 40, "detached", "https://git.acme.example/acme/else.git")
        tagged = checkout("d" * 40, "refs/tags/2025-week-9", "https://git.acme.example/acme/else.git")
        host = JenkinsHost(
            job("shop", 4, T0 + 4),
            shop=[
                build(4, T0 + 4, tagged),
                build(3, T0 + 3, library, other),
                build(2, T0 + 2, own, library),
                build(1, T0 + 1, library, own),
            ],
        )
        with reading(host, tmp_path) as reader:
            items = reader.read()
        runs = [(run.sha, run.branch, run.repository_url) for run in reader.records(PipelineRun)]
        assert runs == [
            ("b" * 40, "main", "https://git.acme.example/acme/Shop"),
            ("b" * 40, "main", "https://git.acme.example/acme/Shop"),
            ("c" * 40, None, "https://git.acme.example/acme/else"),
            ("d" * 40, "2025-week-9", "https://git.acme.example/acme/else"),
        ]
        assert "s3cret" not in repr(items)

    @pytest.mark.parametrize(
        ("remote", "page"),
        [
            ("git@github.com:acme/shop.git", "https://github.com/acme/shop"),
            ("github.com:acme/shop", "https://github.com/acme/shop"),
            ("ssh://git@git.acme.example:7999/acme/shop.git", "https://git.acme.example/acme/shop"),
            (
                "https://ada:token@git.acme.example:8443/acme/shop.git/",
                "https://git.acme.example:8443/acme/shop",
            ),
            ("http://git.acme.example/acme/shop", "http://git.acme.example/acme/shop"),
            ("/srv/git/shop.git", None),
        ],
    )
    def test_the_page_of_a_remote(self, remote: str, page: str | None) -> None:
        assert page_of(remote) == page


class TestDeployments:
    def deployed(self, tmp_path: Path, made_so: dict[str, Any], **rule: str) -> list[Deployment]:
        host = JenkinsHost(job("deploy-shop", 1, T0), **{"deploy-shop": [made_so]})
        with reading(host, tmp_path, deployments=[{"job": "^deploy-(?P<app>.+)", **rule}]) as reader:
            reader.read()
        assert len(reader.records(PipelineRun)) == 1
        return reader.records(Deployment)

    def test_environment_service_and_commit_come_from_groups_and_parameters(self, tmp_path: Path) -> None:
        values = [
            {"name": "ENVIRONMENT", "value": "prod-eu"},
            {"name": "COMMIT", "value": SHA.upper()},
            {"name": "DRY", "value": None},
        ]
        made_so = build(1, T0, {"parameters": values})
        (deployment,) = self.deployed(
            tmp_path, made_so, environment="$ENVIRONMENT", service="$app", sha="$COMMIT"
        )
        assert (deployment.environment, deployment.service, deployment.sha) == ("prod-eu", "shop", SHA)
        assert deployment.started_at == datetime.fromtimestamp(T0 / 1000, UTC)
        assert deployment.finished_at == datetime.fromtimestamp(T0 / 1000 + 60, UTC)

    def test_without_the_parameter_there_is_no_deployment(self, tmp_path: Path) -> None:
        assert not self.deployed(tmp_path, build(1, T0), environment="$ENVIRONMENT")

    def test_a_version_is_no_commit(self, tmp_path: Path) -> None:
        made_so = build(1, T0, {"parameters": [{"name": "COMMIT", "value": "1.2.3"}]})
        (deployment,) = self.deployed(tmp_path, made_so, environment="production", sha="$COMMIT")
        assert deployment.sha is None

    @pytest.mark.parametrize(
        ("result", "status"),
        [("UNSTABLE", "success"), ("FAILURE", "failed"), ("ABORTED", "cancelled"), ("NOT_BUILT", "skipped")],
    )
    def test_statuses(self, tmp_path: Path, result: str, status: str) -> None:
        (deployment,) = self.deployed(tmp_path, build(1, T0, result=result), environment="production")
        assert deployment.status == status

    def test_one_that_runs_has_no_end(self, tmp_path: Path) -> None:
        made_so = build(1, T0, result=None, building=True, duration=0)
        (deployment,) = self.deployed(tmp_path, made_so, environment="production")
        assert (deployment.status, deployment.finished_at) == ("running", None)

    def test_a_stage_that_was_not_reached_is_skipped_and_one_that_is_not_there_is_none(
        self, tmp_path: Path
    ) -> None:
        skipped = replace(
            made(1),
            stages=(Stage(14, "deploy", "NOT_EXECUTED", NOW, 0), Stage(15, "deployment", "SUCCESS", NOW, 1)),
        )
        builds = [skipped, replace(made(2), stages=made(2).stages[:1])]
        live = Live(JenkinsJob(("shop", "api", "main"), is_branch=True, builds=builds))
        with reading(live, tmp_path, deployments=STAGES) as reader:
            reader.read()
        (deployment,) = reader.records(Deployment)
        assert (deployment.status, deployment.started_at) == ("skipped", None)
        assert deployment.created_at == skipped.started_at

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"url": "ci.acme.example"}, "https://host/path"),
            ({"url": "https://ada:pw@ci.acme.example"}, "no user"),
            ({"url": "https://ci.example", "user": "ada"}, "belong together"),
            (
                {"url": "https://ci.example", "deployments": [{"job": "(", "environment": "x"}]},
                "not a pattern",
            ),
            ({"url": "https://ci.example", "deployments": [{"job": "x"}]}, "environment"),
            ({"url": "https://ci.example", "stages": -1}, "stages"),
        ],
    )
    def test_wrong_options_are_named_and_not_shown(self, options: dict[str, Any], said: str) -> None:
        with pytest.raises(ValidationError) as raised:
            JenkinsOptions.model_validate(options)
        assert said in str(raised.value)
        assert "pw" not in str(raised.value)

    def test_only_the_streams_that_are_asked_for_are_promised(self) -> None:
        options = JenkinsOptions.model_validate({"url": "https://ci.example", "stages": 0})
        assert JenkinsConnector.streams_of(options) == ("pipeline_run",)
        everything = JenkinsOptions.model_validate({"url": "https://ci.example", "deployments": STAGES})
        assert JenkinsConnector.streams_of(everything) == JenkinsConnector.streams


class TestWalk:
    def test_folders_are_walked_to_any_depth(self, tmp_path: Path) -> None:
        deep = tuple(f"level{number}" for number in range(11))
        live = Live(
            JenkinsJob(deep, is_branch=False, builds=[made(1)]),
            JenkinsJob(("shop", "a b", "überall"), is_branch=False, builds=[made(1)]),
        )
        with reading(live, tmp_path, path="/", stages=0) as reader:
            items = reader.read()
        assert {item.scope for item in of(items, Covered)} == {"/".join(deep), "shop/a b/überall"}
        assert len(reader.records(PipelineRun)) == 2
        # The root's levels, twice the levels below, and each job's builds.
        assert len(reader.requests) == 3 + 2

    def test_a_path_before_jenkins_is_kept_and_addresses_in_answers_are_not_followed(
        self, tmp_path: Path
    ) -> None:
        elsewhere = "https://elsewhere.example/view/all/job/nightly/"
        host = JenkinsHost(job("nightly", 1, T0, url=elsewhere), nightly=[build(1, T0, url=elsewhere)])
        host.answers = {f"/ci/jenkins{path}": answer for path, answer in host.answers.items()}
        with reading(host, tmp_path, path="/ci/jenkins/") as reader:
            reader.read()
        (run,) = reader.records(PipelineRun)
        assert run.url.endswith("/ci/jenkins/job/nightly/1/")
        assert "//job" not in run.url

    def test_patterns_pick_jobs_and_branches(self, tmp_path: Path) -> None:
        branches = [job(name, 1, T0) for name in ("main", "PR-7")]
        host = JenkinsHost(
            folder("shop", folder("api", *branches, kind="WorkflowMultiBranchProject"), job("sandbox", 1, T0))
        )
        for name in ("main", "PR-7"):
            host.answers[f"/job/shop/job/api/job/{name}/api/json"] = {"allBuilds": [build(1, T0)]}
        with reading(host, tmp_path, jobs=["shop/*", "!*/PR-*", "!*/sandbox"]) as reader:
            items = reader.read()
        assert [run.branch for run in reader.records(PipelineRun)] == ["main"]
        assert [each.scope for each in of(items, Covered)] == ["shop/api"]

    def test_a_disabled_job_is_skipped_unless_it_was_read_before(self, tmp_path: Path) -> None:
        host = JenkinsHost(
            job("old", 1, T0, disabled=True), job("now", 1, T0), now=[build(1, T0)], old=[build(1, T0)]
        )
        with reading(host, tmp_path) as reader:
            assert [each.scope for each in of(reader.read(), Covered)] == ["now"]
            host.answers["/api/json"]["jobs"][1]["disabled"] = True
            assert [each.scope for each in of(reader.read(), Covered)] == ["now"]
        assert len(reader.records(PipelineRun)) == 1

    def test_a_folder_that_may_not_be_read_is_a_problem_and_the_rest_goes_on(self, tmp_path: Path) -> None:
        nested = folder("a", folder("b", folder("c", folder("d", {"_class": "x", "name": "hidden"}))))
        host = JenkinsHost(nested, job("nightly", 1, T0), nightly=[build(1, T0)])
        host.answers["/job/a/job/b/job/c/job/d/api/json"] = 403
        with reading(host, tmp_path) as reader:
            items = reader.read()
        (problem,) = of(items, Problem)
        assert problem.scope == "a/b/c/d"
        assert "403" in problem.message
        assert len(reader.records(PipelineRun)) == 1

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (HTMLResponse("<title>Sign in [Jenkins]</title>"), "a web page: Sign in [Jenkins]"),
            (403, "403 Forbidden"),
            (404, "404 Not Found"),
        ],
    )
    def test_without_a_list_of_jobs_there_is_one_clear_line(
        self, tmp_path: Path, answer: object, said: str
    ) -> None:
        host = JenkinsHost()
        host.answers["/api/json"] = answer
        with reading(host, tmp_path) as reader, pytest.raises(SourceError, match=said.replace("[", r"\[")):
            reader.read()


class TestNews:
    def test_an_unchanged_jenkins_costs_the_walk(self, tmp_path: Path) -> None:
        jobs = [
            JenkinsJob(("shop", f"job{n}"), is_branch=False, builds=[made(1), made(2)]) for n in range(30)
        ]
        with reading(Live(*jobs), tmp_path) as reader:
            reader.read()
            assert not of(reader.read(), Batch)
        assert reader.requests == ["/api/json"]

    def test_builds_are_paged_and_their_stages_listed_in_one_answer_where_there_are_few(
        self, tmp_path: Path
    ) -> None:
        whole = JenkinsJob(("shop",), is_branch=False, builds=[made(n) for n in range(1, 251)])
        with reading(Live(whole), tmp_path) as reader:
            reader.read()
            assert len(reader.records(PipelineRun)) == 250
            assert len(reader.records(Job)) == 500
            assert sum(path.endswith("/api/json") for path in reader.requests) == 1 + 3
            whole.builds += [made(n) for n in range(251, 257)]
            reader.read()
            assert len(reader.records(Job)) == 512
        assert reader.requests == ["/api/json", "/job/shop/api/json", "/job/shop/wfapi/runs"]

    def test_what_ran_is_asked_for_until_it_is_over(self, tmp_path: Path) -> None:
        running = JenkinsJob(("shop",), is_branch=False, builds=[made(1, result=None)])
        with reading(Live(running), tmp_path) as reader:
            reader.read()
            assert [(run.result, run.finished_at) for run in reader.records(PipelineRun)] == [
                ("running", None)
            ]
            assert not of(reader.read(), Batch)
            assert reader.requests == ["/api/json"]
            running.builds.append(made(2))
            reader.read()
            assert not of(reader.read(), Batch)
            running.builds[0] = made(1)
            reader.read()
            assert [run.result for run in reader.records(PipelineRun)] == ["success", "success"]
            assert len(reader.records(Job)) == 4
            assert not of(reader.read(), Batch)
        assert reader.requests == ["/api/json"]

    def test_a_build_that_was_deleted_while_it_ran_is_asked_for_no_more(self, tmp_path: Path) -> None:
        deleted = JenkinsJob(("shop",), is_branch=False, builds=[made(1, result=None), made(2)])
        with reading(Live(deleted), tmp_path) as reader:
            reader.read()
            del deleted.builds[0]
            reader.read()
            reader.read()
            assert reader.requests == ["/api/json"]
        assert len(reader.records(PipelineRun)) == 2

    def test_deleted_builds_stay(self, tmp_path: Path) -> None:
        rotated = JenkinsJob(("shop",), is_branch=False, builds=[made(n) for n in range(1, 5)])
        with reading(Live(rotated), tmp_path) as reader:
            reader.read()
            rotated.builds[:] = [made(2)]
            assert not of(reader.read(), Batch)
        assert len(reader.records(PipelineRun)) == 4

    @pytest.mark.parametrize("builds_since", [1, 3, 5])
    def test_a_job_made_anew_keeps_both_its_histories(self, tmp_path: Path, builds_since: int) -> None:
        again = JenkinsJob(("shop",), is_branch=False, builds=[made(n) for n in range(1, 4)])
        with reading(Live(again), tmp_path) as reader:
            reader.read()
            again.builds[:] = [made(n, hours=100) for n in range(1, builds_since + 1)]
            reader.read()
            assert len(reader.records(PipelineRun)) == 3 + builds_since
            assert not of(reader.read(), Batch)
            again.builds.append(made(builds_since + 1, hours=100))
            reader.read()
        assert len(reader.records(PipelineRun)) == 4 + builds_since

    def test_a_job_that_is_gone_is_retained_and_one_no_longer_wanted_is_not(self, tmp_path: Path) -> None:
        jobs = [JenkinsJob((name,), is_branch=False, builds=[made(1)]) for name in ("shop", "nightly")]
        live = Live(*jobs)
        with reading(live, tmp_path) as reader:
            reader.read()
            del live.world.jenkins[0]
            items = reader.read()
            assert [each.scope for each in of(items, Retained)] == ["shop"]
            assert [each.scope for each in of(items, Covered)] == ["nightly"]
            assert not of(reader.read(jobs=["!shop"]), Retained)

    def test_a_branch_that_is_gone_is_none_of_anybodys_business(self, tmp_path: Path) -> None:
        jobs = [JenkinsJob(("shop", n), is_branch=True, builds=[made(1)]) for n in ("main", "topic")]
        live = Live(*jobs)
        with reading(live, tmp_path) as reader:
            reader.read()
            del live.world.jenkins[1]
            items = reader.read()
        assert [type(item) for item in items] == [Covered]
        assert len(reader.records(PipelineRun)) == 2

    def test_one_job_that_fails_leaves_the_others_read(self, tmp_path: Path) -> None:
        names = ("broken", "forbidden", "gone", "sound")
        host = JenkinsHost(*(job(name, 1, T0) for name in names), sound=[build(1, T0)])
        host.answers |= {"/job/broken/api/json": 500, "/job/forbidden/api/json": 403}
        with reading(host, tmp_path) as reader:
            items = reader.read()
        problems = {each.scope: each for each in of(items, Problem)}
        assert problems.keys() == {"broken", "forbidden"}
        assert problems["broken"].is_transient
        assert not problems["forbidden"].is_transient
        assert [each.scope for each in of(items, Retained)] == ["gone"]
        assert [each.scope for each in of(items, Covered)] == ["sound"]
        assert len(reader.records(PipelineRun)) == 1

    def test_without_the_plugin_one_note_says_so_and_nothing_is_asked_twice(self, tmp_path: Path) -> None:
        jobs = [JenkinsJob((f"job{n}",), is_branch=False, builds=[made(1), made(2)]) for n in range(40)]
        live = Live(*jobs)
        live.missing = ("/wfapi/runs", "/wfapi/describe")
        with reading(live, tmp_path) as reader:
            items = reader.read()
        (note,) = of(items, Note)
        assert "Pipeline: REST API" in note.message
        assert len(reader.records(PipelineRun)) == 80
        # Threads that were under way when the first found out.
        assert sum("wfapi" in path for path in reader.requests) <= 2 * 6

    def test_stages_and_builds_may_be_bounded_in_time(self, tmp_path: Path) -> None:
        now = datetime.now(UTC)
        ages = [400, 40, 1]
        builds = [replace(made(n), started_at=now - timedelta(days=ages[n - 1])) for n in (1, 2, 3)]
        live = Live(
            JenkinsJob(("shop",), is_branch=False, builds=builds),
            JenkinsJob(("old",), is_branch=False, builds=builds[:1]),
        )
        since = date.fromordinal(now.date().toordinal() - 100)
        with reading(live, tmp_path, stages=7, since=since) as reader:
            reader.read()
            assert [run.id.partition("@")[0] for run in reader.records(PipelineRun)] == ["shop#2", "shop#3"]
            assert {stage.run.partition("@")[0] for stage in reader.records(Job)} == {"shop#3"}
            reader.read()
        assert reader.requests == ["/api/json"]


class TestCheck:
    def found(self, host: Any, tmp_path: Path, **options: Any) -> list[str]:
        with reading(host, tmp_path, **options) as reader:
            found = list(reader.connector().check())
            assert len(reader.received) <= 5
        assert {item.scope for item in found} <= {"jenkins"}
        return [f"{type(item).__name__}: {item.message}" for item in found]

    def test_it_says_what_is_read_and_what_not(self, tmp_path: Path) -> None:
        host = JenkinsHost(job("shop", 1, T0), job("old", disabled=True))
        said = self.found(
            host, tmp_path, jobs=["*", "!sandbox*"], deployments=[{"job": "^x", "environment": "y"}]
        )
        assert said == [
            "Note: Jenkins 2.479.1",
            "Note: Read without an account: only what Jenkins shows to everybody",
            "Note: 2 of 2 jobs and branches are read",
            "Note: 1 of them are disabled: skipped, unless read before",
            "Note: The pattern !sandbox* of `jobs` matches no job",
            "Note: The pattern ^x of `deployments` matches no job",
            "Note: No stages are read: the plugin Pipeline: REST API is not installed",
        ]

    def test_an_account_that_sees_no_job_lacks_a_permission(self, tmp_path: Path) -> None:
        said = self.found(JenkinsHost(), tmp_path)
        assert said[-1] == "Problem: Jenkins lists no jobs"

    def test_what_is_no_jenkins_is_a_problem(self, tmp_path: Path) -> None:
        host = JenkinsHost()
        host.answers["/api/json"] = HTMLResponse("<title>Welcome</title>")
        (said,) = self.found(host, tmp_path)
        assert said.startswith("Problem: GET")
        assert "a web page: Welcome" in said
