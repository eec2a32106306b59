"""What is settled before anything happens: dates, teams, people, services and repositories.

Instants are whole seconds since 1970, UTC.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

from demo.words import bot
from demo.working_time import DAY, HOUR, WEEK
from demo.world import Person

ORGANIZATION = "demo-org"
WEEKS = 78
PULL_REQUESTS = 12_000
PEOPLE = 600
SERVICES = 160

MONOREPO = "commerce"
GOLDEN_PATH = "golden-path"
GOLDEN_PATH_WORKFLOW = f"{ORGANIZATION}/{GOLDEN_PATH}/.github/workflows/deliver.yml"
RUNNER_IMAGES = "runner-images"
POSTGRES_TEMPLATE = "managed-postgres"
SERVICE_TEMPLATE = "web-service"

DEPENDABOT = bot("dependabot")
RELEASE_BOT = bot("demo-release")
ACTIONS_BOT = bot("github-actions")
REVIEW_BOT = bot("lintel")
BOTS = (DEPENDABOT, RELEASE_BOT, ACTIONS_BOT, REVIEW_BOT)


def moment(seconds: float) -> datetime:
    """The instant as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the planted things happen; all but `end` are Mondays 06:00."""

    start: int
    end: int
    golden_path: tuple[int, ...]
    """When v1, v2, … of the golden path were released."""
    slow_from: int
    slow_until: int
    reorganised: int
    postgres: int
    """Managed Postgres is offered."""
    stalled: int
    """Hardly anybody takes that up any more."""

    @classmethod
    def until(cls, end: datetime) -> Calendar:
        """That of the organisation that lives until `end`."""
        last, monday = int(end.timestamp()), 4 * DAY
        start = monday + (last - WEEKS * WEEK - monday) // WEEK * WEEK + 6 * HOUR
        return cls(
            start=start,
            end=last,
            golden_path=tuple(start + week * WEEK for week in (12, 28, 44, 62)),
            slow_from=start + 46 * WEEK,
            slow_until=start + 52 * WEEK,
            reorganised=start + 38 * WEEK,
            postgres=start + 8 * WEEK,
            stalled=start + 48 * WEEK,
        )


@dataclass(frozen=True, slots=True)
class Employment:
    """A person's time in a team."""

    person: Person
    since: int
    until: int | None
    zeal: float
    """How much more than others they do."""

    def holds(self, at: float) -> bool:
        return self.since <= at and (self.until is None or at < self.until)


@dataclass(slots=True)
class TeamPlan:
    """A team, and the people who are or were in it."""

    slug: str
    department: str
    uses_jenkins: bool
    adopts: int | None
    """When it takes the golden path; None where it never does."""
    pace: float
    """Its changes take so many times as long as others'."""
    staff: list[Employment] = field(default_factory=list)


@dataclass(slots=True)
class ServicePlan:
    """A service, and how work on it goes."""

    name: str
    team: str
    """At the start; see `owner`."""
    repository: str
    path: str | None
    created: int
    adopted: tuple[tuple[int, int], ...]
    """(since, version) of the golden path, oldest first; empty where it never took it."""
    pace: float
    weight: float
    """Share of all changes, before scaling."""
    fault_rate: float
    ci_seconds: float
    production: tuple[str, ...]
    """Its production environments, in the order of their rollouts."""
    staging: str | None
    """Its environment before production, where it has one."""
    pagerduty: str | None
    """Its id there, where somebody is on call for it."""
    is_catalogued: bool
    system: str
    type: str
    tier: str
    template: str | None = None
    """The template it was made from."""
    postgres: int | None = None
    """When it took managed Postgres."""
    moves: tuple[int, str] | None = None
    """When it goes to which other team."""

    def owner(self, at: float) -> str:
        return self.moves[1] if self.moves and at >= self.moves[0] else self.team

    def golden_path_version(self, at: float) -> int | None:
        """Version of the golden path that it uses; None before it took it."""
        index = bisect_right(self.adopted, (int(at), 99))
        return self.adopted[index - 1][1] if index else None


@dataclass(slots=True)
class RepositoryPlan:
    """A repository, and how it is worked on."""

    id: int
    name: str
    services: list[ServicePlan]
    team: str
    """Who works on it where it holds no service."""
    uses_jenkins: bool
    merges_by: str
    """`squash`, `merge` or `rebase`."""
    created: int
    default_branch: str = "main"
    tags: str | None = None
    """Production deployments are tagged: `annotated` or `lightweight`."""
    has_incident_issues: bool = False
    weight: float = 0.0
    """Share of all changes where it holds no service."""
    releases: tuple[tuple[int, str], ...] = ()
    """(at, tag) that are settled beforehand."""
    archived: bool = False
    fork: bool = False
    is_empty: bool = False
    renamed: tuple[int, str] | None = None
    """When it got its name, and what it was called before."""
    quiet_after: int | None = None
    """Nothing happens in it any more."""


@dataclass(slots=True)
class Plan:
    """All that is settled."""

    seed: int
    calendar: Calendar
    teams: dict[str, TeamPlan]
    """By slug."""
    services: dict[str, ServicePlan]
    """By name."""
    repositories: list[RepositoryPlan]
    moved_people: list[Person]
    """Who changed teams in the reorganisation."""

    def random(self, *part: object) -> Random:
        """Random numbers for one part, whatever the others draw."""
        return Random(":".join(map(str, (self.seed, *part))))

    def person(self, random: Random, team: str, at: float, *others: Person | None) -> Person:
        """Somebody of the team at that time, but none of `others`."""
        staff = self.teams[team].staff
        while True:
            one = staff[int(random.random() * len(staff))]
            if one.holds(at) and random.random() < one.zeal and one.person not in others:
                return one.person

    def anybody(self, random: Random, at: float, *others: Person | None) -> Person:
        """Somebody of any team at that time, but none of `others`."""
        return self.person(random, random.choice(list(self.teams)), at, *others)
