"""What peers get wrong about changes: T14 to T18 and T23 to T27 of DESIGN section 6."""

from __future__ import annotations

from tests.pipelines.acme import DAY, HOUR, Acme
from tests.pipelines.reference.given import Service


def based(**settings: object) -> Acme:
    """Commit `base` of 1 January and its deployment, the baseline."""
    acme = Acme(**settings)  # type: ignore[arg-type]
    acme.commit("shop", "base", "2026-01-01 00:00")
    acme.deploy("shop", "base", "2026-01-02 00:00")
    return acme


def lead_times(acme: Acme) -> dict[str, float | None]:
    """What ends the change's id → lead time."""
    rows = acme.query("select change_id, lead_time_seconds from core.shipment where left_out is null")
    return {str(row["change_id"]).removeprefix("github:shop"): row["lead_time_seconds"] for row in rows}


def test_t14_squashed_rebased_and_merged_pull_requests_are_found_with_their_first_dates() -> None:
    acme = based()
    # Merged by squashing on the 8th: one commit of that day, whose subject names the pull request.
    acme.commit("shop", "squashed", "2026-01-08 00:00", number=1)
    acme.pull_request("shop", 1, "s1", "s2", merged="2026-01-08 00:00", first="2026-01-03 00:00")
    # Merged by rebasing: both written anew with their authors' dates, ending in merge_sha.
    acme.commit("shop", "r1-anew", "2026-01-04 00:00")
    acme.commit("shop", "r2-anew", "2026-01-05 00:00")
    acme.pull_request(
        "shop", 2, "r1", "r2", merged="2026-01-08 01:00", first="2026-01-04 00:00", merge_sha="r2-anew"
    )
    # Merged by a merge commit.
    acme.commit("shop", "m1", "2026-01-05 00:00", "base")
    acme.commit("shop", "m2", "2026-01-06 00:00", "m1")
    acme.commit("shop", "merge", "2026-01-08 02:00", "r2-anew", "m2")
    acme.pull_request("shop", 3, "m1", "m2", merged="2026-01-08 02:00", merge_sha="merge")
    acme.deploy("shop", "merge", "2026-01-09 00:00")
    acme.build()
    assert lead_times(acme) == {"#1": 6 * DAY, "#2": 5 * DAY, "#3": 4 * DAY}


def test_t15_a_pull_request_to_another_branch_counts_once_when_it_ships() -> None:
    acme = based()
    acme.commit("shop", "fix", "2026-01-03 00:00")
    acme.commit("shop", "develop", "2026-01-03 12:00", "base", "fix")
    acme.pull_request("shop", 1, "fix", merged="2026-01-03 12:00", merge_sha="develop", base_ref="develop")
    # From develop to main: all of it is another's.
    acme.commit("shop", "main", "2026-01-05 00:00", "base", "develop")
    promoted = {"first": "2026-01-03 00:00", "merge_sha": "main"}
    acme.pull_request("shop", 2, "fix", "develop", merged="2026-01-05 00:00", **promoted)
    acme.deploy("shop", "develop", "2026-01-04 00:00")
    acme.deploy("shop", "main", "2026-01-06 00:00")
    acme.build()
    assert lead_times(acme) == {"#1": DAY}
    release = acme.row("pr_release")
    assert (release["n"], release["excluded"]) == (1, {})


def test_t16_a_commit_after_ready_has_no_coding_and_no_review_no_pickup() -> None:
    acme = based()
    acme.pull_request(
        "shop",
        1,
        opened="2026-01-03 00:00",
        ready="2026-01-04 00:00",
        first="2026-01-04 01:00",
        merged="2026-01-06 00:00",
    )
    acme.pull_request(
        "shop",
        2,
        opened="2026-01-03 00:00",
        first="2026-01-02 00:00",
        merged="2026-01-04 00:00",
        reviewed="2026-01-05 00:00",
    )
    acme.build()
    coding = acme.row("pr_coding")
    assert (coding["value"], coding["n"], coding["excluded"]) == (DAY, 1, {"commit_after_ready": 1})
    for stage in ("pr_pickup", "pr_review"):
        row = acme.row(stage)
        assert (row["value"], row["n"], row["excluded"]) == (None, 0, {"unreviewed": 2})


def test_t17_a_missing_stage_is_null_and_never_zero() -> None:
    acme = based()
    acme.pull_request("shop", 1, opened="2026-01-03 00:00", merged="2026-01-04 00:00")
    acme.build()
    for stage, reason in (("coding", "undated"), ("pickup", "unreviewed"), ("review", "unreviewed")):
        for metric in (f"pr_{stage}", f"pr_{stage}_working"):
            row = acme.row(metric)
            assert (row["value"], row["n"], row["status"]) == (None, 0, "no_data"), metric
            assert row["excluded"] == {reason: 1}
    # Not shipped yet: there is no release, left out or not.
    assert (acme.value("pr_release"), acme.row("pr_release")["excluded"]) == (None, {})


def test_t18_negative_durations_are_null_and_counted() -> None:
    acme = based()
    acme.commits("shop", "2026-01-09 00:00", "from-the-future")
    acme.deploy("shop", "from-the-future", "2026-01-05 00:00")
    acme.pull_request(
        "shop",
        1,
        opened="2026-01-03 00:00",
        ready="2026-01-06 00:00",
        reviewed="2026-01-03 12:00",
        merged="2026-01-04 00:00",
    )
    acme.run("shop", "base", "2026-01-03 02:00", "2026-01-03 01:00")
    # Deployed before it was merged: no release stage, yet no fault of a clock.
    acme.commit("shop", "early", "2026-01-10 00:00")
    acme.pull_request("shop", 2, "early", merged="2026-01-12 00:00", reviewed="2026-01-11 00:00")
    acme.deploy("shop", "early", "2026-01-11 00:00")
    acme.build()
    lead_time = acme.row("change_lead_time")
    assert (lead_time["value"], lead_time["excluded"]) == (DAY, {"baseline": 1, "negative": 1})
    assert acme.row("pr_review")["excluded"] == {"negative": 1}
    assert acme.row("ci_duration_p50")["excluded"] == {"negative": 1}
    assert acme.row("pr_release")["excluded"] == {"deployed_before_merge": 1}


def test_t23_what_bots_change_counts_in_deployments_and_not_in_lead_time() -> None:
    for include_bots in (False, True):
        acme = based(include_bots=include_bots)
        acme.commit("shop", "human", "2026-01-03 00:00")
        acme.deploy("shop", "human", "2026-01-04 00:00")
        acme.commit("shop", "bumped", "2026-01-05 00:00", bot=True)
        acme.deploy("shop", "bumped", "2026-01-08 00:00")
        acme.commit("shop", "merged", "2026-01-09 00:00")
        acme.pull_request("shop", 1, "merged", merged="2026-01-09 00:00", is_bot=True)
        acme.deploy("shop", "merged", "2026-01-14 00:00")
        lead_time = acme.build().row("change_lead_time")
        assert acme.value("deployments") == 4
        if include_bots:
            assert (lead_time["value"], lead_time["excluded"]) == (3 * DAY, {"baseline": 1})
        else:
            assert (lead_time["value"], lead_time["excluded"]) == (DAY, {"baseline": 1, "bot": 2})


def test_t24_a_change_on_parallel_branches_is_one_and_ships_first_anywhere() -> None:
    acme = based()
    acme.commit("shop", "fixed0123456", "2026-01-03 00:00", "base")
    acme.pull_request("shop", 1, "fixed0123456", merged="2026-01-03 00:00")
    acme.commit("shop", "picked-to-1.x", "2026-01-03 06:00", "base", picked_from="fixed01")
    acme.pull_request("shop", 2, "picked-to-1.x", merged="2026-01-03 06:00")
    acme.commit("shop", "picked-to-0.x", "2026-01-03 07:00", "base", picked_from="picked-to-1.x")
    acme.deploy("shop", "picked-to-1.x", "2026-01-04 00:00")
    acme.deploy("shop", "fixed0123456", "2026-01-05 00:00")
    acme.deploy("shop", "picked-to-0.x", "2026-01-06 00:00")
    # One commit of two is not the change, even the last.
    acme.commits("till", "2026-01-01 00:00", "start", "part-one", "part-two")
    acme.deploy("till", "start", "2026-01-02 00:00")
    acme.pull_request(
        "till",
        1,
        "part-one",
        "part-two",
        merged="2026-01-03 00:00",
        first="2026-01-03 00:00",
        merge_sha="part-two",
    )
    acme.commit("till", "picked", "2026-01-03 06:00", "start", picked_from="part-two")
    acme.deploy("till", "picked", "2026-01-04 00:00")
    acme.deploy("till", "part-two", "2026-01-05 00:00")
    acme.build()
    assert lead_times(acme) == {"#1": DAY, "github:till#1": 2 * DAY}
    assert acme.row("change_lead_time")["n"] == 1
    backports = acme.query("select backports from core.change where change_id = 'github:shop#1'")
    assert backports == [{"backports": 2}]


def test_t25_history_before_the_first_deployment_is_no_giant_batch() -> None:
    acme = Acme()
    acme.commits("shop", "2020-01-01 00:00", *(f"old{number}" for number in range(40)))
    acme.deploy("shop", "old39", "2026-01-02 00:00")
    acme.commits("shop", "2026-01-03 00:00", "new1", "new2")
    acme.deploy("shop", "new2", "2026-01-04 00:00")
    acme.build()
    lead_time = acme.row("change_lead_time")
    assert (lead_time["value"], lead_time["n"], lead_time["excluded"]) == (DAY, 2, {"baseline": 40})
    batch = acme.row("batch_size")
    assert (batch["value"], batch["n"], batch["excluded"]) == (2, 1, {"baseline": 1})
    assert acme.value("deployments") == 2


def test_t26_a_revert_is_linked_to_what_it_reverts_and_charges_what_shipped_that() -> None:
    acme = based(services=(Service("shop", ("shop",)),))
    for number, (name, hour) in enumerate((("feature", 0), ("other", 2)), start=1):
        acme.commit("shop", name, "2026-01-03 00:00")
        acme.pull_request("shop", number, name, merged="2026-01-03 00:00")
        acme.deploy("shop", name, f"2026-01-04 {hour:02}:00", name=name)
    acme.commit("shop", "revert", "2026-01-04 03:00", kind="revert")
    acme.pull_request("shop", 3, "revert", merged="2026-01-04 04:00", kind="revert", reverts=1)
    acme.deploy("shop", "revert", "2026-01-04 05:00")
    # Without a pull request, by the commit's message; too late to be a failure.
    acme.commit("shop", "revert-other", "2026-01-09 00:00", kind="revert", reverts="other")
    acme.commit("shop", "revert-by-sha", "2026-01-09 00:00", kind="revert", reverts="feature")
    acme.deploy("shop", "revert-by-sha", "2026-01-09 01:00")
    acme.build()
    links = acme.query(
        "select change_id, reverts_change_id from core.change where reverts_change_id is not null"
    )
    assert {row["change_id"][-3:]: row["reverts_change_id"][-2:] for row in links} == {
        "p#3": "#1",
        "sha": "#1",
    }
    assert acme.query("select deployment_id, rule from core.fault") == [
        {"deployment_id": "github:feature", "rule": "revert"}
    ]
    assert acme.value("change_fail_rate") == 1 / 5
    assert acme.value("failed_deployment_recovery_time") == 5 * HOUR
    assert acme.value("rework_rate") == 1 / 5


def test_t27_in_a_monorepo_paths_decide_whose_change_it_is() -> None:
    services = (
        Service("web", ("shop",), paths=("web",)),
        Service("api", ("shop",), paths=("services/api",)),
    )
    acme = based(services=services)
    acme.commit("shop", "w", "2026-01-03 00:00", folders=("web/pages",))
    acme.commit("shop", "a", "2026-01-04 00:00", folders=("services/api", "services"))
    acme.commit("shop", "both", "2026-01-05 00:00", folders=("web", "services/api/v2"))
    acme.commit("shop", "neither", "2026-01-06 00:00", folders=("website", "services"))
    acme.deploy("shop", "neither", "2026-01-07 00:00")
    acme.build()
    assert (acme.row("change_lead_time", "web")["n"], acme.value("change_lead_time", "web")) == (2, 3 * DAY)
    assert (acme.row("change_lead_time", "api")["n"], acme.value("change_lead_time", "api")) == (2, 2.5 * DAY)
    whole = acme.row("change_lead_time", level="repository")
    assert (whole["n"], whole["value"]) == (4, 2.5 * DAY)
