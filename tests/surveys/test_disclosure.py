"""The ways in which released figures could tell of few people, each of which is closed."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise

import pytest

from surveys.disclosure import Breach, Cell, Measure, Wave, audit, measures_of, release
from surveys.disclosure.question import Question, Shown
from surveys.instrument_files import shipped
from surveys.statistics import holm
from tests.surveys.disclosed import (
    AGREE,
    DISAGREE,
    ITEM,
    Person,
    moved,
    people,
    released,
    shown,
    statuses,
    wave,
)


def _top2(cells: tuple[Cell, ...], group: str) -> Cell:
    return next(cell for cell in cells if cell.statistic == "top2" and cell.group == group)


def test_a_group_of_k_is_shown_with_its_counts() -> None:
    cell = _top2(release(wave([*people("a", 3, 2), *people("b", 4, 6)])).cells, "a")
    assert (cell.status, cell.value, cell.n, cell.counts) == ("ok", 0.6, 5, {"favourable": 3, "other": 2})
    assert cell.low is not None
    assert cell.high is not None
    assert cell.low < 0.6 < cell.high


def test_a_team_of_two_is_not_shown_nor_what_would_leave_it() -> None:
    cells = release(wave([*people(("p", "a"), 4, 4), *people(("p", "b"), 1, 1), *people("q", 3, 3)])).cells
    # The parent less `a` would be the two of `b`.
    assert shown(cells) == {"", "p", "q"}
    assert [_top2(cells, team).rolls_up_to for team in ("a", "b")] == ["p", "p"]


def test_suppressed_cells_are_alike_whatever_the_reason() -> None:
    everybody = [
        *people(("p", "few"), 1, 1),
        *people(("p", "complement"), 4, 4),
        *people(("p", "alike"), 7, 0),
    ]
    cells = release(wave([*everybody, *people("q", 7, 8)])).cells
    blank = [cell for cell in cells if cell.status == "suppressed" and cell.statistic == "top2"]
    assert {cell.group for cell in blank} >= {"few", "alike"}
    naming = {"wave", "item_id", "construct", "statistic", "table", "group", "parent", "depth", "rolls_up_to"}
    unlike = {
        field.name
        for one, other in pairwise(blank)
        for field in fields(Cell)
        if getattr(one, field.name) != getattr(other, field.name)
    }
    assert unlike <= naming
    assert {(cell.value, cell.n, cell.low, cell.counts, cell.dont_know) for cell in blank} == {(None,) * 5}


@pytest.mark.parametrize("agree", [0, 8])
def test_a_unanimous_group_is_not_shown_nor_what_would_leave_it(agree: int) -> None:
    everybody = [*people(("p", "a"), agree, 8 - agree), *people(("p", "b"), 4, 5), *people("q", 5, 4)]
    assert shown(release(wave(everybody)).cells) == {"", "p", "q"}


@pytest.mark.parametrize(("agree", "is_told"), [(0, True), (2, False)])
def test_unanimity_is_not_told_by_an_overlap_either(agree: int, is_told: bool) -> None:
    # Team a and tier t, less everybody, are the five in both: enough people, unless they are of one mind.
    both = [replace(each, tier="t") for each in people("a", agree, 5 - agree)]
    team_only = [replace(each, name=f"{each.name}-", tier=None) for each in people("a", 4, 2)]
    tier_only = [replace(each, tier="t") for each in people("b", 4, 3)]
    cells = release(wave([*both, *team_only, *tier_only])).cells
    assert ({"", "a", "t"} <= shown(cells)) is not is_told


def test_who_is_in_two_teams_is_not_told_by_their_overlap() -> None:
    both = Person("both", (("p", "a"), ("p", "b")), {"ease": AGREE})
    everybody = [*people(("p", "a"), 3, 4), *people(("p", "b"), 4, 3), both]
    cells = release(wave([*everybody, *people("q", 5, 4)])).cells
    # a + b - p is one person.
    assert not {"a", "b", "p"} <= shown(cells)
    assert {"", "p", "q"} <= shown(cells)


def test_a_person_without_tier_is_not_told_by_the_rest() -> None:
    tiers = [replace(each, tier="tier1") for each in people("a", 4, 4)]
    tiers += [replace(each, tier="tier2") for each in people("b", 3, 5)]
    nobody = Person("without", (("a",),), {"ease": AGREE})
    cells = release(wave([*tiers, nobody])).cells
    assert not {"tier1", "tier2", ""} <= shown(cells)


def test_each_item_is_judged_by_its_own_answers() -> None:
    everybody = [*people("a", 2, 2, silent=4), *people("b", 5, 5)]
    both = (ITEM, Measure("other", "flow", "rating", ("other",), 1, 5))
    cells = release(wave(everybody, measures=both)).cells
    assert "a" in shown(cells, "response")
    assert "a" not in shown(cells)


def test_no_data_is_not_suppressed() -> None:
    few = [*people("few", 0, 0, absent=3), *people("fewer", 0, 0, absent=2)]
    everybody = [*people("absent", 0, 0, absent=6), *few, *people("b", 6, 6)]
    cells = release(wave(everybody, team_paths=(("uninvited",),))).cells
    found = statuses(cells)
    assert (found["uninvited"], found["absent"], found["few"]) == ("no_data", "no_data", "suppressed")
    rates = {cell.group: cell for cell in cells if cell.statistic == "response"}
    assert (rates["absent"].value, rates["absent"].n) == (0.0, 6)
    assert (rates["uninvited"].status, rates["uninvited"].value) == ("no_data", None)


def test_response_rates_tell_of_no_few_people_either() -> None:
    everybody = [*people(("p", "a"), 4, 4), *people(("p", "b"), 1, 0, absent=2), *people("q", 3, 3)]
    cells = release(wave(everybody)).cells
    # Of the three of `b`, one answered: the parent's rate less that of `a`.
    assert shown(cells, "response") == {"", "p", "q"}


def test_a_mean_needs_20_answers_and_no_difference_tells_one_of_fewer() -> None:
    large, small = people(("p", "a"), 12, 13), people(("p", "b"), 6, 7)
    cells = release(wave([*large, *small, *people("q", 20, 22)])).cells
    assert {"", "p", "a", "b", "q"} <= shown(cells)
    means = statuses(cells, "mean")
    assert means["b"] == "too_few"
    assert not {"p", "a"} <= shown(cells, "mean"), "the mean of p less that of a is that of the 13 of b"


@pytest.mark.parametrize(("detractors", "status"), [(4, "ok"), (0, "suppressed")])
def test_a_net_promoter_score_tells_of_no_category_that_it_is_empty(detractors: int, status: str) -> None:
    recommend = Measure("recommend", "recommendation", "nps", ("recommend",), 0, 10)
    values = [9] * 10 + [3] * detractors + [7] * (14 - detractors)
    everybody = [Person(f"a{at}", (("a",),), {"recommend": value}) for at, value in enumerate(values)]
    cells = release(wave(everybody, measures=(recommend,))).cells
    assert statuses(cells, "nps") == {"": status, "a": status}
    assert _top2(cells, "a").counts == {"favourable": 10, "other": 14}


def test_answers_out_of_the_denominator_are_counted() -> None:
    dont_know = [Person(f"x{index}", (("a",),), {"ease": "na"}) for index in range(3)]
    cell = _top2(release(wave([*people("a", 4, 3), *dont_know, *people("b", 5, 5)])).cells, "a")
    assert (cell.n, cell.dont_know) == (7, 3)


@pytest.mark.parametrize(
    "values", [{"ease": True}, {"ease": 6}, {"ease": 0}, {"ease": 2.5}, {"ease": "5"}, {}]
)
def test_what_is_no_answer_of_the_scale_is_none(values: dict[str, object]) -> None:
    assert ITEM.category(values) is None


def test_of_a_reversed_item_low_values_are_favourable() -> None:
    everybody = [*people("a", 3, 5), *people("b", 4, 6)]
    cells = release(wave(everybody, measures=(replace(ITEM, is_reversed=True),))).cells
    assert _top2(cells, "a").counts == {"favourable": 5, "other": 3}


def test_that_a_whole_group_was_asked_because_of_its_answers_is_not_told() -> None:
    conditional = replace(ITEM, is_conditional=True)
    everybody = [*people("all", 4, 4), *people("some", 3, 4, silent=5), *people("others", 3, 4, silent=6)]
    assert "all" in shown(release(wave(everybody)).cells)
    cells = release(wave(everybody, measures=(conditional,))).cells
    assert "all" not in shown(cells)
    assert "" in shown(cells)


def test_a_theme_counts_ten_people_or_is_not_shown() -> None:
    def speaking(team: str, many: int) -> list[Person]:
        everybody = people(team, 8, 8)
        return [replace(each, themes=frozenset({"builds"})) for each in everybody[:many]] + everybody[many:]

    cells = release(wave([*speaking("a", 10), *speaking("b", 9), *speaking("c", 11)])).cells
    found = {cell.group: cell.counts for cell in cells if cell.statistic == "theme" and cell.status == "ok"}
    assert found[""] == {"mentioned": 30, "other": 18}
    # With both `a` and `c`, the nine of `b` were told.
    assert len({"a", "c"} & set(found)) == 1
    assert "b" not in found


# Waves, one after the other.


def _waves(first: list[Person], second: list[Person]) -> set[str]:
    """What is shown of the second after the first."""
    before = wave(first)
    again = wave(second, "2026-2")
    return shown(release(again, [released(before, release(before))]).cells)


REST = [*people("b", 6, 5), *people("c", 5, 6), *people("d", 6, 6)]
CHANGED = [*people("b", 6, 5), *people("c", 4, 7), *people("d", 6, 6)]
"""One of `c` thinks otherwise, so that no answers fit both waves."""


def test_the_same_people_may_answer_again() -> None:
    assert _waves([*people("a", 4, 4), *REST], [*people("a", 5, 3), *REST]) >= {"", "a", "b", "c", "d"}


def test_one_who_joins_is_not_told() -> None:
    team = people("a", 4, 4)
    new = Person("new", (("a",),), {"ease": AGREE})
    for rest in (REST, CHANGED):
        assert _waves([*team, *REST], [*team, new, *rest]) == {"b", "c", "d"}


def test_one_who_leaves_is_not_told() -> None:
    team = people("a", 4, 4)
    for rest in (REST, CHANGED):
        assert _waves([*team, *REST], [*team[1:], *rest]) == {"b", "c", "d"}


def test_one_who_changes_teams_is_not_told() -> None:
    team = people("a", 4, 4)
    kept = _waves([*team, *REST], [moved(team[0], "b"), *team[1:], *REST])
    assert kept == {"", "c", "d"}


def test_one_who_is_silent_this_time_is_not_told() -> None:
    team = people("a", 4, 4)
    quiet = [*team[:-1], replace(team[-1], values={"other": 1})]
    for rest in (REST, CHANGED):
        assert "a" in _waves([*team, *REST], [*team, *rest])
        assert "a" not in _waves([*team, *REST], [*quiet, *rest])


def test_newcomers_who_all_agree_are_not_told() -> None:
    team = people("a", 4, 4)
    new = [Person(f"new{index}", (("a",),), {"ease": AGREE}) for index in range(6)]
    mixed = [*new[:3], *(replace(each, values={"ease": DISAGREE}) for each in new[3:])]
    for rest in (REST, CHANGED):
        assert "a" in _waves([*team, *REST], [*team, *mixed, *rest])
        assert "a" not in _waves([*team, *REST], [*team, *new, *rest])


def test_another_wave_of_other_items_doesn_t_matter() -> None:
    team = people("a", 4, 4)
    before = wave(team + REST, measures=(replace(ITEM, id="ease-old"),))
    now = wave([*team[1:], *REST], "2026-2")
    assert "a" in shown(release(now, [released(before, release(before))]).cells)


def test_a_change_is_told_and_no_change_is_said_in_words() -> None:
    before = wave([*people("a", 20, 80), *people("b", 10, 12)])
    now = wave([*people("a", 60, 40), *people("b", 11, 11)], "2026-2")
    cells = release(now, [released(before, release(before))]).cells
    change, none = _top2(cells, "a").comparison, _top2(cells, "b").comparison
    assert change is not None
    assert none is not None
    assert (change.is_change, change.says) == (True, "Up by 40 points since 2026-1.")
    assert not none.is_change
    assert none.says.startswith(
        "No detectable change since 2026-1: with this many answers, a difference of about 37"
    )


def test_changes_of_one_group_since_one_wave_are_a_family() -> None:
    def of(name: str, agree: int) -> Wave:
        return wave(people("a", agree, 90 - agree), name, measures=(ITEM, replace(ITEM, id="same")))

    before, now = of("2026-1", 30), of("2026-2", 45)
    result = release(now, [released(before, release(before))])
    family = [cell.comparison for cell in result.cells if cell.comparison and cell.group == "a"]
    assert len(family) == 4
    assert [each.p_holm for each in family] == pytest.approx(holm([each.p_value for each in family]))


# The audit.


def _everything(question: Question) -> Shown:
    ranked = tuple(question.tables.ranked(question.sizes))
    return Shown(ranked, ())


def test_nothing_is_released_that_the_audit_objects_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Question, "decide", _everything)
    with pytest.raises(Breach, match="ease of team 'b' would tell of too few people"):
        release(wave([*people(("p", "a"), 4, 4), *people(("p", "b"), 1, 1)]))


def test_the_audit_reads_the_cells_themselves() -> None:
    of = wave([*people(("p", "a"), 4, 4), *people(("p", "b"), 4, 2), *people("q", 5, 5, silent=3)])
    cells = release(of).cells
    assert audit(of, cells) == []
    leaking = [replace(cell, n=4) if cell.status == "suppressed" else cell for cell in cells]
    leaking.append(replace(cells[-1], item_id="foreign", status="ok"))
    found = audit(of, [replace(cell, n=3) if cell.statistic == "mean" else cell for cell in leaking])
    assert any("has figures" in breach for breach in found)
    assert any("foreign is no measure" in breach for breach in found)


def test_an_audit_after_an_earlier_wave_finds_what_it_adds() -> None:
    team = people("a", 4, 4)
    before, now = wave([*team, *REST]), wave([*team[1:], *REST], "2026-2")
    alone = release(now).cells
    assert audit(now, alone) == []
    assert "ease of team 'a' would tell of too few people." in audit(
        now, alone, [released(before, release(before))]
    )


def test_a_larger_minimum_is_kept_over_more_people_than_four() -> None:
    # The parent less `b` is six people in six roles, each of which is shown: more atoms than are tried.
    def roles(everybody: list[Person]) -> list[Person]:
        return [replace(each, role=f"r{index % 6}") for index, each in enumerate(everybody)]

    def of(minimum: int) -> Wave:
        mixed = roles(people("p", 3, 3)) + roles(people(("p", "b"), 12, 12)) + roles(people("q", 18, 18))
        return wave(mixed, minimum_group=minimum)

    assert {"p", "b", "r1"} <= shown(release(of(6)).cells)
    assert not {"p", "b"} <= shown(release(of(7)).cells)


def test_thresholds_are_never_lower() -> None:
    with pytest.raises(ValueError, match="never shown"):
        wave(people("a", 4, 4), minimum_group=4)
    with pytest.raises(ValueError, match="never shown"):
        wave(people("a", 4, 4), comment_group=9)


def test_answers_must_fit_the_roster() -> None:
    fits = wave(people("a", 4, 4))
    with pytest.raises(ValueError, match="fit the roster"):
        release(replace(fits, respondents=fits.respondents[1:]))
    with pytest.raises(ValueError, match="twice"):
        release(replace(fits, invited=[*fits.invited, fits.invited[0]]))
    with pytest.raises(ValueError, match="Team b is under"):
        release(wave([*people(("a", "b"), 4, 4), *people(("c", "b"), 4, 4)]))


# Comments.


def _writing(path: tuple[str, ...], many: int) -> list[Person]:
    return [Person(f"{path}{index}", (path,), {"open": f"{path[-1]} {index}"}) for index in range(many)]


def test_each_comment_is_at_the_smallest_node_with_ten_who_wrote() -> None:
    everybody = [
        *_writing(("p", "a"), 12),
        *_writing(("p", "b"), 6),
        *_writing(("p", "c"), 5),
        *_writing(("q",), 9),
    ]
    result = release(wave(everybody, comment_items=("open",)))
    where = {team: {each.group for each in result.comments if each.text.startswith(team)} for team in "abcq"}
    assert where == {"a": {"a"}, "b": {"p"}, "c": {"p"}, "q": set()}
    assert {each.n for each in result.comments if each.group == "p"} == {11}
    assert len({each.text for each in result.comments}) == len(result.comments) == 23
    assert result.comments_withheld == 9


def test_comments_of_members_of_two_teams_are_in_one() -> None:
    both = [Person(f"x{index}", (("a",), ("b",)), {"open": f"both {index}"}) for index in range(10)]
    result = release(wave([*both, *_writing(("b",), 10)], comment_items=("open",)))
    assert sorted(each.text for each in result.comments) == sorted({each.text for each in result.comments})
    assert {each.group for each in result.comments if "both" in each.text} == {"a"}


# What is measured.


def test_an_instrument_s_items_are_measured_as_their_constructs_are_scored() -> None:
    measures = {each.id: each for each in measures_of(shipped()["core"])}
    assert measures["platform_usability"].kind == "umux_lite"
    assert measures["platform_usability"].items == ("platform-useful", "platform-easy")
    assert measures["platform-recommend"].kind == "nps"
    assert measures["flow-interruptions"].is_reversed
    assert measures["ai-help"].is_conditional
    assert not {"ai-use", "improve-one", "platform-easy"} & set(measures)


def test_a_cell_is_itself_again_from_json() -> None:
    before, now = wave([*people("a", 20, 8), *REST]), wave([*people("a", 24, 4), *REST], "2026-2")
    cells = release(now, [released(before, release(before))]).cells
    assert any(cell.comparison for cell in cells)
    assert [Cell.from_json(cell.to_json()) for cell in cells] == list(cells)
