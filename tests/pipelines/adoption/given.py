"""What the models of adoption rest on, written down by hand: services, work, evidence, settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

TIMEZONE = "Europe/Berlin"
ORGANISATION = "Acme"

FOREVER = date.max


def at(day: date, hour: int = 10) -> datetime:
    """An hour of a day, UTC: the same local day in `TIMEZONE`."""
    return datetime.combine(day, time(hour), UTC)


@dataclass(frozen=True)
class Service:
    name: str
    tier: str | None = None
    kind: str | None = "service"
    owners: tuple[tuple[str, date | None, date | None], ...] = ()
    """(team, first day, day after the last), at noon."""
    archived_on: date | None = None


@dataclass(frozen=True)
class Capability:
    name: str
    kind: str = "capability"
    cadence: int = 30
    introduced_on: date | None = None
    retired_on: date | None = None
    creates: tuple[str, ...] = ()
    eligible: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Evidence:
    """An event (`ended_on` is of no meaning), or a state."""

    capability: str
    service: str | None
    day: date
    is_state: bool = False
    ended_on: date | None = None
    is_start_unknown: bool = False
    result: str | None = None
    seconds: int | None = None
    """How long an event took."""
    rule: str = "workflow"
    """Kind of the rule."""
    ordinal: int | None = None
    team: str | None = None
    person: str | None = None
    hour: int = 10


@dataclass(frozen=True)
class Check:
    name: str
    weight: float
    capability: str
    is_current: bool = False
    asked_of: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Migration:
    name: str
    leaves: str | None
    to: str
    started_on: date
    scope: frozenset[str]


@dataclass(frozen=True)
class Pull:
    """A merged pull request of the platform's repository."""

    author: str
    day: date
    is_bot: bool = False


@dataclass
class Given:
    last_day: date
    """Last day that was read whole."""
    services: list[Service]
    teams: dict[str, str | None] = field(default_factory=dict)
    """Team → parent."""
    commits: list[tuple[str, date, str | None]] = field(default_factory=list)
    """(service, day, author; None for a bot)."""
    merges: list[tuple[str, date, str]] = field(default_factory=list)
    """(service, day, author) of merged changes."""
    deployments: list[tuple[str, date]] = field(default_factory=list)
    """(service, day); at noon."""
    capabilities: list[Capability] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    mandates: list[tuple[str, date, frozenset[str]]] = field(default_factory=list)
    """(capability, since, services)."""
    versions: dict[str, list[date | None]] = field(default_factory=dict)
    """Capability → days of release, oldest first."""
    checks: list[Check] = field(default_factory=list)
    migrations: list[Migration] = field(default_factory=list)
    platform_owner: str = "platform"
    pulls: list[Pull] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=dict)
    """Person → team."""

    def days(self, first: date) -> list[date]:
        return [first + timedelta(days=n) for n in range((self.last_day - first).days + 1)]


def daily(
    service: str, first: date, last: date, *authors: str, every: int = 7
) -> list[tuple[str, date, str | None]]:
    """Commits of each author every so many days."""
    return [
        (service, first + timedelta(days=n), author)
        for n in range(0, (last - first).days + 1, every)
        for author in authors
    ]
