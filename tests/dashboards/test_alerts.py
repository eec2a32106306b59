"""What is alerted of, and what is not: nothing on noise, and everything once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import pytest

from dashboards.alerts import Standing, standing
from pipelines.home import Home
from pipelines.message_settings import GoalConfig
from tests.dashboards.report_tables import Amendable, figure, level

Look = Callable[..., Standing]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Amendable:
    return Amendable(Home(tmp_path_factory.mktemp("alerts")))


@pytest.fixture
def look(source: Amendable) -> Look:
    def looked(
        amend: str = "", *goals: GoalConfig, down_to: str = "organisation", told: Collection[str] = ()
    ) -> Standing:
        with source.amended(amend) as amended:
            return standing(amended, goals, down_to, told)

    return looked


def goal(metric: str = "change_lead_time", **bounds: Any) -> GoalConfig:
    return GoalConfig.model_validate({"metric": metric, **bounds})


def test_a_goal_is_missed_where_the_whole_interval_is_beyond_it(look: Look) -> None:
    # 10 h with an interval of 9 – 11 h, and 10 % with 6 – 16 %.
    beyond = [goal(at_most="8h"), goal(at_least="12h"), goal("change_fail_rate", at_most="5%")]
    within = [
        goal(at_most="9h"),
        goal(at_most="11h"),
        goal(at_least="11h"),
        goal("change_fail_rate", at_most="6%"),
    ]
    assert [alert.says.partition("to be ")[2] for alert in look("", *within, *beyond).begun] == [
        "at most 8 h.", "at least 12 h.", "at most 5 %.",
    ]  # fmt: skip


def test_it_is_told_once_and_its_end_only_where_it_is_sure(look: Look) -> None:
    wanted = goal(at_most="8h")
    (missed,) = look("", wanted).begun
    told = [missed.id]
    still, unsure = look("", wanted, told=told), figure("change_lead_time", 28_000, 25_000, 40_000)
    assert still.begun == still.ended == look(unsure, wanted, told=told).ended == ()
    met = figure("change_lead_time", 20_000, 18_000, 22_000)
    (ended,) = look(met, wanted, told=told).ended
    assert ended.id == missed.id
    assert ended.says.startswith("Goal met: Change lead time of all services was 5.6 h in Oct 2026")
    # Nobody who was not told that it was missed is told that it is met.
    assert look(met, wanted).ended == ()
    # Another goal is another alert.
    other = look("", goal(at_most="7h"), told=told)
    assert len(other.begun) == 1
    assert other.forgotten == {missed.id}


def test_without_an_interval_only_what_is_counted_is_held_against_a_goal(look: Look) -> None:
    bare = "update marts.{0} set low = null, high = null where level = 'organisation';"
    assert look(bare.format("change_lead_time"), goal(at_most="1h")).begun == ()
    counted = look(bare.format("deployment_frequency"), goal("deployment_frequency", at_least=3))
    assert len(counted.begun) == 1


def test_of_a_goal_without_a_figure_that_is_said(look: Look) -> None:
    found = look("", goal(at_most="8h", service="gone"), goal(at_most="8h", team="Nobody"))
    assert found.begun == ()
    assert found.unknown == (
        "Change lead time of gone, to be at most 8 h: there is no figure to hold against it.",
        "Change lead time of team Nobody, to be at most 8 h: there is no figure to hold against it.",
    )


def test_a_new_level_is_told_of_once_wherever_its_week_moves(look: Look) -> None:
    (found,) = look(level("ci_duration_p50", "2026-10-05", 60, 90)).begun
    who, since = "Ci duration p50 of all services", "from the week of 5 Oct 2026 on"
    assert found.says == f"New level: {who} {since}, 1 min → 1.5 min (p = 0.004)."
    moved = look(level("ci_duration_p90", "2026-10-26", 60, 90), told=[found.id])
    assert moved.begun == moved.ended == ()
    assert moved.forgotten == frozenset()


def test_a_level_that_is_withdrawn_is_said_while_it_is_fresh(look: Look) -> None:
    (found,) = look(level("ci_duration_p50", "2026-10-05", 60, 90)).begun
    (ended,) = look(told=[found.id]).ended
    assert ended.says.startswith("No longer told apart from chance: Ci duration p50 of all services from")
    old = found.id.replace("2026-10-05", "2026-01-05")
    assert look(told=[old]) == Standing((), (), frozenset({old}), ())


def test_old_levels_and_those_of_smaller_groups_are_no_news(look: Look) -> None:
    levels = level("ci_duration_p50", "2026-08-03", 60, 90) + level(
        "ci_queue_p50", "2026-10-05", 6, 9, "team"
    )
    assert look(levels).begun == look(levels, down_to="none").begun == ()
    (found,) = look(levels, down_to="team").begun
    assert " of team Payments " in found.says
    # Told of, and then no longer asked for.
    assert look(levels, told=[found.id]).forgotten == {found.id}


def test_of_two_figures_of_one_thing_the_larger_change_is_told(look: Look) -> None:
    both = level("ci_duration_p50", "2026-10-05", 60, 90) + level("ci_duration_p90", "2026-10-12", 60, 120)
    (found,) = look(both).begun
    assert "p90" in found.says
