from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboards import figures, words

HOUR, DAY = words.HOUR, words.DAY


def trend(
    *rows: tuple[float | None, int, str, bool], unit: str = "seconds", **columns: list[Any]
) -> pd.DataFrame:
    """Months from January 2026: value, n, status, partial."""
    starts = pd.date_range("2026-01-01", periods=len(rows), freq="MS")
    frame = pd.DataFrame(rows, columns=["value", "n", "status", "partial"])
    frame["value"] = frame["value"].astype(float)
    ends = starts + pd.offsets.MonthBegin()
    bounds = {"low": [None] * len(rows), "high": [None] * len(rows)} | columns
    return frame.assign(period_start=starts, period_end=ends, unit=unit, **bounds)


def traces(figure: go.Figure) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


def starts(trace: Any) -> list[str]:
    return [custom[0] for custom in trace.customdata]


def test_none_deployed_no_data_and_not_over_look_different() -> None:
    shown = figures.frequency(
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
    assert starts(drawn["None deployed"]) == ["2026-02-01"]
    (grey,) = shown.layout.shapes
    assert (grey.x0, grey.x1) == (pd.Timestamp("2026-03-01"), pd.Timestamp("2026-04-01"))
    assert "No data" in drawn


def test_marks_that_do_not_occur_are_not_in_the_legend() -> None:
    shown = figures.frequency(trend((2, 9, "ok", False), unit="per_week"), "month")
    assert set(traces(shown)) == {"Complete period"}


def test_the_line_joins_only_what_can_be_compared() -> None:
    shown = figures.lead_time(
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
    shown = figures.lead_time(trend(*known, low=low, high=[2.0 * DAY] * 6), "month")
    bands = [trace for trace in shown.data if trace.name == "90 % interval"]
    assert [trace.fill for trace in bands] == ["toself", None, None]
    assert [trace.showlegend for trace in bands] == [True, False, False]
    assert len(bands[0].x) == 4


def test_far_apart_durations_get_a_logarithmic_axis_that_says_so() -> None:
    near = figures.lead_time(trend((DAY, 9, "ok", False), (3 * DAY, 9, "ok", False)), "month")
    far = figures.lead_time(trend((HOUR, 9, "ok", False), (30 * DAY, 9, "ok", False)), "month")
    assert near.layout.yaxis.type is None
    assert near.layout.yaxis.title.text == "Lead time in days"
    assert far.layout.yaxis.type == "log"
    assert "logarithmic" in far.layout.yaxis.title.text


@pytest.mark.parametrize(
    ("top", "title", "labels"),
    [
        (3 * DAY, "days", ["0", "1", "2", "3", "4"]),
        (40 * HOUR, "hours", ["0", "10", "20", "30", "40", "50"]),
        (0, "seconds", ["0"]),
    ],
)
def test_ticks_are_round_in_the_unit_they_are_read_in(top: float, title: str, labels: list[str]) -> None:
    axis = figures.lead_time(trend((top, 9, "ok", False)), "month").layout.yaxis
    assert axis.title.text == f"Lead time in {title}"
    assert list(axis.ticktext)[: len(labels)] == labels


def test_a_hover_says_what_a_figure_rests_on() -> None:
    shown = figures.lead_time(trend((DAY, 1200, "ok", False), low=[HOUR], high=[3 * DAY]), "month")
    text = traces(shown)["Median"].hovertext[0]
    assert text == "<b>Jan 2026</b><br>24 h<br>90 % interval 1 h – 3 days<br>n = 1,200"


def test_a_distribution_has_every_change() -> None:
    seconds = pd.Series([0.0, 30, 60, HOUR, DAY, DAY, 400 * DAY])
    shown = figures.distribution(seconds, median=HOUR, p90=DAY)
    (bars,) = shown.data
    assert sum(bars.y) == pytest.approx(100)
    assert [note.text for note in shown.layout.annotations] == ["50 %", "90 %"]


@pytest.mark.parametrize("value", [0.0, 5.0, 1e9])
def test_one_change_is_a_distribution_too(value: float) -> None:
    assert sum(figures.distribution(pd.Series([value]), value, value).data[0].y) == pytest.approx(100)


@pytest.mark.parametrize("grain", list(words.GRAINS))
def test_nothing_at_all_is_drawn_without_a_fault(grain: str) -> None:
    empty = trend((None, 0, "no_data", True), unit="per_week")
    assert figures.frequency(empty, grain).layout.shapes
    assert all(len(trace.hovertext or ()) <= 1 for trace in figures.lead_time(empty, grain).data)
