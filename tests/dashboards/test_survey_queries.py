"""What the voice pages read of a snapshot, and the charts made of it."""

from __future__ import annotations

import pandas as pd
import pytest

from dashboards import figures, queries
from pipelines import modelling
from pipelines.home import Home
from pipelines.warehouse import Snapshot, published
from tests.dashboards import survey_tables
from tests.dashboards.survey_tables import ITEMS, MARKUP, WAVES

LAST = WAVES[-1]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    home = Home(tmp_path_factory.mktemp("surveyed"))
    survey_tables.publish(home, "surveyed")
    current = published(home)
    assert current
    return current


def test_the_marts_made_by_hand_are_those_of_the_models(source: Snapshot) -> None:
    surveyed = {name: model for name, model in modelling.models().items() if ".survey_" in name}
    assert len(surveyed) == 6
    for name, model in surveyed.items():
        described = source.frame(f"describe {name}")
        made = dict(zip(described["column_name"], described["column_type"].str.lower(), strict=True))
        assert made == {column: each.type for column, each in model.header.columns.items()}


def test_of_a_wave_of_which_all_is_withheld_nothing_is_named_instead(source: Snapshot) -> None:
    rows = queries.survey_heat(source, LAST, "team").assign(status="suppressed", value=None, rolls_up_to=None)
    assert set(figures.heat(rows).data["If withheld, see"]) == {""}  # type: ignore[attr-defined]


def test_groups_stand_below_what_they_are_part_of(source: Snapshot) -> None:
    teams = queries.survey_groups(source, LAST, "team")
    assert [*zip(teams["group_name"], teams["depth"], strict=True)] == [
        ("", 0), ("Commerce", 1), ("Payments", 2), ("Till <i>team</i>", 2), ("Discovery", 1), ("Search", 2),
        ("New", 1),
    ]  # fmt: skip
    assert [*queries.survey_groups(source, LAST, "tier")["group_name"]] == ["", "tier-1", "tier-2"]
    assert [*queries.survey_groups(source, LAST, "role")["group_name"]] == [""]


def test_a_question_has_one_row_with_its_mean_and_its_sentence(source: Snapshot) -> None:
    for by, group in (("team", ""), ("tier", ""), ("team", "Payments"), ("tier", "tier-2")):
        rows = queries.survey_results(source, LAST, by, group)  # type: ignore[arg-type]
        assert [*rows["item_id"]] == [item for item, *_ in ITEMS if item != "platform-useful"]
        assert rows["mean"].notna().all()
        assert rows[rows["is_change"]]["change_says"].tolist() == ["Up by 21 points since 2026-05."]
    assert rows["n"].eq(43).all()


def test_scores_are_the_group_s(source: Snapshot) -> None:
    scores = queries.survey_scores(source, LAST, "team", "Commerce")
    assert scores["statistic"].tolist() == ["response", "nps", "umux_lite"]
    assert scores[["invited", "answered"]].iloc[0].tolist() == [64, 46]
    assert scores["title"].tolist()[1:] == ["Recommending the platform", "Usability of the platform"]


def test_what_is_withheld_looks_alike_and_is_not_what_has_no_data(source: Snapshot) -> None:
    rows = queries.survey_heat(source, LAST, "team")
    table = figures.heat(rows)
    said = table.data  # type: ignore[attr-defined]
    assert said.columns[:2].tolist() == ["If withheld, see", "Response"]
    search, new = said.loc[f"{figures.INDENT * 2}Search"], said.loc[f"{figures.INDENT}New"]
    assert set(search[1:]) == {"withheld"}
    assert search.iloc[0] == "Discovery"
    assert set(new[1:]) == {"no data"}
    assert new.iloc[0] == ""
    assert said.iloc[0, 1] == "72 %"
    colours = table.export()["apply"][0][1][0](said)
    grey = set(colours.loc[f"{figures.INDENT * 2}Search"][1:])
    assert len(grey) == 1
    assert not grey & {*colours.iloc[0], *colours.loc[f"{figures.INDENT}New"]}


def test_a_replaced_question_is_followed_back_and_breaks_the_line(source: Snapshot) -> None:
    rows = queries.survey_trend(source, "docs-find-2", "top2", "team", "")
    assert rows["wave"].tolist() == [*WAVES]
    assert rows["item_id"].tolist() == ["docs-find"] * 2 + ["docs-find-2"] * 2
    figure = figures.waves(rows, "top2")
    assert [len(trace.x) for trace in figure.data] == [2, 2]
    (mark,) = figure.layout.shapes
    assert mark.x0 == mark.x1 == 1.5
    assert figure.layout.annotations[0].text == "new question"
    whole = figures.waves(queries.survey_trend(source, "flow-focus", "top2", "tier", ""), "top2")
    assert [len(trace.x) for trace in whole.data] == [4]
    assert not whole.layout.shapes


def test_withheld_waves_leave_a_gap_and_a_mark_that_gives_no_reason(source: Snapshot) -> None:
    rows = queries.survey_trend(source, "flow-focus", "top2", "team", "Search")
    line, blank = figures.waves(rows, "top2").data
    assert pd.isna(pd.Series(line.y)).all()
    assert len(blank.x) == 4
    assert all("withheld: too few answers" in text for text in blank.hovertext)


def test_every_measure_can_be_followed(source: Snapshot) -> None:
    known = queries.survey_measures(source, LAST)
    assert known["label"].is_unique
    assert "Usability of the platform (UMUX-Lite)" in known["label"].tolist()
    for item, statistic in zip(known["item_id"], known["statistic"], strict=True):
        assert len(queries.survey_trend(source, item, statistic, "team", "")) == 4


def test_answers_show_interval_n_change_and_no_markup(source: Snapshot) -> None:
    figure = figures.answers(queries.survey_results(source, LAST, "team", ""))
    texts = [note.text for note in figure.layout.annotations]
    assert "<b>48 %</b> ▲ 21 · n = 86" in texts
    assert not any(MARKUP in text for text in texts)
    assert "90 % interval 41 % – 55 %" in next(t for t in figure.data if t.name.startswith("Ch")).hovertext[0]
    withheld = figures.answers(queries.survey_results(source, LAST, "team", "Search"))
    assert [note.text for note in withheld.layout.annotations][1] == "<i>withheld: too few answers</i>"
    assert len(withheld.data) == 1
    assert not len(withheld.data[0].x)


def test_themes_count_people_and_comments_are_found_by_their_words(source: Snapshot) -> None:
    themes = queries.survey_themes(source, LAST, "")
    assert themes[["theme", "mentioned", "n"]].values.tolist() == [["builds", 23, 86]]
    assert figures.themes(themes).data[0].text == ("23 of 86 people",)
    assert queries.survey_themes(source, LAST, "Search").empty
    groups = queries.survey_comment_groups(source, LAST)
    assert dict(groups[["group_name", "comments"]].values.tolist())["Commerce"] == 2
    assert "Search" not in groups["group_name"].tolist()
    assert len(queries.survey_comments(source, LAST, None)) == 5
    assert len(queries.survey_comments(source, LAST, "Commerce")) == 2
    assert len(queries.survey_comments(source, LAST, None, "REVIEWS")) == 1
    assert queries.survey_comments(source, LAST, None, "%").empty
    assert queries.survey_comments(source, LAST, "", "reviews").empty


def test_drivers_are_titled_and_actions_link_to_the_web_alone(source: Snapshot) -> None:
    rows = queries.survey_drivers(source, LAST)
    assert rows["title"].tolist() == ["Flow", "Cognitive load"]
    assert rows["outcome_title"].iloc[0] == "Satisfaction"
    assert figures.drivers(rows).data[0].text == ("31 %, rises with it", "14 %, falls with it")
    actions = queries.survey_actions(source)
    assert actions["title"].tolist() == ["technical-debt", "Feedback loops"]
    assert actions["url"].fillna("").tolist() == ["", "https://acme.example/checks"]


def test_names_with_markup_stay_text(source: Snapshot) -> None:
    rows = queries.survey_drivers(source, LAST).assign(title="<a href='javascript:alert(1)'>x</a>")
    assert figures.drivers(rows).data[0].y[0].startswith("&lt;a href")
