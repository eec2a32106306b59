"""GitHub's Actions: runs, their attempts and their jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Quarantined
from connectors.github.runs import result
from connectors.records import RESULTS, CapabilityUse, Job, PipelineRun
from tests.connectors.contract import Loaded
from tests.connectors.github_host import GitHubHost, at, github, of, run, sha
from tests.connectors.github_runs import attempts, wrong, yielded


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


class TestRecord:
    def test_all_of_an_attempt_is_read(self, host: GitHubHost, cache: Path) -> None:
        read = attempts(host.read(cache))
        assert read.keys() == {(1, 1), (2, 1), (2, 2), (3, 1)}
        assert read[1, 1] == PipelineRun(
            id="5001",
            attempt=1,
            repository="71",
            repository_url=None,
            workflow=".github/workflows/ci.yml",
            branch="main",
            event="push",
            sha=sha("merge 1"),
            queued_at=at(1),
            started_at=at(1),
            finished_at=at(1) + timedelta(minutes=5),
            result="success",
            url="https://github.demo.example/acme/shop/actions/runs/5001",
        )
        assert (read[2, 1].result, read[2, 2].result) == ("failed", "success")
        # The second attempt did not wait for all the time since the first one was created.
        assert read[2, 2].queued_at == read[2, 2].started_at == at(2) + timedelta(minutes=10)

    def test_all_of_a_job_is_read(self, host: GitHubHost, cache: Path) -> None:
        (job,) = [each for each in of(host.read(cache), Job) if (each.run, each.attempt) == ("5002", 2)]
        assert job == Job(
            id="2002",
            run="5002",
            attempt=2,
            repository="71",
            name="build",
            runner="ubuntu-latest",
            queued_at=at(2) + timedelta(minutes=10),
            started_at=at(2) + timedelta(minutes=10),
            finished_at=at(2) + timedelta(minutes=15),
            result="success",
            url="https://github.demo.example/acme/shop/actions/runs/5002/job/2002",
        )

    @pytest.mark.parametrize(
        ("status", "conclusion", "expected"),
        [
            ("completed", "success", "success"),
            ("completed", "neutral", "success"),
            ("completed", "failure", "failed"),
            ("completed", "timed_out", "failed"),
            ("completed", "startup_failure", "failed"),
            ("completed", "cancelled", "cancelled"),
            ("completed", "stale", "cancelled"),
            ("completed", "skipped", "skipped"),
            ("completed", "action_required", "skipped"),
            ("completed", None, "unknown"),
            ("completed", "something new", "unknown"),
            ("queued", None, "running"),
            ("in_progress", None, "running"),
            ("waiting", None, "running"),
        ],
    )
    def test_results_are_ours(self, status: str, conclusion: str | None, expected: str) -> None:
        assert result(status, conclusion) == expected
        assert expected in RESULTS

    @pytest.mark.parametrize("head", [None, {"id": 999}])
    def test_a_forks_main_is_not_ours(
        self, host: GitHubHost, cache: Path, head: dict[str, int] | None
    ) -> None:
        def after(path: str, body: Any, answer: Any) -> Any:
            for each in answer.get("workflow_runs", ()) if isinstance(answer, dict) else ():
                each["head_repository"] = head
            return answer

        host.after = after
        assert all(
            str(each.branch).startswith("~")
            for number, each in attempts(host.read(cache)).items()
            if number[1] == 1 and number[0] != 2
        )

    def test_branches_are_masked_and_paths_bare(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [
            run(1, branch="ada/topic", workflow=".github/workflows/ci.yml@refs/heads/ada/topic"),
            run(2, workflow="dynamic/dependabot/dependabot-updates"),
        ]
        read = attempts(host.read(cache))
        assert str(read[1, 1].branch).startswith("~")
        assert [each.workflow for each in read.values()] == [
            ".github/workflows/ci.yml",
            "dynamic/dependabot/dependabot-updates",
        ]

    def test_reusable_workflows_of_others_are_used(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [
            run(
                1,
                reusable=(
                    "acme/ci/.github/workflows/deliver.yml@v2",
                    "acme/shop/.github/workflows/own.yml@v1",
                ),
            ),
            run(2, reusable=("acme/ci/.github/workflows/deliver.yml@ada-test",)),
        ]
        uses = {each.id: each for each in of(host.read(cache), CapabilityUse) if each.kind == "used"}
        use = uses.pop("run:5001:1:acme/ci/.github/workflows/deliver.yml")
        assert use == CapabilityUse(
            id="run:5001:1:acme/ci/.github/workflows/deliver.yml",
            capability="workflow:acme/ci/.github/workflows/deliver.yml",
            subject_kind="repository",
            subject="71",
            happened_at=at(1),
            kind="used",
            result="success",
            finished_at=at(1) + timedelta(minutes=5),
            version="v2",
            url="https://github.demo.example/acme/shop/actions/runs/5001",
            place=".github/workflows/ci.yml",
        )
        (other,) = uses.values()
        assert str(other.version).startswith("~")

    def test_a_malformed_run_is_quarantined_by_its_number(self, host: GitHubHost, cache: Path) -> None:
        def after(path: str, body: Any, answer: Any) -> Any:
            if path.endswith("/actions/runs"):
                answer["workflow_runs"][0]["created_at"] = "ada@people.example"
                del answer["workflow_runs"][1]["path"]
            return answer

        host.after = after
        loaded = Loaded()
        items = host.read(cache, loaded)
        assert {(each.id, each.reason) for each in items if isinstance(each, Quarantined)} == {
            ("5003", "created_at is no time"),
            ("5002", "path is missing"),
        }
        assert {(1, 1), (2, 1)} == attempts(loaded).keys()


class TestAttempts:
    def test_every_attempt_of_forty_is_read(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(1, attempt) for attempt in range(1, 41)]
        loaded = Loaded()
        host.read(cache, loaded)
        assert {attempt for _, attempt in attempts(loaded)} == set(range(1, 41))
        assert len(of(loaded, Job)) == 40
        host.forget()
        assert not wrong(host.read(cache, loaded))
        assert host.asked("/attempts/") == 0

    def test_an_attempt_that_is_lost_is_quarantined(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(1, 1), run(1, 3), run(2)]
        items = host.read(cache)
        (lost,) = wrong(items)
        assert isinstance(lost, Quarantined)
        assert (lost.stream, lost.id) == ("pipeline_run", "5001/2")
        assert attempts(items).keys() == {(1, 1), (1, 3), (2, 1)}

    def test_a_new_attempt_costs_what_it_must(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs.append(run(4, 1, conclusion=None))
        loaded = Loaded()
        host.read(cache, loaded)
        host.forget()
        host.shop.runs[-1] = run(4, 1, conclusion="failure")
        host.shop.runs.append(run(4, 2))
        items = host.read(cache, loaded)
        assert {(each.id, each.attempt) for each in yielded(items, "pipeline_run")} == {
            ("5004", 1),
            ("5004", 2),
        }
        assert attempts(loaded)[4, 1].result == "failed"
        assert {each.attempt for each in yielded(items, "job")} == {1, 2}


class TestJobs:
    def test_jobs_are_read_as_far_back_as_asked(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(1), run(1000), run(1010)]
        assert {each.run for each in of(host.read(cache, jobs=7), Job)} == {"6000", "6010"}
        host.forget()
        connector = host.connector(cache, jobs=0)
        assert "job" not in connector.streams_of(connector.options)
        assert not of(list(connector.read({})), Job)
        assert not host.asked("/jobs")

    def test_jobs_are_read_once_the_run_has_ended(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(1, conclusion=None)]
        loaded = Loaded()
        host.read(cache, loaded)
        assert not of(loaded, Job)
        host.shop.runs = [run(1)]
        host.read(cache, loaded)
        assert len(of(loaded, Job)) == 1

    def test_a_job_of_a_failed_run_keeps_its_own_result_and_end(self, host: GitHubHost, cache: Path) -> None:
        made = run(1, conclusion="failure")
        ends = {"deploy": "success", "smoke": "failure", "deploy eu": "skipped", "deploy us": "cancelled"}
        host.shop.runs = [
            replace(
                made,
                jobs=tuple(
                    replace(made.jobs[0], id=number, name=name, conclusion=end, completed_at=at(1 + number))
                    for number, (name, end) in enumerate(ends.items(), 1)
                ),
            )
        ]
        items = host.read(cache)
        (failed,) = of(items, PipelineRun)
        assert (failed.id, failed.attempt, failed.result) == ("5001", 1, "failed")
        assert {each.name: (each.run, each.attempt, each.result) for each in of(items, Job)} == {
            "deploy": ("5001", 1, "success"),
            "smoke": ("5001", 1, "failed"),
            "deploy eu": ("5001", 1, "skipped"),
            "deploy us": ("5001", 1, "cancelled"),
        }
        assert [each.finished_at for each in of(items, Job) if each.name == "deploy"] == [at(2)]

    def test_many_jobs_are_paged(self, host: GitHubHost, cache: Path) -> None:
        made = run(1)
        host.shop.runs = [
            replace(made, jobs=tuple(replace(made.jobs[0], id=number) for number in range(250)))
        ]
        assert len(of(host.read(cache), Job)) == 250

    def test_lost_jobs_are_quarantined(self, host: GitHubHost, cache: Path) -> None:
        host.before = lambda path, _: (
            (404, {"message": "Not Found"}) if "5002/attempts/2/jobs" in path else None
        )
        items = host.read(cache)
        (lost,) = wrong(items)
        assert isinstance(lost, Quarantined)
        assert (lost.stream, lost.id) == ("job", "5002/2")
        assert len(of(items, Job)) == 3
