"""PagerDuty: incidents with what their log says, the services they hit, changes announced to it."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

from demo.life import Life, Trouble
from demo.plan import ORGANIZATION, Plan, moment
from demo.working_time import DAY, MINUTE
from demo.world import ChangeEvent, Incident, LogEntry, PagerDutyService, Person

CHANGES_KEPT = 90 * DAY
"""For how long PagerDuty keeps the changes announced to it."""
_TITLES = (
    "Error rate above 5 %", "Latency p99 above 2 s", "Queue grows", "Health check fails", "Disk almost full",
    "No heartbeat",
)  # fmt: skip
_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def services(plan: Plan) -> list[PagerDutyService]:
    """Those who are on call for something, by the teams that own it now."""
    end = plan.calendar.end
    found = [
        PagerDutyService(one.pagerduty, one.name, one.owner(end), moment(one.created))
        for one in plan.services.values()
        if one.pagerduty and one.created <= end
    ]
    # Nobody's catalogue knows this one.
    return [*found, PagerDutyService("PSHARED", "Shared edge proxy", "runtime", moment(plan.calendar.start))]


def incidents(plan: Plan, lives: Iterable[Life]) -> list[Incident]:
    """What the services' troubles looked like to those on call, oldest first."""
    random = plan.random("incidents")
    troubles = [trouble for life in lives for trouble in life.troubles if trouble.service.pagerduty]
    troubles.sort(key=lambda trouble: (trouble.opened, trouble.service.name))
    return [_incident(plan, random, number, trouble) for number, trouble in enumerate(troubles, start=1)]


def change_events(plan: Plan, lives: Iterable[Life]) -> list[ChangeEvent]:
    """The rollouts to production of every other service, for as long as PagerDuty keeps them."""
    end = plan.calendar.end
    found = [
        ChangeEvent(
            id=f"C{rollout.sha[:12].upper()}{index}",
            service_id=str(rollout.service.pagerduty),
            at=moment(rollout.finished),
            summary=f"{rollout.service.name} deployed",
            sha=rollout.sha,
            url=f"https://github.demo.example/{ORGANIZATION}/{life.repository.name}/commit/{rollout.sha}",
        )
        for life in lives
        for index, rollout in enumerate(life.rollouts)
        if rollout.service.pagerduty
        and rollout.service.pagerduty[-1] in "02468ACE"
        and rollout.environment in rollout.service.production
        and rollout.is_success
        and end - CHANGES_KEPT < rollout.finished <= end
    ]
    return sorted(found, key=lambda event: event.at)


def _incident(plan: Plan, random: Random, number: int, trouble: Trouble) -> Incident:
    end = plan.calendar.end
    team = trouble.service.owner(trouble.opened)
    responder = plan.person(random, team, trouble.opened)
    course: list[tuple[str, int, Person | None]] = [("trigger", trouble.opened, None)]
    if random.random() < 0.92:
        course.append(("acknowledge", trouble.opened + random.randrange(30, 900), responder))
    if random.random() < 0.3:
        course.append(("annotate", trouble.opened + random.randrange(900, 2400), responder))
    if trouble.resolved:
        resolved = max(trouble.resolved, trouble.opened + MINUTE)
        length = resolved - trouble.opened
        if length > 40 * MINUTE and random.random() < 0.08:
            # It seemed to be over, and was not.
            course.append(("resolve", trouble.opened + length // 2, responder))
            course.append(("trigger", trouble.opened + length * 3 // 4, None))
        course.append(("resolve", resolved, responder if random.random() < 0.7 else None))
        course = [step for step in course if step[1] <= resolved]
    course = sorted((step for step in course if step[1] <= end), key=lambda step: step[1])
    changes = [kind for kind, _, _ in course if kind != "annotate"]
    status = {"trigger": "triggered", "acknowledge": "acknowledged", "resolve": "resolved"}[changes[-1]]
    urgency = "high" if trouble.service.tier == "tier-1" or random.random() < 0.5 else "low"
    id_ = "Q" + "".join(random.choices(_LETTERS, k=13))
    return Incident(
        id=id_,
        number=number,
        service_id=str(trouble.service.pagerduty),
        title=f"{random.choice(_TITLES)}: {trouble.service.name}",
        urgency=urgency,
        priority=random.choice(("P1", "P2")) if urgency == "high" else random.choice(("P3", None)),
        status=status,
        created_at=moment(trouble.opened),
        updated_at=moment(course[-1][1]),
        log=tuple(
            LogEntry(f"R{id_[1:]}{index}", kind, moment(at), person)
            for index, (kind, at, person) in enumerate(course)
        ),
        sha=trouble.sha,
    )
