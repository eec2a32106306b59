"""Waves of a survey: whom each asked, and what they answered, which follows how long they wait for CI."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from demo.plan import Plan, moment
from demo.truth import GroundTruth
from demo.working_time import WEEK
from demo.world import World

WEEKS_BACK = (38, 29, 12)
"""Weeks before the end at which closed waves opened: before, in and after the time of slow CI."""
OPEN_DAYS = 10
STILL_OPEN_DAYS = 90
"""Of the last wave: the organisation may be looked at again long after its end."""
_ANSWERING = 0.72
_COMMENTING = 0.22

_COMMENTS = {
    "slow": (
        "CI takes so long that I start something else and lose the thread.",
        "The build queue is the worst part of my day.",
        "Die Pipeline braucht ewig, seit die Runner umgestellt wurden.",
        "Please make the runners fast again.",
        "Waiting for checks on every small fix wears me out.",
    ),
    "other": (
        "Reviews often wait for days.",
        "I never find which page of the wiki is still true.",
        "Too many meetings in the middle of the day.",
        "The template for new services saved us a week.",
        "Setting up a local database should be one command.",
        "Alerts at night are mostly noise.",
        "Rollbacks are quick and calm, thank you.",
        "Zu viele Werkzeuge, jedes mit eigener Anmeldung.",
        "Getting access to the staging environment took three tickets.",
        "Our oldest service is hard to change safely.",
    ),
}


@dataclass(frozen=True)
class Person:
    """Somebody who is asked, and what they answer; None where they don't."""

    login: str
    team: tuple[str, ...]
    """Names of their department and team."""
    tier: str | None
    answers: dict[str, int | str] | None


@dataclass(frozen=True)
class Wave:
    """A wave of the questionnaire `pulse`; instants as ISO 8601, UTC."""

    id: str
    opens_at: str
    closes_at: str
    people: list[Person]


@dataclass(frozen=True)
class Surveys:
    """Closed waves, oldest first, then one that is open; and what people are called."""

    waves: list[Wave]
    names: list[str]
    action: dict[str, str]
    """What was done about the wave in the slow weeks: `wave`, `theme`, `said`, `did`."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def surveys(plan: Plan, world: World, truth: GroundTruth) -> Surveys:
    """The waves of the organisation, up to one that is open at its end."""
    tiers = _tiers(world)
    opened = [plan.calendar.end - weeks * WEEK for weeks in WEEKS_BACK]
    waves = [_wave(plan, world, truth, tiers, moment(at), is_over=True) for at in opened]
    waves.append(_wave(plan, world, truth, tiers, world.now - timedelta(days=2), is_over=False))
    humans = [person for person in world.people if not person.is_bot]
    return Surveys(
        waves,
        sorted({name for person in humans for name in (person.name, person.login)}),
        {
            "wave": waves[1].id,
            "theme": "feedback_loops",
            "said": "Since the new runners, you wait for CI twice as long as before.",
            "did": "The runner image is mended: runs take as long again as they did before.",
        },
    )


def _wave(
    plan: Plan, world: World, truth: GroundTruth, tiers: dict[str, str], opens: datetime, *, is_over: bool
) -> Wave:
    random = plan.random("survey", opens.date())
    parents = {team.slug: team for team in world.teams}
    people = []
    for slug, team in sorted(plan.teams.items()):
        path = (parents[team.department].name, parents[slug].name)
        mood = random.gauss(0, 0.25)
        expected = truth.surveys.expected.get(slug, {}).get(f"{opens:%Y-%m}")
        with_ci = expected.satisfied if expected else 0.5
        for one in team.staff:
            if one.holds(opens.timestamp()):
                answers = _answers(random, with_ci, mood) if random.random() < _share(is_over) else None
                people.append(Person(one.person.login, path, tiers.get(slug), answers))
    closes = opens + timedelta(days=OPEN_DAYS if is_over else STILL_OPEN_DAYS)
    return Wave(f"{opens:%Y-%m}", opens.isoformat(), closes.isoformat(), people)


def _share(is_over: bool) -> float:
    return _ANSWERING if is_over else _ANSWERING / 3


def _answers(random: Random, with_ci: float, mood: float) -> dict[str, int | str]:
    """One person's answers: satisfied with CI as often as is expected, with the rest by mood and with CI."""
    is_satisfied = random.random() < with_ci
    leaning = mood + random.gauss(0, 0.7) + (0.35 if is_satisfied else -0.35)
    found: dict[str, int | str] = {
        "feedback-checks": random.choice((4, 4, 5)) if is_satisfied else random.choice((1, 2, 2, 3, 3)),
        "satisfaction-overall": _rated(random, 3.4 + leaning, 5),
        "delivery-ease": _rated(random, 3.3 + leaning, 5),
        "flow-focus": _rated(random, 3.1 + 0.5 * leaning, 5),
        "load-systems": _rated(random, 3.0 - 0.4 * leaning, 5),
        "docs-find": _rated(random, 2.8 + 0.3 * leaning, 5),
        "platform-useful": _rated(random, 4.9 + leaning, 7),
        "platform-easy": _rated(random, 4.6 + leaning, 7),
        "platform-recommend": min(10, max(0, round(6.8 + 1.6 * leaning + random.gauss(0, 1)))),
    }
    if random.random() < 0.04:
        found["docs-find"] = "na"
    if random.random() < _COMMENTING:
        found["improve-one"] = random.choice(_COMMENTS["other" if is_satisfied else "slow"])
    return found


def _rated(random: Random, centre: float, points: int) -> int:
    return min(points, max(1, round(random.gauss(centre, 0.8))))


def _tiers(world: World) -> dict[str, str]:
    """Team → the tier of most of its components; of as many the first."""
    counts = Counter((component.owner, component.tier) for component in world.components)
    ranked = sorted(counts, key=lambda each: (each[0], -counts[each], each[1]), reverse=True)
    return dict(ranked)
