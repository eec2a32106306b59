"""Draws the plan: who there is, what they own, when they adopt what."""

from __future__ import annotations

from datetime import datetime
from random import Random

from demo.plan import (
    GOLDEN_PATH,
    MONOREPO,
    PEOPLE,
    RUNNER_IMAGES,
    SERVICE_TEMPLATE,
    WEEKS,
    Calendar,
    Employment,
    Plan,
    RepositoryPlan,
    ServicePlan,
    TeamPlan,
)
from demo.words import DEPARTMENTS, SERVICE_ENDINGS, people
from demo.working_time import DAY, WEEK

REORGANISED_FROM, REORGANISED_TO = "merchandising", "search"
NEW_SERVICES = 30
MONOREPO_SERVICES = 21
GOLDEN_PATH_TEAMS = 20
POSTGRES_PER_WEEK = 1.25
"""Services that took managed Postgres each week before that stalled."""
_JENKINS = {
    *("billing", "card-payments", "fraud", "invoicing", "ledger", "carriers", "customs", "inventory"),
    *("warehouse", "analytics", "forecasting", "reporting", "data-ingest"),
}
_BEFORE = 2 * 365 * DAY
"""How long before the start people and services may have come."""


def make_plan(seed: int, end: datetime) -> Plan:
    """The plan of the organisation that lives until `end`."""
    calendar = Calendar.until(end)
    plan = Plan(seed, calendar, {}, {}, [], [])
    _teams(plan, plan.random("teams"))
    _staff(plan, plan.random("staff"))
    _services(plan, plan.random("services"))
    _reorganisation(plan)
    _postgres(plan, plan.random("postgres"))
    _repositories(plan, plan.random("repositories"))
    return plan


def _teams(plan: Plan, random: Random) -> None:
    calendar = plan.calendar
    first = list(DEPARTMENTS["platform"])
    others = [team for teams in DEPARTMENTS.values() for team in teams]
    others = [team for team in others if team not in {*first, *_JENKINS, REORGANISED_FROM, REORGANISED_TO}]
    adopters = first + random.sample(others, GOLDEN_PATH_TEAMS - len(first))
    weeks = {team: 14 + index * (WEEKS - 30) // GOLDEN_PATH_TEAMS for index, team in enumerate(adopters)}
    for department, teams in DEPARTMENTS.items():
        for team in teams:
            adopts = calendar.start + weeks[team] * WEEK if team in weeks else None
            # Who is slow has more to gain: adopters differ from the others before they adopt.
            pace = random.lognormvariate(0.1 if adopts else 0.0, 0.2)
            plan.teams[team] = TeamPlan(team, department, team in _JENKINS, adopts, pace)


def _staff(plan: Plan, random: Random) -> None:
    calendar = plan.calendar
    teams = [team for team in plan.teams for _ in range(8)]
    teams += random.choices(list(plan.teams), k=PEOPLE - len(teams))
    for index, (team, person) in enumerate(zip(teams, people(random, PEOPLE), strict=True)):
        since, until = calendar.start - random.randrange(60 * DAY, _BEFORE), None
        # The first of each team stay throughout, so that nobody is ever left alone.
        if index % 8 > 3 and random.random() < 0.15:
            since = calendar.start + random.randrange(4, WEEKS - 4) * WEEK
        elif index % 8 > 3 and random.random() < 0.08:
            until = calendar.start + random.randrange(4, WEEKS - 2) * WEEK
        zeal = min(1.0, random.lognormvariate(-0.8, 0.5))
        plan.teams[team].staff.append(Employment(person, since, until, zeal))


def _services(plan: Plan, random: Random) -> None:
    calendar = plan.calendar
    counts = [3, 5, 4, 4] * (len(plan.teams) // 4)
    random.shuffle(counts)
    commerce = DEPARTMENTS[MONOREPO]
    in_monorepo = {
        team: 2 + (index < MONOREPO_SERVICES - 2 * len(commerce)) for index, team in enumerate(commerce)
    }
    for team, count in zip(plan.teams.values(), counts, strict=True):
        endings = random.sample(SERVICE_ENDINGS, count)
        for index, ending in enumerate(endings):
            name = f"{team.slug}-{ending}"
            is_shared = index < in_monorepo.get(team.slug, 0)
            plan.services[name] = ServicePlan(
                name=name,
                team=team.slug,
                repository=MONOREPO if is_shared else name,
                path=f"services/{name}" if is_shared else None,
                created=calendar.start - random.randrange(WEEK, _BEFORE),
                adopted=(),
                pace=random.lognormvariate(0.0, 0.15),
                weight=random.lognormvariate(0.0, 0.55),
                fault_rate=min(0.25, random.lognormvariate(-2.6, 0.5)),
                ci_seconds=random.lognormvariate(6.1, 0.35),
                production=("production",),
                staging="staging" if random.random() < 0.5 else None,
                pagerduty=f"P{random.randrange(16**5, 16**6):X}" if random.random() < 0.7 else None,
                is_catalogued=random.random() > 0.04,
                system=f"{team.department}-{'core' if index % 2 else 'edge'}",
                type="website" if ending == "web" else "service",
                tier=random.choices(("tier-1", "tier-2", "tier-3"), (1, 2, 2))[0],
            )
    services = list(plan.services.values())
    for index, service in enumerate(
        random.sample([one for one in services if not one.path], NEW_SERVICES), start=1
    ):
        service.created = (
            calendar.start + index * (WEEKS - 8) * WEEK // NEW_SERVICES + random.randrange(5) * DAY
        )
        service.weight *= (calendar.end - service.created) / (calendar.end - calendar.start)
    alone = [one for one in services if not one.path and not plan.teams[one.team].uses_jenkins]
    for service in random.sample(alone, 8):
        service.production = ("prod-eu", "prod-us")
    for service in services:
        _adoption(plan, service, random)


def _adoption(plan: Plan, service: ServicePlan, random: Random) -> None:
    team, calendar = plan.teams[service.team], plan.calendar
    if team.adopts is None:
        return
    since = max(team.adopts, service.created)
    if service.created >= team.adopts:
        service.template = SERVICE_TEMPLATE
    versions = calendar.golden_path
    steps = [(since, sum(at <= since for at in versions))]
    for version, at in enumerate(versions, start=1):
        if at > since and random.random() < 0.65:
            steps.append((at + random.randrange(2, 30) * DAY, version))
    service.adopted = tuple(steps)


def _reorganisation(plan: Plan) -> None:
    at = plan.calendar.reorganised
    own = [service for service in plan.services.values() if service.team == REORGANISED_FROM]
    for service in own[: len(own) // 2 + 1]:
        service.moves = at, REORGANISED_TO
    old, new = plan.teams[REORGANISED_FROM].staff, plan.teams[REORGANISED_TO].staff
    for index, one in enumerate(old):
        if index % 2 and one.holds(at):
            old[index] = Employment(one.person, one.since, at, one.zeal)
            new.append(Employment(one.person, at, one.until, one.zeal))
            plan.moved_people.append(one.person)


def _postgres(plan: Plan, random: Random) -> None:
    calendar = plan.calendar
    at = float(calendar.postgres)
    waiting = random.sample(list(plan.services.values()), len(plan.services))
    while at < calendar.end:
        per_week = POSTGRES_PER_WEEK if at < calendar.stalled else POSTGRES_PER_WEEK / 20
        at += random.uniform(0.3, 1.7) * WEEK / per_week
        ready = next((one for one in waiting if one.created < at), None)
        if at < calendar.end and ready:
            waiting.remove(ready)
            ready.postgres = int(at)


def _repositories(plan: Plan, random: Random) -> None:
    calendar = plan.calendar
    found: dict[str, RepositoryPlan] = {}
    for service in plan.services.values():
        if (one := found.get(service.repository)) is None:
            one = found[service.repository] = RepositoryPlan(
                id=0,
                name=service.repository,
                services=[],
                team=service.team,
                uses_jenkins=plan.teams[service.team].uses_jenkins,
                merges_by=random.choices(("squash", "merge", "rebase"), (60, 25, 15))[0],
                created=service.created,
                default_branch="master" if random.random() < 0.06 else "main",
            )
            if not service.path and not one.uses_jenkins and random.random() < 0.4:
                one.tags = random.choice(("annotated", "lightweight"))
            one.has_incident_issues = not service.path and not service.pagerduty and random.random() < 0.2
        one.services.append(service)
        one.created = min(one.created, service.created)
    for one in found.values():
        if one.name == MONOREPO:
            for service in one.services:
                service.production = (f"production-{service.name}",)
                service.staging = f"staging-{service.name}" if service.staging else None
    renamed = random.choice(
        [one for one in found.values() if one.uses_jenkins and one.created < calendar.start]
    )
    renamed.renamed = calendar.start + 30 * WEEK, f"old-{renamed.name}"
    repositories = [*found.values(), *_others(calendar)]
    random.shuffle(repositories)
    plan.repositories = sorted(repositories, key=lambda one: one.created)
    for index, one in enumerate(plan.repositories):
        one.id = 710_000_000 + 1_000 * index + random.randrange(1_000)


def _others(calendar: Calendar) -> list[RepositoryPlan]:
    """Repositories without a service of their own."""
    before = calendar.start - 300 * DAY
    versions = tuple((at, f"v{number}") for number, at in enumerate(calendar.golden_path, start=1))
    images = ((calendar.slow_from, "v4.0.0"), (calendar.slow_until, "v4.1.0"))
    kit = ((calendar.start + 30 * WEEK, "v4.9.0"), (calendar.end - 4 * WEEK, "v5.0.0-rc.1"))
    early = calendar.start + 8 * WEEK
    plain = {"services": [], "uses_jenkins": False, "merges_by": "squash"}

    def make(name: str, team: str, **settings: object) -> RepositoryPlan:
        return RepositoryPlan(**{"id": 0, "name": name, "team": team, "created": before, **plain, **settings})  # type: ignore[arg-type]

    return [
        make(GOLDEN_PATH, "developer-platform", weight=0.8, releases=versions),
        make(RUNNER_IMAGES, "runtime", weight=0.4, releases=images),
        make("ui-kit", "web-apps", weight=0.7, releases=kit),
        make("handbook", "support-desk", weight=0.3),
        make("legacy-portal", "web-apps", weight=0.1, archived=True, quiet_after=early, uses_jenkins=True),
        make("legacy-batch", "ledger", weight=0.1, archived=True, quiet_after=early, uses_jenkins=True),
        make("driftwood", "runtime", weight=0.02, fork=True),
        make("quartzite", "search", weight=0.02, fork=True, quiet_after=early),
        make("next-idea", "experiments", is_empty=True),
    ]
