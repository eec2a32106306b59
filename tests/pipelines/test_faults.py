"""Which deployment failed, what shows it and when it was over: every rule, link and bound of them."""

from __future__ import annotations

import pytest

import tests.pipelines.linked_faults  # noqa: F401 - further stories
from tests.pipelines import incidents
from tests.pipelines.acme import Acme
from tests.pipelines.incidents import Shop, faults, sha
from tests.pipelines.modelled import making
from tests.pipelines.stories import STORIES, story

_models = making(
    "marts.change_fail_rate", "marts.deployment_success_rate", "marts.deployments",
    "marts.failed_deployment_recovery_time", "marts.fault", "marts.incident", "marts.rework_rate",
    "marts.time_to_restore",
)  # fmt: skip


@pytest.fixture(scope="module")
def acme() -> Acme:
    """Every story in a repository of its own, modelled at once."""
    acme = Acme(covered_until="2026-03-31 00:00")
    for name, each in STORIES.items():
        each.happens(Shop(acme, name))
    return acme.build()


@pytest.mark.parametrize("name", STORIES)
def test_what_failed(acme: Acme, name: str) -> None:
    told = STORIES[name]
    assert faults(acme, f"service:{name}") == told.faults
    assert incidents.unattributed(acme, name) == told.unattributed
    if told.hours is not None:
        assert incidents.hours(acme, name) == told.hours
    if told.rework is not None:
        assert incidents.rework(acme, name) == told.rework


# -- rule 4: an incident after a deployment


@story({"d2": ("incident", ["i1", "i2"])}, hours={"d2": 4})
def two_incidents_are_one_failure_until_the_last_is_resolved(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.deployed("a1", "b1")
    shop.incident("i1", "2 11:00", "2 14:10")
    shop.incident("i2", "2 12:00", "2 12:30")


@story({"d1": ("incident", ["i1", "i2"])}, hours={"d1": None})
def one_open_incident_keeps_the_fault_open(shop: Shop) -> None:
    shop.line("a1")
    shop.deployed("a1")
    shop.incident("i1", "1 11:00", "1 14:10")
    shop.incident("i2", "1 12:00", None)


@story({"d1": ("incident", ["i1"]), "d2": ("incident", ["i2", "i3"])}, hours={"d1": 24, "d2": 0.5})
def the_next_deployment_is_blamed_from_its_start(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.deployed("a1", "b1")
    shop.incident("i1", "2 09:59", "2 10:10")
    shop.incident("i2", "2 10:00", "2 10:20")  # the fault begins with the deployment's start then
    shop.incident("i3", "2 10:10", "2 10:30")


@story({"d1": ("incident", ["i1"])}, unattributed={"i0", "i2"}, hours={"d1": None})
def an_incident_is_blamed_on_a_deployment_until_the_window_after_its_finish(shop: Shop) -> None:
    shop.line("a1")
    shop.deployed("a1")
    shop.incident("i0", "1 09:59", "1 11:00")
    shop.incident("i1", "2 10:10", None)
    shop.incident("i2", "2 10:11", None)


@story({"d2": ("incident", ["i1"])})
def of_overlapping_deployments_the_last_to_start_is_blamed(shop: Shop) -> None:
    shop.line("a1", "b1", "c1")
    shop.deploy("d0", "a1", "1 01:00", "1 01:10")
    shop.deploy("d1", "b1", "1 10:00", "1 12:00")
    shop.deploy("d2", "c1", "1 10:30", "1 11:00")
    shop.incident("i1", "1 13:00", "1 14:00")


# -- rule 1: an incident that names its cause


@story(
    {
        "d1": ("named", ["i1", "i4"]),
        "d2": ("named", ["i2", "i3", "i5"]),
        "d3": ("incident", ["i6", "i7", "i8"]),
    }
)
def an_incident_names_a_deployment_a_commit_or_a_change(shop: Shop) -> None:
    shop.line("a1", "b1", "b2b2b2b2", "c1")
    shop.deployed("a1", "b2b2b2b2", "c1")
    shop.pull_request(7, "b1", "1 00:00", "2 00:00")
    shop.incident("i1", "9 11:00", None, deployment=shop.id("d1"))
    shop.incident("i2", "9 11:00", None, sha="B2B2B2B")  # seven digits of it
    shop.incident("i3", "9 11:00", None, sha=sha("b1"))  # the first to contain it
    shop.incident("i4", "9 11:00", None, sha=sha("a1"))
    shop.incident("i5", "9 11:00", None, change_number=7)
    shop.incident("i6", "3 11:00", None, sha="b2b2b2")  # too short
    shop.incident("i7", "3 11:00", None, deployment="unheard-of", change_number=8)
    shop.incident("i8", "3 11:00", None, change_number=None)


@story({"d3": ("incident", ["i1", "i2", "i3"])}, unattributed={"i4"})
def what_was_there_before_the_first_deployment_was_brought_by_none_known(shop: Shop) -> None:
    shop.line("a0", "a1", "b1", "c1")
    shop.deployed("a1", "b1", "c1")
    shop.pull_request(7, "a0", "1 00:00", "1 01:00")
    shop.incident("i1", "3 11:00", None, sha=sha("a0"))
    shop.incident("i2", "3 11:00", None, change_number=7)
    shop.deploy("failed", "c1", "3 09:00", "3 09:10", status="failed")
    shop.incident("i3", "3 11:00", None, deployment=shop.id("failed"))
    shop.incident("i4", "9 11:00", None, deployment=shop.id("failed"))


@story({"d4": ("named", ["i1"]), "d2": ("rollback", ["d3"])})
def a_commit_brought_back_after_a_rollback_is_of_the_deployment_that_had_it_live(shop: Shop) -> None:
    shop.line("a1", "b1b1b1b1")
    shop.deployed("a1", "b1b1b1b1", "a1", "b1b1b1b1")
    shop.incident("i1", "4 11:00", None, sha="b1b1b1b1")


@story({"d2": ("incident", ["i1"])}, hours={"d2": 24}, rework={"d3"})
def what_starts_after_the_incident_is_its_fix_and_not_its_cause(shop: Shop) -> None:
    shop.line("a1", "b1", "c1")
    shop.deployed("a1", "b1", "c1")
    shop.incident("i1", "2 11:00", "5 00:00", sha=sha("c1"))


# -- rule 2: a rollback


@story({"d2": ("rollback", ["d3"])}, hours={"d2": 24}, rework={"d3"})
def going_back_says_that_the_version_before_failed(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.deployed("a1", "b1", "a1", "b1")


@story({"d2": ("rollback", ["d3"])})
def a_rollback_has_the_window_to_start_in(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "a1", "3 10:10", "3 12:00")
    shop.deploy("d4", "b1", "4 10:00", "4 10:10")
    shop.deploy("d5", "a1", "5 10:11", "5 10:20")  # a minute too late


@story({}, rework=set())
def an_older_deployment_that_finishes_later_is_no_rollback(shop: Shop) -> None:
    shop.line("a1", "b1", "c1")
    shop.deployed("a1")
    shop.deploy("d2", "b1", "2 10:00", "2 11:00")
    shop.deploy("d3", "c1", "2 10:30", "2 10:40")


@story({}, rework=set())
def going_back_from_what_another_deployment_has_replaced_meanwhile_is_no_rollback(shop: Shop) -> None:
    shop.line("a1", "b1", "c1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 11:00", "2 12:00")
    shop.deploy("d4", "a1", "2 11:30", "2 12:10")


@story({}, rework=set())
def a_version_of_another_branch_is_no_rollback(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.commit("x1", "1 00:00", "a1")
    shop.deployed("a1", "b1", "x1")


@story({"d2": ("rollback", ["d3"])}, hours={"d2": 1})
def a_rollback_of_two_environments_is_one(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.deployed("a1")
    shop.deploy("d1b", "a1", "1 10:20", "1 10:30", environment="prod-eu")
    shop.deploy("d2", "b1", "2 10:00", "2 10:10")
    shop.deploy("d2b", "b1", "2 10:20", "2 10:30", environment="prod-eu")
    shop.deploy("d3", "a1", "2 11:00", "2 11:10")
    shop.deploy("d3b", "a1", "2 11:20", "2 11:30", environment="prod-eu")


@story({"d3": ("rollback", ["d4"])})
def of_what_a_rollback_finds_in_several_environments_the_last_is_blamed(shop: Shop) -> None:
    shop.line("a1", "b1", "c1")
    for day, commit in ((1, "a1"), (2, "b1")):
        shop.deploy(f"d{day}", commit, f"{day} 10:00", f"{day} 10:10")
        shop.deploy(f"d{day}b", commit, f"{day} 10:20", f"{day} 10:30", environment="prod-eu")
    shop.deploy("d3", "c1", "2 11:00", "2 11:10")
    shop.deploy("d4", "a1", "2 12:00", "2 12:10")
    shop.deploy("d4b", "a1", "2 12:20", "2 12:30", environment="prod-eu")


# -- rule 3: a revert or a hotfix


def reverting(shop: Shop, *, shipped: str) -> None:
    """`d2` ships pull request 2, and `d4`, finished then, its revert 3."""
    shop.line("a1", "b1", "c1", "d1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "3 05:00", "3 05:10")
    shop.deploy("d4", "d1", "3 06:00", shipped)
    shop.pull_request(2, "b1", "1 00:00", "1 12:00")
    shop.pull_request(3, "d1", "3 05:30", "3 05:40", kind="revert", reverts=2)


@story({"d2": ("revert", ["#3"])}, hours={"d2": 24}, rework={"d4"})
def a_revert_blames_the_first_to_ship_what_it_reverts(shop: Shop) -> None:
    reverting(shop, shipped="3 10:10")


@story({}, rework=set())
def a_revert_shipped_after_the_window_blames_none(shop: Shop) -> None:
    reverting(shop, shipped="3 10:11")


@story({"d2": ("revert", ["c1"])}, rework={"d3"})
def a_commit_says_what_it_reverts(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.commit("c1", "2 12:00", kind="revert", reverts="b1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 13:00", "2 13:10")


@story({"d2": ("revert", ["c1"])}, rework={"d3"})
def a_commit_says_by_seven_digits_what_it_reverts(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.commit("c1", "2 12:00", kind="revert", reverts=sha("b1")[:7])
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 13:00", "2 13:10")


@story({}, rework=set())
def what_was_reverted_before_it_shipped_or_shipped_at_a_time_unknown_did_not_fail(
    shop: Shop,
) -> None:
    shop.line("a1", "b1")
    shop.commit("c1", "1 12:00", kind="revert", reverts="b1")
    shop.commit("d1", "1 12:00", kind="revert", reverts="a1")
    shop.deployed("a1", "d1")


@story({"d2": ("revert", ["c1"])}, rework={"d3"})
def reverting_a_revert_is_no_fault(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.commit("c1", "2 12:00", kind="revert", reverts="b1")
    shop.commit("d1", "2 14:00", kind="revert", reverts="c1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 13:00", "2 13:10")
    shop.deploy("d4", "d1", "2 15:00", "2 15:10")


@story({"d2": ("revert", ["#3"])}, rework={"d3"})
def bringing_a_change_back_is_no_hotfix(shop: Shop) -> None:
    shop.line("a1", "b1", "c1", "d1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 13:00", "2 13:10")
    shop.deploy("d4", "d1", "2 15:00", "2 15:10")
    shop.pull_request(2, "b1", "1 00:00", "1 12:00")
    shop.pull_request(3, "c1", "2 12:00", "2 12:10", kind="revert", reverts=2)
    shop.pull_request(4, "d1", "2 14:00", "2 14:10", kind="revert", reverts=3, is_hotfix=True)


@story({"d2": ("hotfix", ["#2"])}, hours={"d2": 24}, rework={"d4"})
def a_hotfix_blames_what_was_live_when_it_was_begun(shop: Shop) -> None:
    shop.line("a1", "b1", "c1", "d1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 12:00", "2 12:10")
    shop.deploy("d4", "d1", "3 10:00", "3 10:10")
    shop.pull_request(1, "c1", "1 01:00", "2 11:00", is_hotfix=True)  # begun before anything was live
    shop.pull_request(2, "d1", "2 12:09", "2 13:00", labels=("Hotfix",))


@story({"d1": ("hotfix", ["#1"])})
def a_hotfix_may_blame_the_first_deployment(shop: Shop) -> None:
    shop.line("a1", "b1", "c1")
    shop.deployed("a1")
    shop.deploy("d2", "b1", "2 09:00", "2 10:10")
    shop.deploy("d3", "c1", "5 10:00", "5 10:10")
    shop.pull_request(1, "b1", "1 10:10", "1 13:00", is_hotfix=True)
    shop.pull_request(2, "c1", "2 12:00", "5 09:00", is_hotfix=True)  # shipped too late


# -- figures


def test_every_fault_has_its_evidence_and_links(acme: Acme) -> None:
    name = "an_incident_its_rollback_and_its_revert_are_one_fault_of_what_shipped_the_change"
    (fault,) = acme.query("from marts.fault where service = ?", name)
    assert (fault["rule"], fault["recovery_seconds"], fault["repository"]) == ("revert", 2 * 3600, name)
    assert [(each["kind"], each["rule"], f"{each['at']:%H:%M}") for each in fault["evidence"]] == [
        ("incident", "incident", "11:30"),
        ("rollback", "rollback", "12:10"),
        ("revert", "revert", "15:10"),
    ]
    assert fault["evidence"][0]["url"] == "https://x.invalid/i1"


def test_rates_count_each_deployment_once(acme: Acme) -> None:
    key = "an_incident_its_rollback_and_its_revert_are_one_fault_of_what_shipped_the_change"
    for level in ("service", "repository"):
        failed = acme.row("change_fail_rate", key, level=level)
        assert (failed["value"], failed["n"], failed["status"]) == (1 / 5, 5, "ok")
        rework = acme.row("rework_rate", key, level=level)
        assert (rework["value"], rework["n"]) == (2 / 5, 5)
        recovery = acme.row("failed_deployment_recovery_time", key, level=level)
        assert (recovery["value"], recovery["n"], recovery["status"]) == (2 * 3600, 1, "too_few")


def test_what_is_open_counts_in_the_rate_and_as_long_as_known_in_recovery(acme: Acme) -> None:
    key = "an_incident_is_blamed_on_a_deployment_until_the_window_after_its_finish"
    assert acme.value("change_fail_rate", key) == 1
    recovery = acme.row("failed_deployment_recovery_time", key)
    assert (recovery["value"], recovery["n"]) == (None, 1)
    (fault,) = acme.query("from marts.fault where service = ?", key)
    assert fault["recovery_seconds"] == (29 * 24 * 60 + 13 * 60 + 50) * 60  # until the sync, at midnight


@story({}, unattributed={"i1", "i2", "i3", "i4", "i5"})
def tried(shop: Shop) -> None:
    shop.line("a1")
    shop.deploy("d1", "a1", "1 10:00", "1 10:10")
    shop.deploy("d2", "a1", "2 10:00", "2 10:10")  # again, with nothing new
    for status in ("failed", "cancelled", "skipped"):
        shop.deploy(status, "a1", "3 10:00", "3 10:10", status=status)
    shop.deploy("staging", "a1", "3 10:00", "3 10:10", status="failed", environment="staging")
    for number, hours in enumerate((1, 2, 4, 8), start=1):
        shop.incident(f"i{number}", "9 00:00", f"9 0{hours}:00")
    shop.incident("i5", "9 00:00", None)


def test_tries_that_were_cancelled_or_skipped_are_counted_apart(acme: Acme) -> None:
    rate = acme.row("deployment_success_rate", "tried")
    assert (rate["value"], rate["n"]) == (2 / 3, 3)
    assert rate["excluded"] == {"cancelled": 1, "skipped": 1}
    assert acme.value("deployments", "tried") == 1


def test_what_is_not_restored_yet_lasted_longer_than_it_is_known(acme: Acme) -> None:
    restored = acme.row("time_to_restore", "tried")
    assert (restored["value"], restored["n"], restored["status"]) == (4 * 3600, 5, "ok")
