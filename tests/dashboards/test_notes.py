"""Annotations on the charts: which are about what is shown, and how they look."""

from __future__ import annotations

from datetime import date

import pandas as pd
import plotly.graph_objects as go
import pytest

from dashboards import figures, queries
from dashboards.queries import Scope
from pipelines.annotating import Annotation
from pipelines.annotation_settings import Level
from pipelines.home import Home
from pipelines.warehouse import Snapshot, published
from tests.dashboards import snapshot
from tests.dashboards.snapshot import Plan

SPAN = date(2026, 1, 1), date(2026, 7, 1)
HOSTILE = "=cmd()|' <script>alert(1)</script> <a href='javascript:alert(1)'>x</a> %{y}"


def annotation(
    text: str, level: Level = "organisation", key: str | None = None, on: str = "2026-03-02"
) -> Annotation:
    return Annotation(id=text, date=date.fromisoformat(on), text=text, level=level, key=key, origin="added")


KNOWN = [
    annotation("all"), annotation("commerce", "team", "Commerce"), annotation("payments", "team", "Payments"),
    annotation("shop", "service", "shop"), annotation("golden", "capability", "golden"),
    annotation("before", on="2025-12-31"), annotation("first", on="2026-01-01"),
    annotation("after", on="2026-07-01"),
]  # fmt: skip


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    home = Home(tmp_path_factory.mktemp("home"))
    plan = Plan(
        services={"shop": "Payments", "till": "Commerce", "maps": None}, parents={"Payments": "Commerce"}
    )
    snapshot.publish(home, plan, "noted")
    current = published(home)
    assert current
    return current


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        (Scope("organisation", "Acme"), {"all"}),
        (Scope("team", "Commerce"), {"all", "commerce"}),
        (Scope("team", "Payments"), {"all", "commerce", "payments"}),
        (Scope("service", "shop"), {"all", "commerce", "payments", "shop"}),
        (Scope("service", "till"), {"all", "commerce"}),
        (Scope("service", "maps"), {"all"}),
        (Scope("organisation", "Acme", "golden"), {"all", "golden"}),
    ],
)
def test_only_what_is_about_the_scope_and_the_time_is_shown(
    teams: Snapshot, scope: Scope, shown: set[str]
) -> None:
    found = queries.notes(teams, KNOWN, scope, *SPAN)
    assert set(found["text"]) == shown | {"first"}
    assert found["date"].dtype == "datetime64[us]"
    assert queries.notes(teams, [], scope, *SPAN).empty


def test_adoption_tells_when_a_capability_came_by_itself(teams: Snapshot) -> None:
    whole = Scope("organisation", "Acme")
    (known,) = teams.rows(
        "select min(introduced_on) as day, arg_min(title, introduced_on) as title,"
        " arg_min(capability, introduced_on) as name from marts.capability"
    )
    span = known["day"], date(2027, 1, 1)
    found = queries.launches(teams, whole, *span)
    assert f"{known['title']} is offered" in set(found["text"])
    of_one = queries.launches(teams, whole._replace(capability=known["name"]), *span)
    assert of_one["text"].str.startswith(known["title"]).all()
    assert queries.launches(teams, whole, date(1990, 1, 1), date(1990, 2, 1)).empty


def annotated(*texts: str) -> go.Figure:
    figure = go.Figure()
    rows = [(pd.Timestamp(2026, 3, 2 + number // 2), text) for number, text in enumerate(texts)]
    figures.annotate(figure, pd.DataFrame(rows, columns=["date", "text"]))
    return figure


def test_a_day_has_one_line_and_a_star_that_says_all_of_it() -> None:
    shown = annotated("one", "two", "three")
    assert [line.x0 for line in shown.layout.shapes] == [pd.Timestamp(2026, 3, 2), pd.Timestamp(2026, 3, 3)]
    (stars,) = shown.data
    assert (stars.name, stars.marker.symbol, stars.yaxis) == ("Annotation", "star", "y2")
    assert stars.hovertext == ("<b>2 Mar 2026</b><br>one<br>two", "<b>3 Mar 2026</b><br>three")
    assert stars.customdata is None


def test_without_any_the_chart_is_as_it_was() -> None:
    assert annotated() == go.Figure()


def test_what_people_write_is_text() -> None:
    (stars,) = annotated(HOSTILE).data
    (said,) = stars.hovertext
    assert "<script" not in said
    assert "<a" not in said
    assert "&lt;script&gt;" in said
    assert stars.hovertemplate is None


def test_a_long_text_is_broken_into_lines() -> None:
    (stars,) = annotated("word " * 40).data
    assert max(map(len, stars.hovertext[0].split("<br>"))) <= 48
