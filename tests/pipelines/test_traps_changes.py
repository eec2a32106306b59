"""What peers get wrong about changes: T14 to T18 and T23 to T27 of DESIGN section 6."""

from __future__ import annotations

from collections.abc import Iterator

from tests.pipelines.acme import DAY, HOUR, Acme
from tests.pipelines.modelled import making
from tests.pipelines.reference.given import Service
from tests.pipelines.told import Stories

_models = making(
    "marts.batch_size", "marts.change_fail_rate", "marts.change_lead_time", "marts.ci_duration_p50",
    "marts.deployments", "marts.failed_deployment_recovery_time", "marts.pr_coding",
    "marts.pr_coding_working", "marts.pr_pickup", "marts.pr_pickup_working", "marts.pr_release",
    "marts.pr_review", "marts.pr_review_working", "marts.rework_rate",
)  # fmt: skip


without_bots, with_bots = Stories(Acme), Stories(lambda: Acme(include_bots=True))
services = Stories(
    lambda: Acme(
        services=(
            Service("t26", ("t26",)),
            Service("web", ("t27",), paths=("web",)),
            Service("api", ("t27",), paths=("services/api",)),
        )
    )
)

FULL = "0123456789" * 4
"""A whole sha, as most messages name one."""


def based(acme: Acme, repository: str) -> None:
    """Commit `base` of 1 January and its deployment, the baseline."""
    acme.commit(repository, "base", "2026-01-01 00:00")
    acme.deploy(repository, "base", "2026-01-02 00:00")


def lead_times(acme: Acme, repository: str) -> dict[str, float | None]:
    """What ends the change's id → lead time."""
    rows = acme.query(
        "select change_id, lead_time_seconds from core.shipment inner join core.change using (change_key)"
        " where left_out is null and repository_id = ?",
        repository,
    )
    return {
        str(row["change_id"]).removeprefix(f"github:{repository}"): row["lead_time_seconds"] for row in rows
    }


@without_bots.told
def test_t14_squashed_rebased_and_merged_pull_requests_are_found_with_their_first_dates(
    acme: Acme,
) -> Iterator[None]:
    based(acme, "t14")
    # Merged by squashing on the 8th: one commit of that day, whose subject names the pull request.
    acme.commit("t14", "squashed", "2026-01-08 00:00", number=1)
    acme.pull_request("t14", 1, "s1", "s2", merged="2026-01-08 00:00", first="2026-01-03 00:00")
    # Merged by rebasing: both written anew with their authors' dates, ending in merge_sha.
    acme.commit("t14", "r1-anew", "2026-01-04 00:00")
    acme.commit("t14", "r2-anew", "2026-01-05 00:00")
    acme.pull_request(
        "t14", 2, "r1", "r2", merged="2026-01-08 01:00", first="2026-01-04 00:00", merge_sha="r2-anew"
    )
    # Merged by a merge commit.
    acme.commit("t14", "m1", "2026-01-05 00:00", "base")
    acme.commit("t14", "m2", "2026-01-06 00:00", "m1")
    acme.commit("t14", "merge", "2026-01-08 02:00", "r2-anew", "m2")
    acme.pull_request("t14", 3, "m1", "m2", merged="2026-01-08 02:00", merge_sha="merge")
    acme.deploy("t14", "merge", "2026-01-09 00:00")
    yield
    assert lead_times(acme, "t14") == {"#1": 6 * DAY, "#2": 5 * DAY, "#3": 4 * DAY}


@without_bots.told
def test_t15_a_pull_request_to_another_branch_counts_once_when_it_ships(acme: Acme) -> Iterator[None]:
    based(acme, "t15")
    acme.commit("t15", "fix", "2026-01-03 00:00")
    acme.commit("t15", "develop", "2026-01-03 12:00", "base", "fix")
    acme.pull_request("t15", 1, "fix", merged="2026-01-03 12:00", merge_sha="develop", base_ref="develop")
    # From develop to main: all of it is another's.
    acme.commit("t15", "main", "2026-01-05 00:00", "base", "develop")
    promoted = {"first": "2026-01-03 00:00", "merge_sha": "main"}
    acme.pull_request("t15", 2, "fix", "develop", merged="2026-01-05 00:00", **promoted)
    acme.deploy("t15", "develop", "2026-01-04 00:00")
    acme.deploy("t15", "main", "2026-01-06 00:00")
    yield
    assert lead_times(acme, "t15") == {"#1": DAY}
    release = acme.row("pr_release", "t15")
    assert (release["n"], release["excluded"]) == (1, {})


@without_bots.told
def test_t16_a_commit_after_ready_has_no_coding_and_no_review_no_pickup(acme: Acme) -> Iterator[None]:
    based(acme, "t16")
    acme.pull_request(
        "t16",
        1,
        opened="2026-01-03 00:00",
        ready="2026-01-04 00:00",
        first="2026-01-04 01:00",
        merged="2026-01-06 00:00",
    )
    acme.pull_request(
        "t16",
        2,
        opened="2026-01-03 00:00",
        first="2026-01-02 00:00",
        merged="2026-01-04 00:00",
        reviewed="2026-01-05 00:00",
    )
    yield
    coding = acme.row("pr_coding", "t16")
    assert (coding["value"], coding["n"], coding["excluded"]) == (DAY, 1, {"commit_after_ready": 1})
    for stage in ("pr_pickup", "pr_review"):
        row = acme.row(stage, "t16")
        assert (row["value"], row["n"], row["excluded"]) == (None, 0, {"unreviewed": 2})


@without_bots.told
def test_t17_a_missing_stage_is_null_and_never_zero(acme: Acme) -> Iterator[None]:
    based(acme, "t17")
    acme.pull_request("t17", 1, opened="2026-01-03 00:00", merged="2026-01-04 00:00")
    yield
    for stage, reason in (("coding", "undated"), ("pickup", "unreviewed"), ("review", "unreviewed")):
        for metric in (f"pr_{stage}", f"pr_{stage}_working"):
            row = acme.row(metric, "t17")
            assert (row["value"], row["n"], row["status"]) == (None, 0, "no_data"), metric
            assert row["excluded"] == {reason: 1}
    # Not shipped yet: there is no release, left out or not.
    assert (acme.value("pr_release", "t17"), acme.row("pr_release", "t17")["excluded"]) == (None, {})


@without_bots.told
def test_t18_negative_durations_are_null_and_counted(acme: Acme) -> Iterator[None]:
    based(acme, "t18")
    acme.commits("t18", "2026-01-09 00:00", "from-the-future")
    acme.deploy("t18", "from-the-future", "2026-01-05 00:00")
    acme.pull_request(
        "t18",
        1,
        opened="2026-01-03 00:00",
        ready="2026-01-06 00:00",
        reviewed="2026-01-03 12:00",
        merged="2026-01-04 00:00",
    )
    acme.run("t18", "base", "2026-01-03 02:00", "2026-01-03 01:00")
    # Deployed before it was merged: no release stage, yet no fault of a clock.
    acme.commit("t18", "early", "2026-01-10 00:00")
    acme.pull_request("t18", 2, "early", merged="2026-01-12 00:00", reviewed="2026-01-11 00:00")
    acme.deploy("t18", "early", "2026-01-11 00:00")
    yield
    lead_time = acme.row("change_lead_time", "t18")
    assert (lead_time["value"], lead_time["excluded"]) == (DAY, {"baseline": 1, "negative": 1})
    assert acme.row("pr_review", "t18")["excluded"] == {"negative": 1}
    assert acme.row("ci_duration_p50", "t18")["excluded"] == {"negative": 1}
    assert acme.row("pr_release", "t18")["excluded"] == {"deployed_before_merge": 1}


def bumped(acme: Acme) -> None:
    based(acme, "t23")
    acme.commit("t23", "human", "2026-01-03 00:00")
    acme.deploy("t23", "human", "2026-01-04 00:00")
    acme.commit("t23", "bumped", "2026-01-05 00:00", bot=True)
    acme.deploy("t23", "bumped", "2026-01-08 00:00")
    acme.commit("t23", "merged", "2026-01-09 00:00")
    acme.pull_request("t23", 1, "merged", merged="2026-01-09 00:00", is_bot=True)
    acme.deploy("t23", "merged", "2026-01-14 00:00")


@without_bots.told
def test_t23_what_bots_change_counts_in_deployments_and_not_in_lead_time(acme: Acme) -> Iterator[None]:
    bumped(acme)
    yield
    assert acme.value("deployments", "t23") == 4
    lead_time = acme.row("change_lead_time", "t23")
    assert (lead_time["value"], lead_time["excluded"]) == (DAY, {"baseline": 1, "bot": 2})


@with_bots.told
def test_t23_unless_the_workspace_includes_bots(acme: Acme) -> Iterator[None]:
    bumped(acme)
    yield
    assert acme.value("deployments", "t23") == 4
    lead_time = acme.row("change_lead_time", "t23")
    assert (lead_time["value"], lead_time["excluded"]) == (3 * DAY, {"baseline": 1})


@without_bots.told
def test_t24_a_change_on_parallel_branches_is_one_and_ships_first_anywhere(acme: Acme) -> Iterator[None]:
    based(acme, "t24")
    acme.commit("t24", "fixed0123456", "2026-01-03 00:00", "base")
    acme.pull_request("t24", 1, "fixed0123456", merged="2026-01-03 00:00")
    acme.commit("t24", "picked-to-1.x", "2026-01-03 06:00", "base", picked_from="fixed01")
    acme.pull_request("t24", 2, "picked-to-1.x", merged="2026-01-03 06:00")
    acme.commit("t24", "picked-to-0.x", "2026-01-03 07:00", "base", picked_from="picked-to-1.x")
    acme.deploy("t24", "picked-to-1.x", "2026-01-04 00:00")
    acme.deploy("t24", "fixed0123456", "2026-01-05 00:00")
    acme.deploy("t24", "picked-to-0.x", "2026-01-06 00:00")
    # One commit of two is not the change, even the last.
    acme.commits("t24-till", "2026-01-01 00:00", "start", "part-one", "part-two")
    acme.deploy("t24-till", "start", "2026-01-02 00:00")
    acme.pull_request(
        "t24-till",
        1,
        "part-one",
        "part-two",
        merged="2026-01-03 00:00",
        first="2026-01-03 00:00",
        merge_sha="part-two",
    )
    acme.commit("t24-till", "picked", "2026-01-03 06:00", "start", picked_from="part-two")
    acme.deploy("t24-till", "picked", "2026-01-04 00:00")
    acme.deploy("t24-till", "part-two", "2026-01-05 00:00")
    yield
    assert lead_times(acme, "t24") == {"#1": DAY}
    assert lead_times(acme, "t24-till") == {"#1": 2 * DAY}
    assert acme.row("change_lead_time", "t24")["n"] == 1
    backports = acme.query("select backports from core.change where change_id = 'github:t24#1'")
    assert backports == [{"backports": 2}]


@without_bots.told
def test_t25_history_before_the_first_deployment_is_no_giant_batch(acme: Acme) -> Iterator[None]:
    acme.commits("t25", "2020-01-01 00:00", *(f"old{number}" for number in range(40)))
    acme.deploy("t25", "old39", "2026-01-02 00:00")
    acme.commits("t25", "2026-01-03 00:00", "new1", "new2")
    acme.deploy("t25", "new2", "2026-01-04 00:00")
    yield
    lead_time = acme.row("change_lead_time", "t25")
    assert (lead_time["value"], lead_time["n"], lead_time["excluded"]) == (DAY, 2, {"baseline": 40})
    batch = acme.row("batch_size", "t25")
    assert (batch["value"], batch["n"], batch["excluded"]) == (2, 1, {"baseline": 1})
    assert acme.value("deployments", "t25") == 2


@services.told
def test_t26_a_revert_is_linked_to_what_it_reverts_and_charges_what_shipped_that(
    acme: Acme,
) -> Iterator[None]:
    based(acme, "t26")
    for number, (name, hour) in enumerate((("feature", 0), ("other", 2)), start=1):
        acme.commit("t26", name, "2026-01-03 00:00")
        acme.pull_request("t26", number, name, merged="2026-01-03 00:00")
        acme.deploy("t26", name, f"2026-01-04 {hour:02}:00", name=name)
    acme.commit("t26", "revert", "2026-01-04 03:00", kind="revert")
    acme.pull_request("t26", 3, "revert", merged="2026-01-04 04:00", kind="revert", reverts=1)
    acme.deploy("t26", "revert", "2026-01-04 05:00")
    # Without a pull request, by the commit's message; too late to be a failure.
    acme.commit("t26", "revert-other", "2026-01-09 00:00", kind="revert", reverts="other")
    acme.commit("t26", "revert-by-sha", "2026-01-09 00:00", kind="revert", reverts="feature")
    acme.deploy("t26", "revert-by-sha", "2026-01-09 01:00")
    # What is reverted may be a pick, a head that no branch has any more, or what merged two at once.
    based(acme, "t26-named")
    acme.commit("t26-named", FULL, "2026-01-03 00:00")
    acme.pull_request("t26-named", 1, FULL, merged="2026-01-03 00:00", head_sha="gone-head")
    acme.commit("t26-named", "picked-to-1.x", "2026-01-03 01:00", picked_from=FULL)
    acme.commit("t26-named", "stacked-1", "2026-01-03 02:00")
    acme.commit("t26-named", "stacked-2", "2026-01-03 03:00")
    acme.commit("t26-named", "merge-of-both", "2026-01-04 00:00", "picked-to-1.x", "stacked-2")
    for number in (3, 2):
        acme.pull_request(
            "t26-named", number, f"stacked-{number - 1}", merged="2026-01-04 00:00", merge_sha="merge-of-both"
        )
    for named in (FULL, "picked-", "gone-head", "merge-of"):
        acme.commit("t26-named", f"revert-{named[:6]}", "2026-01-09 00:00", kind="revert", reverts=named)
    acme.deploy("t26-named", "revert-merge-", "2026-01-09 01:00")
    yield
    links = acme.query(
        "select change_id, reverts_change_id from core.change where reverts_change_id is not null"
    )
    assert {(row["change_id"], row["reverts_change_id"]) for row in links} == {
        ("github:t26#3", "github:t26#1"),
        ("github:t26@revert-by-sha", "github:t26#1"),
        ("github:t26-named@revert-012345", "github:t26-named#1"),
        ("github:t26-named@revert-picked", "github:t26-named#1"),
        ("github:t26-named@revert-gone-h", "github:t26-named#1"),
        ("github:t26-named@revert-merge-", "github:t26-named#2"),
    }
    assert acme.query("select deployment_id, rule from core.fault") == [
        {"deployment_id": "github:feature", "rule": "revert"}
    ]
    assert acme.value("change_fail_rate", "t26") == 1 / 5
    assert acme.value("failed_deployment_recovery_time", "t26") == 5 * HOUR
    assert acme.value("rework_rate", "t26") == 1 / 5


@services.told
def test_t27_in_a_monorepo_paths_decide_whose_change_it_is(acme: Acme) -> Iterator[None]:
    based(acme, "t27")
    acme.commit("t27", "w", "2026-01-03 00:00", folders=("web/pages",))
    acme.commit("t27", "a", "2026-01-04 00:00", folders=("services/api", "services"))
    acme.commit("t27", "both", "2026-01-05 00:00", folders=("web", "services/api/v2"))
    acme.commit("t27", "neither", "2026-01-06 00:00", folders=("website", "services"))
    acme.deploy("t27", "neither", "2026-01-07 00:00")
    yield
    assert (acme.row("change_lead_time", "web")["n"], acme.value("change_lead_time", "web")) == (2, 3 * DAY)
    assert (acme.row("change_lead_time", "api")["n"], acme.value("change_lead_time", "api")) == (2, 2.5 * DAY)
    whole = acme.row("change_lead_time", "t27", level="repository")
    assert (whole["n"], whole["value"]) == (4, 2.5 * DAY)
