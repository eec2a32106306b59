"""Incidents, rollbacks, reverts and hotfixes that are one fault, or are not."""

from __future__ import annotations

from tests.pipelines.incidents import Shop
from tests.pipelines.stories import story

# -- links: one fault, charged once


def troubled(shop: Shop, resolved: str, **named: str) -> None:
    """`d2` ships pull request 2; after `d3`, an incident, a rollback to `d2`, and a revert of 2 in `d5`."""
    shop.line("a1", "b1b1b1b1", "c1c1c1c1", "e1")
    shop.deploy("d1", "a1", "1 10:00", "1 10:10")
    shop.deploy("d2", "b1b1b1b1", "2 10:00", "2 10:10")
    shop.deploy("d3", "c1c1c1c1", "2 11:00", "2 11:10")
    shop.deploy("d4", "b1b1b1b1", "2 12:00", "2 12:10")
    shop.deploy("d5", "e1", "2 15:00", "2 15:10")
    shop.pull_request(2, "b1b1b1b1", "1 00:00", "1 12:00")
    shop.pull_request(3, "e1", "2 14:00", "2 14:10", kind="revert", reverts=2)
    shop.incident("i1", "2 11:30", resolved, **named)


@story({"d2": ("revert", ["#3", "d4", "i1"])}, hours={"d2": 2}, rework={"d4", "d5"})
def an_incident_its_rollback_and_its_revert_are_one_fault_of_what_shipped_the_change(shop: Shop) -> None:
    troubled(shop, "2 15:30")


@story({"d3": ("rollback", ["d4", "i1"]), "d2": ("revert", ["#3"])}, hours={"d3": 1, "d2": 5})
def a_revert_begun_after_the_incident_was_over_mends_something_else(shop: Shop) -> None:
    troubled(shop, "2 13:59")


@story({"d3": ("named", ["#3", "d4", "i1"])}, hours={"d3": 1})
def what_the_incident_names_goes_before_what_a_revert_says(shop: Shop) -> None:
    troubled(shop, "2 15:30", sha="c1c1c1c1")


@story({"d2": ("revert", ["#3", "d4"])}, hours={"d2": 2})
def a_rollback_that_left_the_reverted_change_behind_too_was_for_it(shop: Shop) -> None:
    shop.line("a1", "b1", "c1", "e1")
    shop.deploy("d1", "a1", "1 10:00", "1 10:10")
    shop.deploy("d2", "b1", "2 10:00", "2 10:10")
    shop.deploy("d3", "c1", "2 11:00", "2 11:10")
    shop.deploy("d4", "a1", "2 12:00", "2 12:10")
    shop.deploy("d5", "e1", "2 15:00", "2 15:10")
    shop.pull_request(2, "b1", "1 00:00", "1 12:00")
    shop.pull_request(3, "e1", "2 14:00", "2 14:10", kind="revert", reverts=2)


@story({"d2": ("rollback", ["d3", "i1"])})
def an_incident_opened_while_it_was_rolled_back_is_of_what_was_rolled_back(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "a1", "2 23:50", "3 00:10")
    shop.incident("i1", "2 23:55", "3 11:00")


@story({"d2": ("incident", ["i1"]), "d3": ("rollback", ["d4", "i2"])})
def a_rollback_mends_the_incident_of_the_deployment_it_took_back(shop: Shop) -> None:
    shop.line("a1", "b1", "c1")
    shop.deploy("d1", "a1", "1 10:00", "1 10:10")
    shop.deploy("d2", "b1", "2 10:00", "2 10:10")
    shop.incident("i1", "2 10:30", "2 15:00")
    shop.deploy("d3", "c1", "2 11:00", "2 11:10")
    shop.incident("i2", "2 11:30", "2 12:10")
    shop.deploy("d4", "b1", "2 12:00", "2 12:10")


@story({"d1": ("incident", ["i1"]), "d2": ("rollback", ["d3"])})
def what_started_after_an_incident_was_not_rolled_back_for_it(shop: Shop) -> None:
    shop.line("a1", "b1")
    shop.deployed("a1")
    shop.incident("i1", "1 10:30", "1 13:00")
    shop.deploy("d2", "b1", "1 11:00", "1 11:10")
    shop.deploy("d3", "a1", "1 12:00", "1 12:10")


def two_incidents_and_a_revert(shop: Shop, *, first: str) -> None:
    """`d2` ships pull request 2, reverted by 3 in `d5`; before that an incident, and one after `d4`."""
    shop.line("a1", "b1", "c1", "e1", "f1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 11:00", "2 11:10")
    shop.deploy("d4", "e1", "2 12:00", "2 12:10")
    shop.deploy("d5", "f1", "2 15:00", "2 15:10")
    shop.pull_request(2, "b1", "1 00:00", "1 12:00")
    shop.pull_request(3, "f1", "2 14:00", "2 14:10", kind="revert", reverts=2)
    shop.incident("i1", first, "2 16:00")
    shop.incident("i2", "2 12:30", "2 16:00")


@story({"d2": ("revert", ["#3", "i2"]), "d3": ("incident", ["i1"])})
def a_revert_mends_the_last_incident_before_it(shop: Shop) -> None:
    two_incidents_and_a_revert(shop, first="2 11:30")


@story({"d2": ("revert", ["#3", "i1"]), "d4": ("incident", ["i2"])})
def a_revert_of_what_an_incident_blames_mends_that_one(shop: Shop) -> None:
    two_incidents_and_a_revert(shop, first="2 10:30")


@story({"d3": ("hotfix", ["#2", "i1"])}, hours={"d3": 3})
def a_hotfix_mends_the_incident_it_was_begun_for(shop: Shop) -> None:
    shop.line("a1", "b1", "c1", "d1", "e1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "3 10:00", "3 10:10")
    shop.deploy("d4", "d1", "3 11:00", "3 11:30")
    shop.incident("i1", "3 11:05", "3 14:00")  # while d4 was on its way: it is suspected
    shop.pull_request(2, "e1", "3 11:10", "3 12:00", is_hotfix=True)
    shop.deploy("d5", "e1", "3 13:00", "3 13:10")


@story({"d2": ("revert", ["#4"]), "d3": ("revert", ["#5"])})
def two_reverts_of_what_two_deployments_shipped_are_two_faults(shop: Shop) -> None:
    shop.line("a1", "b1", "c1", "d1", "e1")
    shop.deployed("a1", "b1")
    shop.deploy("d3", "c1", "2 11:00", "2 11:10")
    shop.deploy("d4", "e1", "2 12:00", "2 12:10")
    shop.pull_request(2, "b1", "1 00:00", "1 12:00")
    shop.pull_request(3, "c1", "1 00:00", "1 12:00")
    shop.pull_request(4, "d1", "2 11:30", "2 11:40", kind="revert", reverts=2)
    shop.pull_request(5, "e1", "2 11:30", "2 11:40", kind="revert", reverts=3)
