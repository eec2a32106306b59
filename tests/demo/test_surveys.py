"""What the demo's developers answer follows how long they wait for CI, by team and month, as is planted."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from demo.organisation import Organisation, organisation
from demo.serve import SEED
from demo.surveys import Wave
from surveys.instrument_files import shipped

END = datetime(2026, 11, 20, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def made() -> Organisation:
    return organisation(SEED, END, scale=0.5)


def satisfied(wave: Wave) -> list[bool]:
    answers = [person.answers for person in wave.people if person.answers]
    return [int(each["feedback-checks"]) >= 4 for each in answers]


def test_answers_follow_what_is_planted(made: Organisation) -> None:
    expected = made.truth.surveys.expected
    teams = {team.slug: team.name for team in made.world.teams}
    for wave in made.surveys.waves[:3]:
        wanted: dict[str, float] = {}
        for slug, months in expected.items():
            if wave.id in months:
                wanted[teams[slug]] = months[wave.id].satisfied
        shares = [
            (wanted.get(person.team[-1], 0.5), int(person.answers["feedback-checks"]) >= 4)
            for person in wave.people
            if person.answers
        ]
        n = len(shares)
        off = sum(is_so for _, is_so in shares) / n - sum(share for share, _ in shares) / n
        assert abs(off) < made.truth.surveys.tolerance + 2 * math.sqrt(0.25 / n)


def test_satisfaction_falls_in_the_slow_weeks_and_comes_back(made: Organisation) -> None:
    before, slow, after = (satisfied(wave) for wave in made.surveys.waves[:3])
    opened = datetime.fromisoformat(made.surveys.waves[1].opens_at).date()
    assert made.truth.slow_ci.first_on <= opened < made.truth.slow_ci.until
    assert sum(slow) / len(slow) < min(sum(before) / len(before), sum(after) / len(after))


def test_waves_are_apart_and_the_last_is_open(made: Organisation) -> None:
    opened = [datetime.fromisoformat(wave.opens_at) for wave in made.surveys.waves]
    assert all(later - earlier >= timedelta(weeks=8) for earlier, later in pairwise(opened))
    assert opened[-1] < END < datetime.fromisoformat(made.surveys.waves[-1].closes_at)


def test_whoever_is_asked_is_in_the_team_then(made: Organisation) -> None:
    logins = {person.login for person in made.world.people if not person.is_bot}
    for wave in made.surveys.waves:
        asked = [person.login for person in wave.people]
        assert len(asked) == len(set(asked))
        assert set(asked) <= logins


def test_every_answer_is_one_that_the_form_takes(made: Organisation) -> None:
    instrument = shipped()["pulse"]
    for person in made.surveys.waves[0].people:
        for item_id, value in (person.answers or {}).items():
            item = instrument.item(item_id)
            assert item
            assert (value in item.scale.values) or value == "na" if item.scale else isinstance(value, str)
