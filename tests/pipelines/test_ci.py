"""CI: how long runs take and wait, which are flaky, and of which service they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.records import PipelineRun
from tests.pipelines.acme import Acme, utc
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service

_models = making(
    "marts.ci_duration_p50", "marts.ci_duration_p90", "marts.ci_flaky_rate", "marts.ci_queue_p50",
    "marts.ci_queue_p90",
)  # fmt: skip

START = utc("2026-03-02 10:00")
MINUTE = 60.0
Minutes = tuple[float | None, float | None, float | None]
"""When it was queued, started and finished."""


class Runs(Acme):
    """Acme whose runs are timed in minutes from `START`."""

    def tried(
        self,
        sha: str | None,
        minutes: Minutes,
        result: str = "success",
        *,
        run: str | None = None,
        attempt: int = 1,
        workflow: str = "build",
    ) -> str:
        """An attempt of a run; gives back the run's id."""
        name = run or self._name("r")
        queued, started, finished = map(_at, minutes)
        where, why = ("shop", None, workflow, None), ("push", sha)
        record = PipelineRun(name, attempt, *where, *why, queued, started, finished, result, "u")
        self.add("github", "shop", record)
        return name

    def worked(self, run: str, name: str, minutes: Minutes, result: str = "success", **fields: Any) -> None:
        """A job of a run."""
        queued, started, finished = (f"{_at(each):%Y-%m-%d %H:%M}" for each in minutes)
        self.job(run, name, started, finished, queued=queued, result=result, **fields)


def _at(minutes: float | None) -> datetime | None:
    return None if minutes is None else START + timedelta(minutes=minutes)


@pytest.fixture(scope="module")
def times() -> Acme:
    """Runs of one commit each, so that none is tried again."""
    acme = Runs()
    acme.commits("shop", "2026-03-01 00:00", "base")
    acme.tried("a", (0, 1, 11))
    acme.tried("b", (0, 3, 23), "failed")
    acme.tried("c", (0, 1, 2), "cancelled")
    acme.tried("d", (0, 0, None), "skipped")
    acme.tried("e", (0, 1, None), "running")
    acme.tried("f", (0, 1, 2), "unknown")
    acme.tried("g", (0, 8, 7))  # ends before it starts
    acme.tried("h", (4, 2, 12))  # starts before it was queued
    acme.tried("i", (None, 2, 12))
    acme.tried("j", (0, None, 12))
    acme.tried("k", (0, 0, 30))  # as GitHub says it, without its jobs
    with_jobs = acme.tried("l", (0, 0, 40))
    acme.worked(with_jobs, "skipped", (0, 0, 0), "skipped")
    acme.worked(with_jobs, "taken over", (-9, -8, -7))
    acme.worked(with_jobs, "second", (0, 7, 8))
    acme.worked(with_jobs, "first", (0, 5, 8), "failed")
    acme.worked(with_jobs, "of another attempt", (0, 1, 2), attempt=2)
    acme.tried("m", (None, None, None))
    return acme.build()


def test_durations_are_those_of_runs_that_came_to_an_end(times: Acme) -> None:
    duration = times.row("ci_duration_p50")
    # 10, 10, 10, 20, 30 and 40 minutes.
    assert (duration["value"], duration["n"], duration["status"]) == (15 * MINUTE, 6, "ok")
    assert duration["excluded"] == {
        "cancelled": 1, "negative": 1, "running": 1, "skipped": 1, "undated": 1, "unknown": 1,
    }  # fmt: skip
    assert times.value("ci_duration_p90") == 35 * MINUTE


def test_a_run_waits_until_its_first_job_starts_where_that_is_known(times: Acme) -> None:
    queue = times.row("ci_queue_p50")
    # 1, 3, 5 and, of the one that ends before it starts, 8 minutes.
    assert (queue["value"], queue["n"]) == (4 * MINUTE, 4)
    assert queue["excluded"] == {
        "cancelled": 1, "negative": 1, "not_told": 1, "running": 1, "skipped": 1, "undated": 2, "unknown": 1,
    }  # fmt: skip
    assert times.value("ci_queue_p90") == pytest.approx(7.1 * MINUTE)


def test_runs_are_of_the_day_they_end_else_start(times: Acme) -> None:
    runs = times.query(
        "select r.sha, x.counted_at from core.run as x inner join raw.pipeline_run as r on r.id = x.run_id"
        " where r.sha in ('a', 'e', 'm')"
    )
    assert {run["sha"]: run["counted_at"] for run in runs} == {"a": _at(11), "e": _at(1)}


@pytest.fixture(scope="module")
def flaky() -> Acme:
    acme = Runs()
    acme.commits("shop", "2026-03-01 00:00", "base")
    for sha, *results in (
        ("passes", "success"),
        ("fails, then passes", "failed", "success"),
        ("passes, then fails", "success", "failed"),
        ("fails twice", "failed", "failed"),
        ("fails, then is cancelled", "failed", "cancelled"),
        ("is cancelled", "cancelled"),
    ):
        acme.tried(sha, (0, 0, 1), results[0], run=sha)
        for attempt, result in enumerate(results[1:], start=2):
            acme.tried(sha, (2, 2, 3), result, run=sha, attempt=attempt)
    # Another run of the same commit, as when somebody builds it again by hand.
    acme.tried("fails, and passes anew", (0, 0, 1), "failed")
    acme.tried("fails, and passes anew", (2, 2, 3))
    acme.tried("fails in another workflow", (0, 0, 1), "failed", workflow="lint")
    acme.tried("fails in another workflow", (2, 2, 3))
    acme.tried("fails and passes at once", (0, 0, 1), "failed")
    acme.tried("fails and passes at once", (0, 0, 1))
    # Within one run, which passes in the end.
    run = acme.tried("has a job tried again", (0, 0, 9))
    acme.worked(run, "test", (0, 1, 2), "failed")
    acme.worked(run, "test", (2, 3, 4))
    run = acme.tried("has a job that fails and passes at once", (0, 0, 9))
    acme.worked(run, "test", (0, 1, 2), "failed")
    acme.worked(run, "test", (0, 1, 2))
    run = acme.tried("has two jobs", (0, 0, 9))
    acme.worked(run, "lint", (0, 1, 2), "failed")
    acme.worked(run, "test", (2, 3, 4))
    acme.tried(None, (0, 0, 1), run="of no commit")
    return acme.build()


def test_flaky_is_what_fails_and_then_passes_with_nothing_changed(flaky: Acme) -> None:
    found = flaky.query(
        "select distinct coalesce(r.sha, r.id) as thing, w.workflow, w.is_flaky, w.left_out"
        " from core.workflow_commit as w"
        " inner join core.run as x"
        " on x.workflow = w.workflow and coalesce(x.commit_key, hash(x.run_id, x.attempt)) = w.thing"
        " inner join raw.pipeline_run as r on r.id = x.run_id and r.attempt = x.attempt"
    )
    assert {row["thing"] for row in found if row["is_flaky"]} == {
        "fails, then passes",
        "fails, and passes anew",
        "has a job tried again",
    }
    assert {(row["thing"], row["workflow"]): row["left_out"] for row in found if row["left_out"]} == {
        ("fails, then is cancelled", "build"): "not_retried",
        ("fails in another workflow", "lint"): "not_retried",
        ("is cancelled", "build"): "unfinished",
        ("of no commit", "build"): "no_commit",
    }
    rate = flaky.row("ci_flaky_rate")
    assert (rate["value"], rate["n"]) == (pytest.approx(3 / 10), 10)
    assert rate["excluded"] == {"no_commit": 1, "not_retried": 2, "unfinished": 1}


def test_a_run_is_of_the_services_that_its_commit_concerns() -> None:
    acme = Runs(
        services=(
            Service("cart", ("mono",), paths=("services/cart",)),
            Service("search", ("mono",), paths=("services/search",)),
            Service("all", ("mono",)),
            Service("other", ("other",)),
        ),
    )
    acme.commit("other", "z", "2026-03-01 00:00")
    acme.commit("mono", "a", "2026-03-01 00:00", folders=("services/cart/src", "docs"))
    acme.commit("mono", "b", "2026-03-01 00:00", folders=("services/cart-extras", "services/search"))
    acme.commit("mono", "m", "2026-03-01 00:00", folders=())
    # Squashed as `a`: the commit it was built as is on no branch any more.
    acme.pull_request(
        "mono", 1, "gone", "head", merged="2026-03-02 00:00", merge_sha="a", first="2026-03-01 00:00"
    )
    for sha in ("a", "b", "m", "gone", "head", "unheard of"):
        acme.run("mono", sha, "2026-03-02 10:00", "2026-03-02 10:01", id=sha)
    # By a tool that knows the address alone; and of a repository that nobody reads.
    for id_, name in (("by address", "other"), ("of another", "unread")):
        address = f"git@git.example.invalid:acme/{name}.git"
        record = PipelineRun(
            id_, 1, None, address, "build", None, "push", "z", START, START, START, "success", "u"
        )
        acme.add("github", "mono", record)
    acme.build()
    runs = acme.query("select run_id, coalesce(service, repository_id) as place from core.run")
    places: dict[str, set[str]] = {}
    for run in runs:
        places.setdefault(run["run_id"], set()).add(run["place"])
    assert places == {
        "a": {"mono", "all", "cart"},
        "b": {"mono", "all", "search"},
        "m": {"mono", "all"},
        "gone": {"mono", "all", "cart"},
        "head": {"mono", "all", "cart"},
        "unheard of": {"mono", "all"},
        "by address": {"other"},
    }
    assert {key: acme.row("ci_duration_p50", key)["n"] for key in ("cart", "search", "all", "other")} == {
        "cart": 3, "search": 1, "all": 6, "other": 1,
    }  # fmt: skip
