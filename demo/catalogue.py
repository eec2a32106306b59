"""Backstage: components, and runs of the templates that make or equip them."""

from __future__ import annotations

import uuid
from random import Random

from demo.plan import MONOREPO, POSTGRES_TEMPLATE, SERVICE_TEMPLATE, Plan, ServicePlan, moment
from demo.working_time import HOUR
from demo.world import Component, Ownership, OwnPipeline, Task

TEMPLATES = (SERVICE_TEMPLATE, POSTGRES_TEMPLATE, "static-site")
_DANGLING = ("team-phoenix", "growth-squad")
"""Owners that no group is."""


def components(plan: Plan) -> list[Component]:
    """What the catalogue knows now: most services, and a few things that are none."""
    random = plan.random("catalogue")
    end = plan.calendar.end
    known = [one for one in plan.services.values() if one.is_catalogued and one.created <= end]
    astray = dict(zip(random.sample([one.name for one in known], 3), (*_DANGLING, _DANGLING[0]), strict=True))
    found = [_component(plan, random, one, astray.get(one.name)) for one in known]
    found.append(
        Component(
            name="ui-kit",
            title="Ui kit",
            owner="web-apps",
            system="customer-core",
            type="library",
            lifecycle="production",
            tier="tier-3",
            repository="ui-kit",
            source_path=None,
            annotations={},
            tags=("library",),
        )
    )
    return found


def ownership(plan: Plan) -> list[Ownership]:
    """Who had the catalogued services that went to another team, before and since."""
    moved = [(one, *one.moves) for one in plan.services.values() if one.is_catalogued and one.moves]
    return [
        line
        for one, at, team in moved
        for line in (
            Ownership(one.name, one.team, None, moment(at)),
            Ownership(one.name, team, moment(at), None),
        )
    ]


def own_pipelines(plan: Plan) -> list[OwnPipeline]:
    """Until when the catalogued services that GitHub Actions builds had a pipeline of their own."""
    found = []
    for one in plan.services.values():
        since = max(one.created, plan.calendar.start)
        until = one.adopted[0][0] if one.adopted else None
        if one.is_catalogued and not plan.teams[one.team].uses_jenkins and (until is None or since < until):
            found.append(OwnPipeline(one.name, moment(since), moment(until) if until else None))
    return found


def tasks(plan: Plan) -> list[Task]:
    """Runs of templates, oldest first: those that succeeded, those that did not, those still going on."""
    random = plan.random("tasks")
    found: list[Task] = []
    for service in plan.services.values():
        if service.template and service.created <= plan.calendar.end:
            found += _tries(plan, random, service.template, service.created, service)
        if service.postgres:
            found += _tries(plan, random, POSTGRES_TEMPLATE, service.postgres, service)
    for _ in range(40):
        at = random.randrange(plan.calendar.start, plan.calendar.end)
        found += _tries(plan, random, "static-site", at, None)
    return sorted(found, key=lambda task: (task.created_at, task.id))


def _component(plan: Plan, random: Random, service: ServicePlan, astray: str | None) -> Component:
    repository = service.repository
    annotations = {}
    if service.pagerduty:
        annotations["pagerduty.com/service-id"] = service.pagerduty
    team = plan.teams[service.team]
    if team.uses_jenkins:
        annotations["jenkins.io/job-full-name"] = f"{team.department}/{repository}"
    if service.template:
        annotations["backstage.io/source-template"] = f"template:default/{service.template}"
    if service.postgres:
        annotations["demo.example/database"] = POSTGRES_TEMPLATE
    if service.golden_path_version(plan.calendar.end):
        annotations["demo.example/delivery"] = "golden-path"
    return Component(
        name=service.name,
        title=service.name.replace("-", " ").capitalize(),
        owner=astray or service.owner(plan.calendar.end),
        system=service.system,
        type=service.type,
        lifecycle=random.choices(("production", "experimental", "deprecated"), (90, 7, 3))[0],
        tier=service.tier,
        repository=repository,
        source_path=service.path,
        annotations=annotations,
        tags=("monorepo",) if repository == MONOREPO else (),
    )


def _tries(plan: Plan, random: Random, template: str, at: int, service: ServicePlan | None) -> list[Task]:
    """Runs of a template until one works; for a service the last one works, at `at`."""
    team = service.owner(at) if service else random.choice(list(plan.teams))
    person = plan.person(random, team, max(at, plan.calendar.start))
    outcomes = ["completed" if service or random.random() < 0.8 else "cancelled"]
    while random.random() < 0.12:
        outcomes.insert(0, "failed")
    found = []
    for back, status in enumerate(reversed(outcomes)):
        began = at - back * random.randrange(600, 20 * HOUR)
        finished = began + random.randrange(20, 400)
        is_over = finished <= plan.calendar.end
        found.append(
            Task(
                id=str(uuid.UUID(int=random.getrandbits(128), version=4)),
                template=template,
                created_by=person.login,
                created_at=moment(began),
                finished_at=moment(finished) if is_over else None,
                status=status if is_over else "processing",
                component=service.name if service and status == "completed" else None,
            )
        )
    return found
