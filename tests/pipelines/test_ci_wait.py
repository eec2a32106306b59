"""Waiting for CI: what of the time that a pull request is open its runs take, and which have no such time."""

from __future__ import annotations

from datetime import datetime
from statistics import median
from typing import Any, NamedTuple

import pytest

from connectors.records import PipelineRun
from tests.pipelines.acme import Acme, utc
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service, Team

_models = making("marts.ci_wait", "marts.pull_request")

DAY = "2026-03-02"
MINUTE = 60.0
USUAL: dict[str, Any] = {"opened": f"{DAY} 12:00", "merged": f"{DAY} 18:00"}


class Try(NamedTuple):
    """An attempt of a run on one of the pull request's commits; times of day."""

    queued: str | None
    started: str | None
    finished: str | None
    result: str = "success"
    run: str = "build"
    attempt: int = 1
    of: str = "head"


Waited = tuple[float, float | None, float]
"""Minutes in all, only queued, and for re-runs alone."""

CASES: dict[str, tuple[dict[str, Any], list[Try], Waited | str]] = {
    "one run": ({}, [Try("12:10", "12:20", "12:40")], (30, 10, 0)),
    "workflows at the same time count once": (
        {},
        [Try("12:10", "12:20", "12:40"), Try("12:10", "12:35", "13:00", run="lint")],
        (50, 10, 0),
    ),
    "one within another": (
        {}, [Try("12:10", "12:11", "13:10"), Try("12:20", "12:40", "12:50", run="lint")], (60, 1, 0),
    ),
    "one after another, of two commits": (
        {}, [Try("12:10", "12:15", "12:40", of="first"), Try("14:00", "14:05", "14:20")], (50, 10, 0),
    ),
    "a queue of merges tests it as merged": (
        {}, [Try("12:00", "12:01", "12:10"), Try("17:00", "17:01", "17:20", of="merge")], (30, 2, 0),
    ),
    "what it was merged as is built after that, by a clock that is ahead": (
        {}, [Try("17:59", "18:00", "18:20", of="merge")], "no_run",
    ),
    "a failed run is waited for": ({}, [Try("12:10", "12:20", "12:40", "failed")], (30, 10, 0)),
    "a cancelled one until then": ({}, [Try("12:10", "12:20", "12:25", "cancelled")], (15, 10, 0)),
    "run again": (
        {},
        [Try("12:10", "12:20", "12:40", "failed"), Try("13:00", "13:05", "13:25", attempt=2)],
        (55, 15, 25),
    ),
    "run again beside a first attempt": (
        {},
        [
            Try("12:10", "12:20", "12:40", "failed"),
            Try("12:30", "12:31", "13:10", run="lint"),
            Try("13:00", "13:05", "13:25", attempt=2),
        ],
        (75, 10, 15),
    ),
    "goes on after the merge": ({}, [Try("17:40", "17:50", "18:30")], (20, 10, 0)),
    "starts after the merge": ({}, [Try("17:40", "18:10", "18:30")], (20, 20, 0)),
    "begins after the merge": (
        {}, [Try("12:10", "12:20", "12:40"), Try("18:10", "18:20", "18:40")], (30, 10, 0),
    ),
    "begins before it is opened": ({}, [Try("11:30", "11:50", "12:20")], (20, 0, 0)),
    "ends before it is opened": ({}, [Try("11:10", "11:20", "11:40")], (0, 0, 0)),
    "one moment for queued and started": ({}, [Try("12:10", "12:10", "12:40")], (30, None, 0)),
    "nobody knows when it was queued": ({}, [Try(None, "12:20", "12:40")], (20, None, 0)),
    "nobody knows when it started": ({}, [Try("12:10", None, "12:40")], (30, None, 0)),
    "no run": ({}, [], "no_run"),
    "none but after the merge": ({}, [Try("18:00", "18:10", "18:30")], "no_run"),
    "none but skipped": ({}, [Try("12:10", "12:10", "12:10", "skipped")], "no_run"),
    "one still running": (
        {}, [Try("12:10", "12:20", "12:40"), Try("12:10", "12:20", None, "running")], "running",
    ),
    "one still running since after the merge": (
        {}, [Try("12:10", "12:20", "12:40"), Try("18:10", "18:20", None, "running")], (30, 10, 0),
    ),
    "one without an end": ({}, [Try("12:10", "12:20", "12:40"), Try("12:10", "12:20", None)], "undated"),
    "one without a beginning": ({}, [Try(None, None, "12:40")], "undated"),
    "one that ends before it begins": ({}, [Try("12:10", "12:20", "12:00")], "negative"),
    "opened after the merge": ({"opened": f"{DAY} 18:01"}, [Try("12:10", "12:20", "12:40")], "negative"),
    "of a bot": ({"is_bot": True}, [Try("12:10", "12:20", "12:40")], "bot"),
}  # fmt: skip
NUMBERS = {case: number for number, case in enumerate(CASES, start=1)}


def at(time: str | None) -> datetime | None:
    return utc(f"{DAY} {time}") if time else None


@pytest.fixture(scope="module")
def shop() -> Acme:
    """A pull request of two commits for each case."""
    acme = Acme()
    acme.commit("shop", "base", "2026-03-01 00:00")
    for case, (fields, tries, _) in CASES.items():
        shas = {of: f"{of}-{NUMBERS[case]}" for of in ("first", "head", "merge")}
        acme.commits("shop", "2026-03-01 00:00", *shas.values())
        acme.pull_request(
            "shop", NUMBERS[case], shas["first"], shas["head"], merge_sha=shas["merge"], **USUAL | fields
        )
        for n, each in enumerate(tries):
            times = at(each.queued), at(each.started), at(each.finished)
            id_ = f"{case} {each.run}" if each.attempt > 1 or n == 0 else f"{case} {each.run} {n}"
            what = each.run, "main", "push", shas[each.of]
            acme.add(
                "github",
                "shop",
                PipelineRun(id_, each.attempt, "shop", None, *what, *times, each.result, "u"),
            )
    # Of no known commit, as is the head of nothing.
    acme.add(
        "github",
        "shop",
        PipelineRun("x", 1, "shop", None, "build", None, "push", None, *times, "success", "u"),
    )
    acme.pull_request("shop", 90, merged=f"{DAY} 18:00", opened=f"{DAY} 12:00")
    acme.pull_request("shop", 91, "head-1", opened=f"{DAY} 12:00")
    return acme.build()


@pytest.mark.parametrize("case", CASES)
def test_each_pull_request_waited_or_says_why_that_is_not_known(shop: Acme, case: str) -> None:
    (row,) = shop.query("select * from marts.pull_request where number = ?", NUMBERS[case])
    found = tuple(
        seconds if seconds is None else seconds / MINUTE
        for seconds in (row["ci_wait_seconds"], row["ci_queue_seconds"], row["ci_rerun_seconds"])
    )
    expected = CASES[case][2]
    if isinstance(expected, str):
        assert (found, row["ci_left_out"]) == ((None, None, None), expected)
    else:
        assert (found, row["ci_left_out"]) == (expected, None)


def test_a_pull_request_of_no_commit_has_no_run(shop: Acme) -> None:
    (row,) = shop.query("select ci_left_out from marts.pull_request where number = 90")
    assert row["ci_left_out"] == "no_run"


def test_figures_count_what_waited_and_what_is_not_known(shop: Acme) -> None:
    waits = [expected[0] for *_, expected in CASES.values() if not isinstance(expected, str)]
    row = shop.row("ci_wait")
    assert (row["value"], row["n"]) == (median(waits) * MINUTE, len(waits))
    assert row["excluded"] == {"bot": 1, "negative": 2, "no_run": 5, "running": 1, "undated": 2}
    assert shop.row("ci_wait", start=DAY, grain="day")["n"] == len(waits)


def test_a_wait_is_of_the_services_the_pull_request_touches_whatever_tool_ran_it() -> None:
    acme = Acme(
        services=(
            Service("cart", ("mono",), ("cart",), ("front",)),
            Service("search", ("mono",), ("search",)),
        ),
        teams=(Team("front"),),
    )
    acme.commit("mono", "a", "2026-03-01 00:00", folders=("cart/src",))
    # A squash: what was tested is on no branch any more.
    acme.pull_request("mono", 1, "gone", merge_sha="a", **USUAL)
    acme.commit("mono", "b", "2026-03-01 00:00", folders=("cart", "search"))
    acme.pull_request("mono", 2, "b", **USUAL)
    address = "git@git.example.invalid:acme/mono.git"
    times = at("12:10"), at("12:20"), at("12:40")
    acme.add(
        "github",
        "mono",
        PipelineRun("r", 1, None, address, "build", None, "push", "gone", *times, "success", "u"),
    )
    acme.build()
    assert {key: acme.row("ci_wait", key)["n"] for key in ("cart", "search")} == {"cart": 1, "search": 0}
    assert acme.row("ci_wait", "search")["excluded"] == {"no_run": 1}
    assert acme.value("ci_wait", "cart") == 30 * MINUTE
    assert acme.row("ci_wait", "mono", level="repository")["n"] == 1
    shared = acme.query("select * from marts.pull_request where number = 2 order by service")
    assert [(row["service"], row["shared_rank"], row["repeats_for"]) for row in shared] == [
        ("cart", 1, None),
        ("search", 2, ["front"]),
    ]
