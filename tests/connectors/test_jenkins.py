"""Jenkins, read from the demo's server and from one that answers by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import HTMLResponse

from connectors.connector import Batch, Connector, Context, Covered, Note, Problem, Retained, SourceError
from connectors.jenkins import JenkinsConnector, JenkinsOptions
from connectors.records import Job, PipelineRun
from demo.world import JenkinsJob
from tests.connectors.contract import ConnectorContract, Tool
from tests.connectors.jenkins_host import JenkinsHost, build, folder, job
from tests.connectors.jenkins_reader import STAGES, T0, Live, made, of, reading
from tests.serving import serving


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
