"""What a report says: what changed and how sure that is, and nothing on noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dashboards.report import content
from dashboards.report.content import Report
from dashboards.report.period import GRAINS, Period, latest
from pipelines.home import Home
from tests.dashboards import report_tables
from tests.dashboards.report_tables import PLAN, Amendable, figure, level

OCTOBER = Period("month", date(2026, 10, 1), date(2026, 11, 1))
NOW = datetime(2026, 11, 12, 12, tzinfo=UTC)
Say = Callable[..., Report]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Amendable:
    return Amendable(Home(tmp_path_factory.mktemp("report")))


@pytest.fixture
def report(source: Amendable) -> Say:
    """The report of October over the snapshot as amended."""

    def built(amend: str = "", period: Period = OCTOBER, age_hours: float = 1) -> Report:
        with source.amended(amend) as amended:
            return content.build(amended, period, NOW - timedelta(hours=age_hours), NOW)

    return built


def adopted(came: int, left: int) -> str:
    """SQL by which services come to the golden path, and leave it."""
    return f"""
        insert into marts.adoption_change
        select 'golden-path', 'service-' || number % 6, 'Payments', null, null,
            date '2026-10-05' + number::int, if(number < {came}, 'adopted', 'left'), null, false, []
        from range({came + left}) as r(number);
    """


def answered(item: str, before: float, now: float) -> str:
    """SQL by which a question's answers change in a wave that is released in October."""
    return f"""
        update marts.survey_wave set released_on = date '2026-10-20' where wave = '2026-08';
        update marts.survey_cell
        set is_change = true, value = {now}, change = {now - before}, change_low = {now - before - 0.06},
            change_high = {now - before + 0.06}, n = 400
        where wave = '2026-08' and item_id = '{item}' and statistic = 'top2' and group_name = '';
    """


def test_where_nothing_changes_the_report_says_so(report: Say) -> None:
    told = report()
    assert told.findings == ()
    assert told.summary.endswith("Nothing changed detectably, in delivery, adoption or surveys.")
    assert told.warnings == ()
    assert [each.change for each in told.figures] == ["As in Sep 2026."] * 5


def test_every_figure_has_value_interval_n_and_industry(report: Say) -> None:
    lead = report().figures[1]
    assert (lead.value, lead.interval, lead.basis) == ("10 h", "90 % interval 9 – 11 h", "n = 6 services")
    assert lead.industry == "Industry: 5.5 ± 2.4 on a scale from 0 to 10 (DORA Quick Check 2025, CC BY 4.0)"
    assert len(lead.trend) == 13


def test_a_clear_step_is_found_and_judged(report: Say) -> None:
    told = report(figure("change_lead_time", 72_000, 68_400, 75_600))
    (finding,) = told.findings
    assert (finding.area, finding.headline, finding.is_better) == (
        "Delivery", "Change lead time: 10 h → 20 h", False,
    )  # fmt: skip
    assert "Oct 2026 against Sep 2026: difference +8.6 h to +11 h at 90 %, n = 6 against 6." in finding.detail
    assert told.figures[1].verdict == "worse"
    assert told.figures[1].change.startswith("Worse: +10 h from 10 h in Sep 2026")
    assert told.summary.endswith("One thing changed detectably.")


@pytest.mark.parametrize(
    ("step", "says"),
    [
        pytest.param((54_000, 18_000, 90_000), "No detectable change from", id="chance"),
        pytest.param((39_000, 38_900, 39_100), "Hardly changed: +50 min from", id="less than a tenth"),
    ],
)
def test_noise_and_trifles_are_no_findings(report: Say, step: tuple[float, float, float], says: str) -> None:
    steady = figure("change_lead_time", 36_000, 35_900, 36_100, "2026-09-01")
    told = report(steady + figure("change_lead_time", *step))
    assert told.findings == ()
    assert told.figures[1].change.startswith(f"{says} 10 h in Sep 2026 (difference ")


def test_what_is_looked_at_together_is_judged_together(report: Say) -> None:
    # Its own interval leaves out 0, as that of one in ten figures does when nothing changes.
    told = report(figure("change_lead_time", 42_000, 38_000, 46_000))
    assert "(difference +10 min to +3.2 h at 90 %)" in told.figures[1].change
    assert told.findings == ()
    assert told.figures[1].change.startswith("No detectable change (of 5 judged together) from 10 h")


def test_a_new_level_is_told_with_its_week_while_it_is_new(report: Say) -> None:
    told = report(level("ci_duration_p50", "2026-09-07", 600, 900))
    (finding,) = told.findings
    assert finding.headline == "Ci duration p50: 10 min → 15 min"
    assert "since 7 Sep 2026 (p = 0.004). Oct 2026: " in finding.detail
    assert report(level("ci_duration_p50", "2026-07-27", 600, 900)).findings == ()


def test_of_two_figures_of_one_thing_one_is_told(report: Say) -> None:
    both = level("ci_duration_p50", "2026-09-07", 600, 900) + level("ci_duration_p90", "2026-09-07", 800, 999)
    assert len(report(both).findings) == 1


@pytest.mark.parametrize(
    ("came", "left", "is_found"), [(6, 0, True), (5, 0, True), (4, 0, False), (6, 4, False)]
)
def test_services_that_come_are_held_against_those_that_leave(
    report: Say, came: int, left: int, is_found: bool
) -> None:
    told = report(adopted(came, left))
    assert [each.headline for each in told.findings] == (
        [f"Golden path: {came} services took it up, {left} left it"] if is_found else []
    )
    assert all(each.is_better is None for each in told.findings)


def test_answers_that_changed_are_told_with_their_wave(report: Say) -> None:
    (finding,) = report(answered("flow-focus", 0.5, 0.4)).findings
    assert (finding.area, finding.headline, finding.is_better) == (
        "Survey", "Time to focus: 50 % → 40 % favourable", False,
    )  # fmt: skip
    assert finding.detail == ("Wave 2026-08 against 2026-05: difference −16 to −4 points at 90 %, n = 400.")
    november = Period.around(date(2026, 11, 3), "month")
    assert all(each.area != "Survey" for each in report(answered("flow-focus", 0.5, 0.4), november).findings)


def test_the_three_largest_are_told_and_the_others_named(report: Say) -> None:
    told = report(
        figure("change_fail_rate", 0.4, 0.35, 0.45)
        + level("ci_queue_p50", "2026-09-14", 20, 40)
        + answered("flow-focus", 0.5, 0.6)
        + answered("delivery-ease", 0.4, 0.6)
    )
    assert [each.headline.partition(":")[0] for each in told.findings] == [
        "Change fail rate", "Ci queue p50", "From finished to live",
    ]  # fmt: skip
    assert told.further == ("Time to focus: 50 % → 60 % favourable",)
    assert told.summary.endswith("4 things changed detectably.")


def test_a_period_that_is_not_over_is_said_and_compared_with_nothing(report: Say) -> None:
    told = report(figure("change_lead_time", 72_000, 71_000, 73_000, "2026-11-01"), OCTOBER.back(-1))
    assert told.warnings == ("Nov 2026 is not covered to its end: so far, and compared with nothing.",)
    assert {each.change for each in told.figures} == {"Not compared. Nov 2026 is not over."}
    assert told.findings == ()
    assert not told.is_complete
    assert report().is_complete


def test_old_data_is_said(report: Say) -> None:
    assert report(age_hours=24 * 9).warnings == (
        "The data is 9 days old: what happened since is not in here.",
    )


def test_demo_data_is_marked(tmp_path: Path) -> None:
    source = report_tables.publish(Home(tmp_path), "demo", plan=replace(PLAN, is_demo=True))
    assert content.build(source, OCTOBER, NOW, NOW).is_demo


def test_of_a_single_service_weeks_are_compared(tmp_path: Path) -> None:
    plan = replace(PLAN, services={"shop": "Payments"}, every_days=1)
    amend = """
        update marts.deployment_frequency set value = 28
        where level = 'service' and period_start >= date '2026-10-01';
    """
    source = report_tables.publish(Home(tmp_path), "single", amend, plan)
    told = content.build(source, OCTOBER, NOW, NOW)
    assert told.about == "shop"
    assert told.figures[0].verdict == "better"
    assert told.figures[0].basis.endswith("deployments")
    assert not any("median over its services" in caveat for caveat in told.caveats)


def test_a_time_without_data_says_that(report: Say) -> None:
    told = report(period=Period.around(date(2019, 5, 1), "month"))
    assert {each.value for each in told.figures} == {"No data"}
    assert {each.change for each in told.figures} == {"Not compared. No figure in May 2019."}


@pytest.mark.parametrize(
    ("since", "until", "label"),
    [
        (date(2026, 10, 1), None, "Oct 2026"),
        (date(2026, 2, 1), date(2026, 3, 1), "Feb 2026"),
        (date(2026, 7, 1), date(2026, 10, 1), "Q3 2026"),
        (date(2025, 1, 1), date(2026, 1, 1), "2025"),
        (date(2025, 12, 29), date(2026, 1, 5), "week of 29 Dec 2025"),
    ],
)
def test_whole_periods_are_taken(since: date, until: date | None, label: str) -> None:
    period = Period.between(since, until)
    assert period.label == label
    assert period.back(1).until == period.since
    assert period.back(1).back(-1) == period


@pytest.mark.parametrize(
    ("since", "until"),
    [
        (date(2026, 10, 2), None),
        (date(2026, 10, 1), date(2026, 10, 31)),
        (date(2026, 8, 1), date(2026, 10, 1)),
        (date(2026, 9, 1), date(2026, 12, 1)),
    ],
)
def test_other_days_are_refused_with_the_mend(since: date, until: date | None) -> None:
    with pytest.raises(ValueError, match=rf"is --since {since:%Y-%m}-01 --until 2026-"):
        Period.between(since, until)


def test_the_latest_period_was_over_on_the_last_day_read() -> None:
    assert latest(date(2026, 11, 1), "month") == OCTOBER
    assert latest(date(2026, 10, 31), "month") == OCTOBER.back(1)
    assert latest(date(2026, 1, 4), "year").label == "2025"


def test_no_two_periods_have_one_name() -> None:
    names = [Period.around(date(2026, 10, 5), grain).name for grain in GRAINS]
    assert names == ["2026-10-05", "2026-10", "2026-Q4", "2026"]
