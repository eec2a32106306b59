"""What was planted in the organisation, and how exactly figures should find it again."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from statistics import median

from demo.actions import SLOW_FACTOR
from demo.plan import GOLDEN_PATH_WORKFLOW, POSTGRES_TEMPLATE, RUNNER_IMAGES, Plan, moment
from demo.planning import POSTGRES_PER_WEEK, REORGANISED_FROM, REORGANISED_TO
from demo.world import World

LEAD_TIME_EFFECT = -0.30
_SATISFIED_AT_SECONDS = 720.0
_STEEPNESS = 1.3


@dataclass(frozen=True)
class GoldenPath:
    """Staggered adoption that shortens change lead time."""

    effect: float
    """Relative change of the median change lead time, of a service's changes begun after it adopted."""
    tolerance: float
    """To either side of `effect`."""
    introduced_on: date
    workflow: str
    teams: dict[str, date | None]
    """Team → when it adopted; None where it never did."""
    services: dict[str, date | None]
    """Service → when it did: with its team, or when it was made."""
    see: str


@dataclass(frozen=True)
class SlowCI:
    """A platform release that made CI slow for six weeks."""

    first_on: date
    until: date
    """Exclusive."""
    factor: float
    """Median duration of runs in that time / in the six weeks before and after."""
    tolerance: float
    release: str
    see: str


@dataclass(frozen=True)
class Reorganisation:
    """Members and services of one team that went to another."""

    on: date
    from_team: str
    to_team: str
    members: int
    services: list[str]
    see: str


@dataclass(frozen=True)
class Stall:
    """A capability that hardly anybody takes up any more."""

    capability: str
    introduced_on: date
    stalled_on: date
    per_week_before: float
    per_week_after: float
    tolerance: float
    """Of either rate, relative for the one before, absolute for the one after."""
    see: str


@dataclass(frozen=True)
class Surveys:
    """What developers say follows how long they wait for CI."""

    relation: str
    """Share of satisfied developers."""
    tolerance: float
    """By which a team's share may miss what is expected, beside chance."""
    expected: dict[str, dict[str, Expected]]
    """Team → month (YYYY-MM) → what its answers should be."""
    see: str


@dataclass(frozen=True)
class Expected:
    """A team in a month."""

    ci_p50_seconds: float
    satisfied: float
    """Share of those asked who are satisfied with the feedback they get from CI: 4 or 5 of 5."""


@dataclass(frozen=True)
class GroundTruth:
    """All that was planted."""

    golden_path: GoldenPath
    slow_ci: SlowCI
    reorganisation: Reorganisation
    stall: Stall
    surveys: Surveys

    def to_json(self) -> str:
        """As in `ground_truth.json`; days as YYYY-MM-DD."""
        return json.dumps(asdict(self), indent=2, default=date.isoformat)


def satisfied(ci_p50_seconds: float) -> float:
    """Share of satisfied developers where half of the runs take no longer: half of them at 12 minutes."""
    return 1 / (1 + math.exp(_STEEPNESS * math.log2(ci_p50_seconds / _SATISFIED_AT_SECONDS)))


def planted(plan: Plan, world: World) -> GroundTruth:
    """What was planted in `world`, which was made by `plan`."""
    calendar = plan.calendar
    return GroundTruth(
        GoldenPath(
            effect=LEAD_TIME_EFFECT,
            tolerance=0.06,
            introduced_on=_day(calendar.golden_path[0]),
            workflow=GOLDEN_PATH_WORKFLOW,
            teams={
                slug: _day(team.adopts) if team.adopts else None for slug, team in sorted(plan.teams.items())
            },
            services={
                name: _day(one.adopted[0][0]) if one.adopted else None
                for name, one in sorted(plan.services.items())
            },
            see="Median change lead time of adopters' changes, after over before adoption, divided by that "
            "ratio of services that never adopted: everybody grew slower over the months, and adopters "
            "were slower to begin with.",
        ),
        SlowCI(
            first_on=_day(calendar.slow_from),
            until=_day(calendar.slow_until),
            factor=SLOW_FACTOR,
            tolerance=0.15,
            release=f"{RUNNER_IMAGES} v4.0.0, mended by v4.1.0",
            see="Median duration of GitHub Actions runs in these weeks over that of the six weeks before and "
            "after; Jenkins has machines of its own and shows nothing.",
        ),
        Reorganisation(
            on=_day(calendar.reorganised),
            from_team=REORGANISED_FROM,
            to_team=REORGANISED_TO,
            members=len(plan.moved_people),
            services=sorted(one.name for one in plan.services.values() if one.moves),
            see="From that day on these services' figures are the new team's; before it, the old one's.",
        ),
        Stall(
            capability=f"template:default/{POSTGRES_TEMPLATE}",
            introduced_on=_day(calendar.postgres),
            stalled_on=_day(calendar.stalled),
            per_week_before=POSTGRES_PER_WEEK,
            per_week_after=POSTGRES_PER_WEEK / 20,
            tolerance=0.25,
            see="Completed runs of the template for services that had none, by week.",
        ),
        Surveys(
            relation=f"1 / (1 + exp({_STEEPNESS} * log2(ci_p50_seconds / {_SATISFIED_AT_SECONDS:.0f})))",
            tolerance=0.05,
            expected=_expected(plan, world),
            see="Satisfaction with CI falls in the slow weeks where GitHub Actions is used, nowhere else.",
        ),
    )


def _expected(plan: Plan, world: World) -> dict[str, dict[str, Expected]]:
    durations: dict[tuple[str, str], list[float]] = defaultdict(list)
    for service, at, taken in _ci(plan, world):
        durations[plan.services[service].owner(at.timestamp()), f"{at:%Y-%m}"].append(taken)
    found: dict[str, dict[str, Expected]] = defaultdict(dict)
    for (team, month), seconds in sorted(durations.items()):
        if len(seconds) >= 5:
            middle = median(seconds)
            found[team][month] = Expected(round(middle), round(satisfied(middle), 3))
    return dict(found)


def _ci(plan: Plan, world: World) -> Iterable[tuple[str, datetime, float]]:
    """(service, start, seconds) of every finished run."""
    alone = {one.repository: name for name, one in plan.services.items() if not one.path}
    shared = {name: name for name, one in plan.services.items() if one.path}
    for repository in world.repositories.values():
        for run in repository.runs:
            name = alone.get(repository.name) or shared.get(
                run.workflow.rpartition("/")[2].removesuffix(".yml")
            )
            if name and run.conclusion in {"success", "failure"}:
                yield name, run.started_at, (run.updated_at - run.started_at).total_seconds()
    for job in world.jenkins:
        if job.is_branch and job.path[1] in alone:
            for build in job.builds:
                if build.result:
                    yield alone[job.path[1]], build.started_at, build.duration_ms / 1000


def _day(at: float) -> date:
    return moment(at).date()
