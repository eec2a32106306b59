"""GitLab's pipelines, jobs and deployments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Context, Covered, Note, Quarantined
from connectors.parsing import moment
from connectors.records import Deployment, Job, PipelineRun
from tests.connectors.gitlab_host import SHA, GitLabHost, Project, at, deployment, job, pipeline
from tests.connectors.gitlab_reader import Reader, of, reading


def runs(reader: Reader) -> dict[str, PipelineRun]:
    return {run.id: run for run in reader.records(PipelineRun)}


def with_pipelines(count: int, jobs_each: int = 3) -> Project:
    project = Project()
    project.pipelines = [pipeline(n, n * 10) for n in range(1, count + 1)]
    project.jobs = [
        job(100 * n + which, n, n * 10 + which) for n in range(1, count + 1) for which in range(jobs_each)
    ]
    return project


class TestPipelines:
    def test_its_times_are_those_of_its_jobs(self, tmp_path: Path) -> None:
        project = with_pipelines(1)
        with reading(project, tmp_path) as reader:
            reader.read()
            assert reader.asked("/pipelines/") == 0
        assert reader.only(PipelineRun) == PipelineRun(
            id="1",
            attempt=1,
            repository="7",
            repository_url=None,
            workflow=".gitlab-ci.yml",
            branch="main",
            event="push",
            sha=SHA,
            queued_at=moment(at(10)),
            started_at=moment(at(11)),
            finished_at=moment(at(18)),
            result="success",
            url="https://gitlab.acme.example/acme/shop/-/pipelines/1",
        )

    @pytest.mark.parametrize(
        ("status", "result"),
        [
            ("success", "success"),
            ("failed", "failed"),
            ("canceled", "cancelled"),
            ("skipped", "skipped"),
            ("manual", "running"),
            ("scheduled", "running"),
            ("created", "running"),
            ("waiting_for_resource", "running"),
            ("something", "unknown"),
        ],
    )
    def test_results(self, tmp_path: Path, status: str, result: str) -> None:
        project = Project()
        project.pipelines = [pipeline(1, 0, status)]
        with reading(project, tmp_path) as reader:
            reader.read()
        run = reader.only(PipelineRun)
        assert run.result == result
        assert (run.finished_at is None) == (result in {"running", "skipped"})

    def test_one_without_jobs_is_asked_for_itself(self, tmp_path: Path) -> None:
        project = Project()
        project.pipelines = [pipeline(1, 0, source="external"), pipeline(2, 10, "failed")]
        project.details[1] = {"started_at": at(2), "finished_at": at(5)}
        project.details[2] = {"started_at": None, "finished_at": None, "yaml_errors": "no"}
        with reading(project, tmp_path) as reader:
            reader.read()
            assert reader.asked("/pipelines/") == 2
        first, second = runs(reader)["1"], runs(reader)["2"]
        assert (first.started_at, first.finished_at) == (moment(at(2)), moment(at(5)))
        assert (second.started_at, second.finished_at) == (None, moment(at(18)))

    def test_those_without_a_time_of_change_are_read_too(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.gitlab.api.PER_PAGE", 2)
        project = Project()
        project.pipelines = [pipeline(n, n, updated_at=at(n) if n < 6 else None) for n in range(1, 8)]
        with reading(project, tmp_path) as reader:
            reader.read()
            assert runs(reader).keys() == set("1234567")
            assert not of(reader.read(), Batch)

    def test_refs_of_branches_are_masked_and_those_of_merge_requests_are_not(self, tmp_path: Path) -> None:
        refs = {1: "ada-lovelace/topic", 2: "refs/merge-requests/74/head", 3: "v1.2.3", 4: "main"}
        project = Project(ci_config_path="ci/main.yml")
        project.pipelines = [
            pipeline(n, n, ref=ref, updated_at=at(n) if n != 4 else None) for n, ref in refs.items()
        ]
        with reading(project, tmp_path) as reader:
            items = reader.read()
        masked = Context(tmp_path, b"key").branch(refs[1])
        assert {run.id: run.branch for run in reader.records(PipelineRun)} == {
            "1": masked,
            "2": refs[2],
            "3": "v1.2.3",
            "4": "main",
        }
        assert {run.workflow for run in reader.records(PipelineRun)} == {"ci/main.yml"}
        assert "lovelace" not in repr(items)


class TestJobs:
    def test_a_job_and_one_that_was_retried(self, tmp_path: Path) -> None:
        project = with_pipelines(1, jobs_each=0)
        project.jobs = [
            job(5, 1, 10, "failed", name="test", tag_list=["linux", "big"]),
            job(6, 1, 20, name="test", runner=None, queued_duration=None),
            job(7, 1, 20, "manual", name="deploy"),
        ]
        with reading(project, tmp_path) as reader:
            reader.read()
        failed, again, manual = sorted(reader.records(Job), key=lambda each: each.id)
        assert failed == Job(
            id="5",
            run="1",
            attempt=1,
            repository="7",
            name="test",
            runner="linux, big",
            queued_at=moment(at(11)) - timedelta(seconds=12.5),
            started_at=moment(at(11)),
            finished_at=moment(at(16)),
            result="failed",
            url="https://gitlab.acme.example/acme/shop/-/jobs/5",
        )
        assert (again.name, again.result, again.runner, again.queued_at) == ("test", "success", None, None)
        assert (manual.result, manual.runner, manual.started_at) == ("skipped", "instance_type", None)
        assert reader.only(PipelineRun).finished_at == moment(at(26))

    def test_a_job_of_a_failed_pipeline_keeps_its_own_result_and_end(self, tmp_path: Path) -> None:
        project = with_pipelines(1, jobs_each=0)
        project.pipelines[0] |= {"status": "failed"}
        ends = {"deploy": "success", "smoke": "failed", "deploy eu": "skipped", "deploy us": "canceled"}
        project.jobs = [job(n, 1, 10 * n, end, name=name) for n, (name, end) in enumerate(ends.items(), 1)]
        with reading(project, tmp_path) as reader:
            reader.read()
        assert (reader.only(PipelineRun).id, reader.only(PipelineRun).result) == ("1", "failed")
        assert {each.name: (each.run, each.result) for each in reader.records(Job)} == {
            "deploy": ("1", "success"),
            "smoke": ("1", "failed"),
            "deploy eu": ("1", "skipped"),
            "deploy us": ("1", "cancelled"),
        }
        assert [each.finished_at for each in reader.records(Job) if each.id == "1"] == [moment(at(16))]

    @pytest.mark.parametrize("has_keyset", [True, False])
    def test_they_come_a_hundred_to_a_request(self, tmp_path: Path, has_keyset: bool) -> None:
        project = with_pipelines(50, jobs_each=5)
        host = GitLabHost(project)
        host.has_keyset = has_keyset
        with reading(host, tmp_path) as reader:
            reader.read()
            assert len(reader.records(Job)) == 250
            assert reader.asked("/jobs") == (3 if has_keyset else 4)
            assert reader.asked("/pipelines/") == 0
            assert all(run.started_at for run in reader.records(PipelineRun))
            project.pipelines.append(pipeline(51, 600))
            project.jobs += [job(9000 + n, 51, 600) for n in range(5)]
            reader.read()
            assert reader.asked("/jobs") == (1 if has_keyset else 2)
            assert len(reader.records(Job)) == 255

    def test_one_that_ran_is_asked_for_its_jobs_when_it_changed(self, tmp_path: Path) -> None:
        project = with_pipelines(2)
        project.pipelines[1] |= {"status": "running"}
        project.jobs[-1] = job(202, 2, 22, "running")
        with reading(project, tmp_path) as reader:
            reader.read()
            assert runs(reader)["2"].finished_at is None
            assert not of(reader.read(), Batch)
            project.pipelines[1] |= {"status": "failed", "updated_at": at(90)}
            project.jobs[-1] = job(202, 2, 22, "failed", finished_at=at(80))
            # Retried long after others began.
            project.pipelines.append(pipeline(3, 60))
            project.jobs += [job(300, 3, 60), job(301, 2, 82)]
            reader.read()
            assert [path for path in reader.host.asked if "jobs" in path] == [
                "/projects/7/jobs",
                "/projects/7/pipelines/2/jobs",
            ]
        assert {each.id: each.result for each in reader.records(Job)}["202"] == "failed"
        assert (runs(reader)["2"].result, runs(reader)["2"].finished_at) == ("failed", moment(at(88)))

    def test_one_that_changes_while_jobs_are_read_is_asked_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.gitlab.api.PER_PAGE", 2)
        project = with_pipelines(4, jobs_each=1)
        project.jobs[3] = job(400, 4, 40, "running")
        host = GitLabHost(project)
        host.now = moment(at(45))  # the fourth pipeline was last changed at 48
        walked = GitLabHost._by_id

        def finishing(self: GitLabHost, request: Any, items: list[dict[str, Any]]) -> Any:
            response = walked(self, request, items)
            project.jobs[3] = job(400, 4, 40)
            return response

        monkeypatch.setattr(GitLabHost, "_by_id", finishing)
        with reading(host, tmp_path) as reader:
            reader.read()
            assert [path for path in host.asked if "/pipelines/" in path] == ["/projects/7/pipelines/4/jobs"]
            assert runs(reader)["4"].finished_at == moment(at(46))
            reader.read()
        assert {each.result for each in reader.records(Job)} == {"success"}

    def test_days_bound_how_far_back_jobs_are_read(self, tmp_path: Path) -> None:
        now = datetime.now(UTC)

        def ago(days: float) -> str:
            return (now - timedelta(days=days)).isoformat()

        project = Project()
        project.pipelines = [
            pipeline(n, 0, created_at=ago(d), updated_at=ago(d - 0.1)) for n, d in ((1, 30), (2, 3))
        ]
        project.jobs = [job(n, n, 0, created_at=ago(d)) for n, d in ((1, 30), (2, 3))]
        host = GitLabHost(project)
        host.now = now
        with reading(host, tmp_path, jobs=7) as reader:
            reader.read()
            assert reader.only(Job).run == "2"
            assert reader.asked("/pipelines/") == 0
            assert runs(reader)["1"].finished_at == moment(ago(29.9))
            assert runs(reader)["1"].started_at is None
        with reading(project, tmp_path / "none", jobs=0) as reader:
            reader.read()
            assert not reader.asked("/jobs")
            assert not reader.records(Job)
            assert len(reader.records(PipelineRun)) == 2

    def test_a_pipeline_may_have_many_jobs(self, tmp_path: Path) -> None:
        project = with_pipelines(1)
        project.pipelines[0] |= {"status": "running"}
        with reading(project, tmp_path) as reader:
            reader.read()
            project.pipelines[0] |= {"status": "success", "updated_at": at(90)}
            project.jobs = [job(n, 1, 10 + n / 100) for n in range(1, 251)]
            reader.read()
            assert len(reader.records(Job)) == 250
            assert reader.asked("/pipelines/1/jobs") == 3
        assert reader.only(PipelineRun).finished_at == moment(at(18.5))

    def test_without_the_right_to_see_jobs_pipelines_are_still_read(self, tmp_path: Path) -> None:
        host = GitLabHost(with_pipelines(3))
        host.refused = {"/7/jobs": 403}
        with reading(host, tmp_path) as reader:
            items = reader.read()
        assert "no jobs are read" in " ".join(note.message for note in of(items, Note))
        assert len(reader.records(PipelineRun)) == 3
        assert "7" in {each.scope for each in of(items, Covered)}

    def test_a_malformed_job_is_set_aside(self, tmp_path: Path) -> None:
        project = with_pipelines(2)
        project.jobs[0] |= {"started_at": "soon"}
        del project.jobs[4]["pipeline"]
        with reading(project, tmp_path) as reader:
            items = reader.read()
        assert {(each.stream, each.id) for each in of(items, Quarantined)} == {("job", "100"), ("job", "201")}
        assert len(reader.records(Job)) == 4


class TestDeployments:
    def only(self, tmp_path: Path, made: dict[str, Any]) -> Deployment:
        project = Project()
        project.deployments = [made]
        with reading(project, tmp_path) as reader:
            items = reader.read()
        assert not of(items, Quarantined)
        return reader.only(Deployment)

    def test_one_by_a_job(self, tmp_path: Path) -> None:
        assert self.only(tmp_path, deployment(3, 10)) == Deployment(
            id="3",
            repository="7",
            repository_url=None,
            service=None,
            environment="production",
            is_production=True,
            sha=SHA,
            ref="main",
            status="success",
            created_at=moment(at(10)),
            started_at=moment(at(11)),
            finished_at=moment(at(14)),
            url="https://gitlab.acme.example/acme/shop/-/jobs/103",
        )

    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            ("failed", "failed"),
            ("canceled", "cancelled"),
            ("skipped", "skipped"),
            ("running", "running"),
            ("blocked", "running"),
            ("created", "running"),
            ("else", "unknown"),
        ],
    )
    def test_statuses(self, tmp_path: Path, status: str, expected: str) -> None:
        found = self.only(tmp_path, deployment(1, 0, status))
        assert found.status == expected
        assert (found.finished_at is None) == (expected in {"running", "skipped"})

    def test_one_that_waits_for_somebody_is_skipped(self, tmp_path: Path) -> None:
        made = deployment(1, 0, "created")
        made["deployable"] |= {"status": "manual", "started_at": None}
        assert self.only(tmp_path, made).status == "skipped"

    def test_one_that_another_tool_reported_ends_with_its_last_change(self, tmp_path: Path) -> None:
        found = self.only(tmp_path, deployment(1, 0, deployable=None, ref="ada/topic"))
        assert (found.started_at, found.finished_at, found.url) == (None, moment(at(5)), None)
        assert found.ref == Context(tmp_path, b"key").branch("ada/topic")

    def test_a_tag_is_shown(self, tmp_path: Path) -> None:
        made = deployment(1, 0, ref="week-9")
        made["deployable"]["tag"] = True
        assert self.only(tmp_path, made).ref == "week-9"

    @pytest.mark.parametrize(
        ("name", "ref", "shown", "is_production"),
        [
            ("review/ada-lovelace", "main", "review/*", False),
            ("preview/ada-lovelace-topic", "ada-lovelace/topic", "preview/*", None),
            ("Ada-Lovelace/topic", "ada-lovelace/topic", "*", None),
            ("production", "ada-lovelace/topic", "production", True),
            ("staging", "main", "staging", False),
            ("prod/eu", "main", "prod/eu", None),
        ],
    )
    def test_environments(
        self, tmp_path: Path, name: str, ref: str, shown: str, is_production: bool | None
    ) -> None:
        found = self.only(tmp_path, deployment(1, 0, name=name, ref=ref))
        assert (found.environment, found.is_production) == (shown, is_production)
        assert "lovelace" not in repr(found).lower()

    def test_a_tier_is_asked_for_once_until_the_environment_changes(self, tmp_path: Path) -> None:
        project = Project()
        project.deployments = [deployment(n, n) for n in range(1, 6)] + [deployment(9, 9, name="review/x")]
        with reading(project, tmp_path) as reader:
            reader.read()
            assert reader.asked("/environments/") == 1
            project.deployments.append(deployment(10, 30))
            reader.read()
            assert reader.asked("/environments/") == 0
            project.tiers["production"] = "other"
            changed = deployment(11, 40)
            changed["environment"]["updated_at"] = at(39)
            project.deployments.append(changed)
            reader.read()
            assert reader.asked("/environments/") == 1
        assert {each.id: each.is_production for each in reader.records(Deployment)}["11"] is False

    def test_one_that_ran_is_read_again_when_it_is_over(self, tmp_path: Path) -> None:
        project = Project()
        project.deployments = [deployment(1, 0, "running")]
        with reading(project, tmp_path) as reader:
            reader.read()
            project.deployments[0] = deployment(1, 0, updated_at=at(50))
            reader.read()
            assert reader.only(Deployment).status == "success"
            assert not of(reader.read(), Batch)
