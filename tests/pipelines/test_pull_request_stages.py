"""Stages of pull requests: where each begins and ends, and what has none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipelines.acme import DAY, HOUR, Acme
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service, Team

_models = making(
    "marts.batch_size", "marts.pr_coding", "marts.pr_pickup", "marts.pr_release", "marts.pr_review",
    "marts.pull_request",
)  # fmt: skip

COMMITTED = "2026-03-02 08:00"
READY = "2026-03-02 12:00"
REVIEWED = "2026-03-03 12:00"
MERGED = "2026-03-04 12:00"
SHIPPED = "2026-03-06 12:00"
USUAL: dict[str, Any] = {"first": COMMITTED, "opened": READY, "reviewed": REVIEWED, "merged": MERGED}

Stage = float | str
"""Seconds, or why there are none."""

CASES: dict[str, tuple[dict[str, Any], Stage, Stage, Stage, Stage]] = {
    "usual": ({}, 4 * HOUR, DAY, DAY, 2 * DAY),
    "draft": ({"opened": "2026-03-02 09:00", "ready": READY}, 4 * HOUR, DAY, DAY, 2 * DAY),
    "reviewed as a draft": ({"ready": "2026-03-03 18:00"}, 34 * HOUR, 0, 18 * HOUR, 2 * DAY),
    "committed after it was ready": (
        {"first": "2026-03-02 12:01"}, "commit_after_ready", DAY, DAY, 2 * DAY,
    ),
    "committed when it was ready": ({"first": READY}, 0, DAY, DAY, 2 * DAY),
    "not dated": ({"first": None}, "undated", DAY, DAY, 2 * DAY),
    "not reviewed": ({"reviewed": None}, 4 * HOUR, "unreviewed", "unreviewed", 2 * DAY),
    "reviewed after the merge": (
        {"reviewed": "2026-03-04 12:01"}, 4 * HOUR, "unreviewed", "unreviewed", 2 * DAY,
    ),
    "reviewed when it was merged": ({"reviewed": MERGED}, 4 * HOUR, 2 * DAY, 0, 2 * DAY),
    "ready after the merge": (
        {"opened": "2026-03-05 08:00"}, 3 * DAY, "negative", "negative", 2 * DAY,
    ),
    "of a bot": ({"is_bot": True}, "bot", "bot", "bot", "bot"),
    "deployed before the merge": (
        {"merged": "2026-03-06 12:01"}, 4 * HOUR, DAY, 3 * DAY + 60, "deployed_before_merge",
    ),
    "deployed at the merge": ({"merged": SHIPPED}, 4 * HOUR, DAY, 3 * DAY, 0),
}  # fmt: skip
NUMBERS = {case: number for number, case in enumerate(CASES, start=1)}


@pytest.fixture(scope="module")
def shop() -> Acme:
    """A pull request for each case, shipped together; one of the baseline, one not shipped, one open."""
    acme = Acme()
    acme.commit("shop", "base", COMMITTED)
    acme.pull_request("shop", 90, "base", **USUAL)
    acme.deploy("shop", "base", "2026-03-04 18:00")
    for case, (fields, *_) in CASES.items():
        sha = f"c{NUMBERS[case]}"
        acme.commit("shop", sha, None if case == "not dated" else COMMITTED)
        acme.pull_request("shop", NUMBERS[case], sha, **USUAL | fields)
    acme.deploy("shop", sha, SHIPPED)
    acme.commit("shop", "later", COMMITTED)
    acme.pull_request("shop", 91, "later", **USUAL)
    acme.pull_request("shop", 92, "later", **USUAL | {"merged": None})
    acme.pull_request("shop", 93, "later", **USUAL | {"merged": None}, closed_at=acme.covered_until)
    return acme.build()


@pytest.mark.parametrize("case", CASES)
def test_each_stage_is_a_time_or_says_why_there_is_none(shop: Acme, case: str) -> None:
    (row,) = shop.query("select * from marts.pull_request where number = ?", NUMBERS[case])
    reasons = {"coding": "coding", "pickup": "review", "review": "review", "release": "release"}
    found = {stage: row[f"{reason}_left_out"] or row[f"{stage}_seconds"] for stage, reason in reasons.items()}
    assert found == dict(zip(reasons, CASES[case][1:], strict=True))
    for stage, value in found.items():
        # All of it on working days.
        expected = None if isinstance(value, str) else value
        assert (row[f"{stage}_seconds"], row[f"{stage}_working_seconds"]) == (expected, expected)


def test_figures_count_what_has_a_stage_and_what_has_none(shop: Acme) -> None:
    coding = shop.row("pr_coding")
    assert (coding["value"], coding["n"]) == (4 * HOUR, 12)
    assert coding["excluded"] == {"bot": 1, "commit_after_ready": 1, "undated": 1}
    review = shop.row("pr_review")
    assert (review["value"], review["n"]) == (DAY, 11)
    assert review["excluded"] == {"bot": 1, "negative": 1, "unreviewed": 2}
    assert shop.row("pr_pickup")["excluded"] == review["excluded"]
    release = shop.row("pr_release")
    assert (release["value"], release["n"]) == (2 * DAY, 11)
    assert release["excluded"] == {"baseline": 1, "bot": 1, "deployed_before_merge": 1}


def test_stages_are_of_the_day_of_the_merge_and_the_release_of_that_of_the_deployment(shop: Acme) -> None:
    assert shop.row("pr_coding", start="2026-03-04", grain="day")["n"] == 10
    assert shop.row("pr_coding", start="2026-03-06", grain="day")["n"] == 2
    assert shop.row("pr_release", start="2026-03-04", grain="day")["excluded"] == {"baseline": 1}
    assert shop.row("pr_release", start="2026-03-06", grain="day")["n"] == 11


def test_open_pull_requests_are_listed_and_refused_ones_are_not(shop: Acme) -> None:
    listed = shop.query("select number, merged_at, coding_seconds from marts.pull_request where number > 90")
    numbers = {row["number"]: row["coding_seconds"] for row in listed}
    assert numbers == {91: 4 * HOUR, 92: None}


def test_the_team_is_the_owner_at_the_merge_and_of_the_release_at_the_deployment() -> None:
    acme = Acme(services=(Service("shop", ("shop",)),), teams=(Team("old"), Team("new")))
    acme.owned("shop", "old", until="2026-03-05 00:00")
    acme.owned("shop", "new", since="2026-03-05 00:00")
    acme.commits("shop", COMMITTED, "base", "change")
    acme.deploy("shop", "base", "2026-03-01 00:00")
    acme.pull_request("shop", 1, "change", **USUAL)
    acme.deploy("shop", "change", SHIPPED)
    acme.build()
    (row,) = acme.query("select team from marts.pull_request")
    assert row["team"] == "old"
    figures = {
        (metric, team): acme.row(metric, team, level="team")["value"]
        for metric in ("pr_review", "pr_release")
        for team in ("old", "new")
    }
    assert figures == {
        ("pr_review", "old"): DAY,
        ("pr_review", "new"): None,
        ("pr_release", "old"): None,
        ("pr_release", "new"): 2 * DAY,
    }


def test_bots_count_where_the_workspace_says_so() -> None:
    acme = Acme(include_bots=True)
    acme.commits("shop", COMMITTED, "base", "change")
    acme.deploy("shop", "base", "2026-03-01 00:00")
    acme.pull_request("shop", 1, "change", **USUAL, is_bot=True)
    acme.deploy("shop", "change", SHIPPED)
    acme.build()
    for metric in ("pr_coding", "pr_pickup", "pr_review", "pr_release", "batch_size"):
        assert (acme.row(metric)["n"], acme.row(metric)["excluded"].get("bot")) == (1, None), metric
