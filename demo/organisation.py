"""The simulated organisation: about 40 teams, 160 services and 600 developers over 18 months.

The same seed, end and version of this code make the same one, to the last commit id.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from demo import actions, builds, catalogue, hosting, incidents, surveys, truth
from demo.history import History
from demo.life import Life
from demo.plan import BOTS, ORGANIZATION, PULL_REQUESTS, Plan, moment
from demo.planning import make_plan
from demo.surveys import Surveys
from demo.truth import GroundTruth
from demo.words import DEPARTMENTS
from demo.world import Membership, Person, Team, World

VERSION = 1
"""Goes up whenever the same seed and end make another organisation."""


class Organisation(NamedTuple):
    """All there is to know of it."""

    world: World
    """What its tools know."""
    histories: dict[str, History]
    """Name of a repository → its git objects."""
    truth: GroundTruth
    """What was planted."""
    surveys: Surveys
    """What its people were asked, and answered."""


def make(seed: int, end: datetime, *, scale: float = 1.0) -> World:
    """What the organisation's tools know at `end`; `scale` is how much of the usual work is done."""
    return organisation(seed, end, scale=scale).world


def organisation(seed: int, end: datetime, *, scale: float = 1.0) -> Organisation:
    """The organisation as it is at `end`, a whole second in UTC."""
    plan = make_plan(seed, end)
    weight = sum(one.weight for one in plan.services.values()) + sum(one.weight for one in plan.repositories)
    lives = [Life(plan, one, scale * PULL_REQUESTS / weight).live() for one in plan.repositories]
    world = World(
        organization=ORGANIZATION,
        now=end,
        people=[*_people(plan), *BOTS],
        teams=_teams(),
        memberships=_memberships(plan),
        repositories={},
        pagerduty_services=incidents.services(plan),
        incidents=incidents.incidents(plan, lives),
        change_events=incidents.change_events(plan, lives),
        components=catalogue.components(plan),
        ownership=catalogue.ownership(plan),
        own_pipelines=catalogue.own_pipelines(plan),
        templates=[*catalogue.TEMPLATES],
        tasks=catalogue.tasks(plan),
    )
    for life in lives:
        repository = hosting.hosted(life)
        repository.runs = actions.runs(life)
        world.repositories[repository.name] = repository
        world.jenkins += builds.jobs(life)
    planted = truth.planted(plan, world)
    histories = {life.repository.name: life.history for life in lives}
    return Organisation(world, histories, planted, surveys.surveys(plan, world, planted))


def personal(world: World) -> set[str]:
    """Every login, name and address of the organisation's people, which nothing may keep."""
    humans = [person for person in world.people if not person.is_bot]
    return {text for person in humans for text in (person.login, person.name, person.email)}


def _people(plan: Plan) -> list[Person]:
    found = {one.person.login: one.person for team in plan.teams.values() for one in team.staff}
    return [found[login] for login in sorted(found)]


def _teams() -> list[Team]:
    found = [Team(name, name.capitalize(), None, "department") for name in DEPARTMENTS]
    return found + [
        Team(team, team.replace("-", " ").capitalize(), department, "team")
        for department, teams in DEPARTMENTS.items()
        for team in teams
    ]


def _memberships(plan: Plan) -> list[Membership]:
    return [
        Membership(team.slug, one.person.login, moment(one.since), moment(one.until) if one.until else None)
        for team in plan.teams.values()
        for one in team.staff
    ]
