from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboards import figures, words

HOUR, DAY = words.HOUR, words.DAY


def trend(
    *rows: tuple[float | None, int, str, bool],
    unit: str = "seconds",
    estimate: str = "median",
    **columns: list[Any],
) -> pd.DataFrame:
    """Months from January 2026: value, n, status, partial."""
    starts = pd.date_range("2026-01-01", periods=len(rows), freq="MS")
    frame = pd.DataFrame(rows, columns=["value", "n", "status", "partial"])
    frame["value"] = frame["value"].astype(float)
    ends = starts + pd.offsets.MonthBegin()
    bounds = {"low": [None] * len(rows), "high": [None] * len(rows)} | columns
    return frame.assign(period_start=starts, period_end=ends, unit=unit, estimate=estimate, **bounds)


def traces(figure: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def starts(trace: Any) -> list[str]:
    return [custom[0] for custom in trace.customdata]


def test_none_deployed_no_data_and_not_over_look_different() -> None:
    shown = figures.bars(
        trend(
            (2, 9, "ok", False),
            (0, 0, "ok", False),
            (None, 0, "no_data", False),
            (1, 2, "ok", True),
            unit="per_week",
        ),
        "month",
    )
    drawn = traces(shown)
    assert starts(drawn["Complete period"]) == ["2026-01-01", "2026-02-01"]
    assert starts(drawn["So far (period not over)"]) == ["2026-04-01"]
    assert drawn["So far (period not over)"].marker.pattern.shape == "/"
    assert not drawn["Complete period"].marker.pattern.shape
    assert starts(drawn["None"]) == ["2026-02-01"]
    (grey,) = shown.layout.shapes
    assert (grey.x0, grey.x1) == (pd.Timestamp("2026-03-01"), pd.Timestamp("2026-04-01"))
    assert "No data" in drawn


def test_marks_that_do_not_occur_are_not_in_the_legend() -> None:
    shown = figures.bars(trend((2, 9, "ok", False), unit="per_week"), "month")
    assert set(traces(shown)) == {"Complete period"}


def test_the_line_joins_only_what_can_be_compared() -> None:
    shown = figures.line(
        trend(
            (DAY, 9, "ok", False),
            (2 * DAY, 3, "too_few", False),
            (None, 0, "no_data", False),
            (DAY, 9, "ok", True),
        ),
        "month",
    )
    drawn = traces(shown)
    assert [pd.notna(value) for value in drawn["Median"].y] == [True, False, False, False]
    assert drawn["Median"].connectgaps is False
    assert starts(drawn["Too few to compare"]) == ["2026-02-01"]
    assert starts(drawn["So far (period not over)"]) == ["2026-04-01"]
    assert "too few to compare" in drawn["Too few to compare"].hovertext[0]


def test_the_interval_is_drawn_where_it_is_known_and_nowhere_between() -> None:
    known = [(DAY, 9, "ok", False)] * 6
    low = [1.0, 1.0, None, 1.0, None, 1.0]
    shown = figures.line(trend(*known, low=low, high=[2.0 * DAY] * 6), "month")
    bands = [trace for trace in shown.data if trace.name == "90 % interval"]
    assert [trace.fill for trace in bands] == ["toself", None, None]
    assert [trace.showlegend for trace in bands] == [True, False, False]
    assert len(bands[0].x) == 4


def test_far_apart_durations_get_a_logarithmic_axis_that_says_so() -> None:
    near = figures.line(trend((DAY, 9, "ok", False), (3 * DAY, 9, "ok", False)), "month")
    far = figures.line(trend((HOUR, 9, "ok", False), (30 * DAY, 9, "ok", False)), "month")
    assert near.layout.yaxis.type is None
    assert near.layout.yaxis.title.text == "Days"
    assert far.layout.yaxis.type == "log"
    assert "logarithmic" in far.layout.yaxis.title.text


@pytest.mark.parametrize(
    ("top", "title", "labels"),
    [
        (3 * DAY, "Days", ["0", "1", "2", "3", "4"]),
        (40 * HOUR, "Hours", ["0", "10", "20", "30", "40", "50"]),
        (0, "Seconds", ["0"]),
    ],
)
def test_ticks_are_round_in_the_unit_they_are_read_in(top: float, title: str, labels: list[str]) -> None:
    axis = figures.line(trend((top, 9, "ok", False)), "month").layout.yaxis
    assert axis.title.text == title
    assert list(axis.ticktext)[: len(labels)] == labels


def test_a_hover_says_what_a_figure_rests_on() -> None:
    shown = figures.line(trend((DAY, 1200, "ok", False), low=[HOUR], high=[3 * DAY]), "month")
    text = traces(shown)["Median"].hovertext[0]
    assert text == "<b>Jan 2026</b><br>24 h<br>90 % interval 1 h – 3 days<br>n = 1,200"


def test_a_distribution_is_of_shares() -> None:
    bins = pd.DataFrame({"low": [1.0, 60, HOUR], "high": [60.0, HOUR, DAY], "changes": [1, 0, 3]})
    shown = figures.distribution(bins, median=HOUR, p90=DAY)
    (bars,) = shown.data
    assert list(bars.y) == [25, 0, 75]
    assert [note.text for note in shown.layout.annotations] == ["50 %", "90 %"]


@pytest.mark.parametrize("grain", list(words.GRAINS))
def test_nothing_at_all_is_drawn_without_a_fault(grain: str) -> None:
    empty = trend((None, 0, "no_data", True), unit="per_week")
    assert figures.bars(empty, grain).layout.shapes
    assert all(len(trace.hovertext or ()) <= 1 for trace in figures.line(empty, grain).data)


@pytest.mark.parametrize(
    ("top", "high", "form", "span"),
    [(0.5, None, ".0%", 0.56), (0.5, 0.98, ".0%", 1.0), (0.01, 0.02, ".1%", 0.0224), (0.0, None, ".0%", 0.1)],
)
def test_a_share_is_read_in_per_cent_and_from_nothing(
    top: float, high: float | None, form: str, span: float
) -> None:
    shown = figures.line(trend((top, 9, "ok", False), unit="ratio", estimate="rate", high=[high]), "month")
    assert shown.layout.yaxis.tickformat == form
    assert shown.layout.yaxis.range == (0, pytest.approx(span))
    assert "Share" in traces(shown)


@pytest.mark.parametrize("draw", [figures.line, figures.bars])
def test_a_change_of_level_is_marked_and_says_what_and_how(draw: Any) -> None:
    change = {"period_start": pd.Timestamp("2026-02-09"), "before": 2 * HOUR, "after": 4 * HOUR}
    marks = pd.DataFrame([change | {"p_value": 0.0041, "method": "PELT"}])
    shown = draw(trend((HOUR, 9, "ok", False), (HOUR, 9, "ok", False)), "month", marks)
    drawn = traces(shown)["Change of level"]
    assert list(drawn.x) == [pd.Timestamp("2026-02-09")]
    assert drawn.marker.symbol == ("triangle-up",)
    assert "2 h → 4 h" in drawn.hovertext[0]
    assert "p = 0.0041" in drawn.hovertext[0]
    assert "PELT" in drawn.hovertext[0]
    assert drawn.customdata is None
    assert len(shown.layout.shapes) == 1


@pytest.mark.parametrize("draw", [figures.line, figures.bars])
def test_without_a_change_of_level_none_is_marked(draw: Any) -> None:
    shown = draw(trend((HOUR, 9, "ok", False)), "month", pd.DataFrame(columns=["period_start"]))
    assert not shown.layout.shapes
    assert "Change of level" not in traces(shown)


def stages(*values: float | None, clock: str = "Wall clock", status: str = "ok") -> pd.DataFrame:
    names = ["Coding", "Pickup", "Review", "Release"]
    rows = trend(*((value, 9, status, False) for value in values), low=[HOUR] * 4, high=[9 * DAY] * 4)
    return rows.assign(stage=names, clock=clock)


def test_stages_are_points_on_one_scale_and_never_stacked() -> None:
    rows = pd.concat([stages(DAY, None, DAY, DAY), stages(HOUR, None, HOUR, HOUR, clock="Working days")])
    shown = figures.stages(rows)
    wall, working = shown.data
    assert {trace.type for trace in shown.data} == {"scatter"}
    assert {trace.mode for trace in shown.data} == {"markers"}
    assert list(wall.x) == [DAY] * 3
    assert list(working.x) == [HOUR] * 3
    assert list(shown.layout.yaxis.ticktext) == ["Coding", "Pickup", "Review", "Release"]
    assert [round(y) for y in wall.y] == [0, 2, 3]
    assert list(wall.error_x.arrayminus) == [DAY - HOUR] * 3
    assert wall.hovertext[0] == "<b>Coding, wall clock</b><br>24 h<br>90 % interval 1 h – 9 days<br>n = 9"


def test_a_stage_with_too_few_is_hollow_and_none_at_all_is_no_fault() -> None:
    (few,) = figures.stages(stages(DAY, DAY, DAY, DAY, status="too_few")).data
    assert set(few.marker.symbol) == {"circle-open"}
    (none,) = figures.stages(stages(None, None, None, None)).data
    assert len(none.x) == 0
