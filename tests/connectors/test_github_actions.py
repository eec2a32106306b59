"""GitHub's Actions: attempts, jobs, windows past the cap, and changes of what was read before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Covered, Item, Note, Problem, Quarantined
from connectors.github import actions as github_actions
from connectors.github.runs import result
from connectors.records import RESULTS, CapabilityUse, Job, PipelineRun
from demo.servers import github as server
from tests.connectors.contract import Loaded
from tests.connectors.github_host import GitHubHost, at, github, of, run, sha


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def attempts(source: Loaded | list[Item]) -> dict[tuple[int, int], PipelineRun]:
    """(Number, attempt) → attempt."""
    return {(int(each.id) - 5000, each.attempt): each for each in of(source, PipelineRun)}


def yielded(items: list[Item], stream: str) -> list[Any]:
    return [
        record
        for item in items
        if isinstance(item, Batch) and item.stream == stream
        for record in item.records
    ]


def wrong(items: list[Item]) -> list[Item]:
    return [item for item in items if isinstance(item, Problem | Quarantined)]


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


class TestWindows:
    @pytest.fixture(autouse=True)
    def small_cap(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The cap a thirtieth of what it is, as GitHub has it and as the connector knows it."""
        monkeypatch.setattr(server, "RUNS_CAP", 30)
        monkeypatch.setattr(github_actions, "_CAP", 30)
        monkeypatch.setattr(github_actions, "_AIM", 20)
        monkeypatch.setattr(github_actions, "_AT_ONCE", 10)

    def test_more_runs_than_the_cap_are_all_read(self, host: GitHubHost, cache: Path) -> None:
        # Unevenly: most on one day.
        numbers = [*range(0, 2000, 40), *range(2001, 2024), *(2030 + part / 10 for part in range(150))]
        host.shop.runs = [
            run(number, created_at=at(hours), updated_at=at(hours + 1))
            for number, hours in enumerate(numbers)
        ]
        loaded = Loaded()
        items = host.read(cache, loaded, jobs=0)
        assert not wrong(items)
        assert len(attempts(loaded)) == len(numbers)
        assert host.asked("/actions/runs") < 60
        assert not [item for item in host.read(cache, loaded, jobs=0) if not isinstance(item, Covered)]

    def test_more_in_one_second_than_the_cap_are_noted(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(number, created_at=at(5)) for number in range(120)] + [run(200)]
        items = host.read(cache, jobs=0)
        assert [item.message for item in items if isinstance(item, Note)] == [
            "of the runs created at 2024-03-04T14:00:00Z no more than 30 are read"
        ]
        assert len(attempts(items)) == 31

    def test_a_reading_cut_short_goes_on_where_it_was(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(number) for number in range(300)]
        items = host.read(cache, jobs=0)
        moves = [
            number
            for number, item in enumerate(items, 1)
            if isinstance(item, Batch) and item.stream == "pipeline_run"
        ]
        loaded = Loaded(items[: moves[19]])
        assert len(attempts(loaded)) == 200
        host.shop.runs.append(run(301))
        news = host.read(cache, loaded, jobs=0)
        assert len(yielded(news, "pipeline_run")) <= 102
        assert len(attempts(loaded)) == 301

    def test_what_was_before_is_not_read(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(number) for number in range(300)]
        items = host.read(cache, jobs=0, since=at(24 * 10).date())
        begins = at(24 * 10).replace(hour=0)
        assert {each.queued_at for each in attempts(items).values()} == {
            each.created_at for each in host.shop.runs if each.created_at >= begins
        }


class TestChanges:
    def test_nothing_new_costs_one_conditional_request(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(number) for number in range(150)]
        loaded = Loaded()
        host.read(cache, loaded)
        host.forget()
        assert not [item for item in host.read(cache, loaded) if not isinstance(item, Covered)]
        asked = [each for each in host.received if "/repos/acme/shop/" in each.path]
        assert [each.path for each in asked] == ["/repos/acme/shop/actions/runs"]
        assert asked[0].headers["if-none-match"]

    def test_what_is_new_is_read_after_a_reading_cut_short(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(number) for number in range(150)]
        loaded = Loaded()
        host.read(cache, loaded, jobs=0)
        host.shop.runs += [run(number) for number in range(150, 460)]
        items = list(host.connector(cache, jobs=0).read(loaded.cursors))
        moves = [
            n for n, item in enumerate(items, 1) if isinstance(item, Batch) and item.stream == "pipeline_run"
        ]
        loaded.load(items[: moves[1]])
        host.read(cache, loaded, jobs=0)
        assert len(attempts(loaded)) == 460

    def test_what_is_new_alone_is_read(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(number) for number in range(150)]
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.runs += [run(number) for number in range(150, 310)]
        host.forget()
        items = host.read(cache, loaded)
        assert {int(each.id) - 5000 for each in yielded(items, "pipeline_run")} == set(range(150, 310))
        assert len(attempts(loaded)) == 310

    def test_a_run_under_way_is_followed_to_its_end(self, host: GitHubHost, cache: Path) -> None:
        others = [run(number) for number in range(400, 520)]
        host.shop.runs = [run(1, conclusion=None), *others]
        loaded = Loaded()
        host.read(cache, loaded)
        assert attempts(loaded)[1, 1].result == "running"
        assert attempts(loaded)[1, 1].finished_at is None
        # Behind the newest hundred, and older than what is gone through every day, it ends.
        host.shop.runs = [run(1, updated_at=at(521)), *others, run(521)]
        host.read(cache, loaded)
        assert attempts(loaded)[1, 1].result == "success"
        assert attempts(loaded)[1, 1].finished_at == at(521)
        host.shop.runs.append(run(522))
        host.forget()
        host.read(cache, loaded)
        assert host.asked("/runs/5001") == 0

    def test_killed_midway_a_run_under_way_is_not_forgotten(
        self, host: GitHubHost, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.github.actions._AT_ONCE", 50)
        others = [run(number) for number in range(400, 520)]
        host.shop.runs = [run(1, conclusion=None), *others]
        loaded = Loaded()
        reading = host.connector(cache).read({})
        for item in reading:
            loaded.load([item])
            if attempts(loaded):
                break
        reading.close()  # type: ignore[attr-defined]
        assert (1, 1) in attempts(loaded)
        assert len(attempts(loaded)) < 121
        host.shop.runs = [run(1, updated_at=at(521)), *others, run(521)]
        host.read(cache, loaded)
        assert attempts(loaded)[1, 1].result == "success"

    def test_a_run_deleted_while_they_are_listed_costs_no_other(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [run(number) for number in range(1, 251)]
        is_deleted = False

        def after(path: str, _: object, answer: Any) -> Any:
            nonlocal is_deleted
            if path.endswith("/actions/runs") and not is_deleted and len(answer["workflow_runs"]) == 100:
                is_deleted = True
                del host.shop.runs[-1]
            return answer

        host.after = after
        loaded = Loaded()
        host.read(cache, loaded)
        assert is_deleted
        assert {number for number, _ in attempts(loaded)} >= set(range(1, 250))

    def test_a_run_under_way_that_is_deleted_is_let_go(self, host: GitHubHost, cache: Path) -> None:
        others = [run(number) for number in range(400, 520)]
        host.shop.runs = [run(1, conclusion=None), *others]
        loaded = Loaded()
        host.read(cache, loaded)
        host.shop.runs = [*others, run(521)]
        host.forget()
        assert not wrong(host.read(cache, loaded))
        assert host.asked("/runs/5001") == 1
        host.shop.runs.append(run(522))
        host.forget()
        host.read(cache, loaded)
        assert host.asked("/runs/5001") == 0

    def test_an_old_run_that_was_run_again_is_found_within_a_day(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = [
            replace(run(1), id=number, created_at=at(100 + number / 10), updated_at=at(100.05 + number / 10))
            for number in range(400)
        ]
        loaded = Loaded()
        host.read(cache, loaded, jobs=0)
        again = replace(host.shop.runs[5], attempt=2, conclusion="failure", updated_at=at(141))
        host.shop.runs.append(again)
        host.shop.runs.append(run(142))
        host.read(cache, loaded, jobs=0)
        assert ("5", 2) not in {(each.id, each.attempt) for each in of(loaded, PipelineRun)}
        host.shop.runs.append(run(170))
        items = host.read(cache, loaded, jobs=0)
        assert {(each.id, each.attempt) for each in yielded(items, "pipeline_run")} == {
            ("5170", 1),
            ("5", 1),
            ("5", 2),
        }
        host.shop.runs.append(run(196))
        assert [each.id for each in yielded(host.read(cache, loaded, jobs=0), "pipeline_run")] == ["5196"]

    def test_without_runs_nothing_is_read(self, host: GitHubHost, cache: Path) -> None:
        host.shop.runs = []
        loaded = Loaded()
        assert not attempts(host.read(cache, loaded))
        assert not [item for item in host.read(cache, loaded) if not isinstance(item, Covered)]
        host.shop.runs = [run(1)]
        assert attempts(host.read(cache, loaded)).keys() == {(1, 1)}

    def test_a_list_of_another_shape_is_a_problem(self, host: GitHubHost, cache: Path) -> None:
        host.after = lambda path, _, answer: {"runs": []} if path.endswith("/actions/runs") else answer
        problems = [item for item in host.read(cache) if isinstance(item, Problem)]
        assert {problem.scope for problem in problems} == {"71", "72"}
        assert "another shape" in problems[0].message
