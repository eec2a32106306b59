"""GitHub's Actions read again: windows past the cap, and changes of what was read before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import Batch, Covered, Note, Problem
from connectors.github import actions as github_actions
from connectors.records import PipelineRun
from demo.servers import github as server
from tests.connectors.contract import Loaded
from tests.connectors.github_host import GitHubHost, at, github, of, run
from tests.connectors.github_runs import attempts, wrong, yielded


@pytest.fixture
def host(tmp_path: Path) -> Iterator[GitHubHost]:
    with github(tmp_path) as host:
        yield host


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
