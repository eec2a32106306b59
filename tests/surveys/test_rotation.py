"""Whose turn it is: whole teams, nobody too often, no team too few, whatever the roster and its past."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.rotation import Rules, Team, Turn, choose
from surveys.store import Invitee

TODAY = date(2026, 6, 1)
WEEK = timedelta(weeks=1)


def team(name: str, size: int) -> list[Invitee]:
    return [Invitee(f"{name}{number}", ("all", name)) for number in range(size)]


def teams_of(turn: Turn) -> set[str]:
    return {each.team_path[-1] for each in turn.invitees}


def turn_of(
    roster: list[Invitee],
    *,
    weeks: int = 8,
    parts: int = 1,
    asked: dict[str, date] | None = None,
    turns: Mapping[Team, date] | None = None,
    first: tuple[str, ...] = (),
    seed: str = "w",
) -> Turn:
    rules = Rules(weeks * WEEK, parts, 5)
    return choose(roster, rules, TODAY, seed, person_asked=asked or {}, team_asked=turns or {}, first=first)


def test_who_was_asked_rests_to_the_day() -> None:
    roster = team("web", 7)
    asked = {"web0": TODAY - 8 * WEEK, "web1": TODAY - 8 * WEEK + timedelta(days=1)}
    turn = turn_of(roster, asked=asked)
    assert {each.person for each in turn.invitees} == {f"web{number}" for number in (0, 2, 3, 4, 5, 6)}
    assert (turn.resting, turn.waiting) == (1, 0)


def test_a_team_of_which_too_few_are_left_waits_as_a_whole() -> None:
    asked = {"web0": TODAY, "web1": TODAY}
    turn = turn_of([*team("web", 6), *team("pay", 5)], asked=asked)
    assert teams_of(turn) == {"pay"}
    assert turn.waiting == 6


def test_a_team_under_the_minimum_group_is_asked_all_the_same_and_only_whole() -> None:
    assert teams_of(turn_of(team("duo", 2))) == {"duo"}
    assert not turn_of(team("duo", 2), asked={"duo0": TODAY}).invitees


def test_teams_take_turns_until_all_had_theirs() -> None:
    roster = [each for name in "abcdef" for each in team(name, 6)]
    asked: dict[str, date] = {}
    turns: dict[Team, date] = {}
    seen: Counter[str] = Counter()
    for number in range(3):
        turn = turn_of(roster, parts=3, asked=asked, turns=turns, seed=f"w{number}")
        assert len(turn.invitees) == 12
        seen.update(teams_of(turn))
        asked |= {each.person: TODAY for each in turn.invitees}
        turns |= {each.team_path: TODAY for each in turn.invitees}
    assert seen == Counter("abcdef")
    assert not turn_of(roster, parts=3, asked=asked, turns=turns).invitees


def test_the_longest_ago_come_first() -> None:
    roster = [*team("a", 5), *team("b", 5)]
    turns: dict[Team, date] = {("all", "a"): TODAY - 20 * WEEK, ("all", "b"): TODAY - 30 * WEEK}
    assert teams_of(turn_of(roster, parts=2, turns=turns)) == {"b"}
    assert teams_of(turn_of([*roster, *team("new", 5)], parts=3, turns=turns)) == {"new"}


def test_an_event_brings_its_people_in_a_whole_team_into_the_next_wave() -> None:
    roster = [each for name in "abcd" for each in team(name, 6)]
    turns: dict[Team, date] = {("all", "d"): TODAY - 9 * WEEK}
    assert "d" not in teams_of(turn_of(roster, parts=4, turns=turns))
    turn = turn_of(roster, parts=4, turns=turns, first=("d",))
    assert teams_of(turn) == {"d"}
    assert len(turn.invitees) == 6
    # The cap holds for them, too.
    assert "d" not in teams_of(turn_of(roster, first=("d",), asked={"d0": TODAY, "d1": TODAY}))


def test_two_teams_of_one_name_are_two() -> None:
    roster = [Invitee(f"p{number}", ("x" if number < 5 else "y", "core")) for number in range(10)]
    assert len(turn_of(roster, parts=2).invitees) == 5


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=8),
    st.integers(1, 4),
    st.dictionaries(st.integers(0, 60), st.integers(0, 120), max_size=40),
    st.sets(st.integers(0, 7)),
)
def test_on_any_roster_nobody_is_asked_too_soon_and_no_team_too_thin(
    sizes: list[int], parts: int, days: dict[int, int], first: set[int]
) -> None:
    roster = [each for number, size in enumerate(sizes) for each in team(f"t{number}-", size)]
    asked = {
        roster[index].person: TODAY - timedelta(days=ago)
        for index, ago in days.items()
        if index < len(roster)
    }
    urgent = tuple(f"t{number}-" for number in first)
    turn = turn_of(roster, parts=parts, asked=asked, first=urgent)
    assert all(TODAY - asked.get(each.person, date.min) >= 8 * WEEK for each in turn.invitees)
    full = Counter(each.team_path[-1] for each in roster)
    for name, count in Counter(each.team_path[-1] for each in turn.invitees).items():
        assert count >= min(5, full[name])
    assert len(turn.invitees) + turn.resting + turn.waiting == len(roster)
    assert len({each.person for each in turn.invitees}) == len(turn.invitees)
