"""Tasks done at once: each after what it needs, and none left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb
import pytest

from pipelines import workers

NEEDS = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": []}


def run(needs: dict[str, list[str]], *by: Callable[[str], str]) -> list[str]:
    return list(workers.results(needs, by, lambda: None, lambda _: None))


@pytest.mark.parametrize("several", [1, 2, 5])
def test_each_task_is_done_once_after_what_it_needs(several: int) -> None:
    done: list[str] = []

    def work(task: str) -> str:
        assert {*NEEDS[task]} <= {*done}
        done.append(task)
        return task

    made = run(NEEDS, *[work] * several)
    assert sorted(made) == sorted(done) == [*"abcde"]
    assert all(made.index(need) < made.index(task) for task, needs in NEEDS.items() for need in needs)


def test_tasks_that_do_not_wait_for_each_other_are_done_at_once() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def work(task: str) -> str:
        if task in "bc":
            meeting.wait()
        return task

    assert len(run(NEEDS, work, work)) == len(NEEDS)


def test_what_most_waits_for_is_done_first() -> None:
    assert run({"e": [], "a": [], "b": ["a"], "c": ["b"]}, str) == ["a", "b", "e", "c"]


def test_how_many_are_done_at_once_is_told_before_they_begin() -> None:
    told: list[int] = []
    seen: dict[str, int] = {}

    def work(task: str) -> str:
        seen[task] = told[-1]
        return task

    needs = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"]}
    meeting = threading.Barrier(2, timeout=10)

    def met(task: str) -> str:
        if task in "bc":
            meeting.wait()
        return work(task)

    assert len(list(workers.results(needs, [met, met], lambda: None, told.append))) == len(needs)
    assert (seen["a"], seen["d"]) == (1, 1)
    assert 2 in {seen["b"], seen["c"]}


def test_those_that_are_being_done_are_told_as_well() -> None:
    told: list[int] = []
    seen: list[int] = []
    ended = threading.Event()

    def work(task: str) -> str:
        if task == "long":
            ended.wait(10)
        elif task == "second":
            seen.append(told[-1])
            ended.set()
        return task

    needs: dict[str, list[str]] = {"long": [], "first": [], "second": ["first"]}
    assert len(list(workers.results(needs, [work, work], lambda: None, told.append))) == len(needs)
    assert seen == [2]


def test_a_worker_goes_on_while_the_caller_looks_at_a_result() -> None:
    begun = threading.Event()

    def work(task: str) -> str:
        if task == "b":
            begun.set()
        return task

    results = workers.results({"a": [], "b": ["a"]}, [work], lambda: None, lambda _: None)
    assert next(results) == "a"
    assert begun.wait(10)
    assert [*results] == ["b"]


@pytest.mark.parametrize("is_failing", [True, False], ids=["a task fails", "the caller stops"])
def test_what_is_being_done_is_interrupted(is_failing: bool) -> None:
    with duckdb.connect() as connection, connection.cursor() as slow:
        begun = threading.Event()
        ended: list[str] = []

        def quick(task: str) -> str:
            begun.wait(10)
            if is_failing:
                raise ValueError(task)
            return task

        def work(task: str) -> str:
            try:
                begun.set()
                slow.execute(
                    "select count(*) from range(1e12::bigint) as a, range(1e6::bigint) as b"
                ).fetchall()
            except duckdb.InterruptException:
                ended.append(task)
            return task

        results = workers.results({"a": [], "b": []}, [work, quick], slow.interrupt, lambda _: None)
        if is_failing:
            with pytest.raises(ValueError, match="a"):
                next(results)
        else:
            next(results)
            results.close()
        assert len(ended) == 1
