"""`docs/metrics.md` is complete: every metric, with its unit and estimate, and every reason to leave out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from dashboards.words import LEFT_OUT
from pipelines import change_points, modelling
from pipelines.model import Metric

TEXT = (Path(__file__).parent.parent / "docs" / "metrics.md").read_text()


def rows(heading: str) -> list[list[str]]:
    """Cells of the tables whose first heading that is."""
    tables = re.findall(rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert tables
    lines = [line for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.strip("|\n").split(" | ")] for line in lines]


def test_every_metric_is_there_with_its_unit_and_estimate() -> None:
    told = {cells[0].strip("`"): (cells[2], cells[3]) for cells in rows("metric")}
    assert told == {
        model.table: (model.header.metric.unit, model.header.metric.estimate)
        for model in modelling.models().values()
        if model.header.metric
    }


def test_every_estimate_has_its_interval() -> None:
    told = {name for cells in rows("estimate") for name in cells[0].split(", ")}
    assert told == set(get_args(Metric.model_fields["estimate"].annotation))


def test_every_reason_is_explained_and_has_words_on_the_pages() -> None:
    told = {name for cells in rows("reason") for name in re.findall(r"`(\w+)`", cells[0])}
    assert told == set(LEFT_OUT)


def test_reasons_named_for_a_metric_are_explained() -> None:
    named = {
        reason
        for cells in rows("metric")
        for reason in re.findall(r"\b[a-z_]+\b", re.sub(r"`\w+`|\b(the same|and|as)\b", "", cells[4]))
    }
    assert named <= set(LEFT_OUT)


@pytest.mark.parametrize(
    "figure",
    [
        f"{change_points.MOST_WEEKS} complete weeks",
        f"at least {change_points.FEWEST_WEEKS} of them",
        f"a level lasting {change_points.SHORTEST} weeks",
        f"at {change_points.SIGNIFICANCE:.0%}".replace("%", " %"),
    ],
)
def test_the_constants_of_the_method_are_those_in_force(figure: str) -> None:
    assert figure in re.sub(r"\s+", " ", TEXT)
