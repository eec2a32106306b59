"""What others get wrong about adoption."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from tests.pipelines.adoption import hand_filled
from tests.pipelines.adoption.given import Capability, Evidence, Given, Pull, Service, daily
from tests.pipelines.adoption.hand_filled import Row

FIRST, LAST = date(2026, 1, 5), date(2026, 8, 2)
PEOPLE = ("ada", "bob", "cyd", "dee")


def platform(*services: Service, **capability: object) -> Given:
    """Services that four people work on all the time, and the capability `ci` with a cadence of 30 days."""
    given = Given(LAST, [*services], teams={"shop": None, "pay": None, "platform": None})
    for service in services:
        given.commits += daily(service.name, FIRST - timedelta(days=90), LAST, *PEOPLE)
    names = frozenset(service.name for service in services)
    given.capabilities = [Capability("ci", eligible=names, **capability)]  # type: ignore[arg-type]
    # From when on there is anything to tell.
    given.evidence = [Evidence("ci", None, FIRST, rule="ticket", team="platform")]
    return given


def owned(name: str, team: str) -> Service:
    return Service(name, owners=((team, None, None),))


class Told:
    """Figures of the capability `ci` in a month of 2026."""

    def __init__(self, given: Given) -> None:
        self.connection = hand_filled.fill(given)

    def __call__(
        self, metric: str, month: int, level: str = "organisation", key: str = "Acme", of: str | None = "ci"
    ) -> Row:
        row = hand_filled.rows(self.connection, [metric])
        return row[metric, of, level, key, "month", date(2026, month, 1)]

    def listed(self, query: str) -> list[tuple[object, ...]]:
        hand_filled.build(self.connection, re.findall(r"\bmarts\.\w+", query))
        return self.connection.execute(query).fetchall()


def test_a_group_is_no_user_because_one_of_its_projects_is() -> None:
    given = platform(owned("web", "shop"), owned("cart", "shop"), owned("till", "pay"))
    given.evidence.append(Evidence("ci", "web", date(2026, 3, 10)))
    told = Told(given)
    assert (told("reach", 3, "team", "shop")["value"], told("reach", 3, "team", "shop")["n"]) == (0.5, 2)
    assert told("reach", 3, "service", "cart")["value"] == 0
    assert told("reach", 3, "team", "pay")["value"] == 0


def test_clicks_are_no_use() -> None:
    given = platform(owned("web", "shop"), owned("cart", "shop"))
    given.evidence += [
        Evidence("ci", "web", date(2026, 3, 10), rule="template", result=result)
        for result in ("failed", "cancelled", "running", "skipped", "unknown")
    ]
    told = Told(given)
    assert told("reach", 3)["value"] == 0
    assert told.listed("from marts.adoption_change") == []
    # It was touched, and tried.
    assert told.listed("select step, services from marts.adoption_funnel order by position") == [
        *(("eligible", 2), ("touched", 1), ("used", 0), ("using", 0), ("kept", 0))
    ]
    assert told("template_success", 3)["value"] == 0
    assert told("template_success", 3)["n"] == 2


def test_what_carries_no_time_is_dated_by_the_snapshots_alone() -> None:
    given = platform(owned("web", "shop"), owned("cart", "shop"))
    given.evidence += [
        Evidence("ci", "web", date(2026, 3, 10), is_state=True, is_start_unknown=True),
        Evidence("ci", "cart", date(2026, 4, 10), is_state=True, ended_on=date(2026, 5, 20)),
    ]
    told = Told(given)
    # It counts in reach from when it was seen, and nowhere as new.
    assert [told("reach", month)["value"] for month in (2, 3, 4)] == [0, 0.5, 1]
    assert told("quick_ratio", 3)["excluded"] == {"unknown_start": 1}
    assert told("retention", 3)["n"] == 0
    assert told.listed("select service, change, changed_on from marts.adoption_change") == [
        ("cart", "adopted", date(2026, 4, 10)),
        # Thirty days after the last on which it was there.
        ("cart", "left", date(2026, 6, 18)),
    ]


def test_a_capability_keeps_no_users_after_it_was_retired_and_loses_none_by_it() -> None:
    given = platform(owned("web", "shop"), owned("cart", "shop"), retired_on=date(2026, 5, 1))
    given.evidence.append(Evidence("ci", "web", date(2026, 3, 10), is_state=True))
    told = Told(given)
    assert told("reach", 4)["value"] == 0.5
    assert ("reach", "ci", "organisation", "Acme", "month", date(2026, 5, 1)) not in hand_filled.rows(
        told.connection, ["reach"]
    )
    assert told("quick_ratio", 3)["n"] == 1
    assert told.listed("select change from marts.adoption_change order by changed_on") == [
        ("adopted",),
        ("retired",),
    ]


def test_a_service_that_is_archived_leaves_every_denominator_and_is_no_loss() -> None:
    given = platform(Service("web", archived_on=date(2026, 4, 10)), Service("cart"), Service("till"))
    given.evidence += [Evidence("ci", name, date(2026, 3, 1), is_state=True) for name in ("web", "cart")]
    told = Told(given)
    assert [(told("reach", m)["n"], told("reach", m)["value"]) for m in (3, 4)] == [
        (3, pytest.approx(2 / 3)),
        (2, 0.5),
    ]
    assert told("reach", 4)["excluded"] == {}
    assert (told("churn", 4)["value"], told("churn", 4)["n"]) == (0, 1)
    assert told("churn", 4)["excluded"] == {"dormant": 1}


def test_a_dormant_service_is_counted_apart() -> None:
    given = platform(Service("web"), Service("cart"), Service("old"))
    given.commits = [each for each in given.commits if each[0] != "old" or each[1] < date(2026, 2, 1)]
    given.evidence.append(Evidence("ci", "old", date(2026, 1, 10), is_state=True))
    told = Told(given)
    assert (told("reach", 3)["n"], told("reach", 6)["n"]) == (3, 2)
    assert (told("reach", 6)["value"], told("reach", 6)["excluded"]) == (0, {"dormant": 1})


def test_what_a_team_did_before_it_was_merged_stays_its_own() -> None:
    web = Service("web", owners=(("shop", None, date(2026, 4, 10)), ("pay", date(2026, 4, 10), None)))
    given = platform(web, owned("till", "pay"))
    given.evidence.append(Evidence("ci", "web", date(2026, 3, 1), is_state=True))
    told = Told(given)
    assert (told("reach", 3, "team", "shop")["value"], told("reach", 3, "team", "pay")["value"]) == (1, 0)
    assert (told("reach", 4, "team", "pay")["value"], told("reach", 4, "team", "pay")["n"]) == (0.5, 2)
    assert told("reach", 4)["n"] == 2
    assert told.listed("select team from marts.adoption_change where change = 'adopted'") == [("shop",)]
    # It took the use along: the one comes by it, the other leaves by it, the organisation does neither.
    assert told("quick_ratio", 4)["n"] == 0


def test_a_trial_is_no_adoption_that_lasts() -> None:
    given = platform(Service("web"), Service("cart"))
    given.evidence.append(Evidence("ci", "web", date(2026, 3, 10)))
    given.evidence += [Evidence("ci", "cart", date(2026, 3, 1) + timedelta(days=20 * n)) for n in range(8)]
    told = Told(given)
    assert [told("reach", month)["value"] for month in (3, 4)] == [1, 0.5]
    assert (told("retention", 3)["value"], told("retention", 3)["n"]) == (0.5, 2)
    assert told("churn", 4)["value"] == 0.5
    assert told("quick_ratio", 4)["value"] == 0


def test_what_was_mandated_is_no_pull() -> None:
    given = platform(*(Service(name) for name in ("early", "late", "free", "seen")))
    given.evidence += [
        Evidence("ci", "early", date(2026, 3, 1), is_state=True),
        Evidence("ci", "late", date(2026, 5, 1), is_state=True),
        Evidence("ci", "free", date(2026, 5, 1), is_state=True),
        Evidence("ci", "seen", date(2026, 5, 1), is_state=True, is_start_unknown=True),
    ]
    given.mandates = [("ci", date(2026, 4, 1), frozenset({"early", "late", "seen"}))]
    told = Told(given)
    assert told("reach", 5)["value"] == 1
    assert (told("voluntary_share", 5)["value"], told("voluntary_share", 5)["n"]) == (pytest.approx(2 / 3), 3)
    assert told("voluntary_share", 5)["excluded"] == {"unknown_start": 1}
    assert told.listed("select service from marts.adoption_change where is_mandated") == [("late",)]


def test_one_that_came_back_after_the_mandate_was_sent() -> None:
    given = platform(Service("web"), Service("cart"))
    given.evidence += [Evidence("ci", "web", date(2026, 2, 1)), Evidence("ci", "web", date(2026, 5, 10))]
    given.mandates = [("ci", date(2026, 4, 1), frozenset({"web"}))]
    told = Told(given)
    assert (told("voluntary_share", 2)["value"], told("voluntary_share", 5)["value"]) == (1, 0)


def test_who_left_is_told_with_what_they_use_instead() -> None:
    given = platform(owned("web", "shop"), owned("till", "pay"), kind="pipeline")
    given.capabilities.append(Capability("other-ci", "pipeline", eligible=frozenset({"web", "till"})))
    given.evidence += [
        Evidence("ci", "web", date(2026, 3, 1), is_state=True, ended_on=date(2026, 5, 1)),
        Evidence("other-ci", "web", date(2026, 4, 25), is_state=True),
    ]
    told = Told(given)
    left = "where change = 'left' and capability = 'ci' and changed_on between '2026-05-01' and '2026-05-31'"
    assert told.listed(f"select service, team, instead from marts.adoption_change {left}") == [
        ("web", "shop", ["other-ci"])
    ]
    assert told.listed(f"select team, instead from marts.adoption_team_change {left}") == [
        ("shop", ["other-ci"])
    ]
    states = "select service, state from marts.adoption_service where capability = 'ci' order by service"
    assert told.listed(states) == [("till", "never"), ("web", "left")]


def test_figures_of_fewer_than_three_people_are_withheld_and_what_would_tell_them() -> None:
    given = platform(owned("web", "shop"), owned("till", "pay"), owned("kit", "platform"))
    given.commits = [each for each in given.commits if each[0] != "till" or each[2] in PEOPLE[:2]]
    given.evidence.append(Evidence("ci", "till", date(2026, 3, 1), is_state=True))
    told = Told(given)
    rows = {key: told("reach", 4, "team", key) for key in ("shop", "pay", "platform")}
    # Four people work on both others: of equals the first by name goes with it.
    assert {key: row["status"] for key, row in rows.items()} == {
        "shop": "too_few", "pay": "suppressed", "platform": "suppressed"
    }  # fmt: skip
    assert [rows["pay"][name] for name in ("value", "n", "low", "high", "excluded")] == [
        None,
        None,
        None,
        None,
        {},
    ]
    assert told("reach", 4)["n"] == 3
    assert ("till",) not in told.listed("select service from marts.adoption_service")
    assert told.listed("select hidden_services from marts.capability") == [(1,)]
    assert told.listed("select count(*) from figures.reach where key in ('pay', 'till')") == [(0,)]


def test_bots_and_unknown_people_contribute_nothing_from_outside() -> None:
    given = platform(Service("web"))
    given.members = {"ada": "platform", "bob": "shop"}
    merged_on = date(2026, 3, 2)
    given.pulls = [Pull(author, merged_on) for author in ("ada", "bob", "cyd")]
    given.pulls.append(Pull("bob", merged_on, is_bot=True))
    row = Told(given)("outside_contribution", 3, of=None)
    assert (row["value"], row["n"], row["excluded"]) == (0.5, 2, {"bot": 1, "no_team": 1})


def test_what_is_still_there_when_it_is_first_looked_for_never_left() -> None:
    given = platform(Service("web"), Service("cart"))
    given.evidence += [
        Evidence("ci", "web", date(2026, 2, 10), rule="template", result="success"),
        Evidence("ci", "web", date(2026, 6, 10), is_state=True, is_start_unknown=True),
    ]
    told = Told(given)
    assert [told("reach", month)["value"] for month in (2, 4, 6)] == [0.5, 0.5, 0.5]
    assert told.listed("select change, changed_on from marts.adoption_change") == [
        ("adopted", date(2026, 2, 10))
    ]
    assert told("retention", 2)["value"] == 1
